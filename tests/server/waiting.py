# SPDX-License-Identifier: Apache-2.0
"""Requests that wait for an outcome: python3 waiting.py ADDRESS PROGRAM MODELS"""
import os
import re
import selectors
import socket
import sys
import threading
import time
import uuid

from client import Server, check, end, sql

address, program, models = sys.argv[1:]
server = Server(address)
started = server.ask("POST", "/v1/processes/waits/start", {"businessKey": "w"}).body["instanceId"]

# ---- One ----

began = time.monotonic()
answer = server.ask("POST", "/v1/processes/at-once/start?await=60s", {"variables": {"a": 1}})
check("a start that ends at once", answer.status == 201 and answer.body["state"] == "completed" and time.monotonic() - began < 50, answer)
answer = server.ask("GET", "/v1/outcomes/%s" % answer.body["instanceId"])
check("its outcome later", answer.status == 200 and answer.body["state"] == "completed", answer)
began = time.monotonic()
answer = server.ask("POST", "/v1/processes/waits/start?await=300ms", {})
check("a start that does not", answer.status == 201 and answer.body["state"] == "pending" and 0.25 < time.monotonic() - began < 60, answer)
answer = server.ask("GET", "/v1/outcomes/%s" % started)
check("a look does not wait", answer.body == {"id": started, "state": "pending", "detail": None}, answer)
check("nothing is known", server.ask("GET", "/v1/outcomes/%s?wait=1s" % uuid.uuid4()).status == 404)
check("no id", server.ask("GET", "/v1/outcomes/7").status == 404)
for text in ("1", "10m", "-1s", "s", ""):
    check("await=" + text, server.ask("POST", "/v1/processes/waits/start?await=" + text, {}).status == 400)


def later(seconds, what):
    timer = threading.Timer(seconds, what)
    timer.start()
    return timer


# A message that somebody takes, and one that nobody does.
later(0.3, lambda: Server(address).ask("POST", "/v1/messages", {"message": "go", "key": "w"}))
began = time.monotonic()
answer = server.ask("GET", "/v1/outcomes/%s?wait=60s" % started)
check("woken by a message", answer.body["state"] == "completed" and 0.25 < time.monotonic() - began < 50, answer)
answer = server.ask("POST", "/v1/messages?await=60s", {"message": "nobody", "ttl": "0 seconds"})
check("a message that nobody takes", answer.status == 202 and answer.body["state"] == "expired", answer)

# What is committed by SQL is seen, too, and without a worker of ours that says so: as another node would.
other = server.ask("POST", "/v1/processes/waits/start", {"businessKey": "sql"}).body["instanceId"]
later(0.3, lambda: sql("select publish('go', 'sql')"))
check("woken by SQL", server.ask("GET", "/v1/outcomes/%s?wait=60s" % other).body["state"] == "completed")
later(0.2, lambda: sql("insert into outcome (command_id, state, at) values ('01234567-89ab-7def-8123-456789abcdef', 'done', clock())"))
sql("insert into message (message_id, tenant, name, key, body, expires, mode) values ('01234567-89ab-7def-8123-456789abcdef', '', 'x', 'y', '{}', clock() + interval '1 day', 0)")
later(0.3, lambda: sql("delete from message where message_id = '01234567-89ab-7def-8123-456789abcdef'"))
began = time.monotonic()
answer = server.ask("GET", "/v1/outcomes/01234567-89ab-7def-8123-456789abcdef?wait=60s")
check("woken by another node's commit", answer.body["state"] == "done" and time.monotonic() - began < 50, (answer, time.monotonic() - began))

# ---- Many ----

N = 300
host, port = address.rsplit(":", 1)
chooser = selectors.DefaultSelector()
waiting = {}
for i in range(N):
    s = socket.create_connection((host, int(port)))
    body = b'{"businessKey": "many-%d"}' % i
    s.sendall(b"POST /v1/processes/waits/start?await=60s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    s.setblocking(False)
    chooser.register(s, selectors.EVENT_READ, i)
    waiting[i] = s


def metric(name):
    return float(re.search(r"^%s (\S+)$" % name, server.ask("GET", "/metrics").body.decode(), re.M).group(1))


until = time.monotonic() + 120
while (metric("pawl_http_waiting") < N or sql("select count(*) from tokens where waiting_for = 'message' and name = 'go'") < str(N)) and time.monotonic() < until:
    time.sleep(0.1)
check("%d wait" % N, metric("pawl_http_waiting") == N, metric("pawl_http_waiting"))
check("no thread each", metric("process_threads") <= 40, metric("process_threads"))
check("no connection each", int(sql("select count(*) from pg_stat_activity where application_name like 'pawl desk%'")) == 4)
check("others are served", server.ask("POST", "/v1/processes/at-once/start?await=5s", {}).body["state"] == "completed")

times = []
for i in range(0, 40):
    began = time.monotonic()
    server.ask("POST", "/v1/messages", {"message": "go", "key": "many-%d" % i})
    ready = chooser.select(timeout=60)
    woken = [key.data for key, _ in ready]
    times.append(time.monotonic() - began)
    if woken != [i]:
        check("exactly the one is woken", False, (i, woken))
        break
    text = waiting[i].recv(4000).decode()
    if '"state":"completed"' not in text.replace(" ", ""):
        check("it is told", False, text)
    chooser.unregister(waiting.pop(i))
times.sort()
check("woken soon", times[len(times) // 2] < 0.5, times)
# A client that goes away does no harm.
for i in range(100, 120):
    chooser.unregister(waiting[i])
    waiting.pop(i).close()
for i in range(100, 120):
    server.ask("POST", "/v1/messages", {"message": "go", "key": "many-%d" % i})
check("what waits is told, from message to answer: median %.1f ms" % (times[len(times) // 2] * 1e3), True)
print("      from the message's request to the waiting one's answer: median %.1f ms, longest %.1f ms" % (times[len(times) // 2] * 1e3, times[-1] * 1e3))

# ---- The end: those that wait are told what is known, and nobody is refused what he has. ----

os.kill(int(os.environ["ENGINE"]), 15)
n = good = 0
until = time.monotonic() + 60
while waiting and time.monotonic() < until:
    for key, _ in chooser.select(timeout=1):
        text = waiting[key.data].recv(4000).decode()
        good += " 201 " in text and '"state":"pending"' in text.replace(" ", "")
        n += 1
        chooser.unregister(waiting.pop(key.data))
while os.path.exists("/proc/%s/fd/0" % os.environ["ENGINE"]) and time.monotonic() < until:
    time.sleep(0.05)
check("told at the end", (n, good) == (N - 60, N - 60), (n, good))
end()
