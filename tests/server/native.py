# SPDX-License-Identifier: Apache-2.0
"""Pawl's own operations: python3 native.py ADDRESS PROGRAM MODELS"""
import io
import json
import subprocess
import sys
import threading
import time
import zipfile

from client import Server, Session, check, end, sql

address, program, models = sys.argv[1:]
server = Server(address)
subprocess.run([program, "deploy", models + "/processes/basics/approval.bpmn"], check=True, stdout=subprocess.DEVNULL)


def becomes(what, query, wanted, seconds=120):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        got = sql(query)
        if got == wanted:
            break
        time.sleep(0.05)
    check(what, got == wanted, got)


# ---- The first batch of all, in which one is refused ----

holder = Session()
holder.say("begin; select start('approval', request_key => 'held')")
statuses = {}


def at_once(name, path, body):
    statuses[name] = Server(address).ask("POST", path, body).status


asking = [threading.Thread(target=at_once, args=a) for a in [
    ("held", "/v1/processes/approval/start", {"requestKey": "held"}), ("refused", "/v1/processes/nothing/start", {}),
    ("good", "/v1/messages", {"message": "first"}), ("refused too", "/v1/messages", {"message": "x", "ttl": "-1 s"})]]
for t in asking:
    t.start()
    time.sleep(0.03)
[t.join() for t in asking]
check("each has its own answer", statuses == {"held": 503, "refused": 404, "good": 202, "refused too": 400}, statuses)

holder.end()

# ---- Start ----

answer = server.ask("POST", "/v1/processes/approval/start", {"businessKey": "h-1", "version": 1, "variables": {"department": "sales", "n": 12345678901234567890}})
check("start", answer.status == 201 and answer.body["created"] is True, answer)
check("its type", answer.headers["content-type"] == "application/json", answer)
instance = answer.body["instanceId"]
check("it is there when it is answered", sql("select count(*) from instances where instance_id = '%s'" % instance) == "1")
becomes("it runs", "select state from instances where instance_id = '%s'" % instance, "running")
check("numbers keep their digits", sql("select value from variables where name = 'n'") == "12345678901234567890")
first = server.ask("POST", "/v1/processes/approval/start", {"requestKey": "k-1"})
again = server.ask("POST", "/v1/processes/approval/start", {"requestKey": "k-1"})
check("a repeated request", (first.status, again.status) == (201, 200) and first.body["instanceId"] == again.body["instanceId"], again)
answer = server.ask("POST", "/v1/processes/approval/start", {"requestKey": "k-1", "businessKey": "other"})
check("the same key for another start", answer.status == 422 and answer.body["code"] == "PW004", answer)
answer = server.ask("POST", "/v1/processes/nothing/start", {})
check("an unknown process", answer.status == 404 and answer.headers["content-type"] == "application/problem+json", answer)
check("the members of RFC 9457", set(answer.body) == {"type", "title", "status", "detail", "hint", "code"} and answer.body["status"] == 404, answer)
answer = server.ask("POST", "/v1/processes/approval/start")
check("a start without a body", answer.status == 201, answer)

# Many at once: some are refused, and those alone.
results = []


def one(n):
    mine = Server(address)
    for i in range(10):
        name = "nothing" if (n + i) % 4 == 0 else "approval"
        results.append((name, mine.ask("POST", "/v1/processes/%s/start" % name, {"businessKey": "many"}).status))


threads = [threading.Thread(target=one, args=(n,)) for n in range(20)]
[t.start() for t in threads]
[t.join() for t in threads]
good = [r for r in results if r == ("approval", 201)]
check("many at once", sorted(set(results)) == [("approval", 201), ("nothing", 404)], sorted(set(results)))
check("what was answered is there", sql("select count(*) from instances where business_key = 'many'") == str(len(good)))

# ---- Messages ----

