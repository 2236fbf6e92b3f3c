# SPDX-License-Identifier: Apache-2.0
"""What tests/server/run.sh asks of a running engine. Each check is one line when it fails."""
import argparse
import http.server
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time

arguments = argparse.ArgumentParser()
for name in ("program", "address", "engine", "models", "stop-database", "log", "as"):
    arguments.add_argument("--" + name)
options = arguments.parse_args()
host, port = options.address.rsplit(":", 1)
passed = failed = skipped = 0


def check(what, good, detail=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("FAIL  %s: %s" % (what, detail))


def raw(data, wait=2.0):
    """Sends bytes as they are; what came back until the server closes or is silent, and whether it closed."""
    with socket.create_connection((host, int(port)), timeout=wait) as s:
        s.sendall(data)
        out = b""
        try:
            while True:
                piece = s.recv(65536)
                if not piece:
                    return out, True
                out += piece
        except socket.timeout:
            return out, False
        except ConnectionResetError:
            return out, True


def get(path, method="GET", headers="", wait=10.0):
    out, _ = raw(("%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n" % (method, path, headers)).encode(), wait)
    head, _, body = out.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split()[1]) if lines[0] else 0
    return status, {k.lower(): v for k, v in (line.split(": ", 1) for line in lines[1:])}, body.decode()


# ---- Requests that are two, or none ----

