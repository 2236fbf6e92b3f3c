# SPDX-License-Identifier: Apache-2.0
"""What does not pass its inputSchema is refused before it is accepted, by each face; forms: python3 inputs.py ADDRESS PROGRAM ROOT"""
import subprocess
import sys
import threading
import time

from client import Server, check, end, sql

address, program, root = sys.argv[1:]
server = Server(address)
models = root + "/tests/scenario/models/inputs/"
subprocess.run([program, "deploy", models + "claim.bpmn", models + "claim.json", models + "policy.json", "-p", "judge=anna"],
               check=True, stdout=subprocess.DEVNULL)


def refused(what, answer, words):
    body = answer.body or {}
    check(what, answer.status == 400 and body.get("detail") == words and body.get("status") == 400 and body.get("type", 0) is None
          and body.get("title") == "input does not pass inputSchema validation", answer)


good = {"policy": "P-1234", "amount": 900}
refused("a start", server.ask("POST", "/v1/processes/claim/start", {"variables": dict(good, bar=1)}),
        "Additional properties are not allowed ('bar' was unexpected)")
refused("a start without variables", server.ask("POST", "/v1/processes/claim/start", {}), "'policy' is a required property")
form = server.ask("GET", "/v1/processes/claim/form")
check("the start's form", form.status == 200 and form.body["checked"] and form.body["schema"]["properties"]["amount"]["title"] == "Amount", form)
started = server.ask("POST", "/v1/processes/claim/start", {"businessKey": "h-1", "variables": good})
check("a start that passes", started.status == 201, started)
check("only processes start it", server.ask("POST", "/v1/processes/payment/start", {}).status == 409)


def tasks_of(key):
    return [t for t in server.ask("GET", "/v1/tasks").body["items"] if t["businessKey"] == key]


for _ in range(1200):
    tasks = tasks_of("h-1")
    if tasks:
        break
    time.sleep(0.05)
task = tasks[0]["taskId"]
form = server.ask("GET", "/v1/tasks/%s/form" % task)
check("the task's form", form.status == 200 and form.body["values"] == {"amount": 900}, form)
refused("a completion", server.ask("POST", "/v1/tasks/%s/complete" % task, {"variables": {"approved": "yes"}}),
        "'yes' is not of type 'boolean'")
check("the task is open", len(tasks_of("h-1")) == 1)
check("a completion that passes",
      server.ask("POST", "/v1/tasks/%s/complete?await=5s" % task, {"variables": {"approved": True}}).status in (200, 202))
refused("a message", server.ask("POST", "/v1/messages", {"message": "letter", "key": "h-1", "variables": {"date": "no"}}),
        "'no' is not a 'date'")
refused("a message to one", server.ask("POST", "/v1/messages/correlate", {"message": "letter", "key": "h-1", "variables": {}}),
        "'date' is a required property")


# ---- The same in other words ----

def camunda(what, answer, words):
    check(what, answer.status == 400 and answer.body.get("type") == "InvalidRequestException" and answer.body.get("message") == words
          and answer.body.get("code", 0) is None, answer)


def aws(operation, body):
    return server.ask("POST", "/", body, {"X-Amz-Target": "AWSStepFunctions." + operation, "Content-Type": "application/x-amz-json-1.0"})


def aws_refused(what, answer, kind, words):
    check(what, answer.status == 400 and answer.body == {"__type": kind, "message": words}, answer)


def becomes(what, text, wanted):
    """Until the database says so, or a minute has passed."""
    deadline = time.monotonic() + 60
    while (got := sql(text)) != wanted and time.monotonic() < deadline:
        time.sleep(0.05)
    check(what, got == wanted, got)


nobody = "select count(*) from instances where process = 'claim' and business_key = 'h-bad'"
definition = server.ask("GET", "/engine-rest/process-definition/key/claim").body["id"]
for place in ("key/claim", definition):
    camunda("a start as Camunda has it", server.ask("POST", "/engine-rest/process-definition/%s/start" % place, {
        "businessKey": "h-bad", "variables": {"policy": {"value": "P-1234"}, "amount": {"value": "900", "type": "String"}}}),
        "'900' is not of type 'number'")
aws_refused("a start as AWS has it", aws("StartExecution", {"stateMachineArn": "claim", "name": "h-bad", "input": "{}"}),
            "InvalidExecutionInput", "'policy' is a required property")
check("its name is free", aws("StartExecution", {"stateMachineArn": "claim", "name": "h-aws", "input": '{"policy": "P-1234", "amount": 1}'}).status == 200)
sql("""select set_webhook('claim', '{"scheme": "none", "id": "X-Id", "start": {"process": "claim", "businessKey": "h-bad"}}');
    select set_webhook('paid', '{"scheme": "none", "message": {"name": "paid", "key": "$.body.order"}}');
    select set_webhook('scanned', '{"scheme": "none", "callback": {"token": "$.body.token", "output": "$.body.result"}}')""")
for _ in range(2):
    refused("a start by a webhook", server.ask("POST", "/webhooks/claim", dict(good, amount=0), {"X-Id": "1"}),
            "0 is less than or equal to the minimum of 0")
check("nothing was started", sql(nobody) == "0")
check("nor was the webhook's message taken", server.ask("POST", "/webhooks/claim", good, {"X-Id": "1"}).body.get("instanceId"))

