# SPDX-License-Identifier: Apache-2.0
# What clients/pawl.sh does, in whatever shell runs this: shell.sh PORT WORK NAME. Prints a line a failure, and counts.
PORT=$1 WORK=$2 NAME=$3
PAWL_URL=http://127.0.0.1:$PORT/
. clients/pawl.sh
passed=0 failed=0

# expect WHAT WANTED FOUND
expect() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else
        failed=$((failed + 1))
        printf '%s: %s: expected %s, found %s\n' "$NAME" "$1" "$2" "$3"
    fi
}
# seen SCRIPT FILTER: of what came for it
seen() { curl -s "http://127.0.0.1:$PORT/seen/$1" | jq -c "$2"; }

pawl_succeed ok.$NAME '{"a": [1, "zwei"]}'
expect "succeeds" '0 [{"verb":"succeed","body":{"output":{"a":[1,"zwei"]}},"authorization":null}]' "$? $(seen ok.$NAME .)"
PAWL_BEARER_TOKEN=geheim pawl_fail "http://127.0.0.1:$PORT/callbacks/ok.fail$NAME" 'Card "x"' 'back\slash
and	more'
expect "fails, by URL, with a bearer token" '0 {"verb":"fail","body":{"error":"Card \"x\"","cause":"back\\slash\nand\tmore"},"authorization":"Bearer geheim"}' \
    "$? $(seen ok.fail$NAME '.[0]')"
pawl_heartbeat cut-1.$NAME
expect "a connection that is cut is tried again" "0 2" "$? $(seen cut-1.$NAME length)"
began=$(date +%s%N)
pawl_succeed busy-2.$NAME
expect "503 is tried again" "0 3" "$? $(seen busy-2.$NAME length)"
expect "after what Retry-After says" yes "$([ $((($(date +%s%N) - began) / 1000000)) -ge 2000 ] && echo yes)"
PAWL_GIVE_UP=1 pawl_succeed down.$NAME 2>"$WORK/said"
expect "and given up" "2 1" "$? $(grep -c 'given up after 1 attempts: 503' "$WORK/said")"
pawl_succeed gone.$NAME 2>"$WORK/said"
expect "410 is not tried again" "1 1 1" "$? $(seen gone.$NAME length) $(grep -c 'refused with 410.*too late' "$WORK/said")"
(unset PAWL_URL && pawl_succeed abc) 2>/dev/null
expect "a token without PAWL_URL" 3 $?
pawl_succeed 'a"b' 2>/dev/null
expect "no token" 3 $?

echo from stdin | pawl_run ok.run$NAME -- sh -c 'cat; printf "eins\nzw\303\274\377ei\n" >&2' >"$WORK/out" 2>"$WORK/log"
expect "run: succeeds" '0 {"logs":["eins","zwüei"],"output":{"exitCode":0,"stdout":"from stdin"}}' "$? $(seen ok.run$NAME '.[0].body')"
expect "run: shows what it showed" "from stdin eins" "$(cat "$WORK/out") $(head -n 1 "$WORK/log")"
pawl_run --json ok.json$NAME -- echo '{"pages": 3}' >/dev/null
expect "run: JSON output" '0 {"logs":[],"output":{"pages":3}}' "$? $(seen ok.json$NAME '.[0].body')"
pawl_run --json picky.$NAME -- echo 'no json' >/dev/null 2>&1
expect "run: an output that is not taken" '125 ["succeed","fail"] "InvalidOutput"' \
    "$? $(seen picky.$NAME '[.[].verb]') $(seen picky.$NAME '.[1].body.error')"
pawl_run ok.status$NAME -- sh -c 'echo oh no >&2; exit 7' 2>/dev/null
expect "run: a status" '7 {"logs":["oh no"],"error":"CommandFailed","cause":"the command ended with status 7"}' "$? $(seen ok.status$NAME '.[0].body')"
pawl_run ok.kill$NAME -- sh -c 'kill -9 $$' 2>/dev/null
expect "run: killed" '137 {"logs":[],"error":"CommandKilled","cause":"the command was ended by signal 9"}' "$? $(seen ok.kill$NAME '.[0].body')"
pawl_run ok.none$NAME -- /no/such/command 2>/dev/null
expect "run: not found" '127 "the command was not found"' "$? $(seen ok.none$NAME '.[0].body.cause')"
began=$(date +%s)
pawl_run ok.left$NAME -- sh -c 'sleep 20 & echo done' >/dev/null
expect "run: does not wait for what is left running" '0 "done" yes' \
    "$? $(seen ok.left$NAME '.[0].body.output.stdout') $([ $(($(date +%s) - began)) -lt 15 ] && echo yes)"
pawl_run late-1.$NAME 2>/dev/null
expect "run: wrong usage" 3 $?
pawl_run --heartbeat 0.2 late-2.$NAME -- sleep 20 2>/dev/null
expect "run: heartbeats, until nobody waits" '143 ["heartbeat","heartbeat","heartbeat","fail"]' "$? $(seen late-2.$NAME '[.[].verb]')"

(set -eu && pawl_run ok.term$NAME -- sh -c 'touch "$0" && exec sleep 20' "$WORK/begun.$NAME" 2>/dev/null) &
runner=$!
until [ -e "$WORK/begun.$NAME" ]; do sleep 0.05; done
kill -TERM $runner
wait $runner
expect "run: the script is ended" '143 "CommandKilled" "the command was ended by signal 15, after TERM"' \
    "$? $(seen ok.term$NAME '.[0].body.error') $(seen ok.term$NAME '.[0].body.cause')"
i=0
while [ $i -lt 60 ]; do echo "line $i" >&2 && i=$((i + 1)); done 2>"$WORK/many"
pawl_run ok.many$NAME -- sh -c 'cat "$0" >&2' "$WORK/many" 2>/dev/null
expect "run: the last lines" '50 "line 10" "line 59"' \
    "$(seen ok.many$NAME '.[0].body.logs | length') $(seen ok.many$NAME '.[0].body.logs[0]') $(seen ok.many$NAME '.[0].body.logs[-1]')"
printf '%d %d\n' $passed $failed >"$WORK/counts.$NAME"
