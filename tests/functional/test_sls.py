"""The SLS: what includes what, and what they render to with every pillar that is published."""

from __future__ import annotations

import importlib.util
import re
from copy import deepcopy
from fnmatch import fnmatch
from pathlib import Path

import pytest
import yaml
from saltfactories.utils.functional import Loaders

from fshalib.cib.kinds import KINDS
from tests.functional.test_verbs import PILLAR
from tests.unit.pillars import with_key

ROOT = Path(__file__).parents[2]
FORMULA = ROOT / "fsha"
KINDS_TABLE = FORMULA / "parameters" / "kinds.yaml"
PILLARS = [ROOT / "pillar.example", *sorted((ROOT / "examples").glob("*.sls"))]
# Until version 0.2.
OLD_NAMES = {
    "fsha.package": "fsha.packages",
    "fsha.ocf": "fsha.agents.files",
    "fsha.switch": "fsha.freeswitch",
    "fsha.cluster": "fsha.pacemaker",
}
IN_ORDER = [
    "fsha.sync",
    "fsha.pillar",
    "fsha.python",
    "fsha.verdict",
    "fsha.packages",
    "fsha.agents.files",
    "fsha.agents.check",
    "fsha.network.hosts",
    "fsha.network.interfaces",
    "fsha.network.sysctl",
    "fsha.corosync.config",
    "fsha.corosync.service",
    "fsha.freeswitch.cluster",
    "fsha.freeswitch.install",
    "fsha.freeswitch.config",
    "fsha.freeswitch.service",
    "fsha.pacemaker.service",
    "fsha.pacemaker.cib",
]


def sls_name(path):
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "init" else parts)


FILES = {sls_name(path): path for path in sorted(FORMULA.rglob("*.sls"))}


def includes(path):
    """Return what an SLS includes; the list is the same with every pillar."""
    listed = re.search(r"^include:\n((?:  - \S+\n)+)", path.read_text(encoding="utf-8"), re.M)
    return re.findall(r"  - (\S+)", listed[1]) if listed else []


def test_every_include_is_there():
    for name, path in FILES.items():
        assert set(includes(path)) <= set(FILES), name


def test_no_two_files_include_each_other():
    def walk(name, above):
        assert name not in above, f"includes itself: {' > '.join([*above, name])}"
        for included in includes(FILES[name]):
            walk(included, [*above, name])

    for name in FILES:
        walk(name, [])


def is_include_only(path):
    text = path.read_text(encoding="utf-8")
    return set(yaml.safe_load(text)) == {"include"} and "{" not in text


def test_a_component_only_includes_its_parts():
    components = [path for path in FILES.values() if path.name == "init.sls"]
    assert all(is_include_only(path) for path in components)
    for path in components:
        parts = {sls_name(part) for part in path.parent.glob("*.sls")} - {sls_name(path)}
        assert path.parent == FORMULA or set(includes(path)) == parts


def test_old_names_only_include_the_new_ones():
    for old, new in OLD_NAMES.items():
        assert is_include_only(FILES[old])
        assert includes(FILES[old]) == [new]


# --- the table of kinds ------------------------------------------------------------------------


def table():
    return yaml.safe_load(KINDS_TABLE.read_text(encoding="utf-8"))


def test_the_table_of_kinds_is_that_of_the_library():
    assert [row["key"] for row in table()] == [k.key for k in KINDS.values() if not k.one]
    assert len({row["word"] for row in table()}) == len(table())


SPECS = {"primitive": {"agent": "lsb:x"}, "group": {"members": ["x"]}}


@pytest.mark.parametrize("kind", [k for k in KINDS.values() if not k.one], ids=lambda k: k.name)
def test_each_kind_has_the_state_that_stages_it(kind):
    (row,) = [row for row in table() if row["key"] == kind.key]
    file, function = row["state"].split(".")
    source = importlib.util.spec_from_file_location(file, ROOT / "_states" / f"{file}.py")
    state = importlib.util.module_from_spec(source)
    source.loader.exec_module(state)
    staged = []
    state.__states__ = {"pacemaker_cib.staged": lambda *args, **_: staged.append(args)}
    spec = SPECS.get(kind.name, {})
    getattr(state, function)("x", transaction="t", spec=spec)
    assert staged == [("x", kind.name, spec, "t")]


