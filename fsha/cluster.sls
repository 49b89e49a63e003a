# The CIB: every object is staged, then all of them are committed as one change.
{%- from "fsha/map.jinja" import fsha, value with context %}
{%- set pacemaker = fsha.pacemaker %}
{%- set resources = pacemaker.resources if pacemaker.resources is mapping else {} %}
{%- set groups = pacemaker.groups if pacemaker.groups is mapping else {} %}
{%- set locations = pacemaker.locations if pacemaker.locations is mapping else {} %}
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

{%- for id, item in resources.items() if item is mapping %}

{{ value("fsha-cluster-resource-" ~ id) }}:
  pacemaker_resource.present:
    - name: {{ value(id) }}
    - agent: {{ value(item.get("agent")) }}
    - params: {{ value(item.get("params", {})) }}
    - meta: {{ value(item.get("meta", {})) }}
    - operations: {{ value(item.get("operations", [])) }}
    - transaction: fsha
    - require:
      - pacemaker_cluster: fsha-cluster-ready
    - require_in:
      - pacemaker_cib: fsha-cluster-committed
{%- endfor %}

{%- for id, item in groups.items() if item is mapping %}

{{ value("fsha-cluster-group-" ~ id) }}:
  pacemaker_resource.present:
    - name: {{ value(id) }}
    - members: {{ value(item.get("members")) }}
    - meta: {{ value(item.get("meta", {})) }}
    - transaction: fsha
    - require:
      - pacemaker_cluster: fsha-cluster-ready
    - require_in:
      - pacemaker_cib: fsha-cluster-committed
{%- endfor %}

{%- for id, item in locations.items() if item is mapping %}

{{ value("fsha-cluster-location-" ~ id) }}:
  pacemaker_constraint.location:
    - name: {{ value(id) }}
    - resource: {{ value(item.get("resource")) }}
    - node: {{ value(item.get("node", none)) }}
    - score: {{ value(item.get("score", none)) }}
    - rules: {{ value(item.get("rules", [])) }}
    - transaction: fsha
    - require:
      - pacemaker_cluster: fsha-cluster-ready
    - require_in:
      - pacemaker_cib: fsha-cluster-committed
{%- endfor %}

fsha-cluster-committed:
  pacemaker_cib.committed:
    - name: fsha
    - complete: true
    - unmanaged: {{ value(fsha.cluster.unmanaged) }}
    - settle_timeout: {{ value(fsha.cluster.settle_timeout) }}
    - require:
      - pacemaker_property: fsha-cluster-properties
      - pacemaker_property: fsha-cluster-rsc-defaults

{%- for id in groups %}

{{ value("fsha-cluster-serves-" ~ id) }}:
  pacemaker_resource.running:
    - name: {{ value(id) }}
    - timeout: {{ value(fsha.cluster.settle_timeout) }}
    - require:
      - pacemaker_cib: fsha-cluster-committed
{%- endfor %}
