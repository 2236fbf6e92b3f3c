# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy in front of PostgreSQL that cuts connections around COMMIT.

  python3 pgproxy.py --socket FOLDER --port-file FILE --control FILE --life SECONDS

It listens on 127.0.0.1 and forwards to the server's Unix socket in FOLDER. It reads the frontend's messages
well enough to know when a COMMIT passes, and does what the control file says at that moment:

  pass            nothing
  before N        every Nth COMMIT is not forwarded, and both sides are cut: the server rolls back
  half N          its first bytes are forwarded, then both sides are cut
  after N         it is forwarded; when the server has answered, the answer is dropped and both sides are cut
  race N          it is forwarded, and both sides are cut at once, whatever the server makes of it
  silent N        it is forwarded; from then on nothing passes on any connection, and no side is told
  mute N          it is not forwarded, nor anything from then on

Each cut is a line on stdout: its kind. Cuts are resets, not orderly ends.
"""
import argparse
import os
import socket
import struct
import sys
import threading
import time

lock = threading.Lock()
commits = 0
silence = threading.Event()  # nothing passes any more


def control(path):
    try:
        with open(path) as file:
            words = file.read().split()
    except OSError:
        words = []
    kind = words[0] if words else "pass"
    return kind, int(words[1]) if len(words) > 1 else 1


def fate(path):
    """What becomes of the COMMIT that passes now."""
    global commits
    kind, every = control(path)
    if kind == "pass":
        return "pass"
    with lock:
        commits += 1
        return kind if commits % every == 0 else "pass"


def reset(sock):
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    except OSError:
        pass
    try:
        sock.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    sock.close()


class Link:
    def __init__(self, client, server, path):
        self.client, self.server, self.path = client, server, path
        self.names = set()      # prepared statements that are COMMIT
        self.drop_reply = False  # "after": cut when the answer is there
        self.started = False    # the start-up message has passed

    def cut(self, kind):
        print(kind, flush=True)
        reset(self.client)
        reset(self.server)

    def is_commit(self, kind, body):
        if kind == b"P":  # Parse: name, text
            name, text = body.split(b"\0")[:2]
            if text.strip().rstrip(b";").lower() == b"commit":
                self.names.add(name)
            return False
        if kind == b"B":  # Bind: portal, name
            return body.split(b"\0")[1] in self.names
        return kind == b"Q" and body.rstrip(b"\0").strip().rstrip(b";").lower() == b"commit"

    def messages(self, data):
        """Splits what came into whole messages: (is it COMMIT, bytes). The rest is kept."""
        self.rest = getattr(self, "rest", b"") + data
        out = []
        while True:
            head = 1 if self.started else 0
            if len(self.rest) < head + 4:
                return out
            size = head + struct.unpack("!I", self.rest[head:head + 4])[0]
            if len(self.rest) < size:
                return out
            message, self.rest = self.rest[:size], self.rest[size:]
            out.append((self.started and self.is_commit(message[:1], message[5:]), message))
            self.started = True

    def upstream(self):
        try:
            while data := self.client.recv(65536):
                if silence.is_set():
                    continue
                whole = self.messages(data)
                for i, (is_commit, message) in enumerate(whole):
                    what = fate(self.path) if is_commit else "pass"
                    if what == "before":
                        return self.cut(what)
                    if what == "half":
                        self.server.sendall(message[:len(message) // 2])
                        return self.cut(what)
                    if what == "mute":
                        print(what, flush=True)
                        silence.set()
                        break
                    if what == "after":
                        self.drop_reply = True
                    self.server.sendall(message)
                    if what in ("race", "silent"):
                        # With what follows it (Execute, Sync), so that the server does commit.
                        self.server.sendall(b"".join(m for _, m in whole[i + 1:]))
                        if what == "race":
                            return self.cut(what)
                        print(what, flush=True)
                        silence.set()
                        break
        except OSError:
            pass
        reset(self.client)
        reset(self.server)

    def downstream(self):
        seen = b""
        try:
            while data := self.server.recv(65536):
                if silence.is_set():
                    continue
                if self.drop_reply:
                    seen += data
                    # CommandComplete "COMMIT": the server has committed.
                    if b"COMMIT\0" in seen:
                        return self.cut("after")
                    continue
                self.client.sendall(data)
        except OSError:
            pass
        if not silence.is_set():
            reset(self.client)
            reset(self.server)


def main():
    parser = argparse.ArgumentParser()
    for name in ("--socket", "--port-file", "--control", "--life"):
        parser.add_argument(name, required=True)
    args = parser.parse_args()
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    with open(args.port_file + ".new", "w") as file:
        file.write(str(listener.getsockname()[1]))
    os.rename(args.port_file + ".new", args.port_file)
    listener.settimeout(1)
    until = time.monotonic() + float(args.life)
    while time.monotonic() < until:
        try:
            client, _ = listener.accept()
        except TimeoutError:
            continue
        client.settimeout(None)
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(args.socket + "/.s.PGSQL.5432")
        except OSError:
            reset(client)
            continue
        link = Link(client, server, args.control)
        threading.Thread(target=link.upstream, daemon=True).start()
        threading.Thread(target=link.downstream, daemon=True).start()
    sys.exit("the proxy's time is over")


main()
