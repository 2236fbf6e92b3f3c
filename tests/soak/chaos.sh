#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Several nodes on one database, clients that ask for everything at once, and bad luck: nodes killed and
# stopped, sessions ended, the server restarted; what administrators do (suspend, move, bulk, withdraw) and workers of
# external tasks in between. Afterwards an audit in SQL: see chaos.py.
#
#   tests/soak/chaos.sh [SECONDS [SEED]]      60 seconds unless told; the seed is printed
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/scenario.sh"

trap pg_stop EXIT
trap 'exit 143' TERM INT
[ -x "$PAWL" ] || { echo "There is no $PAWL: build it, or set PAWL."; exit 1; }
pg_start && "$PAWL" migrate --database "$PG_CONNINFO" >/dev/null || exit 1
export PAWL PG_DIR PG_BIN PG_CONNINFO PG_ADMIN
python3 -B "$ROOT/tests/soak/chaos.py" "$ROOT/tests/soak/chaos.bpmn" "${1:-60}" "${2:-$RANDOM}"
