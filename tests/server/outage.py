# SPDX-License-Identifier: Apache-2.0
"""What clients are told while the database fails them: 503 and when to try again, never 500; and nothing lasts.

  python3 outage.py ADDRESS PROGRAM LOG"""
import base64
import json
import os
import re
import subprocess
import sys
import threading
import time

from client import Server, check, end, sql

address, program, log = sys.argv[1:]
subprocess.run([program, "user", "add", "anna", "--rights", "admin", "--password-file", "-"], input="correct horse\n", text=True,
               check=True, stdout=subprocess.DEVNULL)
token = subprocess.run([program, "user", "token", "anna", "t"], text=True, check=True, capture_output=True).stdout.strip()
BASIC = {"Authorization": "Basic " + base64.b64encode(b"anna:correct horse").decode()}
BEARER = {"Authorization": "Bearer " + token}
STARTS = "/v1/processes/waits/start"


def elsewhere(text):
    """In another database of the same server."""
    subprocess.run(["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", re.sub(r"dbname=\S+", "", os.environ["PAWL_DATABASE"]) + " dbname=template1",
                    "-c", text], check=True, stdout=subprocess.DEVNULL)


def is_503(answer):
    """Also that a client knows whether it may try again: what may have happened has no Retry-After."""
    return answer.status == 503 and ("retry-after" in answer.headers) != (answer.body["code"] == "08007")


def until_good(what, seconds=60):
    last = time.monotonic() + seconds
    while (answer := what()).status not in (200, 201) and time.monotonic() < last:
        time.sleep(0.05)
    return answer


server = Server(address)
for who in (BASIC, BEARER):
    answer = server.ask("GET", "/v1/me", headers=who)
    check("who comes in", answer.status == 200 and answer.body["name"] == "anna", answer)

# ---- Refused at the commit: by a trigger that says what PostgreSQL says of itself ----

for state, words in (("40001", "another transaction"), ("57014", "took too long"), ("53100", "lacks"), ("25006", "takes no changes")):
    sql("create function fail() returns trigger language plpgsql as $$ begin raise 'as PostgreSQL would' using errcode = '%s'; end $$" % state)
    sql("create constraint trigger fail after insert on inbox deferrable initially deferred for each row execute function fail()")
    answer = server.ask("POST", STARTS, {}, BASIC)
    check("a commit that fails with " + state, is_503(answer) and answer.body["code"] == state and words in answer.body["detail"], answer)
    sql("drop trigger fail on inbox")
    sql("drop function fail()")
check("it is in the log", "sqlstate=53100" in open(log).read())
check("no trace of it", server.ask("POST", STARTS, {}, BEARER).status == 201)

# ---- The same of a statement that only reads: a login ----

for state in ("53200", "58030", "57014", "XX000"):
    sql("alter table account rename to account_kept")
    sql("create function fail() returns boolean language plpgsql as $$ begin raise 'as PostgreSQL would' using errcode = '%s'; end $$" % state)
    sql("create view account as select * from account_kept where fail()")
    time.sleep(1.1) # what was right counts for a second
    answer = Server(address).ask("GET", "/v1/me", headers=BASIC)
    if state == "XX000": # this one is a bug, and the log says which
        check("a bug", answer.status == 500 and "query=http_credentials sqlstate=XX000" in open(log).read(), answer)
    else:
        check("a login that fails with " + state, is_503(answer) and answer.body["code"] == state, answer)
    sql("drop view account")
    sql("drop function fail()")
    sql("alter table account_kept rename to account")
check("a login afterwards", until_good(lambda: Server(address).ask("GET", "/v1/me", headers=BASIC)).status == 200)

# ---- The database is away ----

name = sql("select current_database()")
elsewhere("alter database %s allow_connections false" % name)
elsewhere("select pg_terminate_backend(pid) from pg_stat_activity where datname = '%s'" % name)
time.sleep(1.1)
for method, path, body in (("GET", "/v1/me", None), ("POST", STARTS, {}), ("GET", "/v1/instances", None),
                           ("POST", "/v1/external-tasks/fetch?wait=5s", {"workerId": "w", "topics": ["t"]})):
    for who in (BASIC, BEARER):
        answer = Server(address).ask(method, path, body, who)
        check("%s %s without a database" % (method, path), is_503(answer) and answer.body["code"] == "57P03", answer)
elsewhere("alter database %s allow_connections true" % name)
check("it is back", until_good(lambda: Server(address).ask("POST", STARTS, {}, BASIC)).status == 201)

# ---- Sessions are taken away, and statements cancelled, while many come in ----

seen, wrong, stop = {}, [], time.monotonic() + 3


def come_in(who):
    i = 0
    while time.monotonic() < stop:
        i += 1
        answer = Server(address).ask("POST" if i % 2 else "GET", STARTS if i % 2 else "/v1/me", {} if i % 2 else None, who)
        seen[answer.status] = seen.get(answer.status, 0) + 1
        if answer.status not in (200, 201) and not is_503(answer):
            wrong.append(answer)


threads = [threading.Thread(target=come_in, args=(who,)) for who in (BASIC, BEARER) * 3]
for thread in threads:
    thread.start()
chaos = subprocess.Popen(["psql", "-XAtq", "-d", os.environ["PAWL_DATABASE"]], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
n = 0
while time.monotonic() < stop:
    n += 1
    chaos.stdin.write("select pg_%s_backend(pid) from pg_stat_activity where application_name like 'pawl desk%%';\n"
                      % ("terminate" if n % 20 == 0 else "cancel"))
    chaos.stdin.flush()
    time.sleep(0.005)
chaos.communicate()
for thread in threads:
    thread.join()
check("never anything but 503", wrong == [], wrong[:3])
check("many came in", seen.get(200, 0) + seen.get(201, 0) > 10, seen)
check("all do afterwards", until_good(lambda: Server(address).ask("POST", STARTS, {}, BASIC)).status == 201)
end()
