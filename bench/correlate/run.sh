#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Messages a second to instances that wait for them by business key, from 8 clients: correlate() and
# publish(), in transactions of 100 and one by one. Counted until the last one was received. 100,000 wait
# at first; each of the four parts takes a quarter of them.
#
#   bench/correlate/run.sh [--json]      BENCH_WAITING=8000 for a quick look (100000)
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
WAITING=${BENCH_WAITING:-100000}
[ -z "${BENCH_SECONDS:-}" ] || WAITING=${BENCH_WAITING:-$((BENCH_SECONDS * 4000))}
bench_init "$@"
bench_server
deploy bench/models/bench-wait.bpmn
ask "$PG_CONNINFO" "create schema bench; create sequence bench.key"
start_engine
ask "$PG_CONNINFO" "do \$\$ begin
    for n in 0 .. ($WAITING - 1) / 1000 loop
        perform pawl.start('bench-wait', 'k' || i) from generate_series(n * 1000 + 1, least(n * 1000 + 1000, $WAITING)) i;
        commit;
    end loop;
end \$\$"
wait_for $((WAITING / 200 + 60)) "everybody waits" "select not exists (select from pawl.inbox)"
ask "$PG_CONNINFO" "analyze pawl.instance, pawl.subscription"

received=
leg() { # function, messages a transaction
    local from transactions=$((WAITING / 4 / 8 / $2))
    [ "$transactions" -gt 0 ] || transactions=1
    from=$(ask "$PG_CONNINFO" "select clock_timestamp()")
    bench pawl -D n="$2" -f "bench/correlate/$1.sql" -c 8 -j 2 -t "$transactions" -M prepared >"$WORK/load.log" 2>&1
    wait_for $((WAITING / 100 + 60)) "all messages received" \
        "select not exists (select from pawl.inbox) and not exists (select from pawl.ready)"
    IFS='|' read -r received n < <(ask "$PG_CONNINFO" "
        select (count(*) / extract(epoch from max(at) - '$from'))::int, count(*)
        from pawl.api_event where kind = 12 and at >= '$from'")
    [ "$n" -eq $((transactions * 8 * $2)) ] ||
        echo "correlate: of $((transactions * 8 * $2)) messages by $1(), $n were received" >&2
}

title correlate
camunda=$(peer camunda correlations)
leg correlate 100
figure "$received" "messages/s, correlate(), 100 a transaction" floor "$(of_peer 10 "$camunda")"
leg publish 100
figure "$received" "messages/s, publish(), 100 a transaction" floor "$(of_peer 10 "$camunda")"
leg correlate 1
figure "$received" "messages/s, correlate(), one by one" floor "$(of_peer 4 "$camunda")"
leg publish 1
figure "$received" "messages/s, publish(), one by one" floor "$(of_peer 4 "$camunda")"
[ -z "$camunda" ] || figure "$camunda" "messages/s of Camunda 7, 8 threads"
