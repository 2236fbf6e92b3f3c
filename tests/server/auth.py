#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Who may, over HTTP: no credentials, wrong ones, tokens, passwords, tenants, rights. PAWL, PAWL_DATABASE and
PAWL_SCHEMA say where; the argument is the server's address, which asks who one is."""
import base64
import http.client
import json
import os
import re
import subprocess
import sys
import threading
import time

ENGINE = int(os.environ["ENGINE"])
HOST, PORT = sys.argv[1].rsplit(":", 1)
PAWL = os.environ["PAWL"]
passed = failed = 0


def check(what, good, seen=""):
    global passed, failed
    if good:
        passed += 1
    else:
        failed += 1
        print("FAILED %s: %s" % (what, seen))


def pawl(*arguments, stdin=None):
    done = subprocess.run([PAWL, *arguments], input=stdin, capture_output=True, text=True)
    return done.returncode, done.stdout.strip(), done.stderr


def ask(method, path, credentials=None, body=None, source=None, forwarded=None):
    connection = http.client.HTTPConnection(HOST, int(PORT), timeout=90, source_address=source and (source, 0))
    headers = {"Content-Type": "application/json"} if body is not None else {}
    if forwarded:
        headers["X-Forwarded-For"] = forwarded
    if credentials:
        headers["Authorization"] = credentials
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    text = answer.read().decode()
    connection.close()
    kind = answer.getheader("Content-Type") or ""
    return answer.status, json.loads(text) if "json" in kind else text, answer


def cpu():
    """What the engine has computed so far, in seconds: others' work beside it does not count."""
    return time.clock_gettime(~ENGINE << 3 | 2)  # what clock_getcpuclockid(3) makes of a process


def basic(name, password):
    return "Basic " + base64.b64encode(("%s:%s" % (name, password)).encode()).decode()


def start(credentials, process="waits", **more):
    return ask("POST", "/v1/processes/%s/start" % process, credentials, more)


# ---- users, by the command line ----
code, out, err = pawl("user", "add", "root", "--rights", "admin", "--password-file", "-", stdin="correct horse\n")
check("user add", code == 0 and out == "root", (code, out, err))
code, out, err = pawl("user", "add", "short", "--password-file", "-", stdin="1234\n")
check("a short password", code == 1 and "8 to 1024" in err, (code, err))
code, out, err = pawl("user", "add", "anna")
check("without a password", code == 0 and "no password" in err, (code, err))
code, out, err = pawl("user", "add", "anna")
check("twice", code == 1 and "there already" in err, (code, err))
pawl("user", "add", "reader", "--rights", "read")
pawl("user", "add", "north", "--tenants", "north")
tokens = {}
for name in ("anna", "reader", "north"):
    code, tokens[name], err = pawl("user", "token", name, "test")
    check("a token of " + name, code == 0 and tokens[name].startswith("pawl_"), (code, err))
anna, reader, north = ("Bearer " + tokens[name] for name in ("anna", "reader", "north"))
code, out, err = pawl("user", "list")
check("user list", "anna" in out and "start, work, read" in out.replace("read, start, work", "start, work, read"), out)
check("no token is kept", tokens["anna"] not in pawl("user", "list", "-o", "json")[1])

# ---- who one is ----
status, body, answer = start(None)
check("no credentials", status == 401 and body["status"] == 401, (status, body))
check("how to identify", "Bearer" in (answer.getheader("WWW-Authenticate") or ""), answer.getheaders())
for what, value in (("an unknown token", "Bearer pawl_" + "x" * 43), ("no token", "Bearer "), ("another scheme", "Digest x"),
                    ("no base64", "Basic %%%"), ("no colon", "Basic " + base64.b64encode(b"root").decode()),
                    ("a wrong password", basic("root", "wrong horse")), ("an unknown name", basic("nobody", "correct horse")),
                    ("a user without a password", basic("anna", "correct horse")), ("an empty name", basic("", "correct horse")),
                    ("a NUL", "Basic " + base64.b64encode(b"root:correct horse\0x").decode()),
                    ("no UTF-8", "Basic " + base64.b64encode(b"ro\xff:x").decode())):
    status, body, answer = start(value)
    check(what, status == 401 and "token" in str(body), (status, body))
