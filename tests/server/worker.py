# SPDX-License-Identifier: Apache-2.0
"""What Camunda 7's external task clients send: python3 worker.py ADDRESS PROGRAM ROOT

The requests are those of its EngineService.js and EngineClient.java: the same paths and members."""
import re
import sys
import threading
import time
import uuid

from client import Server, check, end

address, program, root = sys.argv[1:]
server = Server(address)
REST = "/engine-rest"
MODEL = open(root + "/tests/server/fetched.bpmn").read().replace('process id="fetched"', 'process id="camunda-work"').replace(
    'topic="work"', 'topic="camunda"')
answer = server.ask("POST", "/v1/deployments", {"resources": [{"name": "camunda-work.bpmn", "content": MODEL}]})
check("deployed", answer.status == 201, answer)


def start(key, **variables):
    return server.ask("POST", REST + "/process-definition/key/camunda-work/start", {"businessKey": key, "variables": variables}).body


def fetch(wait=None, worker="js", topic=None, engine=REST, **more):
    body = dict({"workerId": worker, "maxTasks": 10, "usePriority": True,
                 "topics": [dict({"topicName": "camunda", "lockDuration": 50000}, **(topic or {}))]}, **more)
    if worker == "java": # says all of it
        body["topics"][0] = dict(dict.fromkeys((
            "variables", "businessKey", "processDefinitionId", "processDefinitionIdIn", "processDefinitionKey", "processDefinitionKeyIn",
            "processDefinitionVersionTag", "processVariables", "tenantIdIn")), localVariables=False, withoutTenantId=False,
            includeExtensionProperties=False, **body["topics"][0])
        body["sorting"] = []
    if wait is not None:
        body["asyncResponseTimeout"] = wait
    return Server(address).ask("POST", engine + "/external-task/fetchAndLock", body, timeout=120)


def post(task, verb, **body):
    return server.ask("POST", "%s/external-task/%s/%s" % (REST, task, verb), body)


def until(what, seconds=60):
    last = time.monotonic() + seconds
    while not (seen := what()) and time.monotonic() < last:
        time.sleep(0.02)
    return seen


def state(instance):
    return server.ask("GET", "/v1/instances/" + instance).body.get("state")


# ---- Fetch, and what a task looks like ----

answer = fetch()
check("nothing to do", answer.status == 200 and answer.body == [] and answer.headers["content-type"] == "application/json", answer)
began = time.monotonic()
check("nothing for a while", fetch(300).body == [] and time.monotonic() - began >= 0.25)
answers = []
waiting = threading.Thread(target=lambda: answers.append(fetch(1800000))) # the most that those clients say
waiting.start()
made = start("k-1", amount={"value": 7, "type": "Integer"}, who={"value": "anna", "type": "string"},
             what={"value": '{"a": [1]}', "type": "Json"}, big={"value": 3000000000})
waiting.join(60)
task, = answers[0].body
check("its members", sorted(task) == sorted([
    "activityId", "activityInstanceId", "errorMessage", "errorDetails", "executionId", "id", "lockExpirationTime", "createTime",
    "processDefinitionId", "processDefinitionKey", "processDefinitionVersionTag", "processInstanceId", "tenantId", "retries", "suspended",
    "workerId", "priority", "topicName", "businessKey", "variables", "extensionProperties"]), task)
check("what it is", (task["processInstanceId"], task["processDefinitionId"], task["processDefinitionKey"], task["activityId"], task["topicName"],
                     task["businessKey"], task["workerId"], task["retries"], task["tenantId"], task["suspended"]) ==
      (made["id"], made["definitionId"], "camunda-work", "work", "camunda", "k-1", "js", None, None, False), task)
