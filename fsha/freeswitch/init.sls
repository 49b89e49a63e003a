include:
  - fsha.freeswitch.cluster
  - fsha.freeswitch.install
  - fsha.freeswitch.config
  - fsha.freeswitch.service
