#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Tests the SQL API without an engine: on a private PostgreSQL, installed by a plain login role.
#   tests/sql/run.sh [--accept] [CASE…]     CASE: a file of cases/ or sessions/, without its ending
# cases/X.sql is run by psql in a fresh copy of a database with fixtures.sql, and must print cases/X.out
# (--accept writes that file). sessions/X.sh drives several sessions at once and says itself what is wrong.
set -uo pipefail
cd "$(dirname "$0")"
. ../lib/pg.sh
. ./sessions.sh

accept=
[ "${1:-}" = --accept ] && { accept=1; shift; }
wanted=" $* "
failures=0

chosen() { [ "$wanted" = "  " ] || [[ $wanted == *" $1 "* ]]; }

verdict() { # NAME STATUS
    if [ "$2" = 0 ]; then
        echo "ok    sql/$1"
    else
        echo "FAIL  sql/$1"
        failures=$((failures + 1))
    fi
}

fresh_database() { psql_admin -c "drop database if exists $1" -c "create database $1 template pawl owner pawl"; }

PG_SETTINGS="deadlock_timeout = 200ms"
pg_start || exit 1
output=$(mktemp -d)
trap 'sessions_end; pg_stop; rm -rf "$output"' EXIT
export PGHOST=$PG_DIR PGUSER=pawl PGDATABASE=pawl PGOPTIONS="-c client_min_messages=warning" PSQLRC=/dev/null
../lib/apply_schema.sh pawl || exit 1
psql_admin -f roles.sql || exit 1
psql_pawl -v schema=pawl -o /dev/null -f fixtures.sql || exit 1

for file in cases/*.sql; do
    name=$(basename "$file" .sql)
    chosen "$name" || continue
    fresh_database "t_$name" || exit 1
    PGDATABASE=t_$name psql -X -q -A -t -P null=- -f "$file" >"$output/$name" 2>&1
    if [ -n "$accept" ]; then
        cp "$output/$name" "cases/$name.out"
    fi
    diff -u "cases/$name.out" "$output/$name"
    verdict "$name" $?
done
for file in sessions/*.sh; do
    name=$(basename "$file" .sh)
    chosen "$name" || continue
    fresh_database "t_$name" || exit 1
    (export PGDATABASE=t_$name; . "./$file"; sessions_end; exit "$session_failures")
    verdict "$name" $?
done
if chosen limits; then
    ./limits.sh
    verdict limits $?
fi
if chosen doc; then
    ./doc.sh --check
    verdict doc $?
fi
[ "$failures" = 0 ] || { echo "$failures failed"; exit 1; }
