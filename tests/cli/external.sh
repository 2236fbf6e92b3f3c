# SPDX-License-Identifier: Apache-2.0
# External tasks on the command line: lists, and any program as a worker.
engine_up -- --data data || return
PAWL_DATABASE=$(cat data/conninfo)
export PAWL_DATABASE
api() { psql -X -q -A -t -d "$PAWL_DATABASE" -c "set search_path = pawl" -c "$1"; }
api "select map_class('org.example.ShipDelegate', 'ship')" >/dev/null
expect_code 0 external list
expect_text "nothing" "$ERR" 'no external tasks'
expect_code 0 deploy "$ROOT/tests/scenario/models/external-tasks.bpmn"
offered() { [ "$("$PAWL" external list --topic "$1" --state available -o json | wc -l)" = "$2" ]; }
is_state() { [ "$(api "select state from instances where business_key = '$1'")" = "$2" ]; }

# A program that knows what it needs: variables in, variables out.
expect_code 0 start external-tasks -k one --variables '{"rate": 1.10, "amount": 1}' -v amount=12 -v urgent=true -v price=0.1 \
    -v serial=12345678901234567890
if until_so offered charge 1; then ok; else bad "no task is offered"; fi
expect_equal "digits as they were given, the last of two" 'amount=12 price=0.1 rate=1.10 serial=12345678901234567890' \
    "$(api "select string_agg(name || '=' || value, ' ' order by name) from variables where jsonb_typeof(value) = 'number'")"
expect_code 0 external list
expect_text "the list" "$OUT" '^[0-9a-f-]+ +charge +one +external-tasks +available'
cat >charge.py <<'PY'
import json, os, sys
text = sys.stdin.read()
given = json.loads(text)
assert given["price"] == 0.1 and "0.1," in text.replace("}", ","), text
print("charging", os.environ["PAWL_KEY"], file=sys.stderr)
print(json.dumps({"paid": given["cents"], "number": 7}))
PY
expect_code 0 external work charge --once --as me -- /usr/bin/python3 charge.py
expect_text "what it said" "$ERR" 'charging one'
expect_text "how many" "$ERR" '1 task done'
if until_so offered ship 1; then ok; else bad "it did not go on" "$ERR"; fi
expect_equal "its output" 1200 "$(api "select value from variables where name = 'paid'")"
expect_code 0 external work ship --once -- true
if until_so offered tell-all 1; then ok; else bad "ship was not done"; fi
expect_code 0 external work tell-all --once -- cat
if until_so is_state one completed; then ok; else bad "one did not end"; fi
expect_equal "who did it" 3 "$(api "select count(*) from events where kind = 'taskCompleted' and data ->> 'actor' like '% via %'")"

# Failures: tried again after its pause, then an incident; a BPMN error; output that is none.
expect_code 0 start external-tasks -k two -v amount=1 -v urgent=false
until_so offered charge 1
expect_code 0 external work charge --once --tries 2 --pause 0 -- sh -c 'printf "at Reader.java:7\n\tat Till.java:9\nno \033reader\n" >&2; exit 4'
expect_text "two tries" "$ERR" '2 tasks done'
if until_so is_state two incident; then ok; else bad "two is no incident"; fi
expect_code 0 external list --state failed
expect_text "what failed" "$OUT" 'charge +two +external-tasks +failed .*no .reader'
expect_code 0 incidents two
expect_text "the error" "$OUT" '^error     no .reader$'
expect_text "the details" "$(tr '\n' '/' <<<"$OUT")" '/details   at Reader.java:7/           at Till.java:9/          no .reader/'
if grep -q $'\033' <<<"$OUT"; then bad "what a worker says moves the cursor" "$OUT"; else ok; fi
expect_text "why" "$("$PAWL" why two)" 'pawl incidents '
expect_equal "in SQL" 'at Till.java:9' "$(api "select trim(split_part(error_details, E'\n', 2), E'\t') from incidents")"
expect_code 0 retry two
until_so offered charge 1
expect_code 0 external work charge --once -- sh -c 'echo "{\"bpmnError\": \"REFUSED\"}"; exit 1'
if until_so is_state two completed; then ok; else bad "two is not refused"; fi
expect_code 0 start external-tasks -k three -v amount=1 -v urgent=false
until_so offered charge 1
expect_code 0 external work charge --once --pause 600 -- echo '[1]'
expect_code 0 external list --state paused
expect_text "no object" "$OUT" 'not a JSON object'
expect_text "why, after a failed try" "$("$PAWL" why three | tr '\n' ' ')" \
    'waits for a worker of topic charge .*A try has failed: .*fetched again in .*pawl external work charge'
expect_text "trace of a failed try" "$("$PAWL" trace three)" 'failed at .*tries left: [0-9]+: '
paused=$(tail -1 <<<"$OUT" | cut -c1-18)
expect_code 0 external show "$paused"
expect_text "shown" "$OUT" '^error_message  its output is not a JSON object$'
expect_text "why offers it" "$("$PAWL" why three)" 'pawl external show '
expect_code 0 external show "$paused" -o json
expect_json_lines "external show"
expect_code 1 external show 00000000-0000
expect_code 0 external list --state paused
expect_code 0 external unlock "$paused" -o json
expect_text "which one" "$(field task_id)" "^$paused"
if offered charge 1; then ok; else bad "it is not unlocked"; fi
expect_code 0 external work charge --once --pause 600 -- ./there-is-none
expect_text "no such program" "$ERR" 'cannot run ./there-is-none'

# The lease is extended while it runs; a worker that loses it drops the work; a signal lets it finish.
lease() { api "select locked_until from external_tasks where business_key = 'three'"; }
api "select unlock_external_task(task_id) from external_tasks" >/dev/null
"$PAWL" external work charge --lock 6 --as slow -- sh -c 'until [ -e told ]; do sleep 0.1; done; echo "{\"number\": 1}"' 2>slow.err &
worker=$!
held() { [ "$(api "select worker_id from external_tasks where business_key = 'three' and state = 'locked'")" = slow ]; }
if until_so held; then ok; else bad "the worker did not fetch"; fi
expect_text "why, while a worker has it" "$("$PAWL" why three | tr '\n' ' ')" \
    'is locked by slow.* Its lease ends in .*pawl external unlock'
first=$(lease)
if until_so eval '[[ $(lease) > $first ]]'; then ok; else bad "the lease is not extended" "$(cat slow.err)"; fi
kill -TERM $worker
first=$(lease) # it goes on extending it
if until_so eval '[[ $(lease) > $first ]]'; then ok; else bad "the signal did not let it finish" "$(cat slow.err)"; fi
touch told
wait $worker
expect_equal "it ends well" 0 $?
if until_so offered ship 1; then ok; else bad "it did not finish its task" "$(cat slow.err)"; fi
expect_code 0 start external-tasks -k four -v amount=1 -v urgent=false
until_so offered charge 1
"$PAWL" external work charge --lock 1 --as slow -- sleep 30 2>slow.err &
worker=$!
held_four() { [ "$(api "select worker_id from external_tasks where business_key = 'four' and state = 'locked'")" = slow ]; }
until_so held_four
api "select unlock_external_task(task_id) from external_tasks where topic = 'charge'" >/dev/null
api "select 1 from fetch_and_lock('other', '[\"charge\"]')" >/dev/null
lost() { grep -q 'not by worker "slow"' slow.err; }
if until_so lost; then ok; else bad "it does not see that it lost the task" "$(cat slow.err)"; fi
kill -TERM $worker
wait $worker
expect_code 2 external work charge
expect_code 2 external unlock x
