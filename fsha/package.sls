# The old name of fsha.packages, until version 0.2.
include:
  - fsha.packages
