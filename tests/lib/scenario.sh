# SPDX-License-Identifier: Apache-2.0
# The words that scenarios are written in: tests/scenario/*.scn are bash files that use them, and the
# models of processes/. An instance is named by its business key, an element by its id in the model.
#
#   deploy FILE…                            pawl deploy
#   endpoint NAME URL [OPTIONS-JSON]        a service that models may call; it may be on loopback
#   start PROCESS KEY [VARIABLES]
#   publish MESSAGE KEY [VARIABLES]         buffered;  correlate: exactly one waiter, now
#   complete KEY ELEMENT [VARIABLES]        a user task;  refuse KEY ELEMENT CODE [TEXT]: a BPMN error
#   cancel KEY; retry KEY [DECISION]; set_variables KEY VARIABLES
#   advance ISO-DURATION                    moves the engine's clock
#   expect_at KEY ELEMENT…                  it waits exactly there (boundary events included)
#   expect_waits KEY ELEMENT FOR            … and for a task, timer, message, call, incident, …
#   expect_ended KEY STATE [ELEMENT]        … and passed that end event last
#   expect_passed KEY ELEMENT [TIMES]       how often it was completed
#   expect_variable KEY NAME JSON
#   expect_incident KEY ELEMENT TEXT        its error contains TEXT
#   expect_event KEY KIND TEXT [TIMES]      the audit trail has it
#   expect WHAT EXPECTED ACTUAL;  sql "…"
#   becomes WHAT EXPECTED SQL               soon, without waiting for the engine to come to rest
#   hold SQL; let_go                        in a transaction that stays open until then
#
# Every other word settles first: the engine has nothing left to do at this moment. What is not as expected
# is counted in SCENARIO_FAILED and said with the scenario's line.

SCENARIO_FAILED=0
SCENARIO_SCHEMA=${SCENARIO_SCHEMA:-pawl}

