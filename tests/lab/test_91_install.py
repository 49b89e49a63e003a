"""How FreeSWITCH gets onto bare nodes: a package, a repository with a token, a prefix."""

from __future__ import annotations

import secrets

import pytest

from lab import voice
from lab.identity import STANDIN_PATH
from tests.lab import repository

TOKEN = secrets.token_urlsafe(24)
AUTH = "/etc/apt/auth.conf.d/fsha-freeswitch.conf"
PREFIX = "/opt/switch"


@pytest.fixture(scope="module")
def served(lab):
    """Bare nodes without a switch, and a repository that has one; ``lab`` and the key's sum."""
    if lab.setup().freeswitch:
        pytest.skip("the package holds the stand-in")
    lab.reset()
    remove_switch(lab)
    key = repository.make(lab, TOKEN)
    yield lab, key
    repository.end(lab)
    lab.reset()


def remove_switch(lab):
    for node in lab.nodes.values():
        node.run(["systemctl", "disable", "--now", "freeswitch"], check=False)
        node.run(["rm", "-f", "/etc/systemd/system/freeswitch.service"])
        node.run(["systemctl", "daemon-reload"])


def pillar(service, **install):
    found = voice.example("pillar.example")
    found["freeswitch"] |= {"service": service, "install": install}
    return found


def from_repository(key, **more):
    return pillar(
        repository.PACKAGE,
        method="repository",
        packages=[repository.PACKAGE],
        url=repository.URL,
        key_url=repository.KEY_URL,
        key_hash=key,
        suite=repository.SUITE,
        **{"token": TOKEN, **more},
    )


def switch_states(lab, told, **kwargs):
    """Apply what installs the switch alone; it is rendered as a part of the whole."""
    voice.give(lab, told)
    returns = lab.salt("*", "state.apply", "fsha.freeswitch", timeout=300, **kwargs)
    complaints = {m: str(v) for m, v in returns.items() if not isinstance(v, dict)}
    states = {m: v for m, v in returns.items() if isinstance(v, dict)}
    return voice.Applied(states, complaints, 0.0)


def test_a_key_that_is_another_one_stops_it(served):
    lab, _ = served
    done = switch_states(lab, from_repository("0" * 64))
    assert done.failed
    assert any("fsha-switch-repository-key" in line for line in done.failed)
    for node in lab.nodes.values():
        assert not node.exists("/etc/apt/sources.list.d/fsha-freeswitch.list")


def test_a_wrong_token_stops_it_with_apts_reason(served):
    lab, key = served
    done = switch_states(lab, from_repository(key, token="another"))
    said = " ".join(line for line in done.failed if "fsha-switch-packages" in line)
    assert "401" in said or "Unauthorized" in said, done.failed
    assert "another" not in said


def test_a_repository_with_a_token(served):
    lab, key = served
    voice.give(lab, from_repository(key))
    applied = voice.apply(lab)
    assert applied.failed == []
    assert voice.serving(lab)
    for node in lab.nodes.values():
        assert node.run(["stat", "-c", "%a %U", AUTH]).out.strip() == "600 root"
        assert TOKEN in node.read(AUTH)
        assert node.unit_state(repository.PACKAGE) == "active"
        listed = node.run(["find", "/var/log/salt", "/var/cache/salt", "-type", "f"]).out.split()
        assert node.run(["grep", "-lF", "-e", TOKEN, *listed], check=False).out == ""
    assert TOKEN not in str(applied.states)
    assert voice.apply(lab).changes == {}


def test_clean_leaves_the_switch(served):
    lab, _ = served
    returns = lab.salt("*", "state.apply", "fsha.clean", timeout=400)
    assert voice.Applied(dict(returns), {}, 0.0).failed == []
    for node in lab.nodes.values():
        assert node.unit_state(repository.PACKAGE) == "active"


def test_a_package_of_the_distribution(served):
    lab, _ = served
    for node in lab.nodes.values():
        node.run(["apt-get", "purge", "--yes", repository.PACKAGE])
    done = switch_states(
        lab, pillar(repository.PACKAGE, method="package", packages=[repository.PACKAGE])
    )
    assert done.failed == []
    assert all(n.unit_state(repository.PACKAGE) == "active" for n in lab.nodes.values())
    missing = switch_states(lab, pillar("nosuch", method="package", packages=["nosuch-switch"]))
    assert any("nosuch-switch" in line for line in missing.failed)


def test_a_switch_from_source(served):
    lab, _ = served
    told = pillar("freeswitch", method="prefix", prefix=PREFIX)
    absent = switch_states(lab, told)
    assert any(f"{PREFIX}/bin/freeswitch" in line for line in absent.failed), absent.failed
    for node in lab.nodes.values():
        node.run(["systemctl", "disable", "--now", repository.PACKAGE])
        node.run(["mkdir", "-p", f"{PREFIX}/bin"])
        for name in ("freeswitch", "fs_cli"):
            node.run(["ln", "-sf", f"{STANDIN_PATH}/{name}", f"{PREFIX}/bin/{name}"])
    done = switch_states(lab, told)
    assert done.failed == []
    for node in lab.nodes.values():
        assert node.unit_state("freeswitch") == "active"
        assert "Restart=always" in node.run(["systemctl", "cat", "freeswitch"]).out
    assert switch_states(lab, told).changes == {}