SECOND = "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Second: 1\r\n\r\n"
H = "Host: localhost\r\n"
CHUNKS = "0\r\n\r\n"
refused = [
    ("TE and CL", "POST /metrics HTTP/1.1\r\n" + H + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS + SECOND),
    ("CL and TE", "GET /metrics HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\nContent-Length: 60\r\n\r\n" + CHUNKS + SECOND),
    ("two Content-Length", "POST /metrics HTTP/1.1\r\n" + H + "Content-Length: 0\r\nContent-Length: 70\r\n\r\n" + SECOND),
    ("two equal Content-Length", "POST /metrics HTTP/1.1\r\n" + H + "Content-Length: 0\r\nContent-Length: 0\r\n\r\n" + SECOND),
    ("a space before the colon", "POST /metrics HTTP/1.1\r\n" + H + "Transfer-Encoding : chunked\r\nContent-Length: 0\r\n\r\n" + SECOND),
    ("TE xchunked", "POST /metrics HTTP/1.1\r\n" + H + "Transfer-Encoding: xchunked\r\n\r\n" + CHUNKS + SECOND),
    ("TE identity, chunked", "POST /metrics HTTP/1.1\r\n" + H + "Transfer-Encoding: identity, chunked\r\n\r\n" + CHUNKS + SECOND),
    ("two TE", "POST /metrics HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNKS + SECOND),
    ("CL 3x", "POST /metrics HTTP/1.1\r\n" + H + "Content-Length: 3x\r\n\r\nabc" + SECOND),
    ("CL +3", "POST /metrics HTTP/1.1\r\n" + H + "Content-Length: +3\r\n\r\nabc" + SECOND),
    ("CL 3, 3", "POST /metrics HTTP/1.1\r\n" + H + "Content-Length: 3, 3\r\n\r\nabc" + SECOND),
    ("CL -1", "POST /metrics HTTP/1.1\r\n" + H + "Content-Length: -1\r\n\r\n" + SECOND),
    ("two Host", "GET /livez HTTP/1.1\r\n" + H + "Host: other\r\n\r\n" + SECOND),
    ("no Host", "GET /livez HTTP/1.1\r\n\r\n" + SECOND),
    ("somebody else's Host", "GET /livez HTTP/1.1\r\nHost: evil.example\r\n\r\n" + SECOND),
    ("a Host that begins like ours", "GET /livez HTTP/1.1\r\nHost: 127.0.0.1.evil.example\r\n\r\n" + SECOND),
    ("%00 in the path", "GET /livez%00/x HTTP/1.1\r\n" + H + "\r\n" + SECOND),
    ("%0a in the path", "GET /livez%0aX HTTP/1.1\r\n" + H + "\r\n" + SECOND),
    ("an incomplete escape", "GET /livez%4 HTTP/1.1\r\n" + H + "\r\n" + SECOND),
    ("an absolute target", "GET http://localhost/livez HTTP/1.1\r\n" + H + "\r\n" + SECOND),
    ("a chunk of 0x3", "POST /metrics HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\n\r\n0x3\r\nabc\r\n0\r\n\r\n" + SECOND),
    ("HTTP/1.0 with TE", "POST /metrics HTTP/1.0\r\n" + H + "Transfer-Encoding: chunked\r\n\r\n" + CHUNKS + SECOND),
    ("a control character in a value", "GET /livez HTTP/1.1\r\n" + H + "X-A: a\x01b\r\n\r\n" + SECOND),
    ("a name with a bracket", "GET /livez HTTP/1.1\r\n" + H + "X(A): b\r\n\r\n" + SECOND),
    ("too many headers", "GET /livez HTTP/1.1\r\n" + H + "".join("X-%d: 1\r\n" % i for i in range(200)) + "\r\n" + SECOND),
    ("a body where none is taken", "POST /metrics HTTP/1.1\r\n" + H + "Content-Length: 53\r\n\r\n" + SECOND),
    ("a chunked body where none is taken", "GET /livez HTTP/1.1\r\n" + H + "Transfer-Encoding: chunked\r\n\r\n" + CHUNKS + SECOND),
    ("headers longer than the memory for them", "GET /livez HTTP/1.1\r\n" + H + "X-Long: " + "a" * 70000 + "\r\n\r\n" + SECOND),
    ("a path longer than the memory for it", "GET /" + "a" * 70000 + " HTTP/1.1\r\n" + H + "\r\n" + SECOND),
    ("a path of 9,000 bytes", "GET /" + "a" * 9000 + " HTTP/1.1\r\n" + H + "\r\n" + SECOND),
    ("no HTTP at all", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\r\n\r\n" + SECOND),
]
for what, data in refused:
    out, closed = raw(data.encode("latin-1"))
    statuses = re.findall(rb"HTTP/1\.[01] (\d{3}) ", out)
    # The second request would be answered with 200. The library writes the head of its own refusals twice.
    good = closed and len(set(statuses)) <= 1 and all(s[:1] == b"4" for s in statuses)
    check(what, good, "%s, closed: %s" % (statuses, closed))
    if closed and statuses == [b"400"]:
        check(what + ": says why", len(out.partition(b"\r\n\r\n")[2]) > 10, out)

# What is one request stays one; two good ones on a connection are two.
out, closed = raw((SECOND + "GET /livez HTTP/1.1\r\nHost: 127.0.0.1:%s\r\nConnection: close\r\n\r\n" % port).encode())
check("two requests on one connection", len(re.findall(rb"HTTP/1\.1 200 ", out)) == 2 and closed, out)
out, closed = raw(b"GET /livez HTTP/1.0\r\n\r\n")
check("HTTP/1.0 without Host", out.startswith(b"HTTP/1.") and b" 200 " in out and closed, out)
out, closed = raw(b"GET /livez HTTP/1.1\r\nHost: [::1]:9464\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
check("an empty body", b" 200 " in out, out)

# A connection that says nothing, or half of a request, is not kept for ever.
began = time.monotonic()
out, closed = raw(b"GET /livez HTTP/1.1\r\nHost: loc", wait=60)
check("half of a request", closed and time.monotonic() - began < 45, time.monotonic() - began)
crowd = [socket.create_connection((host, int(port))) for _ in range(150)]
for s in crowd:
    s.close()
check("after a crowd of connections", get("/livez")[0] == 200)

# ---- Paths ----

for path, method, status in [("/livez", "GET", 200), ("/healthz", "GET", 200), ("/readyz", "GET", 200), ("/nothing", "GET", 404),
                             ("/", "GET", 200), ("/livez/", "GET", 404), ("/livez?x=1", "GET", 200), ("/livez", "POST", 405),
                             ("/metrics", "DELETE", 405)]:
    got = get(path, method)
    check("%s %s" % (method, path), got[0] == status, got)
check("Allow", get("/livez", "POST")[1].get("allow") == "GET, HEAD")
status, headers, body = get("/livez", "HEAD")
check("HEAD", status == 200 and body == "" and headers.get("content-length") == "3", (status, headers, body))
status, _, body = get("/readyz?verbose")
check("readyz?verbose", status == 200 and body == "[+] database ok\n[+] running ok\nready\n", body)

# ---- Metrics: the format, and that they move ----

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(r"^(%s)(\{%s(?:,%s)*\})? (NaN|[+-]Inf|-?[0-9.]+(?:e[+-]?[0-9]+)?)$" % (NAME, LABEL, LABEL))


def judge(text):
    """Prometheus' text format 0.0.4: families whole, typed and described, histograms that add up, no sample twice."""
    types, helps, seen, done, current = {}, set(), set(), set(), None
    histograms = {}
    for line in text.split("\n")[:-1]:
        if line.startswith("# HELP "):
            name = line.split(" ", 3)[2]
            assert name not in helps, "HELP twice: " + line
            assert len(line.split(" ", 3)) == 4, "no help: " + line
            helps.add(name)
            done.add(current)
            current = name
            assert name not in done, "not in one piece: " + line
        elif line.startswith("# TYPE "):
            _, _, name, kind = line.split(" ")
            assert name == current and kind in ("counter", "gauge", "histogram"), line
            types[name] = kind
        else:
            match = SAMPLE.match(line)
            assert match, "no sample: " + line
            name, labels, value = match.groups()
            family = current if types[current] != "histogram" else re.sub("_(bucket|sum|count)$", "", name)
            assert family == current and (types[current] == "histogram" or name == current), "of another family: " + line
            assert line.rsplit(" ", 1)[0] not in seen, "twice: " + line
            seen.add(line.rsplit(" ", 1)[0])
            if types[current] == "counter":
                assert name.endswith("_total") and float(value) >= 0, line
            if types[current] == "histogram":
                key = (current, re.sub(r',?le="[^"]*"', "", labels or "").replace("{}", ""))
                histograms.setdefault(key, []).append((name, labels, float(value)))
    assert text.endswith("\n")
    for key, samples in histograms.items():
        buckets = [v for n, _, v in samples if n.endswith("_bucket")]
        assert buckets == sorted(buckets), "buckets fall: %s" % (key,)
        assert 'le="+Inf"' in [s for s in samples if s[0].endswith("_bucket")][-1][1]
        assert buckets[-1] == [v for n, _, v in samples if n.endswith("_count")][0], "count: %s" % (key,)
    return seen


def scrape():
    status, headers, text = get("/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4"), headers
    try:
        judge(text)
        check("the format", True)
    except AssertionError as e:
        check("the format", False, e)
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.split("\n") if line and line[0] != "#"}, text


def until(what, condition, seconds=120):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, _ = scrape()
        if condition(found):
            check(what, True)
            return found
        time.sleep(0.3)
    check(what, False, {k: v for k, v in found.items() if v and not re.search("table|bucket|process_", k)})
    return found


def pawl(*words):
    done = subprocess.run([options.program, *words], capture_output=True, text=True)
    assert done.returncode == 0, "pawl %s: %s%s" % (" ".join(words), done.stdout, done.stderr)
    return done.stdout


class Stub(http.server.BaseHTTPRequestHandler):
    hold = threading.Event()

    def do_GET(self):
        Stub.hold.wait(20)
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    def log_message(self, *_):
        pass


stub = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Stub)
threading.Thread(target=stub.serve_forever, daemon=True).start()

first, text = scrape()
if shutil.which("promtool"):
    said = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
    check("promtool", said.returncode == 0, said.stdout + said.stderr)
else:
    skipped += 1
    print("      skipped: there is no promtool; the format is judged here")
for name in ("pawl_database_up", "pawl_workers", "pawl_jobs_ready", 'pawl_incidents_open{reason="failedJob"}', "pawl_oldest_transaction_seconds",
             "process_resident_memory_bytes", "process_open_fds", 'pawl_table_bytes{table="instance"}'):
    check("there is " + name, name in first)
check("build info", any(k.startswith('pawl_build_info{version="') for k in first))
check("nothing has failed yet", first["pawl_jobs_failed_total"] == 0)

pawl("deploy", options.models + "/tests/server/watched.bpmn", options.models + "/processes/basics/retries.bpmn")
pawl("endpoint", "set", "stub", "http://127.0.0.1:%d" % stub.server_port, "--allow", "127.0.0.0/8")
for i in range(5):
    pawl("start", "watched", "-k", "w-%d" % i)
found = until("calls are under way", lambda m: m["pawl_calls_in_flight"] == 5)
check("instances started", found["pawl_instances_started_total"] == 5, found["pawl_instances_started_total"])
check("none ended", found["pawl_instances_ended_total"] == 0)
Stub.hold.set()
found = until("instances ended", lambda m: m["pawl_instances_ended_total"] == 5)
check("answers", found.get('pawl_connector_requests_total{endpoint="stub",kind="service",outcome="answered"}') == 5)
check("their duration", found.get('pawl_connector_duration_seconds_count{endpoint="stub",kind="service"}') == 5)
check("none under way", found["pawl_calls_in_flight"] == 0)
check("timers", found["pawl_job_lateness_seconds_count"] == 5, found["pawl_job_lateness_seconds_count"])
check("how late they were", 0 < found["pawl_job_lateness_seconds_sum"] < 600, found["pawl_job_lateness_seconds_sum"])
check("boundaries", found["pawl_boundaries_total"] >= 15, found["pawl_boundaries_total"])
check("batch sizes", found["pawl_batch_size_sum"] == found["pawl_boundaries_total"])
check("batches", found["pawl_batch_size_count"] == found["pawl_batches_total"])
check("statements", found["pawl_statements_total"] > first["pawl_statements_total"])

pawl("endpoint", "set", "stub", "http://127.0.0.1:%d" % stub.server_port, "--allow", "127.0.0.0/8", "--rate", "0.01")
for i in range(3):
    pawl("start", "watched", "-k", "q-%d" % i)
until("its circuit", lambda m: m.get('pawl_circuit_state{endpoint="stub",kind="service"}') == 0)
subprocess.run(["psql", "-X", "-q", "-d", os.environ["PAWL_DATABASE"], "-c", "select pawl.set_circuit('stub', 'open')"],
               stdout=subprocess.DEVNULL, check=True)
until("its circuit is open", lambda m: m.get('pawl_circuit_state{endpoint="stub",kind="service"}') == 1)
subprocess.run(["psql", "-X", "-q", "-d", os.environ["PAWL_DATABASE"], "-c", "select pawl.set_circuit('stub', 'auto')"],
               stdout=subprocess.DEVNULL, check=True)
found = until("calls are queued", lambda m: m.get('pawl_endpoint_queued{endpoint="stub",kind="service"}') == 2)

pawl("start", "retries", "-k", "r", "-v", "divisor=4", "-v", "second=0")
found = until("an incident", lambda m: m['pawl_incidents_open{reason="failedJob"}'] == 1)
check("retries", found["pawl_retries_total"] == 19, found["pawl_retries_total"])
check("incidents", found["pawl_incidents_total"] == 1)
check("failures", found["pawl_jobs_failed_total"] == 20, found["pawl_jobs_failed_total"])
rows = subprocess.run(["psql", "-X", "-A", "-t", "-d", os.environ["PAWL_DATABASE"], "-c",
                       "select value from pawl.metrics where name = 'pawl_incidents_open' and labels ->> 'reason' = 'failedJob'"],
                      capture_output=True, text=True).stdout.strip()
check("the same in SQL", rows == "1", rows)

# An open transaction of the engine's is seen to grow old.
holder = subprocess.Popen(["psql", "-X", "-q", "-d", os.environ["PAWL_DATABASE"]], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True,
                          env=dict(os.environ, PGAPPNAME="pawl test"))
print("begin; select txid_current();", file=holder.stdin, flush=True)
until("the oldest transaction", lambda m: m["pawl_oldest_transaction_seconds"] > 2)
holder.communicate("rollback;\n")
until("it is over", lambda m: m["pawl_oldest_transaction_seconds"] < 2)

# What the manual lists is what there is, no more and no less.
listed = set()
with open(options.models + "/docs/operations.md") as manual:
    for row in re.findall(r"^\| (`pawl_.*?) \|", manual.read(), re.M):
        for name in re.findall(r"`(pawl_[^`]+)`", row):
            name = re.sub(r"\{[a-z]+(,kind|,outcome)*\}$", "", name)
            choice = re.search(r"\{(.*)\}", name)
            listed |= {name.replace(choice.group(), one) for one in choice.group(1).split(",")} if choice else {name}
there = set(re.findall(r"^# TYPE (pawl_\S+)", scrape()[1], re.M))
check("metrics as the manual lists them", there == listed, (there - listed, listed - there))

# A look costs little, and many at once ask the database once.
began = time.monotonic()
for i in range(200):
    get("/metrics")
check("200 looks", time.monotonic() - began < 60, time.monotonic() - began)

# ---- What is our fault is told by the log, whatever its SQLSTATE ----

for old, new in (("event_rules", "gone"), ("gone", "event_rules")):
    subprocess.run(["psql", "-X", "-q", "-d", os.environ["PAWL_DATABASE"], "-c", "alter view pawl.%s rename to %s" % (old, new)], check=True)
    status, _, body = get("/v1/rules")
    check("without a view" if new == "gone" else "with it again", status == (500 if new == "gone" else 200), (status, body))
check("its log", "sqlstate=42P01" in open(options.log).read())

# ---- Without the database, and at the end ----


def pg(*words):
    as_who = ["runuser", "-u", options.__dict__["as"], "--"] if options.__dict__["as"] else []
    subprocess.run(as_who + options.stop_database.split() + list(words), cwd="/", stdout=subprocess.DEVNULL, check=True)


pg("-m", "fast", "-w", "-s", "stop")
until("the database is away", lambda m: m["pawl_database_up"] == 0)
status, _, body = get("/readyz")
check("not ready without it", status == 503 and "[-] database failed: " in body and body.endswith("not ready\n"), body)
check("alive without it", get("/livez")[0] == 200)
pg("-l", "/dev/null", "-w", "-s", "start")
found = until("the database is back", lambda m: m["pawl_database_up"] == 1)
until("the engine has noticed", lambda m: m["pawl_reconnects_total"] > 0)
end = time.monotonic() + 60
while get("/readyz")[0] != 200 and time.monotonic() < end:
    time.sleep(0.2)
check("ready again", get("/readyz")[0] == 200, get("/readyz"))

Stub.hold.clear()
pawl("endpoint", "set", "stub", "http://127.0.0.1:%d" % stub.server_port, "--allow", "127.0.0.0/8")
pawl("start", "watched", "-k", "last")
until("one is under way", lambda m: m["pawl_calls_in_flight"] >= 1)
os.kill(int(options.engine), signal.SIGTERM)
end = time.monotonic() + 60
while get("/readyz")[0] == 200 and time.monotonic() < end:
    time.sleep(0.05)
status, _, body = get("/readyz")
check("not ready while it drains", status == 503 and "[-] running failed: it was told to stop" in body, (status, body))
check("alive while it drains", get("/livez")[0] == 200)
before, _ = scrape()
Stub.hold.set()
end = time.monotonic() + 60
while os.path.exists("/proc/%s/fd/0" % options.engine) and time.monotonic() < end:
    time.sleep(0.1)
log = open(options.log).read()
stopped = dict(re.findall(r"(\w+)=(\d+)", log[log.index('msg="stopped"'):])) if 'msg="stopped"' in log else {}
check("the last line counts what came in the drain", int(stopped.get("commands", 0)) > before["pawl_boundaries_total"],
      (stopped, before["pawl_boundaries_total"]))

lost = [line for line in log.split("\n") if " instance=" in line]
check("lines about instances", len(lost) > 10 and all(re.search(r"business_key=\"[^\"]*\" instance=\S+ element=\"[^\"]*\"", x) for x in lost),
      [x for x in lost if " element=" not in x][:3])

print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
raise SystemExit(failed != 0)
