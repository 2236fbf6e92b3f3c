#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The demos are tests, too: each exits 0 only if everything ended as its story says.
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
said=$(mktemp)
trap 'rm -f "$said"' EXIT
passed=0 failed=0
for story in "$ROOT"/processes/*/demo.sh; do
    name=$(basename "$(dirname "$story")")
    began=$SECONDS
    if "$ROOT/scripts/demo.sh" "$name" >"$said" 2>&1; then
        passed=$((passed + 1))
        printf 'ok      %s (%d s)\n' "$name" $((SECONDS - began))
    else
        failed=$((failed + 1))
        cat "$said"
        printf 'FAILED  %s\n' "$name"
    fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" = 0 ]
