#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Replays the fuzz corpus with the build that is tested, or looks for new inputs.
#
#   tests/fuzz/run.sh                      replays; PAWL_BUILD names the build folder
#   tests/fuzz/run.sh --seconds N [NAME…]  libFuzzer for N seconds a target; needs clang, libclang-rt-14-dev
#
# What the second form finds lies in build-fuzz/found/NAME-*; tests/fuzz/README.md says what to do with it.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
build=${PAWL_BUILD:-build-debug}
seconds=0 names=()
while [ $# -gt 0 ]; do
    case $1 in
    --seconds)
        shift
        [[ ${1-} =~ ^[1-9][0-9]{0,5}$ ]] || { echo "run.sh: --seconds wants a number" >&2; exit 2; }
        seconds=$1
        ;;
    -*) echo "run.sh: unknown option $1; there is --seconds" >&2; exit 2 ;;
    *) names+=("$1") ;;
    esac
    shift
done
if [ ${#names[@]} -eq 0 ]; then
    for source in tests/fuzz/fuzz_*.c; do
        names+=("$(basename "$source" .c)")
    done
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# seeds NAME: prints the folders and files that a target starts from, besides its corpus.
seeds() {
    case $1 in
    fuzz_expr)
        mkdir -p "$work/expr"
        awk -v to="$work/expr/" '/^$/ || (at == 0 && /^#[^{]/) { next }
            { line[at++] = $0 }
            at == 3 { at = 0; file = to (++n); printf "%s%c%s", line[0], 0, line[1] >file; close(file) }' \
            tests/expr/*.txt
        echo "$work/expr"
        ;;
    fuzz_value)
        mkdir -p "$work/value"
        grep -hE '^[[{"]' tests/expr/*.txt | awk -v to="$work/value/" '{ file = to NR; printf "%s", $0 >file; close(file) }'
        echo "$work/value"
        ;;
    fuzz_schema)
        mkdir -p "$work/schema"
        jq -c '.[] | .schema as $schema | .tests[] | $schema, .data' \
            /usr/share/json-schema-test-suite/tests/draft7/*.json \
            /usr/share/json-schema-test-suite/tests/draft7/optional/*.json \
            /usr/share/json-schema-test-suite/tests/draft7/optional/format/*.json |
            awk -v to="$work/schema/" 'NR % 2 { schema = $0; next }
                { file = to NR; printf "%s\n%s", schema, $0 >file; close(file) }'
        echo "$work/schema"
        ;;
    fuzz_pattern)
        mkdir -p "$work/pattern"
        awk -v to="$work/pattern/" '$1 == "pattern" { pattern = substr($0, 9) }
            $1 == "yes" || $1 == "no" { file = to NR; printf "%s%c%s", pattern, 0, substr($0, length($1) + 2) >file; close(file) }
            $1 == "refused" { file = to NR; sub(/ -> .*/, ""); printf "%s", substr($0, 9) >file; close(file) }' \
            tests/unit/events/patterns.txt
        echo "$work/pattern"
        ;;
    fuzz_parser)
        find processes tests/parser tests/hostile -name '*.bpmn' -size -200k
        ;;
    esac
}

n_passed=0 n_failed=0
if [ "$seconds" -gt 0 ]; then
    if ! command -v clang >/dev/null; then
        echo "run.sh: looking for inputs needs clang and libclang-rt-14-dev" >&2
        exit 1
    fi
    build=${PAWL_FUZZ_BUILD:-build-fuzz}
    { cmake -S . -B "$build" -G Ninja -DCMAKE_C_COMPILER=clang -DCMAKE_BUILD_TYPE=RelWithDebInfo -DPAWL_FUZZ=ON \
        -DPAWL_SANITIZE=address,undefined && ninja -C "$build" "${names[@]}"; } >"$work/log" 2>&1 ||
        { tail -40 "$work/log"; exit 1; }
    mkdir -p "$build/found"
fi
for name in "${names[@]}"; do
    if [ ! -x "$build/$name" ]; then
        echo "$build/$name does not exist: build first, or name the build folder in PAWL_BUILD"
        n_failed=$((n_failed + 1))
        continue
    fi
    corpus=tests/fuzz/corpus/${name#fuzz_}
    mkdir -p "$corpus"
    mapfile -t from < <(seeds "$name")
    if [ "$seconds" -gt 0 ]; then
        # New inputs are kept apart from the corpus: what is worth keeping is chosen by hand.
        mkdir -p "$build/corpus/$name" "$work/$name"
        [ ${#from[@]} -eq 0 ] || find "${from[@]}" -type f -exec cp --backup=t -t "$work/$name" {} +
        dictionary=()
        [ -e "tests/fuzz/${name#fuzz_}.dict" ] && dictionary=("-dict=tests/fuzz/${name#fuzz_}.dict")
        "$build/$name" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=65536 \
            -print_final_stats=1 -verbosity=0 "${dictionary[@]}" -artifact_prefix="$build/found/$name-" \
            "$build/corpus/$name" "$corpus" "$work/$name" >"$work/log" 2>&1
    else
        ASAN_OPTIONS="${ASAN_OPTIONS:-}:detect_leaks=1" "$build/$name" "$corpus" "${from[@]}" >"$work/log" 2>&1
    fi
    r=$?
    if [ $r = 0 ]; then
        n_passed=$((n_passed + 1))
        echo "ok   $name $(sed -nE 's/^stat::number_of_executed_units: *([0-9]+)/\1 executions/p; /^[0-9]+ inputs/p' "$work/log")"
    else
        n_failed=$((n_failed + 1))
        echo "FAILED $name"
        tail -30 "$work/log"
    fi
done
echo "$n_passed passed, $n_failed failed"
[ "$n_failed" = 0 ]
