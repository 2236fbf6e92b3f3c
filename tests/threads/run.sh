#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The whole program under the thread sanitizer, without suppressions: server/, store/desk*.c and the executor behind
# them while clients storm it, are disconnected, lose the database, and while it reloads and stops.
#
# libmicrohttpd, GnuTLS, libpq and libcurl are not instrumented. Their locks, sockets and eventfds are seen all the same,
# since the sanitizer stands in for libc's functions, so that nothing had to be suppressed; a race of theirs alone would not be
# seen, one of ours in a callback of theirs is.
#   tests/threads/run.sh         builds build-tsan/pawl
set -uo pipefail
. "$(dirname "$0")/../../scripts/lib.sh"
. "$ROOT/tests/lib/pg.sh"
DIR=$(mktemp -d "${TMPDIR:-/tmp}/pawl-threads.XXXXXX")
ENGINE=
clean_up() {
    [ -z "$ENGINE" ] || kill "$ENGINE" 2>/dev/null
    wait 2>/dev/null
    pg_stop
    rm -rf "$DIR"
}
trap clean_up EXIT
passed=0 failed=0
check() { # WHAT COMMAND…
    local what=$1
    shift
    if "$@" >"$DIR/said" 2>&1; then
        passed=$((passed + 1)) && printf 'ok      %s\n' "$what"
    else
        failed=$((failed + 1)) && printf 'FAILED  %s\n' "$what" && sed 's/^/        /' "$DIR/said"
    fi
}

export TSAN_OPTIONS="exitcode=66 log_path=$DIR/race"
racy() {
    printf '#include <pthread.h>\nint n; static void *run(void *x) { n++; return x; }\nint main(void) { pthread_t a, b;
        pthread_create(&a, 0, run, 0); pthread_create(&b, 0, run, 0); pthread_join(a, 0); pthread_join(b, 0); return 0; }\n' |
        gcc -fsanitize=thread -g -x c -o "$DIR/racy" - || return 1
    "$DIR/racy"
    [ $? = 66 ] && grep -q 'data race' "$DIR"/race.* && rm "$DIR"/race.*
}
check "a race would be seen here" racy
build_preset tsan -DPAWL_TESTS=OFF || exit 1
PAWL=$ROOT/build-tsan/pawl
pg_start || exit 1
export PAWL PAWL_DATABASE=$PG_CONNINFO PAWL_SCHEMA=pawl PG_BIN

no_race() { ! cat "$DIR"/race.* 2>/dev/null; }
log_is_clean() { ! grep 'level=error' "$DIR/err"; }
ends_well() { wait "$ENGINE"; status=$? ENGINE=; [ "$status" = 0 ] || { echo "status $status"; tail -5 "$DIR/err"; false; }; }

# storm WHAT ROUNDS ARGUMENT…: storm.py stops the engine itself, in the middle of what is under way.
storm() {
    local what=$1 rounds=$2
    shift 2
    printf '[pawl]\nworkers = 3\n[endpoint shop]\nbaseUrl = http://127.0.0.1:9\nrate = 5\n' >"$DIR/conf"
    : >"$DIR/out"
    "$PAWL" up --data "$DIR/data" --config "$DIR/conf" --listen 127.0.0.1:0 "$@" >"$DIR/out" 2>"$DIR/err" </dev/null &
    ENGINE=$!
    for ((i = 0; i < 1200; i++)); do
        grep -q '^ready' "$DIR/out" && break
        kill -0 "$ENGINE" 2>/dev/null || break
        sleep 0.1
    done
    address=$(sed -n 's/^ready.*, http //p' "$DIR/out")
    [ -n "$address" ] || { echo "pawl up does not become ready:"; tail -5 "$DIR/err"; exit 1; }
    if [ -z "${TOKEN:-}" ]; then
        "$PAWL" deploy "$ROOT/tests/server/waits.bpmn" >/dev/null 2>&1
        "$PAWL" deploy "$ROOT/tests/server/fetched.bpmn" >/dev/null 2>&1
        "$PAWL" user add storm --rights admin --technical >/dev/null 2>&1
        echo "a password of storm" | "$PAWL" user passwd storm >/dev/null 2>&1
        TOKEN=$(psql_pawl -c 'set search_path = pawl' -c "select token from create_token('storm', 'test')")
        export TOKEN
    fi
    check "$what: clients" python3 -B "$ROOT/tests/threads/storm.py" "$address" "$ENGINE" "$DIR/conf" "$rounds" "${CERTIFICATE:-}"
    check "$what: it ends well" ends_well
    check "$what: no race" no_race
    check "$what: no errors in its log" log_is_clean
}

storm "HTTP" 20
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 \
    -days 1 -keyout "$DIR/key.pem" -out "$DIR/cert.pem" 2>/dev/null
CERTIFICATE=$DIR/cert.pem storm "HTTPS" 6 --tls-cert "$DIR/cert.pem" --tls-key "$DIR/key.pem"
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
