"""Execution functions, and the states that only look, on a CIB in a file."""

import base64
import inspect
import json
import platform
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from salt.exceptions import CommandExecutionError, SaltInvocationError

from fshalib.cib import damage
from fshalib.pacemaker import version
from fshalib.pillar import config as pillar_config
from fshalib.pillar import once
from tests.functional.conftest import ROOT, TOOLS

BANS = "//rsc_location[starts-with(@id, 'cli-ban-')]"


# --- pacemaker -------------------------------------------------------------------------------


def test_the_cib_and_the_status_as_data(loaders, cib_file):
    verbs = loaders.modules
    assert verbs.pacemaker.cib().startswith("<cib ")
    status = verbs.pacemaker.status()
    assert status["dc"] == "fs1"
    assert [node["name"] for node in status["nodes"]] == ["fs1", "fs2"]
    assert verbs.pacemaker.serving("VoiceServices") == {"node": "fs1", "why": ""}
    assert verbs.pacemaker.serving("nix") == {
        "node": "",
        "why": "there is no resource nix in the cluster",
    }
    assert verbs.pacemaker.is_reporter() is True


def test_an_object_is_staged_planned_and_committed_from_the_command_line(loaders, cib_file):
    pacemaker = loaders.modules.pacemaker
    before = cib_file.text
    staged = pacemaker.stage("group", "mine", "VoiceServices", {"members": ["fs", "ip_shared"]})
    assert staged == {
        "members": {"old": ["ip_shared", "fs"], "new": ["fs", "ip_shared"]},
    }
    plan = pacemaker.plan("mine")
    assert plan["changes"] == {"VoiceServices": staged}
    assert cib_file.text == before
    done = pacemaker.commit("mine")
    assert (done["committed"], done["settled"], done["attempts"]) == (True, True, 1)
    assert pacemaker.plan("mine")["empty"]


@pytest.mark.parametrize(
    ("kind", "id", "spec", "said"),
    [
        ("clones", "x", {}, "kind: one of properties, .* clone, .* is expected, not 'clones'"),
        ("group", "", {}, "id: an id .* is expected"),
        ("group", "g", {}, "members"),
        ("group", "g", {"members": ["fs"], "color": "red"}, "color"),
        ("group", "g", {"members": []}, "g:members"),
        ("group", "g", "members", "g: a mapping is expected, not text"),
    ],
)
def test_a_bad_object_is_told_from_the_command_line(loaders, cib_file, kind, id, spec, said):
    with pytest.raises(SaltInvocationError, match=said):
        loaders.modules.pacemaker.stage(kind, "mine", id, spec)


def test_an_empty_transaction_never_removes_everything(loaders, cib_file):
    before = cib_file.text
    with pytest.raises(CommandExecutionError, match="nothing is staged"):
        loaders.modules.pacemaker.commit("mine", complete=True)
    assert cib_file.text == before


def test_an_agent_tells_its_parameters(loaders, cib_file):
    found = loaders.modules.pacemaker.agent("ocf:heartbeat:IPaddr2")
    assert found["parameters"]["ip"]["required"] is True
    assert "monitor" in found["actions"]
    assert loaders.modules.pacemaker.agent("ocf:heartbeat:NoSuchAgent") is None


@pytest.mark.parametrize("function", ["cib", "status", "is_reporter"])
def test_a_cluster_that_cannot_be_asked_is_one_sentence(loaders, tmp_path, monkeypatch, function):
    monkeypatch.setenv("PATH", TOOLS)
    monkeypatch.setenv("CIB_file", str(tmp_path / "nix"))
    if function == "is_reporter":
        monkeypatch.delenv("CIB_file")
    with pytest.raises(CommandExecutionError) as caught:
        loaders.modules[f"pacemaker.{function}"]()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("given", [5, None, ["x"], {"a": 1}, "", "a\0b"])
