"""The service of the pair: which resources move together, and where they are."""

from collections.abc import Sequence
from dataclasses import dataclass

from fshalib.agents import FSSOFIA_TYPE, OUR_PROVIDER, VIP_AGENTS, VOICE_AGENTS
from fshalib.cib.document import Element
from fshalib.errors import SwitchoverError as SwitchoverError
from fshalib.pillar import validate_freeswitch
from fshalib.switchover.bans import PREVIOUS, notes_of


class SwitchoverRefused(SwitchoverError):
    """A switchover is refused; nothing was moved."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self.reasons = tuple(reasons)
        super().__init__("Nothing was moved: " + "; ".join(self.reasons) + ".")


@dataclass(frozen=True)
class Service:
    """The resource that an operator switches over, with its floating addresses.

    ``drain`` is how many seconds its stop may wait for calls to end, ``sofia`` the members that
    are ``ocf:fsha:FSSofia``, ``keeps`` whether all of these leave their calls to the other node.
    """

    id: str
    members: tuple[str, ...]
    vips: tuple[str, ...]
    drain: int = 0
    sofia: tuple[str, ...] = ()
    keeps: bool = False


def find_service(root: Element, name: str | None = None) -> Service:
    """Return the voice service of a CIB: the group (or primitive) that holds FreeSWITCH.

    name
        The id of another resource to take instead.

    Raises :class:`Refused` when there is none, or more than one to choose from.
    """
    resources = list(root.iterfind("configuration/resources/*"))
    if name is not None:
        found = [e for e in resources if e.get("id") == name]
    else:
        found = _services(resources)
    if len(found) != 1:
        ids = ", ".join(e.get("id", "") for e in found or resources) or "none"
        what = f"there is no resource {name}" if name else "it is not clear what to switch over"
        raise SwitchoverRefused([f"{what} (resources: {ids}); name one with resource=ID"])
    return _service(found[0])


def services(root: Element) -> tuple[Service, ...]:
    """Return all voice services of a CIB; a pair has one as a rule."""
    return tuple(map(_service, _services(list(root.iterfind("configuration/resources/*")))))


def _services(resources: list[Element]) -> list[Element]:
    # A clone of the switch runs everywhere: there is nothing of it to be moved.
    moving = [e for e in resources if e.tag != "clone"]
    ways = ((moving, VOICE_AGENTS), (moving, VIP_AGENTS), (resources, VOICE_AGENTS | VIP_AGENTS))
    candidates = ([e for e in some if _agents(e) & agents] for some, agents in ways)
    return next((found for found in candidates if found), [])


def _primitives(element: Element) -> list[Element]:
    return [element] if element.tag == "primitive" else list(element.iter("primitive"))


def _agents(element: Element) -> frozenset[str]:
    return frozenset(p.get("type", "") for p in _primitives(element))


def _service(element: Element) -> Service:
    primitives = _primitives(element)
    vips = [
        str(pair.get("value"))
        for p in primitives
        if p.get("type") in VIP_AGENTS
        for pair in p.iterfind("instance_attributes/nvpair[@name='ip']")
        if pair.get("value")
    ]
    members = tuple(p.get("id", "") for p in primitives)
    drain = max((_drain_time(p) for p in primitives), default=0)
    ours = [
        p for p in primitives if (p.get("provider"), p.get("type")) == (OUR_PROVIDER, FSSOFIA_TYPE)
    ]
    sofia = tuple(p.get("id", "") for p in ours)
    keeps = bool(ours) and all(parameters(p).get("stop_mode") == "recover" for p in ours)
    return Service(element.get("id", ""), members, tuple(vips), drain, sofia, keeps)


def parameters(primitive: Element) -> dict[str, str]:
    """Return the parameters of a primitive, without those of its template."""
    pairs = primitive.iterfind("instance_attributes/nvpair")
    return {pair.get("name", ""): pair.get("value", "") for pair in pairs}


def _drain_time(primitive: Element) -> int:
    """Return how long ocf:fsha:FSSofia waits for calls when it is stopped."""
    told = parameters(primitive)
    if primitive.get("provider") != OUR_PROVIDER or told.get("stop_mode") != "drain":
        return 0
    seconds = told.get("drain_time", "")
    return (
        int(seconds)
        if seconds.isascii() and seconds.isdecimal()
        else validate_freeswitch.DRAIN_TIME
    )


def previous_node(root: Element, active: str) -> str | None:
    """Return where a service that is now on ``active`` was before the last switchover.

    Every node carries it as a transient attribute, so that one of them may have been
    restarted meanwhile.
    """
    others = [value for value in notes_of(root, PREVIOUS) if value != active]
    return others[0] if others else None
