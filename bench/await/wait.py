# SPDX-License-Identifier: Apache-2.0
"""N requests wait for the end of their instance; then some are woken, one after the other: wait.py ADDRESS N PROGRAM"""
import http.client
import json
import re
import resource
import selectors
import socket
import sys
import time

address, n = sys.argv[1], int(sys.argv[2])
host, port = address.rsplit(":", 1)
resource.setrlimit(resource.RLIMIT_NOFILE, (min(n + 200, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),) * 2)
chooser, waiting = selectors.DefaultSelector(), {}
began = time.monotonic()
for i in range(n):
    s = socket.create_connection((host, int(port)))
    body = b'{"businessKey": "many-%d"}' % i
    s.sendall(b"POST /v1/processes/waits/start?await=5m HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
              b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    chooser.register(s, selectors.EVENT_READ, i)
    waiting[i] = s
control = http.client.HTTPConnection(address)


def ask(method, path, body=None):
    control.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": "application/json"} if body is not None else {})
    return control.getresponse().read().decode()


def metric(name):
    return float(re.search(r"^%s (\S+)$" % name, ask("GET", "/metrics"), re.M).group(1))


while metric("pawl_http_waiting") < n or metric("pawl_instances_started_total") < n:
    time.sleep(0.5)
print("%d wait after %.1f s; threads %d, resident %d MiB" % (n, time.monotonic() - began, metric("process_threads"),
                                                              metric("process_resident_memory_bytes") / 2**20))
time.sleep(3)
sent, after = [], []
for i in range(0, n, max(1, n // 100)):
    began = time.monotonic()
    ask("POST", "/v1/messages", {"message": "go", "key": "many-%d" % i})
    accepted = time.monotonic()
    assert [key.data for key, _ in chooser.select(timeout=10)] == [i]
    sent.append((time.monotonic() - began) * 1e3)
    after.append((time.monotonic() - accepted) * 1e3)
    chooser.unregister(waiting[i])
for what, times in (("from the message's request to the waiting one's answer", sent), ("from the message's own answer", after)):
    times.sort()
    print("%s: median %.1f ms, 95th of 100 %.1f ms, longest %.1f ms" % (what, times[len(times) // 2], times[len(times) * 95 // 100], times[-1]))
