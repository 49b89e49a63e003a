# The formula's own resource agents, before the cluster is asked about any.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.pillar
  - fsha.verdict
  - fsha.packages

{%- for path, source, mode in (
  ("/usr/lib/fsha/fssofia.sh", "fssofia.sh", "0644"),
  ("/usr/lib/fsha/fsha-probe", "fsha-probe", "0755"),
  ("/usr/lib/ocf/resource.d/fsha/FSSofia", "ocf/FSSofia", "0755"),
  ("/usr/lib/ocf/resource.d/fsha/FSSwitch", "ocf/FSSwitch", "0755"),
  ("/usr/lib/ocf/resource.d/fsha/fonebridge", "ocf/fonebridge", "0755"),
) %}

fsha-ocf-{{ source }}:
  file.managed:
    - name: {{ path }}
    - source: salt://fsha/files/{{ source }}
    - mode: '{{ mode }}'
    - makedirs: true
    - require:
      - sls: fsha.packages
{%- endfor %}

{%- if fsha.get("fonebridge") %}

fsha-ocf-fonebridge-settings:
  file.managed:
    - name: /etc/fsha/fonebridge.conf
    - source: salt://fsha/files/fonebridge.conf.jinja
    - template: jinja
    - context:
        bridge: {{ value(fsha.fonebridge) }}
    - mode: '0644'
    - makedirs: true
    - require:
      - sls: fsha.packages
{%- endif %}
