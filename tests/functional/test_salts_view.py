"""What Salt sees of the verbs: their arguments and their help, and errors of its own."""

import inspect

import pytest
from salt.exceptions import CommandExecutionError, SaltInvocationError

VERBS = {
    "fsha": {
        "status", "plan", "lint", "report", "export", "check", "facts", "notice", "history",
        "failover", "failback", "drill", "drain", "undrain", "standby", "online", "maintenance",
    },
    "pacemaker": {
        "cib", "status", "stage", "plan", "commit", "history", "restore", "is_reporter", "agent",
        "agents", "serving", "verdict", "operational",
    },
    "fsha_pillar": {"agent_mistakes", "mistakes"},
    "corosync": {
        "installed", "status", "faults", "config", "known", "test_config", "pending", "reload",
        "guard", "note_key", "guard_key", "packaged_cluster", "ghost", "forget_ghost",
    },
    "freeswitch": {
        "status", "profiles", "calls", "ready", "gateways", "registrations", "config_hash",
        "pause", "resume", "recover", "configure", "unconfigure",
    },
}  # fmt: skip


@pytest.mark.parametrize("module", VERBS)
def test_the_verbs_are_those_and_no_others(loaders, module):
    names = set(loaders.modules.sys.list_functions(module))
    assert names == {f"{module}.{verb}" for verb in VERBS[module]}


@pytest.mark.parametrize(
    ("name", "args", "defaults", "keywords"),
    [
        ("fsha.history", ["limit", "kind", "as_data"], (20, None, None), None),
        ("fsha.drain", ["seconds", "by", "test"], (0, None, None), True),
        ("pacemaker.agent", ["name"], None, None),
        ("corosync.reload", None, None, None),
        ("freeswitch.registrations", ["limit"], (100,), None),
    ],
)
def test_salt_knows_the_arguments_of_a_verb(loaders, name, args, defaults, keywords):
    spec = loaders.modules.sys.argspec(name)[name]
    assert (spec["args"], spec["defaults"], spec["kwargs"]) == (args, defaults, keywords)


def test_every_verb_has_its_help(loaders):
    for module, verbs in VERBS.items():
        found = loaders.modules.sys.doc(module)
        for verb in verbs:
            assert "CLI Example:" in found[f"{module}.{verb}"], f"{module}.{verb}"


def test_a_verb_looks_like_itself(loaders):
    verb = loaders.modules["fsha.failover"]
    assert list(inspect.signature(verb).parameters)[:2] == ["target", "resource"]


def test_the_librarys_errors_come_as_salts(loaders, cib_file):
    cib_file.path.write_text("no cib", encoding="utf-8")
    with pytest.raises(CommandExecutionError):
        loaders.modules.fsha.status()
    with pytest.raises(SaltInvocationError, match="limit: a whole number from 1"):
        loaders.modules.fsha.history(0)
