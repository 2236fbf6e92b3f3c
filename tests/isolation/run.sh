#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Interleavings: a running engine against transactions that are held open in every order.
#
#   tests/isolation/run.sh [NAME…]       each NAME.case of this folder
#
# A case is a bash file in the words of tests/lib/scenario.sh and tests/sql/sessions.sh (session, ask,
# tell, answer). The engine has two workers, as in a default start.
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/sql/sessions.sh"
. "$ROOT/tests/lib/scenario.sh"

cleanup() {
    sessions_end 2>/dev/null
    engine_stop KILL >/dev/null 2>&1
    [ -z "${OTHER_PID:-}" ] || kill -KILL "$OTHER_PID" 2>/dev/null
    pg_stop
}
trap cleanup EXIT
trap 'exit 143' TERM INT

[ -x "$PAWL" ] || { echo "There is no $PAWL: build it, or set PAWL."; exit 1; }
pg_start && engine_start && sql "$(cat "$ROOT/tests/lib/clock.sql")" >/dev/null || exit 1
export PGHOST=$PG_DIR PGUSER=pawl PGDATABASE=pawl PGOPTIONS="-c search_path=pawl,pg_temp" PSQLRC=/dev/null
deploy "$ROOT/processes/basics/approval.bpmn" "$ROOT/processes/basics/first-event.bpmn" \
    "$ROOT/processes/basics/branches.bpmn" "$ROOT/processes/basics/two-opinions.bpmn" \
    "$ROOT/processes/basics/opinion.bpmn" "$ROOT/processes/basics/retries.bpmn"
[ "$SCENARIO_FAILED" = 0 ] || exit 1

names=("$@")
[ ${#names[@]} -gt 0 ] || for file in "$ROOT"/tests/isolation/*.case; do
    names+=("$(basename "$file" .case)")
done
passed=0 failed=0
for name in "${names[@]}"; do
    SCENARIO_FAILED=0
    began=$SECONDS
    . "$ROOT/tests/isolation/$name.case"
    sessions_end
    kill -0 "$ENGINE_PID" 2>/dev/null || scenario_fail "the engine died: $(engine_log "$name")"
    if [ "$SCENARIO_FAILED" = 0 ]; then
        printf 'ok      %s (%d s)\n' "$name" $((SECONDS - began))
        passed=$((passed + 1))
    else
        printf 'FAILED  %s\n' "$name"
        failed=$((failed + 1))
    fi
    kill -0 "$ENGINE_PID" 2>/dev/null || engine_start || exit 1
done
engine_stop || failed=$((failed + 1))
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
