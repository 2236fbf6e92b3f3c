# SPDX-License-Identifier: Apache-2.0
# Several psql sessions at once, deterministic: a statement is either waited for, or known to be blocked.
#   session NAME [psql options]   opens one
#   ask NAME SQL                  runs SQL and prints what it prints; errors as "ERROR PWxxx: message"
#   tell NAME SQL                 sends SQL and does not wait
#   blocked NAME                  waits until what was told waits for a lock; fails if it never does
#   answer NAME                   waits for what was told, and prints it
#   expect WHAT GOT WANTED        compares
# Functions often run in $(…): what they keep lies in files, not in variables.
declare -A session_in session_pid
session_failures=0
session_dir=

session() {
    local name=$1 fd
    shift
    [ -n "$session_dir" ] || session_dir=$(mktemp -d)
    mkfifo "$session_dir/$name.in"
    : >"$session_dir/$name.out"
    : >"$session_dir/$name.told"
    PGAPPNAME=$name psql -X -q -A -t -P null=- -v VERBOSITY=verbose -v SHOW_CONTEXT=never "$@" \
        <"$session_dir/$name.in" >"$session_dir/$name.out" 2>&1 &
    session_pid[$name]=$!
    exec {fd}>"$session_dir/$name.in"
    session_in[$name]=$fd
}

tell() {
    echo . >>"$session_dir/$1.told"
    printf '%s\n\\echo :END:\n' "$2" >&"${session_in[$1]}"
}

# Verbose errors have more lines than a test needs.
answer() {
    local wanted tries=0
    wanted=$(wc -l <"$session_dir/$1.told")
    until [ "$(grep -c '^:END:$' "$session_dir/$1.out")" -ge "$wanted" ]; do
        tries=$((tries + 1))
        [ $tries -lt $((PATIENCE * 100)) ] || { echo "session $1 did not answer"; return 1; }
        sleep 0.01
    done
    awk -v wanted="$wanted" '/^:END:$/ { n++; next } n == wanted - 1' "$session_dir/$1.out" |
        grep -E -v '^((LOCATION|HINT|DETAIL):| *$)' |
        sed 's/^ERROR:  \([A-Z0-9]\{5\}\): /ERROR \1: /'
    return 0
}

ask() {
    tell "$1" "$2"
    answer "$1"
}

blocked() {
    local tries=0
    until [ "$(psql -X -q -A -t -d postgres -U postgres -h "$PG_DIR" -p "${PG_PORT:-5432}" -c "select count(*) from pg_stat_activity
              where application_name = '$1' and wait_event_type = 'Lock'")" = 1 ]; do
        tries=$((tries + 1))
        [ $tries -lt $((PATIENCE * 50)) ] || { echo "session $1 should wait for a lock, and does not"; session_failures=1; return 1; }
        sleep 0.02
    done
}

expect() {
    if [ "$2" != "$3" ]; then
        printf 'line %s: %s\n  wanted: %s\n  got:    %s\n' "${BASH_LINENO[0]}" "$1" "$3" "$2"
        session_failures=1
    fi
}

sessions_end() {
    local name
    for name in "${!session_in[@]}"; do
        # Later sessions have inherited the pipe of this one: its end would not be seen.
        echo '\q' >&"${session_in[$name]}"
        exec {session_in[$name]}>&-
        wait "${session_pid[$name]}" 2>/dev/null
    done
    session_in=() session_pid=()
    [ -z "$session_dir" ] || rm -rf "$session_dir"
    session_dir=
}
