# SPDX-License-Identifier: Apache-2.0
# The subcommands at work, with an engine.
basics=$ROOT/processes/basics
engine_up -- --data data || return
PAWL_DATABASE=$(cat data/conninfo)
export PAWL_DATABASE

state_of() { # KEY
    "$PAWL" why "$1" -o json | /usr/bin/python3 -c 'import json, sys; print(json.load(sys.stdin)["state"])'
}
is_state() { [ "$(state_of "$1")" = "$2" ]; }
expect_state() { # KEY STATE
    if until_so is_state "$1" "$2"; then ok; else bad "$1 is $(state_of "$1"), not $2"; fi
}
says() { "$PAWL" why "$1" | tr '\n' ' ' | grep -qE -- "$2"; }
expect_why() { # KEY PATTERN
    if until_so says "$1" "$2"; then ok; else bad "why $1: no \"$2\" in" "$("$PAWL" why "$1" 2>&1)"; fi
}

# ---- deploy ----
expect_code 0 definitions
expect_equal "definitions of nothing" '' "$OUT"
expect_code 0 deploy "$basics"
expect_text "deploy" "$OUT" '^approval version 1$'
expect_code 0 deploy "$basics/approval.bpmn" --name again
expect_equal "deploy again" 'approval version 1 (unchanged)' "$OUT"
expect_code 0 deploy "$basics/approval.bpmn" -o json
expect_text "deploy as JSON" "$OUT" '^\{"deployment_id":"[0-9a-f-]+","state":"active",'
sed 's/"Approve the request"/"Approve it"/; s/id="approval"/id="wide"/' "$basics/approval.bpmn" |
    sed 's/encoding="UTF-8"/encoding="UTF-16"/' | iconv -f utf-8 -t utf-16 >wide.bpmn
expect_code 0 deploy wide.bpmn
expect_equal "a file in UTF-16" 'wide version 1' "$OUT"
expect_code 1 deploy "$DIR/nothing.bpmn"
mkdir none
expect_code 1 deploy none
expect_text "an empty folder" "$ERR" 'there is no .bpmn file'
# A folder with folders, and the same as a zip file.
mkdir -p nested/forms nested/.git nested/deep
approval() { sed "s/id=\"approval\"/id=\"$1\"/" "$basics/approval.bpmn"; } # ID
approval nested >nested/nested.bpmn
approval deeper | sed 's|<bpmn:startEvent id="\([^"]*\)"[^>]*>|&<bpmn:extensionElements><pawl:inputSchema xmlns:pawl="urn:pawl:bpmn:1.0" resource="forms/ask.json"/></bpmn:extensionElements>|' >nested/deep/deeper.bpmn
echo '{"type": "object"}' >nested/forms/ask.json
echo 'no model' >nested/.git/x.bpmn
echo 'no model' >nested/README.md
ln -s .. nested/forms/up
(cd nested && /usr/bin/python3 - "$DIR/nested.zip" <<'END')
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], "w", zipfile.ZIP_DEFLATED) as z:
    for folder, _, files in os.walk("."):
        for name in files:
            z.write(os.path.join(folder, name), os.path.join("nested", folder, name))
with zipfile.ZipFile("../link.zip", "w") as z:
    z.write("nested.bpmn")
    link = zipfile.ZipInfo("link.bpmn")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    z.writestr(link, "/etc/passwd")
END
expect_code 0 deploy nested
expect_equal "folders in a folder" $'deeper version 1\nnested version 1' "$(sort <<<"$OUT")"
expect_equal "files in them are known by their paths" 'deep/deeper.bpmn,forms/ask.json,nested.bpmn' "$(psql -X -A -t -d "$PAWL_DATABASE" -c \
    "select string_agg(f, ',' order by f) from (select unnest(resources) as f from pawl.deployments where 'deeper:1' = any (processes)) x")"
