# SPDX-License-Identifier: Apache-2.0
"""What administrators do over HTTP: python3 manage.py ADDRESS PROGRAM MODELS"""
import base64
import json
import sys
import time

from client import Server, check, end, sql

address, program, models = sys.argv[1:]
server = Server(address)
NOTHING = "01234567-89ab-7def-8123-456789abcdef"
CLAIM, EXTERNAL, APPROVAL, RETRIES = [open(models + p).read() for p in (
    "/tests/scenario/models/inputs/claim.bpmn", "/tests/scenario/models/external-tasks.bpmn",
    "/processes/basics/approval.bpmn", "/processes/basics/retries.bpmn")]


def get(path):
    return server.ask("GET", "/v1" + path)


def post(path, body=None):
    return server.ask("POST", "/v1" + path, {} if body is None else body)


def put(path, body):
    return server.ask("PUT", "/v1" + path, body)


def patch(path, body):
    return server.ask("PATCH", "/v1" + path, body)


def delete(path):
    return server.ask("DELETE", "/v1" + path)


def until(what, look, wanted, seconds=120):
    end_at = time.monotonic() + seconds
    while (seen := look()) != wanted and time.monotonic() < end_at:
        time.sleep(0.05)
    check(what, seen == wanted, seen)


def deploy(*files, **more):
    return post("/deployments", dict({"resources": [{"name": n, "content": c} for n, c in files]}, **more))


def start(process, **more):
    return post("/processes/%s/start" % process, more).body["instanceId"]


def done(answer):
    return (answer.status, answer.body.get("state")) == (202, "done")


# ---- Users ----

me = get("/me").body
check("me", me["rights"] and me["tenants"] == ["*"] and me["limits"] == {}, me)
answer = post("/users", {"name": "berta", "rights": ["start", "read"], "tenants": ["north", ""], "password": "correct horse"})
check("a user", answer.status == 201 and answer.body == {"name": "berta"}, answer)
check("twice", post("/users", {"name": "berta"}).status == 409)
check("her password is a verifier", sql("select password like 'SCRAM-SHA-256$120000:%' from account where name = 'berta'") == "t")
for what, body in (("a short password", {"password": "1234567"}), ("a long one", {"password": "x" * 1025}), ("no right", {"rights": ["rule"]}),
                   ("no array", {"rights": "read"}), ("no texts", {"rights": [1]}), ("a colon", {"name": "a:b"}), ("a tenant", {"tenants": [1]})):
    answer = post("/users", dict({"name": "bad"}, **body))
    check("a user with " + what, answer.status == 400 and answer.body["code"] in ("PW003", None), answer)
check("none of them is there", get("/users/bad").status == 404)
answer = post("/users/berta/tokens", {"name": "laptop", "lifetime": "30 days"})
token = answer.body.get("token", "")
check("a token", answer.status == 201 and token.startswith("pawl_") and answer.headers["cache-control"] == "no-store", answer)
check("twice the same", post("/users/berta/tokens", {"name": "laptop"}).status == 409)
check("how long", [post("/users/berta/tokens", {"name": "x", "lifetime": x}).status for x in ("soon", "1 second")] == [400, 400])
check("for ever", post("/users/berta/tokens", {"name": "always", "forever": True}).body["expires"] is None)
key = post("/users/berta/keys", {"note": "for a function", "life": "P90D"})
check("a key", key.status == 201 and key.body["accessKeyId"].startswith("PAWL") and len(key.body["secretAccessKey"]) == 40, key)
check("a grant", post("/users/berta/grants", {"right": "start", "process": "order-*"}).status == 200)
check("no such right", post("/users/berta/grants", {"right": "rule", "process": "x"}).status == 400)
berta = get("/users/berta").body
check("the user", (berta["rights"], berta["tenants"], berta["hasPassword"], berta["disabled"]) == (["read", "start"], ["north", ""], True, False), berta)
check("with what she has", ([t["name"] for t in berta["tokens"]], [k["note"] for k in berta["keys"]], berta["grants"]) ==
      (["always", "laptop"], ["for a function"], [{"right": "start", "process": "order-*"}]), berta)
