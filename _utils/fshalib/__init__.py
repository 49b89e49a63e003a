"""The library of fsha: everything hard, typed, and tested without Salt.

``renew`` is what every file of ``_modules``, ``_states`` and ``_runners`` calls before it imports
anything of the library.
"""

import sys
from pathlib import Path

_Stamp = tuple[tuple[str, int, int], ...]


def _stamp() -> _Stamp:
    """Return the path, the time of change and the size of each file of the library."""
    files = sorted(Path(__file__).parent.rglob("*.py"))
    return tuple((str(f), (stat := f.stat()).st_mtime_ns, stat.st_size) for f in files)


_AT_IMPORT = _stamp()


def renew() -> None:
    """Forget what this process has imported of an older library, if Salt has synced a newer one.

    A minion is one long-running process that forks its jobs. What its parent process has imported,
    for a scheduled job, every job would use, however often the library was synced since.
    """
    if _stamp() != _AT_IMPORT:
        for name in [name for name in sys.modules if name.split(".")[0] == __name__]:
            del sys.modules[name]
