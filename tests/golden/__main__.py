"""Play all changes with this host's Pacemaker and print what it would do, as JSON.

python tests/golden FORMULA_DIR
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path


def main(formula: str) -> None:
    """Print the version of Pacemaker, and the transition of each change by its name."""
    sys.path[:0] = [str(Path(formula, "_utils")), formula]
    from fshalib.pacemaker import tools
    from tests.golden import rehearsal
    from tests.golden.changes import CHANGES

    with tempfile.TemporaryDirectory(prefix="fsha-") as folder:
        cib = Path(folder, "cib.xml")
        cib.write_bytes(rehearsal.RUNNING.read_bytes())
        os.environ[tools.CIB_FILE] = str(cib)
        played = {change.name: rehearsal.play(change).transition for change in CHANGES}
    found = {"pacemaker": rehearsal.pacemaker_version(), "transitions": played}
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main(sys.argv[1])
