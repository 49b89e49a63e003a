# Corosync and Pacemaker, kept from starting a one-node cluster of their own at installation.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.pillar

fsha-package-installed:
  pkg.installed:
    - pkgs: {{ value(fsha.lookup.packages) }}
    - require:
      - fsha_pillar: fsha-pillar