status, body, answer = start(anna)
check("a token", status == 201, (status, body))
instance = body.get("instanceId")
began = cpu()
status, body, answer = start(basic("root", "correct horse"))
judging = cpu() - began # what a password costs here
check("a password", status == 201, (status, body))
pawl("user", "add", "jürgen", "--rights", "read", "--password-file", "-", stdin="grüne Wiese\n")
for charset in ("utf-8", "latin-1"): # RFC 7617, and what btoa() makes
    status = ask("GET", "/v1/instances", "Basic " + base64.b64encode("jürgen:grüne Wiese".encode(charset)).decode())[0]
    check("a password in " + charset, status == 200, status)
time.sleep(1.1)
began = cpu()
for _ in range(10):
    status, body, answer = start(basic("root", "correct horse"))
    check("a password again", status == 201, (status, body))
check("judged once", cpu() - began < 5 * judging, (cpu() - began, judging))

# ---- what one may ----
status, body, answer = start(reader)
check("a reader starts nothing", status == 403 and body["code"] == "42501", (status, body))
status, body, answer = ask("GET", "/v1/instances/%s" % instance, reader)
check("a reader reads", status == 200, (status, body))
status, body, answer = ask("POST", "/v1/instances/%s/cancel" % instance, anna, {})
check("cancelling is for administrators", status == 403, (status, body))
event = {"events": [{"source": "s", "detailType": "t", "detail": {"secret": "anna's"}}]}
check("a reader puts no events", ask("POST", "/v1/events", reader, event)[0] == 403)
check("who starts puts them", ask("POST", "/v1/events", anna, event)[0] == 202)
check("another tenant sees none", ask("GET", "/v1/events", north)[:2] == (200, {"items": [], "next": None}))
check("a reader sees them", "anna's" in str(ask("GET", "/v1/events", reader)[1]))
check("rules are for administrators", [ask(m, p, anna, b)[0] for m, p, b in (("PUT", "/v1/rules/r", {"pattern": {"source": ["s"]}, "targets": []}),
      ("DELETE", "/v1/rules/r", None), ("PUT", "/v1/buses/b", {}), ("POST", "/v1/events/replay", {"state": "all"}))] == [403] * 4)
status, body, answer = start(north)
check("another tenant has no such process", status == 404 and body["code"] == "PW001", (status, body))
status, body, answer = ask("GET", "/v1/instances/%s" % instance, north)
check("nor such an instance", status == 404, (status, body))
status, body, answer = ask("GET", "/v1/instances", north)
check("nor any", status == 200 and instance not in json.dumps(body), (status, body))
status, body, answer = ask("GET", "/v1/outcomes/%s" % instance, north)
check("nor its outcome", status == 404, (status, body))
status, body, answer = ask("GET", "/metrics")
check("whoever watches from this machine needs no user", status == 200 and "pawl_" in body, status)
check("who reads one tenant does not see what concerns all", [ask("GET", "/metrics", who)[0] for who in (reader, north)] == [403, 403])
pawl("user", "add", "watcher", "--rights", "read", "--tenants", "*")
status, body, answer = ask("GET", "/metrics", "Bearer " + pawl("user", "token", "watcher", "test")[1])
check("who reads all of them does", status == 200 and "pawl_" in body, status)
check("health needs none", ask("GET", "/livez")[0] == 200)
pawl("user", "grant", "anna", "start", "other*")
status, body, answer = start(anna)
check("a right for some processes", status == 403 and "waits" in str(body), (status, body))
pawl("user", "revoke", "anna", "start", "other*")
status, body, answer = start(anna)
check("and for all again", status == 201, (status, body))

# ---- each operation, for who has another right ----
api = ask("GET", "/openapi.json")[1]
ID = "01234567-89ab-7def-8123-456789abcdef"
for right in ("author", "start", "work", "read"):
    pawl("user", "add", "only-" + right, "--rights", right)
    tokens[right] = "Bearer " + pawl("user", "token", "only-" + right, "test")[1]
