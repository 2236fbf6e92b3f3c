#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the scenarios of this folder on a private PostgreSQL with a clock that they move, each with a
# schema and an engine of its own.
#
#   tests/scenario/run.sh [NAME…]     e.g. tests/scenario/run.sh timers approval
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/scenario.sh"

cleanup() {
    engine_stop KILL >/dev/null 2>&1
    standin_stop
    pg_stop
}
trap cleanup EXIT
trap 'exit 143' TERM INT

[ -x "$PAWL" ] || { echo "There is no $PAWL: build it, or set PAWL."; exit 1; }
pg_start || exit 1

names=("$@")
[ ${#names[@]} -gt 0 ] || for file in "$ROOT"/tests/scenario/*.scn; do
    names+=("$(basename "$file" .scn)")
done

passed=0 failed=0
for name in "${names[@]}"; do
    SCENARIO_FAILED=0
    export PAWL_SCHEMA=scenario_${name//-/_} SCENARIO_SCHEMA=scenario_${name//-/_}
    began=$SECONDS
    engine_start && sql "$(cat "$ROOT/tests/lib/clock.sql")" >/dev/null || exit 1
    . "$ROOT/tests/scenario/$name.scn" || SCENARIO_FAILED=$((SCENARIO_FAILED + 1))
    kill -0 "$ENGINE_PID" 2>/dev/null || scenario_fail "the engine died: $(engine_log "$name")"
    engine_stop >"$PG_DIR/stopped" || scenario_fail "$(cat "$PG_DIR/stopped")"
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
