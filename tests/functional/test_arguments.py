"""Every verb, every argument, every wrong type: one sentence, and never a traceback."""

import inspect

import pytest
from salt.exceptions import CommandExecutionError, SaltInvocationError

from fshalib.schema import arguments
from tests.functional.conftest import ROOT

MODULES = sorted(path.stem for path in ROOT.glob("_modules/*.py"))
WRONG = {
    "number": 5,
    "negative": -1,
    "true": True,
    "fraction": 1.5,
    "list": ["a"],
    "empty list": [],
    "mapping": {"a": 1},
    "empty mapping": {},
    "empty text": "",
    "two lines": "x\ny",
    "bytes": b"x",
    "object": object(),
}
# What the verb needs beside the argument that is wrong.
NEEDED = {
    "transaction": "t",
    "kind": "primitive",
    "id": "x",
    "nodes": {},
    "text": "x",
    "fingerprint": "x",
    "file": "out.html",
    "directory": "conf",
    "number": 1,
    "name": "x",
    "space": "lsb",
    "state": "on",
}
QUICK = {"timeout": 0, "patience": 0, "settle_timeout": 0, "test": True}
# Nothing is asked of them, and they write: a node's facts, or what runs.
WITHOUT = frozenset({"fsha.facts", "corosync.reload"})


def verbs(loaders):
    """Return the public verbs of the formula's modules by their names."""
    names = [name for name in loaders.modules if name.partition(".")[0] in MODULES]
    return {name: loaders.modules[name] for name in names if name not in WITHOUT}


def parameters(verb):
    every = inspect.signature(verb).parameters.values()
    return {p.name: p for p in every if p.kind is not p.VAR_KEYWORD}


@pytest.fixture
def sandbox(cib_file, tmp_path, monkeypatch, opts):
    """A directory of the test's own, for verbs that write."""
    monkeypatch.chdir(tmp_path)
    opts["fsha.restore_directory"] = str(tmp_path / "restore")
    yield tmp_path
    del opts["fsha.restore_directory"]


def call(verb, name, value):
    """Return what a verb says of a wrong value: the sentence of its error, or of its answer."""
    known = parameters(verb)
    needed = [p.name for p in known.values() if p.default is p.empty]
    given = {key: NEEDED[key] for key in needed} | {k: v for k, v in QUICK.items() if k in known}
    try:
        answer = verb(**{**given, name: value})
    except (CommandExecutionError, SaltInvocationError) as error:
        return str(error)
    refused = isinstance(answer, dict) and answer.get("result") is False
    return str(answer.get("comment", "")) if refused else ""


@pytest.mark.parametrize("module", MODULES)
def test_no_wrong_type_is_a_traceback(loaders, sandbox, module):
    before = sorted(sandbox.iterdir())
    for verb_name, verb in verbs(loaders).items():
        for name in parameters(verb) if verb_name.startswith(f"{module}.") else ():
            for what, value in WRONG.items():
                sentence = call(verb, name, value)
                assert "Traceback" not in sentence, (verb_name, name, what)
                # A mapping may have several mistakes; each is one line.
                assert "\n" not in sentence or "mapping" in what, (verb_name, name, sentence)
    assert [path for path in sorted(sandbox.iterdir()) if path not in before] == []


