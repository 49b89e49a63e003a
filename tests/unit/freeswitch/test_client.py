"""FreeSWITCH is asked through fs_cli, and the password stays in private files."""

import stat
from pathlib import Path

import pytest

from fshalib.freeswitch import client
from fshalib.freeswitch.client import Access, SwitchUnreachable, access, ask, parse_profiles
from fshalib.system import programs

STATUS = """\
<?xml version="1.0" encoding="ISO-8859-1"?>
<profiles>
<profile>
<name>internal</name>
<type>profile</type>
<data>sip:mod_sofia@10.101.20.219:5060</data>
<state>RUNNING (3)</state>
</profile>
<profile>
<name>external</name>
<state>DOWN (0)</state>
</profile>
<alias><name>old</name></alias>
</profiles>
"""


def answering(code=0, out="", seen=None):
    def run(argv, timeout, env):
        settings = Path(env["HOME"], ".fs_cli_conf")
        if seen is not None:
            mode = stat.S_IMODE(settings.stat().st_mode)
            seen.append((argv, settings.read_text(encoding="utf-8"), mode, timeout, env["HOME"]))
        return programs.Completed(tuple(argv), code, out, "", 0.0)

    return run


def test_the_password_reaches_fs_cli_in_a_private_file_only(tmp_path):
    password = tmp_path / "password"
    password.write_text("hunter2\n", encoding="utf-8")
    seen = []
    reply = ask(
        "sofia status",
        Access("/usr/bin/fs_cli", "10.0.0.1", 8022, str(password)),
        run=answering(out="+OK", seen=seen),
    )
    assert reply == "+OK"
    ((argv, settings, mode, timeout, home),) = seen
    assert argv[0] == "/usr/bin/fs_cli"
    assert argv[-2:] == ["-x", "sofia status"]
    assert "hunter2" not in " ".join(argv)
    assert settings == "[default]\nhost => 10.0.0.1\nport => 8022\npassword => hunter2\n"
    assert mode == 0o600
    assert timeout == 6.0
    assert not Path(home).exists()


def test_without_a_file_it_is_freeswitchs_own_default():
    seen = []
    ask("status", run=answering(seen=seen))
    assert "password => ClueCon\n" in seen[0][1]


@pytest.mark.parametrize(
    ("code", "reason"),
    [(255, "down, still starting, or refuses"), (254, "no answer in time"), (1, "down")],
)
def test_a_switch_that_does_not_answer(code, reason):
    with pytest.raises(SwitchUnreachable, match=reason):
        ask("status", run=answering(code))


def test_a_switch_that_hangs():
    def run(argv, timeout, env):
        raise programs.ToolTimeout(argv, timeout)

    with pytest.raises(SwitchUnreachable, match="Event Socket hangs"):
        ask("status", run=run)


def test_a_password_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SwitchUnreachable, match=r"password file .*nix can't be read"):
        ask("status", Access(password_file=str(tmp_path / "nix")), run=answering())


def test_profiles_have_their_sessions_or_do_not_run():
    assert parse_profiles(STATUS) == {"internal": 3, "external": None}
    assert parse_profiles("<profiles></profiles>") == {}


def test_tls_is_told_by_where_a_profile_is_bound():
    profile = "<profiles><profile><data>sip:x@192.0.2.9:5061{}</data></profile></profiles>"
    assert client.speaks_tls(profile.format(";transport=tls"))
    assert not client.speaks_tls(profile.format(""))


@pytest.mark.parametrize("text", ["", "-ERR no reply\n", "<profiles>"])
def test_a_reply_that_is_no_xml(text):
    with pytest.raises(SwitchUnreachable, match="is no XML"):
        parse_profiles(text)
    assert issubclass(client.SwitchUnreachable, programs.RunError)


def test_how_the_switch_is_asked_is_in_the_pillar():
    told = {"fs_cli": "/opt/fs/bin/fs_cli", "port": 8022, "password_file": "/etc/x"}
    assert access({"fsha": {"freeswitch": told}}) == Access(
        "/opt/fs/bin/fs_cli", "127.0.0.1", 8022, "/etc/x"
    )
    assert access({}).host == access({"fsha": None}).host == "127.0.0.1"