answer = server.ask("POST", "/v1/messages", {"message": "hello", "key": "x", "ttl": "1 hour", "variables": {"a": 1}})
check("publish", answer.status == 202, answer)
becomes("it is kept", "select key from messages where message_id = '%s'" % answer.body["messageId"], "x")
answer = server.ask("POST", "/v1/messages", {"message": "hello", "ttl": "no time"})
check("a ttl that is none", answer.status == 400, answer)

# ---- Deployments ----

BPMN = open(models + "/processes/basics/approval.bpmn").read()
FORM = ("--b\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\nfirst\r\n"
        "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"%s\"\r\nContent-Type: text/xml\r\n\r\n%s\r\n--b--\r\n")
form = {"Content-Type": "multipart/form-data; boundary=b"}
answer = server.ask("POST", "/v1/deployments", (FORM % ("a; b.bpmn", BPMN)).encode(), form)
check("deploy a form", answer.status == 201 and answer.body["state"] == "active" and answer.body["definitions"][0]["process"] == "approval", answer)
check("nothing new in it", answer.body["definitions"][0]["new"] is False, answer)
answer = server.ask("POST", "/v1/deployments", {"name": "again", "duplicateFiltering": False, "resources": [{"name": "a.bpmn", "content": BPMN}]})
check("deploy JSON", answer.status == 201 and repr(answer.body["definitions"][0]["version"]) == "2", answer)
second = answer.body["deploymentId"]
answer = server.ask("GET", "/v1/deployments/" + second)
check("the deployment", answer.body["processes"] == ["approval:2"] and answer.body["name"] == "again", answer)
check("the list", server.ask("GET", "/v1/deployments?limit=1").body["items"][0]["deploymentId"] == second)
# ---- Zip files ----


def packed(entries):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as z:
        for name, text in entries:
            z.writestr(name, text)
    return data.getvalue()


ZIP = {"Content-Type": "application/zip"}
two = packed([("app/one.bpmn", BPMN.replace('id="approval"', 'id="packed-one"')), ("app/README.md", "x"),
              ("app/in/two.bpmn", BPMN.replace('id="approval"', 'id="packed-two"'))])
answer = server.ask("POST", "/v1/deployments?name=zipped", two, ZIP)
check("deploy a zip file", answer.status == 201 and sorted(d["process"] for d in answer.body["definitions"]) == ["packed-one", "packed-two"], answer)
check("its files", sql("select resources || name from deployments where deployment_id = '%s'" % answer.body["deploymentId"]) == "{in/two.bpmn,one.bpmn,zipped}")
answer = server.ask("POST", "/v1/deployments?duplicateFiltering=false", two, ZIP)
check("the same again, if wanted", answer.status == 201 and {d["version"] for d in answer.body["definitions"]} == {2}, answer)
answer = server.ask("POST", "/v1/deployments", (FORM % ("app.zip", "X")).encode().replace(b"X\r", two + b"\r"), form)
check("a part that is a zip file", answer.status == 201 and [d["new"] for d in answer.body["definitions"]] == [False, False], answer)
for what, body, status in [("half of one", two[:200], 400), ("nothing in it", packed([("README", "x")]), 400), ("a way out", packed([("../a.bpmn", BPMN)]), 400),
                           ("no zip file", b"x", 400), ("no UTF-8", packed([("a.bpmn", b"\xff")]), 400), ("a bomb", packed([("a.bpmn", b" " * (11 << 20))]), 413),
                           ("a bad model and a good one", packed([("a.bpmn", BPMN.replace('id="approval"', 'id="packed-3"')), ("b.bpmn", "<x/>")]), 400)]:
    answer = server.ask("POST", "/v1/deployments", body, ZIP)
    check("a zip file with " + what, answer.status == status, answer)
