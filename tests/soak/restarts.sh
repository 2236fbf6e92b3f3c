#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# PostgreSQL is restarted every 20 s under load, orderly and by a crash in turn. Reports the rate of starts relative
# to an undisturbed run on the same server, and how soon the rate is back; afterwards an audit: restarts.py.
#
#   tests/soak/restarts.sh [SECONDS]      300 seconds unless told, between twice 30 undisturbed ones
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
. "$ROOT/tests/lib/pg.sh"

trap pg_stop EXIT
trap 'exit 143' TERM INT
[ -x "$PAWL" ] || { echo "There is no $PAWL: build it, or set PAWL."; exit 1; }
PG_SETTINGS="fsync = on
synchronous_commit = on
shared_buffers = 512MB
max_wal_size = 4GB
checkpoint_timeout = 15min
autovacuum_naptime = 5s"
pg_start || exit 1
export PAWL ROOT PG_DIR PG_BIN PG_CONNINFO
python3 -B "$ROOT/tests/soak/restarts.py" "${1:-300}"
