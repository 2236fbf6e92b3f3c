#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests the command line: PAWL=build/pawl tests/cli/run.sh [CASE…]    CASE: a file of this folder
# Each *.sh beside this one is a case: it is sourced in a shell of its own, with a folder $DIR to work in,
# and calls expect_* below. What it starts with engine_up ends with it.
set -uo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
[ -x "$PAWL" ] || { echo "There is no program $PAWL: build it, or set PAWL." >&2; exit 1; }
PAWL=$(realpath "$PAWL")
unset PAWL_DATABASE PAWL_SCHEMA COLUMNS
unset NO_COLOR

. "$ROOT/tests/lib/wait.sh"
passed=0
failed=0

ok() {
    passed=$((passed + 1))
}

bad() { # WHAT [DETAIL…]
    failed=$((failed + 1))
    printf 'FAIL  %s: %s\n' "$CASE" "$1"
    shift
    printf '      %s\n' "$@"
}

# run ARGUMENT…: the program, its exit code in $CODE, what it printed in $OUT and $ERR.
run() {
    "$PAWL" "$@" >"$DIR/.out" 2>"$DIR/.err" </dev/null
    CODE=$?
    OUT=$(cat "$DIR/.out")
    ERR=$(cat "$DIR/.err")
}

# expect_code CODE ARGUMENT…
expect_code() {
    local wanted=$1
    shift
    run "$@"
    if [ "$CODE" = "$wanted" ]; then ok; else bad "pawl $*: exit code $CODE, not $wanted" "$OUT" "$ERR"; fi
}

# expect_text WHAT TEXT PATTERN: an extended regular expression
expect_text() {
    if grep -qE -- "$3" <<<"$2"; then ok; else bad "$1: no \"$3\" in" "$2"; fi
}

expect_equal() { # WHAT WANTED GOT
    if [ "$2" = "$3" ]; then ok; else bad "$1: \"$3\" instead of \"$2\""; fi
}

# field NAME: of the JSON object in $OUT (its first line)
field() {
    /usr/bin/python3 -c 'import json, sys; v = json.loads(sys.stdin.readline())[sys.argv[1]]
print(v if isinstance(v, str) else json.dumps(v))' "$1" <<<"$OUT"
}

# Every line of $OUT is a JSON object.
expect_json_lines() { # WHAT
    if /usr/bin/python3 -c 'import json, sys
for line in sys.stdin: assert isinstance(json.loads(line), dict)' <<<"$OUT" 2>/dev/null; then ok; else
        bad "$1: not one JSON object a line" "$OUT"
    fi
}

# expect_within COLUMNS: no line of $OUT is wider (East Asian characters take two). Commands to copy stay whole.
expect_within() {
    if /usr/bin/python3 -c 'import sys, unicodedata
for line in sys.stdin.buffer.read().decode().splitlines():
    if line.startswith("  -> "): continue
    width = sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in line)
    assert width <= int(sys.argv[1]), "%d columns: %s" % (width, line)' "$1" <<<"$OUT" 2>"$DIR/.wide"; then ok; else
        bad "wider than $1 columns" "$(tail -1 "$DIR/.wide")"
    fi
}

# engine_up [COMMAND…] -- ARGUMENT…: `pawl up` in the background; its process in $ENGINE, output in
# $DIR/up.out and $DIR/up.err. COMMAND runs it (as another user, say).
engine_up() {
    local before=()
    while [ "$1" != -- ]; do
        before+=("$1")
        shift
    done
    shift
    : >"$DIR/up.out"
    ${before[@]+"${before[@]}"} "$PAWL" up "$@" >"$DIR/up.out" 2>"$DIR/up.err" </dev/null &
    ENGINE=$!
    if until_so engine_ready_or_gone && grep -q '^ready' "$DIR/up.out"; then
        ok
    else
        bad "pawl up $* does not become ready" "$(tail -5 "$DIR/up.err")"
        return 1
    fi
}

engine_ready_or_gone() {
    grep -q '^ready' "$DIR/up.out" || ! alive "$ENGINE"
}

# engine_end SIGNAL: sends it, and waits; its exit code in $CODE.
engine_end() {
    kill "-$1" "$ENGINE"
    wait "$ENGINE" 2>/dev/null
    CODE=$?
    ENGINE=
}

# Does the process run? One that ended and that nobody has waited for yet does not.
alive() {
    case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in '' | Z*) return 1 ;; esac
}

# The server of a data directory that a killed engine left behind.
server_pid() {
    head -1 "$(server_home "$1")/data/postmaster.pid" 2>/dev/null
}

server_home() {
    if [ -e "$1/home" ]; then cat "$1/home"; else echo "$1/postgres"; fi
}

server_end() { # DATA
    local pid
    pid=$(server_pid "$1")
    [ -n "$pid" ] || return 0
    kill -INT "$pid" 2>/dev/null
    until_so test ! -e "$(server_home "$1")/data/postmaster.pid"
}

clean_up() {
    [ -z "${ENGINE:-}" ] || engine_end TERM
    local data
    for data in "$DIR"/*/; do
        [ -e "$data/conninfo" ] || continue
        server_end "${data%/}"
        if [ -e "$data/home" ]; then rm -rf "$(cat "$data/home")"; fi
    done
    cd / && rm -rf "$DIR"
}

run_case() {
    CASE=$1
    ENGINE=
    DIR=$(mktemp -d "${TMPDIR:-/tmp}/pawl-cli.XXXXXX")
    chmod 755 "$DIR" # a server that runs as another user must get in
    trap clean_up EXIT
    cd "$DIR" || exit 1
    . "$ROOT/tests/cli/$CASE.sh"
    printf '%s %s\n' "$passed" "$failed" >"$RESULTS"
}

total_passed=0
total_failed=0
RESULTS=$(mktemp)
cases=("$@")
if [ ${#cases[@]} -eq 0 ]; then
    for file in "$ROOT"/tests/cli/*.sh; do
        name=$(basename "$file" .sh)
        [ "$name" = run ] || cases+=("$name")
    done
fi
for name in "${cases[@]}"; do
    : >"$RESULTS"
    (run_case "$name")
    read -r p f <"$RESULTS" || { p=0 f=1; echo "FAIL  $name: did not run to its end"; }
    printf 'cli/%s: %s passed, %s failed\n' "$name" "$p" "$f"
    total_passed=$((total_passed + p))
    total_failed=$((total_failed + f))
done
rm -f "$RESULTS"
printf '%d passed, %d failed, 0 skipped\n' "$total_passed" "$total_failed"
[ "$total_failed" = 0 ]
