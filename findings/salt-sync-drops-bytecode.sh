#!/bin/sh
# Salt 3008.3: each saltutil.sync_* deletes the bytecode of all synced modules, also when no source
# has changed. So a minion compiles every custom module again after each sync.
#
# Guess: a sync that finds nothing to copy (it returns an empty list) changes nothing on disk.
# Seen: the file __pycache__/helper.*.pyc is there after an import, and gone after the next sync. With
# clean_dynamic_modules: false it stays. (salt/utils/extmods.py removes what the file server lacks.)
set -eu
unset PYTHONDONTWRITEBYTECODE PYTHONPYCACHEPREFIX
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'salt==3008.3' 2>/dev/null
mkdir -p "$folder/files/_utils"
printf 'def answer():\n    return 42\n' >"$folder/files/_utils/helper.py"

call() {
    PYTHONWARNINGS=ignore "$folder/venv/bin/salt-call" --local --config-dir="$folder/$1" --out=json \
        saltutil.sync_utils refresh=False 2>/dev/null | tr -d ' \n'
}

look() {
    for clean in true false; do
        mkdir -p "$folder/$clean"
        cat >"$folder/$clean/minion" <<END
id: m
root_dir: $folder/$clean
cachedir: $folder/$clean/cache
extension_modules: $folder/$clean/extmods
file_roots: {base: [$folder/files]}
clean_dynamic_modules: $clean
END
        first=$(call "$clean")
        utils=$folder/$clean/extmods/utils
        PYTHONPATH=$utils "$folder/venv/bin/python" -c 'import helper'
        before=$(find "$utils" -name '*.pyc' | wc -l)
        second=$(call "$clean")
        after=$(find "$utils" -name '*.pyc' | wc -l)
        printf 'clean_dynamic_modules %s: first sync %s, second %s, bytecode before it %s, after it %s\n' \
            "$clean" "$first" "$second" "$before" "$after"
    done
}

seen=$(look)
printf '%s\n' "$seen"
expected='clean_dynamic_modules true: first sync {"local":["utils.helper"]}, second {"local":[]}, bytecode before it 1, after it 0
clean_dynamic_modules false: first sync {"local":["utils.helper"]}, second {"local":[]}, bytecode before it 1, after it 1'
[ "$seen" = "$expected" ]
