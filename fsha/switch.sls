# The old name of fsha.freeswitch, until version 0.2.
include:
  - fsha.freeswitch
