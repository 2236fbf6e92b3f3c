# SPDX-License-Identifier: Apache-2.0
"""Webhooks and CloudEvents. incoming.py ADDRESS BEARER WORK-FOLDER"""
import base64
import hashlib
import hmac
import json
import os
import subprocess
import sys
import time

from common import ask, becomes, check, end, sql, token

ADDRESS, BEARER, WORK = sys.argv[1:]
ONE, TWO = b"0123456789abcdef0123456789abcdef", b"another-secret-of-at-least-24-bytes"
with open(WORK + "/one", "w") as file:
    file.write("whsec_" + base64.b64encode(ONE).decode() + "\n")
with open(WORK + "/two", "wb") as file:
    file.write(TWO)


def send(name, body, key=ONE, id="m", at=None, path=None, **extra):
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    at = str(int(at if at is not None else time.time()))
    signature = base64.b64encode(hmac.new(key, b"%s.%s.%s" % (id.encode(), at.encode(), raw), hashlib.sha256).digest()).decode()
    headers = {"webhook-id": id, "webhook-timestamp": at, "webhook-signature": "v1a,xyz v1," + signature, "Content-Type": "application/json"}
    return ask(ADDRESS, path or "/webhooks/" + name, raw, {**headers, **extra})


def refused(what, answer, status, words=""):
    check(what, answer[0] == status and words in str(answer[2]), answer)


# ---- Standard Webhooks ----

sql("""select set_webhook('shop', '{"secret": ["file:%s/one", "file:%s/two"], "event": {"source": "partner", "type": "$.body.type"}}')""" % (WORK, WORK))
answer = send("shop", {"type": "paid", "n": 1})
check("an event", answer[0] == 200 and "eventId" in answer[2], answer)
check("it is on the bus", sql("select detail_type, detail from bus_events where source = 'partner'") == 'paid|{"n": 1, "type": "paid"}')
answer = send("shop", {"type": "paid", "n": 1})
check("it comes in once", answer[0] == 200 and answer[2] == {"duplicate": True}, answer)
check("the secret that comes", send("shop", {"type": "b"}, key=TWO, id="m2")[0] == 200)
refused("another secret", send("shop", {"type": "c"}, key=b"x" * 32, id="m3"), 401, "does not hold")
refused("too old", send("shop", {"type": "c"}, id="m3", at=time.time() - 301), 401, "too old")
refused("from the future", send("shop", {"type": "c"}, id="m3", at=time.time() + 400), 401)
refused("another body", ask(ADDRESS, "/webhooks/shop", b"{}", {"webhook-id": "m3", "webhook-timestamp": str(int(time.time())), "webhook-signature": "v1,AAAA"}), 401)
refused("not signed", ask(ADDRESS, "/webhooks/shop", b"{}", {}), 401, "missing")
becomes("what does not hold is in the audit trail", "select count(*) > 0 from audit where (kind, actor) = ('loginRefused', 'webhook:shop')", "t")
refused("no JSON", send("shop", b"{", id="m3"), 400, "not JSON")
refused("no UTF-8", send("shop", b'{"type": "\xff"}', id="m3"), 400, "UTF-8")
refused("without a type", send("shop", {"n": 1}, id="m3"), 400, "no type at $.body.type")
check("what was refused has not come in", send("shop", {"type": "c"}, id="m3")[2].get("duplicate") is None)
check("two events of three ids", sql("select count(*) from bus_events where source = 'partner'") == "3")
refused("nobody's", send("nobody", {}), 404)
refused("a long id", send("shop", {"type": "d"}, id="m" * 256), 400)
refused("another method", ask(ADDRESS, "/webhooks/shop", None, {}, method="GET"), 405)
answer = subprocess.run([os.environ["PAWL"], "webhook", "set", "typed", "--option", "secret=file:%s/two" % WORK, "--option", "event.type=$.body.type",
                         "--option", "tolerance=PT1M"], capture_output=True, text=True)
check("set by the command line", answer.returncode == 0 and answer.stdout == "typed\n", answer)
check("it counts", send("typed", {"type": "x"}, key=TWO)[0] == 200)
check("its tolerance, too", send("typed", {"type": "x"}, key=TWO, id="m9", at=time.time() - 61)[0] == 401)
listed = subprocess.run([os.environ["PAWL"], "webhook", "list"], capture_output=True, text=True).stdout
check("listed", any(line.split()[:5] == ["typed", "standard", "event", "enabled", "1"] for line in listed.splitlines()), listed)
subprocess.run([os.environ["PAWL"], "webhook", "drop", "typed"], stdout=subprocess.DEVNULL, check=True)
refused("dropped", send("typed", {"type": "x"}, key=TWO), 404)
sql("""select set_webhook('lost', '{"secret": "file:%s/none", "event": {}}')""" % WORK)
refused("its secret cannot be read", send("lost", {}), 500, "secret cannot be read")

# ---- Another way to sign ----

sql("""select set_webhook('github', '{"scheme": "hmac", "secret": "file:%s/two", "signature": {"header": "X-Hub-Signature-256", "prefix": "sha256="},
    "id": "X-GitHub-Delivery", "event": {"source": "github", "type": "$.headers.X-GitHub-Event"}}')""" % WORK)
