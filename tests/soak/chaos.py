#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Nodes, clients, bad luck, and the audit. Started by chaos.sh; prints figures and what is wrong."""
import os
import random
import signal
import subprocess
import sys
import threading
import time

MODEL, SECONDS, SEED = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
PAWL, DIR = os.environ["PAWL"], os.environ["PG_DIR"]
CONNINFO, ADMIN = os.environ["PG_CONNINFO"], os.environ["PG_ADMIN"]
NODES, CLIENTS, KEYS = 2, 3, 40
# One try in ten fails.
BOOKED = """create table booked (instance uuid not null);
    select set_sql_delegate('book', 'with dice as (select 1 / (random() * 5)::integer as good) insert into booked
        select ($1 ->> ''instance'')::uuid from dice where good is not null returning 1', '{"searchPath": "pawl, pg_temp"}')"""
CALM_S = 60  # after the bad luck everything must end within this
ENV = dict(os.environ, PGOPTIONS="-c search_path=pawl,pg_temp", PSQLRC="/dev/null")
over = threading.Event()
lock = threading.Lock()
seen = {k: [] for k in ("started", "keyed", "completed", "published", "correlated", "commands", "worked", "bulks")}
refused, lost = {}, [0]


def sql(text, conninfo=CONNINFO, check=True):
    done = subprocess.run(["psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-v", "VERBOSITY=verbose",
                           "-d", conninfo, "-f", "-"], input=text, text=True, capture_output=True, env=ENV)
    if done.returncode != 0 and check:
        raise RuntimeError(done.stderr)
    return done.stdout.strip() if done.returncode == 0 else None, done.stderr


def rows(text):
    return [line.split("|") for line in sql(text)[0].splitlines()]


# ---- Nodes ----

class Node:
    def __init__(self, number):
        self.number, self.process, self.stopped = number, None, False

    def start(self):
        log = open(f"{DIR}/node{self.number}.log", "a")
        self.process = subprocess.Popen([PAWL, "up", "--database", CONNINFO, "--data", f"{DIR}/node{self.number}"],
                                        stdout=log, stderr=log)

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.stopped = False

    def signal(self, number):
        self.process.send_signal(number)
        self.stopped = number == signal.SIGSTOP


nodes = [Node(i) for i in range(NODES)]
deaths = []


def watch():
    """A node may end because its server was away for too long; never by a signal that we did not send."""
    for node in nodes:
        code = node.process.poll()
        if code is not None:
            deaths.append((node.number, code))
            node.start()


