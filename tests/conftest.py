"""Make Salt and pytest's importlib mode live in one process."""

from __future__ import annotations

import sys

import salt._logging  # its import puts the finder there that is mended below

for finder in sys.meta_path:
    if not hasattr(finder, "find_spec"):
        # pytest asks every finder for it; Python itself allows one to have none.
        finder.find_spec = lambda _name, _path=None, _target=None: None  # type: ignore[attr-defined]

# It keeps every warning for a log that is never set up here, and pours them out at the end.
salt._logging.shutdown_temp_handler()
