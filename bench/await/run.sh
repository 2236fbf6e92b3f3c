#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# 10,000 HTTP requests that wait for the end of their instance (POST …/start?await=5m), each a connection that was
# put aside; then a hundred are woken by a message, one after the other.
#
#   bench/await/run.sh      BENCH_WAITING=1000 for a quick look (10000)
set -euo pipefail
cd "$(dirname "$0")/../.."
. bench/lib.sh
bench_init "$@"
bench_server
ulimit -n "$(ulimit -Hn)"
"$PAWL" up --database "$PG_CONNINFO" --data "$WORK/data" --dev --listen 127.0.0.1:0 >"$WORK/up.out" 2>"$WORK/up.log" &
engine=$!
for ((i = 0; i < 200; i++)); do
    grep -q '^ready' "$WORK/up.out" && break
    sleep 0.05
done
"$PAWL" deploy --database "$PG_CONNINFO" tests/server/waits.bpmn >/dev/null
title await
python3 bench/await/wait.py "$(sed -n 's/^ready.*, http //p' "$WORK/up.out")" "${BENCH_WAITING:-10000}"
