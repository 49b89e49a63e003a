# The CIB: every object is staged, then all of them are committed as one change.
{%- from "fsha/map.jinja" import fsha, value with context %}
{%- set pacemaker = fsha.pacemaker %}
{%- set kinds = {
  "nodes": ("node", "pacemaker_node.attributes"),
  "templates": ("template", "pacemaker_resource.template"),
  "resources": ("resource", "pacemaker_resource.present"),
  "groups": ("group", "pacemaker_resource.present"),
  "clones": ("clone", "pacemaker_resource.clone"),
  "bundles": ("bundle", "pacemaker_resource.bundle"),
  "locations": ("location", "pacemaker_constraint.location"),
  "colocations": ("colocation", "pacemaker_constraint.colocation"),
  "orders": ("order", "pacemaker_constraint.order"),
  "tickets": ("ticket", "pacemaker_constraint.ticket"),
  "fencing_levels": ("fencing-level", "pacemaker_fencing.level"),
  "acl_roles": ("acl-role", "pacemaker_acl.role"),
  "acl_users": ("acl-user", "pacemaker_acl.user"),
  "acl_groups": ("acl-group", "pacemaker_acl.group"),
  "tags": ("tag", "pacemaker_tag.present"),
  "alerts": ("alert", "pacemaker_alert.present"),
} %}
include:
  - fsha.pillar
  - fsha.agents
  - fsha.corosync
  - fsha.freeswitch

fsha-cluster-pacemaker:
  service.running:
    - name: pacemaker
    - enable: true
    - require:
      - sls: fsha.agents
      - sls: fsha.freeswitch
      - sls: fsha.corosync

fsha-cluster-ready:
  pacemaker_cluster.ready:
    - name: {{ value(fsha.cluster.name) }}
    - nodes: {{ value(fsha.get("nodes", {})) }}
    - timeout: {{ value(fsha.cluster.membership_timeout) }}
    - require:
      - service: fsha-cluster-pacemaker

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

{%- for key, (word, function) in kinds.items() if pacemaker[key] is mapping %}
{%- for id, item in pacemaker[key].items() if item is mapping %}

{{ value("fsha-cluster-" ~ word ~ "-" ~ id) }}:
  {{ function }}:
    - name: {{ value(id) }}
    - form: {{ value(item) }}
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

{%- for id in pacemaker.groups if pacemaker.groups is mapping %}

{{ value("fsha-cluster-serves-" ~ id) }}:
  pacemaker_resource.running:
    - name: {{ value(id) }}
    - timeout: {{ value(fsha.cluster.settle_timeout) }}
    - require:
      - pacemaker_cib: fsha-cluster-committed
{%- endfor %}
