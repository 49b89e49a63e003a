"""The rendered /etc/default/FSSofia: whatever the value, the shell gets it back unchanged."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path

import jinja2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

FILES = Path(__file__).parents[3] / "fsha" / "files"
TEMPLATE = (FILES / "FSSofia.default.jinja").read_text(encoding="utf-8")
KEYS = [
    "profiles", "vips", "recover", "fs_cli", "host", "port", "password_file", "start_timeout",
    "stop_timeout", "switch_wait", "bind_wait", "teardown_ms", "connect_timeout_ms",
    "reply_timeout_ms", "action_timeout_ms", "runtime_dir", "switch_process",
]  # fmt: skip
VALUES = st.text(st.characters(exclude_characters="\0\r", codec="utf-8"), max_size=30)


def render(**context: object) -> str:
    environment = jinja2.Environment(undefined=jinja2.StrictUndefined, keep_trailing_newline=True)
    return environment.from_string(TEMPLATE).render(**context)


def read_back(shell: str, text: str, name: str) -> str:
    script = f'{text}\nprintf "%s" "${{{name}}}"'
    done = subprocess.run([shell, "-u"], input=script.encode(), capture_output=True, check=True)
    assert done.stderr == b""
    return done.stdout.decode()


@pytest.mark.parametrize("shell", ["dash", "bash"])
@settings(max_examples=25, deadline=None)
@given(value=VALUES, key=st.sampled_from(KEYS))
def test_every_value_survives(shell, value, key):
    text = render(**{"profiles": "internal", key: value})
    assert read_back(shell, text, key.upper()) == value


@settings(max_examples=100, deadline=None)
@given(value=VALUES)
def test_a_value_is_one_word_of_the_shell(value):
    assert f"HOST={value}" in shlex.split(render(profiles=["a"], host=value), comments=True)


def test_lists_and_flags_and_defaults():
    text = render(profiles=["internal", "external"], vips=[], recover=False, port=8021, host=None)
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    assert lines == ["PROFILES='internal external'", "VIPS=''", "RECOVER='no'", "PORT='8021'"]


def test_profiles_are_required():
    with pytest.raises(jinja2.UndefinedError):
        render(vips=[])


def test_every_key_of_the_script_can_be_set():
    script = (FILES / "FSSofia").read_text(encoding="utf-8")
    body = script.partition("set_defaults() {\n")[2].partition("\n}")[0]
    assert {line.strip().partition("=")[0].lower() for line in body.splitlines()} == set(KEYS)
