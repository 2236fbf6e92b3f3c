# SPDX-License-Identifier: Apache-2.0
"""Answers a Pawl task from Python 3.8 or later. One file without dependencies: copy it beside your code.

    import pawl_callback

    with pawl_callback.Callback(event["callback"], heartbeat=20) as callback:
        callback.log("resizing")
        callback.output = {"pages": resize(event["image"])}

    @pawl_callback.calls_back(target=lambda event, context: event["callback"])
    def handler(event, context):            # an AWS Lambda function, for example
        return {"pages": 3}                 # becomes the output; an exception becomes the failure

The target is the callback URL, or the token alone where PAWL_URL (or base_url) says where the engine is.

It always calls back: when the block ends, the task succeeds with `output`; when an exception leaves it
(SystemExit, KeyboardInterrupt and the signal TERM too), the task fails with the exception's name, its words
and the end of its traceback. Only a process that is killed with KILL cannot: give such tasks a heartbeat
timeout.

An answer that does not arrive (no connection, 408, 429, 5xx) is sent again after 1, 2, 4 ... 60 seconds with a
random share, or when Retry-After says so, until give_up seconds have passed. That is safe: the same answer
twice is one answer.
"""
import datetime
import email.utils
import functools
import http.client
import json
import logging
import os
import random
import signal
import threading
import time
import traceback
import urllib.error
import urllib.request

__all__ = ["Callback", "Failure", "Refused", "GivenUp", "LogHandler", "calls_back"]

LOG_LINES = 50
LOG_LINE = 1000
RETRIED = {408, 429}


class Failure(Exception):
    """Raise it in the block to say which error the task fails with: Failure("CardDeclined", "…")."""

    def __init__(self, error, cause=""):
        super().__init__(f"{error}: {cause}" if cause else error)
        self.error, self.cause = error, cause


class Refused(Exception):
    """The engine does not take the answer: status 400 (what is wrong stands in problem), 401, 403 (somebody else
    must answer), 404 (no such token), 409 (another answer was first), 410 (too late), 413, 422."""

    def __init__(self, status, problem):
        detail = problem.get("detail") or problem.get("message") or "no words"
        super().__init__(f"the engine refused it with {status}: {detail}")
        self.status, self.problem = status, problem


class GivenUp(Exception):
    """It could not be delivered within give_up seconds; __cause__ is the last error."""


class NoRedirect(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):  # a redirect would become a GET without the body
        return None


