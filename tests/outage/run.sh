#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The database goes away in every way that it has: connections cut around COMMIT by a proxy (pgproxy.py),
# restarts, no connections to be had, no room on the disk, statements cancelled, transactions refused. Each
# NAME.case is in the words of tests/lib/scenario.sh, tests/lib/cases.sh and of this file.
#
#   tests/outage/run.sh [NAME…]
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/scenario.sh"
. "$ROOT/tests/lib/cases.sh"

# The engine goes through a proxy (pgproxy.py); its clients do not.
proxy_start() {
    echo pass >"$PG_DIR/proxy.do"
    rm -f "$PG_DIR/proxy.port"
    python3 -B "$ROOT/tests/outage/pgproxy.py" --socket "$PG_DIR" --port-file "$PG_DIR/proxy.port" \
        --control "$PG_DIR/proxy.do" --life 900 >"$PG_DIR/proxy.out" 2>"$PG_DIR/proxy.err" &
    PROXY_PID=$!
    until_so [ -s "$PG_DIR/proxy.port" ]
    ENGINE_CONNINFO="host=127.0.0.1 port=$(cat "$PG_DIR/proxy.port") dbname=pawl user=pawl sslmode=disable gssencmode=disable"
}

# proxy WHAT…: what it does from now on with a COMMIT.
proxy() {
    echo "$*" >"$PG_DIR/proxy.do.new"
    mv "$PG_DIR/proxy.do.new" "$PG_DIR/proxy.do"
}

proxy_stop() {
    ENGINE_CONNINFO=
    [ -n "${PROXY_PID:-}" ] || return 0
    kill "$PROXY_PID" 2>/dev/null
    wait "$PROXY_PID" 2>/dev/null
    PROXY_PID=
}

# A service that must not be asked twice; `pay` asks it once an instance.
till_start() {
    coproc TILL { exec python3 -B "$ROOT/tests/outage/till.py"; }
    read -r TILL_PORT <&"${TILL[0]}"
    deploy "$ROOT/tests/outage/pay.bpmn" "$ROOT/processes/three-tasks/three-tasks.bpmn"
    endpoint till "http://127.0.0.1:$TILL_PORT" '{"maxInFlight": 20}'
}

till_stop() {
    [ -z "${TILL_PID:-}" ] || kill "$TILL_PID" 2>/dev/null
}

# load NAME N: so many instances of each process, from a client beside the proxy.
load() {
    expect "started for $1" "$2" "$(sql "select count(*) from generate_series(1, $2) n,
        start('pay', '$1-pay-' || n) p, start('three-tasks', '$1-three-' || n) t")"
}

# all_once NAME N: they end, each element passed once, and were paid once.
all_once() {
    becomes "all of $1 end" $(($2 * 2)) \
        "select count(*) from instances where business_key like '$1-%' and state = 'completed'"
    expect "each element of $1 once" "$2 $2 $2 $2 $2 $2" "$(sql "select string_agg(n::text, ' ') from (
        select count(*) n from history h join instances i using (instance_id)
        where i.business_key like '$1-%' and h.element_kind = 'serviceTask' and h.state = 'completed' group by h.element_id) x")"
    TILL_EXPECTED=$((${TILL_EXPECTED:-0} + $2))
    expect "paid by $1" "$TILL_EXPECTED $TILL_EXPECTED" "$(curl -s "http://127.0.0.1:$TILL_PORT/paid")"
}

cleanup() {
    till_stop
    [ ! -d "${PG_DIR:-}/small" ] || {
        pg_as_owner "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -m immediate -s stop
        umount "$PG_DIR/small" 2>/dev/null
    }
    cases_cleanup
}
trap cleanup EXIT
trap 'exit 143' TERM INT
[ -x "$PAWL" ] || { echo "There is no $PAWL: build it, or set PAWL."; exit 1; }
pg_start || exit 1
run_cases "$ROOT/tests/outage" "$@"
