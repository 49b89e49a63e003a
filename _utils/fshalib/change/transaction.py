"""Transactions: the objects that a run has staged so far, until all are committed as one change."""

from collections.abc import Callable, Mapping
from typing import Any

from fshalib.change.restore_points import HistoryError
from fshalib.cib import compare, document, kinds
from fshalib.cib.objects import Object
from fshalib.cib.target import DesiredObjects
from fshalib.errors import ArgumentError, CommitError, LiveError
from fshalib.pacemaker import agent_metadata, tools
from fshalib.pillar import config
from fshalib.schema.report import ConfigErrors
from fshalib.system import programs

Changes = Mapping[str, Mapping[str, Any]]
FAILED = (LiveError, HistoryError)
"""What a plan or a commit can fail with."""


class NothingWritten(CommitError):
    """A transaction must not be written as it is."""

    def __init__(self, transaction: str, reason: str) -> None:
        self.transaction, self.reason = transaction, reason
        super().__init__(f"{transaction}: {reason}")


class Transaction:
    """The objects that a run has staged so far, beside the CIB as it was at the first of them."""

    def __init__(self, cib: str, defaults: compare.Defaults) -> None:
        self.live = document.Document(document.parse(cib))
        self.defaults = defaults
        self.objects: dict[tuple[str, str], Object] = {}
        self.absent: list[str] = []

    def stage(self, kind: str, item: Object) -> Changes:
        """Add an object and return what it changes."""
        self.absent = [name for name in self.absent if name != item.id]
        self.objects[kind, item.id] = item
        return compare.object_changes(self.live, item, self.defaults)

    def stage_absent(self, name: str) -> Changes:
        """Add a removal and return what it changes."""
        self.objects = {key: item for key, item in self.objects.items() if item.id != name}
        self.absent.append(name)
        return compare.removal(self.live, name)

    def desired(self, complete: bool = False, purge: bool = False) -> DesiredObjects:
        """Return all of it as the library's question."""
        return DesiredObjects(
            tuple(self.objects.values()), tuple(self.absent), complete=complete, purge=purge
        )


def live(test: bool) -> str:
    """Return the live CIB; in a test run on a host that has no cluster yet, an empty one.

    Raises :class:`errors.RunError`.
    """
    try:
        return tools.query()
    except (programs.ToolMissing, tools.ClusterDown):
        if test:
            return document.EMPTY
        raise


class Transactions:
    """The transactions of one process, by their name and their run.

    read
        Returns the live CIB, or an empty one where there may be none, see :func:`live`.
    """

    def __init__(self, read: Callable[[bool], str] = live) -> None:
        self._read = read
        self._open: dict[tuple[str, str], Transaction] = {}
        self._unstaged: dict[tuple[str, str], list[str]] = {}
        self._defaults: dict[str, dict[str, str]] = {}

    def stage(
        self, name: str, run: str, kind: str, id: Any, spec: Any, *, absent: bool, test: bool
    ) -> Changes:
        """Add an object to a transaction, or a removal, and return what it changes.

        What can't be staged keeps the transaction from being written. Raises
        :class:`errors.ArgumentError` for a bad object, and :class:`errors.LiveError`.
        """
        unstaged = self._unstaged.setdefault((name, run), [])
        unstaged.append(str(id))
        transaction = self._transaction(name, run, test)
        item = None if absent else make(kind, id, spec)
        changes = transaction.stage_absent(id) if item is None else transaction.stage(kind, item)
        unstaged[:] = [other for other in unstaged if other != str(id)]
        return changes

    def desired(
        self, name: str, run: str, *, complete: bool, purge: bool, test: bool
    ) -> DesiredObjects:
        """Return what a transaction wants.

        Raises :class:`NothingWritten` if it must not be written, and :class:`errors.LiveError`.
        """
        unstaged = self._unstaged.get((name, run))
        if unstaged:
            what = ", ".join(unstaged)
            raise NothingWritten(name, f"nothing is written, because {what} could not be staged.")
        transaction = self._transaction(name, run, test)
        if complete and not transaction.objects:
            raise NothingWritten(
                name,
                "nothing is staged, and complete would remove everything that fsha manages; name "
                "what has to go with absent instead.",
            )
        return transaction.desired(complete, purge)

    def close(self, name: str, run: str) -> None:
        """Forget a transaction that is committed."""
        self._open.pop((name, run), None)

    def defaults(self, agent: str) -> dict[str, str]:
        """Return the defaults of an agent's parameters; none for one that can't be asked."""
        if agent not in self._defaults:
            self._defaults[agent] = _ask_defaults(agent)
        return self._defaults[agent]

    def _transaction(self, name: str, run: str, test: bool) -> Transaction:
        if (name, run) not in self._open:
            self._open[name, run] = Transaction(self._read(test), self.defaults)
        return self._open[name, run]


def make(kind: Any, id: Any, spec: Any) -> Object:
    """Return an object as the pillar would give it.

    Raises :class:`errors.ArgumentError`.
    """
    if not isinstance(kind, str) or kind not in kinds.KINDS:
        known = ", ".join(kinds.KINDS)
        raise ArgumentError(f"kind: one of {known} is expected, not {kind!r}.")
    try:
        return config.make(kind, id, spec)
    except ConfigErrors as error:
        raise ArgumentError(str(error)) from error


def _ask_defaults(agent: str) -> dict[str, str]:
    try:
        text = tools.metadata(agent)
        parameters = {} if text is None else agent_metadata.parse_metadata(text).parameters
    except (programs.RunError, agent_metadata.MetadataError):
        # Without its metadata every difference counts, which is the safe side.
        return {}
    return {name: p.default for name, p in parameters.items() if p.default is not None}
