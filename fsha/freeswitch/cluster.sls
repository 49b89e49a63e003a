# What the cluster needs on a node before it may run FreeSWITCH's profiles.
{%- from "fsha/map.jinja" import fsha, value with context %}
{%- set freeswitch = fsha.freeswitch %}
include:
  - fsha.pillar
  - fsha.verdict
  - fsha.agents.files

# At a shutdown the cluster takes the service away before the switch is told to end, which would say
# BYE to every call. Pacemaker starts after that target and stops before it.
fsha-freeswitch-outlives-cluster:
  file.managed:
    - name: /etc/systemd/system/resource-agents-deps.target.d/fsha.conf
    - contents: {{ value("[Unit]\nAfter=" ~ freeswitch.service ~ ".service") }}
    - mode: '0644'
    - makedirs: true
    - require:
      - fsha_pillar: fsha-pillar

fsha-freeswitch-units-read:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: fsha-freeswitch-outlives-cluster

{%- if freeswitch.get("password") %}

fsha-freeswitch-password:
  fsha_freeswitch.password:
    - name: {{ value(freeswitch.password_file) }}
    - require:
      - fsha_pillar: fsha-pillar
{%- endif %}

{%- if freeswitch.init_script %}

# The article's init script, for the agent lsb:FSSofia.
fsha-freeswitch-settings:
  fsha_freeswitch.settings:
    - name: {{ value(fsha.lookup.settings_dir ~ "/FSSofia") }}
    - source: salt://fsha/files/FSSofia.default.jinja
    - require:
      - fsha_pillar: fsha-pillar

fsha-freeswitch-init-script:
  file.managed:
    - name: /etc/init.d/FSSofia
    - source: salt://fsha/files/FSSofia
    - mode: '0755'
    - require:
      - fsha_freeswitch: fsha-freeswitch-settings
      - sls: fsha.agents.files
{%- endif %}
