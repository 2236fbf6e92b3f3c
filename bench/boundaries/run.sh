#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boundaries a second: instances of three asynchronous no-op service tasks with one JSON variable, started
# continuously through the SQL API, history on, fsync and synchronous_commit on, two workers; against
# the same row writes in set-based SQL (limit_*.sql) by two connections on the same server, Unix sockets
# for both. The medians of BENCH_ROUNDS (3) rounds of BENCH_SECONDS (30) each, taken alternately in one run.
#
#   bench/boundaries/run.sh [--json]      BENCH_SECONDS=10 BENCH_ROUNDS=1 for a quick look
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib/pg.sh

SECONDS_EACH=${BENCH_SECONDS:-30}
ROUNDS=${BENCH_ROUNDS:-3}
PAWL=${PAWL:-build/pawl}
json=false
[ "${1:-}" = --json ] && json=true

WORK=$(mktemp -d)
engine=
stop_engine() {
    [ -z "$engine" ] && return
    kill -TERM "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    engine=
}
finish() {
    stop_engine
    pg_stop
    rm -rf "$WORK"
}
trap finish EXIT

PG_SETTINGS="fsync = on
synchronous_commit = on
shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 30min
wal_keep_size = 4GB
autovacuum_naptime = 5s"
pg_start
psql_admin -c 'create database bound owner pawl' >/dev/null
LIMIT="host=$PG_DIR dbname=bound user=pawl"
"$PAWL" migrate --database "$PG_CONNINFO" >/dev/null
"$PAWL" migrate --database "$LIMIT" >/dev/null
ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
bench() { "$PG_BIN/pgbench" -n -h "$PG_DIR" -U pawl "$@"; }

COUNT="select count(*) from pawl.event where kind = 4 and node between 1 and 3"
EMPTY="truncate pawl.inbox, pawl.ready, pawl.instance, pawl.event"

ask "$LIMIT" "insert into pawl.worker (node, slot) select '00000000-0000-7000-8000-000000000000', s from generate_series(1, 2) s"
limit_round() { # rows a statement -> boundaries a second
    ask "$LIMIT" "$EMPTY"
    bench bound -D n="$1" -f bench/boundaries/limit_start.sql -t 10 >/dev/null 2>&1
    ask "$LIMIT" "analyze pawl.inbox, pawl.ready, pawl.instance, pawl.event"
    local before after
    before=$(ask "$LIMIT" "$COUNT")
    # Keyed plans, prepared once, as Pawl's own sessions have them: the planner is never the limit.
    PGOPTIONS="-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off \
        -c plan_cache_mode=force_generic_plan" \
    bench bound -M prepared -D n="$1" -f bench/boundaries/limit_start.sql@1 -f bench/boundaries/limit_boundary.sql@3 \
        -c 2 -j 2 -T "$SECONDS_EACH" >"$WORK/limit.log" 2>&1
    after=$(ask "$LIMIT" "$COUNT")
    echo $(((after - before) / SECONDS_EACH))
}

start_engine() {
    "$PAWL" up --database "$PG_CONNINFO" --data "$WORK/node" --workers 2 >"$WORK/up.out" 2>"$WORK/up.log" &
    engine=$!
    local i
    for i in $(seq 200); do
        grep -q '^ready' "$WORK/up.out" && return
        kill -0 "$engine" 2>/dev/null || { cat "$WORK/up.log" >&2; exit 1; }
        sleep 0.05
    done
    echo "pawl up did not become ready" >&2
    exit 1
}

wal_from=
wal_to=
engine_round() { # sets boundaries, and the WAL of five seconds in the middle
    stop_engine
    ask "$PG_CONNINFO" "$EMPTY"
    start_engine
    bench pawl -D n=500 -f bench/boundaries/generate.sql -T $((SECONDS_EACH + 3)) >"$WORK/generate.log" 2>&1 &
    local load=$! from to
    sleep 2
    from=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    wal_from=$(ask "$PG_CONNINFO" "select pg_current_wal_insert_lsn()")
    sleep 5
    wal_mid=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    wal_to=$(ask "$PG_CONNINFO" "select pg_current_wal_insert_lsn()")
    sleep $((SECONDS_EACH - 5))
    to=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    wait "$load"
    boundaries=$(ask "$PG_CONNINFO" "select (count(*) / extract(epoch from '$to'::timestamptz - '$from'))::int
        from pawl.event where kind = 4 and node between 1 and 3 and at >= '$from' and at < '$to'")
    wal_count=$(ask "$PG_CONNINFO" "$COUNT and at >= '$from' and at < '$wal_mid'")
    stop_engine
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

start_engine
"$PAWL" deploy --database "$PG_CONNINFO" processes/three-tasks/three-tasks.bpmn >/dev/null
stop_engine

limit_200=()
limit_1000=()
pawl=()
for round in $(seq "$ROUNDS"); do
    limit_200+=("$(limit_round 200)")
    limit_1000+=("$(limit_round 1000)")
    engine_round
    pawl+=("$boundaries")
    $json || echo "round $round: Pawl ${pawl[-1]}/s, limit ${limit_200[-1]}/s at 200 rows a statement, ${limit_1000[-1]}/s at 1,000"
done

pg_as_owner "$PG_BIN/pg_waldump" -z --path "$PG_DIR/data/pg_wal" --start "$wal_from" --end "$wal_to" >"$WORK/wal" 2>/dev/null || true
# The last line: Total, records, their bytes [share], full-page images [share], both [share].
wal=$(awk '/^Total/ { gsub(/[][()%]/, ""); print $3 }' "$WORK/wal")
value=$(median "${pawl[@]}")
bound=$(median "${limit_200[@]}")
other=$(median "${limit_1000[@]}")
[ "$other" -gt "$bound" ] && bound=$other
ratio=$(awk -v a="$value" -v b="$bound" 'BEGIN { printf "%.2f", a / b }')
bytes=$(awk -v w="${wal:-0}" -v n="$wal_count" 'BEGIN { printf "%.0f", n ? w / n : 0 }')
stats=$(grep 'executor stopped' "$WORK/up.log" | tail -1 || true)
per() { printf '%s' "$stats" | grep -oE "\\b$1=[0-9.]+" | cut -d= -f2; }
statements=$(awk -v a="$(per statements)" -v b="$(per batches)" 'BEGIN { printf "%.1f", b ? a / b : 0 }')
trips=$(awk -v a="$(per round_trips)" -v b="$(per batches)" 'BEGIN { printf "%.1f", b ? a / b : 0 }')

if $json; then
    printf '{"scenario":"boundaries","value":%s,"unit":"boundaries/s","limit":%s,"ratio":%s}\n' "$value" "$bound" "$ratio"
    printf '{"scenario":"boundaries","value":%s,"unit":"WAL bytes/boundary","limit":null,"ratio":null}\n' "$bytes"
    printf '{"scenario":"boundaries","value":%s,"unit":"statements/batch","limit":null,"ratio":null}\n' "$statements"
    printf '{"scenario":"boundaries","value":%s,"unit":"round trips/batch","limit":null,"ratio":null}\n' "$trips"
else
    printf '\n%-34s %12s\n' "boundaries" ""
    printf '%-34s %12s\n' "  Pawl, boundaries/s" "$value" "  set-based SQL limit, boundaries/s" "$bound" \
        "  ratio (line 0.3)" "$ratio" "  WAL bytes a boundary, without FPI" "$bytes" \
        "  statements a batch" "$statements" "  round trips a batch" "$trips"
    awk -v r="$ratio" 'BEGIN { if (r < 0.3) print "  SHORT of the line of 0.3" }'
fi
