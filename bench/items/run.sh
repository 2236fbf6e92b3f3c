#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# One instance with 10,000 parallel items of a multi-instance activity, each with a wait of its own: how long until
# all wait, and from the first answer of 64 clients, one a transaction, to the end of the instance.
#
#   bench/items/run.sh [--json]      BENCH_ITEMS=2000 for a quick look (10000); BENCH_KINDS="user external" for some
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
ITEMS=${BENCH_ITEMS:-10000}
[ -z "${BENCH_SECONDS:-}" ] || ITEMS=${BENCH_ITEMS:-$((BENCH_SECONDS * 400))}
bench_init "$@"
BENCH_PG_SETTINGS="max_connections = 120
${BENCH_PG_SETTINGS:-}"
bench_server
deploy bench/models/bench-items.bpmn
start_engine
ask "$PG_CONNINFO" "create table bench_item (n serial primary key, subject text)"

# Where the ids of the waits are, and what answers one of them.
waits() {
    case $1 in
    user | call) echo "select id::text from pawl.task" ;;
    external) echo "select id::text from pawl.external_task" ;;
    message) echo "select key from pawl.subscription" ;;
    esac
}
answer() {
    case $1 in
    user | call) echo "pawl.complete(subject::uuid)" ;;
    external) echo "pawl.complete_external_task(subject::uuid, 'bench')" ;;
    message) echo "pawl.publish('bench-item', subject)" ;;
    esac
}

title items
for kind in ${BENCH_KINDS:-user external message call}; do
    from=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    ask "$PG_CONNINFO" "select pawl.start('bench-items-$kind', 'k', jsonb_build_object('items',
        (select jsonb_agg('item-' || i) from generate_series(1, $ITEMS) i)))" >/dev/null
    wait_for 120 "all items of $kind wait" "select (select count(*) from ($(waits "$kind")) w) = $ITEMS"
    waiting=$(ask "$PG_CONNINFO" "select round(extract(epoch from max(at) - '$from')::numeric, 2) from pawl.event where at > '$from'")
    bytes=$(ask "$PG_CONNINFO" "select max(length(doc)) from pawl.instance")
    stored=$(ask "$PG_CONNINFO" "select max(pg_column_size(doc)) from pawl.instance")
    [ $kind != external ] ||
        for _ in $(seq $((ITEMS / 1000 + 1))); do
            ask "$PG_CONNINFO" "select count(*) from pawl.fetch_and_lock('bench', '[{\"topicName\": \"items\", \"variables\": [\"item\"]}]', 1000)" >/dev/null
        done
    ask "$PG_CONNINFO" "truncate bench_item restart identity"
    ask "$PG_CONNINFO" "insert into bench_item (subject) select * from ($(waits "$kind")) w order by random()"
    ask "$PG_CONNINFO" "analyze bench_item; create sequence if not exists bench_next; select setval('bench_next', 1, false)" >/dev/null
    printf '%s\n' "select nextval('bench_next') as n \\gset" \
        "select $(answer "$kind") from bench_item where n = :n;" >"$WORK/answer.sql"
    from=$(ask "$PG_CONNINFO" "select clock_timestamp()") wal=$(ask "$PG_CONNINFO" "select pg_current_wal_lsn()")
    bench pawl -f "$WORK/answer.sql" -c 64 -j 2 -t $((ITEMS / 64 + 1)) >"$WORK/load.log" 2>&1 || cat "$WORK/load.log" >&2
    wait_for 120 "the instance of $kind has ended" "select not exists (select from pawl.instance)" || true
    IFS='|' read -r took batches < <(ask "$PG_CONNINFO" "
        select round(extract(epoch from max(at) - '$from')::numeric, 2), count(distinct at)
        from pawl.event where at > '$from'")
    figure "$waiting" "s until $ITEMS items wait: $kind" ceiling 10
    figure "$took" "s until $ITEMS answers are carried out: $kind" ceiling 10
    figure "$batches" "transactions for them"
    figure "$(ask "$PG_CONNINFO" "select round(pg_wal_lsn_diff(pg_current_wal_lsn(), '$wal') / 1048576)")" "MiB of WAL for them"
    figure "$bytes" "bytes of the document of $ITEMS items"
    figure "$stored" "bytes of it as stored"
done
