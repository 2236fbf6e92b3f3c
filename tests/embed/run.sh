#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The library and its example on a private PostgreSQL: alone, beside a `pawl up` that has none of its
# functions, and under the address and thread sanitizers.
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
BUILD=$(dirname "$PAWL")
. "$ROOT/tests/lib/pg.sh"

work=$(mktemp -d "${TMPDIR:-/tmp}/pawl-embed.XXXXXX")
up=
cleanup() {
    [ -n "$up" ] && kill -KILL "$up" 2>/dev/null && wait "$up" 2>/dev/null
    pg_stop
    rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 143' TERM INT
passed=0 failed=0

# check NAME EXPECTED ACTUAL
check() {
    if [ "$2" = "$3" ]; then
        passed=$((passed + 1))
        printf 'ok      %s\n' "$1"
    else
        failed=$((failed + 1))
        printf 'FAILED  %s: expected "%s", found "%s"\n' "$1" "$2" "$3"
    fi
}

sql() {
    PGOPTIONS="-c search_path=${PAWL_SCHEMA:-pawl},pg_temp" psql_pawl -c "$1"
}

pg_start || exit 1
model=$ROOT/examples/embed/order.bpmn
said="20 orders: 19 charged, 1 declined; the bank was away 10 times"

# ---- Alone ----

check "the example runs its orders" "$said" "$("$BUILD/example_embed" "$PG_CONNINFO" "$model" 20 2>&1)"
check "one was refused, the others were sent" "refused 1, sent 19" "$(sql "select string_agg(element_id || ' ' || n, ', ' order by 1)
    from (select element_id, count(*) as n from history where element_kind = 'endEvent' group by 1) e")"
check "a failure is tried again, with the same id" "2 1" "$(sql "select max(n) || ' ' || max(ids) from (
    select count(*) as n, count(distinct data ->> 'call') as ids from events where kind = 'callRequested' group by instance_id) c")"
check "its receipt" t "$(sql "select bool_and(data ->> 'body' like '{\"receipt\":\"R-%') from events
    where kind = 'callAnswered' and data ->> 'outcome' = 'answered'")"

# ---- Beside an engine that has not its functions ----

"$PAWL" up --database "$PG_CONNINFO" --data "$work/data" >"$work/up" 2>"$work/log" &
up=$!
until_so grep '^ready' "$work/up"
sql "select start('embedded-order', 'alone', '{\"cents\": 1000}')" >/dev/null
until_so grep 'tasks wait for a C delegate' "$work/log"
sleep 3 # it is looked at for a while, and left alone
check "an engine without the function leaves the call" "queued" "$(sql "select state from calls where business_key = 'alone'")"
check "and says so once" 1 "$(grep -c 'tasks wait for a C delegate.*delegate=\"charge\"' "$work/log")"
case $("$PAWL" why alone --database "$PG_CONNINFO") in
*"program that has registered the C delegate 'charge'"*) why=yes ;;
*) why=no ;;
esac
check "pawl why says what it waits for" yes "$why"
check "a program that has it takes the call, and others of its own" "${said/19/20}" \
    "$("$BUILD/example_embed" "$PG_CONNINFO" "$model" 20 2>&1)"
check "it was done" "pack" "$(sql "select element_id from tokens where business_key = 'alone'")"
kill -TERM "$up" && wait "$up"
up=

# ---- Limits ----

sql "select set_endpoint('delegate:charge', '', '{\"unknown\": \"repeat\"}')" >/dev/null
check "a delegate's limits are an endpoint" "delegate:charge" "$(sql "select base_url from endpoints where name = 'delegate:charge'")"

# ---- Sanitizers: the whole library, built again ----

for kind in address,undefined thread; do
    build=$work/${kind%%,*}
    if cmake -S "$ROOT" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=Debug -DPAWL_TESTS=OFF -DPAWL_SANITIZE="$kind" >"$work/cmake" 2>&1 &&
        cmake --build "$build" --target example_embed >"$work/cmake" 2>&1; then
        export PAWL_SCHEMA=${kind%%,*}
        check "the example, $kind sanitizer" "$said" \
            "$(TSAN_OPTIONS=halt_on_error=1 "$build/example_embed" "$PG_CONNINFO" "$model" 20 2>&1)"
    else
        check "the example is built with the $kind sanitizer" yes "$(tail -5 "$work/cmake")"
    fi
done
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
