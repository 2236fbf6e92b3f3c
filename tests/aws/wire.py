# SPDX-License-Identifier: Apache-2.0
"""AWS's wire: what leaves our own signer, and curl's. wire.py ADDRESS KEY SECRET READER-KEY READER-SECRET BEARER"""
import datetime
import json
import subprocess
import sys

from common import ask, becomes, check, end, sql, token
from signer import sign

ADDRESS, KEY, SECRET, READER_KEY, READER_SECRET, BEARER = sys.argv[1:]
HELD = "Task Timed Out: 'Provided task does not exist anymore'"


def call(target, body, path="/", key=KEY, secret=SECRET, service=None, extra=None, sent=None, **how):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"X-Amz-Target": target, "Content-Type": "application/x-amz-json-1.0", **(extra or {})}
    service = service or ("events" if target.startswith("AWSEvents") else "states")
    headers = sign("POST", ADDRESS, path, raw, headers, key, secret, service, **how)
    return ask(ADDRESS, path, sent if sent is not None else raw, headers)


def refused(what, answer, kind, words="", status=400):
    check(what, answer[0] == status and answer[2].get("__type") == kind and answer[1].get("x-amzn-errortype") == kind
          and "x-amzn-requestid" in answer[1] and words in answer[2].get("message", ""), answer)


# ---- Task tokens ----

success, failure, heartbeat = ("AWSStepFunctions.SendTask" + x for x in ("Success", "Failure", "Heartbeat"))
held = token("a-1")
answer = call(heartbeat, {"taskToken": held})
check("heartbeat", answer[0] == 200 and answer[2] == {} and answer[1]["content-type"] == "application/x-amz-json-1.0", answer)
answer = call(success, {"taskToken": held, "output": '{"n": 1.10, "s": "\\u00fc"}'})
check("success", answer[0] == 200 and answer[2] == {}, answer)
becomes("the process goes on with the output", "select value from variables where business_key = 'a-1' and name = 'answer'", '{"n": 1.10, "s": "ü"}')
answer = call(success, {"taskToken": held, "output": '{"n": 1.10, "s": "\\u00fc"}'})
check("the same answer again", answer[0] == 200, answer)
refused("another answer", call(success, {"taskToken": held, "output": "{}"}), "TaskTimedOut", HELD)
refused("a late heartbeat", call(heartbeat, {"taskToken": held}), "TaskTimedOut", HELD)
held = token("a-2")
answer = call(failure, {"taskToken": held, "error": "CardDeclined", "cause": "no money"})
check("failure", answer[0] == 200 and answer[2] == {}, answer)
becomes("the error is caught", "select element_id from tasks where business_key = 'a-2'", "failed")
held = token("a-3")
refused("output that is no JSON", call(success, {"taskToken": held, "output": "{"}), "InvalidOutput")
refused("empty output", call(success, {"taskToken": held, "output": ""}), "InvalidOutput")
refused("output with NUL", call(success, {"taskToken": held, "output": '"\\u0000"'}), "InvalidOutput")
refused("too much output", call(success, {"taskToken": held, "output": '"%s"' % ("x" * 262144)}), "ValidationException", "262144")
refused("no output", call(success, {"taskToken": held}), "ValidationException", "Value null at 'output'")
refused("no token", call(success, {"output": "1"}), "ValidationException", "Value null at 'taskToken'")
refused("an empty token", call(heartbeat, {"taskToken": ""}), "ValidationException", "greater than or equal to 1")
refused("a token too long", call(heartbeat, {"taskToken": "x" * 2049}), "ValidationException", "2048")
refused("a long cause", call(failure, {"taskToken": held, "cause": "x" * 32769}), "ValidationException", "32768")
refused("a token of another type", call(heartbeat, {"taskToken": 1}), "SerializationException")
refused("a forged token", call(success, {"taskToken": held[:-1] + ("A" if held[-1] != "A" else "B"), "output": "1"}), "InvalidToken")
refused("no token at all", call(success, {"taskToken": "abc", "output": "1"}), "InvalidToken")
answer = call(success, {"taskToken": held, "output": json.dumps("x" * 262142)})
check("just as much as allowed", answer[0] == 200, answer)
held = token("a-5")
answer = call(failure, {"taskToken": held, "error": "\u00fc" * 256, "cause": "\u00fc" * 32768})
check("as much of a failure as AWS takes", answer[0] == 200, answer)
held = token("a-6")
answer = ask(ADDRESS, "/callbacks/%s/fail" % held, b'{"error": {"code": "CardDeclined", "message": "no money"}}', {"Content-Type": "application/json"})
check("over HTTP an error may be an object", answer[0] == 200, answer)
becomes("its code is caught, its message told", "select value from variables where business_key = 'a-6' and name = 'why'", '"no money"')
held = token("a-4")
answer = call(failure, {"taskToken": held})
check("failure without error and cause", answer[0] == 200, answer)

