include:
  - fsha.agents.files
  - fsha.agents.check
