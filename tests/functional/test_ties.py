"""Ties between resources: what fsha reads in a CIB is what the cluster does, by crm_simulate."""

import subprocess

import pytest

from fshalib.cib import document, read
from fshalib.cib.ties import ties
from fshalib.lint import foreign_cib
from fshalib.pacemaker import status as pacemaker_status
from fshalib.pacemaker import tools
from fshalib.switchover.bans import with_bans
from fshalib.switchover.preflight import simulate, would_serve
from fshalib.switchover.service import find_service, services

AGENTS = {
    "vip": 'class="ocf" provider="heartbeat" type="IPaddr2"',
    "ip2": 'class="ocf" provider="heartbeat" type="IPaddr2"',
    "fs": 'class="systemd" type="freeswitch.service"',
}
ADDRESSES = {"vip": "192.0.2.30", "ip2": "192.0.2.31"}
DUMMY = 'class="ocf" provider="heartbeat" type="Dummy"'
NODE_STATE = (
    '<node_state id="{0}" uname="fs{0}" in_ccm="true" crmd="online" join="member" '
    'expected="member"><lrm id="{0}"><lrm_resources/></lrm></node_state>'
)


def primitive(id, stopped=()):
    meta = f'<nvpair id="{id}-t" name="target-role" value="Stopped"/>' if id in stopped else ""
    ip = f'<nvpair id="{id}-ip" name="ip" value="{ADDRESSES.get(id)}"/>' if id in ADDRESSES else ""
    return (
        f'<primitive id="{id}" {AGENTS.get(id, DUMMY)}>'
        f'<instance_attributes id="{id}-i">{ip}</instance_attributes>'
        f'<meta_attributes id="{id}-m">{meta}</meta_attributes></primitive>'
    )


def cib(groups, constraints, stopped=()):
    """Return the CIB of a pair that is up, with resources in groups; a group of one is none."""
    inner = [(ids, "".join(primitive(id, stopped) for id in ids.split())) for ids in groups]
    resources = "".join(
        f'<group id="g_{ids.split()[0]}">{text}</group>' if " " in ids else text
        for ids, text in inner
    )
    return (
        '<cib crm_feature_set="3.16.1" validate-with="pacemaker-3.9" epoch="2" num_updates="0" '
        'admin_epoch="0" have-quorum="1" dc-uuid="1"><configuration><crm_config>'
        '<cluster_property_set id="o"><nvpair id="o-s" name="stonith-enabled" value="false"/>'
        '</cluster_property_set></crm_config><nodes><node id="1" uname="fs1"/>'
        f'<node id="2" uname="fs2"/></nodes><resources>{resources}</resources>'
        f"<constraints>{constraints}</constraints>"
        '<rsc_defaults><meta_attributes id="defaults"><nvpair id="stickiness" '
        'name="resource-stickiness" value="100"/></meta_attributes></rsc_defaults></configuration>'
        f"<status>{NODE_STATE.format(1)}{NODE_STATE.format(2)}</status></cib>"
    )


def with_(*pairs):
    """Return colocations: each ``a b`` says that a runs only where b does."""
    found = (pair.split() for pair in pairs)
    return "".join(
        f'<rsc_colocation id="{a}-{b}" score="INFINITY" rsc="{a}" with-rsc="{b}"/>'
        for a, b in found
    )


def sets(*told):
    """Return one colocation of sets; a set that begins with ``-`` is in no row."""
    inner = ""
    for number, ids in enumerate(told):
        refs = "".join(f'<resource_ref id="{id}"/>' for id in ids.lstrip("-").split())
        loose = ' sequential="false"' if ids.startswith("-") else ""
        inner += f'<resource_set id="s{number}"{loose}>{refs}</resource_set>'
    return f'<rsc_colocation id="sets" score="INFINITY">{inner}</rsc_colocation>'


def placement(text):
    return simulate(document.parse(text)).placement


