"""From a cluster to a pillar and back: fsha.export, fsha.plan, restore points."""

import os
import stat

import pytest
import yaml
from salt.exceptions import CommandExecutionError, SaltInvocationError

from fshalib.cib import damage
from fshalib.pacemaker import version
from tests.functional.conftest import EPOCHS_PER_PATCH
from tests.functional.pair import VIP, states

FENCE = (
    '<primitive id="fence" class="stonith" type="fence_ipmilan"><instance_attributes id="fence-ia">'
    '<nvpair id="fence-ia-p" name="passwd" value="hunter2"/></instance_attributes></primitive>'
)


def read(path):
    return yaml.safe_load(path.read_text(encoding="utf-8"))


# --- export ----------------------------------------------------------------------------------


def test_an_export_changes_nothing(loaders, cib_file, tmp_path):
    before = cib_file.text
    file = tmp_path / "fsha.sls"
    done = loaders.modules.fsha.export(file=str(file))
    assert (done["result"], done["comment"]) == (True, f"Written to {file}.")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    pillar = read(file)["fsha"]
    assert pillar["pacemaker"]["groups"] == {"VoiceServices": {"members": ["ip_shared", "fs"]}}
    assert pillar["pacemaker"]["resources"]["ip_shared"]["agent"] == "ocf:heartbeat:IPaddr2"
    plan = loaders.modules.fsha.plan(pillar=str(file))
    assert (plan["result"], plan["comment"]) == (
        True,
        "Only the list of what fsha manages changes.",
    )
    assert (plan["changes"], plan["transition"], plan["unmanaged"]) == ({}, [], [])
    assert cib_file.text == before


def test_an_export_names_what_it_leaves_to_others(loaders, cib_file):
    cib_file.by_hand("crm_resource", "--ban", "-r", "VoiceServices", "--node", "fs2")
    cib_file.by_hand("crm_attribute", "-N", "fs2", "-n", "standby", "-v", "on", "-t", "nodes")
    found = loaders.modules.fsha.export(as_data=True)
    notes = "\n".join(found["notes"])
    assert "locations:cli-ban-VoiceServices-on-fs2: an operator's move or ban" in notes
    assert "nodes:fs2: standby=on is an operator's, and stays as it is" in notes
    assert "cli-ban" not in str(found["pillar"])
    assert "the Event Socket's password is not exported" in notes
    assert "nodes and corosync: not read, since a file stands in for the cluster" in notes


def test_an_export_shows_no_secret_but_writes_it(loaders, cib_file, tmp_path):
    cib_file.by_hand("cibadmin", "--create", "-o", "resources", "--xml-text", FENCE)
    text = loaders.modules.fsha.export()
    assert "hunter2" not in text
    assert "# pacemaker:resources:fence:params:passwd: a secret, left out here" in text
    file = tmp_path / "fsha.sls"
    assert "hunter2" not in str(loaders.modules.fsha.export(file=str(file)))
    assert read(file)["fsha"]["pacemaker"]["resources"]["fence"]["params"]["passwd"] == "hunter2"


def test_an_export_brings_corosync_along(loaders, cib_file, tmp_path):
    conf = tmp_path / "corosync.conf"
    conf.write_text(
        "totem {\n version: 2\n cluster_name: voice\n transport: knet\n token: 2000\n}\n"
        "nodelist {\n node {\n  name: fs1\n  nodeid: 1\n  ring0_addr: 10.101.20.110\n }\n"
        " node {\n  name: fs2\n  nodeid: 2\n  ring0_addr: 10.101.20.220\n }\n}\n"
        "quorum {\n provider: corosync_votequorum\n two_node: 1\n}\n",
        encoding="utf-8",
    )
    pillar = loaders.modules.fsha.export(corosync_conf=str(conf), as_data=True)["pillar"]["fsha"]
    assert pillar["nodes"]["fs1"]["addresses"][0].startswith("10.101.20.110/")
    assert pillar["corosync"]["totem"] == {"token": 2000}


@pytest.mark.parametrize("text", ["no: cib", "<cib/>", "<!DOCTYPE x [<!ENTITY a 'b'>]><cib/>"])
def test_what_is_no_cib_is_one_clear_error(loaders, cib_file, text):
    cib_file.path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandExecutionError) as caught:
        loaders.modules.fsha.export()
    assert "\n" not in str(caught.value)


ODD = (
    '<primitive id="odd" class="ocf" provider="pacemaker" type="Dummy"><meta_attributes id="odd-m">'
    '<nvpair id="odd-p" name="priority" value="1.0"/>'
    '<nvpair id="odd-x" name="is-managd" value="x"/>'
    "</meta_attributes></primitive>"
)


