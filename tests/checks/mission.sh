#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# docs/mission.md has a row for each capability, and each row names tests that exist; with MISSION_RAN, a
# file with the names of the tests that passed, also that they ran.
#
# Why: a promise that no test keeps is a wish.
#
# To fix: name the test that shows the row, in backquotes in its third column: `suite` or `suite/case`, as the
# run prints them, or `unit/folder/test_file`. A row of which a part is missing says "partly:" and what.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
status=0
page=docs/mission.md
wrong() {
    printf '%s\n' "$1"
    status=1
}

exists() {
    local suite=${1%%/*} rest=${1#*/}
    case $1 in
    unit/*/*) [ -e "tests/$1.c" ] ;;
    demo/*) [ -e "processes/$rest/demo.sh" ] ;;
    */*) [ -n "$(find "tests/$suite" -name "$rest" -o -name "$rest.*" | head -1)" ] ;;
    *) [ -e "tests/$1/run.sh" ] ;;
    esac
}

wanted=$(for n in $(seq 37); do echo "0.$n"; done; for n in $(seq 32); do echo "1.$n"; done
    for n in $(seq 31); do echo "2.$n"; done; for n in $(seq 24); do echo "3.$n"; done)
found=$(sed -nE 's/^\| ([0-3]\.[0-9]+) \|.*/\1/p' "$page")
difference=$(diff <(printf '%s\n' "$wanted") <(printf '%s\n' "$found"))
[ -z "$difference" ] || wrong "$page: rows that are missing (<), or are none or twice (>):
$difference"

names=$(mktemp)
trap 'rm -f "$names"' EXIT
while IFS='|' read -r _ row text tests _; do
    row=${row// /}
    # shellcheck disable=SC2016 # backquotes of Markdown
    grep -oE '`[a-z0-9_./-]+`' <<<"$tests" | tr -d '`' | sort -u >"$names"
    [ -s "$names" ] || wrong "$page: row $row names no test"
    [ -n "${text// /}" ] || wrong "$page: row $row says nothing"
    while read -r name; do
        exists "$name" || wrong "$page: row $row names $name, which does not exist in tests/"
        if [ -n "${MISSION_RAN-}" ] && ! grep -qxF "$name" "$MISSION_RAN"; then
            wrong "$page: row $row names $name, which did not run or did not pass"
        fi
    done <"$names"
done < <(grep -E '^\| [0-3]\.[0-9]+ \|' "$page")
exit "$status"