check("and no secret", token not in json.dumps(berta) and key.body["secretAccessKey"] not in json.dumps(berta) and "SCRAM" not in json.dumps(berta))
check("the list", [u["tokens"] for u in get("/users").body["items"] if u["name"] == "berta"] == [2])
check("changed", patch("/users/berta", {"rights": ["work"], "disabled": True, "password": "battery staple"}).status == 200)
check("it is", (get("/users/berta").body["rights"], get("/users/berta").body["disabled"]) == (["work"], True))
check("no password", patch("/users/berta", {"password": None}).status == 200 and get("/users/berta").body["hasPassword"] is False)
check("changed to what is none", [patch("/users/berta", b).status for b in ({"rights": None}, {"rights": ["x"]}, {"password": ""}, {"tenants": [""] * 1001})] == [400] * 4)
check("revoked", [delete("/users/berta/tokens/laptop").status, delete("/users/berta/tokens/laptop").status] == [200, 404])
check("the key, too", [delete("/users/%s/keys/%s" % (u, key.body["accessKeyId"])).status for u in ("anna", "berta", "berta")] == [404, 200, 404])
check("and the grant", [delete("/users/berta/grants/start/order-*").status for _ in "ab"] == [200, 404])
check("nobody", [server.ask(m, "/v1/users/nobody" + p, b).status for m, p, b in (
    ("GET", "", None), ("PATCH", "", {}), ("DELETE", "", None), ("POST", "/tokens", {"name": "x"}), ("POST", "/keys", {}),
    ("POST", "/grants", {"right": "start", "process": "x"}))] == [404] * 6)
check("removed", [delete("/users/berta").status, get("/users/berta").status] == [200, 404])
kinds = [a["kind"] for a in get("/audit?subject=berta").body["items"]]
check("who did it", kinds[0] == "userDropped" and {"userCreated", "userAltered", "tokenCreated", "accessKeyDropped", "processGranted"} <= set(kinds), kinds)
check("one kind", {a["kind"] for a in get("/audit?kind=userCreated&limit=1").body["items"]} == {"userCreated"})
check("before all that", get("/audit?until=2001-01-01&from=2000-01-01").body == {"items": []})
check("no time", get("/audit?from=yesterday-ish").status == 400)
check("no password is in it", "horse" not in json.dumps(get("/audit?limit=1000").body))

# ---- Settings ----

check("retention", patch("/settings/retention", {"outcomes": "2 days", "history": "90 days"}).body["changed"] == ["history", "outcomes"])
check("for ever", patch("/settings/retention", {"history": None}).status == 200 and get("/settings").body["retention"]["history"] is None)
check("settings", get("/settings").body["retention"]["outcomes"] == "2 days")
check("how far apart alerts are", patch("/settings", {"alertInterval": "PT1H"}).status == 200 and get("/settings").body["alertInterval"] == "01:00:00")
check("public URL", patch("/settings", {"publicUrl": "https://engine.example"}).status == 200 and get("/settings").body["publicUrl"] == "https://engine.example")
check("and none", patch("/settings", {"publicUrl": None}).status == 200 and get("/settings").body["publicUrl"] is None)
check("what is none", [patch("/settings", b).status for b in ({}, {"publicUrl": "x"}, {"callbackLife": "long"})] +
      [patch("/settings/retention", b).status for b in ({}, {"audit": "soon"}, {"outcomes": None})] == [400] * 6)

# ---- A refusal is cut to fit, and not inside a character ----

for n in range(3):
    name = "x" * n + "\u20ac" * 84
    answer = deploy(("java.bpmn", open(models + "/tests/server/waits.bpmn").read().replace(
        '<endEvent id="end2"/>', """<serviceTask id="java" camunda:class="%s" xmlns:camunda="http://camunda.org/schema/1.0/bpmn"/>
        <sequenceFlow id="f4" sourceRef="java" targetRef="end2"/><endEvent id="end2"/>""" % name).replace(
        'sourceRef="start2" targetRef="end2"', 'sourceRef="start2" targetRef="java"')))
    check("a long refusal", answer.status == 400 and "The Java code" in answer.body["detail"], answer)

# ---- Parameters ----

