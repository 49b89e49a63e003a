# Static stanzas for this node's interfaces (opt-in); a live interface is never bounced.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.pillar
  - fsha.verdict

fsha-network-interfaces:
  fsha_network.interfaces:
    - name: {{ value(grains["nodename"]) }}
    - nodes: {{ value(fsha.get("nodes", {})) }}
    - managed: {{ value(fsha.network.interfaces) }}
    - require:
      - fsha_pillar: fsha-pillar