# As it came, and back: claim's schemas are files beside it, in no special order.
claim = [{"name": n, "content": open(models + "/tests/scenario/models/inputs/" + n).read()} for n in ("policy.json", "claim.bpmn", "claim.json")]
claim.append({"name": "parameters.json", "content": '{"limit": 3}'})
answer = server.ask("POST", "/v1/deployments", {"name": "back", "resources": claim, "parameters": {"judge": "carl", "limit": 4}})
check("with files beside it", answer.status == 201, answer)
back = answer.body["deploymentId"]
files = server.ask("GET", "/v1/deployments/%s/files" % back).body
check("its files", files["name"] == "back" and {f["name"]: f["content"] for f in files["resources"] if f["name"] != "parameters.json"} ==
      {f["name"]: f["content"] for f in claim[:3]}, files)
check("its parameters", [json.loads(f["content"]) for f in files["resources"] if f["name"] == "parameters.json"] == [{"judge": "carl", "limit": 4}], files)
answer = server.ask("POST", "/v1/deployments", files)
check("deployed again", answer.status == 201 and [d["new"] for d in answer.body["definitions"]] == [False, False], answer)
answer = server.ask("GET", "/v1/deployments/%s/zip" % back)
check("as a zip file", answer.status == 200 and answer.headers["content-type"] == "application/zip" and back in answer.headers["content-disposition"] and
      len(zipfile.ZipFile(io.BytesIO(answer.body)).namelist()) == 4, answer.headers)
answer = server.ask("POST", "/v1/deployments", answer.body, ZIP)
check("which is deployed again", answer.status == 201 and [d["new"] for d in answer.body["definitions"]] == [False, False], answer)
for what in ("files", "zip"):
    check(what + " of nothing", server.ask("GET", "/v1/deployments/01234567-89ab-7def-8123-456789abcdef/" + what).status == 404)
odd = [{"name": "../../etc/x.bpmn", "content": BPMN.replace('id="approval"', 'id="odd"')}]
out = server.ask("POST", "/v1/deployments", {"resources": odd}).body["deploymentId"]
names = zipfile.ZipFile(io.BytesIO(server.ask("GET", "/v1/deployments/%s/zip" % out).body)).namelist()
check("a name that leads out of a folder", names == ["deployment/_../_../etc/x.bpmn"], names)
check("withdrawn", [server.ask("DELETE", "/v1/deployments/%s?await=10s" % d).body["state"] for d in (back, out)] == ["done"] * 2)
check("and still there", server.ask("GET", "/v1/deployments/%s/files" % back).body == files)
check("all or none", sql("select count(*) from definitions where process = 'packed-3'") == "0")
answer = server.ask("POST", "/v1/messages", two, ZIP)
check("a zip file where none is wanted", answer.status == 415, answer)
bad = BPMN.replace("<bpmn:userTask", "<bpmn:callActivity", 1).replace("</bpmn:userTask>", "</bpmn:callActivity>", 1)
answer = server.ask("POST", "/v1/deployments", {"resources": [{"name": "bad.bpmn", "content": bad}]})
check("a bad diagram", answer.status == 400 and answer.body["findings"][0]["file"] == "bad.bpmn"
      and "bad.bpmn:%d: " % (1 + [i for i, l in enumerate(bad.split("\n")) if "<bpmn:callActivity" in l][0]) in answer.body["detail"], answer)
for what, body, headers in [("no boundary", b"", {"Content-Type": "multipart/form-data"}), ("no end", (FORM % ("a", BPMN)).encode()[:-8], form),
                            ("no files", b"--b--\r\n", form), ("nothing", b"", form), ("no name", b"--b\r\n\r\nx\r\n--b--", form),
                            ("no UTF-8", (FORM % ("a", "X")).encode().replace(b"X", b"\xff"), form), ("NUL", (FORM % ("a", "\0")).encode(), form),
                            ("resources", b'{"resources": [1]}', {}), ("none", b'{"resources": []}', {}), ("missing", b"{}", {})]:
    answer = server.ask("POST", "/v1/deployments", body, headers)
    check("deploy: " + what, answer.status == 400, answer)
