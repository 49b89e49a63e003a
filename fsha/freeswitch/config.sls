# What a pair has to tell FreeSWITCH, where the pillar wants that; else what is left of it goes.
{%- from "fsha/freeswitch/map.jinja" import fsha, value, directory, installed with context %}
include:
  - fsha.pillar
  - fsha.verdict
  - fsha.recovery_store.config
  - fsha.freeswitch.cluster
  - fsha.freeswitch.install

fsha-switch-configuration:
  {%- if directory %}
  freeswitch_config.managed:
    - name: {{ value(directory) }}
  {%- else %}
  freeswitch_config.absent:
  {%- endif %}
    - require:
      - fsha_pillar: fsha-pillar
      {%- if fsha.freeswitch.get("password") %}
      # Without it the switch can't be asked, nor told to read what is new.
      - fsha_freeswitch: fsha-freeswitch-password
      {%- endif %}
      {%- if fsha.recovery_store.mode == "pair" %}
      - recovery_store: fsha-recovery-store
      {%- endif %}
      {%- for requisite in installed %}
      - {{ value(requisite) }}
      {%- endfor %}
