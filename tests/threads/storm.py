# SPDX-License-Identifier: Apache-2.0
"""Clients that do everything at once, and things that happen to a server meanwhile, until it is told to stop:
    python3 storm.py ADDRESS PID CONFIG ROUNDS [CERTIFICATE]
What must hold: no answer is a fault of the server's, and what is answered as done is done."""
import base64
import collections
import http.client
import json
import os
import random
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import uuid

address, pid, config, rounds, certificate = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), sys.argv[5]
HOST, PORT = address.rsplit(":", 1)
BEARER = {"Authorization": "Bearer " + os.environ["TOKEN"]}
BASIC = {"Authorization": "Basic " + base64.b64encode(b"storm:a password of storm").decode()}
TLS = ssl.create_default_context(cafile=certificate) if certificate else None
CLIENTS = 12
PATIENCE = 120  # seconds; of a request on a machine that does much else
faults, statuses = [], collections.Counter()
stopping = threading.Event()


def sql(text):
    done = subprocess.run([os.environ["PG_BIN"] + "/psql", "-XqAt", "-d", os.environ["PAWL_DATABASE"], "-c",
                           "set search_path = pawl", "-c", text], capture_output=True, text=True)
    if done.returncode:
        faults.append(done.stderr)
    return done.stdout.strip()


def connect():
    if TLS:
        return http.client.HTTPSConnection(address, timeout=PATIENCE, context=TLS)
    return http.client.HTTPConnection(address, timeout=PATIENCE)


class Client(threading.Thread):
    def __init__(self, number):
        super().__init__()
        self.number, self.random, self.connection = number, random.Random(number), connect()
        self.done = self.waited = self.fetched = 0

    def ask(self, method, path, body=None, headers=BEARER, good=(200, 201, 202)):
        """None: the server was going away, or had no database at the moment; that is allowed, anything else is not."""
        headers = dict(headers)
        if isinstance(body, (dict, list)):
            body, headers["Content-Type"] = json.dumps(body), "application/json"
        for fresh in (False, True):
            try:
                self.connection.request(method, path, body, headers)
                answer = self.connection.getresponse()
                raw = answer.read()
                break
            except (http.client.HTTPException, OSError) as error:
                # The server ends connections that are idle, and all of them when it stops.
                self.connection.close()
                self.connection = connect()
                if fresh:
                    if not stopping.is_set():
                        faults.append("%s %s: %r" % (method, path, error))
                    return None
        statuses[answer.status] += 1
        if answer.status == 503:
            return None
        if answer.status not in good:
            faults.append("%s %s: %d %s" % (method, path, answer.status, raw[:300]))
            return None
        return json.loads(raw) if raw and "json" in answer.getheader("Content-Type", "") else raw

    # ---- What a client does ----

    def wait(self):
        """A start that waits on this connection, ended by a message on another one."""
        key = str(uuid.uuid4())
        other = Client(-1)
        teller = threading.Thread(target=other.ask, args=("POST", "/v1/messages", {"message": "go", "key": key, "ttl": "5 minutes"}))
        teller.start()
        answer = self.ask("POST", "/v1/processes/waits/start?await=60s", {"businessKey": key})
        teller.join()
        other.connection.close()
        if answer and answer["state"] == "completed":
            self.waited += 1

    def work(self):
        """A fetch that waits, among others for the same; what it gets is given back or completed."""
        self.ask("POST", "/v1/processes/fetched/start", {})
        answer = self.ask("POST", "/v1/external-tasks/fetch?wait=2s", {"workerId": "w", "topics": ["work", "none"], "maxTasks": 3})
        for task in answer["items"] if answer else ():
            verb = self.random.choice(("unlock", "complete", "fail"))
            self.fetched += 1
            # Whoever has the same name may have fetched it again.
            self.ask("POST", "/v1/external-tasks/%s/%s" % (task["taskId"], verb), None if verb == "unlock" else
                     {"workerId": "w", "fence": task["fence"], **({"retries": 9} if verb == "fail" else {})}, good=(200, 202, 404, 409))

    def at_once(self):
        answer = self.ask("POST", "/v1/processes/at-once/start?await=60s", {"variables": {"n": self.number}})
        self.done += bool(answer and answer["state"] == "completed")

    def same_key(self):
        """Many ask for the same: one transaction is refused, and its fellows are not."""
        self.ask("POST", "/v1/processes/at-once/start", {"requestKey": "k%d" % self.random.randrange(4), "variables": {"n": self.number}},
                 good=(200, 201, 422))

    def refused(self):
        self.ask("POST", "/v1/processes/nothing/start", {}, good=(404,))
        self.ask("POST", "/v1/messages/correlate", {"message": "go"}, good=(400,))
        self.ask("POST", "/v1/tasks/%s/complete" % uuid.uuid4(), {}, good=(404,))
        self.ask("POST", "/v1/processes/waits/start", b"{", {**BEARER, "Content-Type": "application/json"}, good=(400,))
        self.ask("GET", "/v1/processes?unknown=1", good=(400,))

    def strangers(self):
        self.ask("GET", "/v1/processes", headers={}, good=(401,))
        self.ask("GET", "/v1/processes", headers={"Authorization": "Bearer nobody%d" % self.random.randrange(9)}, good=(401,))
        self.ask("GET", "/v1/processes", headers=BASIC)
        self.ask("POST", "/callbacks/nothing/succeed", {}, {}, good=(404,))
        self.ask("POST", "/aws", b"{}", {"X-Amz-Target": "AWSStepFunctions.SendTaskSuccess"}, good=(400, 403))

    def look(self):
        for path in ("/v1/instances?all=true", "/v1/tasks", "/metrics", "/openapi.json", "/v1/search?q=k1"):
            self.ask("GET", path)
        self.ask("GET", "/readyz?verbose", headers={})

    def events(self):
        self.ask("POST", "/v1/events", {"events": [{"source": "storm", "detailType": "t", "detail": {"n": self.number}}]})
        self.ask("POST", "/events/default", json.dumps({"specversion": "1.0", "id": str(uuid.uuid4()), "source": "/storm", "type": "t"}),
                 {**BEARER, "Content-Type": "application/cloudevents+json"})

    def leave(self):
        """Goes away while its request is read, carried out, or waits."""
        plain = socket.create_connection((HOST, int(PORT)), timeout=PATIENCE)
        with TLS.wrap_socket(plain, server_hostname=HOST) if TLS else plain as s:
            body = b'{"businessKey": "gone"}'
            text = b"POST /v1/processes/waits/start?await=60s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" \
                   b"Authorization: %s\r\nContent-Length: %d\r\n\r\n%s" % (BEARER["Authorization"].encode(), len(body), body)
            s.sendall(text[:self.random.choice((20, len(text) - 5, len(text)))])
            time.sleep(self.random.choice((0, 0.005, 0.05)))

    def run(self):
        kinds = [self.wait, self.work, self.at_once, self.same_key, self.refused, self.strangers, self.look, self.events, self.leave]
        try:
            for _ in range(rounds):
                self.random.choice(kinds)()
            # Until the server is told to stop, and then as long as it takes anything.
            while self.number % 2 and not stopping.wait(0.01):
                self.at_once()
        except Exception as error:  # a bug of this file, or a protocol that is none
            if not stopping.is_set():
                faults.append("client %d: %r" % (self.number, error))


