#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Events a second from put_events() of ten, 4 clients, through 10, 1,000 and 10,000 rules of one bus, until the
# last one was matched. Each event matches one rule by its type and a number; a rule has three fields.
#
#   bench/events/run.sh [--json]      BENCH_EVENTS=4000 for a quick look (40000)
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
EVENTS=${BENCH_EVENTS:-40000}
[ -z "${BENCH_SECONDS:-}" ] || EVENTS=${BENCH_EVENTS:-$((BENCH_SECONDS * 2000))}
bench_init "$@"
bench_server
start_engine

rate=
leg() { # rules
    ask "$PG_CONNINFO" "select count(*) from generate_series(0, $1 - 1) i, pawl.set_event_rule('r' || i,
        jsonb_build_object('source', '[\"shop\"]'::jsonb, 'detail-type', jsonb_build_array('order.' || i),
                           'detail', '{\"amount\": [{\"numeric\": [\">\", 0]}]}'::jsonb), '[]')" >/dev/null
    wait_for 300 "the rules" "select count(*) = $1 and not exists (select from pawl.event_todo) from pawl.event_rule"
    local from
    from=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    PGOPTIONS="-c search_path=pawl" bench pawl -f bench/events/put.sql -c 4 -j 2 -t $((EVENTS / 40)) -M prepared >"$WORK/load.log" 2>&1
    wait_for 300 "all events matched" "select not exists (select from pawl.event_todo)"
    rate=$(ask "$PG_CONNINFO" "select ($((EVENTS / 40 * 40)) / extract(epoch from clock_timestamp() - '$from'))::int")
    [ "$(ask "$PG_CONNINFO" "select count(*) from pawl.event_unmatched")" = 0 ] || echo "events: some were not matched" >&2
}

title events
leg 10
leg 10 # the first one warms everything up
few=$rate
figure "$few" "events/s, put_events() of ten, 10 rules"
leg 1000
figure "$rate" "events/s, 1,000 rules" floor "$((few * 8 / 10))"
leg 10000
figure "$rate" "events/s, 10,000 rules" floor "$((few * 8 / 10))"
