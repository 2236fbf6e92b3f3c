#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What an endpoint's service does not see: requests while its circuit is open, above its rate, before its
# Retry-After, or while all are held; two nodes, one of them stopped. Each NAME.case is in the words of
# tests/lib/scenario.sh, tests/lib/cases.sh and of this file.
#
#   tests/endpoint/run.sh [NAME…]
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/scenario.sh"
. "$ROOT/tests/lib/cases.sh"

# service_start OPTIONS-JSON: the service (service.py), its endpoint, and the processes that ask it.
service_start() {
    service_is well
    deploy "$ROOT/tests/endpoint/ask.bpmn"
    endpoint service "http://127.0.0.1:$SERVICE_PORT" "{\"allow\": [\"loopback\"], ${1#\{}"
}

service_is() { curl -s -X POST "http://127.0.0.1:$SERVICE_PORT/do/$1" >/dev/null; }

now() { date +%s.%N; }

# asked SINCE PYTHON: an expression over `log`, the sorted times, and `keys` of what was asked since then.
asked() {
    curl -s "http://127.0.0.1:$SERVICE_PORT/log?since=$1" | python3 -c '
import json, sys
rows = sorted(json.load(sys.stdin))
log, keys = [r[0] for r in rows], [r[1] for r in rows]
# The most in any stretch of so many seconds.
def most(seconds):
    last, best = 0, 0
    for first in range(len(log)):
        while last < len(log) and log[last] < log[first] + seconds:
            last += 1
        best = max(best, last - first)
    return best
print(eval(sys.argv[1]))' "$2"
}

pawl() { "$PAWL" "$@" --database "$PG_CONNINFO" --schema "$SCENARIO_SCHEMA"; }

# says PATTERN SUBCOMMAND…: what pawl prints, on either stream.
says() {
    local said
    said=$(pawl "${@:2}" 2>&1)
    grep -q -- "$1" <<<"$said" || scenario_fail "pawl ${*:2} does not say \"$1\": $said"
}

cleanup() {
    [ -z "${OTHER_PID:-}" ] || kill -CONT "$OTHER_PID" 2>/dev/null
    [ -z "${SERVICE_PID:-}" ] || kill "$SERVICE_PID" 2>/dev/null
    cases_cleanup
}
trap cleanup EXIT
trap 'exit 143' TERM INT
[ -x "$PAWL" ] || { echo "There is no $PAWL: build it, or set PAWL."; exit 1; }
coproc SERVICE { exec python3 -B "$ROOT/tests/endpoint/service.py"; }
read -r SERVICE_PORT <&"${SERVICE[0]}"
pg_start || exit 1
run_cases "$ROOT/tests/endpoint" "$@"
