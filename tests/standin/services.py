#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Services of many manners, and proxies on the way to them, on loopback.

Listens on ports of its own and writes them to --ports as shell variables:

    HTTP   plain                        TLS    with the certificate in --certificates/server.pem
    MTLS   wants a client's certificate, which --certificates/ca.pem must have signed
    TLS12  no TLS above 1.2             PROXY  an HTTP proxy: user "us", password of PROXY_PASSWORD
    SOCKS  a SOCKS5 proxy, the same user

What the services answer to:

    /digest     SHA-256 of each request header, and the number of the connection and its request
    /echo       the request itself, headers and all
    /redirect/STATUS/URL                /wait/STATUS/after=TEXT;date=TEXT;reset=TEXT
    /gzip       JSON, packed            /bomb       100 MB of blanks in JSON, packed
    /size/N     N bytes of text         /dribble    a byte every 50 ms, without end
    /headlines  header lines, without end           /idle   headers, then nothing
    /longer     announces more than comes           /shorter  sends more than it announces
    /fussy      401                     /seen     what the proxies were asked to connect to
    /cut        RST in the middle       /token      OAuth 2.0 client credentials: "client" with OAUTH_SECRET
    /2015-03-31/functions/NAME/invocations          AWS Lambda: 202 for an Event whose signature is right

