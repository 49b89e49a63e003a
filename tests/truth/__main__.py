"""Compare lint with the cluster's scheduler on all CIBs of some folders.

"lint alone" says no because fencing is on without a device; the simulator takes it for done.

python -m tests.truth [--any] [FOLDER_OR_FILE ...]

Ends with 1 after a miss or a false alarm, with 2 when nothing could be compared.
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE = Path(__file__).with_name("sample")


def main(argv: list[str]) -> int:
    """Print each disagreement, and how many CIBs there are of each kind."""
    parser = argparse.ArgumentParser(prog="python -m tests.truth", description=__doc__)
    parser.add_argument("--any", action="store_true",
                        help="a CIB without a service gets one: its first resource")  # fmt: skip
    parser.add_argument("--all", action="store_true", help="print each CIB, not only disagreement")
    parser.add_argument("places", nargs="*", type=Path, default=[SAMPLE])
    asked = parser.parse_args(argv)
    from tests.truth import compare

    paths = [path for place in asked.places for path in compare.files(place)]
    texts = [(path.name, path.read_text(encoding="utf-8"), asked.any) for path in paths]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(lambda row: compare.compare(*row), texts))
    wrong = [row for row in rows if row.word in (compare.MISS, compare.FALSE_ALARM)]
    shown = [row for row in rows if row.word != compare.NO_SERVICE] if asked.all else wrong
    for row in sorted(shown, key=lambda row: compare.WORDS.index(row.word)):
        print(row)
    for word in compare.WORDS:
        print(f"{sum(row.word == word for row in rows):5} {word}")
    unheeded = [row.name for row in rows if not row.heeded]
    print(f"{len(unheeded):5} miss of lint with crm_simulate {' '.join(unheeded)}".rstrip())
    compared = [row for row in rows if row.word not in (compare.NOT_PLAYED, compare.NO_SERVICE)]
    return 1 if wrong or unheeded else 0 if compared else 2


if __name__ == "__main__":
    sys.path[:0] = [str(ROOT / "_utils"), str(ROOT)]
    sys.exit(main(sys.argv[1:]))
