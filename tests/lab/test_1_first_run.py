"""Bare hosts, a minion that has never seen the formula, no lxml: to a serving pair."""

from __future__ import annotations

import pytest

from lab import VIP, voice

NODES = ("freeswitch-dev", "ubuntu-v20z")


@pytest.fixture(scope="module")
def bare(lab):
    lab.reset()
    voice.give(lab, voice.example("pillar.example"))
    return lab


def has_lxml(node):
    return node.run(["/opt/salt/bin/python3", "-c", "import lxml"], check=False).code == 0


def stat(node, path):
    return node.run(["stat", "-c", "%a", path]).out.strip()


def installed(node, package):
    said = node.run(["dpkg-query", "-W", "-f=${Status}", package], check=False).out
    return "install ok installed" in said


def fingerprint(node):
    """Everything the formula would touch, as it is on a node."""
    files = ["/etc/hosts", "/etc/corosync", "/etc/init.d/FSSofia", "/etc/sysctl.d", "/etc/fsha"]
    listed = node.run(["find", *files, "-type", "f", "-printf", "%p %s %T@ %m\n"], check=False)
    packages = node.run(["dpkg-query", "-W"]).out
    return listed.out + packages + str(has_lxml(node))


def test_nodes_are_bare(bare):
    for node in bare.nodes.values():
        assert not has_lxml(node)
        assert not installed(node, "corosync")


BAD_PILLARS = {
    "misspelt key": (lambda p: p["pacemaker"].update(resorces={}), "resources"),
    "node without address": (lambda p: p["nodes"]["ubuntu-v20z"].pop("addresses"), "addresses"),
    "a list of nodes": (lambda p: p.update(nodes=["a", "b"]), "nodes"),
    "text for a section": (lambda p: p.update(corosync="knet"), "corosync"),
    "unprintable": (
        lambda p: p["pacemaker"]["resources"].update({"a\x7f\"'\n\u2028😀": 1}),
        "resources",
    ),
}


@pytest.mark.parametrize("name", BAD_PILLARS)
def test_bad_pillar_touches_nothing(bare, name):
    break_it, word = BAD_PILLARS[name]
    pillar = voice.example("pillar.example")
    break_it(pillar)
    voice.give(bare, pillar)
    minion, node = next(iter(bare.nodes.items()))
    before = fingerprint(node)
    for test in (True, False):
        applied = voice.apply(bare, minion, test=test)
        (said,) = applied.failed
        assert f"{minion}: fsha-pillar: fsha:" in said
        assert word in said
        assert "Traceback" not in said
    assert fingerprint(node) == before


@pytest.fixture
def good(bare):
    voice.give(bare, voice.example("pillar.example"))
    return bare


def test_test_mode_on_a_never_synced_minion_shows_and_does_nothing(good):
    bare = good
    before = {n: fingerprint(node) for n, node in bare.nodes.items()}
    applied = voice.apply(bare, test=True)
    assert applied.failed == []
    for minion in NODES:
        for id in ("fsha-sync-lxml", "fsha-package-installed", "fsha-corosync-config"):
            assert applied.state(minion, id)["result"] is None
            assert applied.state(minion, id)["changes"]
        staged = applied.state(minion, "fsha-cluster-resource-ip_shared")
        assert staged["changes"]["object"]["new"]["params"]["ip"] == VIP
    assert {n: fingerprint(node) for n, node in bare.nodes.items()} == before


def test_one_command_makes_a_serving_pair(good):
    bare = good
    with bare.events("fsha/") as bus:
        applied = voice.apply(bare)
    assert applied.failed == []
    node = bare.nodes["freeswitch-dev"]
    status = voice.cluster(node)
    assert sorted(n.name for n in status.nodes) == sorted(NODES)
    assert all(n.word == "online" for n in status.nodes)
    assert status.serving("VoiceServices") in NODES
    assert bare.vip_holders() == [status.serving("VoiceServices")]
    # Nothing had been managed before: one commit by one node, and no drift.
    assert [tag.split("/")[1] for tag, _ in bus.events] == ["commit"]


