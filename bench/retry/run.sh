#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# R100/PT0.1S against a task that always fails: the gaps between the tries of an instance, by the times in
# the history. One instance alone, then 1,000 at once.
#
#   bench/retry/run.sh [--json]      BENCH_SECONDS=3 for a quick look (12: all hundred tries)
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
SECONDS_EACH=${BENCH_SECONDS:-12}
bench_init "$@"
bench_server
deploy bench/models/bench-retry.bpmn

leg() { # instances
    stop_engine
    ask "$PG_CONNINFO" "truncate pawl.inbox, pawl.ready, pawl.timer, pawl.incident, pawl.instance, pawl.event"
    start_engine
    ask "$PG_CONNINFO" "select count(*) from generate_series(1, $1) i,
        pawl.start('bench-retry', 'k' || i, '{\"divisor\": 0}')" >/dev/null
    sleep "$SECONDS_EACH"
    stop_engine
    IFS='|' read -r least p50 p99 tries < <(ask "$PG_CONNINFO" "
        select round(min(ms), 2), round(percentile_disc(0.5) within group (order by ms), 2),
            round(percentile_disc(0.99) within group (order by ms), 2), count(*)
        from (select extract(epoch from at - lag(at) over (partition by instance_id order by at, n)) * 1000 as ms
              from pawl.api_event where kind = 7) x where ms is not null")
}

title retry
leg 1
figure "$least" "ms the shortest gap, one instance" floor 100
figure "$p50" "ms p50, gap, one instance"
figure "$p99" "ms p99, gap, one instance" ceiling 105
leg 1000
figure "$least" "ms the shortest gap, 1000 instances" floor 100
figure "$p50" "ms p50, gap, 1000 instances"
figure "$p99" "ms p99, gap, 1000 instances" ceiling 120
figure "$(awk -v n="$tries" -v s="$SECONDS_EACH" 'BEGIN { printf "%.0f", n / s }')" "tries/s, 1000 instances"
