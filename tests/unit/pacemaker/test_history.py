"""What ran on a node at the end of its history."""

import pytest
from lxml import etree

from fshalib.pacemaker import history

CIB = """<cib><status><node_state uname="fs1" expected="{expected}"><lrm><lrm_resources>
<lrm_resource id="vip">{ops}</lrm_resource></lrm_resources></lrm></node_state>
<node_state uname="fs2"/></status></cib>"""


def op(operation, call, rc="0", id="vip_last_0"):
    return f'<lrm_rsc_op id="{id}" operation="{operation}" call-id="{call}" rc-code="{rc}"/>'


def cib(*ops, expected="down"):
    return etree.fromstring(CIB.format(expected=expected, ops="".join(ops)))


@pytest.mark.parametrize(
    ("ops", "runs"),
    [
        ([op("start", 5), op("monitor", 6, id="vip_monitor_5000")], True),
        ([op("monitor", 3)], True),  # a probe that has found it
        ([op("monitor", 3, rc="7")], False),
        ([op("promote", 9, rc="0")], True),
        ([op("stop", 9)], False),
        ([op("start", 5, rc="1")], False),
        ([op("start", 5), op("monitor", 9, rc="7", id="vip_last_failure_0")], True),
        ([op("start", "")], True),
        ([], False),
    ],
)
def test_running(ops, runs):
    assert history.running(cib(*ops), "fs1") == (("vip",) if runs else ())
    assert history.running(cib(*ops), "fs2") == ()


@pytest.mark.parametrize(("expected", "lost"), [("member", True), ("down", False)])
def test_a_node_that_was_lost(expected, lost):
    assert history.was_lost(cib(expected=expected), "fs1") is lost
    assert history.was_lost(cib(expected=expected), "fs2") is False
