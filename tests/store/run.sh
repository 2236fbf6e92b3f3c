#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The batch under bad conditions: two nodes, lost connections, data that the database refuses, commands
# that kill the process. Each NAME.case is in the words of tests/lib/scenario.sh and tests/lib/cases.sh.
#
#   tests/store/run.sh [NAME…]
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/scenario.sh"
. "$ROOT/tests/lib/cases.sh"

trap cases_cleanup EXIT
trap 'exit 143' TERM INT
[ -x "$PAWL" ] || { echo "There is no $PAWL: build it, or set PAWL."; exit 1; }
pg_start || exit 1
run_cases "$ROOT/tests/store" "$@"
