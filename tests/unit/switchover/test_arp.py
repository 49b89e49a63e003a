"""Who answers for an address, and what a person sees meanwhile."""

import io
import json

import pytest

from fshalib.report import progress as report_progress
from fshalib.switchover import arp as switchover_arp
from fshalib.system import programs

VIP = "192.0.2.9"
MAC = "02:00:00:00:00:02"


def tools(local="", route="eth0", arp=(1, ""), gateway="", flags=("UP", "LOWER_UP")):
    """Return a runner: the interface that has the address, the one to reach it by, who answers."""

    def run(argv, **_):
        code, out = 0, ""
        if argv[:3] == ["ip", "-json", "address"]:
            # iproute2 prints empty objects for links that have nothing to show.
            out = json.dumps([{}, {"ifname": local}] if local else [{}])
        elif argv[:3] == ["ip", "-json", "link"]:
            assert argv[3:] == ["show", "dev", local or route]
            out = json.dumps([{}, {"flags": flags}] if flags else [])
        elif argv[:3] == ["ip", "-json", "route"]:
            found = {"dst": VIP, "dev": route}
            out = json.dumps([{**found, "gateway": gateway} if gateway else found] if route else [])
            code = 0 if route else 2
        elif argv[0] == switchover_arp.PROBE:
            if arp is None:
                raise programs.ToolMissing(argv[0])
            assert argv[1:4] == ["arp", VIP, local or route]
            code, out = arp
        return programs.Completed(tuple(argv), code, out, "", 0.0)

    return run


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ({}, ""),
        ({"arp": (0, f"{MAC}\n")}, MAC),
        ({"local": "eth1", "arp": (0, f"{MAC}\n")}, MAC),
        ({"arp": (3, "")}, None),
        ({"arp": None}, None),
        ({"route": ""}, None),
        ({"gateway": "192.0.2.1"}, None),
    ],
)
def test_holder(told, expected):
    assert switchover_arp.holder(VIP, tools(**told)) == expected


def test_ipv6_cannot_be_asked():
    assert switchover_arp.holder("2001:db8::1", tools()) is None


UNPLUGGED = ("NO-CARRIER", "UP")


@pytest.mark.parametrize(
    ("told", "here", "kind", "text"),
    [
        ({"local": "eth0", "arp": (0, MAC)}, True, "second", f"another host ({MAC}) answers"),
        ({"local": "eth0", "flags": UNPLUGGED}, True, "silent", "eth0 of this node has no link"),
        ({}, True, "missing", "is not on this node"),
        ({"arp": (1, "")}, False, "silent", "nobody answers"),
        ({"local": "eth0"}, False, "second", "still on this node"),
        ({"flags": UNPLUGGED}, False, "cut off", "can't be seen here: eth0 of this node has no"),
    ],
)
def test_disagreement(told, here, kind, text):
    finding = switchover_arp.disagreement(VIP, held_here=here, run=tools(**told))
    assert finding.kind == kind
    assert VIP in str(finding)
    assert text in str(finding)


@pytest.mark.parametrize(
    ("told", "here"),
    [
        ({"local": "eth0"}, True),
        ({"local": "eth0", "arp": (3, "")}, True),
        ({"local": "eth0", "flags": ()}, True),
        ({"arp": (0, MAC)}, False),
        ({"arp": (3, "")}, False),
    ],
)
def test_no_disagreement(told, here):
    assert switchover_arp.disagreement(VIP, held_here=here, run=tools(**told)) is None


def test_a_host_that_has_no_way_to_an_address_is_not_cut_off_from_it():
    assert switchover_arp.cut_off(VIP, tools(route="")) == ""


def routing(routes, arp):
    def run(argv, **more):
        if argv[:2] == ["ip", "-json"] and argv[-2:] == ["show", "default"]:
            out = json.dumps(routes.get(argv[2], []))
            return programs.Completed(tuple(argv), 0, out, "", 0.0)
        return tools(arp=arp)(argv, **more)

    return run


@pytest.mark.parametrize(("arp", "heard"), [((0, MAC), True), ((1, ""), False), (None, None)])
def test_routers(arp, heard):
    routes = {"-4": [{"dst": "default", "gateway": VIP, "dev": "eth0"}, {"dst": "default"}]}
    assert switchover_arp.routers(routing(routes, arp)) == {VIP: heard}


def test_an_ipv6_router_cannot_be_asked_by_arp():
    routes = {"-6": [{"dst": "default", "gateway": "fe80::1", "dev": "eth0"}]}
    assert switchover_arp.routers(routing(routes, (1, ""))) == {"fe80::1": None}


def test_what_is_no_json_is_nothing():
    def run(argv, **_):
        return programs.Completed(tuple(argv), 0, "garbage", "", 0.0)

    assert switchover_arp.interface_of(VIP, run) == ""


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [io.StringIO(), Terminal()])
def test_progress_is_a_line_for_each_phase(stream):
    clock = iter([100.0, 100.4, 103.25])
    progress = report_progress.Progress(stream, "fsha.failover", lambda: next(clock))
    progress("check", {"verb": "failover", "by": "alice"})
    progress("move", {"old": "fs1", "new": "fs2\x1b[2J", "calls": {"before": 3}, "why": ""})
    first, second = stream.getvalue().splitlines()
    bold = stream.isatty()
    assert first.startswith("[   0.4 s] fsha.failover: ")
    assert ("\x1b[1m" in first) == bold
    # Nothing that comes from elsewhere can move the cursor.
    assert second.endswith("old=fs1 new=fs2?[2J")
    assert second.startswith("[   3.2 s]")


def test_nobody_who_can_see_it_no_progress():
    report_progress.Progress(None, "fsha.failover")("check", {})


@pytest.mark.parametrize("error", [BrokenPipeError, ValueError])
def test_whoever_looks_on_may_go(error):
    """The session has ended, or a pager: what is done has to go on."""

    class Gone(io.StringIO):
        def write(self, text):
            raise error

    closed = io.StringIO()
    closed.close()
    report_progress.Progress(closed, "fsha.failover")("move", {})

    progress = report_progress.Progress(Gone(), "fsha.failover")
    progress("move", {})
    progress("verify", {})
