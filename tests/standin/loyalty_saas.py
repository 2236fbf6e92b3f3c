#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the vendor of a loyalty program, on loopback. POST /sale, /return, /vouchers, /reward take an event as the
order process puts it, are answered with 202, and an event on Pawl's bus says later what came of it: `submitted`, or `error`,
with the task token in loyalty_request_id. Rewards are answered as CloudEvents, all else by AWS's PutEvents, signed.

Its data decide what happens: a voucher whose code begins with "spent" and a member "nobody…" are errors, a reward "yeti" is
out of stock, a voucher "silent…" is never heard of again, one "twice…" is answered twice. An Idempotency-Key that it has seen
is not carried out again.

    loyalty_saas.py --port-file FILE --pawl URL [--quota N]    AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY, PAWL_TOKEN

    GET /account                  what it was asked, and what it has done
    POST /control {"down": true, "quota": 5}   503 for all; so many requests a second, then 429 with Retry-After

Python's standard library only. Ends when the process that started it ends.
"""
import argparse
import collections
import datetime
import hashlib
import hmac
import http.server
import json
import os
import queue
import threading
import time
import urllib.error
import urllib.request
import uuid

MEDIATOR = "service-loyalty-vendor-mediator"
lock = threading.Lock()
state = {"down": False, "quota": 0}
account = {"requests": 0, "down": 0, "quota": 0, "again": 0, "answers": 0, "refused": 0, "fastest": 0,
           "points": collections.Counter(), "vouchers": collections.Counter(), "rewards": collections.Counter()}
seen, recent, answers = set(), collections.deque(), queue.Queue()


# ---- What it does with an event ----

def carry_out(detail):
    """None, or an error and its cause."""
    kind, data = detail["metadata"]["type"], detail["data"]
    if kind == "voucher":
        code = data["vouchers"][0]["voucher_code"]
        if code.startswith("spent"):
            return "VOUCHER_SPENT", "The voucher %s has been redeemed before." % code
        account["vouchers"][code] += 1
    elif kind == "reward":
        if data["reward"] == "yeti":
            return "OUT_OF_STOCK", "There is no yeti left."
        account["rewards"][data["reward"]] += 1
    elif data["loyalty_reference"].startswith("nobody"):
        return "UNKNOWN_MEMBER", "There is no member %s." % data["loyalty_reference"]
    else:
        account["points"][data["loyalty_reference"]] += data["points"] * (1 if kind == "sale" else -1)
    return None


def answer_of(detail, fault):
    data = dict(detail["data"])
    if fault:
        data["error"], data["cause"] = fault
    return {"metadata": dict(detail["metadata"], service=MEDIATOR, status="error" if fault else "submitted"), "data": data}


# ---- What it says ----

def signed(host, body, headers):
    # By itself on purpose, as each stand-in and tests/aws/signer.py: a slip that they shared would be seen nowhere.
    at = datetime.datetime.now(datetime.timezone.utc)
    moment, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    headers = dict(headers, **{"Host": host, "X-Amz-Date": moment})
    names = sorted(headers, key=str.lower)
    canonical = "\n".join(["POST", "/aws/events", ""] + ["%s:%s" % (n.lower(), headers[n]) for n in names]
                          + ["", ";".join(names).lower(), hashlib.sha256(body).hexdigest()])
    scope = "%s/eu-central-1/events/aws4_request" % day
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in scope.split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    text = "\n".join(["AWS4-HMAC-SHA256", moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    headers["Authorization"] = "AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s" % (
        os.environ["AWS_ACCESS_KEY_ID"], scope, ";".join(names).lower(), hmac.new(key, text.encode(), hashlib.sha256).hexdigest())
    return headers


def put(pawl, detail, key):
    if detail["metadata"]["type"] == "reward":
        path, headers = "/events/loyalty", {"Content-Type": "application/cloudevents+json",
                                            "Authorization": "Bearer " + os.environ["PAWL_TOKEN"]}
        body = json.dumps({"specversion": "1.0", "id": key, "source": MEDIATOR, "type": "event", "data": detail}).encode()
    else:
        body = json.dumps({"Entries": [{"Source": MEDIATOR, "DetailType": "event", "EventBusName": "loyalty",
                                        "Detail": json.dumps(detail)}]}).encode()
        path, headers = "/aws/events", signed(pawl.partition("//")[2], body, {"X-Amz-Target": "AWSEvents.PutEvents",
                                                                              "Content-Type": "application/x-amz-json-1.1"})
    with urllib.request.urlopen(urllib.request.Request(pawl + path, body, headers), timeout=10) as response:
        said = json.load(response)
        return not (isinstance(said, dict) and said.get("FailedEntryCount"))


def answer_all(pawl):
    while True:
        detail, key = answers.get()
        for _ in range(100):
            try:
                taken = put(pawl, detail, key)
                break
            except urllib.error.HTTPError as error:
                if error.code < 500:
                    taken = False
                    break
            except OSError:
                pass
            time.sleep(0.2)
        else:
            taken = False
        with lock:
            account["answers" if taken else "refused"] += 1


class Vendor(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, status, thing=None, *headers):
        body = b"" if thing is None else json.dumps(thing).encode()
        self.send_response(status)
        for name, value in (("Content-Type", "application/json"), ("Content-Length", str(len(body)))) + headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with lock:
            self.say(200, account)

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        with lock:
            if self.path == "/control":
                state.update(body)
                return self.say(200, state)
            account["requests"] += 1
            if state["down"]:
                account["down"] += 1
                return self.say(503, {"message": "maintenance"})
            now = time.monotonic()
            while recent and recent[0] < now - 1:
                recent.popleft()
            if state["quota"] and len(recent) >= state["quota"]:
                account["quota"] += 1
                return self.say(429, {"message": "quota"}, ("Retry-After", "1"))
            recent.append(now)
            account["fastest"] = max(account["fastest"], len(recent))
            detail, key = body["detail"], self.headers.get("Idempotency-Key") or str(uuid.uuid4())
            if self.path not in ("/sale", "/return", "/vouchers", "/reward"):
                return self.say(404, {"message": "no such path"})
            if key in seen:
                account["again"] += 1
                return self.say(202)
            seen.add(key)
            said = answer_of(detail, carry_out(detail))
        self.say(202)
        code = detail["data"].get("vouchers", [{}])[0].get("voucher_code", "")
        for n in range(0 if code.startswith("silent") else 2 if code.startswith("twice") else 1):
            answers.put((said, "%s-%d" % (key, n)))

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--pawl", required=True)
    parser.add_argument("--quota", type=int, default=0)
    options = parser.parse_args()
    state["quota"] = options.quota
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Vendor)
    server.daemon_threads = True
    with open(options.port_file + ".new", "w") as file:
        file.write(str(server.server_port))
    os.rename(options.port_file + ".new", options.port_file)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for _ in range(4):
        threading.Thread(target=answer_all, args=(options.pawl,), daemon=True).start()
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.2)


main()
