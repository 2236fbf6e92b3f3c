#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Boundaries a second while another session holds a REPEATABLE READ snapshot, so that nothing that is deleted
# can be cleaned up: slices of BENCH_SLICE (10) s, BENCH_SLICES (6) of them after one without the snapshot.
#
#   bench/pinned/run.sh [--json]
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh

SLICE=${BENCH_SLICE:-10}
SLICES=${BENCH_SLICES:-6}
bench_init "$@"
bench_server
deploy processes/three-tasks/three-tasks.bpmn

title pinned
start_engine
load_begin $((SLICE * (SLICES + 1) + 30))
free=$(slice_of "$SLICE")
coproc HOLDER { psql -X -q -A -t -d "$PG_CONNINFO"; }
holder=$HOLDER_PID
printf 'begin isolation level repeatable read;\nselect txid_current_if_assigned() is null, count(*) from pawl.worker;\n' >&"${HOLDER[1]}"
read -r _ <&"${HOLDER[0]}"
rates=()
for ((i = 1; i <= SLICES; i++)); do
    rates+=("$(slice_of "$SLICE")")
done
[ "$(ask "$PG_CONNINFO" "select count(*) from pg_stat_activity where backend_xmin is not null and state = 'idle in transaction'")" -ge 1 ] ||
    echo "pinned: the snapshot was lost" >&2
kill "$holder" 2>/dev/null || true
load_end
stop_engine

figure "$free" "boundaries/s, no snapshot held"
for ((i = 0; i < SLICES; i++)); do
    figure "${rates[i]}" "boundaries/s, snapshot held for $(((i + 1) * SLICE)) s"
done
figure "$(awk -v a="${rates[SLICES - 1]}" -v b="$free" 'BEGIN { printf "%.2f", b ? a / b : 0 }')" \
    "ratio of the last slice" floor 0.6
# Rates differ by some hundredths from slice to slice: flat is within a tenth.
figure "$(awk -v a="${rates[SLICES - 1]}" -v b="${rates[SLICES > 2 ? SLICES - 3 : 0]}" 'BEGIN { printf "%.2f", b ? a / b : 0 }')" \
    "last slice by the last but two" floor 0.9
