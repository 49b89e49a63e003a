{%- from "fsha/corosync/map.jinja" import fsha, value, settings with context -%}
# The whole change is judged before a run touches what the change needs or breaks: a run that is
# refused ends here, and the host stays as it was. The commit judges again, for calls come and go.
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

# So is another key than the one in use.
fsha-verdict-authkey:
  corosync_authkey.allowed:
    - name: /etc/corosync/authkey
    - key_pillar: fsha:corosync:authkey
    - source_file: {{ value(fsha.corosync.get("authkey_file")) }}
    - failhard: true
    - order: 4

# The guard, and whether FreeSWITCH's configuration can be written.
fsha-verdict:
  pacemaker_cib.allowed:
    - name: fsha
    - failhard: true
    - order: 5
