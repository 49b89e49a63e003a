# Rows go both ways, once both nodes have their stores.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.recovery_store.config
  - fsha.pacemaker.cib

{%- if fsha.recovery_store.mode == "pair" %}

fsha-recovery-store-joined:
  recovery_store.joined:
    - require:
      - recovery_store: fsha-recovery-store
{%- endif %}
