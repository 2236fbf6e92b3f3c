# SPDX-License-Identifier: Apache-2.0
"""Every operation of /openapi.json with what it does not take: the right 4xx, and nothing changes.

  python3 hostile.py ADDRESS PROGRAM MODELS"""
import json
import re
import socket
import sys
import time
from urllib.parse import quote

from client import Server, check, end, sql

address, program, models = sys.argv[1:]
server = Server(address)
api = server.ask("GET", "/openapi.json").body
ID = "01234567-89ab-7def-8123-456789abcdef"
STATE = """select md5(string_agg(t::text, '' order by t::text)) from (
    select 'n', key, version, id::text from definition union all select 'i', variables, 0, id::text from instance
    union all select 'b', kind::text, 0, coalesce(command_id, instance_id)::text from inbox
    union all select 'm', name, 0, message_id::text from message union all select 't', assignee, 0, id::text from task
    union all select 'o', state, 0, command_id::text from outcome union all select 'd', state, 0, id::text from deployment) t"""
SAMPLES = {"string": "x", "integer": 1, "number": 1.5, "boolean": True, "object": {}, "array": []}
WRONG = {"string": 7, "integer": "x", "number": "x", "boolean": "x", "object": [], "array": {}}


def fill(path, value):
    out, rest = "", path
    while "{" in rest:
        head, _, rest = rest.partition("{")
        out += head + value
        rest = rest.partition("}")[2]
    return out + rest


def good(schema):
    """The least that the schema takes."""
    return {name: ID if p.get("format") == "uuid" else p["enum"][0] if "enum" in p else SAMPLES[p.get("type", "string")]
            for name, p in schema.get("properties", {}).items() if name in schema.get("required", [])}


def judge(what, answer, statuses):
    check(what, answer.status in statuses, answer)
    kind = answer.headers.get("content-type", "")
    check(what + ": says why", answer.status < 400 or (len(answer.body) > 0 and ("json" in kind or kind.startswith("text/plain"))), answer)


operations = choices = 0
before = sql(STATE)
for path, methods in sorted(api["paths"].items()):
    for method, operation in sorted(methods.items()):
        operations += 1
        method, what = method.upper(), "%s %s" % (method.upper(), path)
        pawl, own = operation["tags"] == ["pawl"], operation["tags"] == ["other"]
        content = operation.get("requestBody", {}).get("content", {})
        here = fill(path, ID)
        # Methods, and paths that are nearly one.
        other = next(m for m in ("PATCH", "DELETE", "PUT", "POST") if m.lower() not in methods)
        answer = server.ask(other, here)
        check(what + " as " + other, answer.status == 405 and method in answer.headers["allow"], answer)
        for odd in ("%FF", "%C0%AF", "a%2Fb", "%22%7D", "'", "x" * 3000, "%F0%9F%98%80", "..%2F.."):
            if "{" in path and not own:
                answer = server.ask(method, fill(path, odd), {} if content else None)
                # A tenant that nobody uses has no definitions.
                fine = (200,) if method == "GET" and path.startswith("/sedo/") else ()
                judge(what + " with " + odd[:20], answer, (400, 404, 409, 415) + fine)
        # The query.
        for p in operation["parameters"]:
            if p["in"] == "query" and p["schema"].get("type") != "string" or "pattern" in p["schema"] or p["schema"].get("format"):
                for wrong in ("x", "-1", "", "1.5", "9" * 30, "%00"):
                    if p["in"] == "query":
                        answer = server.ask(method, "%s?%s=%s" % (here, p["name"], wrong), {} if content else None)
                        judge("%s?%s=%s" % (what, p["name"], wrong[:9]), answer, (400,))
            if "enum" in p["schema"]:
                answer = server.ask(method, "%s?%s=bogus" % (here, p["name"]))
                judge("%s?%s=bogus" % (what, p["name"]), answer, (400,))
                check("%s?%s: there are" % (what, p["name"]), all(value in answer.body["detail"] for value in p["schema"]["enum"]), answer)
                for value in p["schema"]["enum"]:
                    choices += 1
                    judge("%s?%s=%s" % (what, p["name"], value), server.ask(method, "%s?%s=%s" % (here, p["name"], quote(value))), (200,))
        if pawl and not own:
            judge(what + "?nonsense", server.ask(method, here + "?nonsense=1", {} if content else None), (400,))
            judge(what + " twice", server.ask(method, here + "?a=1&a=2", {} if content else None), (400,))
        if not own:
            judge(what + "?%FF", server.ask(method, here + "?a=%FF", {} if content else None), (400,))
        # The body.
        if not content:
            judge(what + " with a body", server.ask(method, here, {}), (413,))
            continue
        schema = content.get("application/json", {}).get("schema")
        if schema is None:
            for body in (b"", b"x", b"\xff\xfe", b"--b--\r\n"):
                judge(what + " with %r" % body, server.ask(method, here, body, {"Content-Type": "multipart/form-data; boundary=b"}), (400, 404, 415))
            continue
        least = good(schema)
        bodies = [("no JSON", b"{", 400), ("half", b'{"a', 400), ("not UTF-8", b'{"a": "\xff"}', 400), ("surrogate", b'{"a": "\\ud800"}', 400),
                  ("NUL", b'{"a": "\\u0000"}', 400), ("deep", b'{"a":' * 5000 + b"1" + b"}" * 5000, 400), ("brackets", b"[" * 100000, 400), ("an array", b"[]", 400),
                  ("a number", b"1", 400), ("twice", b'{"a":1,"a":2}', 400), ("comments", b"{} // a", 400), ("NaN", b'{"a": NaN}', 400)]
        if pawl:
            bodies.append(("unknown", json.dumps(dict(least, nonsense=1)).encode(), 400))
        typed = {name: p for name, p in schema.get("properties", {}).items() if p} # others may be anything
        for name in schema.get("required", []):
            bodies.append(("without " + name, json.dumps({k: v for k, v in least.items() if k != name}).encode(), 400))
            if name in typed:
                bodies.append(("null " + name, json.dumps(dict(least, **{name: None})).encode(), 400))
        for name, p in typed.items():
            bodies.append(("wrong " + name, json.dumps(dict(least, **{name: "bogus" if "enum" in p else WRONG[p.get("type", "string")]})).encode(), 400))
        for name, body, status in bodies:
            judge("%s: %s" % (what, name), server.ask(method, here, body), (status,) if pawl and not path.startswith("/callbacks/") else (status, 404))
        for kind in ("text/plain", "application/x-www-form-urlencoded", "application/json; charset=utf-16", "nonsense"):
            judge("%s as %s" % (what, kind), server.ask(method, here, b"{}", {"Content-Type": kind}), (415,))
        # What is right but for the id leads nowhere.
        if "{id}" in path and pawl:
            judge(what + " of nothing", server.ask(method, here, least), (404, 400, 409))
