#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Applies sql/migrations (once) and sql/functions (each time) with psql alone, as `pawl migrate` does, in one
# transaction. Shows that the SQL stands by itself. The connection comes from libpq's environment.
#   tests/lib/apply_schema.sh [SCHEMA]
set -euo pipefail
cd "$(dirname "$0")/../../sql"

schema=${1:-pawl}
quoted="\"${schema//\"/\"\"}\""
escaped=$(printf '%s' "$quoted" | sed 's/[&/\]/\\&/g')

{
    echo "set client_min_messages = warning;"
    # IF NOT EXISTS would want the right to create schemas even where it is there already.
    printf "select to_regnamespace('%s') is null as missing \\gset\n\\\\if :missing\ncreate schema %s;\n\\\\endif\n" \
        "${quoted//\'/\'\'}" "$quoted"
    printf 'set search_path = %s, pg_temp;\n' "$quoted"
    echo "select to_regclass('worker') is null as fresh \gset"
    echo "\if :fresh"
    for file in migrations/*.sql; do
        cat "$file"
    done
    echo "\endif"
    for file in functions/*.sql; do
        sed "s/@schema@/$escaped/g" "$file"
    done
} | psql -X -q -v ON_ERROR_STOP=1 -1 -o /dev/null
