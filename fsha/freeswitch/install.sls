# FreeSWITCH itself, as far as the pillar wants it: how it gets here, and what a pair has to tell it.
{%- from "fsha/map.jinja" import fsha, value with context %}
{%- set freeswitch = fsha.freeswitch %}
{%- set install = freeswitch.get("install") or {} %}
{%- set packages = install.get("packages", ["freeswitch-meta-all"]) %}
{%- set prefix = install.get("prefix", "/usr/local/freeswitch") %}
{%- set base = "https://freeswitch.signalwire.com/repo/deb/debian-release/" %}
{%- set agents = fsha.pacemaker.resources.values() | selectattr("agent", "defined") | map(attribute="agent") | list %}
{#- A switch that the cluster runs, as a clone, is nobody else's to start. #}
{%- set by_cluster = ("systemd:" ~ freeswitch.service) in agents %}
{%- set kept = "ocf:fsha:FSSwitch" in agents %}
include:
  - fsha.pillar
  - fsha.freeswitch

{%- if install.get("method") == "repository" %}

fsha-switch-repository-key:
  file.managed:
    - name: /usr/share/keyrings/fsha-freeswitch.gpg
    - source: {{ value(install.get("key_url", base ~ "signalwire-freeswitch-repo.gpg")) }}
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
    - url: {{ value(install.get("url", base)) }}
    - require:
      - fsha_pillar: fsha-pillar

fsha-switch-repository:
  file.managed:
    - name: /etc/apt/sources.list.d/fsha-freeswitch.list
    - contents: {{ value("deb [signed-by=/usr/share/keyrings/fsha-freeswitch.gpg] "
        ~ install.get("url", base) ~ " " ~ install.get("suite", grains["oscodename"]) ~ " "
        ~ install.get("components", ["main"]) | join(" ")) }}
    - mode: '0644'
    - require:
      - file: fsha-switch-repository-key
      - fsha_freeswitch: fsha-switch-repository-token
{%- endif %}

{%- if install.get("method") in ("package", "repository") %}

fsha-switch-packages:
  pkg.installed:
    - pkgs: {{ value(packages) }}
    - refresh: true
    - require:
      - fsha_pillar: fsha-pillar
      {%- if install.method == "repository" %}
      - file: fsha-switch-repository
      {%- endif %}
{%- endif %}

{%- if install.get("method") == "prefix" %}

fsha-switch-programs:
  file.exists:
    - names: {{ value([prefix ~ "/bin/freeswitch", prefix ~ "/bin/fs_cli"]) }}
    - require:
      - fsha_pillar: fsha-pillar

fsha-switch-client:
  file.symlink:
    - name: {{ value(freeswitch.fs_cli) }}
    - target: {{ value(prefix ~ "/bin/fs_cli") }}
    - unless:
      - fun: file.file_exists
        path: {{ value(freeswitch.fs_cli) }}
    - require:
      - file: fsha-switch-programs

fsha-switch-unit:
  file.managed:
    - name: {{ value("/etc/systemd/system/" ~ freeswitch.service ~ ".service") }}
    - source: salt://fsha/files/freeswitch.service.jinja
    - template: jinja
    - context:
        prefix: {{ value(prefix) }}
    - mode: '0644'
    - require:
      - file: fsha-switch-client

fsha-switch-units-read:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: fsha-switch-unit
{%- endif %}

{%- if freeswitch.get("configuration") %}

fsha-switch-configuration:
  freeswitch_config.managed:
    - name: {{ value(freeswitch.configuration.get("directory", "/etc/freeswitch")) }}
    - require:
      - fsha_pillar: fsha-pillar
      {%- if freeswitch.get("password") %}
      # Without it the switch can't be asked, nor told to read what is new.
      - fsha_freeswitch: fsha-freeswitch-password
      {%- endif %}
      {%- if install.get("method") in ("package", "repository") %}
      - pkg: fsha-switch-packages
      {%- elif install.get("method") == "prefix" %}
      - file: fsha-switch-unit
      {%- endif %}
{%- endif %}

{%- if install.get("method", "none") != "none" %}

fsha-switch-running:
  service.{{ "disabled" if by_cluster else "enabled" if kept else "running" }}:
    - name: {{ value(freeswitch.service) }}
    {%- if not (by_cluster or kept) %}
    - enable: true
    {%- endif %}
    - require:
      - fsha_pillar: fsha-pillar
      {%- if install.method == "prefix" %}
      - file: fsha-switch-unit
      {%- else %}
      - pkg: fsha-switch-packages
      {%- endif %}
      {%- if freeswitch.get("configuration") %}
      - freeswitch_config: fsha-switch-configuration
      {%- endif %}
{%- endif %}
