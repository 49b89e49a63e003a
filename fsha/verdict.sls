# The guard judges the whole change before a run touches what the change needs or breaks: a run that
# is refused ends here, and the host stays as it was. The commit judges again, for calls come and go.
# No state requires this one, so that a test run still shows all that would change.
include:
  - fsha.pillar
  - fsha.python

fsha-verdict:
  pacemaker_cib.allowed:
    - name: fsha
    - failhard: true
    - order: 4
