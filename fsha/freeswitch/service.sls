# FreeSWITCH runs, where the formula installs it.
{%- from "fsha/freeswitch/map.jinja" import fsha, value, directory, installed, unit with context %}
include:
  - fsha.pillar
  - fsha.verdict
  - fsha.freeswitch.install
  - fsha.freeswitch.config

{%- if installed %}

fsha-switch-running:
  service.{{ unit }}:
    - name: {{ value(fsha.freeswitch.service) }}
    {%- if unit == "running" %}
    - enable: true
    {%- endif %}
    - require:
      - fsha_pillar: fsha-pillar
      {%- for requisite in installed %}
      - {{ value(requisite) }}
      {%- endfor %}
      {%- if directory %}
      - freeswitch_config: fsha-switch-configuration
      {%- endif %}
{%- endif %}
