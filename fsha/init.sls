# Two bare hosts become a voice pair: what happens, in order.
include:
  - fsha.sync
  - fsha.pillar
  - fsha.package
  - fsha.agents
  - fsha.network
  - fsha.corosync
  - fsha.switch
  - fsha.freeswitch
  - fsha.cluster
