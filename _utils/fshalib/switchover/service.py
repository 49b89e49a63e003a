"""The service of the pair: which resources move together, and where they are."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fshalib import agents
from fshalib.cib import objects, read
from fshalib.cib.document import Element
from fshalib.cib.objects import Object
from fshalib.cib.ties import Ties, ties
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
    """The resource that an operator switches over, and what has to be with it for it to serve.

    ``members`` are primitives. ``drain`` is how many seconds its stop may wait for calls to end,
    ``sofia`` the members that are ``ocf:fsha:FSSofia``, ``keeps`` whether all of these leave their
    calls to the other node. ``starts_switch`` tells whether FreeSWITCH itself starts and stops with
    it. ``bases`` are the outermost resources to ban, so that all of it moves, and ``parts`` all
    outermost resources that it has members in; both are the service itself without ties.
    """

    id: str
    members: tuple[str, ...]
    vips: tuple[str, ...]
    drain: int = 0
    sofia: tuple[str, ...] = ()
    keeps: bool = False
    starts_switch: bool = False
    bases: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("bases", "parts"):
            object.__setattr__(self, name, getattr(self, name) or (self.id,))


def find_service(root: Element, name: str | None = None) -> Service:
    """Return the voice service of a CIB: what holds FreeSWITCH, with all that is tied to it.

    name
        The id of another resource to take instead. One that is part of a service stands for that.

    Raises :class:`Refused` when there is none, or more than one to choose from.
    """
    known = _Resources(root)
    if name is None:
        found = known.services()
        ids = [service.id for service in found] or list(known.outermost)
        what = "it is not clear what to switch over"
    else:
        found = known.named(name)
        ids, what = list(known.outermost), f"there is no resource {name}"
    if len(found) != 1:
        shown = ", ".join(ids) or "none"
        raise SwitchoverRefused([f"{what} (resources: {shown}); name one with resource=ID"])
    return found[0]


def services(root: Element) -> tuple[Service, ...]:
    """Return all voice services of a CIB; a pair has one as a rule."""
    return tuple(_Resources(root).services())


class _Resources:
    """The resources of a CIB, by what they are and what ties them."""

    def __init__(self, root: Element) -> None:
        self.outermost: dict[str, tuple[str, ...]] = {}
        self._clones: set[str] = set()
        for element in root.iterfind("configuration/resources/*"):
            if element.tag != "template":
                id = element.get("id", "")
                inside = tuple(p.get("id", "") for p in element.iter("primitive"))
                self.outermost[id] = inside
                self._clones |= {id} if element.tag in ("clone", "master") else set()
        known = read.read_all(root)
        self._ties: Ties = ties(known)
        self._primitives = {item.id: item for item in objects.primitives(known)}

    def services(self) -> list[Service]:
        """Return the voice services, each once, in the order of the CIB."""
        found: list[Service] = []
        for home in self._candidates():
            if not any(set(self.outermost[home]) <= set(service.members) for service in found):
                found.append(self._service(home))
        return found

    def named(self, name: str) -> list[Service]:
        """Return the service that a resource is part of, or else the resource itself as one."""
        around = [service for service in self.services() if name in service.parts]
        if len(around) == 1:
            return around
        return [self._service(name)] if name in self.outermost else []

    def _candidates(self) -> list[str]:
        # A clone of the switch runs everywhere: there is nothing of it to be moved.
        moving = [id for id in self.outermost if id not in self._clones]
        ways = (
            (moving, agents.is_voice),
            (moving, agents.is_vip),
            (list(self.outermost), _serves_or_is_vip),
        )
        for ids, wanted in ways:
            found = [id for id in ids if any(map(wanted, self._agents(self.outermost[id])))]
            if found:
                return found
        return []

    def _agents(self, ids: Iterable[str]) -> list[str]:
        return [self._primitives[id].agent for id in ids if id in self._primitives]

    def _service(self, home: str) -> Service:
        """Return what has to be with a resource, and whatever else serves on its node."""
        needed = self._ties.needs(self.outermost[home])
        beside = self._ties.beside(needed) - needed
        # Without a FreeSWITCH by a known name it may be any of what runs beside an address.
        unknown = not any(map(agents.carries_calls, self._agents(self._primitives)))
        serving = {
            id
            for id in beside & self._primitives.keys()
            if unknown or _serves_or_is_vip(self._primitives[id].agent)
        }
        ids = self._ties.needs(needed | serving)
        members = [item for item in self._primitives.values() if item.id in ids]
        bases = self._ties.bases(ids)
        ours = [item for item in members if agents.plain(item.agent) == agents.FSSOFIA]
        return Service(
            home,
            tuple(item.id for item in members),
            tuple(
                ip for item in members if (ip := agents.held_address(item.agent, _parameters(item)))
            ),
            max(map(_drain_time, members), default=0),
            tuple(item.id for item in ours),
            bool(ours) and all(_parameters(one).get("stop_mode") == "recover" for one in ours),
            any(agents.starts_switch(item.agent) for item in members),
            self._homes(self._one_of_each(bases)),
            self._homes(ids),
        )

    def _one_of_each(self, bases: frozenset[str]) -> set[str]:
        """Return one resource of those that depend on each other, the first of the CIB."""
        chosen: set[str] = set()
        for id in self._primitives:
            if id in bases and not chosen & self._ties.needs([id]):
                chosen.add(id)
        return chosen

    def _homes(self, ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(home for home, inside in self.outermost.items() if {*ids} & {*inside, home})


def _serves_or_is_vip(agent: str) -> bool:
    return agents.is_voice(agent) or agents.is_vip(agent)


def _parameters(item: Object) -> dict[str, str]:
    return dict(item.values("params"))


def _drain_time(item: Object) -> int:
    """Return how long ocf:fsha:FSSofia waits for calls when it is stopped."""
    told = _parameters(item)
    if agents.plain(item.agent) != agents.FSSOFIA or told.get("stop_mode") != "drain":
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