# ---- Signatures ----

now = datetime.datetime.now(datetime.timezone.utc)
held = token("s-1")
beat = {"taskToken": held}
refused("another secret", call(heartbeat, beat, secret="x" * 40), "InvalidSignatureException", "does not match the signature you provided")
refused("an unknown key", call(heartbeat, beat, key="PAWL0000000000000000"), "UnrecognizedClientException")
refused("another body", call(heartbeat, beat, sent=b'{"taskToken": "x"}'), "InvalidSignatureException", "does not match")
refused("a stale one", call(heartbeat, beat, at=now - datetime.timedelta(minutes=6)), "InvalidSignatureException", "Signature expired")
refused("one of the future", call(heartbeat, beat, at=now + datetime.timedelta(minutes=6)), "InvalidSignatureException", "not yet current")
check("a clock that is 4 minutes slow", call(heartbeat, beat, at=now - datetime.timedelta(minutes=4))[0] == 200)
refused("another service", call(heartbeat, beat, service="lambda"), "InvalidSignatureException", "correct service: 'states'")
refused("an unsigned target", call(heartbeat, beat, omit=("x-amz-target",)), "InvalidSignatureException", "not signed: X-Amz-Target")
refused("an unsigned body", call(heartbeat, beat, extra={"X-Amz-Content-Sha256": "UNSIGNED-PAYLOAD"}), "InvalidSignatureException", "signed as a whole")
refused("half a header", ask(ADDRESS, "/", b"{}", {"X-Amz-Target": heartbeat, "Authorization": "AWS4-HMAC-SHA256 x"}), "IncompleteSignatureException")
refused("nobody", ask(ADDRESS, "/", b"{}", {"X-Amz-Target": heartbeat}), "MissingAuthenticationTokenException")
refused("another scheme", ask(ADDRESS, "/", b"{}", {"X-Amz-Target": heartbeat, "Authorization": "Bearer nobody"}), "UnrecognizedClientException")
answer = ask(ADDRESS, "/", json.dumps(beat).encode(), {"X-Amz-Target": heartbeat, "Authorization": "Bearer " + BEARER})
check("a bearer token", answer[0] == 200, answer)
held = token("s-2", "guarded")
refused("not the allowed caller", call(success, {"taskToken": held, "output": "{}"}, key=READER_KEY, secret=READER_SECRET), "AccessDeniedException", "watcher")
check("the allowed caller", call(success, {"taskToken": held, "output": "{}"})[0] == 200)

# ---- Who shows a token acts for its tenant, whichever are his; refusals are written down ----

STRANGER, STRANGE = sql("select create_user('stranger', rights => '{start}', tenants => '{elsewhere}'); "
                        "select access_key_id || ' ' || secret_access_key from create_access_key('stranger')").split()[-2:]
