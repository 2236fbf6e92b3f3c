#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Remote calls in flight, all to a server on loopback that answers after 2 s: how many at once, and what
# they hold meanwhile. The oldest transaction of the engine is looked for every 5 ms; the longest one that
# the engine itself counted is printed beside it.
#
#   bench/calls/run.sh [--json]      BENCH_CALLS=1000 for a quick look (10000)
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
CALLS=${BENCH_CALLS:-10000}
[ -z "${BENCH_SECONDS:-}" ] || CALLS=${BENCH_CALLS:-$((BENCH_SECONDS * 200))}
bench_init "$@"
bench_server
ulimit -n "$(ulimit -H -n)"
python3 -B bench/calls/stub.py --seconds 2 >"$WORK/stub" &
stub=$!
for i in $(seq 100); do
    [ -s "$WORK/stub" ] && break
    sleep 0.05
done
port=$(cat "$WORK/stub")
deploy bench/models/bench-call.bpmn
ask "$PG_CONNINFO" "create schema bench; create table bench.seen (ms numeric, sessions int);
    select pawl.set_endpoint('stub', 'http://127.0.0.1:$port', '{\"maxInFlight\": 10000, \"allow\": \"loopback\"}')" >/dev/null
start_engine

watch() { # until a row of bench.seen says that it is over
    ask "$PG_CONNINFO" "do \$\$
    declare oldest numeric; most numeric := 0; now_open int; sessions int := 0;
    begin
        loop
            perform pg_stat_clear_snapshot();
            select coalesce(max(extract(epoch from clock_timestamp() - xact_start)) * 1000, 0), count(*)
            into oldest, now_open
            from pg_stat_activity where application_name like 'pawl%' and datname = current_database();
            most := greatest(most, oldest);
            sessions := greatest(sessions, now_open);
            exit when exists (select from bench.seen);
            perform pg_sleep(0.005);
            commit;
        end loop;
        insert into bench.seen values (most, sessions);
    end \$\$"
}
watch &
watcher=$!
from=$(ask "$PG_CONNINFO" "select clock_timestamp()")
ask "$PG_CONNINFO" "select count(*) from generate_series(1, $CALLS) i, pawl.start('bench-call', 'k' || i)" >/dev/null
sleep 2
threads=$(find "/proc/$engine/task" -mindepth 1 -maxdepth 1 | wc -l)
wait_for $((CALLS / 50 + 60)) "all calls answered" \
    "select not exists (select from pawl.inbox) and not exists (select from pawl.call) and not exists (select from pawl.ready)"
ask "$PG_CONNINFO" "insert into bench.seen values (0, 0)"
wait "$watcher"
took=$(ask "$PG_CONNINFO" "select round(extract(epoch from max(at) - '$from')::numeric, 2) from pawl.api_event where kind = 4 and node = 1")
answered=$(ask "$PG_CONNINFO" "select count(*) from pawl.api_event where kind = 4 and node = 1 and at >= '$from'")
oldest=$(ask "$PG_CONNINFO" "select round(max(ms), 1) from bench.seen")
sessions=$(ask "$PG_CONNINFO" "select max(sessions) from bench.seen")
at_once=$(python3 -c "import urllib.request; print(urllib.request.urlopen('http://127.0.0.1:$port/most').read().decode())")
stop_engine
kill -TERM "$stub" && wait "$stub" 2>/dev/null || true
[ "$answered" -eq "$CALLS" ] || echo "calls: of $CALLS calls $answered were answered; the log's end:
$(tail -5 "$WORK/up.log")" >&2

title calls
figure "$CALLS" "calls asked for"
figure "$at_once" "calls in flight at once"
figure "$took" "s until all were answered and committed"
# Main, 2 workers, the dispatcher, the connector, the keeper, 4 for scripts that take long: none for a call.
figure "$threads" "threads of the engine" ceiling 10
figure "$sessions" "PostgreSQL sessions of the engine"
figure "$oldest" "ms the oldest transaction seen" ceiling 50
figure "$(total longest_transaction_ms)" "ms the longest transaction, as the engine counts" ceiling 50
