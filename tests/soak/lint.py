# SPDX-License-Identifier: Apache-2.0
"""Lints damaged BPMN files: whatever they contain, `pawl lint` says 0 or 1, soon, and no sanitizer speaks.

    lint.py PAWL ROOT SECONDS [SEED]
"""
import glob
import os
import random
import subprocess
import sys
import tempfile
import time

TOKENS = [b"<", b">", b"&", b'"', b"${", b"}", b"]]>", b"<!--", b"-->", b"&#0;", b"&lt;", b"\x00", b"\xff", b"\xc3",
          b"PT1S", b"R-1/PT0S", b"${a[0].b}", b"bpmn:", b"xmlns:x=\"y\"", b"<!DOCTYPE a [<!ENTITY b \"c\">]>",
          b"isExecutable=\"true\"", b"99999999999999999999", b"-1", b"sourceRef", b"<bpmn:task id=\"a\"/>"]


def damage(text, draw, others):
    text = bytearray(text)
    for _ in range(draw.choice([1, 1, 1, 2, 4, 16])):
        if not text:
            break
        at = draw.randrange(len(text))
        end = min(len(text), at + draw.choice([1, 2, 8, 64, 512]))
        what = draw.randrange(6)
        if what == 0:
            del text[at:end]
        elif what == 1:
            text[at:at] = text[at:end]
        elif what == 2:
            text[at] = draw.randrange(256)
        elif what == 3:
            text[at:at] = draw.choice(TOKENS)
        elif what == 4:  # one attribute's value in place of another's
            parts = bytes(text).split(b'"')
            if len(parts) > 4:
                parts[draw.randrange(len(parts) - 1)] = draw.choice(parts)
                text = bytearray(b'"'.join(parts))
        else:
            other = draw.choice(others)
            start = draw.randrange(len(other))
            text[at:end] = other[start:start + draw.choice([8, 64, 512])]
    return bytes(text)


def main():
    pawl, root, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else int(time.time())
    draw = random.Random(seed)
    names = glob.glob(root + "/processes/*/*.bpmn") + glob.glob(root + "/tests/parser/**/*.bpmn", recursive=True)
    files = [data for data in (open(name, "rb").read() for name in sorted(names)) if 0 < len(data) < 200000]
    until, n, bad = time.monotonic() + seconds, 0, 0
    with tempfile.TemporaryDirectory(prefix="pawl-soak.") as folder:
        while time.monotonic() < until and bad < 10:
            n += 1
            name = os.path.join(folder, "damaged.bpmn")
            with open(name, "wb") as file:
                file.write(damage(draw.choice(files), draw, files))
            try:
                run = subprocess.run([pawl, "lint", name], capture_output=True, timeout=20, check=False)
                wrong = "exit status %d" % run.returncode if run.returncode not in (0, 1) else None
                said = run.stderr
            except subprocess.TimeoutExpired:
                wrong, said = "more than 20 s", b""
            if wrong:
                bad += 1
                kept = os.path.join(tempfile.gettempdir(), "pawl-lint-%d-%d.bpmn" % (seed, n))
                os.replace(name, kept)
                print("FAILED  %s: %s\n%s" % (kept, wrong, said.decode(errors="replace")[-2000:]))
    print("seed %d: %d damaged files" % (seed, n))
    print("%d passed, %d failed, 0 skipped" % (n - bad, bad))
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
