# Lets the switch bind the floating address on the node that does not hold it. In a whole run it is
# forbidden only after the commit: until then the standby's profiles may be bound to it.
{%- from "fsha/map.jinja" import fsha with context %}
include:
  - fsha.pillar
  - fsha.verdict
{% for name in ("net.ipv4.ip_nonlocal_bind", "net.ipv6.ip_nonlocal_bind") %}
fsha-network-sysctl-{{ name }}:
  sysctl.present:
    - name: {{ name }}
    - value: {{ 1 if fsha.network.nonlocal_bind else 0 }}
    - config: /etc/sysctl.d/90-fsha.conf
    - require:
      - fsha_pillar: fsha-pillar
{% endfor %}
