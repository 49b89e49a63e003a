# The CIB: every object is staged, then all of them are committed as one change.
{%- from "fsha/freeswitch/map.jinja" import fsha, value, installed, unit, override with context %}
{%- set pacemaker = fsha.pacemaker %}
{%- import_yaml "fsha/parameters/kinds.yaml" as kinds %}
include:
  - fsha.network.sysctl
  - fsha.freeswitch.config
  - fsha.pacemaker.service

fsha-cluster-properties:
  pacemaker_property.present:
    - name: cib-bootstrap-options
    - values: {{ value(pacemaker.properties) }}
    - transaction: fsha
    - require:
      - pacemaker_cluster: fsha-cluster-ready

fsha-cluster-rsc-defaults:
  pacemaker_property.resource_defaults:
    - name: rsc-options
    - values: {{ value(pacemaker.rsc_defaults) }}
    - transaction: fsha
    - require:
      - pacemaker_cluster: fsha-cluster-ready

fsha-cluster-op-defaults:
  pacemaker_property.operation_defaults:
    - name: op-options
    - values: {{ value(pacemaker.op_defaults) }}
    - transaction: fsha
    - require:
      - pacemaker_cluster: fsha-cluster-ready

{%- for kind in kinds if pacemaker[kind.key] is mapping %}
{%- for id, spec in pacemaker[kind.key].items() if spec is mapping %}

{{ value("fsha-cluster-" ~ kind.word ~ "-" ~ id) }}:
  {{ kind.state }}:
    - name: {{ value(id) }}
    - spec: {{ value(spec) }}
    - transaction: fsha
    - require:
      - pacemaker_cluster: fsha-cluster-ready
    - require_in:
      - pacemaker_cib: fsha-cluster-committed
{%- endfor %}
{%- endfor %}

fsha-cluster-committed:
  pacemaker_cib.committed:
    - name: fsha
    - complete: true
    - unmanaged: {{ value(fsha.cluster.unmanaged) }}
    - settle_timeout: {{ value(fsha.cluster.settle_timeout) }}
    - restore_points: {{ value(fsha.cluster.restore_points) }}
    - guard: {{ value(fsha.guard) }}
    - require:
      - pacemaker_property: fsha-cluster-properties
      - pacemaker_property: fsha-cluster-rsc-defaults
      - pacemaker_property: fsha-cluster-op-defaults
      # What the cluster then starts has to find it.
      - sls: fsha.freeswitch.config
    {%- if not fsha.network.nonlocal_bind %}
    - require_in:
      # Until then the standby may need it.
      {%- for name in ("net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind") %}
      - sysctl: fsha-network-sysctl-{{ name }}
      {%- endfor %}
    {%- endif %}

{%- if unit != "disabled" %}

# What the cluster has handed over, systemd brings back again when it ends.
fsha-switch-handed-over:
  file.absent:
    - name: {{ value(override) }}
    - require:
      - pacemaker_cib: fsha-cluster-committed

fsha-switch-handed-over-read:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: fsha-switch-handed-over
{%- endif %}
{%- if installed and unit == "running" %}

# A CIB of an old schema can only stop what leaves it.
fsha-switch-still-running:
  service.running:
    - name: {{ value(fsha.freeswitch.service) }}
    - enable: true
    - require:
      - pacemaker_cib: fsha-cluster-committed
      - file: fsha-switch-handed-over
{%- endif %}

{%- for id in pacemaker.groups if pacemaker.groups is mapping %}

{{ value("fsha-cluster-serves-" ~ id) }}:
  pacemaker_resource.running:
    - name: {{ value(id) }}
    - timeout: {{ value(fsha.cluster.settle_timeout) }}
    - require:
      - pacemaker_cib: fsha-cluster-committed
{%- endfor %}
