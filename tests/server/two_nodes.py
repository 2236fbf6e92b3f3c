# SPDX-License-Identifier: Apache-2.0
"""Two nodes of one database: who waits at one hears of what the other one commits, and when a node dies the same
request has its answer elsewhere: python3 two_nodes.py PROGRAM FOLDER MODELS"""
import atexit
import http.client
import re
import subprocess
import sys
import threading
import time

from client import Server, check, end, sql

program, folder, models = sys.argv[1:]
PATIENCE = 120  # seconds, for a machine that does much else


class Node:
    def __init__(self, name):
        self.log = open("%s/node-%s.log" % (folder, name), "w")
        self.process = subprocess.Popen([program, "up", "--dev", "--listen", "127.0.0.1:0", "--data", "%s/node-%s" % (folder, name)],
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=self.log, text=True)
        atexit.register(self.process.kill)
        line = self.process.stdout.readline()
        self.address = re.search(r", http (\S+)", line).group(1)
        self.server = Server(self.address)

    def metric(self, name):
        return float(re.search(r"^%s (\S+)$" % name, self.server.ask("GET", "/metrics").body.decode(), re.M).group(1))

    def stop(self):
        self.process.terminate()
        check("a node ends well", self.process.wait(PATIENCE) == 0)


class Waiting(threading.Thread):
    """One request on a connection of its own; .answer, or .error if there was none."""

    def __init__(self, node, method, path, body=None):
        super().__init__()
        self.request, self.answer, self.error = (node.address, method, path, body), None, None
        self.start()

    def run(self):
        address, method, path, body = self.request
        server = Server(address)
        server.connection = connection = http.client.HTTPConnection(address, timeout=PATIENCE)
        try:
            self.answer = server.ask(method, path, body)
        except (http.client.HTTPException, OSError) as error:
            self.error = error
        connection.close()


def until(what, condition):
    limit = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < limit:
        time.sleep(0.05)
    check(what, condition())


def open_waits():
    return int(sql("select count(*) from tokens where waiting_for = 'message' and name = 'go'"))


first, second = Node("a"), Node("b")
subprocess.run([program, "deploy", models + "/tests/server/waits.bpmn"], check=True, stdout=subprocess.DEVNULL)
N = 20

# ---- Started and waited for at the one, or started at the other: ended by a message that the other one gets. ----

began = first.metric("pawl_boundaries_total"), second.metric("pawl_boundaries_total")
waiting = [Waiting(first, "POST", "/v1/processes/waits/start?await=2m", {"businessKey": "s%d" % n}) for n in range(N)]
ids = [second.server.ask("POST", "/v1/processes/waits/start", {"businessKey": "o%d" % n}).body["instanceId"] for n in range(N)]
waiting += [Waiting(first, "GET", "/v1/outcomes/%s?wait=2m" % id) for id in ids]
until("all wait at the first", lambda: first.metric("pawl_http_waiting") == 2 * N and open_waits() == 2 * N)
for key in ["s%d" % n for n in range(N)] + ["o%d" % n for n in range(N)]:
    second.server.ask("POST", "/v1/messages", {"message": "go", "key": key})
for thread in waiting:
    thread.join()
states = [w.answer.body["state"] if w.answer else repr(w.error) for w in waiting]
check("told of what the other one has done", states == ["completed"] * (2 * N), states)
done = first.metric("pawl_boundaries_total") - began[0], second.metric("pawl_boundaries_total") - began[1]
check("the other one has ended some of them", done[1] > N and done[0] + done[1] >= 4 * N, done)
check("nobody waits any more", first.metric("pawl_http_waiting") == 0)

# ---- The node dies while clients wait. ----

waiting = [Waiting(first, "POST", "/v1/processes/waits/start?await=2m", {"businessKey": "k%d" % n, "requestKey": "k%d" % n}) for n in range(N)]
until("all wait again", lambda: first.metric("pawl_http_waiting") == N and open_waits() == N)
first.process.kill()
for thread in waiting:
    thread.join()
# Server.ask() has tried once more: then nobody listens there.
check("they have an error, and no half of an answer", all(w.answer is None and isinstance(w.error, OSError) for w in waiting),
      [(w.answer, w.error) for w in waiting])
again = [Waiting(second, "POST", "/v1/processes/waits/start?await=2m", {"businessKey": "k%d" % n, "requestKey": "k%d" % n}) for n in range(N)]
until("the same requests wait at the other one", lambda: second.metric("pawl_http_waiting") == N)
for n in range(N):
    second.server.ask("POST", "/v1/messages", {"message": "go", "key": "k%d" % n})
for thread in again:
    thread.join()
answers = [(w.answer.status, w.answer.body["state"]) if w.answer else repr(w.error) for w in again]
check("and have their answer", answers == [(200, "completed")] * N, answers)
found = dict(line.split("|") for line in sql("select business_key, instance_id from instances where business_key like 'k%'").split("\n"))
check("it is the same instance, and there is no second one", len(found) == N and int(sql(
    "select count(*) from instances where business_key like 'k%'")) == N and
    [w.answer.body["instanceId"] for w in again] == [found["k%d" % n] for n in range(N)], found)

# ---- It comes back. ----

first = Node("a")
check("a node that is back", first.server.ask("GET", "/v1/outcomes/%s?wait=1s" % found["k0"]).body["state"] == "completed")
first.stop()
second.stop()
end()
