#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Starts a second through the SQL API, counted until the instance's first wait (a message) was reached: one
# start a transaction from 8 clients, and 1,000 a transaction from 2. Callers are not held back: what they
# are ahead of the engine is worked off within the time that is counted.
#
#   bench/starts/run.sh [--json]      BENCH_SECONDS=3 for a quick look (10)
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
SECONDS_EACH=${BENCH_SECONDS:-10}
bench_init "$@"
bench_server
deploy bench/models/bench-wait.bpmn
ask "$PG_CONNINFO" "create schema bench; create sequence bench.key cache 1000"

started= accepted=
leg() { # clients, starts a transaction
    local from
    stop_engine
    ask "$PG_CONNINFO" "truncate pawl.inbox, pawl.ready, pawl.instance, pawl.subscription, pawl.event"
    start_engine
    from=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    bench pawl -D n="$2" -f bench/starts/start.sql -c "$1" -j 2 -T "$SECONDS_EACH" -M prepared >"$WORK/load.log" 2>&1
    wait_for $((SECONDS_EACH * 20 + 60)) "everything started" "select not exists (select from pawl.inbox)"
    read -r started accepted < <(ask "$PG_CONNINFO" "
        select (count(*) / extract(epoch from max(at) - '$from'))::int || ' ' || (count(*) / $SECONDS_EACH)::int
        from pawl.api_event where kind = 3 and node = 1")
}

title starts
camunda=$(peer camunda starts)
leg 8 1
figure "$started" "starts/s, one a transaction, 8 clients" floor "$(of_peer 3.5 "$camunda")"
figure "$accepted" "starts/s accepted meanwhile"
[ -z "$camunda" ] || figure "$camunda" "starts/s of Camunda 7, 8 threads"
leg 2 1000
figure "$started" "starts/s, 1000 a transaction" floor 10000
figure "$accepted" "starts/s accepted meanwhile, 1000 a transaction"
