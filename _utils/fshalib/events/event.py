"""The schema of fsha's events on Salt's bus.

One fact, one event: whoever learns a fact calls :func:`send` once, at the one place where
it is known. Every event has the same keys, so that a reactor needs one rule:

``fsha``      version of this schema
``kind``      one of :data:`KINDS`
``subject``   what it is about (``cib``, ``corosync.conf``, a link, a resource)
``minion``    who says it
``test``      whether the run that saw it only looked
``data``      the facts, of the kind's own shape; never a secret
"""

from collections.abc import Callable, Mapping
from typing import Any

from fshalib.errors import FshaError

SCHEMA = 1
TAG_PREFIX = "fsha"

DRIFT = "drift"
COMMIT = "commit"
REFUSED = "refused"
RING = "ring"
FAILOVER = "failover"
OPERATOR = "operator"
OVERDUE = "overdue"
KINDS = (DRIFT, COMMIT, REFUSED, RING, FAILOVER, OPERATOR, OVERDUE)

Fire = Callable[[str, dict[str, Any]], object]


class UnknownKind(FshaError, ValueError):
    """Somebody tried to send an event that the schema does not know."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        super().__init__(f"event kind {kind!r} is none of {', '.join(KINDS)}.")


def tag(kind: str, minion: str, subject: str) -> str:
    """Return the event's tag, ``fsha/<kind>/<minion>/<subject>``."""
    if kind not in KINDS:
        raise UnknownKind(kind)
    return "/".join((TAG_PREFIX, kind, minion, subject.replace("/", "_")))


def send(
    fire: Fire,
    kind: str,
    subject: str,
    minion: str,
    data: Mapping[str, Any],
    test: bool = False,
) -> str:
    """Put one event on the bus and return its tag.

    fire
        Who carries it; in a Salt module ``__salt__["event.send"]``. What it returns is not
        looked at: masterless and without a minion there is no bus, which is no error.
    kind, subject, minion, data, test
        See the module's text.
    """
    name = tag(kind, minion, subject)
    fire(
        name,
        {
            "fsha": SCHEMA,
            "kind": kind,
            "subject": subject,
            "minion": minion,
            "test": test,
            "data": dict(data),
        },
    )
    return name


def send_drift(
    fire: Fire,
    subject: str,
    minion: str,
    resource: str,
    changes: Mapping[str, Any],
    refusal: str = "",
    test: bool = False,
) -> str:
    """Tell that something differs from what is wanted: corrected, left by a test run, or refused.

    resource
        The file, or whatever else it is that differs.
    changes
        What differs.
    refusal
        Why it was not corrected.
    fire, subject, minion, test
        See :func:`send`.
    """
    action = "refused" if refusal else "would_change" if test else "corrected"
    data = {"resource": resource, "changes": changes, "action": action, "reason": refusal}
    return send(fire, REFUSED if refusal else DRIFT, subject, minion, data, test)
