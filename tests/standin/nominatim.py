#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the Nominatim geocoder: its request and response shape, its manners, and bad days.

Serves GET /search?q=ADDRESS&format=jsonv2 on loopback, as the public service does: an array of
places, `lat` and `lon` as strings; and, like it, at most RATE requests a second for each application
(told apart by User-Agent): one more is answered 429 and counted as a violation.

What it knows, and how it misbehaves, is a CSV file with the columns house_number, street, city,
country, lat, lon and `answers`: what it does with the first, second, … request for that address,
separated by spaces; the last one repeats. An address that is not in the file is answered with [].

    found            the place                      500 (any status)  that status and an HTML page
    found:SECONDS    the place, so much later       never             holds the line, says nothing
    wrong:SECONDS    so much later a place at 0,0   malformed         200, JSON cut in the middle
    empty            []                             no-coordinates    a place without lat and lon
    reset            closes the connection          page              200 and an HTML page

GET /stats tells what was asked. Python's standard library only. Ends after --life seconds, and when
the process that started it ends.
"""
import argparse
import asyncio
import collections
import csv
import json
import os
import sys
import time
import urllib.parse

LICENCE = "Data © OpenStreetMap contributors, ODbL 1.0. http://osm.org/copyright"
REASONS = {200: "OK", 400: "Bad Request", 404: "Not Found", 429: "Too Many Requests",
           500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}
HEAD_BYTES_MAX = 64 << 10
BODY_BYTES_MAX = 1 << 20


def address_of(row):
    """One line of text, as a person writes it; None for an order without an address."""
    street = " ".join(part for part in (row["house_number"], row["street"]) if part)
    parts = [part for part in (street, row["city"], row["country"]) if part]
    return ", ".join(parts) or None


def place_of(row, n):
    lat, lon = float(row["lat"]), float(row["lon"])
    name = address_of(row)
    return {
        "place_id": 100000 + n,
        "licence": LICENCE,
        "osm_type": "way",
        "osm_id": 4000000 + n,
        "lat": "%.7f" % lat,
        "lon": "%.7f" % lon,
        "category": "building",
        "type": "yes",
        "place_rank": 30,
        "importance": 0.4,
        "addresstype": "building",
        "name": row["street"],
        "display_name": name,
        "boundingbox": ["%.7f" % (lat - 0.0005), "%.7f" % (lat + 0.0005),
                        "%.7f" % (lon - 0.0005), "%.7f" % (lon + 0.0005)],
    }


class Rate:
    """So many requests a second, evenly spaced; one may come `tolerance` early (jitter of the way)."""

    def __init__(self, rate, tolerance):
        self.interval = 1.0 / rate if rate > 0 else 0.0
        self.tolerance = min(tolerance, self.interval / 2)
        self.next_at = 0.0

    def admit(self, now):
        if now < self.next_at - self.tolerance:
            return False
        self.next_at = max(now, self.next_at) + self.interval
        return True


class Geocoder:
    def __init__(self, options):
        self.options = options
        self.started = time.monotonic()
        self.places = {}
        self.answers = {}
        self.rates = {}
        self.asked = collections.Counter()  # requests admitted, by address
        self.given = {}                     # answer by Idempotency-Key
        self.requests = []                  # every one, in order
        self.violations = 0
        self.longest_open = 0
        self.open = 0
        if options.places:
            self.read(options.places)

    def read(self, name):
        with open(name, newline="", encoding="utf-8") as file:
            for n, row in enumerate(csv.DictReader(file)):
                address = address_of(row)
                if address is None:
                    continue
                if row["lat"]:
                    self.places[address] = place_of(row, n)
                self.answers[address] = row["answers"].split() or ["found"]

    def admit(self, application):
        rate = self.rates.get(application)
        if rate is None:
            rate = self.rates[application] = Rate(self.options.rate, self.options.tolerance)
        return rate.admit(time.monotonic())

    def next_answer(self, address, key):
        if self.options.by_key and key in self.given:
            return self.given[key]
        n = self.asked[address]
        self.asked[address] += 1
        answers = self.answers.get(address, ["empty"])
        answer = answers[min(n, len(answers) - 1)]
        if key is not None:
            self.given[key] = answer
        return answer

    def stats(self):
        by = {"q": collections.Counter(), "key": collections.Counter(),
              "application": collections.Counter(), "answer": collections.Counter()}
        for request in self.requests:
            for name, counter in by.items():
                counter[request[name] or ""] += 1
        return {
            "requests": len(self.requests),
            "delivered": sum(1 for request in self.requests if request["delivered"] is not None),
            "violations": self.violations,
            "rate": self.options.rate,
            "most_open_at_once": self.longest_open,
            "by_q": by["q"], "by_key": by["key"],
            "by_application": by["application"], "by_answer": by["answer"],
            "log": self.requests,
        }

    async def search(self, query, headers):
        """Returns (status, content type, body), or None to close the connection without a word."""
        q = (query.get("q") or [""])[0]
        request = {"q": q, "key": headers.get("idempotency-key"),
                   "application": headers.get("user-agent"), "at": time.time(),
                   "answer": None, "status": None, "delivered": None}
        self.requests.append(request)
        if not q or (query.get("format") or [""])[0] != "jsonv2":
            request["answer"] = "refused"
            return request, answer_json(400, {"error": {
                "code": 400, "message": "Parameters 'q' and 'format=jsonv2' are needed."}})
        if not self.admit(headers.get("user-agent", "")):
            self.violations += 1
            request["answer"] = "too many"
            return request, answer_page(429, "Bandwidth limit exceeded")
        answer = request["answer"] = self.next_answer(q, request["key"])
        what, _, seconds = answer.partition(":")
        await asyncio.sleep(float(seconds) if seconds else self.options.delay)
        return request, await self.carry_out(what, q)

    async def carry_out(self, what, q):
        place = self.places.get(q)
        if what == "found" and place is None:
            return answer_page(500, "the places file has no coordinates for " + q)
        if what == "found":
            return answer_json(200, [place])
        if what == "wrong":
            return answer_json(200, [dict(place or {}, lat="0.0", lon="0.0",
                                          display_name="an answer that came too late")])
        if what == "no-coordinates":
            return answer_json(200, [{key: value for key, value in (place or {"name": q}).items()
                                      if key not in ("lat", "lon", "boundingbox")}])
        if what == "empty":
            return answer_json(200, [])
        if what == "malformed":
            return 200, "application/json; charset=utf-8", b'[{"place_id":1,"lat":"48.85'
        if what == "page":
            return answer_page(200, "We are back soon")
        if what == "never":
            await asyncio.sleep(self.options.life)
        if what in ("never", "reset"):
            return None
        return answer_page(int(what), "Something is wrong here")


def answer_json(status, value):
    return status, "application/json; charset=utf-8", json.dumps(value, ensure_ascii=False).encode()


def answer_page(status, text):
    return status, "text/html; charset=utf-8", ("<html><body>%s</body></html>" % text).encode()


async def read_request(reader):
    """Returns (method, target, headers), or None at the end of the connection."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
    except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError):
        return None
    lines = head.decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3:
        return None
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    length = headers.get("content-length", "0")
    if not length.isdigit() or int(length) > BODY_BYTES_MAX:
        return None
    if int(length) > 0:
        await reader.readexactly(int(length))
    return parts[0], parts[1], headers


