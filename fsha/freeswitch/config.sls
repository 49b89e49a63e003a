# What a pair has to tell FreeSWITCH, where the pillar wants that.
{%- from "fsha/freeswitch/map.jinja" import fsha, value, directory, installed with context %}
include:
  - fsha.pillar
  - fsha.freeswitch.cluster
  - fsha.freeswitch.install

{%- if directory %}

fsha-switch-configuration:
  freeswitch_config.managed:
    - name: {{ value(directory) }}
    - require:
      - fsha_pillar: fsha-pillar
      {%- if fsha.freeswitch.get("password") %}
      # Without it the switch can't be asked, nor told to read what is new.
      - fsha_freeswitch: fsha-freeswitch-password
      {%- endif %}
      {%- for requisite in installed %}
      - {{ value(requisite) }}
      {%- endfor %}
{%- endif %}
