# The formula's own resource agents, before the cluster is asked about any.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.pillar
  - fsha.package

fsha-ocf-fonebridge:
  file.managed:
    - name: /usr/lib/ocf/resource.d/fsha/fonebridge
    - source: salt://fsha/files/ocf/fonebridge
    - mode: '0755'
    - makedirs: true
    - require:
      - sls: fsha.package

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
      - sls: fsha.package
{%- endif %}
