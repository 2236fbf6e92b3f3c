# SPDX-License-Identifier: Apache-2.0
# pawl lint: findings for people and for programs.
good=$ROOT/processes/three-tasks/three-tasks.bpmn
expect_code 0 lint "$good"
expect_equal "stdout of a good file" '' "$OUT"
expect_text "its summary" "$ERR" '1 file, 0 errors, 0 warnings: deployable'
expect_code 0 lint -o json "$good"
expect_equal "stdout of a good file as JSON" '' "$OUT"

cat >bad.bpmn <<'XML'
<?xml version="1.0"?>
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="t">
  <process id="bad" isExecutable="true">
    <startEvent id="start"/>
    <sequenceFlow id="f" sourceRef="start" targetRef="nowhere"/>
    <adHocSubProcess id="later"/>
  </process>
</definitions>
XML
expect_code 1 lint bad.bpmn
expect_text "a finding" "$OUT" '^bad\.bpmn:[0-9]+:([0-9]+:)? error [a-z-]+ [A-Za-z]+: .'
expect_text "its summary" "$ERR" 'not deployable'
expect_code 1 lint bad.bpmn -o json
if /usr/bin/python3 -c '
import json, sys
rows = [json.loads(line) for line in sys.stdin]
keys = {"file": str, "line": int, "column": int, "element": str, "code": str, "severity": str, "message": str}
assert rows
for row in rows:
    assert set(row) == set(keys), row
    assert all(type(row[k]) is t for k, t in keys.items()), row
    assert row["file"] == "bad.bpmn" and row["severity"] in ("error", "warning") and row["message"], row
' <<<"$OUT" 2>"$DIR/.err"; then ok; else bad "the JSON of a finding" "$OUT" "$(cat .err)"; fi

# Each bad file is said; a good one beside it does not help.
expect_code 1 lint "$good" missing.bpmn bad.bpmn -o json
expect_text "a missing file" "$OUT" '"file":"missing.bpmn".*"code":"unreadable-file"'
expect_text "the file after it" "$OUT" '"file":"bad.bpmn"'
expect_code 1 lint "$DIR"
: >empty.bpmn
expect_code 1 lint empty.bpmn
expect_text "an empty file" "$OUT" 'empty'
head -c 11000000 /dev/zero >large.bpmn
expect_code 1 lint large.bpmn
expect_text "a large file" "$OUT" 'limit|at most|longer'
printf '<a>\033[31m\xff</a>' >ugly.bpmn
expect_code 1 lint ugly.bpmn
if grep -q $'\033' <<<"$OUT"; then bad "a control character reaches the terminal"; else ok; fi

# Options may stand anywhere; -- ends them.
cp "$good" ./-o
expect_code 0 lint -- -o

# A name that is not UTF-8 is shown, and makes no broken JSON.
cp bad.bpmn $'bad\xff.bpmn'
expect_code 1 lint -o json $'bad\xff.bpmn'
expect_json_lines "a name that is not UTF-8"
expect_code 1 lint $'bad\xff.bpmn'
