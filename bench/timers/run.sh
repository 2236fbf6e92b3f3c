#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Lateness of timers: many are pending, and for some seconds 1,000 of them are due each second, spread over
# it. From the due time to the transition, by the time in the history; none may be early.
#
#   bench/timers/run.sh [--json]      BENCH_SECONDS=5 (20), BENCH_TIMERS=10000 (100000 pending) for a quick look
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
SECONDS_EACH=${BENCH_SECONDS:-20}
PENDING=${BENCH_TIMERS:-100000}
DUE=$((SECONDS_EACH * 1000))
[ "$PENDING" -ge "$DUE" ] || PENDING=$DUE
bench_init "$@"
bench_server
deploy bench/models/bench-timer.bpmn
ask "$PG_CONNINFO" "create schema bench; create table bench.due (instance_id uuid primary key, due timestamptz)"

load() { # how many, the first one's due time, the distance
    ask "$PG_CONNINFO" "do \$\$
    begin
        for n in 0 .. ($1 - 1) / 1000 loop
            insert into bench.due
            select s.instance_id, w.due
            from (select timestamptz '$2' + i * interval '$3' as due
                  from generate_series(n * 1000, least(n * 1000 + 999, $1 - 1)) i) w,
                pawl.start('bench-timer', variables => jsonb_build_object('moment',
                    to_char(w.due at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))) s;
            commit;
        end loop;
    end \$\$"
    wait_for $(($1 / 200 + 60)) "all timers set" "select not exists (select from pawl.inbox)"
}

start_engine
[ "$PENDING" -eq "$DUE" ] || load $((PENDING - DUE)) "$(ask "$PG_CONNINFO" "select now() + interval '1 day'")" "1 ms"
ask "$PG_CONNINFO" "analyze pawl.timer, pawl.instance"
# Time enough to set them; those that were set too late would count as late.
first=$(ask "$PG_CONNINFO" "select now() + $DUE / 1000 * interval '1 s' + interval '5 s'")
load "$DUE" "$first" "1 ms"
late_start=$(ask "$PG_CONNINFO" "select count(*) from pawl.api_event e join bench.due d using (instance_id)
    where e.kind = 3 and e.node = 1 and e.at > d.due - interval '1 s'")
[ "$late_start" -eq 0 ] || echo "timers: $late_start of them were set less than 1 s before they were due" >&2
until=$(ask "$PG_CONNINFO" "select ceil(greatest(0, extract(epoch from timestamptz '$first' - now()))) + $SECONDS_EACH + 1")
sleep "$until"
wait_for 60 "all due timers fired" "select not exists (select from pawl.timer where due < now())"
stop_engine

title timers
IFS='|' read -r early p50 p99 most fired < <(ask "$PG_CONNINFO" "
    select count(*) filter (where ms < 0), round(percentile_disc(0.5) within group (order by ms), 2),
        round(percentile_disc(0.99) within group (order by ms), 2), round(max(ms), 2), count(*)
    from (select extract(epoch from e.at - d.due) * 1000 as ms
          from bench.due d join pawl.api_event e using (instance_id) where e.kind = 4 and e.node = 1) x")
figure "$PENDING" "timers pending at first"
figure "$fired" "timers that were due"
figure "$early" "early timers" ceiling 0
figure "$p50" "ms p50, from due to transition"
figure "$p99" "ms p99, from due to transition" ceiling 10
figure "$most" "ms at most, from due to transition"
