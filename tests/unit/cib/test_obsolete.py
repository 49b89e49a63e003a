"""Options of schemas before Pacemaker 2: where cibadmin --upgrade puts them, there they are."""

import shutil
import subprocess

import pytest

from fshalib.cib import obsolete
from fshalib.cib.document import parse, render
from fshalib.cib.read import read_all
from fshalib.pillar.export_cib import export
from tests.unit.build import cib, pairs

BOOT = "cib-bootstrap-options"
OLD = {
    "stonith_enabled": "false",
    "default-resource-stickiness": "100",
    "is_managed_default": "false",
    "default-action-timeout": "240s",
    "default-resource-failure-stickiness": "-INFINITY",
    "default-migration-threshold": "3",
    "transition_idle_timeout": "30s",
    "no-quorum-policy": "ignore",
}
FENCE = (
    '<primitive id="f" class="stonith" type="fence_x">'
    f"{pairs('instance_attributes', 'i', pcmk_off_cmd='reboot', ip='10.0.0.1')}</primitive>"
)
NODE = '<node id="1" uname="fs1" type="normal"><instance_attributes id="n"><nvpair id="ns" \
name="site" value="1"/></instance_attributes></node>'


def old(schema="pacemaker-1.2", options=OLD):
    return cib(FENCE, options=pairs("cluster_property_set", BOOT, **options), nodes=NODE,
               schema=schema)  # fmt: skip


def test_they_are_exported_under_the_names_of_today():
    found = export(old())
    assert found.pacemaker == {
        "properties": {"no-quorum-policy": "ignore", "stonith-enabled": False,
                       "cluster-delay": "30s"},
        "rsc_defaults": {"resource-stickiness": 100, "is-managed": False,
                         "migration-threshold": 1},
        "op_defaults": {"timeout": "240s"},
        "nodes": {"fs1": {"attributes": {"site": 1}}},
        "resources": {"f": {"agent": "stonith:fence_x",
                            "params": {"pcmk_off_action": "reboot", "ip": "10.0.0.1"}}},
    }  # fmt: skip
    notes = "\n".join(found.notes)
    assert "schema pacemaker-1.2" in notes
    assert "run cibadmin --upgrade --force before the formula" in notes
    assert "the property default-resource-stickiness=100 is rsc_defaults:resource-stickiness" in (
        notes
    )
    assert "default-migration-threshold has no effect any more" in notes
    assert "the formula would change" not in notes


def test_what_is_set_in_its_new_place_stays():
    more = f"<rsc_defaults>{pairs('meta_attributes', 'd', **{'resource-stickiness': '5'})}"
    root = cib(options=pairs("cluster_property_set", BOOT, **OLD), more=f"{more}</rsc_defaults>",
               schema="pacemaker-1.2")  # fmt: skip
    assert export(root).pacemaker["rsc_defaults"]["resource-stickiness"] == 5


def test_in_a_schema_of_today_they_have_no_effect():
    found = export(old("pacemaker-3.9"))
    assert found.pacemaker["properties"] == {"no-quorum-policy": "ignore"}
    assert "rsc_defaults" not in found.pacemaker
    told = [n for n in found.notes if n.endswith("has no effect since Pacemaker 2.0, and stays as "
                                                 "it is")]  # fmt: skip
    assert len(told) == len(OLD) - 1


@pytest.mark.parametrize(
    ("schema", "is_old"),
    [("pacemaker-1.2", True), ("pacemaker-2.10", True), ("pacemaker-3.0", False), ("none", False)],
)
def test_which_schemas_are_old(schema, is_old):
    assert obsolete.is_old(old(schema)) is is_old


def test_pacemaker_itself_puts_them_there(tmp_path):
    if shutil.which("cibadmin", path="/usr/sbin:/usr/bin") is None:
        pytest.skip("there is no cibadmin (make host)")
    root = old()
    file = tmp_path / "cib.xml"
    file.write_text(render(root), encoding="utf-8")
    subprocess.run(["/usr/sbin/cibadmin", "--upgrade", "--force"], check=True, capture_output=True,
                   env={"CIB_file": str(file)})  # fmt: skip
    upgraded = read_all(parse(file.read_text(encoding="utf-8")))
    mine, _ = obsolete.renewed(read_all(root))
    for kind, key in (
        ("properties", "sets"),
        ("resource_defaults", "sets"),
        ("operation_defaults", "sets"),
        ("primitive", "params"),
    ):
        theirs, ours = (next(o for o in items if o.kind == kind) for items in (upgraded, mine))
        assert ours.values(key) == theirs.values(key), kind