schemas = [(n, open(models + "/tests/scenario/models/inputs/" + n).read()) for n in ("claim.json", "policy.json")]
deployed = deploy(("claim.bpmn", CLAIM), *schemas, parameters={"judge": "carl", "limit": 0.1}, name="claims")
check("deployed with parameters", deployed.status == 201, deployed)
there = {p["name"]: p for p in get("/processes/claim/parameters").body["items"]}
check("its parameters", (there["judge"]["value"], there["limit"]["value"], there["limit"]["default"]) == ("carl", 0.1, 500), there)
deployed = deploy(("claim.bpmn", CLAIM), *schemas, parameters={"limit": 12345678901234567890}, name="claims")
there = {p["name"]: p["value"] for p in get("/processes/claim/parameters").body["items"]}
check("digit by digit", there["limit"] == 12345678901234567890, (deployed, there))
check("set one", put("/processes/claim/parameters/limit", {"value": [1, None]}).body == {"versions": 1})
check("to null", put("/processes/claim/parameters/judge", {"value": None}).body == {"versions": 1})
there = {p["name"]: p["value"] for p in get("/processes/claim/parameters?version=%d" % deployed.body["definitions"][0]["version"]).body["items"]}
check("they are set", there == {"judge": None, "limit": [1, None]}, there)
check("to its default", delete("/processes/claim/parameters/limit").body == {"versions": 1})
check("without a default", delete("/processes/claim/parameters/judge").status == 400)
check("no value", put("/processes/claim/parameters/limit", {}).status == 400)
check("no parameter", [put("/processes/%s/parameters/x" % p, {"value": 1}).status for p in ("claim", "nothing")] == [404, 404])
check("no process", [get("/processes/%s" % p).status for p in ("nothing/parameters", "claim/parameters?version=7")] == [404, 404])
changes = get("/parameter-changes?process=claim&parameter=limit").body["items"]
check("who changed it", [c["value"] for c in changes][:2] == [None, [1, None]] and changes[0]["actor"], changes)

# ---- Processes ----

deploy(("approval.bpmn", APPROVAL))
answer = post("/processes/approval/suspend", {"includeInstances": True, "reason": "stop"})
check("suspend a process", answer.status == 200 and answer.body["definitions"] >= 1 and answer.body["bulkId"], answer)
check("no start", post("/processes/approval/start").status == 409)
check("resume it", post("/processes/approval/resume", {"includeInstances": True}).body["definitions"] == answer.body["definitions"])
check("starts again", post("/processes/approval/start").status == 201)
check("of none", [post("/processes/nothing/" + a).status for a in ("suspend", "resume")] == [404, 404])
check("concurrency", put("/processes/approval/concurrency", {"most": 3}).status == 200)
check("it is set", sql("select concurrency from definitions where process = 'approval' and latest") == "3")
check("too few", put("/processes/approval/concurrency", {"most": 0}).status == 400)
check("no limit", delete("/processes/approval/concurrency").status == 200 and sql("select concurrency is null from definitions where process = 'approval' and latest") == "t")

# ---- Instances by hand ----

one = start("approval", businessKey="hand", variables={"department": "sales"})


def task_of(instance):
    return [t for t in get("/instances/%s/tokens" % instance).body["items"] if t["waitingFor"] == "task"]


until("where it is", lambda: [t["element"] for t in task_of(one)], ["approve"])
token = task_of(one)[0]
answer = post("/instances/%s/move?await=10s" % one, {"from": "approve", "to": "approve", "reason": "again"})
check("move", done(answer), answer)
check("another task", task_of(one)[0]["subject"] != token["subject"])
answer = post("/instances/%s/skip?await=10s" % one, {"element": "approve", "variables": {"approved": True, "by": None}})
check("skip", done(answer), answer)
answer = post("/instances/%s/move?await=10s" % one, {"from": "nowhere", "to": "approve"})
check("from nowhere", answer.status in (400, 404, 409) or answer.body["state"] in ("failed", "refused"), answer)
kinds = [e["kind"] for e in get("/instances/%s/events" % one).body["items"]]
check("what happened", "instanceStarted" in kinds and "tokenMoved" in kinds, kinds)
check("of nothing", [get("/instances/%s/%s" % (NOTHING, w)).status for w in ("tokens", "jobs", "events")] == [404] * 3)
check("hold its history", put("/instances/%s/history/hold" % one, {"reason": "court"}).body == {"held": True})
check("held", [(h["instanceId"], h["reason"]) for h in get("/history-holds").body["items"]] == [(one, "court")])
check("released", [delete("/instances/%s/history/hold" % one).body["released"] for _ in "ab"] == [True, False])
waits = start("waits", businessKey="by-hand")
until("it waits", lambda: [t["waitingFor"] for t in get("/instances/%s/tokens" % waits).body["items"]], ["message"])
check("complete", done(post("/instances/%s/complete?await=10s" % waits, {"element": "wait", "variables": {"a": None}})))
check("jobs", get("/instances/%s/jobs" % waits).body == {"items": []})

