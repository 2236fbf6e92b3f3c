#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The batch under bad conditions: two nodes, lost connections, data that the database refuses, commands
# that kill the process. Each NAME.case is a bash file in the words of tests/lib/scenario.sh, with a server
# and a schema of its own; it starts its engines itself.
#
#   tests/store/run.sh [NAME…]
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/scenario.sh"

cleanup() {
    engine_stop KILL >/dev/null 2>&1
    [ -z "${OTHER_PID:-}" ] || kill -KILL "$OTHER_PID" 2>/dev/null
    pg_stop
}
trap cleanup EXIT
trap 'exit 143' TERM INT
[ -x "$PAWL" ] || { echo "There is no $PAWL: build it, or set PAWL."; exit 1; }
pg_start || exit 1

# becomes WHAT EXPECTED SQL [SECONDS]: without waiting for the engine to come to rest.
becomes() {
    local i found
    for ((i = 0; i < ${4:-20} * 10; i++)); do
        found=$(sql "$3")
        [ "$found" = "$2" ] && return 0
        sleep 0.1
    done
    scenario_fail "$1: expected \"$2\", found \"$found\""
}

# Nothing waits, nothing is left over: what must hold when all instances have ended.
nothing_left() {
    expect "rows left over" "" "$(sql "select string_agg(t || ' ' || n, ', ') from (
        select 'instance' t, count(*) n from instance union all select 'ready', count(*) from ready union all
        select 'timer', count(*) from timer union all select 'subscription', count(*) from subscription union all
        select 'task', count(*) from task union all select 'call', count(*) from call union all
        select 'inbox', count(*) from inbox union all select 'incident', count(*) from incident) x where n > 0")"
}

names=("$@")
[ ${#names[@]} -gt 0 ] || for file in "$ROOT"/tests/store/*.case; do
    names+=("$(basename "$file" .case)")
done
passed=0 failed=0
for name in "${names[@]}"; do
    SCENARIO_FAILED=0
    SCENARIO_SCHEMA="store_$name"
    began=$SECONDS
    "$PAWL" migrate --database "$PG_CONNINFO" --schema "$SCENARIO_SCHEMA" >/dev/null &&
        sql "$(cat "$ROOT/tests/lib/clock.sql")" >/dev/null || exit 1
    . "$ROOT/tests/store/$name.case" || SCENARIO_FAILED=$((SCENARIO_FAILED + 1))
    engine_stop || SCENARIO_FAILED=$((SCENARIO_FAILED + 1))
    if [ "$SCENARIO_FAILED" = 0 ]; then
        printf 'ok      %s (%d s)\n' "$name" $((SECONDS - began))
        passed=$((passed + 1))
    else
        printf 'FAILED  %s\n' "$name"
        failed=$((failed + 1))
    fi
done
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
