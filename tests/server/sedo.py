# SPDX-License-Identifier: Apache-2.0
"""Definitions as lists of steps, and their executions, by tenant: python3 sedo.py ADDRESS PROGRAM MODELS"""
import re
import sys
import time

from client import Server, check, end

address, program, models = sys.argv[1:]
server = Server(address)
ROOT = "/sedo/tenants/123"
DEFINITION = {
    "id": "example-definition",
    "inputSchema": {"type": "object", "properties": {"foo": {"type": "string"}}, "required": ["foo"], "additionalProperties": False},
    "steps": [{"id": "initial-echo", "type": "echo", "message": "initial echo", "next": "wait-some-time"},
              {"id": "wait-some-time", "type": "wait", "seconds": 1, "next": "last-echo"},
              {"id": "last-echo", "type": "echo", "message": "last echo", "end": True}],
}

made = server.ask("POST", ROOT + "/definitions", DEFINITION)
check("a definition", made.status == 200 and made.body == {"id": "example-definition", "tenantId": "123"}, made)
listed = server.ask("GET", ROOT + "/definitions")
check("the definitions", listed.body == [{"id": "example-definition", "tenantId": "123"}], listed)
other = server.ask("GET", "/sedo/tenants/456/definitions")
check("another tenant has none", other.body == [], other)
same = open(models + "/processes/echo-wait/example-definition.yaml", "rb").read().replace(b"example-definition", b"in-yaml")
made = server.ask("POST", ROOT + "/definitions", same, {"Content-Type": "application/yaml"})
check("a definition in YAML", made.status == 200 and made.body["id"] == "in-yaml", made)
wrong = server.ask("POST", ROOT + "/definitions", {"id": "x", "steps": [{"id": "a", "type": "sleep", "end": True}]})
check("a wrong step is named", wrong.status == 400 and 'there is no type "sleep"' in wrong.body["detail"], wrong)
for body, kind in ((b"{", "application/json"), (b"\xff", "application/yaml"), (b"", "application/json"), (b"[]", "application/json"),
                   (b"a: &x [*x]", "application/yaml"), (b"[" * 9000, "application/yaml")):
    bad = server.ask("POST", ROOT + "/definitions", body, {"Content-Type": kind})
    check("no definition: %r" % body[:12], bad.status == 400 and bad.body["status"] == 400, bad)

refused = server.ask("POST", ROOT + "/definitions/example-definition/execute", {"input": {"bar": "baz"}})
check("an input that the schema refuses", refused.status == 400
      and refused.body["detail"] == "Additional properties are not allowed ('bar' was unexpected)"
      and refused.body["title"] == "input does not pass inputSchema validation" and refused.body["type"] is None, refused)
run = server.ask("POST", ROOT + "/definitions/example-definition/execute", {"input": {"foo": "bar"}})
check("an execution", run.status == 200 and run.body["state"] == "ExecutionSubmitted" and run.body["tenantId"] == "123"
      and re.fullmatch("123:example-definition:[0-9a-f]{8}", run.body["id"]), run)
none = server.ask("POST", ROOT + "/definitions/none/execute", {"input": {}})
check("no such definition", none.status == 404, none)


def state():
    for one in server.ask("GET", ROOT + "/executions").body:
        if one["id"] == run.body["id"]:
            return one["state"], one["step"]
    return None


deadline, seen = time.time() + 60, []
while time.time() < deadline and (not seen or seen[-1][0] != "ExecutionSucceeded"):
    now = state()
    if now not in seen:
        seen.append(now)
    time.sleep(0.05)
check("it waits", ("StepStarted", "wait-some-time") in seen, seen)
check("it succeeds", seen[-1] == ("ExecutionSucceeded", "last-echo"), seen)
one = server.ask("GET", ROOT + "/executions/" + run.body["id"])
check("one execution", one.body["state"] == "ExecutionSucceeded" and one.body["tenantId"] == "123", one)
check("of its own tenant alone", server.ask("GET", "/sedo/tenants/456/executions").body == [], "seen by another")
steps = server.ask("GET", ROOT + "/executions/%s/history" % run.body["id"])
check("its steps, in order", [s["step"] for s in steps.body if s["kind"] not in ("startEvent", "endEvent")]
      == ["initial-echo", "wait-some-time", "last-echo"] and all(s["ended"] for s in steps.body), steps)
none = server.ask("GET", "/sedo/tenants/456/executions/%s/history" % run.body["id"])
check("which another tenant does not see", none.status == 404, none)

server.ask("POST", ROOT + "/definitions", {"id": "half", "steps": [
    {"id": "halve", "type": "set", "values": {"half": "${whole / 2}"}, "end": True}]})
failing = server.ask("POST", ROOT + "/definitions/half/execute", {"input": {}}).body["id"]
again = {"body": {"incidents": 0}}
deadline = time.time() + 20
while time.time() < deadline:
    again = server.ask("POST", ROOT + "/executions/%s/retry" % failing, {"variables": {"whole": 8}})
    if again.status != 202 or again.body["incidents"] > 0:
        break
    time.sleep(0.05)
check("tried again, with what was missing", again.status == 202 and again.body["incidents"] == 1, again)
while time.time() < deadline and server.ask("GET", ROOT + "/executions/" + failing).body["state"] != "ExecutionSucceeded":
    time.sleep(0.05)
check("and it succeeds", server.ask("GET", ROOT + "/executions/" + failing).body["state"] == "ExecutionSucceeded", failing)
second = server.ask("POST", ROOT + "/definitions/example-definition/execute", {"input": {"foo": "bar"}})
cancelled = server.ask("POST", ROOT + "/executions/%s/cancel" % second.body["id"], {"reason": "enough"})
check("cancelled", cancelled.status == 202 and cancelled.body["id"] == second.body["id"], cancelled)
end()
