#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What openapi.json says holds: schemathesis makes requests of it, for every operation, good ones and bad ones, as
# a user with a token. The same requests each time.
#   PAWL=build/pawl tests/openapi/run.sh
set -uo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PAWL=$(realpath "${PAWL:-$ROOT/build/pawl}")
[ -x "$PAWL" ] || { echo "There is no program $PAWL: build it, or set PAWL." >&2; exit 1; }
unset PAWL_CONFIG PAWL_URL
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/packages.sh"
DIR=$(mktemp -d "${TMPDIR:-/tmp}/pawl-openapi.XXXXXX")
ENGINE=
clean_up() {
    [ -z "$ENGINE" ] || kill "$ENGINE" 2>/dev/null
    wait 2>/dev/null
    pg_stop
    rm -rf "$DIR"
}
trap clean_up EXIT

PACKAGES=$(python_packages schemathesis==4.32.5 hypothesis==6.170.15 2>"$DIR/why") || {
    echo "skipped: schemathesis cannot be installed from PyPI: $(cat "$DIR/why")"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
}

pg_start || exit 1
export PAWL_DATABASE=$PG_CONNINFO PAWL_SCHEMA=pawl
"$PAWL" up --data "$DIR/data" --listen 127.0.0.1:0 >"$DIR/out" 2>"$DIR/err" </dev/null &
ENGINE=$!
until_so grep '^ready' "$DIR/out"
PAWL_ADDRESS=$(sed -n 's,^ready.*\, http ,http://,p' "$DIR/out")
[ -n "$PAWL_ADDRESS" ] || { echo "pawl up does not become ready:"; tail -5 "$DIR/err"; exit 1; }
sql() { psql_pawl -c "set search_path = pawl" -c "$1"; }

# Something of each kind, for hooks.py to ask for.
for model in processes/basics/approval processes/basics/retries tests/aws/wait tests/server/waits tests/server/fetched; do
    "$PAWL" deploy "$ROOT/$model.bpmn" >/dev/null 2>"$DIR/said" || { cat "$DIR/said"; exit 1; }
done
sql "select count(start('approval', 'a-' || n)), count(start('wait', 'w-' || n)), count(start('fetched', 'f-' || n)),
            count(start('retries', 'r-' || n, variables => '{\"divisor\": 4, \"second\": 0}')) from generate_series(1, 40) n;
     select count(set_endpoint('e-' || n, 'https://stub.example')) from generate_series(1, 20) n;
     select set_event_bus('shop');
     select set_event_rule('paid', '{\"source\": [\"shop\"]}', '[{\"publishMessage\": {\"message\": \"paid\", \"key\": \"1\"}}]', bus => 'shop');
     select set_webhook('shop', '{\"scheme\": \"none\", \"event\": {}}')" >"$DIR/said" || exit 1
until_so eval '[ "$(sql "select (select count(*) from incidents), (select count(*) from callbacks)")" = "40|40" ]'
PAWL_CALLBACK_TOKENS=$(sql "select api_callback_token(callback_id) from callbacks order by 1")
"$PAWL" user add tester --rights author,start,work,read,admin --technical >/dev/null 2>&1
PAWL_TOKEN=$(sql "select token from create_token('tester', 'test')")
export PAWL_ADDRESS PAWL_TOKEN PAWL_CALLBACK_TOKENS

# Nobody waits for long.
curl -s "$PAWL_ADDRESS/openapi.json" |
    jq '(.paths[][].parameters[]? | select(.schema.pattern).schema) = {type: "string", enum: ["0ms", "20ms"]} |
        (.paths[][].requestBody?.content["application/json"]?.schema.properties?.asyncResponseTimeout | select(.)) =
            {type: "integer", enum: [0, 20]}' >"$DIR/openapi.json"
printf 'hooks = "%s"\n' "$ROOT/tests/openapi/hooks.py" >"$DIR/schemathesis.toml"
# Not positive_data_acceptance: a schema does not know which patterns, models and states there are.
(cd "$DIR" && PYTHONPATH=$PACKAGES PYTHONDONTWRITEBYTECODE=1 timeout 300 python3 -m schemathesis.cli \
    run openapi.json --url "$PAWL_ADDRESS" -H "Authorization: Bearer $PAWL_TOKEN" \
    --phases coverage,fuzzing --max-examples "${PAWL_EXAMPLES:-3}" --generation-deterministic --workers 1 \
    --checks all --exclude-checks positive_data_acceptance --continue-on-failure --suppress-health-check all \
    --request-timeout 30 --no-color) >"$DIR/said" 2>&1
status=$?

passed=0 failed=0
expect() { # WHAT STATUS
    if [ "$2" = 0 ]; then passed=$((passed + 1)); else failed=$((failed + 1)) && echo "FAILED  $1"; fi
}
operations=$(jq '[.paths[] | keys[]] | length' "$DIR/openapi.json")
expect "schemathesis: status $status" "$status"
grep -qx "  Tested: $operations" "$DIR/said"
expect "each of $operations operations is asked" $?
! grep 'level=error' "$DIR/err" | head -5
expect "the log has no errors" $?
[ "$failed" = 0 ] || { grep -q '= FAILURES =' "$DIR/said" && sed -n '/= FAILURES =/,$p' "$DIR/said" || cat "$DIR/said"; } | head -400
sed -n 's/^ *\([0-9]* generated.*\)/      \1/p' "$DIR/said"
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
