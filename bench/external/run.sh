#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# External tasks: 8 workers fetch fifty at a time while 100,000 wait. First they only fetch; then each completes
# what it has fetched, counted until the engine has ended the last instance.
#
#   bench/external/run.sh [--json]      BENCH_WAITING=8000 for a quick look (100000)
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
WAITING=${BENCH_WAITING:-100000}
[ -z "${BENCH_SECONDS:-}" ] || WAITING=${BENCH_WAITING:-$((BENCH_SECONDS * 4000))}
bench_init "$@"
bench_server
deploy bench/models/bench-external.bpmn
start_engine
ask "$PG_CONNINFO" "do \$\$ begin
    for n in 0 .. ($WAITING - 1) / 1000 loop
        perform pawl.start('bench-external', 'k' || i) from generate_series(n * 1000 + 1, least(n * 1000 + 1000, $WAITING)) i;
        commit;
    end loop;
end \$\$"
wait_for $((WAITING / 200 + 60)) "everybody waits" "select not exists (select from pawl.inbox)"
ask "$PG_CONNINFO" "analyze pawl.instance, pawl.external_task, pawl.external_offer"

rounds=$((WAITING / 2 / 8 / 50))
[ "$rounds" -gt 0 ] || rounds=1
clients() { # SCRIPT: its transactions a second, latency in ms
    bench pawl -f "bench/external/$1.sql" -c 8 -j 2 -t "$rounds" -M prepared >"$WORK/load.log" 2>&1
    awk '/^tps/ { tps = $3 } /^latency average/ { ms = $4 } END { print tps, ms }' "$WORK/load.log"
}
leased() { ask "$PG_CONNINFO" "select count(*) from pawl.external_lease"; }

title external
read -r tps ms < <(clients take)
[ "$(leased)" -eq $((rounds * 8 * 50)) ] || echo "external: $(leased) tasks are leased in place of $((rounds * 8 * 50))" >&2
figure "$(awk -v t="$tps" 'BEGIN { printf "%d", t * 50 }')" "tasks/s fetched, 50 at a time by 8 workers"
figure "$ms" "ms a fetch of 50"
from=$(ask "$PG_CONNINFO" "select clock_timestamp()")
clients fetch >/dev/null
wait_for $((WAITING / 100 + 60)) "all answers carried out" "select not exists (select from pawl.inbox)"
IFS='|' read -r ended n < <(ask "$PG_CONNINFO" "
    select (count(*) / extract(epoch from max(at) - '$from'))::int, count(*)
    from pawl.api_event where kind = 2 and at >= '$from'")
[ "$n" -eq $((rounds * 8 * 50)) ] || echo "external: $n instances ended in place of $((rounds * 8 * 50))" >&2
figure "$ended" "tasks/s fetched, completed and carried out"
