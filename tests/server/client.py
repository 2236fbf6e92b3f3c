# SPDX-License-Identifier: Apache-2.0
"""What the tests of tests/server/ share: checks that count, requests as they are, a look into the database."""
import http.client
import json
import os
import subprocess


class Tally:
    passed = failed = skipped = 0


def check(what, good, detail=""):
    if good:
        Tally.passed += 1
    else:
        Tally.failed += 1
        print("FAIL  %s: %s" % (what, detail))


class Server:
    def __init__(self, address):
        self.address = address
        self.connection = None

    def ask(self, method, path, body=None, headers=None, timeout=20):
        """One request on a kept connection. body: bytes as they are, None, or anything that becomes JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
        if body is not None:
            headers.setdefault("Content-Type", "application/json")
        for attempt in (1, 2):
            if self.connection is None:
                self.connection = http.client.HTTPConnection(self.address, timeout=timeout)
            try:
                self.connection.request(method, path, body, headers)
                return self.take(self.connection.getresponse())
            except (http.client.HTTPException, OSError):
                # The server ends what is idle, and what it has refused.
                self.connection.close()
                self.connection = None
                if attempt == 2:
                    raise

    @staticmethod
    def take(response):
        body = response.read()
        kind = response.getheader("Content-Type", "")
        if "json" in kind and body:
            body = json.loads(body)
        return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body)


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def __repr__(self):
        return "%s %s %s" % (self.status, self.headers, self.body)


class Session:
    """A session of the database that stays open; say() returns when its statements were carried out."""

    def __init__(self):
        self.psql = subprocess.Popen(["psql", "-X", "-q", "-A", "-t", "-d", os.environ["PAWL_DATABASE"]], text=True,
                                     stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.say("set search_path = %s, pg_temp" % os.environ["PAWL_SCHEMA"])

    def say(self, text):
        self.psql.stdin.write(text + ";\n\\echo said\n")
        self.psql.stdin.flush()
        while self.psql.stdout.readline() not in ("said\n", ""):
            pass

    def end(self):
        self.psql.communicate()


def sql(text):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", os.environ["PAWL_DATABASE"],
                           "-c", "set search_path = %s, pg_temp" % os.environ["PAWL_SCHEMA"], "-c", text], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def end():
    print("%d passed, %d failed, %d skipped" % (Tally.passed, Tally.failed, Tally.skipped))
    raise SystemExit(Tally.failed != 0)
