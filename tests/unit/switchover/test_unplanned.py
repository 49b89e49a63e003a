"""A service that has moved by itself."""

from dataclasses import replace

import pytest
from lxml import etree

from fshalib.pacemaker.status import Failure, Status
from fshalib.switchover import lock, unplanned
from fshalib.switchover.service import Service
from fshalib.system import programs
from tests.unit.checks.test_checklist import STATUS, node

SERVICE = Service("voice", ("vip", "fs"), ("192.0.2.9",), sofia=("fs",), keeps=True)
FAILED = Failure("fs", "monitor", "fs1", "not running", "", "")


def op(id, resource, operation, at, rc="0", took="0"):
    return (
        f'<lrm_resource id="{resource}"><lrm_rsc_op id="{id}" operation="{operation}" '
        f'rc-code="{rc}" last-rc-change="{at}" exec-time="{took}"/></lrm_resource>'
    )


def cib(fs1="", fs2=""):
    states = "".join(
        f'<node_state uname="{name}"><lrm><lrm_resources>{ops}</lrm_resources></lrm></node_state>'
        for name, ops in (("fs1", fs1), ("fs2", fs2))
    )
    return etree.fromstring(f"<cib><status>{states}</status></cib>")


STARTED = op("vip_last_0", "vip", "start", 1000, took="60") + op(
    "fs_last_0", "fs", "start", 1001, took="800"
)
KILLED = op("fs_last_failure_0", "fs", "monitor", 999, rc="7")


def moved(root, before="fs1", status=STATUS):
    return unplanned.moved(before, "fs2", root, status, SERVICE)


def test_a_failure_and_the_start_that_answers_it():
    found = moved(cib(KILLED, STARTED), status=replace(STATUS, failures=(FAILED,)))
    assert (found.old, found.new, found.at, found.gap) == ("fs1", "fs2", 1001.8, 2.8)
    assert found.why == "fs monitor failed on fs1 (not running)"
    assert found.as_data()["phase"] == "unplanned"


def history(resource, *ops):
    """Return what a node remembers of a resource: id, operation, time, exit code, number."""
    inner = "".join(
        f'<lrm_rsc_op id="{resource}_{id}" operation="{operation}" rc-code="{rc}" '
        f'interval="{5000 if operation == "monitor" else 0}" last-rc-change="{at}" '
        f'call-id="{call}"/>'
        for id, operation, at, rc, call in ops
    )
    return f'<lrm_resource id="{resource}">{inner}</lrm_resource>'


VIP_FAILED = ("last_failure_0", "monitor", 800, 7, 10)
FS_FAILED = ("last_failure_0", "monitor", 990, 7, 20)


@pytest.mark.parametrize(
    ("vip", "gap"),
    [
        # The address was back on its node by itself: what was to blame came later.
        ([VIP_FAILED, ("monitor_5000", "monitor", 803, 0, 12), ("last_0", "stop", 995, 0, 30)], 12),
        ([VIP_FAILED, ("last_0", "start", 802, 0, 11)], 12),
        # It was not back: the rest is what that has led to.
        ([("monitor_5000", "monitor", 700, 0, 9), VIP_FAILED, ("last_0", "stop", 995, 0, 30)], 202),
        ([VIP_FAILED, ("last_0", "start", 802, 1, 11)], 202),
    ],
)
def test_of_several_failures_that_counts_which_led_to_the_move(vip, gap):
    found = moved(cib(history("vip", *vip) + history("fs", FS_FAILED), STARTED))
    assert round(found.gap) == gap


def test_when_all_were_healed_the_last_one_counts():
    fs = history("fs", FS_FAILED, ("monitor_5000", "monitor", 995, 0, 25))
    vip = history("vip", VIP_FAILED, ("monitor_5000", "monitor", 803, 0, 12))
    assert round(moved(cib(vip + fs, STARTED)).gap) == 12


@pytest.mark.parametrize(
    ("fs1", "fs2"),
    [
        ("", STARTED),  # its history has gone with the node
        (op("fs_last_failure_0", "fs", "monitor", 500, rc="7"), STARTED),  # an old story
        (op("fs_last_failure_0", "fs", "monitor", 1500, rc="7"), STARTED),  # it came later
        (op("x_last_failure_0", "x", "monitor", 999, rc="7"), STARTED),  # another resource
        (KILLED, op("fs_last_0", "fs", "start", 1001, rc="1")),  # no start that succeeded
        (KILLED, op("fs_last_0", "fs", "monitor", 1001)),  # a cleanup has taken the history
    ],
)
def test_how_long_is_not_always_known(fs1, fs2):
    assert moved(cib(fs1, fs2)).gap is None


def probe(at, rc):
    text = op("vip_last_failure_0", "vip", "monitor", at, rc=rc)
    return text.replace("<lrm_rsc_op", '<lrm_rsc_op interval="0"')