# ---- Many at once ----

deploy(("retries.bpmn", RETRIES.replace('id="retries"', 'id="many"')))
many = [start("many", variables={"divisor": 4, "second": 0, "gone": None}) for _ in range(3)]
until("incidents", lambda: len(get("/incidents?process=many").body["items"]), 3, 30)
group = get("/incidents/groups?process=many").body["items"]
check("by cause", [g["incidents"] for g in group] == [3] and group[0]["reason"] == "failedJob", group)
first = get("/incidents?process=many&limit=1").body["items"][0]
check("one of them", get("/incidents/" + first["incidentId"]).body == first, (get("/incidents/" + first["incidentId"]), first))
many_of = {"action": "retry", "filter": {"process": "many"}, "variables": {"second": 2, "nothing": None}}
check("a preview", [p["matching"] for p in post("/bulks/preview", many_of).body["items"]] == [3])
answer = post("/bulks", many_of)
check("retry them", answer.status == 202 and answer.body["matching"] == 3, answer)
until("it is done", lambda: get("/bulks/" + answer.body["bulkId"]).body["state"], "done")
until("no incidents", lambda: get("/incidents?process=many").body["items"], [])
check("the newest", get("/bulks?limit=1").body["items"][0]["bulkId"] == answer.body["bulkId"])
check("stop it", post("/bulks/%s/stop" % answer.body["bulkId"]).status == 413 and server.ask("POST", "/v1/bulks/%s/stop" % answer.body["bulkId"]).status == 409)
check("what is none", [post("/bulks", b).status for b in ({"action": "eat", "filter": {"all": True}}, {"action": "retry", "filter": {}},
                                                          {"action": "retry", "filter": {"proces": "x"}})] == [400] * 3)

# ---- Messages nobody has received ----

kept = post("/messages", {"message": "later", "key": "m", "ttl": "1 hour", "variables": {"a": 1}}).body["messageId"]
until("kept", lambda: [(m["messageId"], m["variables"]) for m in get("/messages?message=later&key=m").body["items"]], [(kept, {"a": 1})])
gone = post("/messages", {"message": "gone", "ttl": "10 ms"}).body["messageId"]
until("dead", lambda: [m["messageId"] for m in get("/dead-letters?message=gone").body["items"]], [gone])

# ---- Endpoints and calls ----

stub = {"baseUrl": "https://stub.example/v1", "rate": 5, "breaker": False, "headers": {"X-A": "b"}, "auth": {"type": "bearer", "token": "credential:stub"}}
answer = put("/endpoints/stub2", stub).body
check("an endpoint", (answer["name"], answer["created"], answer["changed"]["rate"]) == ("stub2", True, {"from": None, "to": 5}), answer)
there = get("/endpoints/stub2").body
check("as it is", (there["baseUrl"], there["rate"], there["headers"], there["breaker"]) == ("https://stub.example/v1", 5, ["X-A"], None), there)
for secret in ("file:/etc/passwd", "env:PGPASSWORD"):
    answer = put("/endpoints/stub2", dict(stub, auth={"type": "bearer", "token": secret}))
    check("a secret of the machine", answer.status == 400 and "credential" in answer.body["hint"], answer)
    check("in a header", put("/endpoints/stub2", dict(stub, headers={"X-A": {"secret": secret}})).status == 400)
    check("of a webhook", put("/webhooks/w", {"secret": secret, "event": {}}).status == 400)
answer = patch("/endpoints/stub2", {"rate": 7, "breaker": {"open": "PT30S"}})
check("what is named", (answer.status, sorted(answer.body["changed"])) == (200, ["breaker", "breaker.open", "rate"]), answer)
there = get("/endpoints/stub2").body
check("all else stays", (there["rate"], there["headers"], there["transport"]["auth"]["token"], there["options"]["breaker"]) == (7, ["X-A"], "credential:stub", {"open": "PT30S"}), there)
check("null is the default", patch("/endpoints/stub2", {"rate": None, "breaker": {"open": None}}).status == 200 and (get("/endpoints/stub2").body["rate"], get("/endpoints/stub2").body["breaker"]["open"]) == (None, "PT10S"))
check("put says all of it", put("/endpoints/stub2", {"baseUrl": "https://stub.example/v1"}).body["changed"]["auth.token"] == {"from": "credential:stub", "to": None})
sql("select set_endpoint('stub2', options => '{\"auth\": {\"type\": \"bearer\", \"token\": \"file:/etc/secret\"}}')")
check("limits of one with a file", patch("/endpoints/stub2", {"rate": 9}).status == 200)
for elsewhere in ({"baseUrl": "https://thief.example"}, {"proxy": "http://thief.example"}, {"allow": "loopback"}, {"auth": {"type": "apiKey", "name": "k", "key": "file:/etc/secret"}}):
    answer = patch("/endpoints/stub2", elsewhere)
    check("but it goes nowhere else", answer.status == 400 and "credential" in answer.body["detail"], answer)
