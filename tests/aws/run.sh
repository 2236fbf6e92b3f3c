#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What speaks AWS's wire, webhooks and CloudEvents, against a real engine: requests of our own signer, curl's, those of
# boto3 and of @aws-sdk where they can be installed, and clients/.
#   PAWL=build/pawl tests/aws/run.sh [PART…]      wire incoming clients sdk_python sdk_node
set -uo pipefail
ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
PAWL=$(realpath "${PAWL:-$ROOT/build/pawl}")
[ -x "$PAWL" ] || { echo "There is no program $PAWL: build it, or set PAWL." >&2; exit 1; }
unset PAWL_DATABASE PAWL_SCHEMA PAWL_CONFIG PAWL_URL
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/packages.sh"
PARTS=${*:-wire incoming clients sdk_python sdk_node}
DIR=$(mktemp -d "${TMPDIR:-/tmp}/pawl-aws.XXXXXX")
ENGINE='' INSTALLS=
passed=0 failed=0 skipped=0
clean_up() {
    [ -z "$INSTALLS" ] || kill $INSTALLS 2>/dev/null
    [ -z "$ENGINE" ] || kill "$ENGINE" 2>/dev/null
    wait 2>/dev/null
    pg_stop
    rm -rf "$DIR"
}
trap clean_up EXIT

# Beside the rest.
if [[ " $PARTS " == *" sdk_python "* ]]; then
    python_packages boto3==1.44.5 >"$DIR/python" 2>"$DIR/python.why" &
    PYTHON_INSTALL=$! INSTALLS="$INSTALLS $!"
fi
if [[ " $PARTS " == *" sdk_node "* ]]; then
    node_packages @aws-sdk/client-sfn@3.1161.0 @aws-sdk/client-eventbridge@3.1161.0 >"$DIR/node" 2>"$DIR/node.why" &
    NODE_INSTALL=$! INSTALLS="$INSTALLS $!"
fi

pg_start || exit 1
export PAWL PG_BIN PAWL_DATABASE=$PG_CONNINFO PAWL_SCHEMA=pawl PYTHONPATH=$ROOT/tests/aws PYTHONDONTWRITEBYTECODE=1
"$PAWL" up --data "$DIR/data" --listen 127.0.0.1:0 >"$DIR/out" 2>"$DIR/err" </dev/null &
ENGINE=$!
until_so grep '^ready' "$DIR/out"
ADDRESS=$(sed -n 's/^ready.*, http //p' "$DIR/out") ADDRESS=${ADDRESS#http://}
[ -n "$ADDRESS" ] || { echo "pawl up does not become ready:"; tail -5 "$DIR/err"; exit 1; }
"$PAWL" deploy "$ROOT/tests/aws/wait.bpmn" >/dev/null 2>&1 || exit 1
sql() { "$PG_BIN/psql" -XqAt "$PG_CONNINFO" -c "set search_path = pawl" -c "$1"; }

# part NAME COMMAND…: adds up what it says of itself.
part() {
    local name=$1 line
    shift
    [[ " $PARTS " == *" $name "* ]] || return 0
    "$@" >"$DIR/said" 2>&1
    line=$(grep -Eo '^[0-9]+ passed, [0-9]+ failed' "$DIR/said" | tail -1)
    if [[ $line =~ ([0-9]+)\ passed,\ ([0-9]+) ]]; then
        passed=$((passed + BASH_REMATCH[1])) failed=$((failed + BASH_REMATCH[2]))
    else
        failed=$((failed + 1))
    fi
    grep -v ' passed, 0 failed' "$DIR/said" | sed "s/^/$name: /"
}

skip() { # PART WHY
    [[ " $PARTS " == *" $1 "* ]] || return 0
    echo "$1 is skipped: $2"
    skipped=$((skipped + 1))
}

user() { # NAME RIGHTS: KEY and SECRET
    "$PAWL" user add "$1" --rights "$2" --technical >/dev/null 2>&1 &&
        { read -r KEY && read -r SECRET; } < <("$PAWL" user key "$1" | cut -d = -f 2) && [ -n "$SECRET" ]
}
user watcher read && READER_KEY=$KEY READER_SECRET=$SECRET
user lambda admin,start,work,read || exit 1
export AWS_ACCESS_KEY_ID=$KEY AWS_SECRET_ACCESS_KEY=$SECRET AWS_DEFAULT_REGION=eu-central-1 AWS_REGION=eu-central-1 \
    AWS_EC2_METADATA_DISABLED=true AWS_MAX_ATTEMPTS=1 AWS_CONFIG_FILE=$DIR/none AWS_SHARED_CREDENTIALS_FILE=$DIR/none
BEARER=$(sql "select token from create_token('lambda', 'test')")

clients() {
    local held
    held() { python3 -c 'import sys; from common import token; print(token(sys.argv[1]))' "$1"; }
    export PAWL_URL=http://$ADDRESS
    . "$ROOT/clients/pawl.sh"
    held=$(held sh-1)
    pawl_heartbeat "$held" && pawl_run --json "$held" -- sh -c 'echo working >&2; echo "{\"pages\": 3}"' >/dev/null 2>&1
    echo "shell $? $(sql "select count(*) from api_callback_id('$held') i join callback_answer a on a.id = i")"
    held=$(held sh-2)
    pawl_run "$held" -- false
    echo "shell, failed $?"
    held=$(held py-0)
    python3 -c "import sys; sys.path.insert(0, '$ROOT/clients'); from pawl_callback import Callback
with Callback('$held', heartbeat=0.1) as c: c.log('eins'); c.output = {'pages': 4}"
    echo "python $?"
}
clients_part() {
    local said
    said=$(clients)
    [ "$said" = "shell 0 1
shell, failed 1
python 0" ] && echo "1 passed, 0 failed" || printf '%s\n0 passed, 1 failed\n' "$said"
}

part wire python3 "$ROOT/tests/aws/wire.py" "$ADDRESS" "$KEY" "$SECRET" "$READER_KEY" "$READER_SECRET" "$BEARER"
part incoming python3 "$ROOT/tests/aws/incoming.py" "$ADDRESS" "$BEARER" "$DIR"
part clients clients_part
if wait "${PYTHON_INSTALL:-}" 2>/dev/null; then
    PYTHONPATH=$PYTHONPATH:$(cat "$DIR/python") part sdk_python python3 "$ROOT/tests/aws/sdk_python.py" "$ADDRESS"
else
    skip sdk_python "boto3 cannot be installed: $(cat "$DIR/python.why" 2>/dev/null)"
fi
if wait "${NODE_INSTALL:-}" 2>/dev/null; then
    held() { python3 -c 'import sys; from common import token; print(token(sys.argv[1]))' "$1"; }
    part sdk_node node --no-warnings "$ROOT/tests/aws/sdk.mjs" "$ADDRESS" "$(cat "$DIR/node")" "$(held js-1)" "$(held js-2)"
else
    skip sdk_node "@aws-sdk cannot be installed: $(cat "$DIR/node.why" 2>/dev/null)"
fi
[ "$failed" = 0 ] || grep -v level=info "$DIR/err" | tail -20
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