# --- rendering ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def rendering(opts, tmp_path_factory):
    """Salt's own functions with the formula's files as they are served."""
    root = tmp_path_factory.mktemp("served")
    # Without the modules: the loader finds them in the checkout, and nothing is synced each time.
    (root / "fsha").symlink_to(FORMULA)
    own = {"file_roots": {"base": [str(root)]}, "cachedir": str(tmp_path_factory.mktemp("cache"))}
    return Loaders({**opts, **own})


@pytest.fixture
def render(rendering, pillar):
    def low(data, *names):
        pillar.clear()
        pillar.update({"fsha": data})
        chunks = rendering.modules.state.show_low_sls(list(names))
        # A list of sentences, where something can't be rendered.
        assert all(isinstance(chunk, dict) for chunk in chunks), chunks
        return chunks

    return low


def example(path):
    return with_key(yaml.safe_load(path.read_text(encoding="utf-8"))["fsha"])


def methods():
    """Return the recommended pillar with each way to install FreeSWITCH, and with all options."""
    for method in ("none", "package", "repository", "prefix"):
        found = example(PILLARS[0])
        found["freeswitch"] |= {
            "install": {"method": method},
            "configuration": {"switchname": "voice"},
            "password": "s3cret",
            "init_script": True,
        }
        yield method, found


EACH = [*((path.name, example(path)) for path in PILLARS), *methods()]


@pytest.mark.parametrize("data", [data for _, data in EACH], ids=[name for name, _ in EACH])
def test_every_sls_renders(render, rendering, data):
    chunks = render(data, *FILES)
    assert {f"{chunk['state']}.{chunk['fun']}" for chunk in chunks} <= set(rendering.states)
    objects = [chunk for chunk in chunks if "spec" in chunk]
    given = [id for key in (k.key for k in KINDS.values() if not k.one)
             for id in data["pacemaker"].get(key, {})]  # fmt: skip
    assert [chunk["name"] for chunk in objects] == given


def test_a_node_has_the_name_that_uname_prints(render, rendering, monkeypatch):
    grains = {**rendering.opts["grains"], "nodename": "pbx1.example.net", "host": "pbx1"}
    monkeypatch.setitem(rendering.opts, "grains", grains)
    (chunk,) = [
        c for c in render(example(PILLARS[0]), "fsha") if c["__id__"] == "fsha-network-interfaces"
    ]
    assert chunk["name"] == "pbx1.example.net"


def test_no_sls_calls_a_node_by_another_name():
    for name, path in {**FILES, "map": FORMULA / "map.jinja"}.items():
        for grain in re.findall(r"grains\W+(\w+)", path.read_text(encoding="utf-8")):
            assert grain not in ("host", "id", "fqdn", "localhost"), name


def test_what_happens_in_order(render):
    *_, (_, data) = methods()
    chunks = render(data, "fsha")
    assert list(dict.fromkeys(chunk["__sls__"] for chunk in chunks)) == IN_ORDER
    assert tuple(chunk["__id__"] for chunk in chunks[:6]) == UNTOUCHED
    assert [c["__id__"] for c in chunks if c.get("failhard")] == [
        *UNTOUCHED[1:], "fsha-agents-known",
    ]  # fmt: skip


UNTOUCHED = (
    "fsha-sync",
    "fsha-pillar",
    "fsha-sync-lxml",
    "fsha-verdict-authkey",
    "fsha-verdict-corosync",
    "fsha-verdict",
)


TOUCHING = sorted(
    name
    for name in FILES
    if name.startswith(("fsha.agents", "fsha.network", "fsha.corosync", "fsha.freeswitch"))
    or name in ("fsha", "fsha.pacemaker", "fsha.ocf", "fsha.switch", "fsha.cluster")
)


@pytest.mark.parametrize("name", TOUCHING)
def test_every_part_is_judged_before_it_touches_anything(render, name):
    *_, (_, data) = methods()
    ids = [chunk["__id__"] for chunk in render(data, name)]
    assert tuple(ids[:6]) == UNTOUCHED