check("without it, it may", patch("/endpoints/stub2", {"baseUrl": "https://other.example", "auth": None}).status == 200)
check("of none", patch("/endpoints/none", {"rate": 1}).status == 404)
check("no URL", [put("/endpoints/stub2", b).status for b in ({"baseUrl": "stub"}, {"baseUrl": "http://x", "rate": -1}, {"baseUrl": "http://x", "tls": {"x": 1}})] == [400] * 3)
check("open it", post("/endpoints/stub2/circuit", {"circuit": "open", "reason": "they asked"}).status == 200)
check("it is open", (get("/endpoints/stub2").body["circuit"], get("/endpoints/stub2").body["circuitWhy"]) == ("open by hand", "set by dev: they asked"), get("/endpoints/stub2"))
check("half open", post("/endpoints/stub2/circuit", {"circuit": "half"}).status == 400)
check("close it", post("/endpoints/stub2/circuit", {"circuit": "auto"}).status == 200)
check("no calls", get("/calls?endpoint=stub2").body == {"items": [], "next": None} and get("/calls/held?endpoint=stub2").body["items"] == [])
check("hold them", post("/calls/hold", {"reason": "restored"}).body == {"held": True} and sql("select reason from hold") == "restored")
check("release them", [server.ask("POST", "/v1/calls/release").body["released"] for _ in "ab"] == [True, False])
check("drop it", [delete("/endpoints/stub2").status for _ in "ab"] == [200, 404])
check("no endpoint", [get("/endpoints/stub2").status, post("/endpoints/stub2/circuit", {"circuit": "open"}).status] == [404, 404])

# ---- Alerts, webhooks, classes ----

put("/endpoints/phone", {"baseUrl": "https://phone.example"})
check("a target", done(put("/alert-targets/on-call?await=10s", {"endpoint": "phone", "kinds": ["incidentCreated"]})))
check("it is a rule", [r["name"] for r in get("/rules?bus=alerts").body["items"]] == ["on-call"])
check("no such kind", put("/alert-targets/x", {"endpoint": "phone", "kinds": ["x"]}).status == 400)
check("who hears", [(t["name"], t["endpoint"], t["kinds"]) for t in get("/alert-targets").body["items"]] == [("on-call", "phone", ["incidentCreated"])])
tried = server.ask("POST", "/v1/alert-targets/on-call/try")
check("a test alert", tried.status == 202 and tried.body["alertId"] in [a["alertId"] for a in get("/alerts?kind=testAlert").body["items"]], tried.body)
check("of nobody", server.ask("POST", "/v1/alert-targets/nobody/try").status == 404)
check("no target", done(delete("/alert-targets/on-call?await=10s")))
alerts = get("/alerts?kind=incidentCreated&process=many").body["items"]
check("alerts", len(alerts) == 1 and alerts[0]["instanceId"] in many, alerts)
muted = post("/alerts/mute", {"cause": alerts[0]["cause"], "for": "PT1H", "reason": "anna"})
check("muted", muted.status == 200 and muted.body["mutedUntil"] is not None, muted.body)
check("heard again", post("/alerts/unmute", {"cause": alerts[0]["cause"]}).body == {"cause": alerts[0]["cause"]})
check("no such cause", post("/alerts/mute", {"cause": "x"}).status == 404)
keys = get("/callback-keys").body["items"]
check("keys of callbacks", len(keys) == 1 and keys[0]["retired"] is None, keys)
answer = post("/callback-keys", {"keep": "30 days", "reason": "as every year"})
check("another", answer.status == 201 and answer.body["retired"] == keys[0]["keyId"], answer)
check("for how long", post("/callback-keys", {"keep": "long"}).status == 400)
check("service levels", get("/service-levels").body == {"items": []})
check("a webhook", put("/webhooks/shop", {"secret": "credential:shop", "event": {"type": "$.body.type"}}).body == {"name": "shop"})
check("webhooks", [(w["name"], w["kind"], w["enabled"]) for w in get("/webhooks").body["items"]] == [("shop", "event", True)])
check("no webhook", [delete("/webhooks/shop").status for _ in "ab"] == [200, 404])
check("delegates", get("/delegates").body == {"items": []})
check("a class", put("/class-topics/org.example.ShipDelegate", {"topic": "ship"}).status == 200)
check("classes", [(c["class"], c["topic"]) for c in get("/class-topics").body["items"]] == [("org.example.ShipDelegate", "ship")])

