# SPDX-License-Identifier: Apache-2.0
"""Who sends a byte now and then is not waited for: python3 slow.py ADDRESS, of a server with --request-timeout 2."""
import socket
import sys
import threading
import time

from client import Server, check, end

address = sys.argv[1]
host, port = address.rsplit(":", 1)
HEAD = "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
TRICKLE = {
    "headers": HEAD + "X-Long: " + "a" * 10000,
    "a body": HEAD + "Content-Length: 10000\r\n\r\n" + " " * 10000,
    "chunks": HEAD + "Transfer-Encoding: chunked\r\n\r\n" + "1\r\n \r\n" * 10000,
}
took = {}


def trickle(what, text):
    """A byte each 0.1 s, after what may come at once: until the server has enough."""
    began = time.monotonic()
    at_once = text.find("\r\n\r\n") + 4 if "\r\n\r\n" in text else 0
    with socket.create_connection((host, int(port)), timeout=30) as s:
        s.sendall(text[:at_once].encode())
        try:
            for byte in text[at_once:at_once + 600]:
                s.sendall(byte.encode())
                s.settimeout(0.1)
                try:
                    if s.recv(100) == b"":
                        break
                except TimeoutError:
                    pass
                s.settimeout(30)
            else:
                took[what] = None # it was listened to for a minute
                return
        except OSError:
            pass
        took[what] = time.monotonic() - began


threads = [threading.Thread(target=trickle, args=item) for item in TRICKLE.items()]
for thread in threads:
    thread.start()
server = Server(address)
# What the server takes its time for is not the client's.
began = time.monotonic()
answer = server.ask("POST", "/v1/messages?await=3s", {"message": "nobody waits for it"})
check("who waits for an outcome is not cut", (answer.status, answer.body["state"]) == (202, "pending") and time.monotonic() - began > 2.9, answer)
check("a kept connection", server.ask("GET", "/livez").status == 200)
for thread in threads:
    thread.join()
for what in TRICKLE:
    check("%s, a byte at a time" % what, took.get(what) is not None and 1.5 < took[what] < 25, took)
check("it lives", Server(address).ask("GET", "/livez").status == 200)
end()