check("nothing has changed", sql(STATE) == before)
check("operations", operations >= 120, operations)
check("values of closed sets", choices > 100, choices)

# Too much, once for each kind of body: a refused request is not read to its end.
for path, size in (("/v1/messages", 6 << 20), ("/v1/deployments", 33 << 20)):
    for extra in ({}, {"Expect": "100-continue"}):
        answer = Server(address).ask("POST", path, None, dict({"Content-Type": "application/json", "Content-Length": str(size)}, **extra))
        check("%s with %d bytes" % (path, size), answer.status == 413 and answer.headers["connection"].lower() == "close", answer)


def body_bytes():
    return float(re.search(r"^pawl_http_body_bytes (\S+)$", server.ask("GET", "/metrics").body.decode(), re.M).group(1))


# Many large ones at a time: memory is bounded, and what is small gets through.
host, port = address.rsplit(":", 1)
held = []
for size in 8 * [32000000] + [12300000]:
    held.append(socket.create_connection((host, int(port)), timeout=10))
    held[-1].sendall(b"POST /v1/deployments HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % (size + 1))
    held[-1].sendall(b" " * size)
until = time.monotonic() + 25  # then they are ended
while body_bytes() < 268e6 and time.monotonic() < until:  # all that was sent has come
    time.sleep(0.1)
large, small = {"message": "x", "variables": {x: x * 900000 for x in "abc"}}, {"message": "x"}
announced = {"Content-Type": "application/json", "Content-Length": "3000000"}
answer = Server(address).ask("POST", "/v1/messages", None, announced)
check("a large one among others", answer.status == 503 and answer.headers.get("retry-after") == "1", answer)
check("a small one", server.ask("POST", "/v1/messages", small).status == 202)
for one in held:
    one.close()
until = time.monotonic() + 120
while body_bytes() > 0 and time.monotonic() < until:
    time.sleep(0.1)
answer = Server(address).ask("POST", "/v1/messages", large)
check("afterwards", answer.status == 202, answer)
check("it lives", server.ask("GET", "/livez").status == 200)
end()
