"""The static interfaces of a node: which of the nodes this host is."""

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).parents[3] / "_states/fsha_network.py"
NODES = {
    "pbx1.example.net": {
        "addresses": ["10.0.0.1/24"],
        "interfaces": {"eth9": {"address": "10.0.0.1/24"}},
    },
    "pbx2.example.net": {"addresses": ["10.0.0.2/24"]},
}


@pytest.fixture
def state():
    source = importlib.util.spec_from_file_location("fsha_network", FILE)
    module = importlib.util.module_from_spec(source)
    source.loader.exec_module(module)
    module.__opts__ = {"test": True}
    module.live = {"eth0": {"inet": [{"address": "10.9.9.9"}]}}
    module.__salt__ = {"network.interfaces": lambda: module.live}
    module.__states__ = {
        "network.managed": lambda name, **_: {
            "name": name, "result": None, "changes": {}, "comment": f"{name} would be written."
        }
    }  # fmt: skip
    return module


def test_a_whole_domain_name_is_a_name(state):
    done = state.interfaces("pbx1.example.net", NODES, managed=True)
    assert "eth9" in done["changes"]


def test_a_node_that_the_pillar_calls_otherwise_is_known_by_its_address(state):
    state.live = {"eth0": {"inet": [{"address": "10.0.0.1"}]}}
    assert "eth9" in state.interfaces("pbx1", NODES, managed=True)["changes"]


def test_without_interfaces_in_the_pillar_it_says_so(state):
    done = state.interfaces("pbx2.example.net", NODES, managed=True)
    assert (done["result"], done["changes"]) == (True, {})
    assert "nodes:pbx2.example.net:interfaces" in done["comment"]


@pytest.mark.parametrize(("address", "peer"), [("10.0.0.1/32", "10.9.9.1"), ("10.0.0.1/8", None)])
def test_a_host_route_leads_to_the_gateway(state, address, peer):
    given = []
    state.__states__ = {
        "network.managed": lambda name, **more: (
            given.append(more) or {"name": name, "result": True, "changes": {}, "comment": ""}
        )
    }
    stanza = {"address": address, "gateway": "10.9.9.1"}
    state.interfaces("a", {"a": {"interfaces": {"eth9": stanza}}}, managed=True)
    assert given[0].get("pointopoint") == peer
    assert given[0]["gateway"] == "10.9.9.1"


def test_a_host_that_is_no_node_fails(state):
    done = state.interfaces("elsewhere", NODES, managed=True)
    assert done["result"] is False
    assert "elsewhere" in done["comment"]
    assert "pbx1.example.net" in done["comment"]


def test_what_is_not_managed_is_left_alone(state):
    assert state.interfaces("elsewhere", NODES)["changes"] == {}
    assert "network:interfaces" in state.interfaces("elsewhere", NODES)["comment"]
