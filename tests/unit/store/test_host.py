"""What a store has on the host."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fshalib.errors import StoreError
from fshalib.freeswitch.event_socket import Access
from fshalib.store import config, installing, passwords, server, tables
from fshalib.store.scheme import Side

SIDE = Side("a", 1, "b", 2, ("192.0.2.2", "2001:db8::2"), 15432, "/x/pgpass")


def its(**more):
    release = server.Release(15, "/usr/lib/postgresql/15/bin")
    return server.Server(release, 15432, ("192.0.2.1",), 512, **more)


def its_config():
    return config.Config(
        SIDE, "/usr/lib/postgresql/15/bin", "/run/x", 15432, ("192.0.2.9",), "/run/fsha/FSSofia",
        Access(password_file="/x/password"),
    )  # fmt: skip


def test_the_keeper_needs_nothing_but_what_is_copied_for_it(tmp_path):
    for file in installing.library_files():
        path = tmp_path / Path(file.path).relative_to(installing.LIBRARY)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(file.text, "utf-8")
    code = "from fshalib.store.program import main; import sys; sys.exit(main(['nonsense']))"
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]},
    )  # fmt: skip
    assert done.returncode == 2
    assert "fsha-recovery-store keep" in done.stderr


def test_the_configuration_comes_back(tmp_path):
    path = tmp_path / "store.json"
    path.write_text(config.text(its_config()), "utf-8")
    assert config.load(str(path)) == its_config()
    with pytest.raises(StoreError, match=r"state\.apply"):
        config.load(str(tmp_path / "nowhere"))


def test_only_the_switch_and_the_peer_may_log_in():
    rules = server.access(SIDE.peer_addresses).splitlines()[1:]
    assert rules == [
        "local all postgres peer",
        "host freeswitch freeswitch 127.0.0.1/32 scram-sha-256",
        "host freeswitch fsha_replication 192.0.2.2/32 scram-sha-256",
        "host freeswitch fsha_replication 2001:db8::2/128 scram-sha-256",
    ]


def test_no_secret_is_where_others_read():
    secrets = {"switch": "of-switch", "replication": "of-pair"}
    files = installing.host_files(its(), its_config(), "freeswitch", secrets)
    for file in files:
        if any(secret in file.text for secret in secrets.values()):
            assert file.secret
            assert file.mode == 0o600
    assert sum(file.secret for file in files) == 3
    assert not any(secret in SIDE.source for secret in secrets.values())


@pytest.mark.parametrize(
    ("free", "kept"), [(0, 128), (2 * 2**30, 409), (2**40, 4096), (700 * 2**20, 140)]
)
def test_how_much_log_is_kept(free, kept):
    assert server.keep_megabytes(free) == kept


@given(st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=40))
@settings(max_examples=10, deadline=None)
def test_a_password_is_known_by_what_checks_it(password):
    checks = passwords.verifier(password)
    assert passwords.is_of(checks, password)
    assert not passwords.is_of(checks, password + "x")
    assert password not in checks or len(password) < 3


@pytest.mark.parametrize(
    "text", ["", "md5abc", "SCRAM-SHA-256$1:x$y:z", "SCRAM-SHA-256$4096:AA==$"]
)
def test_what_is_no_verifier(text):
    assert not passwords.is_of(text, "x")


def test_the_nodes_of_a_pair_have_the_same_password_and_no_other_pair():
    assert passwords.of_pair(b"a" * 256) == passwords.of_pair(b"a" * 256)
    assert passwords.of_pair(b"a" * 256) != passwords.of_pair(b"b" * 256)


def release(base, number, *, whole=True):
    programs = base / "postgresql" / str(number) / "bin"
    programs.mkdir(parents=True)
    for name in server.NEEDED if whole else ("psql",):
        (programs / name).touch()


def test_the_newest_whole_release_is_taken(tmp_path):
    release(tmp_path, 15)
    release(tmp_path, 17)
    release(tmp_path, 18, whole=False)
    found = server.newest((tmp_path / "postgresql", tmp_path / "none"))
    assert (found.major, Path(found.programs).parent.name) == (17, "17")


def test_what_is_too_old_and_what_is_missing_is_said(tmp_path):
    places = (tmp_path / "postgresql", tmp_path / "none")
    with pytest.raises(StoreError, match="not installed"):
        server.newest(places)
    release(tmp_path, 13)
    with pytest.raises(StoreError, match=r"13 is too old.*external"):
        server.newest(places)


def test_a_port_that_another_program_has():
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        with pytest.raises(StoreError, match=rf"port {port} .*fsha:recovery_store:port"):
            installing.check_port(port)
    installing.check_port(port)


# As a compiler leaves it: the text of a literal, between zeros.
BINARY = (
    b"\x7fELF\0\0CREATE TABLE recovery (\n   runtime_uuid    VARCHAR(255),\n"
    b"   region    VARCHAR(64),\n   metadata        text\n);\n\0\0drop\0"
)


def test_the_columns_that_the_installed_switch_wants():
    assert [column.name for column in tables.in_binary(BINARY)["recovery"]] == [
        "runtime_uuid", "region", "metadata",
    ]  # fmt: skip
    recovery, registrations = tables.wanted([BINARY])
    assert recovery.columns[:-1] == tables.RECOVERY.columns
    assert recovery.columns[-1] == tables.Column("region", "VARCHAR(64)")
    assert registrations == tables.REGISTRATIONS


@given(st.binary(max_size=300))
def test_no_binary_is_misread(data):
    assert tables.wanted([data]) == tables.BUILT_IN
