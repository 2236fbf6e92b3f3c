# SPDX-License-Identifier: Apache-2.0
"""Answers callbacks over HTTP: python3 answer.py ADDRESS CONNECTIONS <tokens, one a line
Each connection asks again when it is answered. Prints answers, seconds, p50 and p99 in ms, and how many were refused."""
import selectors
import socket
import sys
import time

host, port = sys.argv[1].rsplit(":", 1)
tokens = sys.stdin.read().split()
tokens.reverse()
selector = selectors.EpollSelector()
times, refused, asked = [], 0, {}
body = b'{"output": {"pages": 3}}'


def ask(connection):
    if not tokens:
        selector.unregister(connection)
        connection.close()
        return False
    connection.send(b"POST /callbacks/%s/succeed HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%s" % (tokens.pop().encode(), host.encode(), len(body), body))
    asked[connection] = (time.perf_counter(), b"")
    return True


begin = time.perf_counter()
connections = [socket.create_connection((host, int(port))) for _ in range(int(sys.argv[2]))]
for connection in connections:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    selector.register(connection, selectors.EVENT_READ)
busy = sum(ask(connection) for connection in connections)
while busy:
    for key, _ in selector.select(30) or sys.exit("no answer in 30 s"):
        since, text = asked[key.fileobj]
        more = key.fileobj.recv(65536)
        if not more:
            sys.exit("the server has closed a connection")
        text += more
        head, end, rest = text.partition(b"\r\n\r\n")
        wanted = head.lower().partition(b"content-length:")[2].split(b"\r")[0]
        if not end or len(rest) < int(wanted):
            asked[key.fileobj] = (since, text)
            continue
        times.append(time.perf_counter() - since)
        refused += not head.startswith(b"HTTP/1.1 200")
        busy -= not ask(key.fileobj)
took = time.perf_counter() - begin
times.sort()
print(len(times), "%.3f" % took, *("%.2f" % (times[int(len(times) * p)] * 1000) for p in (0.5, 0.99)), refused)