check("a text", server.ask("POST", "/v1/deployments", b"x", {"Content-Type": "text/plain"}).status == 415)
answer = server.ask("DELETE", "/v1/deployments/%s?reason=oops&cancelInstances=true&await=10s" % second)
check("withdraw", answer.status == 202 and answer.body["state"] == "done", answer)
answer = server.ask("GET", "/v1/processes")
check("processes", [(p["process"], p["version"]) for p in answer.body["items"]] == [("approval", 1), ("at-once", 1), ("packed-one", 2), ("packed-two", 2), ("waits", 1)], answer)
check("one process", server.ask("GET", "/v1/processes/waits").body["latest"] is True)
check("no such process", server.ask("GET", "/v1/processes/nothing").status == 404)

# ---- Instances, tasks, incidents ----

one = server.ask("GET", "/v1/instances/" + instance).body
check("an instance", one["businessKey"] == "h-1" and one["state"] == "running" and one["elements"], one)
check("no such instance", server.ask("GET", "/v1/instances/01234567-89ab-7def-8123-456789abcdef").status == 404)
page, seen = server.ask("GET", "/v1/instances?businessKey=many&limit=40").body, []
while page["items"]:
    seen += [i["instanceId"] for i in page["items"]]
    if page["next"] is None:
        break
    page = server.ask("GET", "/v1/instances?businessKey=many&limit=40&after=" + page["next"]).body
check("pages", len(seen) == len(set(seen)) == len(good), (len(seen), len(good)))
page = server.ask("GET", "/v1/search?q=h-1+department%3Dsales&limit=5")
check("search", [(i["instanceId"], i["matched"]) for i in page.body["items"]] == [(instance, ["business key", "variable department"])], page)
history = server.ask("GET", "/v1/instances/%s/history" % instance).body["items"]
check("history", history[0]["kind"] == "startEvent" and history[-1]["state"] == "active", history)
check("history of nothing", server.ask("GET", "/v1/instances/01234567-89ab-7def-8123-456789abcdef/history").status == 404)
check("variables", server.ask("GET", "/v1/instances/%s/variables" % instance).body["department"] == "sales")
answer = server.ask("POST", "/v1/instances/%s/variables?await=5s" % instance, {"variables": {"more": [1, None, "ü"]}})
check("set variables", answer.status == 202 and answer.body["state"] == "done", answer)
check("they are set", server.ask("GET", "/v1/instances/%s/variables" % instance).body["more"] == [1, None, "ü"])
tasks = server.ask("GET", "/v1/tasks?instance=" + instance).body["items"]
check("one task is what its list says", server.ask("GET", "/v1/tasks/" + tasks[0]["taskId"]).body == tasks[0], tasks)
check("its task", len(tasks) == 1 and tasks[0]["process"] == "approval", tasks)
task = tasks[0]["taskId"]
check("claim for me", server.ask("POST", "/v1/tasks/%s/claim" % task).status == 202)
assignee = server.ask("GET", "/v1/tasks?instance=" + instance).body["items"][0]["assignee"]
check("mine", assignee and [t["taskId"] for t in server.ask("GET", "/v1/tasks?assignee=" + assignee).body["items"]] == [task], assignee)
answer = server.ask("POST", "/v1/tasks/%s/claim" % task, {"assignee": "bert"})
check("not for another", answer.status == 409 and answer.body["code"] == "PW002", answer)
check("release", server.ask("POST", "/v1/tasks/%s/release" % task).status == 202)
check("complete", server.ask("POST", "/v1/tasks/%s/complete?await=5s" % task, {"variables": {"approved": True}}).body["state"] == "done")
answer = server.ask("POST", "/v1/tasks/%s/complete" % task, {})
check("complete again", answer.status == 409, answer)
check("complete nothing", server.ask("POST", "/v1/tasks/01234567-89ab-7def-8123-456789abcdef/complete", {}).status == 404)
answer = server.ask("POST", "/v1/tasks/%s/fail" % task, {})
check("fail without a code", answer.status == 400 and "errorCode" in answer.body["detail"], answer)
subprocess.run([program, "deploy", models + "/processes/basics/retries.bpmn"], check=True, stdout=subprocess.DEVNULL)
broken = server.ask("POST", "/v1/processes/retries/start", {"variables": {"divisor": 4, "second": 0}}).body["instanceId"]
becomes("an incident", "select count(*) from incidents where instance_id = '%s'" % broken, "1", 20)
incident = server.ask("GET", "/v1/incidents?instance=" + broken).body["items"][0]
check("the incident", incident["process"] == "retries" and incident["reason"] == "failedJob", incident)
answer = server.ask("POST", "/v1/incidents/%s/retry?await=10s" % incident["incidentId"], {"variables": {"divisor": 4, "second": 2}, "reason": "mended"})
check("retry", answer.status == 202 and answer.body["state"] == "done", answer)
check("retry again", server.ask("POST", "/v1/incidents/%s/retry" % incident["incidentId"]).status == 404)
stays = server.ask("POST", "/v1/processes/waits/start", {"businessKey": "stays"}).body["instanceId"]
for act in ("suspend", "resume", "cancel"):
    answer = server.ask("POST", "/v1/instances/%s/%s?await=5s" % (stays, act), {"reason": "test"})
    check(act, answer.status == 202 and answer.body["state"] == "done", answer)
