# SPDX-License-Identifier: Apache-2.0
"""What clients/pawl_callback.py does: python.py PORT. Closes with the counts, as unittest prints them."""
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import unittest
import urllib.request

sys.path.insert(0, "clients")
import pawl_callback  # noqa: E402
from pawl_callback import Callback, Failure, GivenUp, Refused, calls_back  # noqa: E402

PORT = sys.argv.pop(1)
BASE = f"http://127.0.0.1:{PORT}"
logging.getLogger("pawl_callback").setLevel(logging.CRITICAL)


def seen(script):
    with urllib.request.urlopen(f"{BASE}/seen/{script}") as answer:
        return json.load(answer)


class Client(unittest.TestCase):
    def test_answers(self):
        Callback("ok.p1", BASE, bearer_token="geheim").succeed({"a": "ü"})
        self.assertEqual(seen("ok.p1"), [{"verb": "succeed", "body": {"output": {"a": "ü"}}, "authorization": "Bearer geheim"}])
        Callback(f"{BASE}/callbacks/ok.p2").fail("Card", "no\0pe \udc80")
        self.assertEqual(seen("ok.p2")[0]["body"], {"error": "Card", "cause": "nope ?"})
        Callback("cut-1.p", BASE).heartbeat()
        self.assertEqual(len(seen("cut-1.p")), 2)
        with self.assertRaises(ValueError):
            Callback("token")

    def test_retries(self):
        began = time.monotonic()
        Callback("busy-1.p", BASE).succeed()
        self.assertGreaterEqual(time.monotonic() - began, 1)
        self.assertEqual(len(seen("busy-1.p")), 2)
        with self.assertRaises(GivenUp):
            Callback("down.p", BASE, give_up=1).succeed()
        with self.assertRaises(GivenUp):  # nobody listens
            Callback("http://127.0.0.1:1/callbacks/x", give_up=0.6).succeed()
        with self.assertRaises(Refused) as caught:
            Callback("gone.p", BASE).succeed()
        self.assertEqual((caught.exception.status, str(caught.exception)), (410, "the engine refused it with 410: too late"))
        self.assertEqual(len(seen("gone.p")), 1)
        self.assertEqual(pawl_callback._seconds("Sun, 06 Nov 1994 08:49:37 GMT"), 0)
        self.assertIsNone(pawl_callback._seconds("soon"))

    def test_block(self):
        with Callback("ok.p3", BASE) as callback:
            callback.log("eins")
            callback.output = {"pages": 3}
        self.assertEqual(seen("ok.p3")[0]["body"], {"output": {"pages": 3}, "logs": ["eins"]})
        with Callback("ok.p4", BASE) as callback:
            callback.fail("Mine")
        self.assertEqual([one["verb"] for one in seen("ok.p4")], ["fail"])
        with self.assertRaises(ZeroDivisionError), Callback("ok.p5", BASE):
            print(1 / 0)
        body = seen("ok.p5")[0]["body"]
        self.assertEqual((body["error"], body["cause"]), ("ZeroDivisionError", "division by zero"))
        self.assertIn("ZeroDivisionError: division by zero", body["logs"][-1])
        with self.assertRaises(Failure), Callback("ok.p6", BASE):
            raise Failure("CardDeclined", "no money")
        self.assertEqual(seen("ok.p6")[0]["body"], {"error": "CardDeclined", "cause": "no money"})
        with self.assertRaises(SystemExit), Callback("ok.p7", BASE):
            sys.exit(4)
        self.assertEqual(seen("ok.p7")[0]["body"]["error"], "SystemExit")

    def test_output_that_is_not_taken(self):
        with self.assertRaises(Refused), Callback("picky.p", BASE):
            pass
        self.assertEqual([one["verb"] for one in seen("picky.p")], ["succeed", "fail"])
        with self.assertRaises(TypeError), Callback("ok.p8", BASE) as callback:
            callback.output = {1, 2}
        self.assertEqual(seen("ok.p8")[0]["body"]["error"], "InvalidOutput")
        with self.assertRaises(KeyError), Callback("gone.p2", BASE):  # the first error is the one that is seen
            raise KeyError("x")

    def test_decorator(self):
        @calls_back(target=lambda event, context: event["callback"], base_url=BASE)
        def handler(event, context):
            if event.get("bad"):
                raise ValueError("bad")
            return {"pages": event["n"]}

        self.assertEqual(handler({"callback": "ok.p9", "n": 2}, None), {"pages": 2})
        self.assertEqual(seen("ok.p9")[0]["body"], {"output": {"pages": 2}})
        with self.assertRaises(ValueError):
            handler({"callback": "ok.p10", "bad": True}, None)
        self.assertEqual(seen("ok.p10")[0]["body"]["error"], "ValueError")

    def test_heartbeats(self):
        with Callback("late-2.p", BASE, heartbeat=0.1) as callback:
            while callback.wanted:
                time.sleep(0.05)
        self.assertEqual([one["verb"] for one in seen("late-2.p")], ["heartbeat"] * 3 + ["succeed"])

    def test_logging(self):
        logger = logging.getLogger("work")
        logger.setLevel(logging.INFO)
        with Callback("ok.p11", BASE) as callback:
            logger.addHandler(pawl_callback.LogHandler(callback))
            for i in range(60):
                logger.info("line %d %s", i, "x" * 2000)
        logs = seen("ok.p11")[0]["body"]["logs"]
        self.assertEqual((len(logs), logs[0][:12], len(logs[0])), (50, "INFO line 10", 1000))

    def test_a_thread_leaves_signals_alone(self):
        def work():
            with Callback("ok.p12", BASE):
                pass
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        self.assertEqual(len(seen("ok.p12")), 1)

    def test_term(self):
        program = ("import sys, time; sys.path.insert(0, 'clients'); from pawl_callback import Callback\n"
                   f"with Callback('ok.p13', '{BASE}'): print('in', flush=True); time.sleep(20)")
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, env={**os.environ, "PYTHONUNBUFFERED": "1"})
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(10), 143)
        process.stdout.close()
        self.assertEqual(seen("ok.p13")[0]["body"]["error"], "SystemExit")


unittest.main(argv=[sys.argv[0]])
