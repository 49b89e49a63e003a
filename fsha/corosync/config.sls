# One key and one corosync.conf for both nodes.
{%- from "fsha/corosync/map.jinja" import fsha, value, settings with context %}
include:
  - fsha.pillar
  - fsha.agents.check
  - fsha.network

fsha-corosync-authkey:
  corosync_authkey.present:
    - name: /etc/corosync/authkey
    - key_pillar: fsha:corosync:authkey
    - source_file: {{ value(fsha.corosync.get("authkey_file")) }}
    - require:
      - sls: fsha.agents.check

fsha-corosync-config:
  corosync_config.managed:
    - name: /etc/corosync/corosync.conf
    {%- for key, setting in settings.items() %}
    - {{ key }}: {{ value(setting) }}
    {%- endfor %}
    - require:
      - corosync_authkey: fsha-corosync-authkey
      - sls: fsha.network.hosts
      - sls: fsha.network.interfaces