check("it has ended", server.ask("GET", "/v1/instances/" + stays).body["state"] == "cancelled")
check("cancel again", server.ask("POST", "/v1/instances/%s/cancel" % stays).status == 409)
check("ended ones", [i["instanceId"] for i in server.ask("GET", "/v1/instances?state=cancelled&process=waits").body["items"]] == [stays])
waits = server.ask("POST", "/v1/processes/waits/start?await=100ms", {"businessKey": "c"}).body["instanceId"]
answer = server.ask("POST", "/v1/messages/correlate?await=5s", {"message": "go", "key": "c"})
check("correlate", answer.status == 202 and answer.body["state"] == "done", answer)
answer = server.ask("POST", "/v1/messages/correlate?await=5s", {"message": "go", "key": "c"})
check("nobody waits any more", answer.body["state"] == "refused" and answer.body["detail"]["reason"], answer)
check("correlate to nobody", server.ask("POST", "/v1/messages/correlate", {"message": "go"}).status == 400)
sql("select set_endpoint('stub', 'http://127.0.0.1:1')")
check("endpoints", [e["baseUrl"] for e in server.ask("GET", "/v1/endpoints").body["items"] if e["name"] == "stub"] == ["http://127.0.0.1:1"])

# ---- Events ----

check("a bus", server.ask("PUT", "/v1/buses/orders", {"description": "what is sold"}).body == {"bus": "orders"})
check("buses", [b["name"] for b in server.ask("GET", "/v1/buses").body["items"]] == ["alerts", "default", "orders"])
check("no name for a bus", server.ask("PUT", "/v1/buses/a%20b", {}).status == 400)
rule = {"pattern": {"source": ["shop"], "detail": {"sum": [{"numeric": [">", 5]}]}}, "targets": [{"id": "go", "startProcess": {"process": "waits", "businessKey": "ev-<$.detail.n>"}}]}
answer = server.ask("PUT", "/v1/rules/big?bus=orders&await=10s", dict(rule, description="the big ones"))
check("a rule", answer.status == 202 and answer.body["state"] == "done", answer)
answer = server.ask("PUT", "/v1/rules/bad?await=10s", dict(rule, pattern={"a": [{"EXISTS": True}]}))
check("a bad pattern", answer.body["state"] == "refused" and "EXISTS" in answer.body["detail"]["reason"], answer)
check("no such bus", server.ask("PUT", "/v1/rules/big?bus=nothing", rule).status == 404)
rules = server.ask("GET", "/v1/rules?bus=orders").body["items"]
check("rules", [r["name"] for r in rules] == ["big"] and rules[0]["pattern"] == rule["pattern"] and rules[0]["enabled"] is True, rules)
# One after the other: ids of the same millisecond have no order.
small, big = [server.ask("POST", "/v1/events", {"events": [{"bus": "orders", "source": "shop", "detailType": "paid", "detail": {"n": n, "sum": n}},
                                                           {"source": "shop"}]}) for n in (4, 7)]
