# Every node knows every node by name, with or without DNS.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.pillar
  - fsha.verdict

fsha-network-hosts:
  fsha_network.hosts:
    - name: /etc/hosts
    - nodes: {{ value(fsha.get("nodes", {})) }}
    - managed: {{ value(fsha.network.hosts) }}
    - require:
      - fsha_pillar: fsha-pillar
