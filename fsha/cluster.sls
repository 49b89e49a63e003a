# The old name of fsha.pacemaker, until version 0.2.
include:
  - fsha.pacemaker
