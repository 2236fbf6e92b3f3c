# SPDX-License-Identifier: Apache-2.0
# pawl test: cases in memory, what they say when they fail, what they passed.
for file in "$ROOT"/processes/*/*.test.yaml; do
    expect_code 0 test "$file"
    expect_text "$(basename "$file"): its cases" "$ERR" '[1-9][0-9]* ok, 0 failed, in [0-9]{1,3} ms'
done
expect_code 0 test "$ROOT/processes/address-verification/address-verification.test.yaml"
expect_text "what was passed" "$OUT" 'address-verification: 14 of 14 elements passed$'
expect_equal "the path of a case that is ok is not shown" "" "$(grep path: <<<"$OUT")"
expect_code 0 test --path "$ROOT/processes/basics/basics.test.yaml"
expect_text "unless asked for" "$OUT" '^ +path: asked > approve > withdrawn > nothingToDo$'
expect_text "a retry that is waited for" "$OUT" '^ +path: start > print > empty > refill > print > printed$'

cp "$ROOT/processes/basics/approval.bpmn" "$ROOT/processes/basics/retries.bpmn" .
cat >bad.yaml <<'YAML'
files: approval.bpmn
start: approval
cases:
- name: right
  variables: {department: sales}
  expect: {at: approve, ended: false}
- name: wrong in each way
  variables: {department: sales}
  steps:
  - complete: approve
    variables: {sum: 10}
  expect:
    at: approve
    ended: terminated
    variables: {sum: 11, department: sales, none: null}
    requests: 1
    errors: REJECTED
    passed: tooLate
    never: approved
- name: nothing waits
  steps:
  - complete: remind
YAML
expect_code 1 test bad.yaml
expect_text "a good case" "$OUT" '^ok +bad\.yaml:4: right$'
expect_text "a bad case" "$OUT" '^FAILED +bad\.yaml:7: wrong in each way$'
expect_text "where it is" "$OUT" 'bad\.yaml:13: at: expected approve, found nothing'
expect_text "how it ended" "$OUT" 'bad\.yaml:14: ended: expected terminated, found completed'
expect_text "a variable" "$OUT" 'bad\.yaml:15: variable sum: expected 11, found 10'
expect_text "requests" "$OUT" 'bad\.yaml:16: requests: expected 1, found nothing'
expect_text "errors" "$OUT" 'bad\.yaml:17: errors: expected REJECTED, found nothing'
expect_text "not passed" "$OUT" 'bad\.yaml:18: it never came to tooLate'
expect_text "passed" "$OUT" 'bad\.yaml:19: it came to approved'
expect_text "its path" "$OUT" '^ +path: asked > approve > approved$'
expect_text "a step that cannot be" "$OUT" 'bad\.yaml:22: complete remind: nothing waits there'
expect_text "why it did not go on" "$OUT" "bad\.yaml:20: asked failed, and is tried again later: .* no variable 'department'"
expect_text "what was never passed" "$OUT" 'approval: [0-9]+ of 12 elements passed; never .*tooLate'
expect_text "the sum" "$ERR" '1 ok, 2 failed'
run test -o json bad.yaml
expect_json_lines "cases as JSON"
expect_text "a case as JSON" "$OUT" '"case":"wrong in each way","ok":false,"path":\["asked","approve","approved"\],"failures":\[\{"line":13'
expect_text "a process as JSON" "$OUT" '"process":"approval","elements":12,"passed":[0-9]+,"never":\["'

# A request without an answer, one too many, an incident that nobody expects.
cp "$ROOT/processes/address-verification/address-verification.bpmn" .
cat >calls.json <<'JSON'
{"files": ["address-verification.bpmn", "retries.bpmn"], "start": "address-verification", "cases": [
 {"name": "no answer", "variables": {"address": "x", "geocoder": "g"}},
 {"name": "too few", "variables": {"address": "x", "geocoder": "g"}, "answers": {"g": [{"status": 500}]}},
 {"name": "never", "variables": {"address": "x", "geocoder": "g"}, "answers": {"sendRequest": "none"},
  "steps": [{"advance": "PT2S"}], "expect": {"at": ["whichAnswer"]}},
 {"name": "incident", "start": "retries", "variables": {"divisor": 0}, "steps": [{"advance": "P1D"}]},
 {"name": "mended", "start": "retries", "variables": {"divisor": 0}, "steps": [{"advance": "P1D"},
  {"expect": {"incidents": "divide", "at": "divide"}},
  {"retry": "divide", "variables": {"divisor": 5, "second": 4}}], "expect": {"ended": "completed", "variables": {"quotient": 5}}}
]}
JSON
expect_code 1 test calls.json
expect_text "no answer" "$OUT" 'calls\.json:2: .* asks .*: give it something under "answers"'
expect_text "too few answers" "$OUT" 'there are 1 answers for g, and this is request 2'
expect_text "never answered" "$OUT" '^ok +calls\.json:4: never$'
expect_text "an incident" "$OUT" 'calls\.json:6: there is an incident at divide: '

# What cannot be used is refused with its line.
refused() { # TEXT PATTERN
    printf '%b' "$1" >file.yaml
    expect_code 1 test file.yaml
    expect_text "refused" "$ERR" "$2"
}
refused 'files: approval.bpmn\ncases: []\n' 'file\.yaml:1: there are no "cases"'
refused 'files: approval.bpmn\ncases:\n- start: approval\n  step: []\n' 'file\.yaml:4: a case knows no "step"'
refused 'files: approval.bpmn\ncases:\n- name: x\n' 'file\.yaml:3: a case says with "start"'
refused 'files: approval.bpmn\ncases:\n- start: approval\n  steps:\n  - {advance: P1D, complete: x}\n' \
    'file\.yaml:5: a step is one of'
refused 'files: none.bpmn\ncases:\n- start: x\n' 'none\.bpmn'
refused 'cases:\n- [1\n' 'file\.yaml:[0-9]+: this is no YAML'
printf 'files: approval.bpmn\ncases:\n- start: other\n' >file.yaml
expect_code 1 test file.yaml
expect_text "no such process" "$OUT" 'file\.yaml:3: none of the files has a process other'
printf 'files: approval.bpmn\ncases:\n- start: approval\n  steps: [{advance: soon}]\n' >file.yaml
expect_code 1 test file.yaml
expect_text "no duration" "$OUT" 'file\.yaml:4: advance: '
expect_code 2 test
