# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for work: python3 fetching.py ADDRESS PROGRAM ROOT"""
import json
import re
import socket
import sys
import threading
import time

from client import Server, check, end, sql

address, program, root = sys.argv[1:]
server = Server(address)
host, port = address.rsplit(":", 1)
MODEL = open(root + "/tests/server/fetched.bpmn").read()


def deploy(process, topic):
    content = MODEL.replace('process id="fetched"', 'process id="%s"' % process).replace('topic="work"', 'topic="%s"' % topic)
    answer = server.ask("POST", "/v1/deployments", {"resources": [{"name": process + ".bpmn", "content": content}]})
    check("deployed " + process, answer.status == 201, answer)


def start(process, key=None):
    return server.ask("POST", "/v1/processes/%s/start" % process, {"businessKey": key}).body["instanceId"]


def fetch(topic, wait=None, worker="w", most=1, **conditions):
    topic = dict({"topicName": topic, "lockDuration": 600000}, **conditions)
    path = "/v1/external-tasks/fetch" + ("?wait=" + wait if wait else "")
    return Server(address).ask("POST", path, {"workerId": worker, "topics": [topic], "maxTasks": most}, timeout=120)


class Waiting(threading.Thread):
    """A fetch that waits; .answer when it has ended."""

    def __init__(self, *arguments, **more):
        super().__init__(daemon=True)
        self.arguments, self.more, self.answer = arguments, more, None
        self.start()

    def run(self):
        self.answer = fetch(*self.arguments, **self.more)

    def tasks(self, seconds=60):
        self.join(seconds)
        return self.answer.body["items"] if self.answer is not None else None


def metric(name):
    return float(re.search(r"^%s (\S+)$" % name, server.ask("GET", "/metrics").body.decode(), re.M).group(1))


def until(what, seconds=60):
    last = time.monotonic() + seconds
    while not (seen := what()) and time.monotonic() < last:
        time.sleep(0.02)
    return seen


def waiting(n):
    return until(lambda: metric("pawl_http_waiting") == n)


deploy("hunted", "hunt")
deploy("herded", "herd")

# ---- One ----

began = time.monotonic()
check("no work", fetch("hunt").body == {"items": []})
answer = fetch("hunt", "400ms")
check("no work after a while", answer.status == 200 and answer.body == {"items": []} and time.monotonic() - began > 0.35, answer)
for text in ("1", "6m", "-1s", "s"):
    answer = fetch("hunt", text)
    check("wait=" + text, answer.status == 400 and "wait" in answer.body["detail"], answer)
answer = Server(address).ask("POST", "/v1/external-tasks/fetch?wait=30s", {"workerId": "w", "topics": [{"nonsense": 1}]})
check("what is wrong is said at once", answer.status == 400, answer)

one = Waiting("hunt", "60s")
check("it waits", waiting(1))
instance = start("hunted")
tasks = one.tasks()
check("it gets what comes", [t["instanceId"] for t in tasks or []] == [instance], tasks)
check("it is leased", server.ask("GET", "/v1/external-tasks/" + tasks[0]["taskId"]).body["state"] == "locked")

# This node's own commit wakes it, and so does what is given back: nobody waits for the next look, a second after the last. Of ten
# the fastest, as the machine may be busy.
def handed_over(make):
    times = []
    for _ in range(10):
        hunter = Waiting("hunt", "60s", "w")
        check("it waits", waiting(1))
        began = time.monotonic()
        make()
        task = hunter.tasks()[0]["taskId"]
        times.append(time.monotonic() - began)
        last.append(task)
    return min(times)


last = []
seconds = handed_over(lambda: start("hunted"))
check("made here, it is handed over at once", seconds < 0.5, seconds)
seconds = handed_over(lambda: server.ask("POST", "/v1/external-tasks/%s/unlock" % last[-1]))
check("given back here, too", seconds < 0.5, seconds)
seconds = handed_over(lambda: server.ask("POST", "/v1/external-tasks/%s/fail" % last[-1], {"workerId": "w", "retries": 3}))
check("and failed", seconds < 0.5, seconds)

# A lease that ends is nobody's commit.
instance = start("hunted")
check("there is one", until(lambda: len(fetch("hunt", lockDuration=1500).body["items"]) == 1))
again = Waiting("hunt", "60s").tasks()
check("what a lease's end frees", [(t["instanceId"], t["fence"]) for t in again or []] == [(instance, 2)], again)
later = Waiting("hunt", "60s", "other")
check("it waits for it", waiting(1))
server.ask("POST", "/v1/external-tasks/%s/unlock" % again[0]["taskId"])
check("what is given back", [t["fence"] for t in later.tasks() or []] == [3], later.answer)

# ---- Many, and those that want something else ----

N = 60
picky = [Waiting("herd", "60s", "picky", businessKey="never") for _ in range(5)]
check("picky ones wait", waiting(5))
herd = [Waiting("herd", "90s", "w%d" % i) for i in range(N)]
check("all wait", waiting(N + 5), metric("pawl_http_waiting"))
check("no thread each", metric("process_threads") <= 40, metric("process_threads"))
check("no session each", sql("select count(*) from pg_stat_activity where application_name like 'pawl desk%'") == "4")
for i in range(N // 2):
    start("herded", "k%d" % i)
check("as many as there is work for", until(lambda: sum(w.answer is not None for w in herd) == N // 2))
for i in range(N // 2, N):
    start("herded", "k%d" % i)
got = [t["taskId"] for w in herd for t in w.tasks() or []]
check("each task once", len(got) == N and len(set(got)) == N, len(got))
check("picky ones got none", [w.answer for w in picky] == [None] * 5)
start("herded", "never")
check("but what they want", until(lambda: sum(w.answer is not None for w in picky) == 1))
check("the others wait on", waiting(4))

# ---- A client that goes away gets no work ----

body = json.dumps({"workerId": "gone", "topics": ["hunt"]}).encode()
gone = socket.create_connection((host, int(port)))
gone.sendall(b"POST /v1/external-tasks/fetch?wait=120s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
             b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
check("it waits, too", waiting(5))
gone.close()
instance = start("hunted")
tasks = fetch("hunt", "60s").body["items"]
check("the next one gets it, first", [(t["instanceId"], t["fence"]) for t in tasks] == [(instance, 1)], tasks)
check("its wait has ended", waiting(4))
end()
