"""CIBs of all ages and tools: each is read whole, changes nothing, and can be built anew.

The files are those of Pacemaker's own scheduler tests. They are found beside the project, or
where ``FSHA_CIB_CORPUS`` says.
"""

import os
from pathlib import Path

import pytest

from fshalib.cib import document as cib_document
from fshalib.cib import ownership
from fshalib.cib.document import parse, render
from fshalib.cib.kinds import normal
from fshalib.cib.read import read_all, strangers
from fshalib.cib.target import DesiredObjects, target
from tests.unit.schemas import faults

ROOT = Path(__file__).parents[3]
CORPUS = Path(os.environ.get("FSHA_CIB_CORPUS") or ROOT.parent / "shared" / "cib-corpus")
FILES = sorted(CORPUS.glob("*.xml"))

pytestmark = pytest.mark.skipif(
    not FILES, reason="no CIBs in shared/cib-corpus beside the project, nor in FSHA_CIB_CORPUS"
)


@pytest.fixture(params=FILES, ids=[path.stem for path in FILES])
def root(request):
    return parse(request.param.read_text(encoding="utf-8"))


def accepted(root, like):
    """Tell whether the schema that a CIB names accepts it; some are meant not to be accepted."""
    return faults(root, like) == []


def test_all_of_it_is_read(root):
    assert [(o.kind, o.id, o.spec["other"]) for o in read_all(root) if "other" in o.spec] == []
    assert strangers(root) == ()


def test_what_is_read_changes_nothing(root):
    text = render(root)
    found = target(root, DesiredObjects(read_all(root)))
    assert found.changes == {}
    assert found.removed == ()
    assert accepted(found.root, root.get("validate-with")) == accepted(
        root, root.get("validate-with")
    )
    # All that is new is the list of what is owned.
    ownership.own(document := cib_document.Document(found.root), ())
    assert render(document.root) == text.replace("<tags/>", "")


def test_it_can_be_built_anew(root):
    items = read_all(root)
    empty = parse(cib_document.EMPTY)
    empty.set("validate-with", root.get("validate-with"))
    built = target(empty, DesiredObjects(items)).root
    again = {(o.kind, o.id): normal(o) for o in read_all(built)}
    again.pop(("tag", cib_document.OWNERSHIP_TAG), None)
    assert again == {(o.kind, o.id): normal(o) for o in items}
    if accepted(root, root.get("validate-with")):
        assert faults(built) == []
