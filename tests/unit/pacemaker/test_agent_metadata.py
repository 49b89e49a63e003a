"""Agents' metadata as the field writes it."""

import pytest

from fshalib.pacemaker import agent_metadata
from fshalib.pacemaker.agent import AgentMetadata, Parameter

USUAL = """<?xml version="1.0"?>
<!DOCTYPE resource-agent SYSTEM "ra-api-1.dtd">
<resource-agent name="Thing" version="1.0">
<version>1.0</version>
<longdesc lang="en">Two &lt;words&gt;.</longdesc>
<parameters>
<parameter name="ip" unique="1" required="1"><content type="string" default="" /></parameter>
<parameter name="nic" unique="0"><longdesc>x</longdesc><content type="string"/></parameter>
<parameter name="count"><content type="Integer" default="5"/></parameter>
</parameters>
<actions>
<action name="start" timeout="20s"/>
<action name="monitor" depth="0" timeout="20s" interval="10s"/>
<action name="monitor" depth="10" timeout="20s" interval="60s"/>
</actions>
</resource-agent>
"""


def test_usual():
    assert agent_metadata.parse_metadata(USUAL) == AgentMetadata(
        {
            "ip": Parameter(True, "ip", "string", ""),
            "nic": Parameter(False, "", "string", None),
            "count": Parameter(False, "", "integer", "5"),
        },
        ("start", "monitor"),
    )


@pytest.mark.parametrize(
    ("parameter", "expected"),
    [
        ('<parameter name="a" required="true" unique="YES"/>', Parameter(True, "a")),
        ('<parameter name="a" required="0" unique="false"/>', Parameter()),
        (
            '<parameter name="a" unique-group="pair"><content/></parameter>',
            Parameter(unique="pair"),
        ),
        (
            '<parameter name="a" unique="1" unique-group="pair"/>',
            Parameter(unique="pair"),
        ),
        ('<parameter name=" a "><content type=""/></parameter>', Parameter()),
        (
            '<parameter name="a"><content type="select" default="x"><option value="x"/></content>'
            '</parameter><parameter name="a" deprecated="1" required="1"/>',
            Parameter(type="select", default="x", options=("x",)),
        ),
    ],
)
def test_odd_parameters(parameter, expected):
    text = (
        f"<resource-agent><parameters><parameter/>{parameter}</parameters><actions/>"
        "</resource-agent>"
    )
    assert agent_metadata.parse_metadata(text) == AgentMetadata({"a": expected}, ())


@pytest.mark.parametrize(
    "parameters",
    [
        # As fence agents write it …
        '<parameter name="ip" required="1" obsoletes="ipaddr"/>'
        '<parameter name="ipaddr" required="1" deprecated="1"/>',
        # … and as OCF 1.1 has it.
        '<parameter name="ip" required="1"/><parameter name="ipaddr" required="1">'
        '<deprecated><replaced-with name="ip"/></deprecated></parameter>',
    ],
)
def test_deprecated_parameters_are_not_required(parameters):
    text = f"<resource-agent><parameters>{parameters}</parameters></resource-agent>"
    assert agent_metadata.parse_metadata(text).parameters == {
        "ip": Parameter(required=True, older=("ipaddr",)),
        "ipaddr": Parameter(),
    }


def test_text_around_the_document():
    noise = f"/usr/bin/thing: command not found\n{USUAL}\nbye\n"
    assert agent_metadata.parse_metadata(noise) == agent_metadata.parse_metadata(USUAL)


def test_no_parameters_at_all():
    text = '<resource-agent name="lsb"><actions><action name="stop"/></actions></resource-agent>'
    assert agent_metadata.parse_metadata(text) == AgentMetadata({}, ("stop",))


def test_entities_are_not_resolved(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("hidden", encoding="ascii")
    text = (
        f'<!DOCTYPE resource-agent [<!ENTITY x SYSTEM "file://{secret}">]>'
        '<resource-agent><parameters><parameter name="a"><content default="&x;"/></parameter>'
        "</parameters></resource-agent>"
    )
    with pytest.raises(agent_metadata.MetadataError):
        agent_metadata.parse_metadata(text)


@pytest.mark.parametrize(
    "text",
    ["", "no xml", "<resource-agent>", "<resource-agent><a></resource-agent>",
     "</resource-agent><resource-agent>", "<resource-agent>\x00</resource-agent>",
     "<resource-agents><x/></resource-agents>", "<resource-agent>\ud800</resource-agent"],
)  # fmt: skip
def test_no_metadata(text):
    with pytest.raises(agent_metadata.MetadataError, match="metadata cannot be read"):
        agent_metadata.parse_metadata(text)