expect_code 0 deploy nested.zip
expect_equal "a zip file" $'deeper version 1 (unchanged)\nnested version 1 (unchanged)' "$(sort <<<"$OUT")"
expect_code 1 deploy link.zip
expect_text "a link in a zip file" "$ERR" '"link.bpmn" is neither a file nor a folder'
head -c 300 nested.zip >half.zip
expect_code 1 deploy half.zip
expect_text "half a zip file" "$ERR" 'half.zip is no zip file, or only the beginning of one'
expect_code 0 export deeper out
expect_text "what was written" "$ERR" '3 files in out'
expect_equal "the files of a deployment" "" "$(diff -r -x .git -x README.md -x up nested out)"
expect_code 0 export deeper out.zip
for again in out out.zip; do
    expect_code 0 deploy "$again"
    expect_equal "$again again" $'deeper version 1 (unchanged)\nnested version 1 (unchanged)' "$(sort <<<"$OUT")"
done
"$PAWL" export deeper - >same.zip
expect_equal "a zip file on stdout" "" "$(cmp out.zip same.zip)"
expect_code 1 export deeper out
expect_text "nothing is written over" "$ERR" 'cannot write out/.*: File exists'
expect_code 1 export nothing out2
expect_text "no such deployment" "$ERR" 'there is no deployment "nothing"'
expect_code 0 deploy "$ROOT/tests/scenario/models/inputs" -p judge=carl -p limit=7
expect_code 0 export claim claim
expect_equal "with values of parameters" '{"judge":"carl","limit":7}' "$(jq -cS . claim/parameters.json)"
expect_code 0 deploy claim
expect_text "and again" "$OUT" 'claim version 1 \(unchanged\)'
expect_code 0 start claim -v amount=nothing
expect_text "accepted is not begun" "$ERR" 'judged when it begins.*--wait'
refused=$OUT
is_refused() { [[ $("$PAWL" why "$refused" 2>&1) == *"this start was refused"* ]]; }
if until_so is_refused; then ok; else bad "pawl why knows nothing of a start that was refused"; fi
printf '{"variables": {"amount": "nothing"}}\n{"variables": {"amount": "all"}}\n' >claims.jsonl
expect_code 0 start claim --many claims.jsonl
expect_equal "said once" 1 "$(grep -c 'judged when it begins' <<<"$ERR")"
expect_code 1 start claim -v amount=nothing --wait
for ((i = 0; i < 101; i++)); do echo '{}' >"nested/$i.json"; done
expect_code 1 deploy nested
expect_text "too many files" "$ERR" 'LIMIT_DEPLOYMENT_FILES'
mkdir -p "bottom/$(printf 'd/%.0s' {1..20})"
expect_code 1 deploy bottom
expect_text "too deep" "$ERR" 'LIMIT_FOLDER_DEPTH'
# Tenants.
approval shared >shared.bpmn
expect_code 0 deploy shared.bpmn --tenant north
PAWL_TENANT=south expect_code 0 deploy shared.bpmn
expect_code 1 start shared -k nobody -v department=sales
expect_code 0 start shared -k n1 -v department=sales --tenant north
PAWL_TENANT=south expect_code 0 start shared -k s1 -v department=sales
printf '{"businessKey": "s2", "variables": {"department": "sales"}}\n' >many.jsonl
expect_code 0 start shared --tenant south --many many.jsonl
expect_why n1 '"Approve the request"'
expect_why s1 '"Approve the request"'
expect_why s2 '"Approve the request"'
expect_code 0 ps --tenant north -o json
expect_equal "ps of a tenant" '"n1"' "$(jq .business_key <<<"$OUT")"
PAWL_TENANT=south expect_code 0 tasks -o json
expect_equal "tasks of a tenant" '"s1","s2"' "$(jq .business_key <<<"$OUT" | sort | paste -sd,)"
expect_code 0 message nobody --tenant north
of_north() { [ "$(psql -X -A -t -d "$PAWL_DATABASE" -c "select tenant from pawl.messages where name = 'nobody'")" = north ]; }
if until_so of_north; then ok; else bad "a message of a tenant"; fi
PAWL_TENANT=south expect_code 1 message nobody --correlate --key n1
for key in n1 s1 s2; do expect_code 0 cancel "$key"; done

sed 's/<bpmn:userTask /<bpmn:businessRuleTask /; s/<\/bpmn:userTask>/<\/bpmn:businessRuleTask>/' "$basics/opinion.bpmn" >bad.bpmn
expect_code 1 deploy bad.bpmn
expect_text "a bad file" "$ERR" 'businessRuleTask'
expect_text "a bad file" "$ERR" 'not deployed'
expect_code 0 definitions
expect_text "definitions" "$OUT" '^approval +1 +Approval +active +approval.bpmn'
expect_code 0 definitions -o json
expect_json_lines definitions