def test_the_own_plan_changes_what_the_notes_name_and_nothing_else(loaders, cib_file, tmp_path):
    cib_file.by_hand("cibadmin", "--create", "-o", "resources", "--xml-text", ODD)
    file = tmp_path / "fsha.sls"
    notes = "\n".join(loaders.modules.fsha.export(file=str(file))["notes"])
    plan = loaders.modules.fsha.plan(pillar=str(file))
    assert plan["result"] is True
    # The cluster reads 1.0 as 1, so only the other one has to go.
    assert plan["changes"] == {"odd": {"meta:is-managd": {"old": "x", "new": None}}}
    assert "resources:odd:meta:priority: " in notes
    assert "resources:odd:meta:is-managd: " in notes


def test_a_note_is_one_line_of_comment_whatever_it_is_about(loaders, cib_file):
    cib_file.path.write_text(
        cib_file.text.replace(
            '<nodes>', '<nodes><node id="9" uname="fs9"><instance_attributes id="q"><nvpair '
            'id="qq" name="standby" value="a&#10;b: c"/></instance_attributes></node>'
        ),
        encoding="utf-8",
    )  # fmt: skip
    text = loaders.modules.fsha.export()
    assert "nodes" not in (yaml.safe_load(text)["fsha"]["pacemaker"])
    (note,) = [line for line in text.splitlines() if "nodes:fs9: standby=a" in line]
    assert note.endswith("b: c is an operator's, and stays as it is")


# --- plan ------------------------------------------------------------------------------------


def changed(loaders, **params):
    found = loaders.modules.fsha.export(as_data=True)["pillar"]["fsha"]
    found["pacemaker"]["resources"]["ip_shared"]["params"].update(params)
    return {"fsha": found}


def test_a_plan_shows_the_difference_the_transition_and_the_verdict(loaders, cib_file):
    before = cib_file.text
    plan = loaders.modules.fsha.plan(pillar=changed(loaders, ip="10.101.20.9"))
    assert plan["changes"]["ip_shared"] == {
        "params:ip": {"old": "10.101.20.219", "new": "10.101.20.9"}
    }
    assert any(text.startswith("restart ip_shared on fs1") for text in plan["transition"])
    assert plan["interrupted"]["ip_shared"] == ["fs1"]
    assert plan["guard"]["allowed"] is True
    assert "a file stands in for the cluster" in plan["guard"]["reason"]
    assert "ip_shared: params:ip 10.101.20.219 → 10.101.20.9" in plan["comment"]
    assert cib_file.text == before


def test_a_plan_of_a_bad_pillar_is_one_sentence(loaders, cib_file):
    pillar = changed(loaders)
    pillar["fsha"]["pacemaker"]["groups"]["VoiceServices"]["members"] = ["ip_shared", "fss"]
    plan = loaders.modules.fsha.plan(pillar=pillar)
    assert plan["result"] is False
    assert plan["comment"] == (
        "fsha:pacemaker:groups:VoiceServices:members: ids of resources are expected, "
        'there is no "fss"; did you mean "fs"?'
    )


@pytest.mark.parametrize(
    ("text", "said"), [(None, "can't be read"), ("a: [", "is no YAML"), ("- 1", "the key fsha")]
)
def test_a_pillar_file_that_is_none(loaders, cib_file, tmp_path, text, said):
    file = tmp_path / "x.sls"
    if text is not None:
        file.write_text(text, encoding="utf-8")
    try:
        comment = loaders.modules.fsha.plan(pillar=str(file))["comment"]
    except SaltInvocationError as error:
        comment = str(error)
    assert said in comment
    assert "\n" not in comment


# --- restore points --------------------------------------------------------------------------


@pytest.fixture
def points(opts, tmp_path):
    """Restore points in a directory of the test's own."""
    opts["fsha.restore_directory"] = str(tmp_path / "restore")
    yield tmp_path / "restore"
    del opts["fsha.restore_directory"]


MOVED = {VIP: {"agent": "ocf:heartbeat:IPaddr2", "params": {"ip": "10.101.20.7"}}}


def test_every_commit_leaves_a_way_back(session_loaders, loaders, high, cib_file, points):
    assert high(*states())["voice"].result is True
    before = cib_file.root.find("configuration")
    done = high(*states(changed=MOVED))
    assert done["voice"].result is True
    pacemaker = loaders.modules.pacemaker
    newest, oldest = pacemaker.history()
    way_back = f"To go back, on fs1: salt-call pacemaker.restore {newest['number']}."
    assert way_back in done["voice"].comment
    assert newest["number"] == oldest["number"] + 1
    assert (newest["transaction"], newest["kind"], newest["author"]) == ("voice", "commit", "fs1")
    assert "params:ip 10.101.20.219 → 10.101.20.7" in "\n".join(newest["summary"])
    assert stat.S_IMODE(points.stat().st_mode) == 0o700
    assert {stat.S_IMODE(p.stat().st_mode) for p in points.iterdir()} == {0o600}

    version = cib_file.version
    back = pacemaker.restore(newest["number"])
    assert (back["committed"], back["refused"], back["problems"]) == (True, False, [])
    assert back["changes"]["ip_shared"]["params:ip"] == {
        "old": "10.101.20.7",
        "new": "10.101.20.219",
    }
    assert cib_file.version.epoch == version.epoch + EPOCHS_PER_PATCH
    pairs = sorted((p.get("name"), p.get("value")) for p in before.iter("nvpair"))
    now = cib_file.root.find("configuration")
    assert sorted((p.get("name"), p.get("value")) for p in now.iter("nvpair")) == pairs
    assert pacemaker.history()[0]["kind"] == "restore"
    cib_file.assert_sound()


