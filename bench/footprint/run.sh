#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the engine costs while it has nothing to do: the time from its start to "ready" on a schema that is
# there already, its resident memory, and the CPU time that it and its PostgreSQL sessions use.
#
#   bench/footprint/run.sh [--json]      BENCH_SECONDS=5 for a quick look (20: how long it idles)
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
SECONDS_EACH=${BENCH_SECONDS:-20}
bench_init "$@"
bench_server
deploy processes/three-tasks/three-tasks.bpmn

# Five starts; the median counts. The last one stays.
times=()
for round in 1 2 3 4 5; do
    stop_engine
    from=$EPOCHREALTIME
    exec {out}< <(exec "$PAWL" up --database "$PG_CONNINFO" --data "$WORK/node" 2>"$WORK/up.log")
    engine=$!
    read -r -t 20 line <&"$out" || line=
    to=$EPOCHREALTIME
    case $line in
    ready*) times+=("$(awk -v a="$from" -v b="$to" 'BEGIN { printf "%.1f", (b - a) * 1000 }')") ;;
    *)
        cat "$WORK/up.log" >&2
        exit 1
        ;;
    esac
    exec {out}<&-
done
start_ms=$(printf '%s\n' "${times[@]}" | sort -n | sed -n 3p)

# It works once, so that caches and connections are as in use, and then nothing.
ask "$PG_CONNINFO" "select count(*) from generate_series(1, 100), pawl.start('three-tasks')" >/dev/null
wait_for 20 "the instances ended" "select not exists (select from pawl.inbox) and not exists (select from pawl.instance)"
sleep 2
sessions=$(sessions_of 'pawl%')
# shellcheck disable=SC2086 # a list of words
before=$(cpu_ns "$engine") before_sessions=$(cpu_ns $sessions)
sleep "$SECONDS_EACH"
# shellcheck disable=SC2086
after=$(cpu_ns "$engine") after_sessions=$(cpu_ns $sessions)
resident=$(awk '/^VmRSS/ { printf "%.1f", $2 / 1024 }' "/proc/$engine/status")
own=$(awk '/^(Private_Clean|Private_Dirty)/ { sum += $2 } END { printf "%.1f", sum / 1024 }' "/proc/$engine/smaps_rollup")
share() { awk -v a="$1" -v b="$2" -v s="$SECONDS_EACH" 'BEGIN { printf "%.2f", (b - a) / s / 1e7 }'; }

title footprint
figure "$start_ms" "ms from start to ready" ceiling 150
figure "$resident" "MB resident, idle" ceiling 30
figure "$own" "MB of them not shared"
figure "$(share "$before" "$after")" "% of a core, the engine, idle" ceiling 0.5
figure "$(share "$before_sessions" "$after_sessions")" "% of a core, its PostgreSQL sessions, idle" ceiling 1
figure "$(wc -w <<<"$sessions")" "PostgreSQL sessions"