TYPED = {
    "fsha.status": {"as_data": "flag"},
    "fsha.plan": {"pillar": "pillar", "override": "flag"},
    "fsha.lint": {"pillar": "pillar", "as_data": "flag", "cib": "path", "corosync_conf": "path"},
    "fsha.report": {"file": "path"},
    "fsha.export": {"file": "path", "corosync_conf": "path", "as_data": "flag"},
    "fsha.check": {"as_data": "flag"},
    "fsha.notice": {"as_data": "flag"},
    "fsha.history": {"as_data": "flag"},
    "fsha.failover": {"force": "flag", "by": "name", "test": "flag", "as_data": "flag"},
    "fsha.failback": {"force": "flag", "by": "name", "test": "flag", "as_data": "flag"},
    "fsha.drill": {"by": "name", "test": "flag", "as_data": "flag"},
    "fsha.drain": {"by": "name", "test": "flag"},
    "fsha.undrain": {"by": "name", "test": "flag"},
    "fsha.standby": {"force": "flag", "by": "name", "test": "flag"},
    "fsha.online": {"node": "name", "by": "name", "test": "flag"},
    "fsha.maintenance": {"by": "name", "test": "flag"},
    "fsha_pillar.mistakes": {"name": "name"},
    "fsha_pillar.agent_mistakes": {"name": "name"},
    "pacemaker.stage": {"transaction": "name", "run": "word", "test": "flag", "absent": "flag"},
    "pacemaker.plan": {
        "transaction": "name", "run": "word", "complete": "flag", "override": "flag",
        "guard": "mapping",
    },
    "pacemaker.verdict": {"pillar": "name", "patience": "seconds", "test": "flag"},
    "pacemaker.commit": {
        "transaction": "name", "run": "word", "complete": "flag", "override": "flag",
        "settle_timeout": "seconds", "restore_points": "count", "guard": "mapping",
    },
    "pacemaker.restore": {
        "override": "flag", "settle_timeout": "seconds", "restore_points": "count",
        "test": "flag",
    },
    "pacemaker.serving": {"name": "name"},
    "freeswitch.config_hash": {"directory": "path", "exclude": "list"},
    "freeswitch.configure": {
        "directory": "path", "pillar": "name", "patience": "seconds", "test": "flag",
    },
    "freeswitch.unconfigure": {
        "directory": "path", "pillar": "name", "patience": "seconds", "test": "flag",
    },
    "recovery_store.set_up": {"pillar": "name", "test": "flag"},
    "recovery_store.tear_down": {"pillar": "name", "test": "flag"},
    "freeswitch.pause": {"test": "flag"},
    "freeswitch.resume": {"test": "flag"},
    "freeswitch.recover": {"vips": "list", "test": "flag"},
    "corosync.config": {"path": "path"},
    "corosync.known": {"path": "path"},
    "corosync.pending": {
        "path": "path", "text": "text", "authkey": "path", "fingerprint": "text",
    },
    "corosync.guard": {
        "path": "path", "text": "text", "fingerprint": "text", "allow_restart": "flag",
    },
    "corosync.note_key": {"authkey": "path"},
    "corosync.guard_key": {"fingerprint": "text", "authkey": "path", "allow_restart": "flag"},
    "corosync.packaged_cluster": {"path": "path", "text": "text"},
    "corosync.forget_ghost": {"path": "path"},
}  # fmt: skip
EXPECTED = {
    "flag": ("true or false", ["number", "list", "mapping", "empty text", "object"]),
    "path": ("the path of a ", ["number", "true", "list", "mapping", "empty text", "two lines"]),
    "pillar": ("the path of a file or a mapping", ["number", "true", "list", "empty text"]),
    # A number is text that Salt has read as YAML.
    "name": ("a name", ["true", "list", "mapping", "two lines", "bytes"]),
    "word": ("text", ["true", "list", "mapping", "object"]),
    "text": ("text", ["number", "true", "list", "mapping", "object"]),
    "mapping": ("a mapping", ["number", "list", "two lines"]),
    "seconds": ("a number of seconds", ["negative", "true", "list", "two lines", "object"]),
    "count": ("a whole number from 0 on", ["negative", "true", "fraction", "mapping"]),
    "list": ("a list of text", ["number", "true", "mapping", "two lines"]),
}


@pytest.mark.parametrize("verb_name", TYPED)
def test_a_wrong_type_is_named_with_what_is_expected(loaders, sandbox, verb_name):
    verb = verbs(loaders)[verb_name]
    for name, kind in TYPED[verb_name].items():
        expected, wrong = EXPECTED[kind]
        for what in wrong:
            sentence = call(verb, name, WRONG[what])
            assert sentence.startswith(f"{name}: {expected}"), (name, what, sentence)
            assert " is expected, not " in sentence
            assert sentence.endswith(".")


def test_the_arguments_of_a_verb_are_in_this_table():
    """A verb that gets a typed argument gets it here, too."""
    source = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("_modules/*.py"))
    assert source.count("@arguments.typed(") == len(TYPED)


@pytest.mark.parametrize("value", [True, False, None, 0, 1])
def test_a_flag_may_be_a_number_or_nothing(value):
    assert arguments.FLAG.fits(value)


# --- the file that stands in for the cluster ----------------------------------------------------


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "which does not exist"),
        ("", "which is no XML: "),
        ("fsha: {}", "which is no XML: "),
        ("<html/>", "which is no CIB: its root is <html>"),
        ("directory", "which is no file"),
    ],
)
@pytest.mark.parametrize("verb", ["export", "status", "plan"])
def test_a_wrong_cib_file_is_one_sentence(loaders, cib_file, tmp_path, monkeypatch, content, why,
                                          verb):  # fmt: skip
    file = tmp_path / "other.xml"
    if content == "directory":
        file.mkdir()
    elif content is not None:
        file.write_text(content, encoding="utf-8")
    monkeypatch.setenv("CIB_file", str(file))
    if verb == "plan":
        said = loaders.modules.fsha.plan(pillar={"pacemaker": {}})["comment"]
    else:
        with pytest.raises(CommandExecutionError) as caught:
            loaders.modules[f"fsha.{verb}"]()
        said = str(caught.value)
    assert said.startswith(f"CIB_file names {file}, {why}")
    assert "\n" not in said


def test_a_cib_that_its_schema_refuses_is_said_with_what_tells_more(loaders, cib_file):
    cib_file.path.write_text(
        cib_file.text.replace("<constraints>", '<constraints><rsc_weird id="w"/>'), encoding="utf-8"
    )
    with pytest.raises(CommandExecutionError) as caught:
        loaders.modules.fsha.export()
    assert str(caught.value) == (
        f"CIB_file names {cib_file.path}, which does not fit its schema; crm_verify --xml-file "
        f"{cib_file.path} says why."
    )
