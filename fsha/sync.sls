# state.apply does not bring a formula's own modules: fetch them before anything uses them, in a
# test run too, for nothing but Salt's own cache changes. Then lxml, which Salt on Linux lacks.
{%- set synced = salt["saltutil.sync_all"](refresh=False, saltenv=saltenv) %}

include:
  - fsha.pillar

fsha-sync:
  test.nop:
    - name: the formula's modules are in Salt's cache
    - force_reload_modules: {{ synced.values() | sum(start=[]) | length > 0 }}
    - order: 1

fsha-sync-lxml:
  fsha_python.lxml:
    - name: lxml
    - reload_modules: true
    - failhard: true
    - order: 3
    - require:
      - test: fsha-sync
      - fsha_pillar: fsha-pillar
