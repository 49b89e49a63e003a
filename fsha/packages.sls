# Corosync and Pacemaker, kept from starting a one-node cluster of their own as they arrive: both
# are masked until the next boot at the latest, and only while packages are really installed.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.pillar
  - fsha.python
{% for service in ("corosync", "pacemaker") %}
fsha-package-masked-{{ service }}:
  service.masked:
    - name: {{ service }}
    - runtime: true
    - prereq:
      - pkg: fsha-package-installed

fsha-package-unmasked-{{ service }}:
  service.unmasked:
    - name: {{ service }}
    - runtime: true
    - require:
      - pkg: fsha-package-installed
{% endfor %}
fsha-package-installed:
  pkg.installed:
    - pkgs: {{ value(fsha.lookup.packages) }}
    - install_recommends: false
    - require:
      - fsha_pillar: fsha-pillar
      - fsha_python: fsha-sync-lxml
