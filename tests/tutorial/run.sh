#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs the tutorials of docs/ and docs/incidents.md line by line, as a reader would, and compares what it prints.
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
status=0
for page in tutorial tutorial-steps tutorial-callback incidents; do
    python3 -B "$ROOT/tests/tutorial/tutorial.py" "$ROOT" "$PAWL" "$ROOT/docs/$page.md" || status=1
done
exit $status