check("put", all(a.status == 202 and a.body["refused"] == 1 and "DetailType" in a.body["events"][1]["message"] for a in (small, big)), (small, big))
small, big = small.body["events"][0]["eventId"], big.body["events"][0]["eventId"]
check("put none", server.ask("POST", "/v1/events", {"events": [{"source": "shop"}]}).status == 400)
check("no events", [server.ask("POST", "/v1/events", b).status for b in ({}, {"events": []}, {"events": [1]}, {"events": {}})] == [400] * 4)
becomes("delivered", "select string_agg(state, ' ' order by event_id) from bus_events where source = 'shop'", "unmatched matched")
check("started by it", len(server.ask("GET", "/v1/instances?businessKey=ev-7").body["items"]) == 1)
check("unmatched", [e["eventId"] for e in server.ask("GET", "/v1/events?state=unmatched&bus=orders").body["items"]] == [small])
page = server.ask("GET", "/v1/events?source=shop&detailType=paid&limit=1").body
check("the newest first", page["items"][0]["eventId"] == big == page["next"] and page["items"][0]["detail"] == {"n": 7, "sum": 7}, page)
check("one event is what its list says", server.ask("GET", "/v1/events/" + big).body == page["items"][0], page)
check("and then", [e["eventId"] for e in server.ask("GET", "/v1/events?source=shop&limit=1&after=" + big).body["items"]] == [small])
done = server.ask("GET", "/v1/event-deliveries?rule=big&limit=1").body["items"]
check("deliveries", [(d["eventId"], d["target"], d["state"], d["tries"]) for d in done] == [(big, "go", "done", 1)], done)
check("none failed", server.ask("GET", "/v1/event-deliveries?state=failed&event=" + big).body == {"items": [], "next": None})
answer = server.ask("POST", "/v1/events/replay", {"state": "unmatched", "bus": "orders", "dryRun": True})
check("dry replay", answer.body == {"matching": 1, "replayed": 0}, answer)
check("replay", server.ask("POST", "/v1/events/replay", {"state": "all", "ids": [big]}).body == {"matching": 1, "replayed": 1})
becomes("once more", "select tries from event_deliveries where rule = 'big'", "2")
check("replay what", server.ask("POST", "/v1/events/replay", {"state": "some"}).status == 400)
event = {"source": "shop", "detail": {"sum": 5.01}}
check("matches", server.ask("POST", "/v1/events/test", {"pattern": rule["pattern"], "event": event}).body == {"matches": True})
event["detail"]["sum"] = 5
check("differs", server.ask("POST", "/v1/events/test", {"pattern": rule["pattern"], "event": event}).body == {"matches": False})
answer = server.ask("POST", "/v1/events/test", {"pattern": {"a": "b"}, "event": event})
check("no pattern", answer.status == 400 and answer.body["detail"].startswith("Event pattern is not valid."), answer)
check("a bus with rules stays", server.ask("DELETE", "/v1/buses/orders").status == 409)
check("drop the rule", server.ask("DELETE", "/v1/rules/big?bus=orders&await=10s").body["state"] == "done")
check("drop it again", server.ask("DELETE", "/v1/rules/big?bus=orders&await=10s").body["state"] == "refused")
check("drop the bus", server.ask("DELETE", "/v1/buses/orders").body == {"bus": "orders"})

# ---- The connection is lost in the middle of it ----

