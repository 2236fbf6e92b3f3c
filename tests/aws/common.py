# SPDX-License-Identifier: Apache-2.0
"""What the files of tests/aws/ share: checks that count, a look into the database, callbacks to answer."""
import http.client
import json
import os
import subprocess
import time


class Tally:
    passed = failed = 0


def check(what, good, detail=""):
    if good:
        Tally.passed += 1
    else:
        Tally.failed += 1
        print("FAIL  %s: %s" % (what, str(detail)[:600]))


def end():
    print("%d passed, %d failed" % (Tally.passed, Tally.failed))
    raise SystemExit(Tally.failed != 0)


def sql(text):
    out = subprocess.run([os.environ["PG_BIN"] + "/psql", "-XqAt", "-v", "ON_ERROR_STOP=1", os.environ["PAWL_DATABASE"]],
                         input="set search_path = pawl; " + text, capture_output=True, text=True)
    if out.returncode:
        raise AssertionError(out.stderr)
    return out.stdout.strip()


def becomes(what, query, wanted, seconds=120):
    until = time.monotonic() + seconds
    got = None
    while time.monotonic() < until:
        got = sql(query)
        if got == wanted:
            break
        time.sleep(0.05)
    check(what, got == wanted, got)


def token(key, process="wait"):
    """Starts a process that waits, and tells its token."""
    instance = sql("select instance_id from start('%s', '%s')" % (process, key))
    for _ in range(4000):
        found = sql("select api_callback_token(callback_id) from callbacks where instance_id = '%s'" % instance)
        if found:
            return found
        time.sleep(0.03)
    raise AssertionError("%s does not wait" % key)


def ask(address, path, body, headers, method="POST"):
    """(status, headers in lower case, body)"""
    connection = http.client.HTTPConnection(address, timeout=20)
    connection.request(method, path, body, headers)
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    try:
        raw = json.loads(raw)
    except ValueError:
        pass
    return answer.status, {k.lower(): v for k, v in answer.getheaders()}, raw
