# SPDX-License-Identifier: Apache-2.0
# The story of scripts/demo.sh echo-wait, sourced by it: a definition of three steps, its tenants, what its schema
# refuses, its execution while it waits and when it has ended.

step "The engine, with a private PostgreSQL of its own, and its HTTP"
engine_start --listen 127.0.0.1:0 --dev
ADDRESS=$(sed -n 's/^ready.*, http //p' "$DIR/engine.out")
URL=http://$ADDRESS/sedo/tenants

step "A list of steps becomes BPMN, for the editor"
sed 's/seconds: 45/seconds: 3/' processes/echo-wait/example-definition.yaml >"$DIR/example-definition.yaml"
indent <processes/echo-wait/example-definition.yaml
say "" "(The demo waits for 3 seconds, not for 45.)"
show new --from "$DIR/example-definition.yaml" "$DIR/example-definition.bpmn"

step "Tenant 123 creates the definition"
request "$URL/123/definitions" -H 'Content-Type: application/yaml' --data-binary "@$DIR/example-definition.yaml"
must "the definition is there" says 'it == {"id": "example-definition", "tenantId": "123"}'
request "$URL/123/definitions"
request "$URL/456/definitions"
must "tenant 456 does not see it" says 'it == []'

step "An input that its schema does not allow"
request "$URL/123/definitions/example-definition/execute" -H 'Content-Type: application/json' -d '{"input": {"bar": "baz"}}'
must "it is refused, with the reason" says "it['status'] == 400 and it['detail'] == \"Additional properties are not allowed ('bar' was unexpected)\""

step "One that it does"
request "$URL/123/definitions/example-definition/execute" -H 'Content-Type: application/json' -d '{"input": {"foo": "bar"}}'
must "it is submitted" says 'it["state"] == "ExecutionSubmitted"'
sleep 1
request "$URL/123/executions"
must "it waits" says 'it[0]["state"] == "StepStarted" and it[0]["step"] == "wait-some-time"'
sleep 3
request "$URL/123/executions"
must "it has succeeded" says 'it[0]["state"] == "ExecutionSucceeded" and it[0]["step"] == "last-echo"'
request "$URL/456/executions"
must "tenant 456 sees nothing of it" says 'it == []'

step "How precise the wait was"
LATE=$(sql -c "select round(1000 * extract(epoch from h.ended - h.started - interval '3 s'))
    from pawl.history h where h.element_id = 'wait-some-time'")
say "It ended $LATE ms after its 3 seconds. Never early: 0 or more."
must "it is on time" test "$LATE" -ge 0 -a "$LATE" -lt 1000