@pytest.mark.parametrize(
    ("module", "verb", "also"),
    [
        ("pacemaker", "agent", []),
        ("pacemaker", "agents", []),
        ("pacemaker", "restore", []),
        ("pacemaker", "stage", ["mine", "x", {}]),
        ("corosync", "faults", []),
        ("corosync", "config", []),
        ("corosync", "test_config", []),
    ],
)
def test_an_argument_that_is_none_is_no_traceback(loaders, cib_file, given, module, verb, also):
    function = loaders.modules[f"{module}.{verb}"]
    try:
        answer = function(given, *also)
    except (CommandExecutionError, SaltInvocationError):
        return
    # No corosync runs on this host, and what is no configuration is said to be none.
    assert (module, verb) in {("corosync", "faults"), ("corosync", "test_config")}
    assert answer


ODD = [5, -1, 1.5, float("nan"), True, None, [], ["x"], {"a": 1}, "", "a\0b", "no such", b"x"]
NAMES = ["resource", "target", "node", "reason", "run", "transaction", "file", "cib", "pillar",
         "corosync_conf", "test", "force", "override", "settle_timeout"]  # fmt: skip
ELSE = {
    "pacemaker.commit": {"transaction": "nix"},
    "pacemaker.plan": {"transaction": "nix"},
    "pacemaker.restore": {"number": 1},
    "fsha.maintenance": {"state": "on"},
}


@pytest.mark.parametrize(
    "verb",
    [
        *("fsha.failover", "fsha.failback", "fsha.drill", "fsha.standby", "fsha.online"),
        *("fsha.maintenance", "fsha.lint", "fsha.plan", "fsha.export", "fsha.report"),
        *ELSE,
    ],
)
def test_a_verb_with_any_argument_ends_in_an_answer_or_a_sentence(
    loaders, cib_file, tmp_path, monkeypatch, verb
):
    monkeypatch.chdir(tmp_path)
    function = loaders.modules[verb]
    known = inspect.signature(function).parameters
    before = cib_file.text
    refused = []
    for name in known.keys() & set(NAMES):
        for value in ODD:
            given = {"test": True} if "test" in known else {}
            try:
                function(**{**ELSE.get(verb, {}), **given, name: value})
            except (CommandExecutionError, SaltInvocationError) as error:
                refused.append(str(error))
            if name != "test" or value is not None:
                assert cib_file.text == before, (name, value)
            cib_file.path.write_text(before, encoding="utf-8")
    assert refused
    assert not any("\n" in text for text in refused if "expected, not" in text)


def test_a_restore_point_has_a_whole_number(loaders, cib_file):
    for number in (4.7, float("inf"), True, "-1"):
        with pytest.raises(SaltInvocationError, match="that of a restore point"):
            loaders.modules.pacemaker.restore(number)


# --- states that look and wait ---------------------------------------------------------------


def test_a_cluster_is_ready_when_all_nodes_are_there(loaders, cib_file):
    ready = loaders.states.pacemaker_cluster.ready
    done = ready(name="voice", nodes=["fs1", "fs2"], timeout=0)
    assert (done.result, done.changes) == (True, {})
    late = ready(name="voice", nodes=["fs1", "fs3"], timeout=0)
    assert late.result is False
    assert late.comment == "After 0 s: node fs3 has not joined; unexpected node fs2."
    assert ready(name="voice", nodes=["fs1"], timeout=0, test=True).result is None


def test_a_cluster_works_without_a_node_that_is_away(loaders, cib_file):
    def ready(*nodes, **rest):
        ask = loaders.states.pacemaker_cluster.ready
        return ask(name="voice", nodes=list(nodes), timeout=0, require_all=False, **rest)

    for test in (False, True):
        done = ready("fs1", "fs2", "fs3", test=test)
        assert (done.result, done.changes) == (True, {})
        assert done.warnings == ["Away: node fs3 has not joined."]
    assert ready("fs1", "fs3").result is False


def test_the_first_run_waits_for_all_nodes(loaders, empty_cib):
    ask = loaders.states.pacemaker_cluster.ready
    done = ask(name="voice", nodes=["fs1", "fs2", "fs3"], timeout=0, require_all=False)
    assert (done.result, done.comment) == (False, "After 0 s: node fs3 has not joined.")