scenario_fail() {
    local i
    SCENARIO_FAILED=$((SCENARIO_FAILED + 1))
    for ((i = 1; i < ${#BASH_SOURCE[@]}; i++)); do
        [[ ${BASH_SOURCE[i]} == *.scn || ${BASH_SOURCE[i]} == *.case ]] && break
    done
    printf '%s:%s: %s\n' "$(basename "${BASH_SOURCE[i]:-?}")" "${BASH_LINENO[i - 1]:-?}" "$*"
}

# sql TEXT [NAME=VALUE…]: as the owner of the schema; :'NAME' in the text is the quoted value.
sql() {
    local text=$1 sets=() pair
    shift
    for pair in "$@"; do sets+=(-v "$pair"); done
    printf '%s\n' "$text" |
        PGOPTIONS="-c search_path=$SCENARIO_SCHEMA,pg_temp" psql_pawl ${sets[@]+"${sets[@]}"} -f - 2>&1
}

hold() {
    local line=
    coproc HOLDER { PGOPTIONS="-c search_path=$SCENARIO_SCHEMA,pg_temp" psql_pawl; }
    HOLDER_ID=$HOLDER_PID
    printf 'begin;\n%s;\n\\echo held\n' "$1" >&"${HOLDER[1]}"
    until [ "$line" = held ]; do
        read -r line <&"${HOLDER[0]}" || { scenario_fail "nothing is held: $1"; return 1; }
    done
}

let_go() {
    printf 'commit;\n\\q\n' >&"${HOLDER[1]}"
    wait "$HOLDER_ID"
}

# do_sql: the same, but a refusal fails the scenario.
do_sql() {
    local answer
    answer=$(sql "$@") || {
        scenario_fail "$answer"
        return 1
    }
    [ -n "$answer" ] && printf '%s\n' "$answer"
    return 0
}

settle() {
    [ "$(sql "select test_settle($PATIENCE)")" = t ] && return 0
    scenario_fail "the engine does not come to rest: $(sql "select
        (select count(*) from inbox) || ' in the inbox, ' || (select count(*) from ready) || ' ready, ' ||
        (select count(*) from timer where due <= clock()) || ' timers due, ' ||
        (select count(*) from attempt) || ' attempts, ' || (select count(*) from call_queue) || ' calls queued'")"
}

# Must be deployable; its errors are shown.
deploy() {
    local said
    said=$("$PAWL" deploy "$@" --database "$PG_CONNINFO" --schema "$SCENARIO_SCHEMA" 2>&1) ||
        scenario_fail "deploy: $said"
}

endpoint() {
    do_sql "select set_endpoint(:'name', :'url', '{\"replace\": true, \"allow\": \"loopback\"}' || :'options'::jsonb)" name="$1" url="$2" options="${3-{\}}" >/dev/null
}

start() {
    do_sql "select instance_id from start(:'process', business_key => :'key', variables => :'v')" \
        process="$1" key="$2" v="${3-{\}}" >/dev/null
}

# The instance of a business key: the outermost one that was started last.
SQL_INSTANCE="(select i.instance_id from instances i where i.business_key = :'key' and i.parent_id is null
               order by i.started desc, i.instance_id limit 1)"
# A business key is also that of the instances which it called.
SQL_FAMILY="(select i.instance_id from instances i where i.business_key = :'key')"

publish() {
    do_sql "select publish(:'m', :'key', :'v')" m="$1" key="$2" v="${3-{\}}" >/dev/null
}

correlate() {
    settle
    do_sql "select correlate(:'m', :'key', :'v')" m="$1" key="$2" v="${3-{\}}" >/dev/null
}

SQL_TASK="(select t.task_id from tasks t where t.business_key = :'key' and t.element_id = :'element'
           order by t.created limit 1)"

complete() {
    settle
    do_sql "select complete($SQL_TASK, :'v')" key="$1" element="$2" v="${3-{\}}" >/dev/null
}

refuse() {
    settle
    do_sql "select fail($SQL_TASK, :'code', :'text')" key="$1" element="$2" code="$3" text="${4-}" >/dev/null
}

cancel() {
    settle
    do_sql "select cancel($SQL_INSTANCE, 'asked by the test')" key="$1" >/dev/null
}

retry() {
    local options='{}'
    [ -n "${2-}" ] && options="{\"decision\": \"$2\"}"
    settle
    do_sql "select retry(i.incident_id, options => :'o') from incidents i where i.business_key = :'key'" \
        key="$1" o="$options" >/dev/null
}

set_variables() {
    settle
    do_sql "select set_variables($SQL_INSTANCE, :'v')" key="$1" v="$2" >/dev/null
}

advance() {
    settle
    do_sql "update test_clock set ahead = ahead + :'by'::interval" by="$1" >/dev/null
    settle
}

expect() {
    [ "$2" = "$3" ] && return 0
    scenario_fail "$1: expected \"$2\", found \"$3\""
    return 1
}

becomes() {
    local end=$((SECONDS + PATIENCE)) found
    until found=$(sql "$3") && [ "$found" = "$2" ]; do
        [ $SECONDS -lt $end ] || break
        sleep 0.05
    done
    expect "$1" "$2" "$found"
}

expect_at() {
    local key=$1 expected actual
    shift
    settle
    expected=$(printf '%s\n' "$@" | LC_ALL=C sort -u | paste -sd' ')
    actual=$(sql "select string_agg(distinct t.element_id collate \"C\", ' ' order by t.element_id collate \"C\")
                  from tokens t where t.instance_id = $SQL_INSTANCE" key="$key")
    expect "where $key is" "$expected" "$actual"
}

expect_waits() {
    settle
    expect "what $1 waits for at $2" "$3" "$(sql "select string_agg(distinct t.waiting_for, ' ' order by t.waiting_for)
        from tokens t where t.instance_id in $SQL_FAMILY and t.element_id = :'element'" key="$1" element="$2")"
}

expect_ended() {
    settle
    expect "how $1 ended" "$2" "$(sql "select i.state from instances i where i.instance_id = $SQL_INSTANCE" key="$1")"
    [ $# -lt 3 ] || expect "where $1 ended" "$3" "$(sql "select h.element_id from history h
        where h.instance_id = $SQL_INSTANCE and h.element_kind = 'endEvent' order by h.ended desc, h.n desc limit 1" key="$1")"
}

expect_passed() {
    settle
    expect "how often $1 passed $2" "${3-1}" "$(sql "select count(*) from history h
        where h.instance_id in $SQL_FAMILY and h.element_id = :'element' and h.state = 'completed'" key="$1" element="$2")"
}

expect_variable() {
    settle
    expect "variable $2 of $1" "$(sql "select :'v'::jsonb" v="$3")" "$(sql "select v.value from variables v
        where v.instance_id = $SQL_INSTANCE and v.name = :'name'" key="$1" name="$2")"
}

expect_incident() {
    settle
    local found
    found=$(sql "select i.message from incidents i where i.business_key = :'key' and i.element_id = :'element'" \
        key="$1" element="$2")
    [[ -n $found && $found == *"$3"* ]] ||
        scenario_fail "incident of $1 at $2: expected \"$3\", found \"$found\""
}

expect_event() {
    settle
    local found
    found=$(sql "select count(*) from events e where e.instance_id in $SQL_FAMILY and e.kind = :'kind'
        and (coalesce(e.data::text, '') like '%' || :'text' || '%' or e.element_id = :'text')" \
        key="$1" kind="$2" text="$3")
    expect "how often $1 has the event $2 with $3" "${4-1}" "$found"
}

# ---- The engine under test ----

# engine_start [NAME=VALUE…]: `pawl up` on the test's database (or ENGINE_CONNINFO); the variables go to it alone.
engine_start() {
    : >"$PG_DIR/engine.out"
    env "$@" "$PAWL" up --database "${ENGINE_CONNINFO:-$PG_CONNINFO}" --schema "$SCENARIO_SCHEMA" --data "$PG_DIR/engine-$SCENARIO_SCHEMA" \
        >"$PG_DIR/engine.out" 2>>"$PG_DIR/engine.log" &
    ENGINE_PID=$!
    until_so engine_ready_or_gone
    grep -q '^ready' "$PG_DIR/engine.out" && return 0
    engine_log "the engine does not get ready"
    return 1
}

engine_ready_or_gone() { grep -q '^ready' "$PG_DIR/engine.out" || ! kill -0 "$ENGINE_PID"; }

engine_log() {
    printf '%s; the end of its log:\n' "$1"
    tail -20 "$PG_DIR/engine.log"
}

# engine_stop [SIGNAL]: it must end with exit code 0 (a sanitizer's report is another one).
engine_stop() {
    local status
    [ -n "${ENGINE_PID:-}" ] || return 0
    kill "-${1:-TERM}" "$ENGINE_PID" 2>/dev/null
    wait "$ENGINE_PID"
    status=$?
    ENGINE_PID=
    [ "${1:-TERM}" = TERM ] && [ "$status" != 0 ] && {
        engine_log "the engine ended with status $status"
        return 1
    }
    return 0
}

# ---- The stand-in geocoder ----

# standin_start [ARGUMENT…]: sets STANDIN_URL.
standin_start() {
    rm -f "$PG_DIR/standin.port"
    python3 "$ROOT/tests/standin/nominatim.py" --port-file "$PG_DIR/standin.port" \
        --places "$ROOT/processes/address-verification/orders.csv" --life 600 "$@" >/dev/null 2>"$PG_DIR/standin.log" &
    STANDIN_PID=$!
    until_so [ -s "$PG_DIR/standin.port" ] || {
        cat "$PG_DIR/standin.log"
        return 1
    }
    STANDIN_URL="http://127.0.0.1:$(cat "$PG_DIR/standin.port")"
}

# standin_stats EXPRESSION: a Python expression over `s`, the stand-in's account of what it was asked.
standin_stats() {
    python3 -c '
import json, sys, urllib.request
s = json.load(urllib.request.urlopen(sys.argv[1] + "/stats", timeout=10))
print(eval(sys.argv[2]))' "$STANDIN_URL" "$1"
}

standin_stop() {
    [ -n "${STANDIN_PID:-}" ] || return 0
    kill "$STANDIN_PID" 2>/dev/null
    wait "$STANDIN_PID" 2>/dev/null
    STANDIN_PID=
}
