# FreeSWITCH itself: the distribution's packages, SignalWire's, or a build that is there already.
{%- from "fsha/freeswitch/map.jinja" import fsha, value, install with context %}
include:
  - fsha.pillar
  - fsha.verdict

{%- if install.method == "repository" %}

fsha-switch-repository-key:
  file.managed:
    - name: /usr/share/keyrings/fsha-freeswitch.gpg
    - source: {{ value(install.key_url) }}
    {%- if install.get("key_hash") %}
    - source_hash: {{ value(install.key_hash) }}
    {%- else %}
    - skip_verify: true
    {%- endif %}
    - mode: '0644'
    - require:
      - fsha_pillar: fsha-pillar

fsha-switch-repository-token:
  fsha_freeswitch.repository_token:
    - name: /etc/apt/auth.conf.d/fsha-freeswitch.conf
    - url: {{ value(install.url) }}
    - require:
      - fsha_pillar: fsha-pillar

fsha-switch-repository:
  file.managed:
    - name: /etc/apt/sources.list.d/fsha-freeswitch.list
    - contents: {{ value("deb [signed-by=/usr/share/keyrings/fsha-freeswitch.gpg] " ~ install.url ~ " "
        ~ install.get("suite", grains["oscodename"]) ~ " " ~ install.components | join(" ")) }}
    - mode: '0644'
    - require:
      - file: fsha-switch-repository-key
      - fsha_freeswitch: fsha-switch-repository-token
{%- endif %}

{%- if install.method in ("package", "repository") %}

fsha-switch-packages:
  pkg.installed:
    - pkgs: {{ value(install.packages) }}
    - refresh: true
    - require:
      - fsha_pillar: fsha-pillar
      {%- if install.method == "repository" %}
      - file: fsha-switch-repository
      {%- endif %}
{%- endif %}

{%- if install.method == "prefix" %}

fsha-switch-programs:
  file.exists:
    - names: {{ value([install.prefix ~ "/bin/freeswitch", install.prefix ~ "/bin/fs_cli"]) }}
    - require:
      - fsha_pillar: fsha-pillar

fsha-switch-client:
  file.symlink:
    - name: {{ value(fsha.freeswitch.fs_cli) }}
    - target: {{ value(install.prefix ~ "/bin/fs_cli") }}
    - unless:
      - fun: file.file_exists
        path: {{ value(fsha.freeswitch.fs_cli) }}
    - require:
      - file: fsha-switch-programs

fsha-switch-unit:
  file.managed:
    - name: {{ value("/etc/systemd/system/" ~ fsha.freeswitch.service ~ ".service") }}
    - source: salt://fsha/files/freeswitch.service.jinja
    - template: jinja
    - context:
        prefix: {{ value(install.prefix) }}
    - mode: '0644'
    - require:
      - file: fsha-switch-client

fsha-switch-units-read:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: fsha-switch-unit
{%- endif %}
