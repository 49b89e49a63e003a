"""Bans and preferences by hand, as operator actions."""

from collections.abc import Iterator

from fshalib.cib import ownership
from fshalib.cib.document import Element
from fshalib.cib.normalize import value
from fshalib.cib.values import UnitError, is_infinite
from fshalib.switchover import bans, service
from fshalib.switchover.operator_action import (
    BAN,
    HOLD,
    PREFERENCE,
    OperatorAction,
    PillarAttributes,
    command,
    deletion,
)


def constraints(root: Element, in_pillar: PillarAttributes) -> Iterator[OperatorAction]:
    """Yield the bans and preferences that somebody has set by hand."""
    ours = ownership.owned(root) | set(in_pillar)
    for element in root.iterfind("configuration/constraints/*"):
        id = element.get("id", "")
        if ownership.OPERATOR_CONSTRAINT.match(id) and id not in ours:
            yield _constraint(root, element)


def _constraint(root: Element, element: Element) -> OperatorAction:
    id, resource, node = element.get("id", ""), _resource(element), _named_node(element)
    if id == bans.ban_id(resource, node) and bans.is_held(root, resource, node):
        what = (
            f"kept away from {node} by a switchover that is being held ({id}): it can't fail over "
            f"to {node} meanwhile"
        )
        hint = command("salt-call", "fsha.failback", f"resource={resource}")
        return OperatorAction(HOLD, resource, what, node, None, hint)
    prefers = id.startswith("cli-prefer-")
    verb = "drawn to" if prefers else "banned from"
    where = node or "nodes by a rule"
    what = f"{verb} {where}{_details(element)} ({id})"
    if not prefers and node and _forbids(element) and _is_of_the_service(root, resource):
        what += f": the service can't fail over to {node} meanwhile"
    kind = PREFERENCE if prefers else BAN
    return OperatorAction(kind, resource, what, node, None, _clearing(root, element, node))


def _resource(element: Element) -> str:
    names = (element.get("rsc"), element.get("rsc-pattern"), element.get("id"))
    return next((name for name in names if name), "")


def _named_node(element: Element) -> str:
    """Return the node that a location names, itself or by the rule that crm_resource writes."""
    if element.get("node"):
        return element.get("node", "")
    named = [
        e.get("value", "")
        for e in element.iterfind("rule/expression")
        if e.get("attribute") == "#uname" and e.get("operation") == "eq"
    ]
    return named[0] if len(named) == 1 else ""


def _forbids(element: Element) -> bool:
    """Tell whether a location keeps a resource from a node, whatever speaks for that node."""
    score = _score(element)
    role = value("role", element.get("role", "Started"))
    return role == "Started" and score.startswith("-") and _is_infinite(score)


def _is_of_the_service(root: Element, resource: str) -> bool:
    """Tell whether a resource is FreeSWITCH's service, a part of it, or holds one."""
    members = {id for found in service.services(root) for id in (*found.parts, *found.members)}
    holders = root.iterfind("configuration/resources//*")
    inside = {e.get("id", "") for h in holders if h.get("id") == resource for e in h.iter("*")}
    return bool(members & {resource, *inside})


def _score(element: Element) -> str:
    rule = element.find("rule")
    inner = None if rule is None else rule.get("score")
    return element.get("score") or inner or ""


def _details(element: Element) -> str:
    """Return what else a location says: its role, a score that isn't infinite, its end."""
    parts = []
    role = value("role", element.get("role", "Started"))
    if role != "Started":
        parts.append(f" in the role {role}")
    score = _score(element)
    if score and not _is_infinite(score):
        parts.append(f" with a score of {score}")
    parts += [f" until {e.get('end')}" for e in element.iter("date_expression") if e.get("end")]
    return "".join(parts)


def _is_infinite(score: str) -> bool:
    try:
        return is_infinite(score)
    except UnitError:
        return False


def _clearing(root: Element, element: Element, node: str) -> str:
    id, resource = element.get("id", ""), element.get("rsc", "")
    usual = {bans.ban_id(resource, node), f"cli-prefer-{resource}"}
    cleared = [
        other
        for other in root.iterfind("configuration/constraints/rsc_location")
        if other.get("id") in usual and _named_node(other) == node
    ]
    # A constraint with a lifetime is not always cleared by its node's name.
    if cleared == [element] and element.get("node"):
        return command("crm_resource", "--clear", "--resource", resource, "--node", node)
    return deletion(str(element.tag), id)
