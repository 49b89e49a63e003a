# The reverse. What the formula manages leaves the cluster, which stops it first and asks the guard;
# then this node leaves, too. FreeSWITCH goes on, without what the formula has put into its
# configuration; so its unit stays, and the repository that it came from. Packages stay as they are,
# and so do hosts, what others have put into the cluster, the cluster's properties, and the restore
# points. Meant for all nodes at once.
{%- from "fsha/freeswitch/map.jinja" import fsha, value, installed, override with context %}
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

# Also the store of a time when the pillar had mode: pair. Rows of calls that are up go with it.
fsha-clean-recovery-store-gone:
  recovery_store.absent:
    - require:
      - freeswitch_config: fsha-clean-freeswitch

# While there is a password to ask the switch with.
fsha-clean-freeswitch:
  freeswitch_config.absent:
    - require_in:
      - file: fsha-clean-files
{%- if installed %}

# Who has let the cluster run it has switched it off at boot.
fsha-clean-switch-running:
  service.running:
    - name: {{ value(freeswitch.service) }}
    - enable: true
    - require:
      - freeswitch_config: fsha-clean-freeswitch
{%- endif %}

# The kernel keeps what the file that goes has set.
{%- for name in ("net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind") %}

fsha-clean-sysctl-{{ name }}:
  sysctl.present:
    - name: {{ name }}
    - value: 0
    - config: /etc/sysctl.d/90-fsha.conf
    - onlyif:
      - fun: file.file_exists
        path: /etc/sysctl.d/90-fsha.conf
    - require:
      - freeswitch_config: fsha-clean-freeswitch
    - require_in:
      - file: fsha-clean-files
{%- endfor %}
{%- set files = [
  "/etc/corosync/corosync.conf",
  "/etc/corosync/authkey",
  "/etc/sysctl.d/90-fsha.conf",
  "/etc/fsha/fonebridge.conf",
  "/usr/lib/ocf/resource.d/fsha",
  "/usr/lib/fsha",
  "/etc/systemd/system/resource-agents-deps.target.d/fsha.conf",
  "/run/fsha/FSSofia",
  "/run/fsha/FSSwitch",
  "/run/FSSofia",
] %}
{%- set init_script = ["/etc/init.d/FSSofia", fsha.lookup.settings_dir ~ "/FSSofia"] %}
{%- if freeswitch.get("init_script") %}
{%- do files.extend(init_script) %}
{%- endif %}
{%- if freeswitch.get("password") %}
{%- do files.append(freeswitch.password_file) %}
{%- endif %}

fsha-clean-files:
  file.absent:
    - names: {{ value(files) }}

fsha-clean-units-read:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: fsha-clean-files
{%- if not freeswitch.get("init_script") %}

# From a time when the pillar had init_script: true; the article's own script stays.
{%- for path in init_script %}

fsha-clean-{{ path }}:
  file.absent:
    - name: {{ value(path) }}
    - onlyif:
      - fun: file.contains
        path: {{ value(path) }}
        text: {{ value("/usr/lib/fsha/fssofia.sh" if loop.first else "Read by /etc/init.d/FSSofia.") }}
{%- endfor %}
{%- endif %}

# A switch that the cluster has handed over is systemd's alone.
fsha-clean-switch:
  file.absent:
    - name: {{ value(override) }}
    - require:
      - file: fsha-clean-files

fsha-clean-switch-read:
  module.run:
    - service.systemctl_reload: []
    - onchanges:
      - file: fsha-clean-switch
