#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for AWS Lambda, on loopback: POST /2015-03-31/functions/NAME/invocations, signed by AWS Signature
Version 4 and checked. The function resizes an "image" of its event, in the manner that its name says:

    resize          answers 202, works for a moment, calls back
    resize-at-once  calls back before it has answered the invocation
    resize-twice    calls back, and once more with the same answer
    resize-fails    raises an exception, which the client reports as a failure
    resize-dies     answers 202 and is killed: nobody calls back

The same function serves whoever waits for its answer: without a "callback" in its event, or invoked as
RequestResponse, it returns the result. An invocation whose Idempotency-Key it has seen does no work again.

    aws_lambda.py --port-file FILE [--key ID --secret SECRET]

GET /log: a line for each invocation, and what became of its callback. Python's standard library and
clients/pawl_callback.py only. Ends when the process that started it ends.
"""
import argparse
import hashlib
import hmac
import http.server
import json
import logging
import os
import pathlib
import sys
import threading
import time
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "clients"))
import pawl_callback  # noqa: E402

log = []
seen = set()
lock = threading.Lock()


def note(text, *values):
    with lock:
        log.append(text % values)


def chain(key, *texts):
    for text in texts:
        key = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return key


def signature_fault(options, method, target, headers, body):
    # By itself on purpose, as each stand-in and tests/aws/signer.py: a slip that they shared would be seen nowhere.
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    fields = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
    if scheme != "AWS4-HMAC-SHA256" or "Credential" not in fields:
        return "Missing Authentication Token"
    key, date, region, service, last = fields["Credential"].split("/")
    if (key, service, last) != (options.key, "lambda", "aws4_request"):
        return "The security token included in the request is invalid."
    path, _, query = target.partition("?")
    signed = fields["SignedHeaders"].split(";")
    canonical = "\n".join([method, urllib.parse.quote(path, safe="/-_.~"), query,
                           "".join("%s:%s\n" % (name, " ".join(headers[name].split())) for name in signed),
                           ";".join(signed), hashlib.sha256(body).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], "/".join([date, region, service, last]),
                         hashlib.sha256(canonical.encode()).hexdigest()])
    right = hmac.new(chain(("AWS4" + options.secret).encode(), date, region, service, last), to_sign.encode(),
                     hashlib.sha256).hexdigest()
    if hmac.compare_digest(right, fields["Signature"]):
        return None
    return "The request signature we calculated does not match the signature you provided."


# ---- The function: it does not know who runs it ----

def resize(event):
    if "image" not in event:
        raise ValueError("there is no image")
    return {"image": event["image"], "widths": [320, 640, 1280]}


def handler(event, manner):
    """With a callback in the event, its client always calls back: also when the work fails."""
    if not event.get("callback"):
        return resize(event)
    with pawl_callback.Callback(event["callback"], give_up=30) as callback:
        callback.log("resizing %s" % event.get("image"))
        if manner == "resize-fails":
            raise RuntimeError("the image is torn")
        callback.output = resize(event)
    return callback.output


def carry_out(name, event):
    if name == "resize-dies":
        note("%s: killed", name)
        return
    try:
        if name == "resize":
            time.sleep(0.3)
        handler(event, name)
        note("%s: called back", name)
        if name == "resize-twice":
            handler(event, name)
            note("%s: called back again", name)
    except (RuntimeError, ValueError) as error:
        note("%s: reported: %s", name, error)
    except pawl_callback.Refused as refused:
        note("%s: told %d", name, refused.status)


class Lambda(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def say(self, status, thing=None):
        body = b"" if thing is None else json.dumps(thing).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        with lock:
            self.say(200, log)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        fault = signature_fault(self.server.options, "POST", self.path, {k.lower(): v for k, v in self.headers.items()}, body)
        parts = self.path.split("/")
        if fault:
            note("refused: %s", fault)
            return self.say(403, {"message": fault})
        if len(parts) != 5 or parts[1:3] != ["2015-03-31", "functions"] or parts[4] != "invocations":
            return self.say(404, {"message": "no such path"})
        name, event, key = parts[3], json.loads(body), self.headers.get("Idempotency-Key")
        kind = self.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind != "Event":
            note("%s: waited for", name)
            return self.say(200, handler(dict(event, callback=None), name))
        with lock:
            known, _ = key in seen, seen.add(key)
        note("%s: %s", name, "known already" if known else "accepted")
        if known:
            return self.say(202)
        if name == "resize-at-once":
            carry_out(name, event)
            return self.say(202)
        self.say(202)
        threading.Thread(target=carry_out, args=(name, event), daemon=True).start()

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    parser.add_argument("--key", default="AKIDEXAMPLE")
    parser.add_argument("--secret", default="a secret of the example")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Lambda)
    server.daemon_threads = True
    server.options = options
    with open(options.port_file + ".new", "w") as file:
        file.write(str(server.server_port))
    os.rename(options.port_file + ".new", options.port_file)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.2)


main()
