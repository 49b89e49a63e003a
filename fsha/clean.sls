# The reverse. What the formula manages leaves the cluster, which stops it first and asks the guard;
# then this node leaves, too. FreeSWITCH goes on, without what the formula has put into its
# configuration. Packages stay as they are, and so do hosts, what others have put into the cluster,
# and the cluster's properties. Meant for all nodes at once.
{%- from "fsha/map.jinja" import fsha, value with context %}
{%- set freeswitch = fsha.freeswitch %}
include:
  - fsha.pillar
  - fsha.python

# Without stonith-enabled: false a cluster without fencing is no sound one, not even an empty one.
fsha-clean-properties:
  pacemaker_property.present:
    - name: cib-bootstrap-options
    - values: {{ value(fsha.pacemaker.properties) }}
    - transaction: fsha-clean
    - onlyif:
      - fun: service.status
        args: [pacemaker]
    - require:
      - fsha_pillar: fsha-pillar

fsha-clean-objects:
  pacemaker_cib.committed:
    - name: fsha-clean
    - complete: true
    - unmanaged: ignore
    - settle_timeout: {{ value(fsha.cluster.settle_timeout) }}
    - restore_points: {{ value(fsha.cluster.restore_points) }}
    - guard: {{ value(fsha.guard) }}
    - onlyif:
      - fun: service.status
        args: [pacemaker]
    - require:
      - pacemaker_property: fsha-clean-properties
{% for service in ("pacemaker", "corosync") %}
fsha-clean-{{ service }}:
  service.dead:
    - name: {{ service }}
    - enable: false
    - require:
      - pacemaker_cib: fsha-clean-objects
    - require_in:
      - file: fsha-clean-files
      - freeswitch_config: fsha-clean-freeswitch
{% endfor %}
{%- if fsha.recovery_store.mode == "pair" %}

# The switch has no other store, and calls that are up have their rows nowhere else to go.
fsha-clean-recovery-store-gone:
  recovery_store.absent:
    - require:
      - freeswitch_config: fsha-clean-freeswitch
{%- endif %}

# While there is a password to ask the switch with.
fsha-clean-freeswitch:
  freeswitch_config.absent:
    - require_in:
      - file: fsha-clean-files
{%- set files = [
  "/etc/corosync/corosync.conf",
  "/etc/corosync/authkey",
  "/etc/sysctl.d/90-fsha.conf",
  "/etc/fsha/fonebridge.conf",
  "/usr/lib/ocf/resource.d/fsha",
  "/usr/lib/fsha",
  "/etc/systemd/system/resource-agents-deps.target.d/fsha.conf",
] %}
{%- if freeswitch.get("init_script") %}
{%- do files.extend(["/etc/init.d/FSSofia", fsha.lookup.settings_dir ~ "/FSSofia"]) %}
{%- endif %}
{%- if freeswitch.get("password") %}
{%- do files.append(freeswitch.password_file) %}
{%- endif %}
fsha-clean-files:
  file.absent:
    - names: {{ value(files) }}
