#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What the unit tests of jobexec/ need more than a program for: the dispatcher's statements on a real
# PostgreSQL, and the threads under the thread sanitizer.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
. tests/lib/pg.sh

build=${PAWL_BUILD:-build-debug}
work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-jobexec.XXXXXX")
trap 'pg_stop; rm -rf "$work"' EXIT
passed=0 failed=0

# check NAME COMMAND…: its output only when it fails.
check() {
    local name=$1
    shift
    if "$@" >"$work/output" 2>&1; then
        passed=$((passed + 1))
        printf 'ok      %s\n' "$name"
    else
        failed=$((failed + 1))
        printf 'FAILED  %s\n' "$name"
        sed 's/^/        /' "$work/output"
    fi
}

# A program of its own, small enough to be built here with other sanitizers than the rest.
threads() {
    gcc -std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=thread -ffunction-sections -Wl,--gc-sections -I. \
        -o "$work/threads" "tests/unit/jobexec/$1.c" base/*.c engine/value*.c jobexec/*.c store/permit.c store/breaker.c -lcurl -lcrypto -lcmocka -lpthread -lm &&
        TSAN_OPTIONS="halt_on_error=1 exitcode=66" "$work/threads"
}

pg_start || exit 1
PAWL_TEST_DATABASE=$PG_CONNINFO check "the dispatcher's statements" "$build/unit_store_test_call"
for test in test_http test_answers test_jobexec; do
    check "$test, thread sanitizer" threads "$test"
done
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