# ---- start ----
expect_code 1 start nothing
expect_text "no such process" "$ERR" 'there is no process "nothing"'
expect_code 0 start opinion -k one -v who=anna -v 'order={"n": 1.5, "list": [1, 2]}' -v text=01
expect_text "start" "$OUT" '^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}$'
one=$OUT
expect_why one 'It waits for anna to do the task "Answer the question"'
expect_equal "variables" '{"who": "anna", "text": "01", "order": {"n": 1.5, "list": [1, 2]}}' \
    "$(psql -X -A -t -d "$PAWL_DATABASE" -c "select jsonb_object_agg(name, value) from pawl.variables where instance_id = '$one'")"
expect_code 0 start opinion --request-key r1 -k keyed -v who=ben
keyed=$OUT
expect_code 0 start opinion --request-key r1 -k keyed -v who=ben
expect_equal "the same request" "$keyed" "$OUT"
expect_text "the same request" "$ERR" 'used before'
expect_code 1 start opinion --request-key r1 -k keyed -v who=carl
expect_code 1 start opinion --version 7
echo '{"who": "dora"}' >variables.json
expect_code 0 start opinion -k file --variables @variables.json -o json
expect_text "start as JSON" "$OUT" '"created":true'
expect_why file 'dora'
expect_code 0 start retries -k quick -v divisor=5 -v second=2 --wait
expect_text "start --wait" "$OUT" ' completed$'
expect_code 1 start opinion -k slow -v who=x --wait --timeout 0.3
expect_text "start --wait that takes too long" "$ERR" 'has not ended'
printf '%s\n' '{"businessKey":"m1","variables":{"who":"m"}}' '' '{"businessKey":"m2","variables":{"who":"m"}}' >many.jsonl
expect_code 0 start opinion --many many.jsonl
expect_text "start --many" "$OUT" '^[0-9a-f-]{36} m2$'
expect_text "start --many" "$ERR" '2 started'
echo '[{"businessKey":"m3","requestKey":"m3","variables":{"who":"m"}},{"businessKey":"m4"}]' >many.json
expect_code 0 start opinion --many many.json -o json
expect_json_lines "start --many"
echo '{"key":"m5"}' >many.jsonl
expect_code 1 start opinion --many many.jsonl
expect_text "a wrong item" "$ERR" 'many.jsonl:1: "key"'
echo 'm6' >many.jsonl
expect_code 1 start opinion --many many.jsonl

# ---- who is meant ----
expect_code 0 why "$one"
expect_code 0 why "${one:0:30}"
expect_code 1 why "${one:0:7}"
expect_text "too short" "$ERR" 'at least 8 characters'
expect_code 1 why 00000000-0000-7000-8000-000000000000
expect_code 0 start opinion -k twin -v who=a
expect_code 0 start opinion -k twin -v who=b
expect_why "$OUT" ' b '
expect_code 1 why twin
expect_text "two of one name" "$ERR" 'may mean one of several'
expect_equal "candidates" 2 "$(grep -c 'twin  opinion' <<<"$ERR")"
expect_code 1 task complete twin
expect_text "two tasks" "$ERR" 'several tasks'
expect_code 1 why "${one:0:8}"
expect_text "a beginning of several ids" "$ERR" 'several'

