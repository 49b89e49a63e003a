# One key and one corosync.conf for both nodes.
{%- from "fsha/map.jinja" import fsha, value with context %}
{%- set corosync = fsha.corosync %}
include:
  - fsha.pillar
  - fsha.agents.check
  - fsha.network

fsha-corosync-authkey:
  corosync_authkey.present:
    - name: /etc/corosync/authkey
    - key_pillar: fsha:corosync:authkey
    - source_file: {{ value(corosync.get("authkey_file")) }}
    - require:
      - sls: fsha.agents.check

fsha-corosync-config:
  corosync_config.managed:
    - name: /etc/corosync/corosync.conf
    - cluster_name: {{ value(fsha.cluster.name) }}
    - nodes: {{ value(fsha.get("nodes", {})) }}
    - transport: {{ value(corosync.transport) }}
    - crypto: {{ value(corosync.crypto) }}
    - totem: {{ value(corosync.totem) }}
    - links: {{ value(corosync.links) }}
    - quorum: {{ value(corosync.quorum) }}
    - logging: {{ value(corosync.logging) }}
    - require:
      - corosync_authkey: fsha-corosync-authkey
      - sls: fsha.network.hosts
      - sls: fsha.network.interfaces
