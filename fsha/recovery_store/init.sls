# The rows from which calls are recovered, in a PostgreSQL on each node, replicated both ways.
include:
  - fsha.recovery_store.package
  - fsha.recovery_store.config
  - fsha.recovery_store.joined
