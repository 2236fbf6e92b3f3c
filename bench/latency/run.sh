#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How long one boundary takes on an idle engine, in milliseconds:
#
#   from SQL           from the return of a client's COMMIT of start() until another session sees the end of
#                      the first asynchronous task (its row of history), looked for every half millisecond
#   a continuation     from a boundary to the next of the same instance, by the times in the history: its
#                      write, its commit, and the next one's claim, lock and load
#   a timer            from the due time to the transition, by the time in the history
#
#   bench/latency/run.sh [--json]      BENCH_SECONDS=5 for a quick look (20), for each of the two parts
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
SECONDS_EACH=${BENCH_SECONDS:-20}
bench_init "$@"
bench_server
deploy processes/three-tasks/three-tasks.bpmn bench/models/bench-timer.bpmn
ask "$PG_CONNINFO" "create schema bench; create table bench.sample (ms numeric);
    create table bench.due (instance_id uuid primary key, due timestamptz)"
start_engine

# At random distances, so that all phases of the engine's sleep are met.
ask "$PG_CONNINFO" "do \$\$
declare
    id uuid;
    committed timestamptz;
    last_at constant timestamptz := clock_timestamp() + interval '$SECONDS_EACH s';
begin
    while clock_timestamp() < last_at loop
        perform pg_sleep(0.1 + 0.1 * random());
        id := (pawl.start('three-tasks', variables => '{\"order\": {\"id\": 12345}}')).instance_id;
        commit;
        committed := clock_timestamp();
        loop
            exit when exists (select from pawl.api_event where instance_id = id and kind = 4 and node = 1
                              and at > committed - interval '1 s') or clock_timestamp() > last_at + interval '10 s';
            perform pg_sleep(0.0005);
            commit;
        end loop;
        insert into bench.sample values (extract(epoch from clock_timestamp() - committed) * 1000);
        commit;
    end loop;
end \$\$"
ask "$PG_CONNINFO" "insert into bench.due
    select s.instance_id, w.due
    from (select clock_timestamp() + interval '1 s' + (i + 0.9 * random()) * interval '100 ms' as due
          from generate_series(1, $SECONDS_EACH * 10) i) w,
        pawl.start('bench-timer', variables => jsonb_build_object('moment',
            to_char(w.due at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'))) s"
sleep $((SECONDS_EACH + 2))
wait_for 20 "all timers fired" "select not exists (select from pawl.timer) and not exists (select from pawl.inbox)"
stop_engine

spread() { # FROM-clause with a column ms -> p50 p99
    ask "$PG_CONNINFO" "select coalesce(round(percentile_disc(0.5) within group (order by ms), 2)::text, 'null') || ' ' ||
        coalesce(round(percentile_disc(0.99) within group (order by ms), 2)::text, 'null') from $1"
}
title latency
read -r p50 p99 < <(spread "(select extract(epoch from at - lag(at) over (partition by instance_id order by at, n)) * 1000 as ms
    from pawl.api_event where kind = 4 and node between 1 and 3 and definition_id =
        (select id from pawl.definition where key = 'three-tasks')) x where ms is not null")
figure "$p50" "ms p50, a continuation" ceiling 3
figure "$p99" "ms p99, a continuation" ceiling 15
read -r p50 p99 < <(spread "(select extract(epoch from e.at - d.due) * 1000 as ms
    from bench.due d join pawl.api_event e using (instance_id) where e.kind = 4 and e.node = 1) x")
figure "$p50" "ms p50, a timer" ceiling 3
figure "$p99" "ms p99, a timer" ceiling 15
read -r p50 p99 < <(spread bench.sample)
figure "$p50" "ms p50, from SQL"
figure "$p99" "ms p99, from SQL" ceiling 60
