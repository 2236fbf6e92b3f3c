#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boundaries a second beside instances that wait: the load of `boundaries` on an empty engine, then with
# BENCH_PARKED (1,000,000) instances that wait for a message, for BENCH_SECONDS (15) each. And what a
# waiting instance costs on disk: its rows of instance, subscription and event with their indexes.
#
#   bench/waiting/run.sh [--json]      BENCH_PARKED=50000 BENCH_SECONDS=5 for a quick look
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh

SECONDS_EACH=${BENCH_SECONDS:-15}
PARKED=${BENCH_PARKED:-1000000}
bench_init "$@"
bench_server
deploy processes/three-tasks/three-tasks.bpmn bench/models/bench-wait.bpmn

title waiting
start_engine
empty=$(boundaries_for "$SECONDS_EACH")
ask "$PG_CONNINFO" "vacuum pawl.event, pawl.instance, pawl.ready, pawl.inbox"
before=$(ask "$PG_CONNINFO" "select pg_database_size(current_database())")
cat >"$WORK/park.sql" <<'SQL'
select (select count(*) from (select from pawl.inbox limit 12000) i) < 12000 as go \gset
\if :go
select count(*) from generate_series(1, 1000) g, pawl.start('bench-wait', 'w-' || :run || '-' || g,
    '{"order": {"id": 12345, "customer": "acme", "amount": 99.5}}');
\else
\sleep 3 ms
\endif
SQL
# As many looks as are needed; a worker that is slow makes more of them find no room.
count="select count(*) from pawl.subscription"
run=0
until=$((SECONDS + 60 + PARKED / 1000))
while [ "$(ask "$PG_CONNINFO" "$count")" -lt "$PARKED" ] && [ "$SECONDS" -lt "$until" ]; do
    bench pawl -D run=$((run += 1)) -f "$WORK/park.sql" -t 50 >>"$WORK/park.log" 2>&1
done
wait_for 120 "all of them wait" "select not exists (select from pawl.inbox)"
parked=$(ask "$PG_CONNINFO" "$count")
size=$(ask "$PG_CONNINFO" "select (pg_database_size(current_database()) - $before) / greatest($parked, 1)")
ask "$PG_CONNINFO" "vacuum analyze pawl.event, pawl.instance, pawl.subscription, pawl.ready, pawl.inbox"
beside=$(boundaries_for "$SECONDS_EACH")
stop_engine

figure "$parked" "instances wait for a message" floor "$PARKED"
figure "$size" "bytes a waiting instance, history and indexes included"
figure "$empty" "boundaries/s, empty engine"
figure "$beside" "boundaries/s, beside those that wait"
figure "$(awk -v a="$beside" -v b="$empty" 'BEGIN { printf "%.2f", b ? a / b : 0 }')" "ratio of the two" floor 0.8