# ---- tasks ----
expect_code 0 start approval -k app -v department=sales
expect_why app 'group office or somebody of group sales to do the task "Approve the request"'
expect_why app 'pawl task complete [0-9a-f-]{36}'
expect_why app "pawl message Withdrawn --key app"
expect_why app 'the timer "A day", due in 23 h'
expect_code 0 tasks --group sales
expect_text "tasks --group" "$OUT" 'Approve the request +app +approval +\(group office, group sales\) +70'
expect_code 0 tasks --group none
expect_equal "tasks of nobody" '' "$OUT"
expect_code 0 tasks --assignee anna -o json
expect_equal "tasks --assignee" one "$(field business_key)"
expect_code 0 tasks --instance app -o json
expect_equal "tasks --instance" app "$(field business_key)"
task=$(field task_id)
expect_code 0 tasks -n 1
expect_text "tasks -n" "$ERR" 'more than 1'
expect_code 0 task claim app --as ben
expect_code 1 task claim app --as anna
expect_text "claimed by another" "$ERR" 'belongs to ben'
expect_code 0 task release "${task:0:34}"
expect_code 0 task claim app --as anna -o json
expect_json_lines "task claim"
expect_code 0 task complete "$task" -v fine=true
expect_equal "task complete" completed "$OUT"
expect_code 1 task complete "$task"
expect_code 1 task complete app
expect_text "no task" "$ERR" 'no open task'
expect_state app completed
expect_code 0 start approval -k rejected -v department=sales
until_so says rejected 'Approve'
expect_code 0 task fail rejected REJECTED -m 'too dear'
expect_state rejected completed
expect_code 0 trace rejected
expect_text "trace of an error" "$OUT" 'error REJECTED "too dear", caught by "Rejected"'

# ---- messages ----
expect_code 0 message 'Order placed' -v orderNo=77 -k 77
expect_text "message" "$OUT" '^[0-9a-f-]{36}$'
until_so test -n "$("$PAWL" ps -p messages -o json)"
expect_code 0 ps -p messages -o json
placed=$(field instance_id)
expect_why "$placed" 'the message "Payment" with key 77'
expect_code 1 message Payment --correlate --key 78
expect_text "nobody waits" "$ERR" 'refused'
expect_code 0 message Payment --correlate --key 77
expect_equal "correlate" received "$OUT"
expect_why "$placed" 'message "Ship"|waits for nothing'
expect_code 0 start first-event -k fe
expect_why fe 'whichever comes first: '
expect_code 0 message Yes --instance fe -o json
expect_equal "the outcome" done "$(field state)"
expect_code 1 message Yes --instance nothing
expect_code 0 start first-event -k fe2
expect_code 0 start first-event -k fe3
until_so says fe3 first
expect_code 0 message No --key fe3 --ttl PT1H
expect_code 1 message No --ttl soon

# ---- incidents ----
expect_code 0 start retries -k broken -v divisor=0 -v second=2
expect_why broken 'failed \(try [0-9]\): .*tried again by itself|stands still'
expect_code 0 start retries -k missing -v divisor=10
expect_state missing incident
expect_why missing 'stands still at "Divide quickly".*mends the cause'
expect_code 0 incidents
expect_text "incidents" "$OUT" 'missing +retries +divideAgain'
expect_code 0 incidents --instance missing -o json
expect_equal "incidents --instance" failedJob "$(field reason)"
incident=$(field incident_id)
expect_code 0 find 'missing divisor=10'
expect_text "find" "$OUT" 'missing +retries +incident .*business key, variable divisor'
expect_code 0 find nothing-like-this
expect_text "find nothing" "$OUT$ERR" 'nothing found'
expect_text "the command to retry" "$("$PAWL" why missing)" "pawl retry $incident"
expect_code 0 incidents missing
expect_text "incidents ID" "$OUT" '^element +divideAgain'
expect_text "incidents ID" "$OUT" '^error +.*second'
expect_code 0 incidents --groups -p retries --element divideAgain
expect_text "incidents --groups" "$OUT" '^ *1 +[0-9a-f]{12} +retries +divideAgain'
expect_code 0 incidents --groups -p retries --element divideAgain -o json
cause=$(field cause)
expect_code 0 retry --cause "$cause" --dry-run
expect_text "retry --dry-run" "$OUT" '^1 would be taken'
expect_code 0 retry --cause "$cause" --unknown fail
expect_text "retry --unknown where the outcome is known" "$OUT" '^0 retries asked for'
expect_code 0 retry --process approval
expect_text "retry --process" "$OUT" '^0 retries asked for: nothing matches$'
expect_code 0 bulk list --all
expect_text "bulk list" "$OUT" 'retry +done +0 +0 +50'
expect_code 1 bulk stop 12345678
expect_code 1 retry --all --since yesterday
expect_text "retry --since" "$ERR" '^pawl retry: since is not a time: yesterday$'
expect_text "what to do is a line of its own" "$ERR" '^  -> Write it as ISO 8601'
expect_code 2 retry --all --pace fast
expect_text "retry --pace" "$ERR" 'how many a second, not "fast"'
expect_code 1 retry --all --pace -1
expect_text "retry --pace" "$ERR" 'the pace must be a number from 0.01'
expect_code 1 retry missing
expect_text "retry that fails again" "$ERR" 'could not be carried out'
psql -X -q -A -t -d "$PAWL_DATABASE" -c "select pawl.set_variables(i.instance_id, '{\"second\": 5}') from pawl.instances i
    where business_key = 'missing'" >/dev/null
