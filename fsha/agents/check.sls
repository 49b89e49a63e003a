# Every agent is asked about its parameters as soon as the packages and the formula's own agents are
# there, before anything else on the host is touched.
include:
  - fsha.pillar
  - fsha.agents.files

fsha-agents-known:
  fsha_pillar.agents_known:
    - name: fsha
    - failhard: true
    - require:
      - sls: fsha.agents.files
