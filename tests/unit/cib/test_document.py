"""A text becomes a CIB's tree, or is refused."""

import pytest

from fshalib.cib import document
from fshalib.cib.document import NotACib, parse, render
from fshalib.cib.merge import merge
from fshalib.cib.read import read
from tests.unit.build import obj

BOMB = (
    '<!DOCTYPE cib [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">'
    '<!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;"><!ENTITY f "&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;">'
    '<!ENTITY g "&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;"><!ENTITY h "&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;">]>'
    '<cib x="&h;&h;&h;"><configuration/></cib>'
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "Document is empty"),
        ("cibadmin: could not connect", "Start tag expected"),
        ("<cib><configuration>", "Premature end"),
        ("<status/>", "its root is <status>"),
        ("<cib/>", "<configuration> is expected"),
        ("<!DOCTYPE cib><cib><configuration/></cib>", "document type definition"),
        (
            '<!DOCTYPE cib [<!ENTITY x SYSTEM "file:///etc/passwd">]>'
            "<cib><configuration>&x;</configuration></cib>",
            "document type definition",
        ),
        (BOMB, ""),
        ('<cib epoch="many"><configuration/></cib>', "whole numbers"),
        ('<cib epoch="-1"><configuration/></cib>', "whole numbers"),
        ("<cib><configuration>\ud800</configuration></cib>", "surrogates"),
        ("<cib><configuration>\x00</configuration></cib>", ""),
    ],
)
def test_what_is_no_cib_is_refused_in_one_sentence(text, reason):
    with pytest.raises(NotACib) as caught:
        parse(text)
    assert reason in str(caught.value)
    assert str(caught.value).startswith("This is not a CIB: ")


def test_an_entity_never_brings_a_file_in(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hunter2", encoding="utf-8")
    text = (
        f'<!DOCTYPE cib [<!ENTITY x SYSTEM "file://{secret}">]><cib><configuration>&x;'
        "</configuration></cib>"
    )
    with pytest.raises(NotACib) as caught:
        parse(text)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"><primitive id="evil"/>',
        "<!-- ]]> -->",
        "&amp;&lt;",
        "line\nline\r\n\ttab",
        "電話 \U0001f4de é",
        "x" * 65536,
        "${SHELL}; rm -rf /",
    ],
)
def test_hostile_values_stay_values(text):
    values = {"agent": "lsb:FSSofia", "description": text, "params": {"a": text}}
    item = obj("primitive", "p", {**values, "meta": {"b": text}})
    root = parse(document.EMPTY)
    merge(root, [item])
    again = parse(render(root))
    assert read(again, item) == item
    assert [e.get("id") for e in again.iter("primitive")] == ["p"]


def test_versions_are_compared_as_the_cluster_does():
    root = parse('<cib admin_epoch="1" epoch="12" num_updates="3"><configuration/></cib>')
    assert str(document.version(root)) == "1.12.3"
    document.next_version(root)
    assert str(document.version(root)) == "1.13.0"
    assert document.Version(0, 9, 0) < document.Version(0, 10, 0) < document.Version(1, 0, 0)