stranger = {"key": STRANGER, "secret": STRANGE}
held, again = token("s-3"), token("s-4")
check("a heartbeat of another tenant's user", call(heartbeat, {"taskToken": held}, **stranger)[0] == 200)
answer = call(success, {"taskToken": held, "output": "{}"}, **stranger)
check("his answer", answer[0] == 200, answer)
bearer = {"Content-Type": "application/json", "Authorization": "Bearer " + sql("select token from create_token('stranger', 'test')")}
answer = ask(ADDRESS, "/callbacks", json.dumps({"id": again, "a": 1}).encode(), bearer)
check("the same over HTTP", answer[0] == 200 and answer[2]["created"], answer)
third = token("s-5")
answer = ask(ADDRESS, "/callbacks", json.dumps({"id": sql("select api_callback_id('%s')" % third)}).encode(), bearer)
check("an id is no token", answer[0] == 404, answer)
check("nor does the next request see more", call("AWSStepFunctions.StartExecution", {"stateMachineArn": "wait", "input": "{}"}, **stranger)[2]["__type"] == "StateMachineDoesNotExist")
becomes("refusals are in the audit trail",
        "select count(distinct (kind, actor)) from audit where (kind, actor, subject) = ('forbidden', 'watcher', 'AWSStepFunctions.SendTaskSuccess') "
        "or (kind, actor) in (('loginRefused', '%s'), ('loginRefused', 'PAWL0000000000000000'))" % KEY, "3")
counted = ask(ADDRESS, "/metrics", None, {}, method="GET")[2].decode()
check("answers are counted as those over HTTP are", all('pawl_callbacks_total{result="%s"} 0\n' % x not in counted and
      'pawl_callbacks_total{result="%s"}' % x in counted for x in ("taken", "forbidden", "forged", "different", "late")), counted[:3000])
refused("a user without the right", call("AWSEvents.PutEvents", {"Entries": [{}]}, key=READER_KEY, secret=READER_SECRET), "AccessDeniedException", "watcher")
for path in ("/aws", "/aws/", "/aws/sfn", "/aws/sfn/"):
    check(path, call(heartbeat, beat, path=path)[0] == 200)
refused("an unknown operation", call("AWSStepFunctions.CreateStateMachine", {}), "UnknownOperationException")
refused("no operation", ask(ADDRESS, "/", b"{}", {"Content-Type": "application/json"}), "UnknownOperationException")
refused("no JSON", call(heartbeat, b'{"taskToken":'), "SerializationException")
refused("no object", call(heartbeat, []), "SerializationException")
refused("too deep", call(heartbeat, b"[" * 3000 + b"]" * 3000), "SerializationException")
refused("no UTF-8", call(heartbeat, b'{"taskToken": "\xff"}'), "SerializationException")
out = subprocess.run(["curl", "-sS", "--aws-sigv4", "aws:amz:eu-central-1:states", "-K", "-", "-H", "X-Amz-Target: " + heartbeat,
                      "-H", "Content-Type: application/x-amz-json-1.0", "-d", json.dumps(beat), "http://%s/aws/sfn" % ADDRESS],
                     input='user = "%s:%s"\n' % (KEY, SECRET), capture_output=True, text=True)
check("curl --aws-sigv4", out.stdout == "{}", out)

# ---- Events ----

put, test = "AWSEvents.PutEvents", "AWSEvents.TestEventPattern"
answer = call(put, {"Entries": [
    {"Source": "shop", "DetailType": "paid", "Detail": '{"a": 1.10}', "Time": 1700000000, "Resources": ["r"], "EventBusName": "default"},
    {"Source": "shop", "DetailType": "paid", "Detail": "[1]"}, {"Source": "shop", "DetailType": "paid", "Detail": "{}", "EventBusName": "nope"}]})
