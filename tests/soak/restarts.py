# SPDX-License-Identifier: Apache-2.0
"""Load, restarts of the server, figures, and the audit. Started by restarts.sh."""
import atexit
import os
import signal
import statistics
import subprocess
import sys
import threading
import time

SECONDS, CALM_S, EVERY_S = int(sys.argv[1]), 30, 20
PAWL, ROOT, DIR, BIN = (os.environ[name] for name in ("PAWL", "ROOT", "PG_DIR", "PG_BIN"))
CONNINFO = os.environ["PG_CONNINFO"]
ENV = dict(os.environ, PGOPTIONS="-c search_path=pawl,pg_temp", PSQLRC="/dev/null")
over = threading.Event()
problems = []


def sql(text, check=True):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-d", CONNINFO, "-c", text],
                          text=True, capture_output=True, env=ENV)
    if check and done.returncode != 0:
        raise RuntimeError(done.stderr)
    return done.stdout.strip() if done.returncode == 0 else None


def restart(mode):
    """Returns when the server accepts connections again."""
    command = [BIN + "/pg_ctl", "-D", DIR + "/data", "-m", mode, "-l", DIR + "/log", "-w", "-s", "restart"]
    if os.getuid() == 0:
        command = ["runuser", "-u", "postgres", "--"] + command
    subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def load():
    """The load of the benchmark boundaries; begins again when its connection is lost."""
    while not over.is_set():
        client = subprocess.Popen([BIN + "/pgbench", "-n", "-h", DIR, "-U", "pawl", "-D", "n=2000", "-D", "last=none",
                                   "-M", "prepared", "-c", "6", "-T", "600", "-f", ROOT + "/bench/boundaries/generate.sql", "pawl"],
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while client.poll() is None and not over.is_set():
            time.sleep(0.02)
        client.terminate()
        client.wait()


samples = []  # (when, instances started by the engine so far)


def watch():
    """Each instance that starts has one row in ready, and so one number of its sequence."""
    while not over.is_set():
        began = time.monotonic()
        said = sql("select last_value from ready_id_seq", check=False)
        if said:
            samples.append((began, int(said)))
        time.sleep(max(0.0, 0.25 - (time.monotonic() - began)))


def rate(start, end):
    inside = [s for s in samples if start <= s[0] <= end]
    if len(inside) < 2 or inside[-1][0] - inside[0][0] < 0.5 * (end - start):
        return 0.0
    return (inside[-1][1] - inside[0][1]) / (inside[-1][0] - inside[0][0])


def undisturbed():
    start = time.monotonic()
    time.sleep(CALM_S)
    found = rate(start, time.monotonic())
    print(f"undisturbed, {CALM_S} s: {found:.0f} instances/s, {3 * found:.0f} boundaries/s", flush=True)
    return found


def back(accepting, wanted):
    """Seconds from there to the start of the first second with the wanted rate."""
    at = accepting
    while at < accepting + EVERY_S - 2:
        if rate(at, at + 1) >= wanted:
            return at - accepting
        at += 0.25
    return None


def must(what, expected, found):
    if expected != found:
        problems.append(f"{what}: expected {expected}, found {found}")


def audit():
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if sql("select not exists (select from instance) and not exists (select from inbox)") == "t":
            break
        time.sleep(0.5)
    for table in ("instance", "ready", "timer", "inbox", "incident"):
        must(f"rows left in {table}", "0", sql(f"select count(*) from {table}"))
    must("elements not passed once by an instance", "0", sql("""select count(*) from (select instance_id from api_event
        group by 1 having count(*) filter (where kind = 1) <> 1 or count(*) filter (where kind = 2) <> 1
        or count(*) filter (where kind = 4 and node between 1 and 3) <> 3) x"""))


def main():
    subprocess.run([PAWL, "migrate", "--database", CONNINFO], check=True, stdout=subprocess.DEVNULL)
    log = open(DIR + "/engine.log", "a")
    engine = subprocess.Popen([PAWL, "up", "--database", CONNINFO, "--data", DIR + "/node"], stdout=log, stderr=log)
    atexit.register(engine.kill)  # however this ends
    subprocess.run([PAWL, "deploy", ROOT + "/processes/three-tasks/three-tasks.bpmn", "--database", CONNINFO],
                   check=True, stdout=subprocess.DEVNULL)
    threads = [threading.Thread(target=load), threading.Thread(target=watch)]
    for thread in threads:
        thread.start()
    time.sleep(5)
    before = undisturbed()
    if before == 0:
        raise SystemExit("FAILED  nothing was started: see the load's own messages, bench/boundaries/generate.sql by hand")

    begin, accepted, away = time.monotonic(), [], []
    while time.monotonic() < begin + SECONDS - EVERY_S / 2:
        mode = ("fast", "immediate")[len(accepted) % 2]
        asked = time.monotonic()
        restart(mode)
        accepted.append((time.monotonic(), mode))
        away.append(time.monotonic() - asked)
        time.sleep(max(0.0, asked + EVERY_S - time.monotonic()))
    end = time.monotonic()
    after = undisturbed()
    calm = (before + after) / 2  # whatever else the machine does changes in the minutes between
    over.set()
    for thread in threads:
        thread.join()
    disturbed = rate(begin, end)
    print(f"restarted every {EVERY_S} s, {end - begin:.0f} s: {disturbed:.0f} instances/s, "
          f"{disturbed / calm:.2f} of the undisturbed rate; the server was away for {sum(away):.1f} s "
          f"({sum(away) / (end - begin):.2f} of the time)")
    times = [back(at, 0.9 * calm) for at, _ in accepted]
    known = sorted(t for t in times if t is not None)
    for (_, mode), gone, t in zip(accepted, away, times):
        print(f"  {mode:9} away {gone:5.2f} s, back at 90 % " + ("not in this round" if t is None else f"after {t:.2f} s"))
    if known:
        print(f"back at 90 % of the rate: median {statistics.median(known):.2f} s, most {known[-1]:.2f} s after it accepts "
              f"connections, in {len(known)} of {len(times)} rounds")
    audit()
    engine.send_signal(signal.SIGTERM)
    must("the engine's exit status", 0, engine.wait(60))
    for problem in problems:
        print("FAILED ", problem)
    if not problems:
        print("ok")
    return 1 if problems else 0


try:
    sys.exit(main())
finally:
    over.set()
