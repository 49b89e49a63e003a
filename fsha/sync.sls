# state.apply does not bring a formula's own modules: fetch them before anything uses them, in a
# test run too, for nothing but Salt's own cache changes.
{%- set synced = salt["saltutil.sync_all"](refresh=False, saltenv=saltenv) %}

fsha-sync:
  test.nop:
    - name: the formula's modules are in Salt's cache
    - force_reload_modules: {{ synced.values() | sum(start=[]) | length > 0 }}
    - order: 1
