#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs benchmarks, each a script bench/NAME/run.sh or bench/NAME.sh. All of them run without a NAME.
#
#   scripts/bench.sh [--json] [NAME…]
#
# --json: one object a line: {"scenario":…,"value":…,"unit":…,"limit":…,"ratio":…}
set -euo pipefail
. "$(dirname "$0")/lib.sh"

options=() names=()
for argument in "$@"; do
    case $argument in
    --json) options+=(--json) ;;
    -h | --help) sed -n '3,8s/^# \{0,1\}//p' "$0" && exit 0 ;;
    -*) die "scripts/bench.sh: unknown option $argument; there is --json" ;;
    *) names+=("$argument") ;;
    esac
done

script_of() {
    local file
    for file in "$ROOT/bench/$1/run.sh" "$ROOT/bench/$1.sh"; do
        [ -e "$file" ] && printf '%s' "$file" && return 0
    done
    return 1
}

if [ ${#names[@]} -eq 0 ]; then
    for file in "$ROOT"/bench/*/run.sh "$ROOT"/bench/*.sh; do
        [ -e "$file" ] || continue
        name=${file#"$ROOT/bench/"}
        name=${name%/run.sh}
        names+=("${name%.sh}")
    done
fi
[ ${#names[@]} -gt 0 ] || die "There is no benchmark in bench/."

# What is said while it builds is not part of the table.
"$ROOT/scripts/build.sh" >&2
export PAWL="$ROOT/build/pawl" PAWL_BUILD="$ROOT/build"
for name in "${names[@]}"; do
    script=$(script_of "$name") || die "There is no benchmark $name; bench/ has: $(ls "$ROOT/bench" | tr '\n' ' ')"
    bash "$script" ${options[@]+"${options[@]}"}
done