async def write_answer(writer, method, answer):
    status, content_type, body = answer
    head = "HTTP/1.1 %d %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n" % (
        status, REASONS.get(status, "Status"), content_type, len(body))
    writer.write(head.encode() + (b"" if method == "HEAD" else body))
    await writer.drain()


async def answer_one(geocoder, method, target, headers):
    """Returns (log row or None, answer or None)."""
    url = urllib.parse.urlsplit(target)
    if url.path == "/stats":
        return None, answer_json(200, geocoder.stats())
    if url.path != "/search":
        return None, answer_json(404, {"error": "there is /search and /stats"})
    if method not in ("GET", "HEAD"):
        return None, answer_json(400, {"error": "GET only"})
    query = urllib.parse.parse_qs(url.query, keep_blank_values=True)
    geocoder.open += 1
    geocoder.longest_open = max(geocoder.longest_open, geocoder.open)
    try:
        return await geocoder.search(query, headers)
    finally:
        geocoder.open -= 1


async def serve(geocoder, reader, writer):
    try:
        while True:
            request = await read_request(reader)
            if request is None:
                break
            row, answer = await answer_one(geocoder, *request)
            if answer is None or reader.at_eof():  # the caller may have hung up meanwhile
                break
            await write_answer(writer, request[0], answer)
            if row is not None:
                row["status"] = answer[0]
                row["delivered"] = time.time()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def watch(options, parent):
    end = time.monotonic() + options.life
    while time.monotonic() < end and os.getppid() == parent:
        await asyncio.sleep(0.2)


async def main():
    parser = argparse.ArgumentParser(description="A stand-in for the Nominatim geocoder.")
    parser.add_argument("--port", type=int, default=0, help="0: a free one, see --port-file")
    parser.add_argument("--port-file", help="where to write the port once it serves")
    parser.add_argument("--places", help="CSV file: what it knows and how it answers")
    parser.add_argument("--rate", type=float, default=1.0, help="requests a second; 0: no limit")
    parser.add_argument("--tolerance", type=float, default=0.1, help="seconds a request may be early")
    parser.add_argument("--delay", type=float, default=0.15, help="seconds that an answer takes")
    parser.add_argument("--by-key", action="store_true",
                        help="a request that comes again with the same Idempotency-Key gets the same answer")
    parser.add_argument("--life", type=float, default=600, help="seconds until it ends by itself")
    options = parser.parse_args()

    parent = os.getppid()
    geocoder = Geocoder(options)
    server = await asyncio.start_server(lambda r, w: serve(geocoder, r, w), "127.0.0.1",
                                        options.port, limit=HEAD_BYTES_MAX)
    port = server.sockets[0].getsockname()[1]
    if options.port_file:
        with open(options.port_file + ".new", "w", encoding="ascii") as file:
            file.write("%d\n" % port)
        os.rename(options.port_file + ".new", options.port_file)
    print("ready http://127.0.0.1:%d" % port, flush=True)
    await watch(options, parent)
    os._exit(0)  # does not wait for the lines that it holds


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except (KeyboardInterrupt, BrokenPipeError):
        sys.exit(0)