@pytest.mark.parametrize("bound", [True, False])
def test_what_the_standby_is_bound_to_is_forbidden_after_the_commit(render, bound):
    data = example(PILLARS[0])
    data["network"]["nonlocal_bind"] = bound
    chunks = render(data, "fsha")
    sysctls = [{"sysctl": c["__id__"]} for c in chunks if c["state"] == "sysctl"]
    assert len(sysctls) == 2
    (committed,) = [c for c in chunks if c["__id__"] == "fsha-cluster-committed"]
    assert committed.get("require_in", []) == ([] if bound else sysctls)
    # Nothing that the commit needs may need them, then.
    needed = {str(r) for c in chunks for r in c.get("require", [])}
    assert not [name for name in needed if "network.*" in name or "network.sysctl" in name]


def test_the_commit_needs_freeswitchs_configuration(render):
    for _, data in methods():
        chunks = render(data, "fsha")
        (committed,) = [c for c in chunks if c["__id__"] == "fsha-cluster-committed"]
        assert {"sls": "fsha.freeswitch.config"} in committed["require"]


def test_what_a_pillar_no_longer_configures_is_taken_away(render):
    data = example(PILLARS[0])
    for chunks in (render(data, "fsha"), render(data, "fsha.clean")):
        assert [c["fun"] for c in chunks if c["state"] == "freeswitch_config"] == ["absent"]
    ids = [c["__id__"] for c in chunks]
    # The switch is asked while its password is there.
    assert ids.index("fsha-clean-freeswitch") < ids.index("fsha-clean-files")


# FreeSWITCH goes on, so what it was installed by and what runs it stays.
STAYS = {
    "/etc/systemd/system/freeswitch.service",
    "/usr/bin/fs_cli",
    "/usr/share/keyrings/fsha-freeswitch.gpg",
    "/etc/apt/auth.conf.d/fsha-freeswitch.conf",
    "/etc/apt/sources.list.d/fsha-freeswitch.list",
    "/etc/hosts",
}
WRITING = {
    "corosync_authkey.present": "name",
    "corosync_config.managed": "name",
    "file.managed": "name",
    "file.symlink": "name",
    "fsha_freeswitch.password": "name",
    "fsha_freeswitch.repository_token": "name",
    "fsha_freeswitch.settings": "name",
    "fsha_network.hosts": "name",
    "sysctl.present": "config",
}


def written(chunks):
    """Return the files that states write."""
    names = ((c, WRITING.get(f"{c['state']}.{c['fun']}")) for c in chunks)
    return {c[key] for c, key in names if key}


def is_below(path, removed):
    return any(path == one or path.startswith(f"{one}/") for one in removed)


@pytest.mark.parametrize("method", ["none", "package", "repository", "prefix"])
def test_clean_takes_away_every_file_that_the_formula_writes(render, method):
    data = dict(methods())[method]
    data["fonebridge"] = {"device": "192.168.1.254", "spans": {"span1": {}}}
    put = written(render(data, "fsha"))
    assert len(put) > 10
    chunks = render(data, "fsha.clean")
    removed = {c["name"] for c in chunks if f"{c['state']}.{c['fun']}" == "file.absent"}
    left = {path for path in put if not is_below(path, removed)}
    assert left == STAYS & put
    # What it has changed without a file: a setting of the kernel, units, what runs them.
    ids = [c["__id__"] for c in chunks]
    assert ids.index("fsha-clean-sysctl-net.ipv4.ip_nonlocal_bind") < ids.index("fsha-clean-files")
    assert ids.index("fsha-clean-files") < ids.index("fsha-clean-units-read")
    assert ("fsha-clean-switch-running" in ids) is (method != "none")


def test_clean_leaves_an_init_script_of_somebody_else(render):
    data = example(PILLARS[0])
    data["freeswitch"]["init_script"] = False
    names = {c["name"]: c for c in render(data, "fsha.clean") if c["state"] == "file"}
    script = names["/etc/init.d/FSSofia"]
    assert [one["fun"] for one in script["onlyif"]] == ["file.contains"]


@pytest.mark.parametrize("test", [True, False])
def test_a_mistake_in_the_pillar_is_one_failed_state(rendering, pillar, test):
    pillar["fsha"] = {**example(PILLARS[0]), "colour": "red"}
    done = rendering.modules.state.sls("fsha", test=test)
    failed = [one for one in done if one.result is False]
    assert [one.id for one in failed] == ["fsha-pillar"]
    assert "fsha:colour" in failed[0].comment
    assert [one.id for one in done] == ["fsha-sync", "fsha-pillar"]


