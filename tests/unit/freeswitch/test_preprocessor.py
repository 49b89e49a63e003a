"""FreeSWITCH's preprocessor as it is, with its peculiarities."""

from pathlib import Path

import pytest

from fshalib.freeswitch import preprocessor as fsx
from fshalib.freeswitch.preprocessor import SwitchConfError


def lines(files, tmp_path):
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    found = fsx.expanded(tmp_path / "freeswitch.xml", Path.read_text)
    return [(f"{line.file.name}:{line.number}", line.text) for line in found if line.text.strip()]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("<a/>\n<?xml version='1.0'?>\n<b/>", ["<a/>", "<b/>"]),
        ("<!-- no X-PRE-PROCESS can be commented out\n<b/>", ["<b/>"]),
        ("<XX-PRE-PROCESS cmd='set' data='a=b'/><lost/>", []),
        ('<X-PRE-PROCESS cmd="set" data="v = 7 "/>\n<a v="$${v}" w="$${w}"/>',
         ['<a v="7 " w="$${w}"/>']),
        ('<x-pre-process CMD="SET" DATA="v=7"/>\n<a v="$${v}"/>', ['<a v="7"/>']),
        ('<X-PRE-PROCESS cmd="set" data="v=7"/>\n<X-PRE-PROCESS cmd="env-set" data="v=V"/>\n$${v}',
         ["$${v}"]),
        ('<a/><!--#set "v=7"--><b/>\n$${v}', ["<a/><b/>", "7"]),
        ("<a/><!--#comment\n<lost/>\n--><b/>", ["<a/>", "<b/>"]),
        ("$${conf_dir}", ["{conf}"]),
    ],
)  # fmt: skip
def test_lines(tmp_path, text, expected):
    found = [line for _, line in lines({"freeswitch.xml": text}, tmp_path)]
    assert found == [one.replace("{conf}", str(tmp_path)) for one in expected]


def test_includes(tmp_path):
    found = lines(
        {
            "freeswitch.xml": '<X-PRE-PROCESS cmd="include" data="vars.xml"/>\n<a>\n'
            '<!--\n<X-PRE-PROCESS cmd="include" data="$${where}/*.xml"/><lost/>\n-->\n'
            '<!--#include "d/x.xml"-->\n</a>',
            "vars.xml": '<X-PRE-PROCESS cmd="set" data="where=d"/>',
            "d/y.xml": '<X-PRE-PROCESS cmd="include" data="../e.xml"/>\n',
            "d/x.xml": "<x/>",
            "d/.hidden.xml": "<hidden/>",
            "e.xml": "<include>\n<e/>\n</include>",
        },
        tmp_path,
    )
    assert found == [
        ("freeswitch.xml:2", "<a>"), ("freeswitch.xml:3", "<!--"), ("x.xml:1", "<x/>"),
        ("e.xml:2", "<e/>"), ("freeswitch.xml:5", "-->"), ("x.xml:1", "<x/>"),
        ("freeswitch.xml:7", "</a>"),
    ]  # fmt: skip


def test_what_freeswitch_takes_and_xml_does_not(tmp_path):
    path = tmp_path / "freeswitch.xml"
    path.write_text("<d>\n<!-- a -- b -->\n<p v='a & b &nbsp; &amp; &#65;'/>\n</d>\n")
    found = fsx.whole(path, Path.read_text)
    (param,) = found.root.iter("p")
    assert param.get("v") == "a & b &nbsp; & A"
    assert found.place(param) == f"{path}:3"


@pytest.mark.parametrize(
    ("text", "where", "words"),
    [
        ("<d>\n<p>\n</d>", ":3", r"not well-formed XML: .*freeswitch.xml:2"),
        ("", "", "not well-formed XML|it is empty"),
        ("<?xml?>", "", "it is empty"),
        ('<d>\n<X-PRE-PROCESS cmd="include" data="no.xml"/>\n</d>', ":2", "no.xml, which is not"),
        ('<X-PRE-PROCESS cmd="include" data="freeswitch.xml"/>', "", "in a circle"),
    ],
)
def test_what_freeswitch_could_not_load(tmp_path, text, where, words):
    path = tmp_path / "freeswitch.xml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(SwitchConfError, match=words) as caught:
        fsx.whole(path, Path.read_text)
    assert caught.value.path.startswith(f"{path}{where}")