sleep 0.3
expect_code 0 retry --cause "$cause" --pace 0
expect_text "retry --cause" "$OUT" '^1 retry asked for'
expect_state missing completed
expect_code 1 retry missing
expect_text "nothing to retry" "$ERR" 'has no incident'

# ---- withdraw ----
expect_code 1 withdraw nothing
expect_text "withdraw nothing" "$ERR" 'there is no deployment'
expect_code 1 withdraw approval
expect_text "withdraw what runs" "$ERR" 'refused: instances run: [0-9]+ of '
expect_text "what to do" "$ERR" 'cancel-instances cancels them'

# ---- by hand ----
expect_code 0 start retries -k by-hand -v divisor=0 -v second=2
expect_why by-hand 'tried again by itself|stands still'
expect_code 1 skip by-hand nothing
expect_text "skip of nothing" "$ERR" "^pawl skip: refused: .*no element 'nothing'"
expect_equal "what is refused is nothing to try again" "$ERR" "${ERR%%$'\n'*}"
expect_text "trace of what was refused" "$("$PAWL" trace by-hand)" "refused, what .* asked for: .*no element 'nothing'"
expect_code 1 move by-hand divideAgain divide
expect_text "move from where it is not" "$ERR" "No token is at 'divideAgain'"
expect_code 0 move by-hand divide divideAgain -v quotient=10 --reason 'by phone'
expect_equal "move" moved "$OUT"
expect_state by-hand completed
expect_text "trace of a move" "$("$PAWL" trace by-hand)" 'moved to .* by .*: by phone'
expect_code 0 start retries -k by-hand-2 -v divisor=0 -v second=2
expect_why by-hand-2 'tried again by itself|stands still'
expect_code 0 complete by-hand-2 divide -v quotient=10
expect_equal "complete" completed "$OUT"
expect_state by-hand-2 completed
expect_code 1 skip by-hand-2 divide

# ---- suspend ----
expect_code 0 suspend one --reason 'asked the bank'
expect_equal "suspend" suspended "$OUT"
expect_state one suspended
expect_why one 'It is suspended'
expect_text "the command to resume" "$("$PAWL" why one)" 'pawl resume'
expect_code 1 task complete one
expect_text "complete a suspended one" "$ERR" 'is suspended$'
expect_text "complete a suspended one" "$ERR" '^  -> Wait until it is resumed'
expect_code 0 resume one
expect_equal "resume" resumed "$OUT"
expect_state one running
expect_code 0 suspend --process approval --dry-run
expect_text "suspend --dry-run" "$OUT" '[0-9] would be taken'
expect_code 0 suspend --definition approval
expect_text "suspend --definition" "$OUT" '^approval suspended \(1 version\)'
expect_code 1 start approval
expect_text "start of a suspended one" "$ERR" 'is suspended in version'
expect_code 0 resume --definition approval --with-instances
expect_code 2 suspend
expect_code 2 suspend one --all
expect_code 2 suspend one --with-instances
expect_code 1 suspend --definition nothing

# ---- cancel ----
expect_code 0 cancel one --reason 'ordered twice'
expect_equal "cancel" cancelled "$OUT"
expect_code 1 cancel one
expect_text "cancel again" "$ERR" 'already ended'
expect_why one 'was cancelled .*: ordered twice'
expect_code 0 trace one
expect_text "trace of a cancelled one" "$OUT" '^one: cancelled \(ordered twice\)'
expect_code 2 cancel
expect_code 2 cancel one --all
expect_code 0 start opinion -k many-1 -v who=a
expect_code 0 start opinion -k many-2 -v who=a
expect_state many-1 running
expect_state many-2 running
expect_code 0 cancel --key-prefix many- --dry-run
expect_text "cancel --dry-run" "$OUT" '^2 would be taken'
expect_code 0 cancel --key-prefix many- --reason 'no more'
expect_text "cancel of many" "$OUT" '^2 cancellations asked for'
expect_state many-1 cancelled
expect_state many-2 cancelled

