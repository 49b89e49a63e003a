"""Where a pillar comes from that is asked about."""

import pytest

from fshalib.errors import ArgumentError
from fshalib.pillar import source
from fshalib.schema.report import ConfigErrors

RESOURCES = {"resources": {"vip": {"agent": "ocf:heartbeat:IPaddr2", "params": {"ip": "10.0.0.9"}}}}


@pytest.mark.parametrize("given", [{"fsha": {"nodes": 1}}, {"nodes": 1}])
def test_a_pillar_is_given_whole_or_from_its_key(given):
    assert source.fsha(given) == {"nodes": 1}


def test_a_pillar_from_a_file(tmp_path):
    file = tmp_path / "new.sls"
    file.write_text("fsha: {nodes: 1}\n", encoding="utf-8")
    assert source.fsha(str(file)) == {"nodes": 1}
    file.write_text("fsha: [\n", encoding="utf-8")
    with pytest.raises(ArgumentError, match=r"new.sls is no YAML: .*\.$"):
        source.fsha(str(file))
    file.write_bytes(b"\xff")
    with pytest.raises(ArgumentError, match="is no YAML"):
        source.fsha(str(file))
    with pytest.raises(ArgumentError, match="can't be read: No such file"):
        source.fsha(str(tmp_path / "none"))


@pytest.mark.parametrize("given", [None, [], 5, {"fsha": None}, {"fsha": "x"}])
def test_what_is_no_mapping_is_a_mistake(given):
    with pytest.raises(ConfigErrors, match="a pillar with the key fsha is expected"):
        source.fsha(given)


def test_a_pillar_without_nodes_has_its_cluster_objects_alone():
    assert [item.id for item in source.objects({"pacemaker": RESOURCES})] == ["vip"]
    assert source.objects({}) == ()
    with pytest.raises(ConfigErrors):
        source.objects({"nodes": {}, "pacemaker": RESOURCES})