def server_restart(mode):
    command = [os.environ["PG_BIN"] + "/pg_ctl", "-D", DIR + "/data", "-m", mode, "-l", DIR + "/log", "-w", "-s", "restart"]
    if os.getuid() == 0:
        command = ["runuser", "-u", "postgres", "--"] + command
    subprocess.run(command, cwd="/", check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def bad_luck(dice):
    count = {}
    last_restart = time.monotonic()
    while not over.wait(dice.uniform(0.3, 1.5)):
        watch()
        node = dice.choice(nodes)
        what = dice.choice(("kill", "stop", "terminate", "terminate", "restart"))
        if what == "restart" and time.monotonic() - last_restart < 15:
            what = "terminate"
        count[what] = count.get(what, 0) + 1
        if what == "kill":
            node.kill()
            node.start()
        elif what == "stop":
            node.signal(signal.SIGSTOP)
            over.wait(dice.uniform(0.1, 4))
            node.signal(signal.SIGCONT)
        elif what == "terminate":
            sql("select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'pawl%' "
                "order by random() limit 2", ADMIN, check=False)
        else:
            server_restart(dice.choice(("fast", "immediate")))
            last_restart = time.monotonic()
    return count


# ---- Clients ----

def keep(kind, what):
    with lock:
        seen[kind].append(what)


def ask(text, kind=None, note=None):
    """One transaction. Only what was answered counts as accepted."""
    out, err = sql(text, check=False)
    if out is None:
        code = err.split("ERROR:  ")[1][:5] if "ERROR:  " in err else "lost"
        with lock:
            refused[code] = refused.get(code, 0) + 1
        return None
    if out and kind:
        for line in out.splitlines():
            keep(kind, (line.split("|") if "|" in line else line) if note is None else (note, line))
    return out


def one_of(what, condition="true"):
    return f"(select instance_id from instances where ended is null and {condition} order by random() limit 1) {what}"


def work(number, dice):
    """A worker of external tasks: he answers, fails, or forgets what he has fetched."""
    out = ask(f"select task_id, fence, instance_id from fetch_and_lock('w{number}', "
              "'[{\"topicName\": \"charge\", \"lockDuration\": 1000}]', 5)")
    for line in (out or "").splitlines():
        task, fence, instance = line.split("|")
        what = dice.choice(("complete", "complete", "complete", "fail", "give up", "forget"))
        if what == "complete":
            if ask(f"select complete_external_task('{task}', 'w{number}', '{{}}', {fence})") is not None:
                keep("worked", (task, instance))
        elif what != "forget":
            ask(f"select handle_failure('{task}', 'w{number}', 'no', retries => {int(what == 'fail')}, fence => {fence})",
                "commands")


def by_hand(dice):
    """Suspended, resumed, skipped, moved."""
    what = dice.choice(("suspend", "suspend", "resume", "resume", "skip", "move", "at once", "at once", "many"))
    if what == "suspend":
        ask(f"select suspend(instance_id) from {one_of('i', 'parent_id is null')}", "commands")
    elif what == "resume":
        ask("select resume(instance_id) from " + one_of("i", "state = 'suspended' and parent_id is null"), "commands")
    elif what == "skip":
        element = dice.choice(("prepare", "work", "go", "charge", "book", "call", "divide"))
        ask("select skip_element(instance_id, element_id) from (select instance_id, element_id from tokens "
            f"where element_id = '{element}' order by random() limit 1) t", "commands")
    elif what == "move":
        to = dice.choice((("charge", "book"), ("charge", "charge"), ("pay", "book"), ("book", "book"), ("work", "work")))
        ask(f"select move_token(instance_id, '{to[0]}', '{to[1]}') from (select instance_id from tokens "
            f"where element_id = '{to[0]}' order by random() limit 1) t", "commands")
    elif what == "at once":
        ask("begin; create temp table one on commit drop as select t.task_id, i.root_id from tasks t join instances i using (instance_id) "
            "where not t.suspended order by random() limit 1; select suspend(root_id) from one; select complete(task_id) from one; "
            f"select {dice.choice(('resume', 'cancel'))}(root_id) from one; commit", "commands")
    else:
        some = '{"businessKeyPrefix": "k1"}'
        action, filter = dice.choice((("retry", '{"all": true}'), ("suspend", some), ("resume", some), ("resume", '{"all": true}')))
        ask(f"select bulk_id from bulk('{action}', '{filter}')", "bulks")


BRIEF = """<?xml version="1.0"?><definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"
xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="urn:pawl:tests">
<process id="chaos-brief" name="%s" isExecutable="true" camunda:historyTimeToLive="P30D"><startEvent id="start"/>
<intermediateCatchEvent id="pause"><timerEventDefinition><timeDuration>PT2S</timeDuration></timerEventDefinition></intermediateCatchEvent>
<endEvent id="end"/><sequenceFlow id="f1" sourceRef="start" targetRef="pause"/>
<sequenceFlow id="f2" sourceRef="pause" targetRef="end"/></process></definitions>"""


def versions(number, dice):
    """A version comes, is started, and is withdrawn with all that runs of it."""
    what = dice.choice(("deploy", "start", "start", "withdraw"))
    if what == "deploy":
        ask(f"select deployment_id from deploy($x${BRIEF % f'{number} {time.monotonic()}'}$x$, 'brief.bpmn')", "commands")
    elif what == "start":
        ask("select instance_id from start('chaos-brief')", "started")
    else:
        ask("select withdraw(deployment_id, '{\"cancelInstances\": true}') from (select deployment_id from deployments "
            "where 'chaos-brief' = any (processes) and state = 'active' order by random() limit 1) d", "commands")


def client(number, dice):
    n = 0
    while not over.is_set():
        n += 1
        key = f"k{dice.randrange(KEYS)}"
        what = dice.choice(("start", "start", "keyed", "complete", "complete", "go", "poke", "correlate", "cancel",
                            "set", "retry", "claim", "both", "work", "work", "by hand", "by hand", "versions"))
        divisor = dice.choice((0, 1, 4))
        if what == "start":
            ask(f"select s.instance_id from generate_series(1, {dice.choice((1, 1, 10))}) n, "
                f"lateral start('chaos', '{key}-' || n, '{{\"divisor\": {divisor}}}') s", "started")
        elif what == "keyed":
            request = f"r{int(time.monotonic() * 2)}"
            ask(f"select instance_id from start('chaos', '{request}', '{{\"divisor\": 4}}', '{request}')", "keyed", request)
        elif what == "complete":
            ask("select complete(task_id) from (select task_id from tasks order by random() limit 1) t", "completed")
        elif what == "both":  # two who answer the same: in one transaction the second is refused
            ask("begin; select complete(task_id) from (select task_id from tasks order by created limit 1) t; "
                f"select pg_sleep({dice.uniform(0, 0.3):.2f}); commit", "completed")
        elif what == "go":
            ask(f"select publish('Go', '{key}-{dice.choice((1, 1, 2))}', '{{}}', '3 seconds')", "published")
        elif what == "poke":
            ask(f"select publish('Poke', '{key}-1', '{{}}', '3 seconds')", "published")
        elif what == "correlate":
            ask(f"select correlate('Go', '{key}-1')", "correlated")
        elif what == "cancel" and n % 3 == 0:
            ask("select cancel(instance_id) from (select instance_id from instances where ended is null "
                "order by random() limit 1) i", "commands")
        elif what == "set":
            ask("select set_variables(instance_id, '{\"divisor\": 5}') from (select instance_id from instances "
                "where ended is null order by random() limit 1) i", "commands")
        elif what == "retry":
            ask("select retry(incident_id) from (select incident_id from incidents order by random() limit 1) i", "commands")
        elif what == "work":
            work(number, dice)
        elif what == "versions":
            versions(number, dice)
        elif what == "by hand":
            by_hand(dice)
        elif what == "claim":
            ask("select claim(task_id, 'anna') from (select task_id from tasks order by random() limit 1) t", "commands")


# ---- The audit ----

LEFT = ("instance", "ready", "timer", "subscription", "task", "call", "call_queue", "attempt", "inbox", "incident", "message",
        "parked", "external_task", "external_offer", "external_lease", "external_variables")
ALIVE = """select count(*) from instance i where not exists (select from ready r where r.instance_id = i.id)
    and not exists (select from timer t where t.instance_id = i.id)
    and not exists (select from subscription s where s.instance_id = i.id)
    and not exists (select from task t where t.instance_id = i.id)
    and not exists (select from external_task x where x.instance_id = i.id)
    and not exists (select from parked p where p.instance_id = i.id)
    and not exists (select from call c where c.instance_id = i.id)
    and not exists (select from incident n where n.instance_id = i.id)
    and not exists (select from instance c where c.parent_id = i.id)"""
problems = []


def must(what, expected, found):
    if expected != found:
        problems.append(f"{what}: expected {expected}, found {found}")


def nothing(what, query):
    found = rows(query)
    if found:
        problems.append(f"{what}: {len(found)}, such as {found[:3]}")


def quiet(deadline):
    while time.monotonic() < deadline:
        if rows("select count(*) from instance")[0][0] == "0" and rows("select count(*) from message")[0][0] == "0" \
                and rows("select count(*) from inbox")[0][0] == "0" and rows("select count(*) from ready")[0][0] == "0":
            return
        # What was suspended goes on, and what gave up tries again: so everything ends.
        for action in ("resume", "retry"):
            if rows(f"select count(*) from bulks where action = '{action}' and state = 'running'")[0][0] == "0":
                sql(f"select bulk('{action}', '{{\"all\": true}}')")
        time.sleep(0.5)


def values(ids):
    return ",".join(f"('{i}'::uuid)" for i in ids) or "(null::uuid)"


def audit():
    must("instances that nothing wakes", "0", rows(ALIVE)[0][0])
    for table in LEFT:
        must(f"rows left in {table}", "0", rows(f"select count(*) from {table}")[0][0])
    keyed = {}
    for key, instance in seen["keyed"]:
        keyed.setdefault(key, set()).add(instance)
    must("request keys with two instances", 0, sum(len(ids) > 1 for ids in keyed.values()))
    started = set(seen["started"]) | {i for ids in keyed.values() for i in ids}
    nothing("accepted starts that are no ended instance", f"""select v.id, i.state from (values {values(started)}) v (id)
        left join instances i on i.instance_id = v.id where v.id is not null and i.ended is null""")
    must("accepted answers that are the same task's", len(seen["completed"]), len(set(seen["completed"])))
    answers = seen["completed"] + [t for t, _ in seen["worked"]]
    must("accepted answers that are the same external task's", len(seen["worked"]), len(set(t for t, _ in seen["worked"])))
    # Refused is only what was accepted for an instance that was cancelled, or skipped by hand, while it was suspended.
    nothing("answers that are not exactly once in the history", f"""select v.id, count(e.*) from (values {values(answers)}) v (id)
        left join api_event e on e.kind = 14 and e.data::jsonb ->> 'task' = v.id::text where v.id is not null
        group by 1 having count(e.*) <> coalesce((select (o.state <> 'refused')::integer from outcome o where o.command_id = v.id), 1)""")
    tasks = ",".join(f"('{t}'::uuid, '{i}'::uuid)" for t, i in seen["worked"]) or "(null::uuid, null::uuid)"
    nothing("answers refused though nobody suspended the instance", f"""select v.id from (values {tasks}) v (id, instance)
        join outcome o on o.command_id = v.id and o.state = 'refused'
        where not exists (select from api_event e where e.instance_id = v.instance and e.kind = 103)""")
    nothing("instances that booked other than their history says", """select coalesce(b.instance, e.instance), b.n, e.n
        from (select instance, count(*) as n from booked group by 1) b
        full join (select instance_id as instance, count(*) as n from api_event where kind = 25 group by 1) e on e.instance = b.instance
        where b.n is distinct from e.n or b.n <> 1""")
    must("bulks that run", "0", rows("select count(*) from bulks where state = 'running'")[0][0])
    nothing("instances that started or ended more or less than once", """select instance_id, count(*) filter (where kind = 1),
        count(*) filter (where kind = 2) from api_event where kind in (1, 2) group by 1
        having count(*) filter (where kind = 1) <> 1 or count(*) filter (where kind = 2) <> 1""")
    nothing("elements that were passed twice", """select e.instance_id, l.id, count(*) from api_event e join element l using (definition_id, node)
        where e.kind in (4, 5) and coalesce(e.data::jsonb ->> 'by', '') !~ 'by hand$'
            and l.id not in ('poked', 'pokedEnd', 'join') group by 1, 2 having count(*) > 1""")
    nothing("completed instances that passed a join or an end not once", """select i.instance_id, count(h.*) from instances i
        left join history h on h.instance_id = i.instance_id and h.element_id in ('end', 'endLate') and h.state = 'completed'
        where i.process = 'chaos' and i.state = 'completed' group by 1 having count(h.*) <> 1""")
    asked = seen["published"] + seen["correlated"] + seen["commands"] + answers
    nothing("commands without an outcome", f"""select v.id from (values {values(asked)}) v (id)
        left join outcome o on o.command_id = v.id where v.id is not null and o.command_id is null""")
    # Every message that has found its receiver is received by it once; one whose receiver was just leaving
    # goes to the next, or expires.
    received = rows("select count(*) from api_event where kind = 12")[0][0]
    messages = rows("select count(*) from outcome where state = 'done' and detail ? 'receivers'")[0][0]
    must("messages received", messages, received)


def figures(bad):
    counts = rows("""select (select count(*) from instances), (select count(*) from api_event),
        (select count(*) from api_event where kind = 12), (select count(*) from api_event where kind = 14),
        (select count(*) from api_event where kind = 16), (select count(*) from outcome)""")[0]
    print(f"bad luck: {bad}; nodes that ended by themselves: {len(deaths)}")
    print("accepted:", {k: len(v) for k, v in seen.items()}, "refused:", refused)
    print("instances {}, events {}, messages received {}, tasks completed {}, incidents {}, outcomes {}".format(*counts))


def main():
    dice = random.Random(SEED)
    print(f"seed {SEED}, {SECONDS} s, {NODES} nodes, {CLIENTS} clients", flush=True)
    for node in nodes:
        node.start()
    sql(BOOKED)
    for _ in range(NODES):  # both take one up at the same time; the second finds nothing new
        subprocess.Popen([PAWL, "deploy", MODEL, "--database", CONNINFO], stdout=subprocess.DEVNULL)
    while rows("select count(*) from definition where key = 'chaos'")[0][0] != "1":
        time.sleep(0.1)
    threads = [threading.Thread(target=client, args=(i, random.Random(dice.random()))) for i in range(CLIENTS)]
    timer = threading.Timer(SECONDS, over.set)
    for thread in threads + [timer]:
        thread.start()
    bad = bad_luck(dice)
    for thread in threads:
        thread.join()
    watch()
    quiet(time.monotonic() + CALM_S)
    audit()
    figures(bad)
    for node in nodes:
        node.process.send_signal(signal.SIGTERM)
    for node in nodes:
        must(f"exit status of node {node.number}", 0, node.process.wait(30))
    for number, code in deaths:
        if code < 0:
            problems.append(f"node {number} died of signal {-code}")
    for problem in problems:
        print("FAILED ", problem)
    if not problems:
        print("ok")
    return 1 if problems else 0


try:
    sys.exit(main())
finally:
    over.set()
    for one in nodes:
        if one.process and one.process.poll() is None:
            one.process.kill()