def test_a_resource_runs_or_is_complained_of(loaders, cib_file):
    running = loaders.states.pacemaker_resource.running
    assert running(name="VoiceServices").comment == "VoiceServices serves on fs1."
    cib_file.path.write_text(cib_file.text.replace('rc-code="0"', 'rc-code="7"'), encoding="utf-8")
    done = running(name="VoiceServices", timeout=0)
    assert done.result is False
    assert done.comment.startswith(
        "VoiceServices does not serve after 0 s: ip_shared is Started on fs1 and has failed; "
    )
    assert running(name="VoiceServices", test=True).result is None


def test_a_bare_host_is_no_error_under_test(loaders, monkeypatch, events, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CIB_file", raising=False)
    monkeypatch.setattr("fshalib.system.programs.SBIN", str(tmp_path))
    states = loaders.states
    shown = states.pacemaker_property.present(
        name="cib-bootstrap-options", values={"stonith-enabled": False}, test=True
    )
    assert (shown.result, events()) == (None, [])
    assert list(shown.changes["objects"]) == ["cib-bootstrap-options"]
    assert "can't be told before it is installed" in shown.comment
    done = states.pacemaker_property.present(
        name="cib-bootstrap-options", values={"stonith-enabled": False}
    )
    assert (done.result, done.comment) == (False, "cibadmin is not installed on this node.")


# --- the pillar ------------------------------------------------------------------------------

PILLAR = {
    "cluster": {"name": "voice"},
    "nodes": {
        platform.node(): {"addresses": ["10.101.20.110/24"]},
        "fs2": {"addresses": ["10.101.20.220/24"]},
    },
    "corosync": {"authkey": base64.b64encode(secrets.token_bytes(256)).decode("ascii")},
    "pacemaker": {
        "properties": {"stonith-enabled": False},
        "resources": {
            "ip_shared": {"agent": "ocf:heartbeat:IPaddr2", "params": {"ip": "10.101.20.219"}},
        },
    },
    "freeswitch": {"profiles": ["internal"]},
}


@pytest.fixture
def checked(loaders, pillar):
    """Return a function that runs a state with a pillar."""

    def run(function, fsha, **rest):
        pillar["fsha"] = fsha
        return loaders.modules.state.single(function, name="fsha", **rest)

    return run


def test_a_sound_pillar(checked, cib_file):
    done = checked("fsha_pillar.checked", PILLAR)
    assert done.result is True
    assert "2 nodes, 2 cluster objects" in done.comment
    assert checked("fsha_pillar.agents_known", PILLAR).result is True


@pytest.mark.parametrize("test", [False, True])
def test_the_pillar_is_checked_once_in_a_run(high, pillar, cib_file, tmp_path, monkeypatch, test):
    checks = []
    check = pillar_config.check

    def counted(raw):
        checks.append(raw)
        return check(raw)

    monkeypatch.setattr(pillar_config, "check", counted)
    monkeypatch.setattr(once, "_LAST", {})
    pillar["fsha"] = PILLAR
    settings = tmp_path / "FSSofia"
    source = str(ROOT / "fsha/files/FSSofia.default.jinja")
    done = high(
        ("fsha", "fsha_pillar", "checked", {}),
        ("agents", "fsha_pillar", "agents_known", {"name": "fsha"}),
        (str(settings), "fsha_freeswitch", "settings", {"source": source}),
        (str(tmp_path), "freeswitch_config", "managed", {}),
        test=test,
    )
    assert (done["fsha"].result, done["agents"].result) == (True, True)
    assert done[str(settings)].result is (None if test else True)
    assert "freeswitch.xml" in done[str(tmp_path)].comment
    assert checks == [PILLAR]


def test_a_run_with_another_pillar_checks_that_one(checked, cib_file):
    assert "2 cluster objects" in checked("fsha_pillar.checked", PILLAR).comment
    fewer = {**PILLAR, "pacemaker": {"properties": {"stonith-enabled": False}}}
    assert "1 cluster objects" in checked("fsha_pillar.checked", fewer).comment
    assert "2 cluster objects" in checked("fsha_pillar.checked", PILLAR).comment


def test_a_host_that_is_no_node_is_told(checked, cib_file):
    nodes = {"fs1": PILLAR["nodes"][platform.node()], "fs2": PILLAR["nodes"]["fs2"]}
    done = checked("fsha_pillar.checked", {**PILLAR, "nodes": nodes})
    assert done.result is False
    assert done.comment.startswith("fsha:nodes: a node of this host's name")
    assert "none of fs1, fs2" in done.comment


@pytest.mark.parametrize("wrong", [None, "x", [], {"nodes": 5}, {**PILLAR, "color": "red"}])
def test_a_bad_pillar_is_told_without_a_traceback(checked, wrong):
    for function in ("fsha_pillar.checked", "fsha_pillar.agents_known"):
        done = checked(function, wrong)
        assert done.result is False
        assert "fsha" in done.comment
        assert "Traceback" not in done.comment


@pytest.mark.skipif(
    not version.older(version.installed(), damage.SAFE_SINCE),
    reason="the Pacemaker here keeps every value",
)
def test_a_value_that_pacemaker_damages_is_told_at_the_door(checked, loaders, cib_file):
    vip = {**PILLAR["pacemaker"]["resources"]["ip_shared"], "description": "Büro & Zentrale"}
    pillar = {**PILLAR, "pacemaker": {"resources": {"ip_shared": vip}}}
    for function in ("fsha_pillar.checked", "fsha_pillar.agents_known"):
        done = checked(function, pillar)
        assert done.result is False
        assert done.comment.startswith(
            "fsha:pacemaker:resources:ip_shared:description: a value without & behind a letter"
        )


def test_an_agent_or_parameter_that_does_not_exist_is_told(checked, cib_file):
    resources = {
        "a": {"agent": "ocf:heartbeat:Dumy"},
        "b": {"agent": "ocf:heartbeat:Dummy", "params": {"stat": "x"}},
    }
    pillar = {**PILLAR, "pacemaker": {**PILLAR["pacemaker"], "resources": resources}}
    done = checked("fsha_pillar.agents_known", pillar)
    assert done.result is False
    assert '"ocf:heartbeat:Dumy" is not on this node' in done.comment
    assert "fsha:pacemaker:resources:b:params:stat" in done.comment
    assert "state" in done.comment


def _with_freeswitch(**rest):
    return {**PILLAR, "freeswitch": {**PILLAR["freeswitch"], **rest}}


def test_the_password_goes_from_the_checked_pillar_into_a_file_for_root(loaders, pillar, tmp_path):
    file = tmp_path / "password"
    pillar["fsha"] = _with_freeswitch(password="s3cret")
    run = loaders.modules.state.single
    done = run("fsha_freeswitch.password", name=str(file))
    assert (done.result, file.read_text(encoding="utf-8")) == (True, "s3cret\n")
    assert file.stat().st_mode & 0o777 == 0o400
    assert "s3cret" not in str(done.changes)
    pillar["fsha"] = PILLAR
    done = run("fsha_freeswitch.password", name=str(file))
    assert (done.result, done.comment) == (False, "fsha:freeswitch:password: this key is missing.")
    pillar["fsha"] = _with_freeswitch(password=5)
    done = run("fsha_freeswitch.password", name=str(file))
    assert done.result is False
    assert done.comment.startswith("fsha:freeswitch:password: a password of visible ASCII")


def test_the_token_goes_from_the_checked_pillar_into_apts_file(loaders, pillar, tmp_path):
    file = tmp_path / "freeswitch.conf"
    run = loaders.modules.state.single
    url = "https://freeswitch.signalwire.com/repo/deb/debian-release/"
    pillar["fsha"] = _with_freeswitch(install={"method": "repository"})
    done = run("fsha_freeswitch.repository_token", name=str(file), url=url)
    assert (done.result, file.exists()) == (True, False)
    pillar["fsha"] = _with_freeswitch(install={"method": "repository", "token": "t0ken"})
    done = run("fsha_freeswitch.repository_token", name=str(file), url=url)
    assert done.result is True
    line = "machine freeswitch.signalwire.com login signalwire password t0ken\n"
    assert file.read_text(encoding="utf-8") == line
    assert file.stat().st_mode & 0o777 == 0o600


# --- the host --------------------------------------------------------------------------------


def test_every_node_stands_in_the_hosts_file(loaders, opts):
    hosts = Path(opts["hosts.file"])
    hosts.write_text("127.0.0.1 localhost\n", encoding="utf-8")
    nodes = {
        "fs1": {"addresses": ["10.0.0.1/24", "10.0.1.1/24"], "aliases": ["fs1.example.com"]},
        "fs2": {"addresses": ["fd00::2/64"]},
    }
    state = loaders.states.fsha_network.hosts
    shown = state(name="/etc/hosts", nodes=nodes, test=True)
    assert shown.result is None
    assert "fs1" not in hosts.read_text(encoding="utf-8")
    done = state(name="/etc/hosts", nodes=nodes)
    assert done.result is True
    assert set(done.changes) == set(shown.changes) == {"fs1.example.com", "fs1", "fs2"}
    written = [line.split() for line in hosts.read_text(encoding="utf-8").splitlines()]
    assert ["127.0.0.1", "localhost"] in written
    assert {name: line[0] for line in written for name in line[1:]} == {
        "localhost": "127.0.0.1",
        "fs1.example.com": "10.0.0.1",
        "fs1": "10.0.0.1",
        "fs2": "fd00::2",
    }
    again = state(name="/etc/hosts", nodes=nodes)
    assert (again.result, again.changes) == (True, {})
    off = state(name="/etc/hosts", nodes={"fs9": {"addresses": ["10.0.0.9/24"]}}, managed=False)
    assert (off.result, off.changes) == (True, {})


def test_lxml_is_there(loaders):
    done = loaders.states.fsha_python.lxml(name="lxml")
    assert (done.result, done.changes) == (True, {})


@pytest.fixture
def no_lxml(monkeypatch):
    found = __import__("importlib.util").util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec",
        lambda name, *rest: None if name == "lxml.etree" else found(name, *rest),
    )


