#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Callbacks answered over HTTP from 64 connections: of instances that wait for one each, then of one instance
# with 10,000 parallel items that have a token each, until it has ended.
#
#   bench/callbacks/run.sh [--json]      BENCH_CALLBACKS=2000 for a quick look (20000), BENCH_ITEMS=2000 (10000)
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
CALLBACKS=${BENCH_CALLBACKS:-$((${BENCH_SECONDS:-10} * 2000))}
ITEMS=${BENCH_ITEMS:-$((${BENCH_SECONDS:-25} * 400))}
bench_init "$@"
bench_server
deploy bench/models/bench-callback.bpmn
start_engine --listen 127.0.0.1:0
address=$(sed -n 's/^ready.*, http //p' "$WORK/up.out")
ask "$PG_CONNINFO" "create schema bench; create table bench.seen (ms numeric)"

watch() { # until a row of bench.seen says that it is over; the transactions that are looked for every 5 ms
    ask "$PG_CONNINFO" "do \$\$
    declare oldest numeric; most numeric := 0;
    begin
        loop
            perform pg_stat_clear_snapshot();
            select coalesce(max(extract(epoch from clock_timestamp() - xact_start)) * 1000, 0) into oldest
            from pg_stat_activity where application_name like 'pawl%' and datname = current_database();
            most := greatest(most, oldest);
            exit when exists (select from bench.seen);
            perform pg_sleep(0.005);
            commit;
        end loop;
        insert into bench.seen values (most);
    end \$\$"
}
commits() { curl -s "http://$address/metrics" | awk '$1 == "pawl_http_commits_total" { print $2 }'; }

# answer_all: sets answers, took, p50, p99 and refused.
answer_all() {
    PGOPTIONS="-c search_path=pawl" ask "$PG_CONNINFO" "select api_callback_token(id) from callback order by random()" >"$WORK/tokens"
    from=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    python3 -B bench/callbacks/answer.py "$address" 64 <"$WORK/tokens" >"$WORK/answers"
    read -r answers took p50 p99 refused <"$WORK/answers"
    [ "$refused" = 0 ] || echo "callbacks: $refused of $answers answers were refused" >&2
}

title callbacks
ask "$PG_CONNINFO" "select count(*) from generate_series(1, $CALLBACKS) i, pawl.start('bench-callback', 'k' || i)" >/dev/null
wait_for 120 "all instances wait" "select count(*) = $CALLBACKS from pawl.callback"
watch &
watcher=$!
before=$(commits)
answer_all
ask "$PG_CONNINFO" "insert into bench.seen values (0)"
wait "$watcher"
wait_for 120 "all instances have ended" "select not exists (select from pawl.instance)"
figure "$(awk -v n="$answers" -v s="$took" 'BEGIN { printf "%.0f", n / s }')" "answers/s, 64 connections"
figure "$p50" "ms an answer, p50"
figure "$p99" "ms an answer, p99"
figure "$(awk -v n="$answers" -v c="$(($(commits) - before))" 'BEGIN { printf "%.1f", n / c }')" "answers a commit"
figure "$(ask "$PG_CONNINFO" "select round(max(ms), 1) from bench.seen")" "ms the oldest transaction seen"
figure "$(ask "$PG_CONNINFO" "select round(extract(epoch from max(at) - '$from')::numeric, 2) from pawl.event where at > '$from'")" \
    "s from the first answer to the last instance's end"

ask "$PG_CONNINFO" "select pawl.start('bench-callback-items', 'k', jsonb_build_object('items',
    (select jsonb_agg(i) from generate_series(1, $ITEMS) i)))" >/dev/null
wait_for 120 "all items wait" "select count(*) = $ITEMS from pawl.callback"
answer_all
wait_for 120 "the instance has ended" "select not exists (select from pawl.instance)"
figure "$p50" "ms an answer to one of $ITEMS items, p50"
figure "$p99" "ms an answer to one of $ITEMS items, p99"
figure "$(ask "$PG_CONNINFO" "select round(extract(epoch from max(at) - '$from')::numeric, 2) from pawl.event where at > '$from'")" \
    "s from the first of $ITEMS answers to the instance's end" ceiling 10
