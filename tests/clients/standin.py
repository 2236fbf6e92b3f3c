# SPDX-License-Identifier: Apache-2.0
"""Stands in for the engine: POST /callbacks/SCRIPT/VERB, where the script's name says how it answers.

    ok            200
    busy-N        N times 503 with Retry-After: 1, then 200
    cut-N         N times closed without an answer, then 200
    down          503 always
    gone          410 always
    picky         400 for succeed, 200 for others
    late-N        200 for N heartbeats, then 410

What follows a dot in SCRIPT tells cases apart. GET /seen/SCRIPT: what came, as lines of JSON. Writes its port.
"""
import http.server
import json
import sys
import threading

SEEN, LOCK = {}, threading.Lock()


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, **headers):
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        with LOCK:
            self.answer(200, SEEN.get(self.path.split("/")[2], []))

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["Content-Length"]))
        _, _, script, verb = self.path.split("/")
        try:
            body = json.loads(raw)
        except ValueError:
            body = None
        with LOCK:
            seen = SEEN.setdefault(script, [])
            seen.append({"verb": verb, "body": body, "authorization": self.headers.get("Authorization")})
            before = sum(one["verb"] == verb for one in seen) - 1
        kind, _, n = script.split(".")[0].partition("-")
        if body is None or (kind == "picky" and verb == "succeed"):
            self.answer(400, {"title": "Bad Request", "detail": "that is no output"})
        elif kind == "down" or (kind == "busy" and before < int(n)):
            self.answer(503, {"detail": "ends"}, Retry_After="1")
        elif kind == "cut" and before < int(n):
            self.close_connection = True
        elif kind == "gone" or (kind == "late" and verb == "heartbeat" and before >= int(n)):
            self.answer(410, {"title": "Gone", "detail": "too late"})
        else:
            self.answer(200, {"state": "accepted"})


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_port, flush=True)
sys.stdout.close()
server.serve_forever()
