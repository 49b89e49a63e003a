# state.apply does not bring a formula's own modules: fetch them before anything uses them, in a
# test run too, for nothing but Salt's own cache changes. Each sync asks the file server: only for
# what the formula has.
# salt-ssh sends the modules by itself, but of _utils no folder: the library comes with the files of
# the run, and the first state puts it beside them. A sync would delete what salt-ssh has sent.
{%- set over_ssh = "__master_opts__" in opts %}
{%- set synced = [] %}
{%- for kind in ([] if over_ssh else ["utils", "modules", "states"]) %}
{%- do synced.extend(salt["saltutil.sync_" ~ kind](refresh=False, saltenv=saltenv)) %}
{%- endfor %}

fsha-sync:
  test.nop:
    - name: the formula's modules are in Salt's cache
    {%- if over_ssh %}
    - library: >-
        __slot__:salt:cp.get_dir("salt://_utils/fshalib", "{{ opts["extension_modules"] }}/utils", saltenv="{{ saltenv }}")
    {%- endif %}
    - force_reload_modules: {{ over_ssh or synced | length > 0 }}
    - order: 1