def reload(number):
    with open(config) as file:
        text = file.read()
    with open(config, "w") as file:
        file.write("\n".join("rate = %d" % (number + 1) if line.startswith("rate") else line for line in text.split("\n")))
    os.kill(pid, signal.SIGHUP)


def main():
    clients = [Client(n) for n in range(CLIENTS)]
    for client in clients:
        client.start()
    busy = [c for c in clients if c.number % 2 == 0]
    number = 0
    while any(client.is_alive() for client in busy):
        number += 1
        reload(number)
        if number in (3, 6, 9):  # not the reload's own connection
            sql("""select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'pawl%'
                   and application_name not in ('pawl setup', 'pawl migrate') and random() < 0.5""")
        time.sleep(0.3)
    # The database is back, and the desk, too.
    until = time.monotonic() + PATIENCE
    while clients[0].ask("POST", "/v1/processes/at-once/start?await=60s", {}) is None and time.monotonic() < until:
        time.sleep(0.1)
    # Some wait for what nobody will do, others are under way: it is told to stop.
    waiting, answers = [], []

    def wait_for_nothing(client):
        answer = None
        while answer is None and not stopping.is_set():
            answer = client.ask("POST", "/v1/processes/waits/start?await=4m", {})
        answers.append(answer)

    for n in range(20):
        waiting.append(threading.Thread(target=wait_for_nothing, args=(Client(100 + n),)))
        waiting[-1].start()
    while b"\npawl_http_waiting 20\n" not in (clients[0].ask("GET", "/metrics") or b"") and time.monotonic() < until:
        time.sleep(0.1)
    stopping.set()
    os.kill(pid, signal.SIGTERM)
    for thread in waiting + clients:
        thread.join()
    told = [a for a in answers if a and a["state"] == "pending"]
    if len(told) != len(waiting):
        faults.append("of %d that waited at the end %d were told" % (len(waiting), len(told)))
    woken, done, fetched = (sum(getattr(c, what) for c in clients) for what in ("waited", "done", "fetched"))
    happened = "%d reloads, %d woken, %d done, %d fetched" % (number, woken, done, fetched)
    if not woken or not done or not fetched or number < 2:
        faults.append("too little has happened: " + happened)
    print("%s, statuses %s" % (happened, dict(statuses)))
    for fault in faults[:20]:
        print("fault: %s" % fault)
    sys.exit(bool(faults))


main()
