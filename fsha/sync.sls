# state.apply does not bring a formula's own modules: fetch them before anything uses them, in a
# test run too, for nothing but Salt's own cache changes. Then lxml, which Salt on Linux lacks.
# salt-ssh sends the modules by itself, but of _utils no folder: the library comes with the files of
# the run, and the first state puts it beside them. A sync would delete what salt-ssh has sent.
{%- set over_ssh = "__master_opts__" in opts %}
{%- set synced = {} if over_ssh else salt["saltutil.sync_all"](refresh=False, saltenv=saltenv) %}

include:
  - fsha.pillar

fsha-sync:
  test.nop:
    - name: the formula's modules are in Salt's cache
    {%- if over_ssh %}
    - library: >-
        __slot__:salt:cp.get_dir("salt://_utils/fshalib", "{{ opts["extension_modules"] }}/utils", saltenv="{{ saltenv }}")
    {%- endif %}
    - force_reload_modules: {{ over_ssh or synced.values() | sum(start=[]) | length > 0 }}
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
