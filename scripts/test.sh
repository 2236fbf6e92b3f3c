#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Builds everything and runs every test. The last line says how many passed; exit 0 only if all did.
#
#   scripts/test.sh            all: release, debug and sanitizer builds, every suite under sanitizers
#   scripts/test.sh --quick    debug build, and what takes seconds
#   scripts/test.sh NAME…      only these suites of tests/ (unit, checks, sql, scenario, …)
#   TEST_SUITES_AT_ONCE=1      one suite at a time; 2 unless told
#
# A suite is tests/NAME/run.sh; nothing is registered by hand. It gets PAWL (the program) and
# PAWL_BUILD (its build folder), and its last line may be "N passed, N failed, N skipped".
set -uo pipefail
. "$(dirname "$0")/lib.sh"

QUICK=0
ONLY=()
for argument in "$@"; do
    case $argument in
    --quick) QUICK=1 ;;
    -h | --help) sed -n '3,11s/^# \{0,1\}//p' "$0" && exit 0 ;;
    -*) die "scripts/test.sh: unknown option $argument; there is --quick" ;;
    *) ONLY+=("$argument") ;;
    esac
done
AT_ONCE=${TEST_SUITES_AT_ONCE:-2}
SLOW=" fault isolation soak tutorial demo transport openapi threads "

passed=0 failed=0 skipped=0
failures=()
PASSED=$(mktemp)
trap 'rm -f "$PASSED"' EXIT

