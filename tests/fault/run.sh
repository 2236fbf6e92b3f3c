#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The crash test. An undisturbed run of a few processes tells which fault points (base/fault.h) they
# pass and how often. Then for each point: the same run, the engine killed there as by SIGKILL, started
# again; what came of every instance must equal the undisturbed run, and the stand-in must not have
# been asked again for anything whose answer was committed. SQL delegates count their runs in a table.
#
#   tests/fault/run.sh [POINT[:COUNT]…]
#   FAULT_RANDOM=N tests/fault/run.sh     N points drawn at random, at any of their passes
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build-debug/pawl}
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/scenario.sh"
PATIENCE_S=120 # one run, restart included

cleanup() {
    engine_stop KILL >/dev/null 2>&1
    standin_stop
    pg_stop
}
trap cleanup EXIT
trap 'exit 143' TERM INT

[ -x "$PAWL" ] || { echo "There is no $PAWL: build it (scripts/test.sh does), or set PAWL."; exit 1; }
"$PAWL" version -o json | grep -q '"faults":true' || {
    echo "$PAWL has no fault points: it was built without PAWL_FAULTS."
    exit 1
}

# What the engine does in a run, in words of SQL: it needs no engine to be accepted.
deployment() {
    local file files=("$ROOT"/processes/address-verification/*.bpmn)
    for file in messages opinion two-opinions first-event where-is-it retries; do
        files+=("$ROOT/processes/basics/$file.bpmn")
    done
    files+=("$ROOT/tests/scenario/models/stock.bpmn")
    python3 -c '
import json, sys
text = json.dumps([{"name": f.rsplit("/")[-1], "content": open(f, encoding="utf-8").read()} for f in sys.argv[1:]])
print("select from deploy_all(\x27%s\x27);" % text.replace("\x27", "\x27\x27"))' "${files[@]}"
}

orders() {
    cat <<SQL
select from set_endpoint('geocoder', '$STANDIN_URL', '{"allow": "loopback"}');
select from set_endpoint('geocoder-offline', 'http://127.0.0.1:9', '{"allow": "loopback"}');
create table counted (delegate text, instance text);
select from set_sql_delegate('reserve_stock', 'insert into counted values (''reserve'', \$1 ->> ''article'') returning jsonb_build_object(''left'', 1)',
    '{"searchPath": "$SCENARIO_SCHEMA, pg_temp"}');
select from set_sql_delegate('note', 'insert into counted values (''note'', \$1 ->> ''article'') returning 1',
    '{"searchPath": "$SCENARIO_SCHEMA, pg_temp"}');
select from start('stock', 'stock-1', '{"article": "lamp", "pieces": 1}');
select from start('stock', 'stock-2', '{"article": "chair", "pieces": 1}');
select from start('stock', 'stock-3', '{"article": "table", "pieces": 1}');
select from start('order-delivery', 'found', '{"geocoder": "geocoder", "address": "10 Downing Street, London, United Kingdom"}');
select from start('order-delivery', 'fake', '{"geocoder": "geocoder", "address": "12 Nowhere Lane, Atlantis, Utopia"}');
select from start('order-delivery', 'twice', '{"geocoder": "geocoder", "address": "1 Slottsplassen, Oslo, Norway"}');
select from start('order-delivery', 'nowhere', '{"geocoder": "geocoder", "address": null}');
select from start('order-delivery', 'offline', '{"geocoder": "geocoder-offline", "address": "40 Avenue Montaigne, Paris, France"}');
select from start('where-is-it', 'waits', '{"geocoder": "geocoder", "address": "350 Fifth Avenue, New York, United States"}');
select from start('where-is-it', 'unknown', '{"geocoder": "geocoder", "address": "742 Evergreen Terrace, Springfield, Nowhere"}');
select from start('two-opinions', 'opinions', '{"question": "Tea?"}');
select from start('first-event', 'yes');
select from start('retries', 'retries', '{"divisor": 4, "second": 4}');
select from publish('Payment', '4711');
select from publish('Order placed', 'message', '{"orderNo": "4711"}');
select from publish('Yes', 'yes');
SQL
}
ROOTS=14

# One line for each instance: how it ended, and what it passed how often.
outcome() {
    sql "select i.business_key || ' ' || i.process || ' ' || i.state || ': ' ||
             (select string_agg(w.element_id || ' ' || w.state || ' x' || w.times, ', ' order by w.element_id, w.state)
              from (select h.element_id, h.state, count(*) as times from history h
                    where h.instance_id = i.instance_id group by 1, 2) w)
         from instances i order by 1"
    sql "select 'SQL delegate ' || delegate || ' for ' || instance || ' x' || count(*) from counted group by delegate, instance order by 1"
}

# The stand-in's log against the audit trail: was anything asked after its answer was committed?
asked_again() {
    sql "select coalesce(json_object_agg(e.data ->> 'call', extract(epoch from e.at)), '{}')
         from events e where e.kind = 'callAnswered'" >"$PG_DIR/answered.json"
    python3 -c '
import json, sys, urllib.request
answered = json.load(open(sys.argv[2]))
log = json.load(urllib.request.urlopen(sys.argv[1] + "/stats", timeout=10))["log"]
print(sum(1 for r in log if r["key"] in answered and r["at"] > answered[r["key"]]
))' "$STANDIN_URL" "$PG_DIR/answered.json"
}

# Keeps an engine running; the first one dies by its fault point.
keep_running() {
    [ -n "${ENGINE_PID:-}" ] && kill -0 "$ENGINE_PID" 2>/dev/null && return 0
    if [ -n "${ENGINE_PID:-}" ]; then
        wait "$ENGINE_PID" 2>/dev/null
        ENGINE_STATUS=$?
        ENGINE_PID=
        kills=$((kills + 1))
        [ "$ENGINE_STATUS" = 137 ] || problem="the engine ended with status $ENGINE_STATUS: $(engine_log "$1")"
    fi
    [ "$kills" -gt 3 ] && problem="the engine does not stay up: $(engine_log "$1")"
    [ -z "$problem" ] && start_engine_quietly
}

start_engine_quietly() {
    env "$PAWL" up --database "$PG_CONNINFO" --schema "$SCENARIO_SCHEMA" \
        --data "$PG_DIR/engine-$SCENARIO_SCHEMA" >"$PG_DIR/engine.out" 2>>"$PG_DIR/engine.log" &
    ENGINE_PID=$!
}

# until_true WHAT SQL: asks every 50 ms, the engine kept alive, tasks completed meanwhile.
until_true() {
    while [ $SECONDS -lt $deadline ]; do
        keep_running "$1"
        [ -n "$problem" ] && return 1
        [ "$(sql "$2" | tail -1)" = t ] && return 0
        sleep 0.05
    done
    problem="$1: not within $PATIENCE_S s"
    return 1
}

ANSWER_TASKS="select count(complete(t.task_id, case t.element_id when 'answer' then '{\"answer\": \"yes\"}'
    else '{\"latitude\": \"1\", \"longitude\": \"2\"}' end::jsonb)) from tasks t"

# Housekeeping goes by time, and may reach its fault point as late as now: then the next one ends as it is told.
stop_for_good() {
    local i
    engine_stop >"$PG_DIR/stopped" && return 0
    if [ "$kills" = 0 ] && grep -q 'ended with status 137' "$PG_DIR/stopped"; then
        kills=1
        start_engine_quietly
        for ((i = 0; i < 200; i++)); do grep -qs '^ready' "$PG_DIR/engine.out" && break; sleep 0.05; done
        engine_stop >"$PG_DIR/stopped" && return 0
    fi
    problem=$(cat "$PG_DIR/stopped")
}

# run_once NAME [FAULT]: a schema of its own. Sets problem, kills, and leaves outcome in $PG_DIR/NAME.
run_once() {
    SCENARIO_SCHEMA=$1
    local fault=${2:-} deadline=$((SECONDS + PATIENCE_S))
    problem='' kills=0
    standin_start --rate 0 --delay 0.05 --by-key || { problem="no stand-in"; return 1; }
    env PAWL_FAULT="$fault" PAWL_FAULT_LOG="$PG_DIR/$1.points" "$PAWL" up --database "$PG_CONNINFO" \
        --schema "$SCENARIO_SCHEMA" --data "$PG_DIR/engine-$SCENARIO_SCHEMA" \
        >"$PG_DIR/engine.out" 2>>"$PG_DIR/engine.log" &
    ENGINE_PID=$!
    until_true "the schema is there" "select exists (select from pg_views where schemaname = '$1' and viewname = 'variables')" &&
        { do_sql "$(deployment)" || problem="deploy refused"; } &&
        until_true "deployed" "select count(*) = 1 from deployments where state = 'active'" &&
        { do_sql "$(orders)" || problem="start refused"; } &&
        until_true "all ended" "$ANSWER_TASKS; select count(*) = $ROOTS from instances
            where ended is not null and parent_id is null and process not in ('address-verification', 'opinion')"
    [ -n "$problem" ] || outcome >"$PG_DIR/$1"
    [ -n "$problem" ] || stop_for_good
    [ -n "$problem" ] || again=$(asked_again)
    engine_stop KILL
    standin_stop
    sql "drop schema if exists $1 cascade" >/dev/null
}

pg_start || exit 1
run_once undisturbed
if [ -n "$problem" ]; then
    printf 'FAILED  the undisturbed run: %s\n%s\n0 passed, 1 failed, 0 skipped\n' "$problem" "$(engine_log undisturbed)"
    exit 1
fi
sort "$PG_DIR/undisturbed.points" | uniq -c >"$PG_DIR/points"
printf 'An undisturbed run passes %d fault points, %d times.\n' "$(wc -l <"$PG_DIR/points")" \
    "$(wc -l <"$PG_DIR/undisturbed.points")"

faults=("$@")
if [ -n "${FAULT_RANDOM:-}" ]; then
    mapfile -t faults < <(while read -r count name; do
        for ((i = 1; i <= count; i++)); do echo "$name:$i"; done
    done <"$PG_DIR/points" | shuf -n "$FAULT_RANDOM")
fi
[ ${#faults[@]} -gt 0 ] || while read -r count name; do
    faults+=("$name:1")
    [ "$count" -gt 2 ] && faults+=("$name:$(((count + 1) / 2))")
done <"$PG_DIR/points"

passed=0 failed=0 skipped=0 n=0
for fault in "${faults[@]}"; do
    n=$((n + 1))
    run_once "fault$n" "$fault" 2>>"$PG_DIR/shell.log" # where bash says what was killed
    if [ -z "$problem" ] && ! diff "$PG_DIR/undisturbed" "$PG_DIR/fault$n" >"$PG_DIR/difference"; then
        problem="it came out otherwise:
$(cat "$PG_DIR/difference")"
    fi
    [ -n "$problem" ] || [ "$again" = 0 ] || problem="$again requests were sent although their answer was committed"
    if [ -n "$problem" ]; then
        printf 'FAILED  killed at %s: %s\n' "$fault" "$problem"
        failed=$((failed + 1))
    elif [ "$kills" = 0 ]; then
        printf 'skipped %s: not reached in this run\n' "$fault"
        skipped=$((skipped + 1))
    else
        printf 'ok      killed at %s\n' "$fault"
        passed=$((passed + 1))
    fi
done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
