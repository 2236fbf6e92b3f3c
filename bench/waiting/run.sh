#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boundaries a second beside instances that wait: the load of `boundaries` in an empty database and in one with
# BENCH_PARKED (1,000,000) instances that wait for a message, alternately on the same server, the medians of
# BENCH_ROUNDS (3) rounds of BENCH_SECONDS (15) each. And what a waiting instance costs on disk: its rows of
# instance, subscription and event with their indexes.
#
#   bench/waiting/run.sh [--json]      BENCH_PARKED=50000 BENCH_SECONDS=5 for a quick look
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh

SECONDS_EACH=${BENCH_SECONDS:-15}
ROUNDS=${BENCH_ROUNDS:-3}
PARKED=${BENCH_PARKED:-1000000}
bench_init "$@"
bench_server
psql_admin -c 'create database empty owner pawl' >/dev/null
EMPTY="host=$PG_DIR dbname=empty user=pawl"
"$PAWL" migrate --database "$EMPTY" >/dev/null
FULL=$PG_CONNINFO
for PG_CONNINFO in "$EMPTY" "$FULL"; do
    deploy processes/three-tasks/three-tasks.bpmn bench/models/bench-wait.bpmn
done

title waiting
start_engine
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
while [ "$(ask "$FULL" "$count")" -lt "$PARKED" ] && [ "$SECONDS" -lt "$until" ]; do
    bench pawl -D run=$((run += 1)) -f "$WORK/park.sql" -t 50 >>"$WORK/park.log" 2>&1
done
wait_for 120 "all of them wait" "select not exists (select from pawl.inbox)"
parked=$(ask "$FULL" "$count")
size=$(ask "$FULL" "select (sum(pg_total_relation_size(oid)) / greatest($parked, 1))::int from pg_class
    where relnamespace = 'pawl'::regnamespace and relkind = 'r' and relname ~ '^(instance|subscription|event)'")
stop_engine
# They have been waiting for a while: what their arrival left to vacuum and to write out is not measured.
ask "$FULL" "vacuum analyze pawl.event, pawl.instance, pawl.subscription, pawl.ready, pawl.inbox"
psql_admin -c checkpoint

empty=()
beside=()
for round in $(seq "$ROUNDS"); do
    for PG_CONNINFO in "$EMPTY" "$FULL"; do
        start_engine
        rate=$(boundaries_for "$SECONDS_EACH")
        stop_engine
        if [ "$PG_CONNINFO" = "$FULL" ]; then beside+=("$rate"); else empty+=("$rate"); fi
    done
    $json || echo "round $round: ${empty[-1]}/s empty, ${beside[-1]}/s beside those that wait"
done

value=$(median "${beside[@]}")
bound=$(median "${empty[@]}")
figure "$parked" "instances wait for a message" floor "$PARKED"
figure "$size" "bytes a waiting instance, history and indexes included"
figure "$bound" "boundaries/s, empty engine"
figure "$value" "boundaries/s, beside those that wait"
figure "$(awk -v a="$value" -v b="$bound" 'BEGIN { printf "%.2f", b ? a / b : 0 }')" "ratio of the two" floor 0.8
