"""A value that the installed Pacemaker would damage is one sentence at the door."""

import pytest

from fshalib.pillar import config, kept_values, platform
from fshalib.schema.report import ConfigErrors
from tests.unit import pillars

BAD = "Büro & Zentrale"


def checked(**pacemaker):
    return config.check({**pillars.pillar(), "freeswitch": {}, "pacemaker": pacemaker})


@pytest.mark.parametrize(
    ("pacemaker", "place"),
    [
        ({"resources": {"a": {"agent": "systemd:a", "description": BAD}}},
         "resources:a:description"),
        ({"resources": {"a": {"agent": "ocf:pacemaker:Dummy", "params": {"fake": BAD}}}},
         "resources:a:params:fake"),
        ({"resources": {"a": {"agent": "ocf:pacemaker:Dummy",
                              "params": [{"rule": "#uname eq fs1", "values": {"fake": BAD}}]}}},
         "resources:a:params:0:values:fake"),
        ({"nodes": {"fs1": {"attributes": {"site": BAD}}}}, "nodes:fs1:attributes:site"),
        ({"properties": {"note": "two\nlines"}}, "properties:note"),
    ],
)  # fmt: skip
def test_an_old_pacemaker_is_named_with_the_place(pacemaker, place):
    config_ = checked(**pacemaker)
    with pytest.raises(ConfigErrors) as caught:
        kept_values.check(config_, lambda: "2.1.5")
    assert str(caught.value).startswith(f"fsha:pacemaker:{place}: a value without ")
    assert "Pacemaker 2.1.5 damages that (2.1.8 no longer does)" in str(caught.value)
    assert "\n" not in str(caught.value)
    for fine in ("2.1.8", "3.0.1", ""):
        kept_values.check(config_, lambda fine=fine: fine)


def test_a_value_that_is_kept_is_taken():
    kept_values.check(checked(nodes={"fs1": {"attributes": {"site": "Büro"}}}), lambda: "2.1.5")


@pytest.mark.parametrize(
    ("system", "release", "version"),
    [("Debian", 12, "2.1.5"), ("Debian", 13, ""), ("Ubuntu", 24, "2.1.6"), ("Fedora", 40, "")],
)
def test_a_platform_tells_its_pacemaker_before_that_is_installed(system, release, version):
    assert platform.pacemaker({"os": system, "osmajorrelease": release}) == version