def test_a_way_back_leaves_what_an_operator_did_since(loaders, high, cib_file, points):
    high(*states())
    high(*states(changed=MOVED))
    cib_file.by_hand("crm_attribute", "-N", "fs2", "-n", "standby", "-v", "on", "-t", "nodes")
    cib_file.by_hand("crm_attribute", "-n", "maintenance-mode", "-v", "true")
    number = loaders.modules.pacemaker.history()[0]["number"]
    assert loaders.modules.pacemaker.restore(number)["committed"] is True
    assert cib_file.get("//nvpair[@name='standby']")["value"] == "on"
    assert cib_file.get("//nvpair[@name='maintenance-mode']")["value"] == "true"


def test_only_so_many_points_are_kept(high, loaders, cib_file, points):
    for last in range(5):
        moved = {VIP: {"agent": "ocf:heartbeat:IPaddr2", "params": {"ip": f"10.101.20.{last + 7}"}}}
        assert high(*states(changed=moved, restore_points=2))["voice"].result is True
    numbers = [point["number"] for point in loaders.modules.pacemaker.history()]
    assert numbers == sorted(numbers, reverse=True)
    assert len(numbers) == 2


def test_a_point_that_is_not_there(loaders, cib_file, points):
    with pytest.raises(
        CommandExecutionError, match=r"no restore point 7 on this node .*counts its own"
    ):
        loaders.modules.pacemaker.restore(7)
    with pytest.raises(SaltInvocationError, match="'x'"):
        loaders.modules.pacemaker.restore("x")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs a directory that can't be written")
def test_without_a_restore_point_nothing_is_written(high, cib_file, points):
    points.parent.joinpath("restore").write_text("in the way", encoding="utf-8")
    before = cib_file.text
    done = high(*states())
    assert done["voice"].result is False
    assert "restore" in done["voice"].comment
    assert cib_file.text == before


# --- clusters that were not sound before -----------------------------------------------------


def test_what_crm_verify_has_against_the_cluster_itself_is_said_and_refuses_nothing(
    loaders, cib_file, tmp_path
):
    cib_file.by_hand("crm_attribute", "-n", "stonith-enabled", "-D")
    file = tmp_path / "fsha.sls"
    loaders.modules.fsha.export(file=str(file))
    plan = loaders.modules.fsha.plan(pillar=str(file))
    assert (plan["result"], plan["changes"]) == (True, {})
    pillar = read(file)
    pillar["fsha"]["pacemaker"]["resources"]["ip_shared"]["params"]["ip"] = "10.101.20.9"
    plan = loaders.modules.fsha.plan(pillar=pillar)
    assert plan["result"] is True
    assert "crm_verify refused the CIB before this change, too: error: " in plan["comment"]


def test_an_old_schema_is_named_with_what_renews_it(loaders, cib_file, tmp_path):
    old = cib_file.text.replace(cib_file.root.get("validate-with"), "pacemaker-1.2")
    cib_file.path.write_text(old, encoding="utf-8")
    file = tmp_path / "fsha.sls"
    notes = "\n".join(loaders.modules.fsha.export(file=str(file))["notes"])
    assert "schema pacemaker-1.2" in notes
    assert "cibadmin --upgrade --force" in notes
    plan = loaders.modules.fsha.plan(pillar=str(file))
    assert plan["result"] is False
    assert "The CIB is of the schema pacemaker-1.2" in plan["comment"]
    assert "run cibadmin --upgrade --force first" in plan["comment"]


# --- values that an old Pacemaker damages ----------------------------------------------------

OLD_PACEMAKER = version.older(version.installed(), damage.SAFE_SINCE)


@pytest.mark.skipif(not OLD_PACEMAKER, reason="the Pacemaker here keeps every value")
def test_a_value_that_pacemaker_damages_is_one_sentence_before_anything_is_written(
    loaders, cib_file, tmp_path
):
    before = cib_file.text
    found = loaders.modules.fsha.export(as_data=True)["pillar"]["fsha"]
    found["pacemaker"]["resources"]["ip_shared"]["description"] = "Büro & Zentrale"
    plan = loaders.modules.fsha.plan(pillar={"fsha": found})
    assert plan["result"] is False
    assert plan["comment"].startswith(
        "ip_shared: description: a value without & behind a letter that is not ASCII is expected"
    )
    assert cib_file.text == before
