#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Writes docs/sql-api.md from the comments in sql/functions (what \df+ and \d+ show, too).
#   tests/sql/doc.sh            writes the page
#   tests/sql/doc.sh --check    fails if the page is stale
set -uo pipefail
cd "$(dirname "$0")"
page=../../docs/sql-api.md
new=$(mktemp)

if [ -z "${PG_DIR:-}" ]; then
    . ../lib/pg.sh
    pg_start || exit 1
    trap 'pg_stop; rm -f "$new"' EXIT
    PGHOST=$PG_DIR PGUSER=pawl PGDATABASE=pawl ../lib/apply_schema.sh pawl || exit 1
else
    trap 'rm -f "$new"' EXIT
fi

PGOPTIONS='' psql -X -q -A -t -v ON_ERROR_STOP=1 -h "$PG_DIR" -U pawl -d pawl -f doc.sql >"$new" || exit 1
if [ "${1:-}" = --check ]; then
    diff -u "$page" "$new" || { echo "docs/sql-api.md is stale: run tests/sql/doc.sh and commit it"; exit 1; }
else
    cat "$new" >"$page"
fi