# ---- ps ----
expect_code 0 ps
expect_text "ps" "$OUT" '^INSTANCE +KEY +PROCESS'
expect_code 0 ps --state completed -p retries
expect_text "ps --state" "$OUT" 'quick +retries +1 +completed'
expect_code 0 ps --all -n 2 -o json
expect_equal "ps -n 2" 2 "$(wc -l <<<"$OUT")"
expect_json_lines ps
expect_code 0 ps -p nothing
expect_equal "ps of nothing" '' "$OUT"

# ---- trace ----
expect_code 0 start two-opinions -k pair
expect_why pair 'waits for the process opinion that it called'
expect_why pair 'Of that one:'
expect_code 0 trace pair
expect_text "trace" "$OUT" 'Ask Anna \(call activity\) \.\.\. it is here'
expect_text "trace of the called one" "$OUT" '  +running, opinion version 1'
expect_text "trace" "$OUT" 'It waits for'
expect_code 0 trace pair -o json
expect_json_lines trace
expect_text "trace as JSON" "$OUT" '"kind":"instanceStarted".*"depth":1'
expect_code 1 cancel "$("$PAWL" ps -p opinion -o json | /usr/bin/python3 -c 'import json, sys
print([r["instance_id"] for r in map(json.loads, sys.stdin) if r["parent_id"]][0])')"
expect_text "cancel of a called one" "$ERR" 'call activity'

# ---- concurrency ----
expect_code 0 concurrency approval
expect_equal "no limit" 'approval: as many at the same time as there are' "$OUT"
expect_code 0 concurrency approval 3
expect_code 0 concurrency approval
expect_equal "what holds" 'approval: 3 at the same time' "$OUT"
expect_code 0 concurrency approval none -o json
expect_code 0 concurrency approval -o json
expect_equal "what holds, as JSON" '{"process":"approval","concurrency":null}' "$OUT"
expect_code 1 concurrency nothing
expect_code 2 concurrency approval many

# ---- delegates ----
expect_code 0 delegate set told "select \$1 ->> 'a' as a"
expect_code 1 delegate set told 'select nothing from nowhere'
expect_text "a slip" "$ERR" 'relation "nowhere" does not exist'
expect_text "what to do" "$ERR" 'Names need their schema'
expect_code 0 delegate list
expect_text "as it was" "$OUT" '^told +select \$1 ->>'
expect_code 0 delegate drop told

# ---- endpoints ----
expect_code 0 endpoint set geo http://127.0.0.1:9 --rate 2.5 --burst 2 --cache P1D --timeout PT2S \
    --connect-timeout '250 ms' --unknown ask --header 'X-Key: @key.txt' --header 'Accept: a/b' -o json
expect_equal "endpoint set" 2.5 "$(field rate)"
expect_equal "headers" '["Accept", "X-Key"]' "$(field headers)"
expect_equal "where the secret is" "file:$PWD/key.txt" "$(psql -X -q -A -t -d "$PAWL_DATABASE" \
    -c "select headers -> 'X-Key' ->> 'secret' from pawl.endpoint where name = 'geo'")"
expect_code 1 endpoint set geo http://127.0.0.1:9 --header 'X-Key: hunter2'
expect_text "no secret is stored" "$ERR" 'must say where its secret is'
expect_code 0 endpoint list
expect_text "endpoint list" "$OUT" '^delegate:javascript +script +- +closed'
expect_text "endpoint list" "$OUT" '^geo +service +http://127.0.0.1:9 +closed +2.5 +0 +0'
expect_code 0 endpoint set geo --rate 3 --option breaker.open=PT30S --default timeout
expect_equal "what changed" 'geo: changed
  rate                   2.5 -> 3
  timeout                PT2S -> default
  breaker.open           default -> PT30S' "$OUT"
