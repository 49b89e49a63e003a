"""The program fsha-recovery-store: what the host itself runs, beside Salt.

    fsha-recovery-store keep             keep the store joined to the peer's, until SIGTERM
    fsha-recovery-store started          note a start of the server
    fsha-recovery-store wait SECONDS     wait until the peer has every row of this moment
    fsha-recovery-store status           print what is the case, as JSON

Exit codes: 0 done, 1 not done (the reason is on standard error), 2 wrong usage.
"""

import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence

from fshalib.errors import FshaError, StoreError
from fshalib.store import health, keeper, scheme
from fshalib.store.config import PATH, Config, load

DONE, NOT_DONE, USAGE = range(3)


def main(arguments: Sequence[str], path: str = PATH) -> int:
    """Run the program and return its exit code."""
    verbs: dict[str, Callable[[Config], int]] = {
        "keep": _keep,
        "started": _started,
        "status": _status,
    }
    verb = arguments[0] if arguments else ""
    try:
        if verb == "wait" and len(arguments) == 2 and arguments[1].isdigit():
            return _wait(load(path), float(arguments[1]))
        if verb in verbs and len(arguments) == 1:
            return verbs[verb](load(path))
    except FshaError as error:
        _say(str(error))
        return NOT_DONE
    _say((__doc__ or "").strip())
    return USAGE


def _say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def _keep(config: Config) -> int:
    over = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: over.set())
    keeps = keeper.Keeper(config, _say, time.monotonic, time.time)
    while not over.is_set():
        keeps.turn()
        over.wait(keeper.TURN_SECONDS)
    return DONE


def _started(config: Config) -> int:
    """Note a start; before the tables are made there is nothing to note it in."""
    local = config.local
    if local.has_database() and config.side.node in local.look().nodes:
        local.sql(scheme.note_start(config.side.node))
    return DONE


def _wait(config: Config, seconds: float) -> int:
    if health.caught_up(config, seconds):
        return DONE
    raise StoreError(
        f"{config.side.peer} has not taken the last rows within {seconds:g} s: calls answered last "
        "may be lost with this node"
    )


def _status(config: Config) -> int:
    findings = health.look(config)
    sys.stdout.write(json.dumps([finding.as_data() for finding in findings], indent=2) + "\n")
    return DONE if all(finding.level == health.OK for finding in findings) else NOT_DONE