class Callback:
    """One wait of one task.

    target         callback URL or token; base_url for a token (the variable PAWL_URL unless given)
    bearer_token   of a technical user, where the task wants to know who answers (PAWL_BEARER_TOKEN)
    heartbeat      seconds between signs of life while the block runs; None: none
    give_up        seconds that an answer is tried for
    timeout        seconds of one request
    """

    def __init__(self, target, base_url=None, bearer_token=None, heartbeat=None, give_up=3600, timeout=30):
        if not target:
            raise ValueError("no callback URL and no token")
        if "://" not in target:
            base_url = base_url or os.environ.get("PAWL_URL")
            if not base_url:
                raise ValueError("set PAWL_URL or base_url, or pass the whole callback URL")
            target = f"{base_url.rstrip('/')}/callbacks/{target}"
        self.url = target.rstrip("/")
        self.bearer_token = bearer_token or os.environ.get("PAWL_BEARER_TOKEN")
        self.interval, self.give_up, self.timeout = heartbeat, give_up, timeout
        self.output = {}
        self.answered = False    # by us, in either way
        self.wanted = True       # False: the engine has told that it does not wait any more
        self._logs = []
        self._ended = threading.Event()
        self._beater = self._signal_before = None

    # What can be said.

    def log(self, line):
        """Keeps a line; the last 50 go along with the answer and are kept with the task."""
        self._logs.append(_clean(line)[:LOG_LINE])
        del self._logs[:-LOG_LINES]

    def succeed(self, output=None):
        return self._answer("succeed", {"output": self.output if output is None else output})

    def fail(self, error, cause=""):
        return self._answer("fail", {"error": _clean(error)[:256], "cause": _clean(cause)[:8000]})

    def heartbeat(self):
        return self._send("heartbeat", {}, self.give_up)

    def _answer(self, verb, body):
        if self._logs:
            body["logs"] = list(self._logs)
        answer = self._send(verb, body, self.give_up)
        self.answered = True
        return answer

    # How it is sent.

    def _send(self, verb, body, give_up):
        data = json.dumps(body).encode()
        began, attempt = time.monotonic(), 0
        while True:
            attempt += 1
            error, after = self._try(verb, data)
            if error is None:
                return after
            wait = min(60, 2 ** (attempt - 1)) * random.uniform(0.5, 1)
            if after is not None and after > wait:
                wait = after + random.random()
            if time.monotonic() + wait - began >= give_up:
                raise GivenUp(f"{verb} is given up after {attempt} attempts: {error}") from error
            time.sleep(wait)

    def _try(self, verb, data):
        """(None, the answer), or (what went wrong, the seconds to wait at least or None)."""
        headers = {"Content-Type": "application/json", "User-Agent": "pawl_callback.py"}
        if self.bearer_token:
            headers["Authorization"] = f"Bearer {self.bearer_token}"
        request = urllib.request.Request(f"{self.url}/{verb}", data, headers, method="POST")
        try:
            with urllib.request.build_opener(NoRedirect).open(request, timeout=self.timeout) as answer:
                return None, _json(answer.read())
        except urllib.error.HTTPError as error:
            if error.code < 500 and error.code not in RETRIED:
                raise Refused(error.code, _json(error.read())) from None
            return error, _seconds(error.headers.get("Retry-After"))
        except (OSError, http.client.HTTPException) as error:  # no connection, cut off, no HTTP
            return error, None

    # The block.

    def __enter__(self):
        if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, _end)
            self._signal_before = signal.SIG_DFL
        if self.interval:
            self._beater = threading.Thread(target=self._beat, name="pawl heartbeat", daemon=True)
            self._beater.start()
        return self

    def __exit__(self, kind, error, trace):
        self._ended.set()
        if self._signal_before is not None:
            signal.signal(signal.SIGTERM, self._signal_before)
        if self.answered:
            return False
        if error is None:
            self._succeed_or_fail()
        elif isinstance(error, Failure):
            self.fail(error.error, error.cause)
        else:
            for line in "".join(traceback.format_exception(kind, error, trace)).rstrip().splitlines()[-20:]:
                self.log(line)
            self._fail_beside(kind.__name__, str(error) or kind.__name__)
        return False

    def _succeed_or_fail(self):
        try:
            self.succeed()
        except (TypeError, ValueError) as error:  # no JSON
            self._fail_beside("InvalidOutput", error)
            raise
        except Refused as error:
            if error.status in (400, 413, 422):
                self._fail_beside("InvalidOutput", error)
            raise

    def _fail_beside(self, error, cause):
        """Where an exception is on its way already, which must not be hidden by another."""
        try:
            self.fail(error, cause)
        except (Refused, GivenUp) as problem:
            logging.getLogger("pawl_callback").error("the failure was not taken: %s", problem)

    def _beat(self):
        while not self._ended.wait(self.interval):
            try:
                self._send("heartbeat", {}, self.interval)
            except GivenUp as problem:
                logging.getLogger("pawl_callback").warning("%s", problem)
            except Refused as problem:
                self.wanted = False
                logging.getLogger("pawl_callback").warning("no heartbeats any more: %s", problem)
                return


class LogHandler(logging.Handler):
    """Hands what is logged to a callback: logging.getLogger().addHandler(LogHandler(callback))."""

    def __init__(self, callback, level=logging.INFO):
        super().__init__(level)
        self.callback = callback
        self.setFormatter(logging.Formatter("%(levelname)s %(message)s"))

    def emit(self, record):
        self.callback.log(self.format(record))


def calls_back(target, **options):
    """Decorates a function: what it returns becomes the output, what it raises the failure. target: a function of
    the same arguments that tells the callback URL or token; options: those of Callback."""

    def decorate(function):
        @functools.wraps(function)
        def called(*args, **kwargs):
            with Callback(target(*args, **kwargs), **options) as callback:
                result = function(*args, **kwargs)
                callback.output = {} if result is None else result
            return result
        return called
    return decorate


def _end(number, _frame):
    raise SystemExit(128 + number)


def _clean(text):
    """Without what no database can keep: NUL, and halves of characters."""
    return str(text).replace("\0", "").encode("utf-8", "replace").decode()


def _json(raw):
    try:
        value = json.loads(raw or b"{}")
        return value if isinstance(value, dict) else {"value": value}
    except ValueError:
        return {"detail": raw[:1000].decode("utf-8", "replace")}


def _seconds(text):
    """Of Retry-After: a number, or a date."""
    if not text:
        return None
    if text.strip().isdigit():
        return min(int(text), 86400)
    try:
        then = email.utils.parsedate_to_datetime(text)
        return max(0, min(86400, (then - datetime.datetime.now(datetime.timezone.utc)).total_seconds()))
    except (TypeError, ValueError):
        return None
