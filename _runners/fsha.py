"""All pairs of a master: how each of them is, and a switchover of one by its name.

Put this file where the master finds runners: ``salt-run saltutil.sync_runners`` takes it from the
formula's ``_runners``.
"""

from __future__ import annotations

import getpass
import math
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import salt.client
from salt.exceptions import SaltInvocationError

if TYPE_CHECKING:
    __opts__: dict[str, Any]
    __jid_event__: Any

ASK_SECONDS = 8
"""Seconds after which a minion that is silent is asked whether it is still at it."""
STILL_SECONDS = 4
"""Seconds to wait for an answer to that; one that is at it is waited for."""
MOVE_SECONDS = 300
AS_DATA = {"as_data": True, "__kwarg__": True}
"""An argument by name, for one of several functions (Salt's own form of it)."""
NOT_SYNCED = ("KeyError: 'fsha.status'", "is not available", "is not there")
"""What Salt says of a function that a minion has not."""
AWAY = ("OFFLINE", "UNCLEAN")
"""How a node sees one that it has lost."""
SPLIT_ADVICE = (
    "stop Pacemaker on the node without the calls (salt NODE service.stop pacemaker; salt NODE "
    "freeswitch.calls shows them), and only then mend the network between the nodes"
)
FORM = "%Y-%m-%dT%H:%M:%SZ"


def status(tgt="*", tgt_type="glob", timeout=ASK_SECONDS, as_data=False):
    """Show every pair in one line: who is active, health, calls, holds, age of the last drill.

    tgt, tgt_type
        Which minions to ask.
    timeout
        Seconds to wait for them; those that are still at it are waited for.
    as_data
        Return a list of ``cluster``, ``nodes``, ``active``, ``verdict``, ``summary``, ``calls``,
        ``actions``, ``drill``, ``minions`` (node → the minion that has told of it), ``silent``
        (nodes of which none has) and ``split`` (why the pair has split, ``""`` if it has not)
        instead.

    A pair that has split stands first: its verdict is ``split``, and no node counts as active.

    CLI Example:

    .. code-block:: bash

        salt-run fsha.status
        salt-run fsha.status 'fs*' as_data=True
    """
    answers = _ask(tgt, tgt_type, timeout)
    found = sorted(_pairs(answers), key=lambda pair: not pair["split"])
    if as_data:
        return found
    now = datetime.now(timezone.utc)
    lines = [_line(pair, now) for pair in found]
    lines += [f"{minion}: {why}" for minion, why in _troubled(answers).items()]
    return "\n".join(lines) or (
        "No minion knows of a pair: is the formula synced (saltutil.sync_all)?"
    )


def failover(
    cluster,
    target=None,
    drain=0,
    timeout=60,
    force=False,
    test=None,
    tgt="*",
    tgt_type="glob",
):
    """Switch the service of a pair over, through a minion of it that is alive.

    cluster
        The name of the pair, as ``salt-run fsha.status`` shows it.
    target, drain, timeout, force, test
        As for ``fsha.failover`` on a minion. ``drain`` is at most so long as the master can wait.
    tgt, tgt_type
        Which minions to look for it on.

    Returns what ``fsha.failover`` returns, and ``minion``. It is run by the node that serves, for
    only that one can refuse and count calls; if it does not answer by the other one, which can't
    drain.

    CLI Example:

    .. code-block:: bash

        salt-run fsha.failover voice test=True
        salt-run fsha.failover voice drain=300
    """
    found = [p for p in _pairs(_ask(tgt, tgt_type, ASK_SECONDS)) if p["cluster"] == str(cluster)]
    if len(found) != 1:
        names = ", ".join(sorted(p["cluster"] for p in found)) or "none"
        why = (
            f"{len(found)} pairs are called {cluster!r} ({names})"
            if found
            else (f"no minion that answers knows a pair {cluster!r}; see salt-run fsha.status")
        )
        return _refused(why)
    if found[0]["split"]:
        return _refused(f"{cluster} HAS SPLIT: {found[0]['split']}; {SPLIT_ADVICE}")
    minion = _chosen(found[0])
    if not minion:
        return _refused(f"no minion of {cluster} answers")
    try:
        wait = MOVE_SECONDS + _seconds(drain) + _seconds(timeout)
    except (TypeError, ValueError):
        return _refused(f"drain and timeout have to be numbers, not {drain!r} and {timeout!r}")
    kwarg = {"target": target, "drain": drain, "timeout": timeout, "test": test,
             "force": force is True, "by": f"{getpass.getuser()} (master)"}  # fmt: skip
    answer = _client().cmd(minion, "fsha.failover", kwarg=kwarg, timeout=wait).get(minion)
    if not isinstance(answer, dict):
        why = (
            f"It is not known whether it was moved: {minion} gave no answer ({answer!r}). Look at "
            "salt-run fsha.status before you do it again."
        )
        return {"result": False, "comment": why, "minion": minion}
    return {**answer, "minion": minion}


def _refused(why: str) -> dict[str, Any]:
    return {"result": False, "comment": f"Nothing was moved: {why}.", "minion": ""}


def _seconds(value: Any) -> float:
    """Return a number of seconds; words such as ``nan`` are none."""
    seconds = float(value)
    if isinstance(value, bool) or not 0 <= seconds < math.inf:
        raise ValueError
    return seconds


def _client() -> Any:
    return salt.client.get_local_client(mopts=__opts__)