def test_lxml_for_salts_own_package_is_a_matter_of_salt_pip(loaders, no_lxml, monkeypatch):
    monkeypatch.setattr(sys, "RELENV", "/opt/saltstack/salt", raising=False)
    done = loaders.states.fsha_python.lxml(name="lxml")
    assert done.result is False
    assert "(onedir, " in done.comment
    assert "'salt-pip install lxml'" in done.comment


def test_lxml_that_cannot_be_had_is_told_with_what_to_do(loaders, no_lxml):
    shown = loaders.states.fsha_python.lxml(name="lxml", test=True)
    assert shown.result is None
    assert list(shown.changes) == ["lxml"]
    done = loaders.states.fsha_python.lxml(name="lxml")
    assert done.result is False
    assert "): no index; install libxml2's headers. Install it by hand with" in done.comment
    assert f"'{sys.executable} -m pip install lxml'" in done.comment


def test_lxml_put_where_this_salt_does_not_look_is_told(loaders, no_lxml):
    done = loaders.states.fsha_python.lxml(name="lxml-elsewhere")
    assert done.result is False
    assert "pip says that it is installed, but not in /" in done.comment
    assert "by hand" not in done.comment


# --- status and switchover -------------------------------------------------------------------


def test_the_status_is_a_page_and_data(loaders, cib_file):
    data = loaders.modules.fsha.status(as_data=True)
    assert data["service"] == {
        "id": "VoiceServices",
        "node": "fs1",
        "vips": ["10.101.20.219"],
        "several": [],
    }
    assert [(n["name"], n["state"]) for n in data["nodes"]] == [
        ("fs1", "online"),
        ("fs2", "online"),
    ]
    assert data["leftovers"] == []
    # Neither corosync nor FreeSWITCH is on this machine's file.
    assert len(data["notes"]) == 2
    page = loaders.modules.fsha.status()
    assert page.startswith("VoiceServices serves on fs1, VIP 10.101.20.219   [quorate, DC fs1]\n")