check("a right message", server.ask("POST", "/v1/messages", {"message": "letter", "key": "h-1", "variables": {"date": "2026-11-22"}}).status == 202)
becomes("it waits for a worker", "select count(*) from external_tasks where business_key = 'h-1'", "1")
fetched = server.ask("POST", "/v1/external-tasks/fetch", {"workerId": "w", "topics": [{"topicName": "archive"}]}).body["items"]
complete = "/v1/external-tasks/%s/complete" % fetched[0]["taskId"]
refused("a worker's answer", server.ask("POST", complete, {"workerId": "w", "variables": {"box": 1}}), "'shelf' is a required property")
check("the task is still his", sql("select state from external_tasks where business_key = 'h-1'") == "locked")
check("a right one of his", server.ask("POST", complete, {"workerId": "w", "variables": {"shelf": 7}}).status == 202)
becomes("it is archived", "select state from instances where instance_id = '%s'" % started.body["instanceId"], "completed")

# ---- Many at a time: one that is refused touches no other ----

answers = {}


def start_one(i):
    brings = dict(good, bar=1) if i % 4 == 0 else good
    path = "/v1/processes/%s/start" % ("none" if i % 10 == 5 else "claim")
    answers[i] = Server(address).ask("POST", path, {"businessKey": "many-%d" % (i % 4), "variables": brings}).status


threads = [threading.Thread(target=start_one, args=(i,)) for i in range(40)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
check("each has its own answer", all(answers[i] == (404 if i % 10 == 5 else 400 if i % 4 == 0 else 201) for i in range(40)), answers)
check("as many are there", sql("select count(*) filter (where business_key = 'many-0'), count(*) from instances where business_key like 'many-%'")
      == "0|%d" % sum(status == 201 for status in answers.values()))

# ---- Answers of tokens; a refused one leaves the task as it was ----

subprocess.run([program, "deploy", models + "answers.bpmn"], check=True, stdout=subprocess.DEVNULL)
refused("a message that starts a process",
        server.ask("POST", "/v1/messages", {"message": "ordered", "key": "t-1", "variables": {"number": "three"}}), "'three' is not of type 'integer'")
check("a good one", server.ask("POST", "/v1/messages?await=60s", {"message": "ordered", "key": "t-1", "variables": {"number": 3}}).body["state"] == "done")
order = sql("select instance_id from instances where process = 'answer'")


def token():
    return sql("select api_callback_token(callback_id) from callbacks where instance_id = '%s'" % order)


held = token()
one = server.ask("GET", "/v1/callbacks?instance=" + order).body["items"][0]
check("one callback is what its list says", server.ask("GET", "/v1/callbacks/" + one["callbackId"]).body == one, one)
words = "Additional properties are not allowed ('by' was unexpected)"
refused("an answer", server.ask("POST", "/callbacks/%s/succeed" % held, {"signed": True, "by": "anna"}), words)
refused("its output", server.ask("POST", "/callbacks/%s/succeed" % held, {"output": {}, "logs": ["tried"]}), "'signed' is a required property")
refused("one object for all", server.ask("POST", "/callbacks", {"id": held, "output": {"signed": 1}}), "1 is not of type 'boolean'")
aws_refused("as AWS has it", aws("SendTaskSuccess", {"taskToken": held, "output": '{"signed": true, "by": "anna"}'}), "InvalidOutput", words)
refused("a person's", server.ask("POST", "/v1/tasks/%s/complete" % tasks_of("t-1")[0]["taskId"], {"variables": {}}),
        "'signed' is a required property")
check("nothing has changed", sql("select state from callbacks where instance_id = '%s'" % order) == "requested" and token() == held
      and sql("select count(*) from callback_answer a join callbacks c on c.callback_id = a.id") == "0",
      sql("select state, answered_by from callbacks where instance_id = '%s'" % order))
taken = server.ask("POST", "/callbacks/%s/succeed" % held, {"signed": True})
check("a right one", taken.status == 200 and taken.body["created"], taken)
again = server.ask("POST", "/callbacks/%s/succeed" % held, {"signed": True})
check("the same again", again.status == 200 and not again.body["created"], again)
check("another one, be it wrong", server.ask("POST", "/callbacks/%s/succeed" % held, {"signed": 1}).status in (409, 410))

scan = "select element_id || ' ' || state from callbacks where instance_id = '%s'" % order
becomes("it waits for the machine", scan, "scan requested")
held = token()
# Its worker may bring what he likes: the callback ends the task.
sql("""select complete_external_task(task_id, 'me', '{"pages": "some"}') from fetch_and_lock('me', '["scan"]')""")
becomes("the machine is at it", scan, "scan accepted")
refused("by a webhook", server.ask("POST", "/webhooks/scanned", {"token": held, "result": {"pages": 0}}), "0 is less than the minimum of 1")
check("rightly", server.ask("POST", "/webhooks/scanned", {"token": held, "result": {"pages": 2}}).body.get("callbackId"))
becomes("it waits for its money", "select element_ids from (select string_agg(element_id, ',') as element_ids from tokens where instance_id = '%s') t" % order, "payment")
refused("a message by a webhook", server.ask("POST", "/webhooks/paid", {"order": "t-1"}), "'amount' is a required property")
check("the right one", server.ask("POST", "/webhooks/paid", {"order": "t-1", "amount": 5}).body.get("messageId"))
becomes("it is done", "select state from instances where instance_id = '%s'" % order, "completed")
end()