raw = b'{"ref": "main"}'
signed = {"X-Hub-Signature-256": "sha256=" + hmac.new(TWO, raw, hashlib.sha256).hexdigest(), "X-GitHub-Event": "push", "X-GitHub-Delivery": "d1"}
check("hmac", ask(ADDRESS, "/webhooks/github", raw, signed)[0] == 200)
check("hmac, once", ask(ADDRESS, "/webhooks/github", raw, signed)[2] == {"duplicate": True})
refused("hmac, another body", ask(ADDRESS, "/webhooks/github", raw + b" ", signed), 401)
check("its type is in a header", sql("select detail_type from bus_events where source = 'github'") == "push")

# ---- A user sends it; what else it may become ----

sql("""select set_webhook('pay', '{"scheme": "none", "message": {"name": "paid", "key": "$.body.order"}}');
    select set_webhook('begin', '{"scheme": "none", "start": {"process": "order", "businessKey": "$.body.order", "variable": "given"}}');
    select set_webhook('answer', '{"scheme": "none", "callback": {"token": "$.body.meta.token", "output": "$.body.result", "error": "$.body.error.code", "cause": "$.body.error.text"}}')""")
known = {"Authorization": "Bearer " + BEARER, "Content-Type": "application/json"}


def post(name, body):
    return ask(ADDRESS, "/webhooks/" + name, json.dumps(body).encode(), known)


refused("nobody sends it", ask(ADDRESS, "/webhooks/begin", b"{}", {}), 401)
refused("an unknown user", ask(ADDRESS, "/webhooks/begin", b"{}", {"Authorization": "Bearer nobody"}), 401)
check("an instance", "instanceId" in post("begin", {"order": "w-1"})[2])
becomes("it waits for its message", "select array_agg(distinct element_id) from tokens where business_key = 'w-1'", "{payment}")
check("a message", "messageId" in post("pay", {"order": "w-1", "sum": 5})[2])
becomes("it goes on", "select element_id from tasks where business_key = 'w-1'", "shipped")
held = token("w-2")
check("an answer", "callbackId" in post("answer", {"meta": {"token": held}, "result": {"pages": 3}})[2])
becomes("the output", "select value from variables where business_key = 'w-2' and name = 'answer'", '{"pages": 3}')
held = token("w-3")
check("a failure", "callbackId" in post("answer", {"meta": {"token": held}, "error": {"code": "CardDeclined", "text": "no"}})[2])
becomes("is caught", "select element_id from tasks where business_key = 'w-3'", "failed")
refused("a late answer", post("answer", {"meta": {"token": held}, "result": 1}), 409)
refused("a forged token", post("answer", {"meta": {"token": "pawl_x"}, "result": 1}), 404)

# ---- CloudEvents ----

event = {"specversion": "1.0", "id": "c1", "source": "/cloud", "type": "order.paid", "subject": "A-1", "data": {"n": 1.10}}
auth = {"Authorization": "Bearer " + BEARER}


def put(body, kind, bus="default", **headers):
    return ask(ADDRESS, "/events/" + bus, body, {**auth, "Content-Type": kind, **headers})


answer = put(json.dumps(event).encode(), "application/cloudevents+json; charset=utf-8")
check("structured", answer[0] == 202 and answer[2]["refused"] == 0 and "eventId" in answer[2]["events"][0], answer)
answer = put(json.dumps([event, {**event, "id": "c2", "time": "never"}]).encode(), "application/cloudevents-batch+json")
check("a batch", answer[0] == 202 and answer[2]["refused"] == 1 and answer[2]["events"][0]["duplicate"] is True, answer)
binary = {"ce-specversion": "1.0", "ce-id": "c3", "ce-source": "/cloud", "ce-type": "Gr%C3%BC%C3%9Fe"}
check("binary", put(b'{"n": 123456789012345678901}', "application/json", **binary)[0] == 202)
check("binary, a text", put("grün".encode(), "text/plain", **{**binary, "ce-id": "c4"})[0] == 202)
check("binary, data beside the data", put(b"{}", "application/json", **{**binary, "ce-data": "x"})[0] == 400)
check("binary, bytes", put(b"\x00\xff", "application/octet-stream", **{**binary, "ce-id": "c5"})[0] == 202)
check("what they became", sql("select string_agg(detail_type || ' ' || detail, E'\\n' order by detail::text collate \"C\") from bus_events where source = '/cloud'").split("\n")
      == ['Grüße {"data": "grün"}', 'Grüße {"data_base64": "AP8="}', 'order.paid {"n": 1.1}', 'Grüße {"n": 123456789012345678901}'])
refused("nobody's", ask(ADDRESS, "/events/default", json.dumps(event).encode(), {"Content-Type": "application/cloudevents+json"}), 401)
refused("no CloudEvent", put(b"{}", "application/json"), 415)
refused("without a type", put(b'{"specversion": "1.0", "id": "1", "source": "s"}', "application/cloudevents+json"), 400, "needs a type")
refused("no JSON", put(b"{", "application/cloudevents+json"), 400, "not JSON")
refused("nothing", put(b"", "application/cloudevents+json"), 400)
refused("an unknown bus", put(json.dumps(event).encode(), "application/cloudevents+json", bus="nope"), 404)
refused("all refused", put(json.dumps({**event, "id": "c9", "time": "never"}).encode(), "application/cloudevents+json"), 400)
end()
