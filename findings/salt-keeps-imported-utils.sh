#!/bin/sh
# Salt 3008.3: a custom module that imports a file of _utils by its name gets the old file for as long
# as the process lives, although the module itself is loaded anew. After an upgrade of both, a call
# fails in a process that has imported the old one before; a minion's jobs inherit that from its
# parent, which imports for scheduled jobs.
#
# Guess: new loaders load what the module needs anew, as they do with the module itself.
# Seen: 'module 'helper' has no attribute 'new'' from the new module; a new process answers.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'salt==3008.3' 2>/dev/null
cat >"$folder/look.py" <<'END'
import sys
from pathlib import Path

import salt.config
import salt.loader

folder = Path(sys.argv[1])
dirs = folder / "extmods"
opts = salt.config.minion_config(None, role="minion")
opts.update(
    id="m", root_dir=str(folder), cachedir=str(folder / "cache"), file_client="local", grains={},
    extension_modules=str(dirs), lazy_loader_strict_matching=True, log_file=str(folder / "log"),
)


def release(name):
    for kind, text in (
        ("utils/helper.py", f"def {name}():\n    return '{name} helper'\n"),
        ("modules/probe.py",
         f"import helper\n\n\ndef ask():\n    return '{name} module, ' + helper.{name}()\n"),
    ):
        path = dirs / kind
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def ask():
    utils = salt.loader.utils(opts)
    functions = salt.loader.minion_mods(opts, utils=utils)
    try:
        return functions["probe.ask"]()
    except AttributeError as error:
        return f"AttributeError: {error}"


if sys.argv[2] == "both":
    release("old")
    print(ask())
    release("new")
print(ask())
END
look() {
    for run in both again; do
        PYTHONDONTWRITEBYTECODE=1 PYTHONWARNINGS=ignore \
            "$folder/venv/bin/python" "$folder/look.py" "$folder" "$run" 2>/dev/null
    done
}

seen=$(look)
printf '%s\n' "$seen"
expected="old module, old helper
AttributeError: module 'helper' has no attribute 'new'
new module, new helper"
[ "$seen" = "$expected" ]
