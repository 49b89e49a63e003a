"""Mirrors read from apt, stages built once, recipes that name them."""

import stat
import threading

import pytest

from lab import apt, build
from lab.cache import Cache, locked, recipe_key
from lab.errors import HostNotReadyError
from lab.progress import Progress
from lab.settings import REPOSITORY_PACKAGES, repository_packages

TARGETS = [
    "Packages|http://mirror.example/debian/|bookworm|main",
    "Packages|http://mirror.example/debian/|bookworm|contrib",
    "Translations|http://mirror.example/debian/|bookworm|main",
    "Packages|http://mirror.example/debian/|bookworm-updates|main",
    "Packages|http://security.example/|bookworm-security|main",
    "Packages|https://vendor.example/|stable|main",
]


def test_sources_of_the_host_release():
    sources = apt.sources_for("bookworm", "bookworm", TARGETS)
    assert sources[0] == apt.Source(
        "http://mirror.example/debian/", "bookworm", ("contrib", "main")
    )
    assert {s.suite for s in sources} == {"bookworm", "bookworm-updates", "bookworm-security"}
    assert not [s for s in sources if "vendor" in s.uri]


def test_sources_of_another_release_use_the_same_mirrors():
    suites = {s.suite: s.uri for s in apt.sources_for("trixie", "bookworm", TARGETS)}
    assert suites["trixie"] == "http://mirror.example/debian/"
    assert suites["trixie-security"] == "http://security.example/"


def test_no_debian_source_is_an_error():
    with pytest.raises(HostNotReadyError, match="no source for trixie"):
        apt.sources_for("trixie", "trixie", TARGETS)


@pytest.mark.parametrize(("text", "name"), [("ID=debian\nVERSION_CODENAME=trixie\n", "trixie")])
def test_codename(text, name):
    assert apt.host_codename(text) == name


@pytest.mark.parametrize("text", ["ID=ubuntu\nVERSION_CODENAME=noble\n", "ID=debian\n", ""])
def test_other_hosts_are_refused(text):
    with pytest.raises(HostNotReadyError, match="Debian 12 or 13"):
        apt.host_codename(text)


def test_trixie_takes_the_small_part_of_the_fence_agents():
    assert "fence-agents" in repository_packages("bookworm")
    assert "fence-agents-ipmilan" in repository_packages("trixie")
    assert len(repository_packages("trixie")) == len(REPOSITORY_PACKAGES)


@pytest.fixture
def cache(tmp_path):
    return Cache(tmp_path / "cache", Progress(quiet=True))


def test_a_stage_is_built_once(cache):
    built = []

    def make(where):
        built.append(where)
        (where / "result").write_text("x")

    first = cache.stage("thing", {"a": 1}, make)
    again = cache.stage("thing", {"a": 1}, make)
    other = cache.stage("thing", {"a": 2}, make)
    assert first == again
    assert first.path != other.path
    assert len(built) == 2
    assert (first.path / "result").read_text() == "x"


def test_a_failed_build_leaves_only_its_log(cache):
    def fail(where):
        (where / "build.log").write_text("why")
        raise RuntimeError("no")

    with pytest.raises(RuntimeError):
        cache.stage("thing", {}, fail)
    assert [path.read_text() for path in cache.root.iterdir()] == ["why"]


def test_an_abandoned_build_is_swept_away(cache):
    key = recipe_key({})
    (cache.root / f"thing-{key}.partial-1" / "deep").mkdir(parents=True)
    cache.stage("thing", {}, lambda where: None)
    assert [path.name for path in cache.stages()] == [f"thing-{key}"]


def test_two_builders_of_one_stage_build_it_once(cache):
    built = []
    started = threading.Event()

    def make(where):
        started.set()
        built.append(where)

    threads = [
        threading.Thread(target=cache.stage, args=("thing", {}, make), daemon=True)
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert started.is_set()
    assert len(built) == 1


def test_prune_spares_what_is_in_use(cache):
    used = cache.stage("a", {}, lambda where: None)
    unused = cache.stage("b", {}, lambda where: None)
    (cache.root / "c-1.log").write_text("why it failed")
    assert cache.prune({used.path}) == [unused.path]
    assert list(cache.root.iterdir()) == [used.path]


def test_a_lock_is_exclusive_and_leaves_no_file(tmp_path):
    path = tmp_path / "lock"
    order = []
    inside = threading.Event()
    waiting = threading.Event()

    def second():
        inside.wait(10)
        with locked(path, waiting.set):
            order.append("second")

    thread = threading.Thread(target=second, daemon=True)
    thread.start()
    with locked(path):
        inside.set()
        assert waiting.wait(10)
        order.append("first")
    thread.join(10)
    assert order == ["first", "second"]
    assert not path.exists()


def test_local_paths_of_a_pip_configuration(tmp_path):
    wheels, index = tmp_path / "wheels", tmp_path / "index" / "simple"
    wheels.mkdir()
    index.mkdir(parents=True)
    limits = tmp_path / "constraints.txt"
    limits.write_text("x<2\n")
    text = (
        f"[global]\nfind-links = {wheels}\nextra-index-url = file://{index} https://x.example/s\n"
        f"constraint = {limits}\ncert = {build.HOST_CERTIFICATES}\n"
    )
    assert build.local_paths(text) == [str(limits), str(tmp_path / "index"), str(wheels)]


def test_tree_digest_sees_names_modes_and_contents(tmp_path):
    file = tmp_path / "a"
    file.write_text("1")
    seen = {build.tree_digest(tmp_path)}
    file.write_text("2")
    seen.add(build.tree_digest(tmp_path))
    file.chmod(file.stat().st_mode | stat.S_IXUSR)
    seen.add(build.tree_digest(tmp_path))
    file.rename(tmp_path / "b")
    seen.add(build.tree_digest(tmp_path))
    (tmp_path / "link").symlink_to("b")
    seen.add(build.tree_digest(tmp_path))
    assert len(seen) == 5


def test_outside_has_one_layer_more(tmp_path):
    parts = {
        name: tmp_path / name for name in ("debian", "salt", "node", "outside", "repo", "wheels")
    }
    layers = build.Layers(release="bookworm", **parts)
    assert layers.lower(node=False)[1:] == layers.lower(node=True)
    assert layers.lower(node=True)[-1].endswith("debian")
