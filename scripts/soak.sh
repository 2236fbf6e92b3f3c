#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What takes longer than a test run may, each for so many seconds (300 unless told), under sanitizers.
#
#   scripts/soak.sh [--seconds N] [NAME…]
#
#   crash     the engine is killed at points drawn at random, and every instance must come out the same
#   chaos     two nodes killed, stopped and cut off, the server restarted, while clients ask; then an audit
#   restarts  PostgreSQL is restarted every 20 s under load (release build): the rate relative to an undisturbed run
#   flat      the same load for so long (600 s show it best): tables but the history stay flat
#   lint      damaged BPMN files: a clear answer soon, whatever they contain
#   fuzz      the fuzzers of tests/fuzz, the seconds shared among them
set -uo pipefail
. "$(dirname "$0")/lib.sh"

SOAK_SECONDS=300 names=()
while [ $# -gt 0 ]; do
    case $1 in
    --seconds)
        shift
        [[ ${1-} =~ ^[0-9]{1,5}$ ]] || die "scripts/soak.sh: --seconds wants a number"
        SOAK_SECONDS=$1
        ;;
    -h | --help) sed -n '3,12s/^# \{0,1\}//p' "$0" && exit 0 ;;
    crash | chaos | restarts | flat | lint | fuzz) names+=("$1") ;;
    *) die "scripts/soak.sh: there is no soak $1; there are crash, chaos, restarts, flat, lint and fuzz" ;;
    esac
    shift
done
[ ${#names[@]} -gt 0 ] || names=(crash chaos restarts flat lint fuzz)

# shellcheck disable=SC2086 # lists of words
need_packages $PACKAGES_BUILD $PACKAGES_RUN $PACKAGES_TEST $PACKAGES_SOAK
[ "${names[*]}" = fuzz ] || build_preset asan || exit 1 # the fuzzers have a build of their own
export PAWL_BUILD="$ROOT/build-asan" PAWL="$ROOT/build-asan/pawl"

status=0
for name in "${names[@]}"; do
    printf '== %s, %d s\n' "$name" "$SOAK_SECONDS"
    case $name in
    crash)
        until=$((SECONDS + SOAK_SECONDS))
        while [ $SECONDS -lt $until ]; do
            FAULT_RANDOM=20 timeout --kill-after=10 900 "$ROOT/tests/fault/run.sh" || status=1
        done
        ;;
    chaos) timeout --kill-after=10 $((SOAK_SECONDS + 300)) "$ROOT/tests/soak/chaos.sh" "$SOAK_SECONDS" || status=1 ;;
    restarts)
        build_preset release -DPAWL_TESTS=OFF || exit 1
        PAWL="$ROOT/build/pawl" timeout --kill-after=10 $((SOAK_SECONDS + 400)) "$ROOT/tests/soak/restarts.sh" "$SOAK_SECONDS" || status=1
        ;;
    flat) timeout --kill-after=10 $((SOAK_SECONDS + 300)) "$ROOT/tests/soak/flat.sh" "$SOAK_SECONDS" || status=1 ;;
    lint) python3 -B "$ROOT/tests/soak/lint.py" "$PAWL" "$ROOT" "$SOAK_SECONDS" || status=1 ;;
    fuzz)
        targets=("$ROOT"/tests/fuzz/fuzz_*.c)
        "$ROOT/tests/fuzz/run.sh" --seconds $((SOAK_SECONDS / ${#targets[@]} + 1)) || status=1
        ;;
    esac
done
exit "$status"
