# SPDX-License-Identifier: Apache-2.0
# Runs the NAME.case files of a folder: bash in the words of scenario.sh, each with a schema of its own on a
# server that they share, and with engines that it starts itself. Sourced, behind pg.sh and scenario.sh:
#
#   run_cases FOLDER [NAME…]     prints a line a case and the counts; fails if one did
#
#   other_start [NAME=VALUE…]; other_stop   a second node
#   nothing_left                            when all instances have ended

cases_cleanup() {
    engine_stop KILL >/dev/null 2>&1
    [ -z "${OTHER_PID:-}" ] || kill -KILL "$OTHER_PID" 2>/dev/null
    ! declare -F proxy_stop >/dev/null || proxy_stop
    pg_stop
}

other_start() {
    env "$@" "$PAWL" up --database "$PG_CONNINFO" --schema "$SCENARIO_SCHEMA" --data "$PG_DIR/other-$SCENARIO_SCHEMA" \
        >"$PG_DIR/other.out" 2>"$PG_DIR/other.log" &
    OTHER_PID=$!
    until_so grep '^ready' "$PG_DIR/other.out" ||
        scenario_fail "the second node does not get ready: $(tail -5 "$PG_DIR/other.log")"
}

other_stop() {
    kill -TERM "$OTHER_PID"
    wait "$OTHER_PID" || scenario_fail "the second node ended with status $?: $(tail -5 "$PG_DIR/other.log")"
    OTHER_PID=
}

nothing_left() {
    expect "rows left over" "" "$(sql "select string_agg(t || ' ' || n, ', ') from (
        select 'instance' t, count(*) n from instance union all select 'ready', count(*) from ready union all
        select 'timer', count(*) from timer union all select 'subscription', count(*) from subscription union all
        select 'task', count(*) from task union all select 'call', count(*) from call union all
        select 'inbox', count(*) from inbox union all select 'incident', count(*) from incident) x where n > 0")"
}

run_cases() {
    local folder=$1 names name began passed=0 failed=0 skipped=0 file
    shift
    names=("$@")
    [ ${#names[@]} -gt 0 ] || for file in "$folder"/*.case; do names+=("$(basename "$file" .case)"); done
    for name in "${names[@]}"; do
        SCENARIO_FAILED=0 CASE_SKIPPED=
        SCENARIO_SCHEMA="$(basename "$folder")_$name"
        began=$SECONDS
        : >"$PG_DIR/engine.log" # what a case finds there is its own
        "$PAWL" migrate --database "$PG_CONNINFO" --schema "$SCENARIO_SCHEMA" >/dev/null &&
            sql "$(cat "$ROOT/tests/lib/clock.sql")" >/dev/null || return 1
        # shellcheck disable=SC1090 # one of our cases
        . "$folder/$name.case" || SCENARIO_FAILED=$((SCENARIO_FAILED + 1))
        [ -z "${OTHER_PID:-}" ] || other_stop
        engine_stop || SCENARIO_FAILED=$((SCENARIO_FAILED + 1))
        if [ -n "$CASE_SKIPPED" ]; then
            printf 'skipped %s: %s\n' "$name" "$CASE_SKIPPED"
            skipped=$((skipped + 1))
        elif [ "$SCENARIO_FAILED" = 0 ]; then
            printf 'ok      %s (%d s)\n' "$name" $((SECONDS - began))
            passed=$((passed + 1))
        else
            printf 'FAILED  %s\n' "$name"
            failed=$((failed + 1))
        fi
    done
    printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    [ "$failed" = 0 ]
}
