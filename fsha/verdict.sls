{%- from "fsha/corosync/map.jinja" import value, settings with context -%}
# The guard judges the whole change before a run touches what the change needs or breaks: a run that
# is refused ends here, and the host stays as it was. The commit judges again, for calls come and go.
# No state requires this one, so that a test run still shows all that would change.
include:
  - fsha.pillar
  - fsha.python

# A change that would take a restart of corosync is refused as well.
fsha-verdict-corosync:
  corosync_config.allowed:
    - name: /etc/corosync/corosync.conf
    {%- for key, setting in settings.items() %}
    - {{ key }}: {{ value(setting) }}
    {%- endfor %}
    - failhard: true
    - order: 4

fsha-verdict:
  pacemaker_cib.allowed:
    - name: fsha
    - failhard: true
    - order: 5
