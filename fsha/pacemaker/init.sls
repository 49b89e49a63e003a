include:
  - fsha.pacemaker.service
  - fsha.pacemaker.cib
