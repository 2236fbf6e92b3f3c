# SPDX-License-Identifier: Apache-2.0
# What the benchmarks share: a private PostgreSQL with fsync on, the engine, and how figures are printed.
# Sourced by bench/NAME/run.sh from the project's root folder, after `set -euo pipefail`.
#
#   bench_init "$@"             json (true or false), WORK (a folder of its own), the trap that cleans up
#   bench_server                the server, schema "pawl" migrated in database "pawl" (PG_CONNINFO)
#   ask CONNINFO SQL            one value
#   bench …                     pgbench at that server as role pawl
#   deploy FILE…                with the engine stopped
#   start_engine [OPTION…], stop_engine
#                               of pawl up; its log is $WORK/up.log, its process id $engine
#   title SCENARIO              the table's head
#   figure VALUE UNIT [floor|ceiling LINE]
#                               one figure; below the floor or above the ceiling it is SHORT
. tests/lib/pg.sh

PAWL=${PAWL:-build/pawl}
json=false
scenario=
WORK=
engine=

bench_finish() {
    local job
    for job in $(jobs -p); do
        kill -TERM "$job" 2>/dev/null || true
    done
    stop_engine
    pg_stop
    [ -z "$WORK" ] || rm -rf "$WORK"
}

bench_init() {
    [ "${1:-}" = --json ] && json=true
    [ -x "$PAWL" ] || {
        echo "There is no $PAWL; scripts/build.sh makes it." >&2
        exit 1
    }
    WORK=$(mktemp -d)
    trap bench_finish EXIT
}

# BENCH_PG_SETTINGS: further lines of postgresql.conf, to compare settings.
bench_server() {
    PG_SETTINGS="fsync = on
synchronous_commit = on
shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 30min
wal_keep_size = 4GB
autovacuum_naptime = 5s
${BENCH_PG_SETTINGS:-}"
    pg_start
    "$PAWL" migrate --database "$PG_CONNINFO" >/dev/null
}

ask() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$1" -c "$2"; }
bench() { "$PG_BIN/pgbench" -n -h "$PG_DIR" -U pawl "$@"; }

stop_engine() {
    [ -z "$engine" ] && return
    kill -TERM "$engine" 2>/dev/null || true
    wait "$engine" 2>/dev/null || true
    engine=
}

start_engine() {
    "$PAWL" up --database "$PG_CONNINFO" --data "$WORK/node" --workers 2 "$@" >"$WORK/up.out" 2>"$WORK/up.log" &
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

# Deployments are judged by the engine, so it runs for as long as they take.
deploy() {
    local file
    start_engine
    for file in "$@"; do
        "$PAWL" deploy --database "$PG_CONNINFO" "$file" >"$WORK/deploy.out" 2>&1 || {
            cat "$WORK/deploy.out" >&2
            exit 1
        }
    done
    stop_engine
}

# wait_for SECONDS WHAT SQL: until the SQL says t. Looks rarely, so as not to be measured itself.
wait_for() {
    local until=$((SECONDS + $1))
    while [ "$(ask "$PG_CONNINFO" "$3")" != t ]; do
        [ "$SECONDS" -lt "$until" ] || {
            echo "$scenario: after $1 s still not: $2" >&2
            return 1
        }
        sleep 0.2
    done
}

# sessions_of PATTERN: process ids of the PostgreSQL sessions whose application_name is like this.
sessions_of() {
    ask "$PG_CONNINFO" "select string_agg(pid::text, ' ') from pg_stat_activity where application_name like '$1'"
}

# cpu_ns PID…: nanoseconds on a CPU of all threads of these processes.
cpu_ns() {
    local pid
    for pid in "$@"; do
        cat /proc/"$pid"/task/*/schedstat
    done | awk '{ sum += $1 } END { printf "%.0f", sum }'
}

# total NAME: of the line with the totals that the executor logs when it has stopped; 0 without one.
total() {
    local found
    found=$(grep 'executor stopped' "$WORK/up.log" | tail -1 | grep -oE "\\b$1=[0-9.]+" | cut -d= -f2) || true
    printf '%s' "${found:-0}"
}

title() {
    scenario=$1
    $json || printf '\n%-56s %12s %16s\n' "$1" "" "line"
}

median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

# ratio is the value by its line: at least 1 is wanted of a floor, at most 1 of a ceiling.
figure() {
    local value=$1 unit=$2 direction=${3:-} line=${4:-} ratio= short=
    [ -n "$value" ] || value=null
    [ -n "$line" ] || direction=
    if [ "$value" = null ]; then
        [ -z "$line" ] || short="  SHORT: nothing was measured"
    elif [ -n "$line" ]; then
        ratio=$(awk -v a="$value" -v b="$line" 'BEGIN { if (b > 0) printf "%.3f", a / b }')
        awk -v a="$value" -v b="$line" -v d="$direction" 'BEGIN { exit d == "floor" ? a >= b : a <= b }' &&
            short="  SHORT"
    fi
    if $json; then
        printf '{"scenario":"%s","value":%s,"unit":"%s","limit":%s,"ratio":%s}\n' "$scenario" "$value" "$unit" \
            "${line:-null}" "${ratio:-null}"
    else
        case $direction in
        floor) line=">= $line" ;;
        ceiling) line="<= $line" ;;
        esac
        printf '  %-54s %12s %16s%s\n' "$unit" "$value" "$line" "$short"
    fi
}

# peer NAME FIGURE: a figure of the peer, e.g. `peer camunda boundaries`; nothing without BENCH_PEERS=1 or
# where peers cannot run (they say so themselves, once). Measured once in a run of scripts/bench.sh.
peer() {
    [ "${BENCH_PEERS:-0}" = 1 ] || return 0
    local file=${BENCH_PEERS_FILE:-$WORK/peers}
    [ -e "$file" ] || bash bench/peers/run.sh --raw >"$file" || true
    awk -v p="$1" -v f="$2" '$1 == p && $2 == f { print $3 }' "$file"
}

# of_peer FACTOR VALUE: the line that is so many times the peer's; nothing without a peer.
of_peer() { [ -z "$2" ] || awk -v f="$1" -v v="$2" 'BEGIN { printf "%.0f", f * v }'; }

# ---- The load of `boundaries`: instances of three asynchronous tasks, started continuously ----

BOUNDARIES="select count(*) from pawl.api_event where kind = 4 and node between 1 and 3 and definition_id =
    (select max(id) from pawl.definition where key = 'three-tasks')"

# load_begin SECONDS, load_end: in the background.
load_begin() {
    bench "$(ask "$PG_CONNINFO" "select current_database()")" -M prepared -D n=2000 -D last=none -c 6 -f bench/boundaries/generate.sql -T "$1" >"$WORK/generate.log" 2>&1 &
    load=$!
    sleep 2
}

load_end() {
    kill "$load" 2>/dev/null || true
    wait "$load" 2>/dev/null || true
}

# slice_of SECONDS: boundaries a second from now on, under that load.
slice_of() {
    local from to
    from=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    sleep "$1"
    to=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    ask "$PG_CONNINFO" "select (($BOUNDARIES and at >= '$from' and at < '$to')
        / extract(epoch from '$to'::timestamptz - '$from'))::int"
}

# boundaries_for SECONDS: with a load of its own, which is carried out when it returns.
boundaries_for() {
    local load
    load_begin $(($1 + 10))
    slice_of "$1"
    load_end
    wait_for 60 "the load is done" "select not exists (select from pawl.ready) and not exists (select from pawl.inbox)"
}
