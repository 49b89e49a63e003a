"""Short ways to write a CIB and what is wanted of it, and to see what became of it."""

from __future__ import annotations

import copy

from lxml import etree

from fshalib.cib.document import parse
from fshalib.cib.kinds import ONE_IDS
from fshalib.cib.objects import Object
from fshalib.cib.spec import from_pillar
from fshalib.cib.target import DesiredObjects, target
from tests.unit.schemas import faults

DUMMY = "ocf:heartbeat:Dummy"

# --- what is wanted --------------------------------------------------------------------------


def obj(kind, id, spec=None):
    """Return an object whose spec is written as in the pillar."""
    return Object(kind, id, from_pillar(kind, spec or {}))


def primitive(name, agent=DUMMY, **rest):
    return obj("primitive", name, {"agent": agent, **rest})


def group(name, *members, **rest):
    return obj("group", name, {"members": list(members), **rest})


def clone(name, resource, **rest):
    return obj("clone", name, {"resource": resource, **rest})


def location(name, resource, node="fs1", score="5"):
    return obj("location", name, {"resource": resource, "node": node, "score": score})


def options(kind, sets):
    return obj(kind, ONE_IDS[kind], {"sets": sets})


def properties(**sets):
    return options("properties", {name.replace("_", "-"): text for name, text in sets.items()})


# --- CIBs ------------------------------------------------------------------------------------


def cib(resources="", constraints="", more="", options="", nodes="", schema=""):
    attributes = f' validate-with="{schema}" admin_epoch="0" num_updates="0"' if schema else ""
    return parse(
        f'<cib epoch="5"{attributes}><configuration>'
        f"<crm_config>{options}</crm_config><nodes>{nodes}</nodes>"
        f"<resources>{resources}</resources>"
        f"<constraints>{constraints}</constraints>{more}</configuration><status/></cib>"
    )


def dummy(name, inner=""):
    return (
        f'<primitive id="{name}" class="ocf" provider="heartbeat" type="Dummy">{inner}</primitive>'
    )


def pairs(tag, id, **values):
    inner = "".join(f'<nvpair id="{id}-{n}" name="{n}" value="{v}"/>' for n, v in values.items())
    return f'<{tag} id="{id}">{inner}</{tag}>'


def tag(*names):
    refs = "".join(f'<obj_ref id="{name}"/>' for name in names)
    return f'<tags><tag id="fsha-managed">{refs}</tag></tags>'


def ids(root, *tags):
    return [e.get("id") for e in root.iter(*tags)]


# --- what became of it -----------------------------------------------------------------------


def applied(root, *items, **rest):
    """Return the CIB that is wanted, after its schema (if it has one) has accepted it."""
    found = target(root, DesiredObjects(items, **rest)).root
    if root.get("validate-with"):
        assert faults(found) == []
    return found


def patch(before, after):
    """Return what a patch between two CIBs holds, in a few words each; ownership is left out.

    ``+ tag path`` and ``- tag path`` are elements that came and went (with all in them),
    ``path: name old → new`` attributes, ``path: order`` children in another order.
    """
    found = []
    _compare(_without_ownership(before), _without_ownership(after), "", found)
    return sorted(found)


def _without_ownership(root):
    configuration = copy.deepcopy(root.find("configuration"))
    for owned in configuration.xpath("tags/tag[@id='fsha-managed']"):
        tags = owned.getparent()
        tags.remove(owned)
        if len(tags) == 0:
            configuration.remove(tags)
    return configuration


def _path(path, element):
    name = element.get("id") or element.get("name") or element.tag
    return f"{path}/{name}" if path else str(name)


def _compare(old, new, path, found):
    for name in sorted({*old.attrib, *new.attrib}):
        if old.get(name) != new.get(name):
            found.append(f"{path}: {name} {old.get(name)} → {new.get(name)}")
    mine = {(e.tag, _path("", e)): e for e in old.iterchildren("*")}
    theirs = {(e.tag, _path("", e)): e for e in new.iterchildren("*")}
    found += [
        f"- {tag} {_path(path, mine[tag, id])}" for tag, id in mine if (tag, id) not in theirs
    ]
    found += [f"+ {tag} {_path(path, theirs[tag, id])}" for tag, id in theirs
              if (tag, id) not in mine]  # fmt: skip
    common = [key for key in theirs if key in mine]
    if common != [key for key in mine if key in theirs]:
        found.append(f"{path}: order")
    for key in common:
        _compare(mine[key], theirs[key], _path(path, theirs[key]), found)


def text(element):
    """Return an element's XML."""
    return etree.tostring(element, encoding="unicode", with_tail=False)
