#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The same load for a long time: 200 instances a second that start, work, wait and end, each with a request key,
# and messages that nobody takes. Tables but the history must stay flat: in the last third of the time none may
# be larger than 1.3 times what it was at most in the middle third, and half a megabyte.
#
#   tests/soak/flat.sh [SECONDS]      600 unless told; sizes are printed ten times
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
SECONDS_IN_ALL=${1:-600}
. "$ROOT/tests/lib/pg.sh"
DIR=$(mktemp -d "${TMPDIR:-/tmp}/pawl-flat.XXXXXX")
ENGINE= LOAD=
clean_up() {
    [ -z "$LOAD" ] || kill "$LOAD" 2>/dev/null
    [ -z "$ENGINE" ] || kill "$ENGINE" 2>/dev/null
    wait 2>/dev/null
    pg_stop
    rm -rf "$DIR"
}
trap clean_up EXIT
trap 'exit 143' TERM INT
[ -x "$PAWL" ] || { echo "There is no $PAWL: build it, or set PAWL."; exit 1; }
PG_SETTINGS='autovacuum_naptime = 10s' # as the private PostgreSQL of `pawl up` has it
pg_start || exit 1
"$PAWL" up --database "$PG_CONNINFO" --data "$DIR/data" >"$DIR/out" 2>"$DIR/log" </dev/null &
ENGINE=$!
for ((i = 0; i < 600; i++)); do
    grep -q '^ready' "$DIR/out" && break
    sleep 0.1
done
"$PAWL" deploy "$ROOT/tests/soak/flat.bpmn" --database "$PG_CONNINFO" >/dev/null || exit 1
# What is kept for a time is kept for a short one, so that it comes to its level within the run.
keep=$((SECONDS_IN_ALL / 10 > 60 ? 60 : SECONDS_IN_ALL / 10))
psql_pawl -c "select pawl.set_retention(json_build_object('outcomes', '1 min', 'requestKeys', '1 min', 'deadLetters', '$keep s')::jsonb)" >/dev/null || exit 1

load() { # twenty, ten times a second
    local i=0
    while :; do
        i=$((i + 1))
        echo "begin; select count(*) from (select pawl.start('flat', business_key => 'f-$i-' || k, variables => '{\"n\": 1}', request_key => 'f-$i-' || k) from generate_series(1, 20) k) s; select pawl.publish('nobody', 'f-$i', ttl => '5 s'); commit;"
        sleep 0.1
    done | psql_pawl >/dev/null
}
load 2>/dev/null & # the server ends before it does
LOAD=$!
sizes() {
    psql_pawl -F ' ' -c "select b.labels ->> 'table', b.value::bigint, d.value::bigint from pawl.metrics b
        join pawl.metrics d on d.labels = b.labels and d.name = 'pawl_table_dead_rows'
        where b.name = 'pawl_table_bytes' and b.value > 0 order by b.value desc"
}
printf '%6s  %-18s %10s %10s\n' seconds table kilobytes 'dead rows'
for ((round = 1; round <= 10; round++)); do
    sleep $((SECONDS_IN_ALL / 10))
    sizes >"$DIR/sizes.$round" || exit 1
    awk -v s=$((round * SECONDS_IN_ALL / 10)) 'NR <= 8 { printf "%6d  %-18s %10d %10d\n", s, $1, $2 / 1024, $3 }' "$DIR/sizes.$round"
done
ended=$(psql_pawl -c "select count(*) from pawl.event where ends")
history=$(awk '$1 == "event" { print $2 }' "$DIR/sizes.10")
printf '%d instances ended, %d a second; %d bytes of history each\n' "$ended" $((ended / SECONDS_IN_ALL)) $((history / (ended > 0 ? ended : 1)))
failed=0 passed=0
while read -r table middle last; do
    if [ "$last" -gt $((middle * 13 / 10 + 524288)) ]; then
        printf 'FAIL  %s grows: %d bytes at most in the middle of the time, %d at its end\n' "$table" "$middle" "$last"
        failed=$((failed + 1))
    else
        passed=$((passed + 1))
    fi
done < <(for ((round = 4; round <= 10; round++)); do sed "s/^/$round /" "$DIR/sizes.$round"; done |
    awk '$2 != "event" { t[$2]; if ($1 <= 6 && $3 > m[$2]) m[$2] = $3; if ($1 >= 8 && $3 > l[$2]) l[$2] = $3 }
         END { for (x in t) print x, m[x] + 0, l[x] + 0 }')
if [ "$ended" -lt $((SECONDS_IN_ALL * 100)) ]; then
    printf 'FAIL  only %d instances ended: this was no load\n' "$ended"
    failed=$((failed + 1))
fi
printf '%d passed, %d failed\n' "$passed" "$failed"
[ "$failed" = 0 ]