expect_code 0 endpoint set geo --rate 3
expect_equal "nothing changed" 'geo: nothing changed, it is so already' "$OUT"
expect_code 0 endpoint show geo
expect_text "what is not named stays" "$OUT" '^options .*"burst":2.*"unknown":"ask"'
expect_code 1 endpoint set geo --default breaker.opn
expect_text "no such option" "$ERR" 'the option breaker has no member "opn"'
expect_code 0 endpoint set geo http://127.0.0.1:9 --replace
expect_text "replaced" "$OUT" '  burst  *2 -> default'
expect_code 1 endpoint set nowhere --rate 3
expect_text "no such endpoint" "$ERR" 'there is no endpoint "nowhere"'
expect_code 1 endpoint set geo
expect_text "nothing to set" "$ERR" 'nothing to set'
expect_code 2 endpoint set geo http://127.0.0.1:9 --rate fast
expect_code 1 endpoint set geo nonsense
expect_code 1 endpoint set geo http://127.0.0.1:9 --timeout soon
expect_code 0 audit --subject geo --kind endpointSet
expect_text "the audit says what it was" "$OUT" ' endpointSet +geo .*"from":"PT2S"'
expect_code 0 audit --subject geo --since 2019-01-01 --until 2020-01-01
expect_text "nothing then" "$ERR" 'nothing since then'
expect_code 1 audit --since soon
expect_code 0 endpoint drop geo -o json
expect_equal "which one" geo "$(field endpoint)"
expect_code 1 endpoint drop geo
expect_code 0 endpoint set scenario-nobody http://127.0.0.1:9 --allow loopback
expect_code 0 start where-is-it -k lost -v geocoder=scenario-nobody -v address=x
expect_why lost 'failed \(try 1\).*tried again by itself'
expect_code 0 trace lost
expect_text "trace of a call" "$OUT" 'asks scenario-nobody: GET /'
expect_text "trace of a call" "$OUT" 'answer: no connection after'

# ---- widths, colours, what is written by others ----
expect_code 0 start opinion -k $'red \033[31m\nline 漢字漢字漢字漢字漢字漢字漢字漢字' -v who=w
sleep 0.3
for width in 40 60 80 132; do
    for command in "ps" "ps --all" "tasks" "incidents" "definitions" "endpoint list" "trace pair" \
        "trace lost" "trace one" "why one"; do
        # shellcheck disable=SC2086
        COLUMNS=$width run $command
        expect_within "$width"
        if grep -q $'\033' <<<"$OUT"; then bad "$command: an escape reaches the terminal"; else ok; fi
    done
done
COLUMNS=60 run ps
prefix=$(awk '$2 == "pair" { print $1; exit }' <<<"$OUT")
expect_code 0 why "$prefix"
if command -v script >/dev/null; then
    expect_text "colours on a terminal" "$(script -qec "$PAWL ps" /dev/null)" $'\033\[1m'
    if NO_COLOR=1 script -qec "$PAWL ps" /dev/null | grep -q $'\033'; then bad "NO_COLOR"; else ok; fi
    if TERM=dumb script -qec "$PAWL ps" /dev/null | grep -q $'\033'; then bad "TERM=dumb"; else ok; fi
fi
"$PAWL" ps --all 2>"$DIR/.err" | head -1 >/dev/null
expect_equal "a closed pipe" '' "$(cat .err)"

# ---- no engine: what is accepted waits for one ----
engine_end KILL
expect_code 1 deploy "$basics/timers.bpmn" "$basics/branches.bpmn" --timeout 0.3
expect_text "deploy without an engine" "$ERR" 'it waits for an engine'
expect_code 0 start opinion -k waits -v who=z
expect_code 0 ps --state accepted
expect_text "an accepted start" "$OUT" 'waits +opinion +1 +accepted'
expect_code 0 why waits
expect_text "why" "$OUT" 'begins as soon as an engine runs'
expect_code 0 cancel slow --timeout 0.2
expect_text "cancel without an engine" "$ERR" 'accepted; it is carried out'
expect_code 1 message Yes --correlate --key fe2 --timeout 0.2
engine_up -- --data data
expect_state slow cancelled
expect_state fe2 completed
expect_why waits '"Answer the question"'
