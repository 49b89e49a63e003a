include:
  - fsha.network.hosts
  - fsha.network.interfaces
  - fsha.network.sysctl
