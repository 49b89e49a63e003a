"""The packages of the cluster, as the SLS render them from the grains of each platform."""

import pytest

from tests.functional.conftest import ROOT, Loaders
from tests.unit.pillar.test_platform import ARCH, GOOD, LOOKUP, TOO_OLD

COMMON = ["corosync", "pacemaker"]
DEBIAN = [*COMMON, "pacemaker-cli-utils", "resource-agents"]
UBUNTU = [*COMMON, "pacemaker-cli-utils", "resource-agents-base", "resource-agents-extra"]
OTHERS = [*COMMON, "pacemaker-cli", "resource-agents"]
PACKAGES = {"Ubuntu": UBUNTU, "Debian": DEBIAN, "Devuan": DEBIAN}


@pytest.fixture(scope="module")
def rendering(opts, tmp_path_factory):
    """Salt's own functions with the formula's SLS as they are served, and grains to choose."""
    root = tmp_path_factory.mktemp("served")
    # Without the modules: the loader finds them in the checkout, and nothing is synced each time.
    (root / "fsha").symlink_to(ROOT / "fsha")
    own = {"file_roots": {"base": [str(root)]}, "cachedir": str(tmp_path_factory.mktemp("cache"))}
    return Loaders({**opts, **own})


@pytest.fixture
def on(rendering, pillar, monkeypatch):
    """Return a function that runs something with the grains of a host and a fsha:lookup."""

    def run(host, function, *args, lookup=None, **kwargs):
        pillar["fsha"] = {} if lookup is None else {"lookup": lookup}
        monkeypatch.setitem(rendering.opts, "grains", {**rendering.grains, **host})
        return rendering.modules[function](*args, **kwargs)

    return run


def packages(chunks):
    return next(chunk["pkgs"] for chunk in chunks if chunk["__id__"] == "fsha-package-installed")


@pytest.mark.parametrize("host", GOOD, ids=lambda g: f"{g['os']} {g['osrelease']}")
def test_the_packages_of_a_platform(on, host):
    low = on(host, "state.show_low_sls", "fsha.packages")
    assert packages(low) == PACKAGES.get(host["os"], OTHERS)


UNFIT = [*(host for host, *_ in TOO_OLD), ARCH]


@pytest.mark.parametrize("host", UNFIT, ids=lambda g: f"{g['os']} {g['osrelease']}")
def test_an_unfit_platform_is_one_sentence(on, host):
    done = on(host, "state.single", "fsha_pillar.checked", name="fsha")
    assert done.result is False
    assert done.comment.count("\n") == 0
    assert host["os"] in done.comment


def test_every_sls_renders_on_an_unknown_platform(on):
    # For the pillar check, which all of them need, to say why nothing happens.
    chunks = on(ARCH, "state.show_low_sls", "fsha")
    assert all(isinstance(chunk, dict) for chunk in chunks)
    assert "fsha-pillar" in [chunk["__id__"] for chunk in chunks]


def test_packages_by_hand_on_an_unknown_platform(on):
    low = on(ARCH, "state.show_low_sls", "fsha.packages", lookup=LOOKUP)
    assert packages(low) == LOOKUP["packages"]
