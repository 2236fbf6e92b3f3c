#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A server on loopback that answers each request after some seconds; GET /most tells how many at once.

Prints its port. Python's standard library only. Ends when the process that started it ends.
"""
import argparse
import asyncio
import os

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\n\r\n{\"ok\":true}"


class Stub:
    def __init__(self, seconds):
        self.seconds = seconds
        self.open = self.most = 0

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"GET /most"):
                    body = str(self.most).encode()
                    writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%s"
                                 % (len(body), body))
                    await writer.drain()
                    break
                self.open += 1
                self.most = max(self.most, self.open)
                await asyncio.sleep(self.seconds)
                self.open -= 1
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


async def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=float, default=2)
    stub = Stub(options.parse_args().seconds)
    server = await asyncio.start_server(stub.serve, "127.0.0.1", 0, backlog=10000)
    print(server.sockets[0].getsockname()[1], flush=True)
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.5)


asyncio.run(main())
