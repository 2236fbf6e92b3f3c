# SPDX-License-Identifier: Apache-2.0
"""Pawl's own operations: python3 native.py ADDRESS PROGRAM MODELS"""
import subprocess
import sys
import threading
import time

from client import Server, check, end, sql

address, program, models = sys.argv[1:]
server = Server(address)
subprocess.run([program, "deploy", models + "/processes/basics/approval.bpmn"], check=True, stdout=subprocess.DEVNULL)


def becomes(what, query, wanted, seconds=10):
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        got = sql(query)
        if got == wanted:
            break
        time.sleep(0.05)
    check(what, got == wanted, got)


# ---- Start ----

answer = server.ask("POST", "/v1/processes/approval/start", {"businessKey": "h-1", "variables": {"department": "sales", "n": 12345678901234567890}})
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
check("Allow", server.ask("GET", "/v1/messages").headers.get("allow") == "POST")
end()