judged = 0
for path, methods in api["paths"].items():
    for method, operation in methods.items():
        if not operation["description"].startswith("Right:"):
            continue
        may = operation["description"].partition(":")[2].replace(" or", "").split()
        here = re.sub("{[^}]*}", ID, path)
        body = {} if "requestBody" in operation else None
        if "application/json" not in operation.get("requestBody", {"content": {"application/json": {}}})["content"]:
            continue # its Content-Type is judged first
        answer = ask(method.upper(), here, None, body)
        check("%s %s of nobody" % (method, path), answer[0] == (200 if path == "/metrics" else 401), answer[:2])
        for right in ("author", "start", "work", "read"):
            if right not in may:
                judged += 1
                answer = ask(method.upper(), here, tokens[right], body)
                check("%s %s of who may %s" % (method, path, right), answer[0] == 403, answer[:2])
check("all of them", judged > 300, judged)

# ---- secrets are shown once, to administrators of everything ----
admin = basic("root", "correct horse")
status, body, answer = ask("POST", "/v1/users", admin, {"name": "dora", "rights": ["start"], "password": "staple battery"})
check("an administrator makes a user", status == 201, (status, body))
check("who comes in", start(basic("dora", "staple battery"))[0] == 201)
check("who she is", ask("GET", "/v1/me", basic("dora", "staple battery"))[1] == {"name": "dora", "rights": ["start"], "tenants": [""], "limits": {}})
token = ask("POST", "/v1/users/dora/tokens", admin, {"name": "t"})[1]["token"]
check("her token", start("Bearer " + token)[0] == 201)
check("shown once", token not in json.dumps(ask("GET", "/v1/users/dora", admin)[1]))
check("a new password", ask("PATCH", "/v1/users/dora", admin, {"password": "horse battery"})[0] == 200)
pawl("user", "add", "some", "--rights", "admin,read")
pawl("user", "grant", "some", "admin", "other*")
some = "Bearer " + pawl("user", "token", "some", "test")[1]
check("who administers some processes sees no users", [ask("GET", "/v1/users", some)[1], ask("GET", "/v1/users/dora", some)[0]] == [{"items": []}, 404])
check("and makes none", [ask("POST", "/v1/users", some, {"name": "x"})[0], ask("POST", "/v1/users/dora/tokens", some, {"name": "x"})[0]] == [403, 403])
check("nor endpoints", ask("PUT", "/v1/endpoints/x", some, {"baseUrl": "http://x.example"})[0] == 403)
check("his limits", ask("GET", "/v1/me", some)[1]["limits"] == {"admin": ["other*"]}, ask("GET", "/v1/me", some))

# ---- outcomes of processes that one has nothing to do with ----
pawl("user", "add", "once", "--rights", "start,read")
for right in ("start", "read"):
    pawl("user", "grant", "once", right, "at-once")
once = "Bearer " + pawl("user", "token", "once", "test")[1]
own = start(once, "at-once")[1]["instanceId"]
other = start(admin)[1]["instanceId"]
status, command, answer = ask("POST", "/v1/instances/%s/suspend?await=10s" % other, admin, {})
check("a command of an administrator", command.get("state") == "done", command)
status, refused, answer = ask("POST", "/v1/instances/%s/skip?await=10s" % other, admin, {"element": "nowhere"})
check("and one that is refused", refused.get("state") == "refused", refused)
for what, subject in (("his own instance", own), ("another process's", other), ("a command to it", command["commandId"]),
                      ("a refused one", refused["commandId"])):
    wanted = (200, 200) if subject == own else (404, 200)
    seen = tuple(ask("GET", "/v1/outcomes/%s?wait=50ms" % subject, who)[0] for who in (once, admin))
    check("outcome of " + what, seen == wanted, seen)
