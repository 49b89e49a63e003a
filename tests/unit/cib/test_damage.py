"""What Pacemaker before 2.1.8 does not keep; such a one is the judge where it is installed."""

import subprocess

import pytest

from fshalib.cib import damage
from fshalib.cib.document import parse
from fshalib.pacemaker import version
from tests.unit.build import cib, dummy, text

AFTER = "{} behind a letter that is not ASCII"


@pytest.mark.parametrize(
    ("value", "what"),
    [
        ("Büro & Zentrale", AFTER.format("&")),
        ("€ < x", AFTER.format("<")),
        ("ü>x", AFTER.format(">")),
        ('日本 "x"', AFTER.format('"')),
        ("😀&", AFTER.format("&")),
        ("a & ü & b", AFTER.format("&")),
        ("ü\n&", AFTER.format("&")),
        ("a\nb", "the end of a line"),
        ("a\rb", "the end of a line"),
        ("a\tb", "a tab"),
        ("a & b < c > \"d\" 'e' ü", ""),
        ("ü'x", ""),
        ("Büro und Zentrale", ""),
        ("", ""),
    ],
)
def test_what_is_damaged(value, what, tmp_path):
    assert damage.damaged(value) == what
    if not version.older(version.installed(), damage.SAFE_SINCE):
        pytest.skip("there is no Pacemaker before 2.1.8 here")
    file = tmp_path / "cib.xml"
    root = cib(dummy("a"), schema="pacemaker-3.9")
    file.write_text(text(root), encoding="utf-8")
    root.find(".//primitive").set("description", value)
    resources = text(root.find("configuration/resources"))
    done = subprocess.run(
        ["/usr/sbin/cibadmin", "--replace", "-o", "resources", "--xml-pipe"],
        input=resources.encode(), env={"CIB_file": str(file)}, capture_output=True, check=False,
    )  # fmt: skip
    after = subprocess.run(["/usr/sbin/cibadmin", "--query"], env={"CIB_file": str(file)},
                           capture_output=True, check=False).stdout.decode()  # fmt: skip
    if what == AFTER.format(">"):
        return  # It is not escaped either, which XML allows; readers of other XML may not.
    kept = done.returncode == 0 and bool(after) and _description(after) == value
    assert kept is (what == "")


def _description(answer):
    return parse(answer).find(".//primitive").get("description")


@pytest.mark.parametrize(
    ("said", "older"),
    [("2.1.5", True), ("2.1.7", True), ("2.1.8", False), ("2.1.11", False), ("3.0", False),
     ("2.1", True), ("", False)],
)  # fmt: skip
def test_which_versions_damage(said, older):
    assert version.older(said, damage.SAFE_SINCE) is older
