# This node's store: its server, tables and keeper. The peer is not needed for it.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.pillar
  - fsha.verdict
  - fsha.corosync.config
  - fsha.recovery_store.package

{%- if fsha.recovery_store.mode == "pair" %}

fsha-recovery-store:
  recovery_store.present:
    - require:
      - pkg: fsha-recovery-store-package
      - corosync_authkey: fsha-corosync-authkey
{%- endif %}
