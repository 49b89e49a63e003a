"""The one table of agent names."""

import re
from pathlib import Path

import pytest

from fshalib import agents

ROOT = Path(__file__).parents[2]
NAMES = re.compile(r'"(ocf:[\w:]+|lsb:\w+|stonith:)"')
ELSEWHERE = {"cib/agent.py": {"ocf:heartbeat:IPaddr2"}}
"""Examples in the reference."""


@pytest.mark.parametrize(
    ("agent", "fences"),
    [("stonith:fence_ipmilan", True), ("ocf:fsha:FSSofia", False), ("", False)],
)
def test_what_fences_nodes(agent, fences):
    assert agents.is_fencing(agent) is fences


def test_no_other_file_has_names_of_its_own():
    library = ROOT / "_utils/fshalib"
    files = [f for folder in (library, ROOT / "_states", ROOT / "_modules") for f in
             folder.rglob("*.py") if f.name != "agents.py" or f.parent != library]  # fmt: skip
    assert len(files) > 100
    found = {}
    for file in files:
        names = set(NAMES.findall(file.read_text(encoding="utf-8")))
        names -= ELSEWHERE.get("/".join(file.parts[-2:]), set())
        if names:
            found[str(file)] = names
    assert found == {}


def test_our_agents_are_on_the_disk():
    scripts = {file.name for file in (ROOT / "fsha/files/ocf").iterdir()}
    ours = {agents.FSSOFIA, agents.FSSWITCH}
    assert {name.removeprefix(agents.OURS) for name in ours} <= scripts


# --- what an agent is, in whatever spelling --------------------------------------------------

SWITCHES = [
    "systemd:freeswitch",
    "systemd:freeswitch.service",
    "systemd:freeswitch@one",
    "systemd:freeswitch@one.service",
    "systemd:FreeSWITCH.service",
    "service:freeswitch",
    "service:freeswitch.service",
    "lsb:freeswitch",
    "ocf:heartbeat:freeswitch",
    "ocf::heartbeat:freeswitch",
    "ocf:anybody:FreeSWITCH",
]
PROFILES = ["ocf:fsha:FSSofia", "lsb:FSSofia", "service:FSSofia", "systemd:FSSofia.service"]
OTHERS = [
    "",
    "freeswitch",
    "systemd:freeswitch-exporter.service",
    "systemd:prometheus@freeswitch.service",
    "systemd:opensips",
    "stonith:freeswitch",
    "ocf:heartbeat:Dummy",
    "ocf:heartbeat:SendArp",
]


@pytest.mark.parametrize("agent", [*SWITCHES, *PROFILES])
def test_what_serves_calls(agent):
    assert agents.is_voice(agent)
    assert agents.carries_calls(agent)
    assert not agents.is_vip(agent)
    assert agents.starts_switch(agent) is (agent in SWITCHES)


@pytest.mark.parametrize("agent", [*OTHERS, "ocf:heartbeat:IPaddr2"])
def test_what_does_not_serve_calls(agent):
    assert not agents.is_voice(agent)
    assert not agents.carries_calls(agent)
    assert not agents.starts_switch(agent)


def test_the_switch_itself_carries_calls_and_is_no_profile():
    assert not agents.is_voice(agents.FSSWITCH)
    assert agents.carries_calls(agents.FSSWITCH)
    assert agents.starts_switch(agents.FSSWITCH)


@pytest.mark.parametrize("agent", ["systemd:voice", "service:voice.service", "lsb:voice"])
@pytest.mark.parametrize("service", ["voice", "voice.service"])
def test_freeswitchs_service_may_have_another_name(agent, service):
    assert agents.is_voice(agent, service)
    assert agents.is_switch_unit(agent, service)
    assert not agents.is_voice(agent)
    assert agents.is_unit(agent, service)
    assert not agents.is_unit(f"{agent}s", service)


@pytest.mark.parametrize(
    ("agent", "expected"),
    [("systemd:x", True), ("service:x", True), ("lsb:x", False), ("ocf:a:systemd", False)],
)
def test_what_systemd_runs(agent, expected):
    assert agents.is_by_systemd(agent) is expected


@pytest.mark.parametrize(
    ("agent", "vip", "address"),
    [
        ("ocf:heartbeat:IPaddr2", True, "10.0.0.1"),
        ("ocf::heartbeat:IPaddr2", True, "10.0.0.1"),
        ("ocf:IPaddr", True, "10.0.0.1"),
        ("heartbeat:IPaddr", True, "10.0.0.1"),
        ("ocf:heartbeat:IPv6addr", True, "2001:db8::1"),
        ("ocf:heartbeat:SendArp", False, ""),
        ("lsb:IPaddr2", False, ""),
    ],
)
def test_what_is_a_floating_address(agent, vip, address):
    assert agents.is_vip(agent) is vip
    named = {"ip": "10.0.0.1/24", "ipv6addr": "2001:db8::1/64"}
    assert agents.held_address(agent, named) == address


@pytest.mark.parametrize(
    ("agent", "plain"),
    [
        ("systemd:freeswitch.service", "systemd:freeswitch"),
        ("ocf:IPaddr2", "ocf:heartbeat:IPaddr2"),
        ("ocf::fsha:FSSofia", "ocf:fsha:FSSofia"),
        ("lsb:FSSofia", "lsb:FSSofia"),
        ("ocf:x:y.service", "ocf:x:y.service"),
    ],
)
def test_one_spelling(agent, plain):
    assert agents.plain(agent) == plain


COMPARED = re.compile(r"""(get\("type"\)|\.agent|\bkind) (==|!=|in|not in) f?"[a-z]+:""")


def test_nobody_else_tells_agents_by_their_spelling():
    folders = (ROOT / "_utils/fshalib", ROOT / "_states", ROOT / "_modules")
    files = [file for folder in folders for file in folder.rglob("*.py")]
    guilty = [str(f) for f in files if COMPARED.search(f.read_text(encoding="utf-8"))]
    types = [str(f) for f in files if 'get("type") in' in f.read_text(encoding="utf-8")]
    assert (guilty, types) == ([], [])
