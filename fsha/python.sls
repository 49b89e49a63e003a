# lxml, which Salt on Linux lacks, into Salt's own Python.
include:
  - fsha.sync
  - fsha.pillar

fsha-sync-lxml:
  fsha_python.lxml:
    - name: lxml
    - reload_modules: true
    - failhard: true
    - order: 3
    - require:
      - test: fsha-sync
      - fsha_pillar: fsha-pillar
