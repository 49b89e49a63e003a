"""The platform: known or not, new enough or not, in one sentence."""

from pathlib import Path

import pytest
import yaml

from fshalib.pillar import platform

ROOT = Path(__file__).parents[3]
LOOKUP = {"packages": ["corosync"], "settings_dir": "/etc/conf.d"}


def grains(os, family, release, major=None):
    numbers = {} if major is None else {"osmajorrelease": major}
    return {"os": os, "os_family": family, "osrelease": release, **numbers}


GOOD = [
    grains("Debian", "Debian", "12", 12),
    grains("Debian", "Debian", "13", 13),
    grains("Debian", "Debian", "testing/unstable"),
    grains("Ubuntu", "Debian", "22.04", 22),
    grains("Ubuntu", "Debian", "24.04", 24),
    grains("Ubuntu", "Debian", "26.04", 26),
    # Derivatives count releases of their own.
    grains("Devuan", "Debian", "6", 6),
    grains("RedHat", "RedHat", "8.10", 8),
    grains("Rocky", "RedHat", "9.6", 9),
    grains("AlmaLinux", "RedHat", "10.0", 10),
    grains("SUSE", "Suse", "16.0", 16),
    grains("openSUSE Tumbleweed", "Suse", "20261101", 20261101),
]
TOO_OLD = [
    (grains("Debian", "Debian", "11", 11), "Debian 11", 12),
    (grains("Ubuntu", "Debian", "20.04", 20), "Ubuntu 20.04", 22),
    (grains("CentOS", "RedHat", "7.9.2009", 7), "CentOS 7.9.2009", 8),
    (grains("SUSE", "Suse", "15.7", 15), "SUSE 15.7", 16),
    (grains("SUSE", "Suse", "12.5", 12), "SUSE 12.5", 16),
]


@pytest.mark.parametrize("host", GOOD, ids=lambda g: f"{g['os']} {g['osrelease']}")
def test_a_platform_that_has_what_is_needed(host):
    assert platform.trouble(host, {}) == ""


@pytest.mark.parametrize(("host", "name", "oldest"), TOO_OLD, ids=lambda v: str(v)[:40])
@pytest.mark.parametrize("lookup", [{}, LOOKUP], ids=["plain", "packages by hand"])
def test_a_release_that_is_too_old(host, name, oldest, lookup):
    assert platform.trouble(host, lookup) == (
        f"{name} is too old: fsha needs Corosync 3 and Pacemaker 2.1, and they come with "
        f"release {oldest}."
    )


ARCH = grains("Arch", "Arch", "rolling")


@pytest.mark.parametrize(
    ("lookup", "missing"),
    [
        ({}, "fsha:lookup:packages and fsha:lookup:settings_dir"),
        ({"packages": ["corosync"]}, "fsha:lookup:settings_dir"),
        ("text", "fsha:lookup:packages and fsha:lookup:settings_dir"),
    ],
)
def test_an_unknown_platform_says_what_the_pillar_has_to_name(lookup, missing):
    assert platform.trouble(ARCH, lookup) == (
        f"fsha does not know the packages of Arch (os_family: Arch): set {missing} in the pillar. "
        "fsha needs Corosync 3 and Pacemaker 2.1."
    )


def test_an_unknown_platform_works_with_packages_by_hand():
    assert platform.trouble(ARCH, LOOKUP) == ""


def test_grains_may_be_missing():
    assert "os_family: unknown" in platform.trouble({}, {})


def test_the_formula_has_packages_for_every_known_family():
    text = (ROOT / "fsha/parameters/platforms.yaml").read_text(encoding="utf-8")
    table = yaml.safe_load(text)
    assert set(platform.FAMILIES) | {"unknown"} <= set(table)
    assert all(set(entry) == {"lookup"} for entry in table.values())
    keys = {*LOOKUP, "store_packages"}
    assert all(set(entry["lookup"]) == keys for entry in table.values())