check("PutEvents", answer[0] == 200 and answer[2]["FailedEntryCount"] == 2 and len(answer[2]["Entries"][0]["EventId"]) == 36
      and [e.get("ErrorCode") for e in answer[2]["Entries"]] == [None, "MalformedDetail", "ResourceNotFoundException"]
      and answer[1]["content-type"] == "application/x-amz-json-1.1", answer)
check("it is there", sql("select source, detail_type, detail, extract(epoch from time)::bigint from bus_events where source = 'shop'")
      == 'shop|paid|{"a": 1.10}|1700000000')
one = {"Source": "s", "DetailType": "t", "Detail": "{}"}
check("10 entries", call(put, {"Entries": [one] * 10})[2]["FailedEntryCount"] == 0)
refused("11 entries", call(put, {"Entries": [one] * 11}), "ValidationException", "'Entries'")
refused("no entry", call(put, {"Entries": []}), "ValidationException")
refused("entries too large", call(put, {"Entries": [{**one, "Detail": '{"x": "%s"}' % ("y" * 140000)}] * 2}), "ValidationException", "Total size")
event = {"id": "1", "account": "1", "source": "shop", "time": "2026-11-22T08:00:00Z", "region": "r", "resources": [], "detail-type": "t", "detail": {"a": 3}}
answer = call(test, {"EventPattern": '{"detail": {"a": [{"numeric": [">", 2]}]}}', "Event": json.dumps(event)})
check("a pattern that matches", answer[2] == {"Result": True}, answer)
check("and one that does not", call(test, {"EventPattern": '{"source": ["x"]}', "Event": json.dumps(event)})[2] == {"Result": False})
refused("no pattern", call(test, {"EventPattern": '{"source": "x"}', "Event": json.dumps(event)}), "InvalidEventPatternException", "Event pattern is not valid. Reason: ")
refused("no event", call(test, {"EventPattern": '{"source": ["x"]}', "Event": "{}"}), "ValidationException")

# ---- Executions ----

start, describe, stop = ("AWSStepFunctions." + x + "Execution" for x in ("Start", "Describe", "Stop"))
machine = "arn:aws:states:eu-central-1:123456789012:stateMachine:order"
answer = call(start, {"stateMachineArn": machine, "name": "o-1", "input": '{"n": 1}'})
check("StartExecution", answer[0] == 200 and ":execution:order:" in answer[2]["executionArn"] and answer[2]["startDate"] > 1.7e9, answer)
arn = answer[2].get("executionArn")
check("the same again", call(start, {"stateMachineArn": machine, "name": "o-1", "input": '{"n": 1}'})[2] == answer[2])
refused("other input", call(start, {"stateMachineArn": machine, "name": "o-1", "input": '{"n": 2}'}), "ExecutionAlreadyExists")
refused("another machine", call(start, {"stateMachineArn": "nope", "input": "{}"}), "StateMachineDoesNotExist")
refused("wrong input", call(start, {"stateMachineArn": machine, "input": "{"}), "InvalidExecutionInput")
answer = call(describe, {"executionArn": arn})
check("DescribeExecution", answer[0] == 200 and answer[2]["status"] == "RUNNING" and answer[2]["name"] == "o-1", answer)
check("StopExecution", call(stop, {"executionArn": arn, "error": "Enough", "cause": "no more"})[2].get("stopDate", 0) > 1.7e9)
becomes("it is stopped", "select state from instances where business_key = 'o-1'", "cancelled")
answer = call(describe, {"executionArn": arn})
check("and said to be", answer[2].get("status") == "ABORTED" and "stopDate" in answer[2], answer)
refused("none of it", call(describe, {"executionArn": "x:00000000-0000-7000-8000-000000000000"}), "ExecutionDoesNotExist")
refused("no arn", call(describe, {"executionArn": "x"}), "InvalidArn")
sql("select drop_access_key('%s')" % READER_KEY)
refused("a key that was dropped", call(heartbeat, beat, key=READER_KEY, secret=READER_SECRET), "UnrecognizedClientException")
end()
