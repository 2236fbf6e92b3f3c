#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Behind a burst of BENCH_BURST (100,000) starts of one process, another process's instances are started one by
# one: how long a start waits to be taken up, and each of their boundaries to be carried out.
#
#   bench/fairness/run.sh [--json]
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh

BURST=${BENCH_BURST:-100000}
bench_init "$@"
bench_server
sed 's/three-tasks/bench-other/g' processes/three-tasks/three-tasks.bpmn >"$WORK/bench-other.bpmn"
deploy processes/three-tasks/three-tasks.bpmn "$WORK/bench-other.bpmn"

title fairness
start_engine
# All at once, before the first of the others.
ask "$PG_CONNINFO" "select count(*) from generate_series(1, $BURST) g, pawl.start('three-tasks',
    variables => jsonb_build_object('order', jsonb_build_object('id', g, 'customer', 'acme', 'amount', 99.5)))" >/dev/null
until=$((SECONDS + 300))
left="select (select count(*) from (select from pawl.inbox limit 2000) i) + (select count(*) from (select from pawl.ready limit 2000) r) > 1000"
others=0
while [ "$(ask "$PG_CONNINFO" "$left")" = t ] && [ "$SECONDS" -lt "$until" ]; do
    ask "$PG_CONNINFO" "select from pawl.start('bench-other')" >/dev/null
    others=$((others + 1))
done
wait_for 300 "everything has ended" "select not exists (select from pawl.instance) and not exists (select from pawl.inbox)"
stop_engine

# Of the ids, which say when they were asked for, and of the history: from each to the next.
gaps="select extract(epoch from e.at - coalesce(lag(e.at) over (partition by e.instance_id order by e.at),
        pawl.api_id_time(e.instance_id))) * 1000 as ms,
        e.business_key is null and row_number() over (partition by e.instance_id order by e.at) = 1 as first
    from pawl.event e join pawl.definition d on d.id = e.definition_id where d.key = 'bench-other'"
p99() { ask "$PG_CONNINFO" "select round(percentile_cont(0.99) within group (order by ms)::numeric) from ($gaps) g where $1"; }
figure "$others" "instances started behind the burst of $BURST"
figure "$(p99 first)" "ms until a start is taken up, p99" ceiling 1000
figure "$(p99 'not first')" "ms from a boundary to the next, p99" ceiling 1000
figure "$(ask "$PG_CONNINFO" "select round(extract(epoch from max(e.at) - min(e.at))::numeric, 1) from pawl.event e
    join pawl.definition d on d.id = e.definition_id where d.key = 'three-tasks'")" "s until the burst has ended"