check("its times", all(re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$", task[t]) for t in ("lockExpirationTime", "createTime")), task)
check("its variables", {n: (v["type"], v["value"]) for n, v in task["variables"].items()} ==
      {"amount": ("Integer", 7), "who": ("String", "anna"), "what": ("Json", '{"a": [1]}'), "big": ("Long", 3000000000)}, task["variables"])

# ---- Answers ----

check("not his", post(task["id"], "complete", workerId="java").status == 400)
check("nobody's", [post(i, "complete", workerId="js").status for i in (str(uuid.uuid4()), "7")] == [404, 404])
check("more time", post(task["id"], "extendLock", workerId="js", newDuration=60000).status == 204)
answer = post(task["id"], "failure", workerId="js", errorMessage="no line", errorDetails="a stack", retries=2, retryTimeout=0)
check("failed", answer.status == 204 and answer.body == b"", answer)
again = until(lambda: fetch().body)
check("another try", [(t["id"], t["retries"], t["errorMessage"], t["errorDetails"]) for t in again] == [(task["id"], 2, "no line", "a stack")], again)
check("given back", post(task["id"], "unlock").status == 204 and [t["id"] for t in fetch().body] == [task["id"]])
seen = server.ask("GET", REST + "/external-task/" + task["id"])
check("looked at", seen.status == 200 and seen.body["workerId"] == "js" and "variables" not in seen.body, seen)
check("one that is not there", server.ask("GET", REST + "/external-task/7").status == 404)
check("in the list", [t["id"] for t in server.ask("GET", REST + "/external-task?topicName=camunda&workerId=js").body] == [task["id"]])
check("by its instance", server.ask("GET", REST + "/external-task?processInstanceId=" + str(uuid.uuid4())).body == [])
answer = post(task["id"], "complete", workerId="js", variables={"paid": {"value": True, "type": "boolean"}}, localVariables={})
check("completed", answer.status == 204, answer)
check("it goes on", until(lambda: state(made["id"]) == "completed"))
check("twice", post(task["id"], "complete", workerId="js").status in (400, 404))
start("k-2")
task = until(lambda: fetch(worker="java").body)[0]
check("what Java does not say counts not", task["workerId"] == "java" and task["businessKey"] == "k-2", task)
check("a bad variable", post(task["id"], "complete", workerId="java", variables={"x": {"value": "y", "type": "Integer"}}).status == 400)
check("an error", post(task["id"], "bpmnError", workerId="java", errorCode="LOST", errorMessage="it is", variables={}).status == 204)
broken = start("k-3")["id"]
task = until(lambda: fetch().body)[0]
check("no tries left", post(task["id"], "failure", workerId="js", errorMessage="no line", retries=0).status == 204)
check("an incident", until(lambda: state(broken) == "incident"))
answer = server.ask("PUT", "%s/external-task/%s/retries" % (REST, task["id"]), {"retries": 1})
check("tries again", answer.status == 204 and [t["id"] for t in until(lambda: fetch().body)] == [task["id"]], answer)
check("urgent", server.ask("PUT", "%s/external-task/%s/priority" % (REST, task["id"]), {"priority": 9}).status == 204)
check("done", post(task["id"], "complete", workerId="js").status == 204)

# ---- Conditions ----

made = start("k-4")
check("of another definition", fetch(topic={"processDefinitionId": "camunda-work:9:" + str(uuid.uuid4())}).body == [])
got = until(lambda: fetch(engine=REST + "/engine/default", topic={"processDefinitionIdIn": [made["definitionId"]], "variables": []}).body)
check("of this one", [(t["processInstanceId"], t["variables"]) for t in got] == [(made["id"], {})], got)
check("an unknown task variable type", post(got[0]["id"], "complete", workerId="js", variables={"x": {"value": 1, "type": "Nonsense"}}).status == 400)
check("its end", post(got[0]["id"], "complete", workerId="js").status == 204)
for what, body in (("no worker", {"maxTasks": 1, "topics": []}), ("no number", {"workerId": "js", "topics": []}),
                   ("topics", {"workerId": "js", "maxTasks": 1, "topics": [7]})):
    answer = server.ask("POST", REST + "/external-task/fetchAndLock", body)
    check("fetch: " + what, answer.status == 400 and answer.body["type"] == "InvalidRequestException", answer)
end()
