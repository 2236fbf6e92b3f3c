# SPDX-License-Identifier: Apache-2.0
"""Runs the ```console blocks of a Markdown file in one shell: lines that begin with "$ " are typed, the
lines after them must be what comes back. An ellipsis stands for anything; runs of blanks and line ends
count as one blank, and all ids, times and durations are alike.
`pawl up` runs in the background, as in a terminal of its own. Python's standard library only.
"""
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

SECONDS = 60


def blocks(text):
    """Yields (line number, command, [expected lines])."""
    inside, number, command, expected = False, 0, None, []
    for n, line in enumerate(text.split("\n"), 1):
        if line.startswith("```"):
            if command is not None:
                yield number, command, expected
            inside, command, expected = line.strip() == "```console", None, []
        elif inside and line.startswith("$ "):
            if command is not None:
                yield number, command, expected
            number, command, expected = n, line[2:], []
        elif inside and line.startswith("> ") and command is not None and not expected:
            command += "\n" + line[2:]
        elif inside and command is not None:
            expected.append(line)


# What differs each time, as people see it: the beginning of an id, a time of day, a duration.
DIFFERS = [(re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}(-[0-9a-f]+)*-?"), "ID"),
           (re.compile(r"\b\d\d:\d\d:\d\d(\.\d+)?"), "TIME"),
           (re.compile(r"\b\d+(\.\d+)? (ms|s|min)\b"), "DURATION")]


def plain(text):
    """In one line: where a terminal breaks lines is its own affair."""
    text = re.sub(r"\s+", " ", text).strip()
    for what, word in DIFFERS:
        text = what.sub(word, text)
    return text


def pattern(expected):
    parts = [re.escape(part.strip()) for part in plain("\n".join(expected)).split("…")]
    return re.compile(r"\A" + ".*?".join(parts) + r"\Z")


class Shell:
    def __init__(self, folder, environment):
        self.folder = folder
        self.process = subprocess.Popen(["bash", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT, cwd=folder, env=environment, text=True,
                                        bufsize=1)
        self.engine = None
        self.environment = environment

    def run(self, command):
        if command.split()[:2] == ["pawl", "up"]:
            return self.up(command.split())
        mark = "end-of-command-%d" % time.monotonic_ns()
        self.process.stdin.write("%s\nprintf '\\n%s\\n'\n" % (command, mark))
        self.process.stdin.flush()
        output, until = "", time.monotonic() + SECONDS
        for line in self.process.stdout:
            if line.strip() == mark:
                return output
            output += line
            if time.monotonic() > until:
                break
        return output + "\n(it did not end)"

    def up(self, command):
        log = open(os.path.join(self.folder, "pawl.log"), "w", encoding="utf-8")
        self.engine = subprocess.Popen(command, cwd=self.folder, stdout=subprocess.PIPE, stderr=log,
                                       env=self.environment, text=True)
        line = self.engine.stdout.readline()
        return line or open(log.name, encoding="utf-8").read()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
        if self.engine is not None and self.engine.poll() is None:
            self.engine.send_signal(signal.SIGTERM)
            self.engine.wait(timeout=30)
        return 0 if self.engine is None else self.engine.returncode


def main():
    root, pawl, name = sys.argv[1:4]
    folder = tempfile.mkdtemp(prefix="pawl-tutorial.")
    os.chmod(folder, 0o755)  # PostgreSQL runs as another user when this is root
    for part in ("processes", "clients", "build"):
        if part == "build":
            os.mkdir(os.path.join(folder, part))
            os.symlink(os.path.abspath(pawl), os.path.join(folder, part, "pawl"))
        else:
            os.symlink(os.path.join(root, part), os.path.join(folder, part))
    environment = {key: value for key, value in os.environ.items() if not key.startswith(("PAWL", "PG"))}
    environment["PATH"] = os.path.join(folder, "build") + ":" + environment["PATH"]
    environment["COLUMNS"] = "130"  # wide enough that nothing is cut
    shell, passed, failed = Shell(folder, environment), 0, 0
    try:
        with open(name, encoding="utf-8") as file:
            for number, command, expected in blocks(file.read()):
                time.sleep(0.3)  # a reader is slower still; what was accepted is carried out meanwhile
                output = plain(shell.run(command))
                if pattern(expected).match(output):
                    passed += 1
                    continue
                failed += 1
                print("FAILED  %s:%d: $ %s\n--- expected\n%s\n--- printed\n%s"
                      % (os.path.basename(name), number, command, "\n".join(expected), output))
    finally:
        if shell.close() != 0:
            failed += 1
            print("FAILED  the engine ended with status %d" % shell.engine.returncode)
        shutil.rmtree(folder, ignore_errors=True)
    print("%d passed, %d failed, 0 skipped" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
