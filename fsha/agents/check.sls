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

# As in fsha.pillar: a test run does not heed failhard, and would call all that follows failed.
{%- if opts.get("test") and "__master_opts__" not in opts
    and "fsha_pillar.agent_mistakes" in salt and salt["fsha_pillar.agent_mistakes"]() %}

exclude:
  # All that comes later. The old names of these include them.
  - sls: fsha.[!apsv]*
  - sls: fsha.pacemaker*
  - sls: fsha.switch
{%- endif %}
