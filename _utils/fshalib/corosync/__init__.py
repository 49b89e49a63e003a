"""corosync.conf, and the state of the ring."""
