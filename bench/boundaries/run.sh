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
. bench/lib.sh

SECONDS_EACH=${BENCH_SECONDS:-30}
ROUNDS=${BENCH_ROUNDS:-3}
bench_init "$@"
bench_server
psql_admin -c 'create database bound owner pawl' >/dev/null
LIMIT="host=$PG_DIR dbname=bound user=pawl"
"$PAWL" migrate --database "$LIMIT" >/dev/null

COUNT="select count(*) from pawl.api_event where kind = 4 and node between 1 and 3"
EMPTY="truncate pawl.inbox, pawl.ready, pawl.instance, pawl.event"

ask "$LIMIT" "insert into pawl.worker (node, slot) select '00000000-0000-7000-8000-000000000000', s from generate_series(1, 2) s"
limit_round() { # rows a statement -> boundaries a second
    ask "$LIMIT" "$EMPTY"
    bench bound -D n="$1" -D cursor=0 -f bench/boundaries/limit_start.sql -t 10 >/dev/null 2>&1
    ask "$LIMIT" "analyze pawl.inbox, pawl.ready, pawl.instance, pawl.event"
    local before after
    before=$(ask "$LIMIT" "$COUNT")
    # Keyed plans, prepared once, as Pawl's own sessions have them: the planner is never the limit.
    PGOPTIONS="-c enable_seqscan=off -c enable_hashjoin=off -c enable_mergejoin=off -c jit=off \
        -c plan_cache_mode=force_generic_plan" \
    bench bound -M prepared -D n="$1" -D cursor=0 -f bench/boundaries/limit_start.sql@1 -f bench/boundaries/limit_boundary.sql@3 \
        -c 2 -j 2 -T "$SECONDS_EACH" >"$WORK/limit.log" 2>&1
    after=$(ask "$LIMIT" "$COUNT")
    echo $(((after - before) / SECONDS_EACH))
}

cpu_times() { # of the engine, its sessions and its callers': nanoseconds
    # shellcheck disable=SC2046 # lists of words
    echo "$(cpu_ns "$engine") $(cpu_ns $(sessions_of 'pawl%')) $(cpu_ns $(sessions_of pgbench))"
}

engine_round() { # sets boundaries, their number, where their WAL is, and who took how much of the CPU
    stop_engine
    ask "$PG_CONNINFO" "$EMPTY"
    start_engine
    local load from to
    load_begin $((SECONDS_EACH + 6))
    cpu_from=$(cpu_times)
    from=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    wal_from=$(ask "$PG_CONNINFO" "select pg_current_wal_insert_lsn()")
    sleep "$SECONDS_EACH"
    to=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    wal_to=$(ask "$PG_CONNINFO" "select pg_current_wal_insert_lsn()")
    cpu_to=$(cpu_times)
    wait "$load"
    wal_count=$(ask "$PG_CONNINFO" "$COUNT and at >= '$from' and at < '$to'")
    boundaries=$(ask "$PG_CONNINFO" "select ($wal_count / extract(epoch from '$to'::timestamptz - '$from'))::int")
    stop_engine
}

deploy processes/three-tasks/three-tasks.bpmn

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
ratio=$(awk -v a="$value" -v b="$bound" 'BEGIN { printf "%.3f", a / b }')
bytes=$(awk -v w="${wal:-0}" -v n="$wal_count" 'BEGIN { printf "%.0f", n ? w / n : 0 }')
statements=$(awk -v a="$(total statements)" -v b="$(total batches)" 'BEGIN { printf "%.1f", b ? a / b : 0 }')
trips=$(awk -v a="$(total round_trips)" -v b="$(total batches)" 'BEGIN { printf "%.1f", b ? a / b : 0 }')

scenario=boundaries
if $json; then
    printf '{"scenario":"boundaries","value":%s,"unit":"boundaries/s","limit":%s,"ratio":%s}\n' "$value" "$bound" "$ratio"
else
    title boundaries
    figure "$value" "boundaries/s"
    figure "$bound" "boundaries/s, set-based SQL limit"
    figure "$ratio" "ratio to that limit" floor 0.4
fi
figure "$bytes" "WAL bytes/boundary" ceiling 700
cpu=$(awk -v a="$cpu_from" -v b="$cpu_to" -v n="$wal_count" 'BEGIN {
    split(a, from); split(b, to)
    for (i = 1; i <= 3; i++)
        printf "%.1f ", n ? (to[i] - from[i]) / n / 1000 : 0
}')
read -r cpu_engine cpu_sessions cpu_callers <<<"$cpu"
figure "$cpu_sessions" "us of CPU/boundary, the engine's PostgreSQL sessions"
figure "$cpu_engine" "us of CPU/boundary, the engine"
figure "$cpu_callers" "us of CPU/boundary, its callers' sessions"
figure "$statements" "statements/batch"
figure "$trips" "round trips/batch"

# What others do with the same process on such a server: bench/peers.
for name in camunda flowable; do
    of_peer=$(peer "$name" boundaries)
    [ -n "$of_peer" ] || continue
    figure "$of_peer" "boundaries/s, $name"
    figure "$(peer "$name" wal)" "WAL bytes/boundary, $name, full pages included"
    times=$(awk -v a="$value" -v b="$of_peer" 'BEGIN { printf "%.1f", a / b }')
    if [ "$name" = camunda ]; then
        figure "$times" "times $name" floor 60
    else
        figure "$times" "times $name"
    fi
done
