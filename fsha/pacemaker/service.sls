# Pacemaker runs, and every node has joined the cluster.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.agents
  - fsha.corosync
  - fsha.freeswitch

fsha-cluster-pacemaker:
  service.running:
    - name: pacemaker
    - enable: true
    - require:
      - sls: fsha.agents.check
      - sls: fsha.corosync.service
      - sls: fsha.freeswitch.cluster

fsha-cluster-ready:
  pacemaker_cluster.ready:
    - name: {{ value(fsha.cluster.name) }}
    - nodes: {{ value(fsha.get("nodes", {})) }}
    - timeout: {{ value(fsha.cluster.membership_timeout) }}
    - require_all: {{ value(fsha.cluster.require_all_nodes) }}
    - require:
      - service: fsha-cluster-pacemaker
