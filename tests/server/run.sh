#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The HTTP server of `pawl up --listen`: requests that are two, health, metrics that move when they should.
#   PAWL=build/pawl tests/server/run.sh
set -uo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PAWL=$(realpath "${PAWL:-$ROOT/build/pawl}")
[ -x "$PAWL" ] || { echo "There is no program $PAWL: build it, or set PAWL." >&2; exit 1; }
unset PAWL_DATABASE PAWL_SCHEMA PAWL_CONFIG
. "$ROOT/tests/lib/pg.sh"

DIR=$(mktemp -d "${TMPDIR:-/tmp}/pawl-server.XXXXXX")
ENGINE=
clean_up() {
    [ -z "$ENGINE" ] || kill "$ENGINE" 2>/dev/null
    wait 2>/dev/null
    pg_stop
    rm -rf "$DIR"
}
trap clean_up EXIT
pg_start || exit 1
export PAWL_DATABASE=$PG_CONNINFO
# up SCHEMA [ARGUMENT…]: sets address and ENGINE.
up() {
    export PAWL_SCHEMA=$1
    shift
    : >"$DIR/out" # what the engine before has said
    "$PAWL" up --data "$DIR/$PAWL_SCHEMA" --listen 127.0.0.1:0 "$@" >"$DIR/out" 2>"$DIR/err" </dev/null &
    export ENGINE=$!
    until_so eval 'grep "^ready" "$DIR/out" || ! kill -0 "$ENGINE"'
    address=$(sed -n 's/^ready.*, http //p' "$DIR/out")
    [ -n "$address" ] || { echo "pawl up does not become ready:"; tail -5 "$DIR/err"; exit 1; }
}

# It has been told to stop.
ended() {
    wait "$ENGINE" || { echo "pawl up ended with status $?"; tail -5 "$DIR/err"; failed=1; }
    ENGINE=
}

down() {
    kill "$ENGINE" 2>/dev/null
    ended
}

failed=0
up api --dev
"$PAWL" deploy "$ROOT/tests/server/waits.bpmn" >/dev/null || failed=1
for part in native manage editor sedo inputs hostile fetching worker waiting; do
    echo "== $part"
    /usr/bin/python3 -B "$ROOT/tests/server/$part.py" "$address" "$PAWL" "$ROOT" || failed=1
done
down
echo "== two nodes"
PAWL_SCHEMA=nodes /usr/bin/python3 -B "$ROOT/tests/server/two_nodes.py" "$PAWL" "$DIR" "$ROOT" || failed=1
up auth --trusted-proxies 127.0.0.9
echo "== who may"
"$PAWL" deploy "$ROOT/tests/server/waits.bpmn" >/dev/null || failed=1
LOG=$DIR/err PAWL=$PAWL /usr/bin/python3 -B "$ROOT/tests/server/auth.py" "$address" || failed=1
down
up outage
echo "== outage"
"$PAWL" deploy "$ROOT/tests/server/waits.bpmn" >/dev/null || failed=1
/usr/bin/python3 -B "$ROOT/tests/server/outage.py" "$address" "$PAWL" "$DIR/err" || failed=1
down
echo "== sockets"
bash "$ROOT/tests/server/sockets.sh" "$PAWL" "$DIR" || failed=1
up stopped --dev
echo "== stopping"
"$PAWL" deploy "$ROOT/tests/server/waits.bpmn" >/dev/null || failed=1
/usr/bin/python3 -B "$ROOT/tests/server/stopping.py" "$address" "$ENGINE" || failed=1
ended
up pawl --dev
echo "== requests, health, metrics"
/usr/bin/python3 -B "$ROOT/tests/server/ask.py" --program "$PAWL" --address "$address" --engine "$ENGINE" \
    --models "$ROOT" --stop-database "$PG_BIN/pg_ctl -D $PG_DIR/data" --log "$DIR/err" \
    --as "$([ "$(id -u)" = 0 ] && echo postgres)" ||
    failed=1
exit $failed
