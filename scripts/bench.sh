#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs benchmarks, each a script bench/NAME/run.sh. All of them run without a NAME. docs/performance.md
# says what each measures.
#
#   scripts/bench.sh [--json] [NAME…]
#
# --json: one object a line: {"scenario":…,"value":…,"unit":…,"limit":…,"ratio":…}
# BENCH_SECONDS=5: a quick look. BENCH_PEERS=1: Camunda 7 and Flowable in the same table, where a JDK and
# Maven are found (bench/peers).
set -euo pipefail
. "$(dirname "$0")/lib.sh"

options=() names=()
for argument in "$@"; do
    case $argument in
    --json) options+=(--json) ;;
    -h | --help) sed -n '3,11s/^# \{0,1\}//p' "$0" && exit 0 ;;
    -*) die "scripts/bench.sh: unknown option $argument; there is --json" ;;
    *) names+=("$argument") ;;
    esac
done

if [ ${#names[@]} -eq 0 ]; then
    for file in "$ROOT"/bench/*/run.sh; do
        name=${file#"$ROOT/bench/"}
        # Peers stand in the tables of the others.
        [ "$name" = peers/run.sh ] || names+=("${name%/run.sh}")
    done
fi
[ ${#names[@]} -gt 0 ] || die "There is no benchmark in bench/."

# What is said while it builds is not part of the table.
"$ROOT/scripts/build.sh" >&2
export PAWL="$ROOT/build/pawl" PAWL_BUILD="$ROOT/build"
# What peers do is measured once, for all tables.
peers=$(mktemp -d)
trap 'rm -rf "$peers"' EXIT
export BENCH_PEERS_FILE="$peers/figures"
for name in "${names[@]}"; do
    script=$ROOT/bench/$name/run.sh
    [ -e "$script" ] || die "There is no benchmark $name; bench/ has: $(cd "$ROOT/bench" && printf '%s ' */run.sh | sed 's|/run.sh||g')"
    bash "$script" ${options[@]+"${options[@]}"}
done
