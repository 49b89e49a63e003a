"""What a switchover needs of the world: the cluster, the network and this node's FreeSWITCH.

The protocols are what switchovers and the verbs of operators are written against; ``LiveCluster``
and ``LiveNetwork`` are the real ones.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

from fshalib.change import commit
from fshalib.cib import document
from fshalib.cib.document import Element
from fshalib.pacemaker import status as pacemaker_status
from fshalib.pacemaker import tools
from fshalib.pacemaker.simulate import Transition
from fshalib.pacemaker.status import Status
from fshalib.switchover import arp, lock, preflight
from fshalib.switchover.arp import ArpFinding
from fshalib.switchover.lock import RunningVerb
from fshalib.system import sip

Edit = Callable[[Element], Element]
"""Returns the CIB that is wanted for the one that it is given, which it leaves as it is."""


class FreeSwitch(Protocol):
    """The FreeSWITCH of this node; every method raises :class:`errors.RunError`."""

    def calls(self) -> Mapping[str, Any]:
        """Return its calls by kind, see ``freeswitch.calls``."""

    def legs(self) -> int:
        """Return how many call legs it has."""

    def is_ready(self) -> bool:
        """Tell whether it could take calls."""

    def pause(self) -> None:
        """Let it refuse new calls."""

    def paused(self) -> bool:
        """Tell whether it refuses new calls."""

    def resume(self) -> None:
        """Let it take new calls again."""


class Held(Protocol):
    """The pair, held by one verb."""

    running: RunningVerb

    def phase(self, name: str) -> None:
        """Say which phase has begun."""


class Cluster(Protocol):
    """The cluster; every method raises :class:`errors.LiveError`."""

    @property
    def on_file(self) -> bool:
        """Whether a file stands in for the cluster."""

    def this_node(self) -> str:
        """Return this node's name, ``""`` on a file."""

    def status(self) -> Status:
        """Return how the cluster is."""

    def cib(self) -> Element:
        """Return the live CIB with its status."""

    def change(self, edit: Edit) -> object:
        """Commit an edit of the CIB."""

    def simulate(self, root: Element) -> Transition:
        """Return what the cluster would do with a CIB."""

    def outcome(self, root: Element) -> Element:
        """Return the CIB to which the cluster would come with a CIB."""

    def settle(self, seconds: float) -> None:
        """Wait for the end of the cluster's transition."""

    def note(self, name: str, value: str, nodes: Sequence[str]) -> None:
        """Set a transient attribute of nodes."""

    def noted(self, name: str) -> Mapping[str, str]:
        """Return a transient attribute, node → value."""

    def forget(self, name: str, node: str) -> None:
        """Remove a transient attribute of a node."""

    def running_verbs(self) -> Sequence[RunningVerb]:
        """Return the verbs that are known, going on or interrupted."""

    def interrupted(self, me: str) -> Sequence[RunningVerb]:
        """Return the verbs that have ended without a word, the last one first."""

    def going_on(self, me: str) -> Sequence[RunningVerb]:
        """Return the verbs that go on."""

    def hold(self, running: RunningVerb) -> AbstractContextManager[Held]:
        """Hold the pair for one verb; entering raises :class:`lock.Busy`."""


class Network(Protocol):
    """What can be seen of the floating addresses from this node."""

    def served(self, address: str, port: int, seconds: float) -> bool:
        """Tell whether a switch that serves answers SIP OPTIONS at an address."""

    def disagreement(self, address: str, *, held_here: bool) -> ArpFinding | None:
        """Return what speaks against an address being where it should be, ``None`` if nothing."""

    def cut_off(self, address: str) -> str:
        """Return why this node can't reach an address's network, ``""`` for no such reason."""


class LiveCluster:
    """The cluster of this node, or the file that stands in for it."""

    @property
    def on_file(self) -> bool:
        """Whether a file stands in for the cluster."""
        return tools.on_file()

    def this_node(self) -> str:
        """Return this node's name, ``""`` on a file."""
        return "" if tools.on_file() else tools.local_node()

    def status(self) -> Status:
        """Return how the cluster is."""
        return pacemaker_status.parse_status(tools.status())

    def cib(self) -> Element:
        """Return the live CIB with its status."""
        return document.parse(tools.query())

    def change(self, edit: Edit) -> object:
        """Commit an edit of the CIB."""
        return commit.change(edit)

    def simulate(self, root: Element) -> Transition:
        """Return what the cluster would do with a CIB."""
        return preflight.simulate(root)

    def outcome(self, root: Element) -> Element:
        """Return the CIB to which the cluster would come with a CIB."""
        return preflight.outcome(root)

    def settle(self, seconds: float) -> None:
        """Wait for the end of the cluster's transition."""
        tools.settle(seconds)

    def note(self, name: str, value: str, nodes: Sequence[str]) -> None:
        """Set a transient attribute of nodes."""
        tools.note(name, value, list(nodes))

    def noted(self, name: str) -> Mapping[str, str]:
        """Return a transient attribute, node → value."""
        return tools.noted(name)

    def forget(self, name: str, node: str) -> None:
        """Remove a transient attribute of a node."""
        tools.forget(name, node)

    def running_verbs(self) -> Sequence[RunningVerb]:
        """Return the verbs that attrd knows of, going on or interrupted."""
        return lock.known()

    def interrupted(self, me: str) -> Sequence[RunningVerb]:
        """Return the verbs that have ended without a word, the last one first."""
        return lock.interrupted(me)

    def going_on(self, me: str) -> Sequence[RunningVerb]:
        """Return the verbs that go on."""
        return lock.going_on(lock.known(), me)

    def hold(self, running: RunningVerb) -> AbstractContextManager[Held]:
        """Hold the pair for one verb."""
        return lock.Holder(running)


class LiveNetwork:
    """The network of this node."""

    def served(self, address: str, port: int, seconds: float) -> bool:
        """Tell whether a switch that serves answers SIP OPTIONS at an address."""
        return sip.serves(sip.sip_options(address, port, seconds))

    def disagreement(self, address: str, *, held_here: bool) -> ArpFinding | None:
        """Return what speaks against an address being where it should be, ``None`` if nothing."""
        return arp.disagreement(address, held_here=held_here)

    def cut_off(self, address: str) -> str:
        """Return why this node can't reach an address's network, ``""`` for no such reason."""
        return arp.cut_off(address)
