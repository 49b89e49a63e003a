#!/bin/sh
# Salt 3008.3: 'state.apply NAME test=True queue=True' from salt-call (or the minion's schedule), while
# another state run is on, returns at once with success. What the minion runs later is 'state.apply'
# without its arguments: the highstate, and not as a test. It changes the host.
#
# Guess: the queued run is the one that was asked for: the state NAME, with test=True.
# Seen: exit code 0 and 'queued'; then the file of the highstate is there, which neither NAME nor a
# test makes. (salt/modules/state.py writes the queue from the arguments that a published job has.)
set -eu
folder=$(mktemp -d)
minion=
end() {
    # The foreground minion ends its own children.
    test -z "$minion" || { kill "$minion" 2>/dev/null && wait "$minion" || true; }
    rm -rf "$folder"
}
trap end EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet 'salt==3008.3' 2>/dev/null
mkdir -p "$folder/files" "$folder/conf"
cat >"$folder/conf/minion" <<END_OF_FILE
id: m
root_dir: $folder
file_client: local
master_type: disable
pidfile: $folder/minion.pid
file_roots: {base: [$folder/files]}
END_OF_FILE
cat >"$folder/files/top.sls" <<'END_OF_FILE'
base:
  '*': [everything]
END_OF_FILE
printf 'made:\n  file.touch:\n    - name: %s/made\n' "$folder" >"$folder/files/everything.sls"
printf 'nothing:\n  test.nop\n' >"$folder/files/harmless.sls"
# It runs until the second order is given.
printf 'wait:\n  file.exists:\n    - name: %s/ordered\n    - retry: {attempts: 120, interval: 1}\n' \
    "$folder" >"$folder/files/long.sls"

call() {
    PYTHONWARNINGS=ignore "$folder/venv/bin/salt-call" --config-dir="$folder/conf" --out=json "$@" 2>/dev/null
}

# Wait up to two minutes for a condition.
until_true() {
    left=240
    until "$@"; do
        left=$((left - 1))
        test "$left" -gt 0
        sleep 0.5
    done
}
runs() { call saltutil.running | grep -q state.apply; }

PYTHONWARNINGS=ignore "$folder/venv/bin/salt-minion" --config-dir="$folder/conf" >/dev/null 2>&1 &
minion=$!
call state.apply long >"$folder/long.json" &
until_true runs
test ! -e "$folder/made"
call state.apply harmless test=True queue=True >"$folder/second.json" && code=0 || code=$?
touch "$folder/ordered"
until_true test -e "$folder/made"
echo "exit code $code; the highstate was run, not as a test"
test "$code" = 0
grep -qi queued "$folder/second.json"