def test_the_status_tells_what_operators_left_behind(loaders, cib_file):
    cib_file.by_hand("crm_resource", "--ban", "-r", "VoiceServices", "--node", "fs2")
    data = loaders.modules.fsha.status(as_data=True)
    left = data["leftovers"][0]
    assert left.startswith(
        "VoiceServices: banned from fs2 (cli-ban-VoiceServices-on-fs2): the service can't fail "
        "over to fs2 meanwhile."
    )
    assert "crm_resource --clear --resource VoiceServices --node fs2" in left
    (action,) = data["actions"]["actions"]
    assert (action["kind"], action["node"]) == ("ban", "fs2")


@pytest.mark.parametrize(
    ("by_hand", "kwargs", "said"),
    [
        ([], {"target": "fs1"}, "the service runs on fs1 already"),
        ([], {"target": "fs9"}, "fs9 is no node of this cluster"),
        ([], {"resource": "nix"}, "there is no resource nix"),
        ([], {"timeout": "soon"}, "have to be numbers"),
        (
            ["crm_attribute", "-N", "fs2", "-n", "standby", "-v", "on", "-t", "nodes"],
            {},
            "fs2 is standby",
        ),
        (
            ["crm_attribute", "-n", "maintenance-mode", "-v", "true"],
            {},
            "the cluster is in maintenance mode",
        ),
        (
            ["crm_resource", "--ban", "-r", "ip_shared", "--node", "fs2"],
            {},
            "the cluster would not start VoiceServices on fs2",
        ),
    ],
)
def test_a_switchover_that_cannot_be_is_refused(loaders, cib_file, events, by_hand, kwargs, said):
    if by_hand:
        cib_file.by_hand(*by_hand)
    before = cib_file.text
    answer = loaders.modules.fsha.failover(**kwargs)
    assert answer["result"] is False
    assert answer["comment"].startswith("Nothing was moved: ")
    assert said in answer["comment"]
    assert cib_file.text == before
    assert events() == []


