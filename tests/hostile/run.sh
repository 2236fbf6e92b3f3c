#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What nobody should send, sent to a running engine: each gets a clear answer in time, changes nothing, and the
# engine goes on.
#
#   tests/hostile/run.sh [PART…]     PART: files arguments models
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/scenario.sh"
MODELS=$ROOT/tests/hostile/models
WORK=$(mktemp -d)

cleanup() {
    engine_stop KILL >/dev/null 2>&1
    pg_stop
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 143' TERM INT

[ -x "$PAWL" ] || { echo "There is no $PAWL: build it, or set PAWL."; exit 1; }
pg_start && engine_start || exit 1

passed=0 failed=0
check() { # WHAT COMMAND…
    local what=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        printf 'FAILED  %s\n' "$what"
    fi
}
says() { # TEXT PATTERN
    grep -qE -- "$2" <<<"$1" || { printf '        no "%s" in: %s\n' "$2" "${1:0:400}"; return 1; }
}
LONG_MS=20000 # a fraction of a second on a machine that does nothing else; those that do harm take minutes
now_ms() { date +%s%3N; }
within() { # MILLISECONDS SINCE
    local took=$(($(now_ms) - $2))
    [ "$took" -le "$1" ] || { printf '        it took %s ms\n' "$took"; return 1; }
}
rows() { sql "select (select count(*) from definition), (select count(*) from resource), (select count(*) from element)"; }
same() { [ "$1" = "$2" ] || { printf '        "%s" instead of "%s"\n' "$2" "$1"; return 1; }; }
# soon EXPECTED SQL: the answer of the SQL, sooner or later
soon() {
    local until=$((SECONDS + PATIENCE)) found
    while :; do
        found=$(sql "$2")
        [ "$found" = "$1" ] && return 0
        [ "$SECONDS" -lt "$until" ] || break
        sleep 0.05
    done
    printf '        "%s" instead of "%s"\n' "$found" "$1"
    return 1
}
alive() { # another instance goes through meanwhile
    local key=other-$RANDOM-$RANDOM
    sql "select start('wrong-at-run-time', '$key')" >/dev/null
    soon 1 "select count(*) from tasks where business_key = '$key'" && kill -0 "$ENGINE_PID"
}

# ---- Files ----

# What of a file is wrong only as bytes is no fault in a text that came through SQL.
BYTES_ONLY=" declared-utf-16-but-is-not iso-2022-cn-ext unknown-encoding utf-7 "

deploy_through_sql() { # FILE
    local id
    PGCLIENTENCODING=UTF8 psql_pawl -v f="$1" -f - 2>&1 <<'SQL'
\set xml `cat :'f'`
select deployment_id as id from pawl.deploy(:'xml') \gset
select state, detail from pawl.await(:'id');
SQL
}

part_files() {
    local file name said before began
    before=$(rows)
    for file in "$ROOT"/tests/hostile/bpmn/*.bpmn; do
        name=$(basename "$file" .bpmn)
        began=$(now_ms)
        said=$("$PAWL" deploy "$file" --database "$PG_CONNINFO" 2>&1)
        check "pawl deploy $name: exit code" test $? = 1
        check "pawl deploy $name: the finding" says "$said" "$(cut -d' ' -f1 "${file%.bpmn}.error")"
        check "pawl deploy $name: in time" within $LONG_MS "$began"
        [[ $BYTES_ONLY == *" $name "* ]] && continue
        began=$(now_ms)
        said=$(deploy_through_sql "$file")
        check "deploy() $name" says "$said" '^refused\||ERROR'
        check "deploy() $name: in time" within $LONG_MS "$began"
    done
    said=$("$PAWL" deploy "$MODELS/bad-expression.xml" --database "$PG_CONNINFO" 2>&1)
    check "a bad expression is pointed at" says "$said" 'bad-expression calculate: .*at column 16'
    began=$(now_ms)
    said=$(sql "select deploy(repeat('<x>', 17500000))")
    check "50 MB through SQL" says "$said" 'limit is 10485760 \(LIMIT_XML_BYTES\)'
    check "50 MB through SQL: in time" within $LONG_MS "$began"
    head -c 52428800 /dev/zero | tr '\0' x >"$WORK/large.bpmn"
    began=$(now_ms)
    said=$("$PAWL" deploy "$WORK/large.bpmn" --database "$PG_CONNINFO" 2>&1)
    check "50 MB from the command line" says "$said" "longer than the limit of 10 MiB"
    check "50 MB from the command line: in time" within $LONG_MS "$began"
    check "nothing has changed" same "$before" "$(rows)"
    check "deployments are refused, not lost" same "" "$(sql "select state from deployments where state not in ('refused')")"
}

# ---- Arguments ----

refuses() { # SQLSTATE FUNCTION-CALL
    local said
    said=$(sql "\\set VERBOSITY sqlstate
select * from $2")
    check "$2" says "${said:-nothing}" "ERROR:  $1\$"
}

part_arguments() {
    local v nobody=00000000-0000-7000-8000-000000000000 before
    before=$(rows)
    for v in "'[]'" "'1'" "'null'" "'\"x\"'" "jsonb_build_object('x', repeat('y', 1048600))" \
        "jsonb_build_object(repeat('n', 256), 1)" "(repeat('{\"a\":', 200) || '1' || repeat('}', 200))::jsonb" \
        "(select jsonb_object_agg('v' || g, repeat('y', 1000000)) from generate_series(1, 5) g)"; do
        refuses 'PW00[36]' "start('growing', variables => $v)"
        refuses 'PW00[36]' "publish('news', 'k', $v)"
        refuses 'PW00[36]' "correlate('news', 'k', $v)"
        refuses 'PW00[36]' "complete('$nobody', $v)"
        refuses 'PW00[36]' "fail('$nobody', 'E', null, $v)"
        refuses 'PW00[36]' "set_variables('$nobody', $v)"
    done
    for v in "start('growing', options => '[]')" "start(null)" "start('')" "start('growing', business_key => repeat('x', 256))" \
        "start('growing', request_key => '')" "publish(null)" "publish('m', repeat('k', 256))" "publish('m', ttl => '-1 s')" \
        "publish('m', ttl => '1000000 years')" "publish('m', options => '{\"nope\": 1}')" "publish('m', options => '{\"all\": \"yes\"}')" \
        "correlate('m')" "claim(null, 'anna')" "claim('$nobody', null)" "complete(null)" "fail('$nobody', '')" "release(null)" \
        "cancel(null)" "set_variables(null, '{}')" "retry(null)" "await(null)" "await('$nobody', null)" "set_endpoint(null, null)" \
        "set_endpoint('e', 'ftp://a')" "set_endpoint('e', 'http://a', '{\"rate\": 0}')" \
        "set_endpoint('e', 'http://a', '{\"headers\": {\"a\\nb\": \"c\"}}')" "deploy(null)" "deploy('')" "deploy('x', resource => null)" \
        "deploy_all('{}')" "deploy_all('[]')" "deploy_all('[1]')" \
        "deploy_all('[{\"name\":\"a\",\"content\":\"x\"},{\"name\":\"a\",\"content\":\"x\"}]')" \
        "deploy_all((select jsonb_agg(jsonb_build_object('name', 'f' || g, 'content', 'x')) from generate_series(1, 101) g))"; do
        refuses 'PW00[36]' "$v"
    done
    for v in "start('nope')" "start('growing', version => -1)" "start('growing', version => 99)" "claim('$nobody', 'anna')" \
        "complete('$nobody')" "release('$nobody')" "cancel('$nobody')" "set_variables('$nobody', '{}')" "retry('$nobody')" \
        "await('$nobody')" "drop_endpoint('nope')" "drop_endpoint(null)" "correlate('m', instance_id => '$nobody')"; do
        refuses 'PW001' "$v"
    done
    refuses 22P02 "claim('nonsense', 'anna')"
    refuses 22P05 "start('growing', variables => '{\"text\": \"\\u0000\"}')"
    check "nothing has changed" same "$before" "$(rows)"
    check "nothing was started" same 0 "$(sql "select count(*) from instances where process <> 'wrong-at-run-time'")"
    check "the engine goes on" alive
}

# ---- Models ----

part_models() {
    local began
    # A process that calls itself.
    sql "select start('itself', 'i')" >/dev/null
    check "endless calls end as an incident" soon "call" \
        "select substring(message from 'call activities inside call|callActivity ''(call)'' is nested in 100') from incidents"
    check "the engine goes on" alive
    sql "select cancel(instance_id) from instances where business_key = 'i' and parent_id is null" >/dev/null
    check "a hundred nested instances are cancelled" soon 0 "select count(*) from instance i join definition d on d.id = i.definition_id
        where d.key = 'itself'"

    # A loop that waits for nothing: sliced, others go on, it can be cancelled, or let out.
    sql "select start('endless', 'l-' || n, '{\"stop\": false}') from generate_series(1, 3) n" >/dev/null
    sleep 0.3
    began=$(now_ms)
    check "others go on beside endless loops" alive
    sql "select cancel(instance_id) from instances where business_key = 'l-1'" >/dev/null
    check "an endless loop is cancelled" soon cancelled "select state from instances where business_key = 'l-1'"
    sql "select set_variables(instance_id, '{\"stop\": true}') from instances where business_key in ('l-2', 'l-3')" >/dev/null
    check "endless loops are let out" soon 2 "select count(*) from instances where state = 'completed' and business_key in ('l-2', 'l-3')"

    # Variables that grow without an end; too many; and what cannot be calculated.
    sql "select start('growing', 'g', '{\"text\": \"0123456789\"}')" >/dev/null
    check "a text that doubles" soon 1048576 "select substring(message from '1048576') from incidents where business_key = 'g'"
    sql "select start('many-variables', 'm', jsonb_build_object('text', repeat('x', 900000)))" >/dev/null
    check "more variables than an instance may have" soon 4194304 \
        "select substring(message from '4194304') from incidents where business_key = 'm' and element_id = 'make'"
    sql "select start('wrong-at-run-time', 'w')" >/dev/null
    soon 1 "select count(*) from tasks where business_key = 'w'"
    sql "select complete(task_id) from tasks where business_key = 'w'" >/dev/null
    check "an expression that fails" soon "calculate|column 3: there is no variable 'nothing'" \
        "select element_id, substring(message from 'column 3: there is no variable ''nothing''') from incidents where business_key = 'w'"

    # Messages for one key: a storm, one waiter.
    sql "select publish('news', 'one key', jsonb_build_object('n', n)) from generate_series(1, 3000) n" >/dev/null
    check "others go on in a storm of messages" alive
    check "all messages are kept" soon 3000 "select count(*) from messages where key = 'one key'"

    # Branches without an end: a named limit, and thousands of failures do not hold up others.
    began=$(now_ms)
    sql "select start('fork-bomb', 'f')" >/dev/null
    check "others go on beside a fork bomb" alive
    check "a fork bomb meets its limit" soon 50000 \
        "select min(substring(message from 'more than (50000) tokens')) from incidents where business_key = 'f'"
    check "others go on beside thousands of failures" alive
    sql "select cancel(instance_id) from instances where business_key = 'f'" >/dev/null
    check "a fork bomb is cancelled" soon "cancelled|0|0" "select state, (select count(*) from ready),
        (select count(*) from incident x where x.instance_id = i.instance_id) from instances i where business_key = 'f'"
    check "the engine goes on" alive
}

parts=("$@")
[ ${#parts[@]} -gt 0 ] || parts=(files arguments models)
for part in "${parts[@]}"; do
    [ "$part" = files ] || "$PAWL" deploy "$MODELS"/*.bpmn --database "$PG_CONNINFO" >/dev/null 2>&1 || {
        echo "the models cannot be deployed"
        exit 1
    }
    "part_$part"
done
check "the engine ends well" engine_stop
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
