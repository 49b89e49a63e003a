# Corosync runs with its configuration, and every link of the ring is healthy.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.corosync.config

fsha-corosync-service:
  corosync_service.running:
    - name: corosync
    - enable: true
    - require:
      - corosync_config: fsha-corosync-config

fsha-corosync-ring:
  corosync_ring.healthy:
    - name: {{ value(fsha.cluster.name) }}
    - nodes: {{ value(fsha.get("nodes", {})) }}
    - timeout: {{ value(fsha.cluster.membership_timeout) }}
    - require_all: {{ value(fsha.cluster.require_all_nodes) }}
    - require:
      - corosync_service: fsha-corosync-service
