# Two bare hosts become a voice pair: what happens, in order.
include:
  - fsha.sync
  - fsha.pillar
  - fsha.python
  - fsha.verdict
  - fsha.packages
  - fsha.agents
  - fsha.network
  - fsha.corosync
  - fsha.recovery_store
  - fsha.freeswitch
  - fsha.pacemaker