Python's standard library only. Ends when
the process that started it ends.
"""
import argparse
import asyncio
import base64
import gzip
import hashlib
import hmac
import itertools
import json
import os
import socket
import ssl
import struct
import urllib.parse

connections = itertools.count(1)
tunnels = []
tokens = itertools.count(1)


def respond(writer, status, body=b"", headers=(), kind="application/json"):
    lines = ["HTTP/1.1 %d Such" % status, "Content-Type: %s" % kind, "Content-Length: %d" % len(body)]
    lines += ["%s: %s" % pair for pair in headers]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)


def as_json(thing):
    return json.dumps(thing).encode()


def chain(key, *texts):
    for text in texts:
        key = hmac.new(key, text.encode(), hashlib.sha256).digest()
    return key


def signature_fault(method, target, headers, body):
    """What is wrong with an AWS signature (version 4); None if it is right."""
    # By itself on purpose, as each stand-in and tests/aws/signer.py: a slip that they shared would be seen nowhere.
    fields = {}
    scheme, _, rest = headers.get("authorization", "").partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        return "no signature"
    for part in rest.split(","):
        name, _, value = part.strip().partition("=")
        fields[name] = value
    access_key, date, region, service, last = fields["Credential"].split("/")
    if (access_key, region, service, last) != (os.environ["AWS_ACCESS_KEY_ID"], "eu-central-1", "lambda", "aws4_request"):
        return "wrong scope " + fields["Credential"]
    signed = fields["SignedHeaders"].split(";")
    if signed != sorted(signed) or not {"host", "x-amz-date", "x-amz-invocation-type", "x-amz-security-token"} <= set(signed):
        return "these headers are signed: " + fields["SignedHeaders"]
    if headers["x-amz-security-token"] != os.environ["AWS_SESSION_TOKEN"]:
        return "wrong session token"
    path, _, query = target.partition("?")
    canonical = "\n".join([
        method, urllib.parse.quote(path, safe="/-_.~"), "&".join(sorted(query.split("&"))) if query else "",
        "".join("%s:%s\n" % (name, " ".join(headers[name].split())) for name in signed),
        ";".join(signed), hashlib.sha256(body).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", headers["x-amz-date"], "/".join([date, region, service, last]),
                         hashlib.sha256(canonical.encode()).hexdigest()])
    key = chain(("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode(), date, region, service, last)
    right = hmac.new(key, to_sign.encode(), hashlib.sha256).hexdigest()
    return None if hmac.compare_digest(right, fields["Signature"]) else "wrong signature"


def invoke(writer, method, target, headers, body):
    fault = signature_fault(method, target, headers, body)
    if fault:
        respond(writer, 403, as_json({"message": fault}))
    elif headers.get("x-amz-invocation-type") != "Event":
        respond(writer, 200, as_json({"waited": True}))
    else:
        respond(writer, 202)


def token(writer, headers, body):
    right = "Basic " + base64.b64encode(("client:" + os.environ["OAUTH_SECRET"]).encode()).decode()
    form = urllib.parse.parse_qs(body.decode())
    if headers.get("authorization") != right:
        respond(writer, 401, as_json({"error": "invalid_client"}))
    elif form.get("grant_type") != ["client_credentials"]:
        respond(writer, 400, as_json({"error": "unsupported_grant_type"}))
    else:
        respond(writer, 200, as_json({"access_token": "granted-hunter2-%d-%s" % (next(tokens), form.get("scope", [""])[0]),
                                      "token_type": "Bearer", "expires_in": 3600}))


async def trickle(writer, piece, pause):
    while not writer.is_closing():
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(pause)


def cut(writer):
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


async def misbehave(writer, path):
    """False: it is none of these."""
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
    if path == "/dribble":
        writer.write(head + b"Content-Length: 1000000\r\n\r\n")
        await trickle(writer, b" ", 0.05)
    elif path == "/idle":
        writer.write(head + b"Content-Length: 10\r\n\r\n")
        await asyncio.sleep(60)
    elif path == "/headlines":
        writer.write(head)
        await trickle(writer, b"X-Line: again and again\r\n", 0)
    elif path == "/longer":
        writer.write(head + b"Content-Length: 100\r\n\r\n[1,2]")
    elif path == "/shorter":
        writer.write(head + b"Content-Length: 5\r\n\r\n[1,2], and more that nobody wants")
    elif path == "/cut":
        writer.write(head + b"Content-Length: 100\r\n\r\n[1,")
        await writer.drain()
        await asyncio.sleep(0.05)
        cut(writer)
    else:
        return False
    return True


def behave(writer, path, request, place):
    headers = request["headers"]
    _, path, *rest = path.split("/", 3)
    path = "/" + path
    if path == "/digest":
        digests = {name: hashlib.sha256(value.encode()).hexdigest() for name, value in headers.items()}
        respond(writer, 200, as_json({"digests": digests, "connection": place[0], "request": place[1],
                                      "method": request["method"], "names": sorted(headers)}))
    elif path == "/echo":
        respond(writer, 200, as_json(request), [("X-Echo", headers.get("authorization", ""))])
    elif path == "/redirect":
        respond(writer, int(rest[0]), headers=[("Location", rest[1])])
    elif path == "/wait":
        query = dict(pair.split("=", 1) for pair in rest[1].split(";"))
        respond(writer, int(rest[0]),
                headers=[(name, query[key]) for name, key in (("Retry-After", "after"), ("Date", "date"),
                                                              ("RateLimit-Reset", "reset")) if key in query])
    elif path == "/gzip":
        respond(writer, 200, gzip.compress(as_json({"packed": True})), [("Content-Encoding", "gzip")])
    elif path == "/bomb":
        respond(writer, 200, gzip.compress(b" " * 100000000), [("Content-Encoding", "gzip")])
    elif path == "/size":
        respond(writer, 200, b"x" * int(rest[0]), kind="text/plain")
    elif path == "/fussy":
        respond(writer, 401)
    elif path == "/seen":
        respond(writer, 200, as_json(tunnels))
    else:
        respond(writer, 404)


async def read_request(reader):
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    method, target, _ = head[0].split(" ")
    headers = {}
    for line in head[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return method, target, headers, body


async def serve(reader, writer):
    number = next(connections)
    try:
        for n in itertools.count(1):
            method, target, headers, body = await read_request(reader)
            parts = urllib.parse.urlsplit(target)
            if parts.path.startswith("/2015-03-31/functions/"):
                invoke(writer, method, target, headers, body)
            elif parts.path == "/token":
                token(writer, headers, body)
            elif await misbehave(writer, parts.path):
                break
            else:
                request = {"method": method, "target": target, "headers": headers, "body": body.decode("latin-1")}
                behave(writer, urllib.parse.unquote(parts.path), request, (number, n))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError, ssl.SSLError):
        pass
    finally:
        writer.close()


async def pump(reader, writer):
    try:
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def join(reader, writer, host, port, first=b""):
    tunnels.append("%s:%d" % (host, port))
    there_reader, there_writer = await asyncio.open_connection(host, port)
    there_writer.write(first)
    return await asyncio.gather(pump(reader, there_writer), pump(there_reader, writer))


async def proxy(reader, writer):
    try:
        method, target, headers, body = await read_request(reader)
        right = "Basic " + base64.b64encode(("us:" + os.environ["PROXY_PASSWORD"]).encode()).decode()
        if headers.pop("proxy-authorization", None) != right:
            respond(writer, 407, headers=[("Proxy-Authenticate", 'Basic realm="here"'), ("Connection", "close")])
        elif method == "CONNECT":
            host, _, port = target.rpartition(":")
            writer.write(b"HTTP/1.1 200 Connected\r\n\r\n")
            await join(reader, writer, host, int(port))
        else:
            url = urllib.parse.urlsplit(target)
            lines = ["%s %s HTTP/1.1" % (method, urllib.parse.urlunsplit(("", "", url.path, url.query, "")))]
            lines += ["%s: %s" % pair for pair in headers.items()]
            await join(reader, writer, url.hostname, url.port or 80,
                       ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


async def socks(reader, writer):
    try:
        _, n = await reader.readexactly(2)
        await reader.readexactly(n)
        writer.write(b"\x05\x02")  # user and password
        _, n = await reader.readexactly(2)
        user = await reader.readexactly(n)
        password = await reader.readexactly((await reader.readexactly(1))[0])
        if (user, password) != (b"us", os.environ["PROXY_PASSWORD"].encode()):
            writer.write(b"\x01\x01")
            return
        writer.write(b"\x01\x00")
        kind = (await reader.readexactly(4))[3]
        if kind == 1:
            host = socket.inet_ntoa(await reader.readexactly(4))
        else:
            host = (await reader.readexactly((await reader.readexactly(1))[0])).decode()
        port = struct.unpack(">H", await reader.readexactly(2))[0]
        writer.write(b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")
        await join(reader, writer, host, port)
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    finally:
        writer.close()


def contexts(folder):
    made = {}
    for name in ("TLS", "MTLS", "TLS12"):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(os.path.join(folder, "server.pem"), os.path.join(folder, "server.key"))
        made[name] = context
    made["MTLS"].verify_mode = ssl.CERT_REQUIRED
    made["MTLS"].load_verify_locations(os.path.join(folder, "ca.pem"))
    made["TLS12"].maximum_version = ssl.TLSVersion.TLSv1_2
    return made


async def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ports", required=True)
    parser.add_argument("--certificates", required=True)
    options = parser.parse_args()
    wanted = {"HTTP": (serve, None), "PROXY": (proxy, None), "SOCKS": (socks, None)}
    wanted.update({name: (serve, context) for name, context in contexts(options.certificates).items()})
    lines = []
    for name, (handler, context) in wanted.items():
        server = await asyncio.start_server(handler, "127.0.0.1", 0, ssl=context)
        lines.append("%s=%d\n" % (name, server.sockets[0].getsockname()[1]))
    with open(options.ports + ".new", "w", encoding="ascii") as file:
        file.writelines(lines)
    os.rename(options.ports + ".new", options.ports)
    parent = os.getppid()
    while os.getppid() == parent:
        await asyncio.sleep(0.5)


asyncio.run(main())
