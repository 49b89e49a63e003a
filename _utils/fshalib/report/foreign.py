"""Judge a cluster that somebody else built, with the commands that mend it where it runs."""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from fshalib.corosync import oddities
from fshalib.errors import ArgumentError
from fshalib.lint import foreign_cib, judged, runner, sources
from fshalib.lint.finding import Advice
from fshalib.pacemaker import tools
from fshalib.pillar import export
from fshalib.switchover import operator_action, operator_settings
from fshalib.switchover.operator_action import OperatorAction

_EXPORTED = "The changes are those of the pillar that fsha.export makes of this cluster."
_REMOVED = "To remove something, apply that pillar as it is first: fsha removes only what it owns."
_CLUSTER = {
    operator_action.MAINTENANCE_MODE: "maintenance-mode",
    operator_action.STOP_ALL: "stop-all-resources",
}
_NODES = {
    operator_action.STANDBY: "standby",
    operator_action.NODE_MAINTENANCE: "maintenance",
}
_RESOURCES = {
    operator_action.TARGET_ROLE: ("target-role",),
    operator_action.UNMANAGED: ("is-managed", "maintenance"),
}


def lint(cib: str, conf: str | None, host: export.Host) -> judged.Judged:
    """Return the advice on a cluster, whoever built it, and what the simulator was asked.

    cib
        The path of its CIB, or ``live`` for the one that runs here.
    conf
        The path of its corosync.conf; without it the host's for ``live``, else none.

    Raises :class:`errors.ArgumentError` for a file that can't be read, :class:`errors.LiveError`,
    and :class:`config.ConfigErrors` for mistakes in corosync.conf.
    """
    root = sources.cib(cib)
    here = cib == sources.LIVE and not tools.on_file()
    pillar: export.Pillar = {}
    odd: Sequence[oddities.Oddity] = ()
    unread: list[Advice] = []
    try:
        if conf is not None or here:
            read = export.corosync_conf(conf)
            odd = oddities.find(read)
            pillar, _ = export.of_conf(read, conf, root, host)
    except ArgumentError as error:
        if conf is not None:
            raise
        unread = [foreign_cib.not_read(str(error).rstrip("."))]
    config, advices = foreign_cib.read_and_lint(
        root, pillar, new_names=sources.new_names(root), odd=odd
    )
    told = judged.judged(root, config, advices)
    actions = operator_settings.actions(root)
    return replace(told, advices=with_commands((*unread, *told.advices), actions))


def with_commands(
    advices: Iterable[Advice], actions: Iterable[OperatorAction]
) -> tuple[Advice, ...]:
    """Return advice that gives the command where somebody has set something by hand.

    No pillar has it: ``fsha.export`` leaves to operators what is theirs.
    """
    known = tuple(actions)
    return tuple(_with_command(advice, known) for advice in advices)


def _with_command(advice: Advice, actions: Iterable[OperatorAction]) -> Advice:
    hints = dict.fromkeys(action.hint for action in actions if _is_about(action, advice))
    if not hints:
        return advice
    mend = f"{'; '.join(hints)}, when the reason is gone"
    return replace(advice, mend=mend, change={}, remove=())


def _is_about(action: OperatorAction, advice: Advice) -> bool:
    """Tell whether an advice is about what an operator has set."""
    if advice.code not in (*foreign_cib.LEFT, "held-by-pillar", "node-maintenance"):
        return False
    _, section, *keys = advice.path.removeprefix("fsha:").split(":")
    if advice.code in foreign_cib.LEFT:
        return f"({keys[0]})" in action.what
    if section == "properties":
        return _CLUSTER.get(action.kind) in keys
    if section == "nodes":
        held = (keys[-1], advice.message.split()[-1])
        return action.subject == keys[0] and _NODES.get(action.kind) in held
    subject = operator_action.DEFAULTS if section == "rsc_defaults" else keys[0]
    names = _RESOURCES.get(action.kind, ())
    return action.subject == subject and advice.message.startswith(tuple(f"{n} is" for n in names))


def page(advices: Iterable[Advice], reason: str = "") -> str:
    """Return the advice on a foreign cluster as blocks of text, with the verdict at the end.

    reason
        What else the verdict rests on, see ``lint.runner.page``.
    """
    known = tuple(advices)
    *blocks, verdict = runner.page(known, reason).splitlines()
    more = [_EXPORTED] if any(a.change or a.remove for a in known) else []
    more += [_REMOVED] if any(a.remove for a in known) else []
    return "\n".join([*blocks, *more, verdict])