def left(high):
    """Return the SLS of which states are left when what is excluded has gone."""
    patterns = [one["sls"] for one in high.pop("__exclude__", ())]
    names = [one["__sls__"] for one in high.values()]
    return {n for n in names if not any(fnmatch(n, p) for p in patterns)}


@pytest.mark.parametrize("name", ["fsha", "fsha.pacemaker", "fsha.cluster", "fsha.agents"])
def test_what_an_agent_refuses_is_one_failed_state_of_a_test_run(rendering, pillar, name):
    data = deepcopy(PILLAR)
    resource = data["pacemaker"]["resources"]["ip_shared"]
    resource["params"]["nic_"] = "eth0"
    pillar["fsha"] = data
    show = rendering.modules.state.show_sls
    assert rendering.modules.fsha_pillar.agent_mistakes("nix") == ""
    whole = left(show(name, test=False))
    earlier = IN_ORDER[: IN_ORDER.index("fsha.agents.check") + 1]
    assert left(show(name, test=True)) == whole & {*earlier}
    # A real run ends with that state by itself.
    resource["params"]["nic"] = resource["params"].pop("nic_")
    assert left(show(name, test=True)) == whole


@pytest.mark.parametrize(
    ("resources", "function"),
    [
        ({}, "running"),
        ({"switch": {"agent": "systemd:freeswitch"}}, "disabled"),
        ({"switch": {"agent": "systemd:freeswitch.service"}}, "disabled"),
        ({"switch": {"agent": "service:freeswitch"}}, "disabled"),
        ({"switch": {"agent": "lsb:freeswitch"}}, "disabled"),
        ({"switch": {"agent": "ocf:fsha:FSSwitch"}}, "enabled"),
    ],
)
def test_nobody_else_starts_a_switch_that_the_cluster_runs(render, resources, function):
    data = example(PILLARS[0])
    data["freeswitch"]["install"] = {"method": "package"}
    data["pacemaker"]["resources"] |= resources
    (service,) = [c for c in render(data, "fsha") if c["__id__"] == "fsha-switch-running"]
    assert service["fun"] == function
    assert ("enable" in service) == (function == "running")


OVERRIDE = "/run/systemd/system/freeswitch.service.d/50-pacemaker.conf"


@pytest.mark.parametrize(
    ("install", "resources", "states"),
    [
        ("none", {}, ["file.absent", "module.run"]),
        ("package", {}, ["file.absent", "module.run", "service.running"]),
        ("package", {"switch": {"agent": "ocf:fsha:FSSwitch"}}, ["file.absent", "module.run"]),
        ("package", {"switch": {"agent": "service:freeswitch.service"}}, []),
    ],
)
def test_what_the_cluster_has_handed_over_is_systemds_after_the_commit(
    render, install, resources, states
):
    data = example(PILLARS[0])
    data["freeswitch"]["install"] = {"method": install}
    data["pacemaker"]["resources"] |= resources
    chunks = render(data, "fsha")
    handed = [c for c in chunks if c["__id__"].startswith(("fsha-switch-handed", "fsha-switch-st"))]
    assert [f"{c['state']}.{c['fun']}" for c in handed] == states
    assert [c["name"] for c in handed if c["state"] == "file"] == [OVERRIDE] * bool(states)
    order = [c["__id__"] for c in chunks]
    committed = order.index("fsha-cluster-committed")
    assert all(order.index(c["__id__"]) > committed for c in handed)
    assert OVERRIDE in [c["name"] for c in render(data, "fsha.clean") if c["fun"] == "absent"]


WRONG = {
    "a section": ("freeswitch", "text"),
    "installation": ("freeswitch", {"install": "package"}),
    "method": ("freeswitch", {"install": {"method": ["package"]}}),
    "configuration": ("freeswitch", {"configuration": [1]}),
    "resources": ("pacemaker", {"resources": None, "groups": "a"}),
    "a resource": ("pacemaker", {"resources": {"a": 1}}),
    "nodes": ("nodes", ["a", "b"]),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_still_renders_for_the_pillar_check_to_say_so(render, name):
    key, value = WRONG[name]
    ids = [chunk["__id__"] for chunk in render({**example(PILLARS[0]), key: value}, "fsha")]
    assert "fsha-pillar" in ids