def test_a_peer_that_does_not_take_over_is_given_up_without_a_trace(loaders, cib_file, events):
    # On a file nothing ever moves.
    answer = loaders.modules.fsha.failover(timeout=0.5)
    assert answer["result"] is False
    assert answer["comment"].startswith("fs2 did not take VoiceServices over (")
    assert answer["comment"].endswith("It is back on fs1.")
    assert cib_file.count(BANS) == 0
    assert [(tag, event["data"]["phase"]) for tag, event in events()] == [
        ("fsha/failover/fs1/VoiceServices", phase)
        for phase in ("started", "check", "move", "failed")
    ]


def test_a_switchover_that_breaks_off_says_so(loaders, cib_file, events, monkeypatch):
    from fshalib.change import commit
    from fshalib.system import programs

    def broken(*_):
        raise programs.ToolMissing("cibadmin")

    monkeypatch.setattr(commit, "change", broken)
    answer = loaders.modules.fsha.failover(timeout=1)
    assert answer["result"] is False
    assert "was broken off: cibadmin is not installed on this node." in answer["comment"]
    phases = [event["data"]["phase"] for _, event in events()]
    assert phases == ["started", "check", "move", "failed"]


def test_there_is_nothing_to_go_back_to(loaders, cib_file):
    answer = loaders.modules.fsha.failback()
    assert answer["result"] is False
    assert "no earlier switchover to undo" in answer["comment"]


def test_salt_call_shows_the_status(cib_file, opts, tmp_path, monkeypatch):
    (tmp_path / "minion").write_text(
        json.dumps(
            {
                "id": "fs1",
                "root_dir": str(tmp_path),
                "file_client": "local",
                "module_dirs": [str(ROOT)],
                "lazy_loader_strict_matching": True,
            }
        ),
        encoding="utf-8",
    )
    argv = [str(Path(sys.executable).with_name("salt-call")), f"--config-dir={tmp_path}", "--local"]
    done = subprocess.run(
        [*argv, "--out=json", "fsha.status", "as_data=True"],
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    assert json.loads(done.stdout)["local"]["service"]["node"] == "fs1"