ask("POST", "/v1/instances/%s/cancel?await=10s" % other, admin, {})
seen = [ask("GET", "/v1/outcomes/%s" % other, who)[:2] for who in (once, admin)]
check("of what has ended", (seen[0][0], seen[1][1].get("state")) == (404, "cancelled"), seen)
status, body, answer = ask("PUT", "/v1/rules/r?await=10s", admin, {"pattern": {"source": ["s"]}, "targets": []})
check("of a rule, in its tenant", body.get("state") == "done" and ask("GET", "/v1/outcomes/" + body["commandId"], north)[0] == 404, body)
pawl("user", "add", "northern", "--rights", "admin", "--tenants", "north")
northern = "Bearer " + pawl("user", "token", "northern", "test")[1]
status, body, answer = ask("PUT", "/v1/buses/n", northern, {})
status, body, answer = ask("PUT", "/v1/rules/r?bus=n&await=10s", northern, {"pattern": {"source": ["s"]}, "targets": []})
check("and in another", body.get("state") == "done" and ask("GET", "/v1/outcomes/" + body["commandId"], northern)[1].get("state") == "done", body)

# ---- messages of who may start some processes only: those that reach no others ----
pawl("user", "grant", "once", "start", "mine")
take = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "waits.bpmn")).read()
take = re.sub('<process id="at-once".*?</process>', "", take, flags=re.S).replace('id="waits"', 'id="mine"').replace('name="go"', 'name="mine"')
status, body, answer = ask("POST", "/v1/deployments", admin, {"resources": [{"name": "mine.bpmn", "content": take}]})
check("his process", status == 201, body)
waiting = start(once, "mine", businessKey="m-1")[1]["instanceId"]
for path, body, wanted in (("/messages", {"message": "go", "key": "x"}, 403), ("/messages/correlate", {"message": "go", "key": "x"}, 403),
                           ("/messages", {"message": "nobody's"}, 403), ("/messages", {"message": "mine", "key": "m-2", "ttl": "1 min"}, 202),
                           ("/messages/correlate?await=10s", {"message": "mine", "key": "m-1"}, 202)):
    status, body, answer = ask("POST", "/v1" + path, once, body)
    check("%s: %s" % (path, body), status == wanted and (status == 202 or "may not" in body["detail"]), (status, body))
check("it has come", body.get("state") == "done" and ask("GET", "/v1/outcomes/%s?wait=10s" % waiting, once)[1].get("state") == "completed", body)
status, body, answer = ask("POST", "/v1/deployments", admin, {"resources": [
    {"name": "any.bpmn", "content": take.replace('id="mine"', 'id="any"').replace('name="mine"', 'name="${businessKey}"')}]})
check("who takes any message", status == 201, body)
status, body, answer = ask("POST", "/v1/messages", once, {"message": "mine", "key": "m-3"})
check("may take that, too", status == 403 and "any" in body["detail"], (status, body))

# ---- who may deploy some processes only ----
model = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "waits.bpmn")).read()
pawl("user", "add", "author", "--rights", "author,read")
pawl("user", "grant", "author", "author", "other*")
author = "Bearer " + pawl("user", "token", "author", "test")[1]
files = {"resources": [{"name": "waits.bpmn", "content": model + "<!-- changed -->"}]}
status, body, answer = ask("POST", "/v1/deployments", author, files)
check("a process that is not his", "may not deploy the process 'waits'" in json.dumps(body), (status, body))
for process in ("wai*", "*once"):
    pawl("user", "grant", "author", "author", process)
status, body, answer = ask("POST", "/v1/deployments", author, files)
check("and one that is", "active" in json.dumps(body), (status, body))
pawl("user", "add", "editor", "--rights", "author")
editor = "Bearer " + pawl("user", "token", "editor", "test")[1]
check("who may only deploy comes in from the editor", ask("GET", "/engine-rest/deployment?maxResults=0", editor)[:2] == (200, []))
check("deploying is for authors", ask("POST", "/v1/deployments", anna, files)[0] == 403)

