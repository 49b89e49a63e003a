"""What crm_verify says of a target: an error that the live CIB has as well is no reason."""

import pytest

from fshalib.change import plan as change_plan
from fshalib.change.verification import DamagedValue, OldSchema, check_values, verified
from fshalib.cib.target import DesiredObjects, target
from fshalib.pacemaker import tools
from fshalib.system import programs
from tests.unit.build import cib, dummy, primitive

OLD = "(unpack_resources) \terror: Resource start-up disabled since no STONITH resources"
NEW = "(is_op_dup) \terror: Operation o2 is duplicate of o"
LINE = "Entity: line {}: element tags: Relax-NG validity error : Element x has extra content: tags"


def judge(live, wanted):
    """Return a crm_verify that says one thing of the live CIB and another of the target."""

    def run(argv, stdin=None, **_rest):
        said = wanted if 'id="b"' in stdin else live
        return programs.Completed(tuple(argv), 78 if said else 0, "", said, 0.0)

    return run


def changed(schema="pacemaker-3.9"):
    root = cib(dummy("a"), schema=schema)
    return target(root, DesiredObjects((primitive("b"),)))


@pytest.mark.parametrize(
    ("live", "wanted"), [(OLD, OLD), (LINE.format(3), LINE.format(12)), (f"{OLD}\n{NEW}", OLD)]
)
def test_what_was_wrong_before_does_not_refuse(live, wanted):
    said = verified(changed(), judge(live, wanted))
    assert len(said.before) == 1
    assert said.before[0] in wanted
    assert said.warnings == ()


@pytest.mark.parametrize("live", ["", OLD])
def test_what_is_new_refuses_and_is_said_alone(live):
    with pytest.raises(tools.InvalidCib) as caught:
        verified(changed(), judge(live, f"{live}\n{NEW}"))
    assert caught.value.errors == ("error: Operation o2 is duplicate of o",)


def test_an_old_schema_is_named_with_the_command_that_renews_it():
    with pytest.raises(OldSchema) as caught:
        verified(changed("pacemaker-1.2"), judge("", LINE.format(3)))
    assert "pacemaker-1.2" in str(caught.value)
    assert "cibadmin --upgrade --force" in str(caught.value)


def test_a_plan_says_that_it_was_so_before():
    plan = change_plan.Plan(
        changed(), change_plan.NO_TRANSITION, change_plan.NOTHING_AT_STAKE, before=("error: x",)
    )
    sentence = "crm_verify refused the CIB before this change, too: error: x"
    assert change_plan.as_data(plan)["warnings"] == [sentence]
    assert sentence in change_plan.summary(plan).splitlines()


# --- values that an old Pacemaker damages -----------------------------------------------------

UMLAUT = "Büro & Zentrale"


def asked(version):
    def run(argv, **_rest):
        return programs.Completed(tuple(argv), 0, f"Pacemaker {version}\nWritten by", "", 0.0)

    return run


def described(live, wanted):
    root = cib(dummy("a"))
    if live:
        root.find(".//primitive").set("description", live)
    return target(root, DesiredObjects((primitive("a", description=wanted),)))


def test_a_value_that_would_be_damaged_is_refused_in_one_sentence():
    with pytest.raises(DamagedValue) as caught:
        check_values(described("", UMLAUT), asked("2.1.5"))
    assert str(caught.value) == (
        "a: description: a value without & behind a letter that is not ASCII is expected: "
        "Pacemaker 2.1.5 damages that (2.1.8 no longer does), and each run would write it again."
    )


@pytest.mark.parametrize(
    ("live", "wanted", "version"),
    [("", UMLAUT, "2.1.8"), (UMLAUT, UMLAUT, "2.1.5"), ("", "Büro", "2.1.5")],
    ids=["new Pacemaker", "as it was", "no danger"],
)
def test_what_stays_as_it_is_is_taken(live, wanted, version):
    check_values(described(live, wanted), asked(version))