@pytest.mark.parametrize("rc", ["0", "7", "8", "5"])
def test_a_probe_that_had_its_answer_is_no_failure(rc):
    # The cluster keeps what it did not expect as a failure, minutes before the real one.
    assert moved(cib(probe(850, rc) + KILLED, STARTED)).gap == 2.8
    assert moved(cib(probe(850, rc), STARTED)).gap is None


def test_a_probe_that_failed_is_a_failure():
    assert moved(cib(probe(990, "1"), STARTED)).gap == 11.8


def test_an_operation_that_succeeded_is_no_reason():
    fine = replace(FAILED, resource="vip", exitstatus="ok")
    found = moved(cib(KILLED, STARTED), status=replace(STATUS, failures=(fine, FAILED)))
    assert found.why == "fs monitor failed on fs1 (not running)"


@pytest.mark.parametrize("before", ["", "fs2"])
def test_nothing_has_moved(before):
    assert moved(cib(KILLED, STARTED), before) is None


def test_why_without_a_failure():
    assert "no failure of fs1 is on record" in moved(cib()).why
    lost = replace(STATUS, nodes=(node("fs1", online=False), node("fs2")))
    assert moved(cib(), status=lost).why == "fs1 was lost"
    assert moved(cib(), status=Status("", False)).why == "fs1 was lost"
    aside = replace(STATUS, nodes=(node("fs1", standby=True), node("fs2")))
    assert moved(cib(), status=aside).why == "fs1 was put into standby"


@pytest.mark.parametrize(
    ("value", "expected"), [("12@1002", 12), ("12@5000", None), ("", None), ("x@1002", None)]
)
def test_calls_that_the_agent_took_over(value, expected):
    def run(argv, **_):
        text = f'<attribute name="a" host="fs2" value="{value}"/>' if value else ""
        out = f"<pacemaker-result>{text}</pacemaker-result>"
        return programs.Completed(tuple(argv), 0, out, "", 0.0)

    assert unplanned.kept(SERVICE, "fs2", 1001.8, run) == expected
    assert unplanned.kept(replace(SERVICE, sofia=()), "fs2", 1001.8, run) is None


# --- from one look to the next ---------------------------------------------------------------


@pytest.fixture
def world(tools):
    """What the nodes remember, who is at it, and what the agents say: nothing yet."""
    tools.say("attrd_updater", out="<pacemaker-result/>")
    return tools


def attribute(name, **values):
    told = "".join(
        f"<attribute name='{name}' host='{host}' value='{value}'/>"
        for host, value in values.items()
    )
    return f"<pacemaker-result>{told}</pacemaker-result>"


def remembers(world, node):
    name = unplanned.ATTRIBUTE
    return world.say("attrd_updater", "--name", name, "--query", out=attribute(name, fs1=node))


def remembered(world):
    updates = [argv for argv, *_ in world.calls if "--update" in argv]
    return [argv[argv.index("--update") + 1] for argv in updates]


def goes_on(world, new, beat, phase):
    what = lock.RunningVerb("x", "bob", "fs2", "VoiceServices", "fs2", new, 1.0, beat, phase)
    name = lock.ATTRIBUTE
    world.say("attrd_updater", "--name", name, "--query", out=attribute(name, fs2=what.text))


def look(status, pair, world):
    return unplanned.notice(status, pair, "fs1", 1000.0, world)


def test_the_first_look_remembers(status, pair, world):
    assert look(status, pair, world) is None
    assert remembered(world) == ["fs1"]


def test_what_is_where_it_was(status, pair, world):
    assert look(status, pair, remembers(world, "fs1")) is None
    assert remembered(world) == []


def test_what_has_moved_is_told_once(status, pair, world):
    move = look(status, pair, remembers(world, "fs2"))
    assert (move.service, move.old, move.new, move.kept) == ("VoiceServices", "fs2", "fs1", None)
    assert move.as_data()["calls"] is None
    assert replace(move, kept=3).as_data()["calls"]["kept"] == 3
    assert remembered(world) == ["fs1"]


@pytest.mark.parametrize(
    ("new", "beat", "phase", "noticed"),
    [
        ("fs1", 999.0, "check", False),  # a switchover goes on
        ("fs1", 500.0, "move", False),  # one was interrupted: fsha.status tells of it
        ("fs1", 500.0, "drain", True),  # that one had moved nothing
        ("fs2", 500.0, "move", True),  # and that one went the other way
        ("", 999.0, "drain", False),  # a drain goes on
        ("", 500.0, "drain", True),  # one was interrupted long ago
    ],
)
def test_a_switchover_tells_by_itself(status, pair, world, new, beat, phase, noticed):
    goes_on(world, new, beat, phase)
    assert bool(look(status, pair, remembers(world, "fs2"))) is noticed


def test_nothing_serves_or_is_there_to_serve(status, pair, world):
    stopped = tuple(replace(r, nodes=(), role="Stopped") for r in status.resources)
    assert look(replace(status, resources=stopped), pair, remembers(world, "fs2")) is None
    empty = etree.fromstring("<cib><configuration><resources/></configuration></cib>")
    assert look(status, empty, world) is None
    assert remembered(world) == []
