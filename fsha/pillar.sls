# Every mistake in the pillar is told here, before anything on the host is touched.
include:
  - fsha.sync

fsha-pillar:
  fsha_pillar.checked:
    - name: fsha
    - failhard: true
    - order: 2
    - require:
      - test: fsha-sync