wanted() {
    [ ${#ONLY[@]} -eq 0 ] || [[ " ${ONLY[*]} " == *" $1 "* ]]
}

# count NAME STATUS OUTPUT: adds up what a suite says of itself, or takes it as one test.
count() {
    local name=$1 status=$2 output=$3 line
    line=$(grep -Eo '^ *[0-9]+ passed, [0-9]+ failed(, [0-9]+ skipped)? *$' "$output" | tail -1)
    if [[ $line =~ ([0-9]+)\ passed,\ ([0-9]+)\ failed(,\ ([0-9]+)\ skipped)? ]]; then
        passed=$((passed + BASH_REMATCH[1]))
        failed=$((failed + BASH_REMATCH[2]))
        skipped=$((skipped + ${BASH_REMATCH[4]:-0}))
        if [ "$status" != 0 ] && [ "${BASH_REMATCH[2]}" = 0 ]; then failed=$((failed + 1)); fi
    elif [ "$status" = 0 ]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
    fi
    [ "$status" = 0 ] || failures+=("$name")
}

# note_passed NAME STATUS OUTPUT: the suite, and its cases, for what docs/mission.md says of them.
note_passed() {
    [ "$2" = 0 ] && printf '%s\n' "$1" >>"$PASSED"
    sed -nE "s|^ *ok +$1/([^ ]+).*|$1/\\1|p; t; s|^ *ok +([^ ]+)( \\(.*)?\$|$1/\\1|p; t
        s|^ *($1/[^ ]+): [0-9]+ passed, 0 failed.*|\\1|p; s|^passed (unit/.*)|\\1|p" "$3" >>"$PASSED"
}

# report NAME STATUS OUTPUT SECONDS: what a suite said, indented, and counts it.
report() {
    printf '== %s\n' "$1"
    sed 's/^/  /' "$3"
    [ "$2" = 124 ] && printf '  stopped: it took too long\n'
    count "$1" "$2" "$3"
    note_passed "$1" "$2" "$3"
    printf '   %s, %d s\n' "$([ "$2" = 0 ] && echo ok || echo FAILED)" "$4"
}

# suite NAME SECONDS COMMAND…: runs it alone.
suite() {
    local name=$1 seconds=$2 output status started=$SECONDS
    shift 2
    output=$(mktemp)
    timeout --kill-after=10 "$seconds" "$@" </dev/null >"$output" 2>&1
    status=$?
    report "$name" "$status" "$output" $((SECONDS - started))
    rm -f "$output"
}

# Suites wait for clocks and servers more than they compute, so some run side by side: each has a server
# and folders of its own. A suite is shown when it has ended.
declare -A running_name=() running_since=() running_output=()
trap 'kill "${!running_name[@]}" 2>/dev/null; exit 130' INT TERM
collect() {
    local pid status
    wait -n -p pid "${!running_name[@]}"
    status=$?
    report "${running_name[$pid]}" "$status" "${running_output[$pid]}" $((SECONDS - running_since[$pid]))
    rm -f "${running_output[$pid]}"
    unset "running_name[$pid]" "running_since[$pid]" "running_output[$pid]"
}

# beside NAME SECONDS COMMAND…: runs it beside others, AT_ONCE in all.
beside() {
    local name=$1 seconds=$2 output
    shift 2
    while [ ${#running_name[@]} -ge "$AT_ONCE" ]; do collect; done
    output=$(mktemp)
    timeout --kill-after=10 "$seconds" "$@" </dev/null >"$output" 2>&1 &
    running_name[$!]=$name running_since[$!]=$SECONDS running_output[$!]=$output
}

# ctest's closing line in our words.
units() {
    local output status
    output=$(mktemp)
    ctest --test-dir "$1" -j "$JOBS" --output-on-failure >"$output" 2>&1
    status=$?
    [ "$status" = 0 ] || cat "$output"
    sed -nE 's|.* Test +#[0-9]+: (unit/[^ ]+) .*Passed.*|passed \1|p' "$output"
    awk '/tests? failed out of/ { n = $NF; f = $(NF - 4); gsub(/[^0-9]/, "", f);
         printf "%d passed, %d failed, 0 skipped\n", n - f, f }' "$output"
    rm -f "$output"
    return "$status"
}
export -f units
export JOBS

build() {
    printf '== build: %s\n' "$1"
    local started=$SECONDS
    build_preset "$@" || {
        printf '   FAILED\n%d passed, %d failed, 0 skipped\n' "$passed" $((failed + 1))
        exit 1
    }
    printf '   ok, %d s\n' $((SECONDS - started))
}

# shellcheck disable=SC2086 # lists of words
need_packages $PACKAGES_BUILD $PACKAGES_RUN $PACKAGES_TEST

build debug
export PAWL_BUILD="$ROOT/build-debug"
if [ "$QUICK" = 0 ]; then
    build release -DPAWL_TESTS=OFF
    build asan
    PAWL_BUILD="$ROOT/build-asan"
fi
export PAWL="$PAWL_BUILD/pawl"
export ASAN_OPTIONS="${ASAN_OPTIONS:-abort_on_error=0:detect_stack_use_after_return=1:strict_string_checks=1}"
export UBSAN_OPTIONS="${UBSAN_OPTIONS:-print_stacktrace=1}"

if wanted checks; then
    for check in "$ROOT"/tests/checks/*.sh; do
        # The checks look at objects and sources: the plain build is what they are about.
        [ -e "$check" ] && PAWL_BUILD="$ROOT/build-debug" PAWL="$ROOT/build-debug/pawl" \
            suite "checks/$(basename "$check" .sh)" 300 bash "$check"
    done
fi
if wanted unit; then
    suite "unit (debug)" 300 bash -c 'units "$1"' units "$ROOT/build-debug"
    [ "$QUICK" = 1 ] || suite "unit (address and undefined-behaviour sanitizers)" 600 \
        bash -c 'units "$1"' units "$ROOT/build-asan"
fi
for run in "$ROOT"/tests/*/run.sh; do
    name=$(basename "$(dirname "$run")")
    [ -e "$run" ] && wanted "$name" || continue
    if [ "$QUICK" = 1 ] && [[ $SLOW == *" $name "* ]]; then
        printf '== %s\n   skipped: --quick\n' "$name"
        skipped=$((skipped + 1))
        continue
    fi
    beside "$name" 900 bash "$run"
done
while [ ${#running_name[@]} -gt 0 ]; do collect; done

if [ ${#ONLY[@]} -eq 0 ] && [ "$QUICK" = 0 ]; then
    MISSION_RAN=$PASSED suite "mission: what it names has run" 60 bash "$ROOT/tests/checks/mission.sh"
fi

[ ${#failures[@]} -eq 0 ] || printf '\nFailed: %s\n' "$(printf '%s, ' "${failures[@]}" | sed 's/, $//')"
printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ] && [ ${#failures[@]} -eq 0 ]
