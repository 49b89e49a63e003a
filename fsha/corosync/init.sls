include:
  - fsha.corosync.config
  - fsha.corosync.service
