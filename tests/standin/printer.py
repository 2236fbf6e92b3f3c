#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A printer that takes documents and calls back, on loopback: POST /jobs?manner=MANNER, the callback URL in
the body. Writes its port to --port-file, what became of its callbacks to GET /said, a line each.

    early    calls back before it answers the request, then answers 202
    cut      calls back, and closes the connection without an answer
    twice    answers 202, and calls back with the same answer twice, then with another one
    fails    answers 500 and calls back all the same
    empty    answers 202, and fails with NO_PAPER; the next document is printed
    never    answers 202, and does nothing else

Python's standard library only. Ends when the process that started it ends.
"""
import argparse
import http.server
import json
import os
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

said = []
filled = set()


def call_back(url, verb, body):
    request = urllib.request.Request(url + "/" + verb, json.dumps(body).encode(), {"Content-Type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            said.append("%s %d" % (verb, answer.status))
    except urllib.error.HTTPError as error:
        said.append("%s %d" % (verb, error.code))


class Printer(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def do_GET(self):
        self.answer(200, ("\n".join(said) + "\n").encode())

    def do_POST(self):
        url = self.rfile.read(int(self.headers["Content-Length"])).decode()
        manner = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["manner"][0]
        printed = {"pages": 3, "paper": "A4", "logs": ["warmed up", {"page": 1}]}
        if manner in ("early", "cut", "fails"):
            call_back(url, "succeed", printed)
        if manner == "cut":
            self.close_connection = True
            return
        self.answer(500 if manner == "fails" else 202)
        if manner == "twice":
            call_back(url, "succeed", printed)
            call_back(url, "succeed", printed)
            call_back(url, "succeed", {"pages": 4})
        elif manner == "empty" and manner not in filled:
            filled.add(manner)
            call_back(url, "fail", {"error": "NO_PAPER", "cause": "tray 2 is empty", "logs": ["tray 2"]})
        elif manner == "empty":
            call_back(url, "succeed", printed)


def end_with(parent):
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--port-file", required=True)
    arguments = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Printer)
    threading.Thread(target=end_with, args=(os.getppid(),), daemon=True).start()
    with open(arguments.port_file + ".new", "w") as file:
        file.write(str(server.server_port))
    os.rename(arguments.port_file + ".new", arguments.port_file)
    server.serve_forever()


main()
