#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The SQL in sql/:
#
#   time        clock() only. now() and its like are when the transaction began, which may be hours ago;
#               clock_timestamp() cannot be replaced by a test. Real time is meant where a node says that
#               it lives (worker.seen), where a caller waits (await.sql) and in the table of migrations;
#               elsewhere say so with "-- real time" on the line.
#   schema      no hard-coded name: the schema is a parameter (default pawl). Functions are created with
#               SET search_path = @schema@, pg_temp; queries run under a search_path and name no schema.
#   described   each function and view that users see has COMMENT ON: docs/sql-api.md is made of them.
#               What only other functions call begins with api_ and needs none.
#   guarded     each function is revoked from PUBLIC; SECURITY DEFINER pins its search_path. A trigger
#               function may stay as it is: nobody can call it.
#   notify      no NOTIFY: it takes a lock of the whole cluster at each commit.
set -uo pipefail
export LC_ALL=C.UTF-8
cd "$(dirname "$0")/../.." || exit 1
status=0

# The files without their comments; strings stay. file:line:text
code() {
    awk '{ line = $0; sub(/--.*$/, "", line); if (line ~ /[^ ]/) printf "%s:%d:%s\n", FILENAME, FNR, line }' "$@"
}

found() {
    [ -z "$1" ] && return
    printf '%s\n' "$1" | sed -E "s|\$| <- $2|"
    status=1
}

mapfile -t all < <(find sql -name '*.sql' | sort)
mapfile -t functions < <(find sql/functions -name '*.sql' | sort)

found "$(code "${all[@]}" | grep -iE "\b(now|transaction_timestamp|statement_timestamp|timeofday) *\(|\b(current_timestamp|localtimestamp|current_date|localtime)\b")" \
    "time is clock()"
real='^sql/functions/(clock|await)\.sql:|^sql/queries/migrate\.sql:|-- .*real time'
real="$real|\bseen( =| timestamptz)[^,;]* clock_timestamp"
found "$(grep -niE 'clock_timestamp *\(' "${all[@]}" | grep -vE "$real")" 'clock(), or say "-- real time"'
# (pawl.caller is a setting's name.)
found "$(code "${all[@]}" | sed "s/'pawl\.caller'//g" | grep -E '\bpawl\.[a-z_]|"pawl"|search_path *= *pawl')" "the schema is a parameter"
found "$(code "${functions[@]}" | grep -F '@schema@' | grep -viE 'set search_path = @schema@, *pg_temp')" \
    "@schema@ belongs to SET search_path"
found "$(code $(find sql/migrations sql/queries -name '*.sql') | grep -F '@schema@')" \
    "only functions know the schema"
found "$(code "${all[@]}" | grep -iE '(^|[^a-z_])(notify|pg_notify *\()')" "no NOTIFY"

# Each function: its head up to the body, then what the other statements say about it.
heads() {
    awk 'tolower($0) ~ /^create (or replace )?function / { head = ""; at = FILENAME ":" FNR; on = 1 }
        on { head = head " " tolower($0) }
        on && tolower($0) ~ /^as|[ )]as (\$|'"'"')/ { print at "|" head; on = 0 }' "${functions[@]}"
}
text=$(cat "${functions[@]}" | tr 'A-Z\n' 'a-z ')
while IFS='|' read -r at head; do
    name=$(sed -E 's/^ *create (or replace )?function ([a-z_0-9]+).*/\2/' <<<"$head")
    case $head in
    *"returns trigger"* | *"returns event_trigger"*) continue ;;
    esac
    if [[ $name != api_* ]] && ! grep -qE "comment on function $name *\(" <<<"$text"; then
        found "$at: $name" "no COMMENT ON FUNCTION"
    fi
    if ! grep -qE "revoke (all|execute) on (function|routine)[^;]*\b$name *\([^;]* from public" <<<"$text"; then
        found "$at: $name" "not revoked from PUBLIC"
    fi
    if [[ $head == *"security definer"* && $head != *"set search_path = @schema@, pg_temp"* ]]; then
        found "$at: $name" "SECURITY DEFINER without SET search_path = @schema@, pg_temp"
    fi
done < <(heads)

while IFS=: read -r file line view; do
    grep -qE "comment on view $view " <<<"$text" || found "$file:$line: view $view" "no COMMENT ON VIEW"
done < <(awk 'tolower($0) ~ /^create (or replace )?view / {
    line = tolower($0); sub(/^create (or replace )?view /, "", line); sub(/[ (].*/, "", line)
    print FILENAME ":" FNR ":" line }' "${functions[@]}")
exit "$status"