DESK = "from pg_stat_activity where application_name = 'pawl desk, writes'"
for n in range(5):  # on a busy machine its patience with the lock may be over first
    holder, asked, key = Session(), [], {"requestKey": "lost-%d" % n}
    holder.say("begin; select start('approval', request_key => '%s')" % key["requestKey"])
    other = threading.Thread(target=lambda: asked.append(Server(address).ask("POST", "/v1/processes/approval/start", key)))
    other.start()
    holder.say("""do $$ begin for i in 1 .. 4000 loop
        exit when exists (select pg_terminate_backend(pid) %s and wait_event_type = 'Lock');
        perform pg_sleep(0.005), pg_stat_clear_snapshot();
    end loop; end $$; rollback""" % DESK)
    other.join()
    holder.end()
    if asked[0].status == 201:
        break
    check("or it is told so", asked[0].status == 503, asked)
check("lost before its commit, it is carried out again", asked[0].status == 201, asked)

# It is lost in its commit, which hangs for that.
sql("""create function hang() returns trigger language plpgsql as
           $$ begin if current_setting('application_name') = 'pawl desk, writes' then perform pg_sleep(60); end if; return null; end $$;
       create constraint trigger hang after insert on inbox deferrable initially deferred for each row execute function hang()""")
asked = []
other = threading.Thread(target=lambda: asked.append(
    Server(address).ask("POST", "/v1/processes/approval/start", {"requestKey": "doubt"}, timeout=60)))
other.start()
becomes("it commits", "select count(*) %s and query like 'commit%%' and wait_event = 'PgSleep'" % DESK, "1")
sql("select pg_terminate_backend(pid) " + DESK)
other.join()
sql("drop trigger hang on inbox; drop function hang()")
answer = asked[0]
check("in doubt", answer.status == 503 and answer.body["code"] == "08007" and "retry-after" not in answer.headers, answer)
for _ in range(600): # the desk connects again
    answer = server.ask("POST", "/v1/processes/approval/start", {"requestKey": "doubt"})
    if answer.status != 503:
        break
    time.sleep(0.1)
check("repeated with its key", answer.status == 201, answer)

# ---- What is refused ----

deep = b'{"variables": ' + b'{"a":' * 200 + b"1" + b"}" * 201
for what, body, headers, status in [
        ("no JSON", b"{", {}, 400), ("not an object", b"[]", {}, 400), ("a text", b'"a"', {}, 400), ("twice", b'{"businessKey":"a","businessKey":"b"}', {}, 400),
        ("not UTF-8", b'{"businessKey":"\xff"}', {}, 400), ("too deep", deep, {}, 400), ("a NUL", b'{"businessKey":"\\u0000"}', {}, 400),
        ("a wrong type", b'{"businessKey":1}', {}, 400), ("an unknown member", b'{"busnessKey":"a"}', {}, 400),
        ("too much", b" " * (6 << 20), {}, 413), ("a form", b"businessKey=a", {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ("no type", b"{}", {"Content-Type": ""}, 415), ("Latin-1", b"{}", {"Content-Type": "application/json; charset=latin1"}, 415),
        ("behind it", b"{} {}", {}, 400), ("a huge number", b'{"variables":{"a":1e999999}}', {}, 400), ("version", b'{"version":1.5}', {}, 400)]:
    before = sql("select count(*) from instances")
    try:
        answer = server.ask("POST", "/v1/processes/approval/start", body, headers)
        check("start with %s" % what, answer.status == status, answer)
    except OSError as error:
        check("start with %s" % what, status == 413, error) # closed before all was sent
    check("nothing came of %s" % what, sql("select count(*) from instances") == before)
for path, method, status in [("/v1/processes/approval/start?x=1", "POST", 400), ("/v1/processes/approval/start", "GET", 405),
                             ("/v1/processes/%FF/start", "POST", 400), ("/v1/processes//start", "POST", 404), ("/v1/nothing", "GET", 404),
                             ("/v1/processes/approval/start/", "POST", 404)]:
    answer = server.ask(method, path)
    check("%s %s" % (method, path), answer.status == status and "json" in answer.headers["content-type"], answer)
check("Allow", server.ask("GET", "/v1/messages/correlate").headers.get("allow") == "POST")
end()
