# The old name of fsha.agents.files, until version 0.2.
include:
  - fsha.agents.files