# ---- External tasks, callbacks ----

deployed = deploy(("external.bpmn", EXTERNAL))
check("external tasks", deployed.status == 201, deployed)
mine = start("external-tasks", variables={"amount": 2, "urgent": False})
until("one to do", lambda: [(t["topic"], t["state"]) for t in get("/external-tasks?instance=" + mine).body["items"]], [("charge", "available")])
fetch = {"workerId": "w1", "topics": [{"topicName": "charge", "lockDuration": 60000, "businessKey": None}]}
check("a wrong topic", post("/external-tasks/fetch", {"workerId": "w1", "topics": [{"name": 1}]}).status == 400)
fetch["topics"][0].pop("businessKey")
got = post("/external-tasks/fetch", dict(fetch, maxTasks=5)).body["items"]
check("fetched", [(t["instanceId"], t["variables"]["cents"], t["fence"]) for t in got] == [(mine, 200, 1)], got)
task = got[0]["taskId"]
check("nothing more", post("/external-tasks/fetch", fetch).body == {"items": []})
check("whose it is", (get("/external-tasks/" + task).body["workerId"], get("/external-tasks/" + task).body["state"]) == ("w1", "locked"))
check("more time", post("/external-tasks/%s/extend" % task, {"workerId": "w1", "duration": "5 minutes", "fence": 1}).status == 200)
check("not for others", post("/external-tasks/%s/extend" % task, {"workerId": "w2", "duration": "5 minutes"}).status == 409)
check("how long", post("/external-tasks/%s/extend" % task, {"workerId": "w1", "duration": "long"}).status == 400)
check("failed", done(post("/external-tasks/%s/fail?await=10s" % task, {"workerId": "w1", "errorMessage": "no line", "errorDetails": "at Line.java:7", "retries": 0, "fence": 1})))
until("an incident", lambda: [i["reason"] for i in get("/incidents?instance=" + mine).body["items"]], ["failedExternalTask"])
incident = get("/incidents?instance=" + mine).body["items"][0]
check("what its worker said", [(i["message"], i["errorDetails"]) for i in (incident, get("/incidents/" + incident["incidentId"]).body)] == [("no line", "at Line.java:7")] * 2, incident)
check("another try", put("/external-tasks/%s/retries" % task, {"retries": 2}).body == {"taskId": task, "retries": 2})
check("urgent", put("/external-tasks/%s/priority" % task, {"priority": 70}).status == 200 and get("/external-tasks/" + task).body["priority"] == 70)
until("fetched again", lambda: [t["taskId"] for t in post("/external-tasks/fetch", fetch).body["items"]], [task])
check("given back", server.ask("POST", "/v1/external-tasks/%s/unlock" % task).status == 200)
check("too late", post("/external-tasks/%s/complete" % task, {"workerId": "w1", "fence": 2}).status == 409)
until("once more", lambda: [t["fence"] for t in post("/external-tasks/fetch", fetch).body["items"]], [3])
check("completed", done(post("/external-tasks/%s/complete?await=10s" % task, {"workerId": "w1", "fence": 3, "localVariables": {"number": 7}})))
fetch["topics"] = ["ship"]
until("the next", lambda: len(post("/external-tasks/fetch", fetch).body["items"]), 1)
task = get("/external-tasks?instance=" + mine).body["items"][0]["taskId"]
check("an error", post("/external-tasks/%s/error?await=10s" % task, {"workerId": "w1", "errorCode": "LOST"}).status == 202)
check("no such task", [post("/external-tasks/%s/%s" % (NOTHING, a), dict({"workerId": "w"}, **b)).status for a, b in (
    ("complete", {}), ("fail", {}), ("error", {"errorCode": "x"}), ("extend", {"duration": "1 min"}))] == [404] * 4)
check("drop the class", [delete("/class-topics/org.example.ShipDelegate").status for _ in "ab"] == [200, 404])
check("callbacks", get("/callbacks").body == {"items": [], "next": None})
end()
