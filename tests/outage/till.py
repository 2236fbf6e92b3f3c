# SPDX-License-Identifier: Apache-2.0
"""A service on loopback that must not be paid twice: counts requests by their Idempotency-Key.

Prints its port. GET /paid tells how many keys came, and how many requests. Ends with its parent.
"""
import asyncio
import collections
import os

paid = collections.Counter()


async def serve(reader, writer):
    try:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            if head.startswith("GET /paid"):
                body = "%d %d" % (len(paid), sum(paid.values()))
            else:
                await asyncio.sleep(0.02)
                paid[next(line for line in head.split("\r\n") if line.lower().startswith("idempotency-key"))] += 1
                body = "{}"
            writer.write(("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)).encode())
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
