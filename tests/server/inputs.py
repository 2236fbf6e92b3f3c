# SPDX-License-Identifier: Apache-2.0
"""What does not pass its inputSchema is refused before it is accepted; forms: python3 inputs.py ADDRESS PROGRAM ROOT"""
import subprocess
import sys
import time

from client import Server, check, end

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


for _ in range(100):
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
end()