def running_on_fs1(text, tmp_path):
    """Let the cluster start everything on fs1, and return the CIB as it is then."""
    bans = "".join(
        f'<rsc_location id="x-{id}" rsc="{id}" node="fs2" score="-INFINITY"/>'
        for id in primitives(text)
    )
    plain, banned, out = (tmp_path / name for name in ("plain.xml", "banned.xml", "out.xml"))
    plain.write_text(text, encoding="utf-8")
    banned.write_text(text.replace("</constraints>", f"{bans}</constraints>"), encoding="utf-8")
    argv = ["crm_simulate", "-S", "-x", str(banned), "-O", str(out)]
    subprocess.run(argv, check=True, capture_output=True)
    root = document.parse(out.read_text(encoding="utf-8"))
    for location in root.findall("configuration/constraints/rsc_location"):
        location.getparent().remove(location)
    return root


def primitives(text):
    return [e.get("id") for e in document.parse(text).iter("primitive")]


# --- who needs whom --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("groups", "constraints"),
    [
        (("vip", "fs"), with_("fs vip")),
        (("vip", "fs"), with_("vip fs")),
        (("vip fs", "a"), with_("g_vip a")),
        (("vip fs", "a"), with_("a g_vip")),
        (("vip fs", "a"), with_("fs a")),
        (("vip fs", "a"), with_("a vip")),
        (("vip fs", "a b"), with_("g_vip g_a")),
        (("a", "b", "c", "d"), with_("a b", "b c", "a d")),
        (("a", "b", "c"), sets("a b c")),
        (("a", "b", "c"), sets("-a b c")),
        (("a", "b", "c", "d"), sets("a b", "c d")),
        (("a", "b", "c", "d"), sets("-a b", "c d")),
        (("a", "b", "c", "d"), sets("a b", "-c d")),
        (("a", "b", "c", "d"), sets("-a b", "-c d")),
        (("a", "b", "c", "d", "e"), sets("a", "b c", "-d e")),
        (("a b", "c", "d"), sets("g_a c", "d")),
    ],
)
def test_what_stops_with_a_resource_is_what_needs_it(groups, constraints):
    text = cib(groups, constraints)
    known = ties(read.read_all(document.parse(text)))
    for id in primitives(text):
        ran = placement(cib(groups, constraints, stopped=(id,)))
        idle = {one for one in primitives(text) if not ran.get(one)}
        assert idle == {one for one in primitives(text) if id in known.needs([one])}, id


# --- what a switchover moves -----------------------------------------------------------------

ONE_SERVICE = [
    (("vip", "fs"), with_("fs vip"), ("vip",)),
    (("vip", "fs"), with_("vip fs"), ("fs",)),
    (("vip", "fs", "web"), with_("fs vip", "web vip"), ("vip",)),
    (("vip", "fs", "db"), with_("fs vip", "vip db"), ("db",)),
    (("vip", "ip2", "fs"), with_("fs vip", "fs ip2"), ("vip", "ip2")),
    (("vip", "ip2", "fs"), with_("fs vip", "ip2 vip"), ("vip",)),
    (("vip", "ip2", "fs"), with_("vip fs", "ip2 fs"), ("fs",)),
    (("vip fs", "ip2"), with_("g_vip ip2"), ("ip2",)),
    (("vip fs", "ip2"), with_("ip2 g_vip"), ("g_vip",)),
    (("vip fs", "db"), with_("fs db"), ("g_vip", "db")),
    (("vip", "ip2", "fs"), sets("vip ip2 fs"), ("vip",)),
    (("vip", "ip2", "fs"), sets("fs", "-vip ip2"), ("vip", "ip2")),
    (("vip", "fs"), with_("fs vip", "vip fs"), ("vip",)),
]


@pytest.mark.parametrize(("groups", "constraints", "bases"), ONE_SERVICE)
def test_the_bans_move_all_that_is_tied(groups, constraints, bases, tmp_path):
    root = running_on_fs1(cib(groups, constraints), tmp_path)
    service = find_service(root)
    assert service.bases == bases
    wanted = {id for ids in groups for id in ids.split()} - {"web"}
    assert set(service.members) == wanted
    assert set(service.vips) == {ip for id, ip in ADDRESSES.items() if id in wanted}
    assert would_serve(simulate(root), service) == "fs1"
    assert would_serve(simulate(with_bans(root, service, ["fs1"])), service) == "fs2"


