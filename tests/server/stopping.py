# SPDX-License-Identifier: Apache-2.0
"""What clients are told while the server is being stopped: python3 stopping.py ADDRESS ENGINE-PID"""
import http.client
import os
import signal
import socket
import sys

from client import Server, check, end

address, engine = sys.argv[1], int(sys.argv[2])
host, port = address.rsplit(":", 1)
BODY = b'{"businessKey": "late"}'
HEAD = ("POST /v1/processes/waits/start%s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
        % ("%s", len(BODY)))


def connect(sent):
    made = socket.create_connection((host, int(port)), timeout=20)
    made.sendall(sent)
    return made


def answer(connection):
    response = http.client.HTTPResponse(connection)
    response.begin()
    return Server.take(response)


half = connect((HEAD % "").encode() + BODY[:5])
headers = connect(HEAD.encode()[:40])
waiting = connect((HEAD % "?await=60s").encode() + BODY)
WORK = b'{"workerId": "w", "topics": ["none"]}'
idle = connect(b"POST /v1/external-tasks/fetch?wait=60s HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
               b"Content-Length: %d\r\n\r\n%s" % (len(WORK), WORK))
check("the server is there", Server(address).ask("GET", "/v1/processes").status == 200)
os.kill(engine, signal.SIGTERM)
told = answer(waiting)
check("who waits is told what is known", told.status == 201 and told.body["state"] == "pending", told)
told = answer(idle)
check("who waits for work gets none", told.status == 200 and told.body == {"items": []}, told)
fresh = connect((HEAD % "").encode() + BODY)
half.sendall(BODY[5:])
for what, connection in (("a request that was half there", half), ("a new connection", fresh)):
    told = answer(connection)
    check(what, told.status == 503 and told.headers.get("retry-after") == "5" and told.headers.get("connection") == "close"
          and "being stopped" in told.body["detail"], told)
headers.close()
end()
