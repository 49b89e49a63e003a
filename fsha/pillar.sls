# Every mistake in the pillar is told here, before anything on the host is touched.
include:
  - fsha.sync

fsha-pillar:
  fsha_pillar.checked:
    - name: fsha
    - failhard: true
    - order: 2
    - require:
      - test: fsha-sync

# With a mistake in it nothing else is left of the run. failhard alone does not do that in a test
# run, which would call every further state failed. Over salt-ssh the pillar is not asked for here.
{%- if "__master_opts__" not in opts and "fsha_pillar.mistakes" in salt
    and salt["fsha_pillar.mistakes"]() %}

exclude:
  # All but fsha.sync and fsha.pillar.
  - sls: fsha
  - sls: fsha.[!ps]*
  - sls: fsha.p[!i]*
  - sls: fsha.s[!y]*
{%- endif %}