def test_two_agents_of_one_address_are_one_service(tmp_path):
    text = cib(("vip", "fs", "b"), with_("fs vip", "b vip"))
    text = text.replace(f'id="b" {DUMMY}', 'id="b" class="ocf" provider="fsha" type="FSSofia"')
    root = running_on_fs1(text, tmp_path)
    (service,) = services(root)
    assert service.members == ("vip", "fs", "b")
    # Whatever is part of it stands for it.
    assert find_service(root, "vip") == find_service(root, "b") == find_service(root) == service


FAN_OUT = [
    (("vip", "fs", "web"), with_("web fs", "web vip")),
    (("vip", "fs", "web"), sets("web", "-fs vip")),
    (("vip", "fs"), ""),
    (("vip", "fs"), sets("-fs vip")),
]


@pytest.mark.parametrize(("groups", "constraints"), FAN_OUT)
def test_what_can_part_is_no_service(groups, constraints, tmp_path):
    root = running_on_fs1(cib(groups, constraints), tmp_path)
    service = find_service(root)
    assert (service.id, service.members, service.vips) == ("fs", ("fs",), ())
    (finding,) = (a for a in foreign_cib.lint(root, {}) if a.code == "not-together")
    assert finding.message == "nothing keeps fs together with vip"
    # Without what needs both, nothing is left that keeps them on one node.
    apart = running_on_fs1(cib(groups, constraints, stopped=("web",)), tmp_path)
    after = simulate(with_bans(apart, service, ["fs1"])).placement
    assert (after["fs"], after["vip"]) == (("fs2",), ("fs1",))


@pytest.mark.parametrize(("groups", "constraints", "_bases"), ONE_SERVICE)
def test_the_lint_sees_the_same_ties(groups, constraints, _bases):
    found = foreign_cib.lint(document.parse(cib(groups, constraints)), {})
    assert "not-together" not in {advice.code for advice in found}


# --- a pair with ties, seen by the verbs -----------------------------------------------------

TIED = with_("fs vip", "web vip")


def verb(loaders, cib_file, root):
    cib_file.path.write_text(document.render(root), encoding="utf-8")
    return loaders.modules.fsha


def test_status_and_failover_of_a_pair_that_pcs_has_tied(loaders, cib_file, tmp_path):
    fsha = verb(loaders, cib_file, running_on_fs1(cib(("vip", "fs", "web"), TIED), tmp_path))
    service = fsha.status(as_data=True)["service"]
    assert service == {"id": "fs", "node": "fs1", "vips": ["192.0.2.30"], "several": []}
    would = fsha.failover(test=True)["comment"]
    assert "fs would move from fs1 to fs2" in would
    assert "move vip from fs1 to fs2" in would
    assert "move fs from fs1 to fs2" in would


def test_a_switch_that_is_stopped_does_not_serve(loaders, cib_file, tmp_path):
    stopped = cib(("vip", "fs", "web"), TIED, stopped=("fs",))
    fsha = verb(loaders, cib_file, running_on_fs1(stopped, tmp_path))
    assert fsha.status(as_data=True)["service"]["node"] == ""
    found = {line["name"]: line for line in fsha.check(as_data=True)["lines"]}
    assert found["service"]["verdict"] == "fail"
    assert "fs is Stopped everywhere" in found["service"]["evidence"]


def test_the_status_of_the_cluster_has_every_part(cib_file, tmp_path):
    root = running_on_fs1(cib(("vip", "fs", "web"), TIED), tmp_path)
    cib_file.path.write_text(document.render(root), encoding="utf-8")
    status = pacemaker_status.parse_status(tools.status())
    assert status.serving(*find_service(root).members) == "fs1"


def test_a_check_warns_of_an_address_that_stays_behind(loaders, cib_file, tmp_path):
    fsha = verb(loaders, cib_file, running_on_fs1(cib(("vip", "fs"), ""), tmp_path))
    found = {line["name"]: line for line in fsha.check(as_data=True)["lines"]}
    assert found["service-address"]["verdict"] == "warn"
    assert "no floating address moves with fs" in found["service-address"]["evidence"]
