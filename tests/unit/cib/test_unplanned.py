"""A service that has moved by itself."""

from dataclasses import replace

import pytest
from lxml import etree

import fsha_run
import fsha_unplanned
from fsha_status import Failure, Status
from fsha_switch import Service
from tests.unit.cib.test_check import STATUS, node

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
    return fsha_unplanned.moved(before, "fs2", root, status, SERVICE)


def test_a_failure_and_the_start_that_answers_it():
    found = moved(cib(KILLED, STARTED), status=replace(STATUS, failures=(FAILED,)))
    assert (found.old, found.new, found.at, found.gap) == ("fs1", "fs2", 1001.8, 2.8)
    assert found.why == "fs monitor failed on fs1 (not running)"
    assert found.as_data()["phase"] == "unplanned"


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
        return fsha_run.Completed(tuple(argv), 0, out, "", 0.0)

    assert fsha_unplanned.kept(SERVICE, "fs2", 1001.8, run) == expected
    assert fsha_unplanned.kept(replace(SERVICE, sofia=()), "fs2", 1001.8, run) is None