def test_the_vip_answers_from_outside(bare):
    with bare.probe() as probe:
        probe.wait_answered()
    assert probe.result.answered


def test_secrets_are_where_only_root_reads_them(bare):
    for node in bare.nodes.values():
        for path in ("/etc/corosync/authkey", "/etc/fsha/event_socket.password"):
            assert node.run(["stat", "-c", "%a %U", path]).out.strip() == "400 root"
        password = node.read("/etc/fsha/event_socket.password").strip()
        # In no file that others may read, and no part of the cluster's configuration.
        found = node.run(
            ["grep", "-rlF", "-e", password, "/etc", "/var/lib/pacemaker"], check=False
        )
        assert {stat(node, path) for path in found.out.split()} <= {"400", "440", "600", "640"}
        assert not node.run(["cibadmin", "--query"]).out.count(password)


def test_second_run_changes_nothing_and_says_nothing(bare):
    with bare.events("fsha/") as bus:
        applied = voice.apply(bare)
        looked = voice.apply(bare, test=True)
    assert applied.failed == looked.failed == []
    assert applied.changes == looked.changes == {}
    assert all(
        state["result"] is True for states in looked.states.values() for state in states.values()
    )
    assert bus.events == []


OLDER = """\
def present(name, key_of_old=None):
    return {"name": name, "result": False, "changes": {}, "comment": "the older module ran"}
"""


def test_a_newer_formula_replaces_older_modules_in_the_same_run(bare):
    for node in bare.nodes.values():
        node.write("/var/cache/salt/minion/extmods/states/corosync_authkey.py", OLDER)
    applied = voice.apply(bare)
    assert applied.failed == []
    assert applied.changes == {}


def test_masterless_sees_the_same(bare):
    node = bare.nodes["freeswitch-dev"]
    node.run(["mkdir", "-p", "/srv/local-pillar"])
    for name in ("top", "fsha", "fsha_secrets"):
        text = bare.outside.read(f"/srv/pillar/{name}.sls")
        node.write(f"/srv/local-pillar/{name}.sls", text, 0o600)
    done = node.run(
        ["salt-call", "--local", "--out=json", "--file-root=/srv/formula",
         "--pillar-root=/srv/local-pillar", "state.apply", "fsha"],
        timeout=180, check=False,
    )  # fmt: skip
    assert done.code == 0, done.out[-2000:] + done.err[-2000:]
    assert '"result": false' not in done.out


def test_lxml_for_the_distributions_own_python(bare):
    """Salt in the distribution's Python gets the distribution's package, not pip's."""
    node = bare.nodes["freeswitch-dev"]
    version = node.run(
        ["/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"]
    )
    site = f"/opt/salt/lib/python{version.out.strip()}/site-packages"
    # The virtual environment's Salt, run by the distribution's Python, must not find lxml there.
    node.run(["mv", f"{site}/lxml", f"{site}/lxml.away"])
    salt_call = ["env", f"PYTHONPATH={site}", "/usr/bin/python3", "/opt/salt/bin/salt-call"]
    options = ["--local", "--module-dirs=/srv/formula", "--out=json"]
    call = [*salt_call, *options, "state.single", "fsha_python.lxml", "lxml"]
    try:
        assert node.run(["/usr/bin/python3", "-c", "import lxml"], check=False).code != 0
        done = node.run(call, timeout=180, check=False)
        assert done.code == 0, done.out + done.err
        assert "distribution" in done.out
        assert installed(node, "python3-lxml")
        assert node.run(["/usr/bin/python3", "-c", "import lxml.etree"]).code == 0
        assert '"changes": {}' in node.run(call, timeout=180).out
    finally:
        node.run(["mv", f"{site}/lxml.away", f"{site}/lxml"])
