"""States with Salt's own loader, on a CIB in a file: no cluster, no daemon, no root."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import salt.config
from saltfactories.utils.functional import Loaders

from fshalib.cib import document
from fshalib.pacemaker import tools

ROOT = Path(__file__).parents[2]
TOOLS = "/usr/sbin:/usr/bin:/sbin:/bin"
PAIR = ROOT / "tests/unit/samples/pair.xml"


@pytest.fixture(scope="session")
def opts(tmp_path_factory):
    """A masterless minion's options, with everything that it writes in a directory of its own."""
    root = tmp_path_factory.mktemp("salt")
    found = salt.config.minion_config(None, role="minion")
    found.update({"hosts.file": str(root / "hosts"), "fsha.journal": str(root / "journal")})
    found.update(
        id="fs1",
        root_dir=str(root),
        file_client="local",
        file_roots={"base": []},
        pillar_roots={"base": []},
        module_dirs=[str(ROOT / "tests/functional/salt"), str(ROOT)],
        cachedir=str(root / "cache"),
        sock_dir=str(root / "run"),
        pki_dir=str(root / "pki"),
        conf_file=str(root / "minion"),
        log_file=str(root / "log"),
        lazy_loader_strict_matching=True,
        fsha_events=str(root / "events"),
        test=False,
    )
    return found


@pytest.fixture(scope="session")
def session_loaders(opts):
    return Loaders(opts)


@pytest.fixture
def pillar(monkeypatch):
    """The pillar of the test's runs: given as it is, for compiling one is half of a run's time."""
    found = {}
    monkeypatch.setattr("salt.state.State._gather_pillar", lambda _state: dict(found))
    return found


@pytest.fixture
def loaders(session_loaders, pillar):
    yield session_loaders
    session_loaders.reset_state()


# On a file, cibadmin itself adds one more to the epoch that a patch brings (2.1.5); on a cluster it
# does not. Either way it is the same for each patch, and so tells how many there were.
EPOCHS_PER_PATCH = 2


class CibFile:
    """A CIB in a file, read with lxml, changed by other people with cibadmin."""

    def __init__(self, path):
        self.path = path

    @property
    def text(self):
        return self.path.read_text(encoding="utf-8")

    @property
    def root(self):
        return document.parse(self.text)

    @property
    def version(self):
        return document.version(self.root)

    def patches_since(self, version):
        """Return how many patches have been committed since a version."""
        patches, rest = divmod(self.version.epoch - version.epoch, EPOCHS_PER_PATCH)
        assert rest == 0
        return patches

    def get(self, path):
        """Return the attributes of the one element at a path."""
        (element,) = self.root.xpath(path)
        return dict(element.attrib)

    def count(self, path):
        return len(self.root.xpath(path))

    def by_hand(self, *argv):
        """Change it as an operator would."""
        subprocess.run(argv, check=True, capture_output=True)

    def assert_sound(self):
        """Assert that the cluster itself has nothing against it."""
        assert tools.verify(self.text) == ()


def _on_file(path, monkeypatch):
    monkeypatch.setenv("CIB_file", str(path))
    # The tools of the host's packages, wherever the tests are started from.
    monkeypatch.setenv("PATH", TOOLS)
    return CibFile(path)


@pytest.fixture
def cib_file(tmp_path, monkeypatch):
    """The article's pair with both nodes online and the group running on fs1."""
    path = tmp_path / "cib.xml"
    shutil.copy(PAIR, path)
    return _on_file(path, monkeypatch)


@pytest.fixture
def empty_cib(tmp_path, monkeypatch):
    """A cluster of two nodes that was never configured."""
    path = tmp_path / "cib.xml"
    root = document.parse(PAIR.read_text(encoding="utf-8"))
    for section in ("crm_config", "resources", "constraints", "rsc_defaults"):
        for child in list(root.find(f"configuration/{section}")):
            child.getparent().remove(child)
    for history in list(root.iter("lrm_resource")):
        history.getparent().remove(history)
    path.write_text(document.render(root), encoding="utf-8")
    return _on_file(path, monkeypatch)


@pytest.fixture
def events(opts):
    """Return what has been sent to the bus since the last look."""
    kept = Path(opts["fsha_events"])
    kept.unlink(missing_ok=True)

    def look():
        lines = kept.read_text(encoding="utf-8").splitlines() if kept.exists() else []
        kept.unlink(missing_ok=True)
        return [json.loads(line) for line in lines]

    return look


@pytest.fixture
def high(loaders):
    """Return a function that runs several states as one run, and their returns by id."""

    def run(*states, test=False):
        data = {
            name: {
                "__env__": "base",
                "__sls__": "test",
                module: [function, {"order": order}, *({k: v} for k, v in rest.items())],
            }
            for order, (name, module, function, rest) in enumerate(states, start=10000)
        }
        done = loaders.modules.state.high(data, test=test)
        return {one.id: one for one in done}

    return run