# ---- changes count soon, for who waits for work, too ----
work = open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "fetched.bpmn")).read()
check("work to fetch", ask("POST", "/v1/deployments", admin, {"resources": [{"name": "fetched.bpmn", "content": work}]})[0] == 201)
pawl("user", "add", "worker", "--rights", "work")
workers = ["Bearer " + pawl("user", "token", "worker", name)[1] for name in ("fired", "kept")]
waits = {}


def wait_for_work(who):
    waits[who] = ask("POST", "/v1/external-tasks/fetch?wait=60s", who, {"workerId": "w", "topics": ["work"]})[:2]


threads = [threading.Thread(target=wait_for_work, args=(who,)) for who in workers]
for thread in threads:
    thread.start()
    time.sleep(0.5) # the one who will be fired is the first in line
pawl("user", "token", "worker", "fired", "--drop")
time.sleep(2.2)
work = start(admin, "fetched")[1]["instanceId"]
for thread in threads:
    thread.join()
check("who was fired gets no work", waits[workers[0]][0] == 401, waits[workers[0]])
check("the next one does", [t["instanceId"] for t in waits[workers[1]][1].get("items", [])] == [work], waits[workers[1]])
pawl("user", "set", "anna", "--rights", "read")
pawl("user", "token", "reader", "test", "--drop")
code, out, err = pawl("user", "passwd", "root", stdin="battery staple\n")
check("user passwd", code == 0, err)
time.sleep(1.2)
check("a right that was taken away", start(anna)[0] == 403)
check("a token that was revoked", ask("GET", "/v1/instances", reader)[0] == 401)
check("the old password", start(basic("root", "correct horse"))[0] == 401)
check("the new one", start(basic("root", "battery staple"))[0] == 201)
pawl("user", "set", "root", "--disable")
time.sleep(1.2)
check("a disabled user", start(basic("root", "battery staple"))[0] == 401)
pawl("user", "set", "root", "--enable")

