# SPDX-License-Identifier: Apache-2.0
"""A service on loopback that is dead, busy, slow or well, as the test says, and notes who came when.

Prints its port. POST /do/WHAT sets its manner: `well`, `dead` (503), `busy:SECONDS` (429 with
Retry-After), `slow:SECONDS`, `held` (answers when it is something else), `404`, `gone:SECONDS` (410 to /ask after that time), `wordy` (400 with a cookie and
9,001 bytes of text). GET /log?since=T gives [[time, key, manner], …] as JSON: what it was asked. Ends with its parent.
"""
import asyncio
import json
import os
import time

manner = "well"
log = []


async def answer(path, head):
    global manner
    if path.startswith("/do/"):
        manner = path[4:]
        return "200 OK", "", "{}"
    if path.startswith("/log"):
        since = float(path.partition("since=")[2] or 0)
        return "200 OK", "", json.dumps([entry for entry in log if entry[0] >= since])
    key = next((line[17:].strip(' "') for line in head.split("\r\n") if line.lower().startswith("idempotency-key")), "")
    log.append((time.time(), key, manner))
    name, _, seconds = manner.partition(":")
    if name == "dead":
        return "503 Service Unavailable", "", "{}"
    if name == "busy":
        return "429 Too Many Requests", "Retry-After: %s\r\n" % seconds, "{}"
    if name == "slow":
        await asyncio.sleep(float(seconds))
    while name == "held" and manner == "held":
        await asyncio.sleep(0.05)
    if name == "wordy":
        return "400 Bad Request", "Content-Type: text/plain; charset=utf-8\r\nSet-Cookie: sid=s3cret\r\n", "x" + "é" * 4500
    if name == "gone" and path == "/ask":
        await asyncio.sleep(float(seconds))
        return "410 Gone", "", "{}"
    if name == "404":
        return "404 Not Found", "", "{}"
    return "200 OK", "", "{}"


async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            status, more, body = await answer(head.split(" ")[1], head)
            body = body.encode()
            writer.write(("HTTP/1.1 %s\r\n%sContent-Length: %d\r\n\r\n" % (status, more, len(body))).encode() + body)
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def main():
    server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=1000)
    print(server.sockets[0].getsockname()[1], flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.3)


asyncio.run(main())