def _ask(tgt: Any, tgt_type: str, timeout: Any) -> dict[str, Any]:
    """Return minion → its status and its checklist."""
    try:
        seconds = _seconds(timeout)
    except (TypeError, ValueError) as error:
        raise SaltInvocationError(f"timeout: a number is expected, not {timeout!r}") from error
    return dict(
        _client().cmd(
            tgt,
            ["fsha.status", "fsha.check"],
            [[AS_DATA], [AS_DATA]],
            tgt_type=tgt_type,
            timeout=seconds,
            gather_job_timeout=STILL_SECONDS,
        )
    )


# --- pure ------------------------------------------------------------------------------------


def _pairs(answers: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the pairs that minions tell of.

    answers
        Minion → ``{"fsha.status": …, "fsha.check": …}``; anything else is no answer.
    """
    groups: dict[tuple[str, tuple[str, ...]], dict[str, Any]] = {}
    for minion, told in sorted(answers.items()):
        seen = told.get("fsha.status") if isinstance(told, dict) else None
        if not isinstance(seen, dict) or not seen.get("nodes"):
            continue
        nodes = tuple(sorted(node["name"] for node in seen["nodes"]))
        key = (str(seen.get("cluster") or "?"), nodes)
        # A minion may be called by its whole domain name, and its node is not.
        groups.setdefault(key, {})[str(seen.get("node") or minion)] = {**told, "minion": minion}
    return [_pair(name, nodes, told) for (name, nodes), told in sorted(groups.items())]


def _troubled(answers: dict[str, Any]) -> dict[str, str]:
    """Return minion → why it can't tell how its pair is, of those that have the formula."""
    found = {}
    for minion, told in sorted(answers.items()):
        seen = told.get("fsha.status") if isinstance(told, dict) else None
        # What a function raises comes as a traceback, whose last line says what it is.
        lines = (
            [text for text in seen.splitlines() if text.strip()] if isinstance(seen, str) else []
        )
        if lines and not any(word in lines[-1] for word in NOT_SYNCED):
            found[minion] = lines[-1].removeprefix("salt.exceptions.CommandExecutionError: ")
    return found


def _pair(name: str, nodes: tuple[str, ...], told: dict[str, Any]) -> dict[str, Any]:
    split = _split({node: t["fsha.status"] for node, t in told.items()})
    active = next((t["fsha.status"]["service"]["node"] for t in told.values()
                   if t["fsha.status"]["service"]["node"] and not split), "")  # fmt: skip
    # The node that serves knows best: its calls, its switch.
    best = told.get(active) or next(iter(told.values()))
    check = best.get("fsha.check")
    check = check if isinstance(check, dict) else {}
    seen = best["fsha.status"]
    legs = [n for n in seen["profiles"].values() if n is not None]
    drills = [t["fsha.status"].get("last_drill") or "" for t in told.values()]
    return {
        "cluster": name,
        "nodes": list(nodes),
        "active": active,
        "verdict": "split" if split else check.get("verdict", "unknown"),
        "summary": check.get("summary", "the checklist is not known"),
        "split": split,
        "calls": sum(legs) if active in told else None,
        "actions": [action["kind"] for action in seen["actions"]["actions"]],
        "drill": max(drills, default=""),
        "silent": [node for node in nodes if node not in told],
        "minions": {node: t["minion"] for node, t in told.items()},
    }


def _split(seen: dict[str, Any]) -> str:
    """Return why the nodes of a pair can't see each other, ``""`` if they do.

    seen
        Node → its status.
    """
    serving = [node for node, status in seen.items() if status["service"]["node"] == node]
    if len(serving) > 1:
        return f"{' and '.join(serving)} each say that they serve"
    lost = {
        (node, other["name"])
        for node, status in seen.items()
        for other in status["nodes"]
        if other.get("state") in AWAY
    }
    apart = sorted(pair for pair in lost if pair[::-1] in lost)
    if apart:
        who = f"{serving[0]} says that it serves" if serving else "neither serves"
        return f"{' and '.join(apart[0])} each see the other one as lost; {who}"
    dangers = (one for status in seen.values() for one in status.get("dangers", ()))
    return next((one["text"] for one in dangers if one["kind"] == "split"), "")


def _chosen(pair: dict[str, Any]) -> str:
    """Return the minion that is to move a pair: that of the node that serves, if it answers."""
    minions = pair["minions"]
    return minions.get(pair["active"]) or next(iter(minions.values()), "")


def _line(pair: dict[str, Any], now: datetime) -> str:
    """Return a pair in one line."""
    where = f"{pair['active']} serves" if pair["active"] else "DOES NOT SERVE"
    if pair["split"]:
        where = f"THE PAIR HAS SPLIT: {pair['split'].removeprefix('SPLIT: ')}; {SPLIT_ADVICE}"
    calls = "calls ?" if pair["calls"] is None else f"{pair['calls']} call legs"
    held = ", ".join(sorted(set(pair["actions"]))) or "nothing held"
    parts = [where, pair["verdict"].upper(), calls, held, _drill(pair["drill"], now)]
    if pair["silent"]:
        parts.append(f"no answer from {', '.join(pair['silent'])}")
    return f"{pair['cluster']}: {'; '.join(parts)}"


def _drill(at: str, now: datetime) -> str:
    if not at:
        return "no drill on record"
    then = datetime.strptime(at, FORM).replace(tzinfo=timezone.utc)
    return f"drill {(now - then).days} days ago"