# ---- many at once, and guessing ----
seen = []
threads = [threading.Thread(target=lambda: seen.append(ask("GET", "/v1/instances", anna)[0])) for _ in range(20)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
check("twenty at once", seen == [200] * 20, seen)
for i in range(12):
    start(basic("guess", "password %d" % i))
began = cpu()
for i in range(20):
    check("a guess", start(basic("guess", "password %d" % (i + 12)))[0] == 401)
check("refused unseen", cpu() - began < 10 * judging, (cpu() - began, judging))

# ---- one who guesses many names gets no more tries, and shuts out nobody whose credentials were right a while ago ----
check("known", start(basic("root", "battery staple"))[0] == 201)
time.sleep(1.1) # it would be looked up again
for i in range(300):
    start(basic("name %d" % i, "x"))
began = cpu()
for i in range(10):
    check("another guess", start(basic("guess", "password 99"))[0] == 401)
check("guesses of other names do not wash it away", cpu() - began < 5 * judging, (cpu() - began, judging))
check("nobody guesses tokens", start("Bearer " + pawl("user", "token", "root", "late")[1])[0] == 201)
check("whoever was known comes in", start(basic("root", "battery staple"))[0] == 201)

# ---- behind a proxy: who it asks for, whatever he has written into the header himself ----
PROXY, A, B = "127.0.0.9", "203.0.113.7", "2001:db8::7" # of the first one the server says that it is believed
for name in ("eve", "fay", "gil"):
    check("user " + name, pawl("user", "add", name, "--rights", "read", "--password-file", "-", stdin=name + "'s password\n")[0] == 0)


def log_in(name, password=None, **how):
    return ask("GET", "/v1/me", basic(name, password or name + "'s password"), **how)[0]


for i in range(12):
    log_in("eve", "guess %d" % i, source=PROXY, forwarded=A)
check("who guesses is refused unseen", log_in("eve", source=PROXY, forwarded=A) == 401)
check("and whatever else he says of himself", log_in("eve", source=PROXY, forwarded="198.51.100.1, " + A) == 401)
check("nobody else behind the proxy is", log_in("eve", source=PROXY, forwarded="%s, %s" % (A, B)) == 200)
for i in range(12):
    log_in("fay", "guess %d" % i, source=PROXY, forwarded="198.51.100.%d, %s" % (i, B))
check("guessing from many places that he has made up", log_in("fay", source=PROXY, forwarded="198.51.100.99, " + B) == 401)
for i in range(12):
    log_in("gil", "guess %d" % i, source="127.0.0.8", forwarded="198.51.100.%d" % i)
check("who is no proxy is not believed", log_in("gil", source="127.0.0.8", forwarded="198.51.100.99") == 401)
check("nor counted with others", log_in("gil", source="127.0.0.7") == 200)
check("metrics for this machine", ask("GET", "/metrics", source=PROXY)[0] == 200)
check("but not for whom a proxy asks", [ask("GET", "/metrics", source=PROXY, forwarded=f)[0] for f in (A, "127.0.0.1", "unknown")] == [401, 401, 401])

# ---- who reads for long keeps nobody from being let in ----
def sql(text):
    return subprocess.run(["psql", "-XAtq", "-d", os.environ["PAWL_DATABASE"], "-c", "set search_path = \"%s\"" % os.environ["PAWL_SCHEMA"],
                           "-c", text], check=True, capture_output=True, text=True).stdout.strip()



# Both of the desk's readers read for as long as somebody has a lock: until the third has been let in.
quick = "Bearer " + pawl("user", "token", "root", "quick")[1]
holder = subprocess.Popen(["psql", "-XAtq", "-d", os.environ["PAWL_DATABASE"]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
print("select 'held' from pg_advisory_lock(7);", file=holder.stdin, flush=True)
holder.stdout.readline()
sql("""create function as_long_as_it_takes() returns boolean language plpgsql as $$ begin
           while not pg_try_advisory_xact_lock_shared(7) loop perform pg_sleep(0.05); end loop; return true; end $$;
       create policy slow on deployment as restrictive using ((select as_long_as_it_takes()))""")
slow = [threading.Thread(target=ask, args=("GET", "/v1/deployments", author)) for _ in range(2)]
for thread in slow:
    thread.start()
deadline = time.monotonic() + 60
while sql("select count(*) from pg_stat_activity where application_name = 'pawl desk, reads' and wait_event = 'PgSleep'") != "2" and time.monotonic() < deadline:
    time.sleep(0.05)
status = start(quick)[0]
check("nobody waits for those who read", status == 201 and all(thread.is_alive() for thread in slow), status)
holder.stdin.close()
for thread in slow:
    thread.join()
sql("drop policy slow on deployment; drop function as_long_as_it_takes()")

# ---- who did what ----
def audit():
    sql = "select kind, actor, coalesce(subject, ''), address, detail ->> 'times' from audit where kind in ('loginRefused', 'forbidden', 'userCreated')"
    return subprocess.run(["psql", "-XAtq", "-d", os.environ["PAWL_DATABASE"], "-c", "set search_path = \"%s\"" % os.environ["PAWL_SCHEMA"],
                           "-c", sql], capture_output=True, text=True).stdout

deadline = time.monotonic() + 60
while time.monotonic() < deadline and not all("loginRefused|" + name in audit() for name in ("guess", "gil")):
    time.sleep(0.1)
trail = audit()
for line in ("loginRefused|root||127.0.0.1", "loginRefused|nobody||127.0.0.1", "loginRefused|guess||127.0.0.1",
             "forbidden|reader|/v1/processes/{key}/start|127.0.0.1", "userCreated|", "loginRefused|eve||" + A,
             "loginRefused|fay||" + B, "loginRefused|gil||127.0.0.8"):
    check("the audit trail has " + line, line in trail, trail)
check("nor what was made up", "198.51.100" not in trail)
log = open(os.environ["LOG"]).read()
check("the log has the same", re.search('msg="request" .*address=%s .*status=401' % A, log) is not None)
check("no password is in it", "horse" not in trail and "pawl_" not in trail)
print("%d passed, %d failed, 0 skipped" % (passed, failed))
sys.exit(failed > 0)
