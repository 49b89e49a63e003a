# PostgreSQL's programs. The server of the store is one of its own, so Debian's packages are kept from
# making another, which nobody asked for, where there is none yet.
{%- from "fsha/map.jinja" import fsha, value with context %}
include:
  - fsha.pillar
  - fsha.verdict

{%- if fsha.recovery_store.mode == "pair" %}

fsha-recovery-store-no-main-cluster:
  file.managed:
    - name: /etc/postgresql-common/createcluster.d/fsha.conf
    - contents: create_main_cluster = false
    - makedirs: true
    - mode: '0644'
    - onlyif:
      - fun: match.grain
        tgt: 'os_family:Debian'
    - unless:
      - fun: file.directory_exists
        path: /usr/lib/postgresql
    - require:
      - fsha_pillar: fsha-pillar

fsha-recovery-store-package:
  pkg.installed:
    - pkgs: {{ value(fsha.lookup.store_packages) }}
    - install_recommends: false
    - require:
      - fsha_pillar: fsha-pillar
      - file: fsha-recovery-store-no-main-cluster
{%- endif %}
