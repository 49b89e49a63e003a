"""A cluster that somebody else built, judged by the verbs: what they say can be followed."""

import pytest
from salt.exceptions import SaltInvocationError


def test_the_lint_gives_the_commands_that_the_plan_gives(loaders, cib_file):
    cib_file.by_hand("crm_attribute", "-N", "fs2", "-n", "standby", "-v", "on", "-t", "nodes")
    cib_file.by_hand("crm_resource", "--ban", "-r", "VoiceServices", "--node", "fs2")
    pillar = loaders.modules.fsha.export(as_data=True)["pillar"]
    actions = "\n".join(loaders.modules.fsha.plan(pillar=pillar)["actions"])
    found = {a["code"]: a for a in loaders.modules.fsha.lint(cib="live", as_data=True)}
    mends = [found[code]["mend"] for code in ("held-by-pillar", "left-behind")]
    hints = [mend.removesuffix(", when the reason is gone") for mend in mends]
    assert all(hint in actions for hint in hints), actions
    page = loaders.modules.fsha.lint(cib="live")
    assert all(hint in page for hint in hints)
    assert "fsha:pacemaker:nodes:fs2:attributes:standby" not in page
    for hint in hints:
        cib_file.by_hand("sh", "-c", hint)
    left = {a["code"] for a in loaders.modules.fsha.lint(cib="live", as_data=True)}
    assert not {"held-by-pillar", "left-behind"} & left


def test_a_corosync_conf_that_cant_be_read_is_one_sentence(loaders, cib_file, tmp_path):
    missing = str(tmp_path / "none")
    for verb, more in (("lint", {"cib": "live"}), ("export", {})):
        with pytest.raises(SaltInvocationError, match="can't be read: No such file"):
            getattr(loaders.modules.fsha, verb)(corosync_conf=missing, **more)
    with pytest.raises(SaltInvocationError, match="only together with cib"):
        loaders.modules.fsha.lint({"fsha": {}}, corosync_conf=missing)
