#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The clients of clients/ against a stand-in that is busy, cut off, gone or picky; the shell functions in each
# shell that is here. tests/aws/run.sh has them with a real engine.
#   run.sh
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
WORK=$(mktemp -d)
trap 'kill "$STANDIN" 2>/dev/null; rm -rf "$WORK"' EXIT
passed=0 failed=0 skipped=0

exec 4< <(exec /usr/bin/python3 tests/clients/standin.py)
STANDIN=$!
read -r PORT <&4 || exit 1

pids=()
for shell in dash bash "busybox sh"; do
    if ! command -v "${shell%% *}" >/dev/null; then
        echo "no ${shell%% *}: pawl.sh is not tested with it"
        skipped=$((skipped + 1))
        continue
    fi
    mkdir "$WORK/${shell%% *}"
    $shell tests/clients/shell.sh "$PORT" "$WORK/${shell%% *}" "${shell%% *}" &
    pids+=($!)
done
/usr/bin/python3 tests/clients/python.py "$PORT" >"$WORK/python" 2>&1 || failed=$((failed + 1))
grep -q '^Ran ' "$WORK/python" && passed=$((passed + $(sed -n 's/^Ran \([0-9]*\) .*/\1/p' "$WORK/python") - failed))
[ "$failed" = 0 ] || cat "$WORK/python"
wait "${pids[@]}"
for shell in "$WORK"/*/; do
    if read -r good bad <"$shell/counts.$(basename "$shell")"; then
        passed=$((passed + good)) failed=$((failed + bad))
    else
        echo "$(basename "$shell") did not come to the end" && failed=$((failed + 1))
    fi
done
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
