#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Shows Pawl at work: the story of an example, processes/NAME/demo.sh, on a private PostgreSQL. Exits 0 only if
# everything ended as the story says it must.
#
#   scripts/demo.sh [NAME] [--keep]     NAME: address-verification unless told
#                                       --keep: leave the engine's data in place and say where it is
set -euo pipefail
. "$(dirname "$0")/lib.sh"

KEEP=0 NAME=
for argument in "$@"; do
    case $argument in
    --keep) KEEP=1 ;;
    -h | --help) sed -n '3,8s/^# \{0,1\}//p' "$0" && exit 0 ;;
    -*) die "scripts/demo.sh: unknown option $argument; there is --keep" ;;
    *) [ -z "$NAME" ] || die "scripts/demo.sh shows one example at a time"
        NAME=$argument ;;
    esac
done
NAME=${NAME:-address-verification}
STORY=$ROOT/processes/$NAME/demo.sh
[ -e "$STORY" ] || die "There is no example $NAME; there are: $(cd "$ROOT/processes" && printf '%s ' */demo.sh | sed 's|/demo.sh||g')"

cd "$ROOT"

if [ -t 1 ] && [ -z "${NO_COLOR-}" ]; then BOLD=$'\e[1m' DIM=$'\e[2m' PLAIN=$'\e[0m'; else BOLD='' DIM='' PLAIN=''; fi
COLUMNS=$(tput cols 2>/dev/null || echo 120)
[ "$COLUMNS" -ge 100 ] && [ "$COLUMNS" -le 140 ] || COLUMNS=120
export COLUMNS=$((COLUMNS - 3)) # what is shown is indented
N=0
step() {
    N=$((N + 1))
    printf '\n%s%d. %s%s\n' "$BOLD" "$N" "$1" "$PLAIN"
}
say() { printf '   %s\n' "$@"; }
indent() { sed 's/^/   /'; }
# Shows a command as a person would type it, and runs it.
show() {
    local word words=pawl
    for word; do
        [[ $word == *[\ \"{]* ]] && word="'$word'"
        words="$words $word"
    done
    printf '   %s$ %s%s\n' "$DIM" "$words" "$PLAIN"
    "$PAWL" "$@" 2>&1 | indent
}

# ---- What this starts, this ends ----

DIR='' ENGINE='' SAMPLER='' HELPERS=()

stop_one() { # PID SIGNAL
    [ -n "$1" ] || return 0
    kill "-$2" "$1" 2>/dev/null || true
    wait "$1" 2>/dev/null || true
}

cleanup() {
    local helper
    set +e
    stop_one "$SAMPLER" TERM
    stop_one "$ENGINE" TERM
    for helper in ${HELPERS[@]+"${HELPERS[@]}"}; do stop_one "$helper" TERM; done
    # A killed engine leaves its PostgreSQL running, for the next start. Here there is none.
    if [ -n "$DIR" ] && [ -e "$DIR/data/postgres/data/postmaster.pid" ]; then
        kill -INT "$(head -1 "$DIR/data/postgres/data/postmaster.pid")" 2>/dev/null
        for _ in $(seq 50); do
            [ -e "$DIR/data/postgres/data/postmaster.pid" ] || break
            sleep 0.1
        done
    fi
    if [ -n "$DIR" ] && [ "$KEEP" = 0 ]; then rm -rf "$DIR"; fi
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# helper_start NAME COMMAND…: something that the story needs beside the engine, such as a stand-in service that
# writes its port into $DIR/NAME.port; ends with the demo.
helper_start() {
    local name=$1
    shift
    "$@" >/dev/null 2>"$DIR/$name.log" &
    HELPERS+=($!)
    for _ in $(seq 100); do [ -s "$DIR/$name.port" ] && return 0; sleep 0.05; done
    cat "$DIR/$name.log" >&2
    die "The stand-in $name did not start."
}

sql() { psql -X -q -A -t -v ON_ERROR_STOP=1 -d "$PAWL_DATABASE" "$@"; }

# engine_start [OPTION…]: of pawl up.
engine_start() {
    local i
    : >"$DIR/engine.out"
    env -u PAWL_DATABASE "$PAWL" up --data "$DIR/data" "$@" >"$DIR/engine.out" 2>>"$DIR/engine.log" &
    ENGINE=$!
    for ((i = 0; i < 600; i++)); do
        grep -q '^ready' "$DIR/engine.out" && break
        kill -0 "$ENGINE" 2>/dev/null || { ENGINE=''; tail -20 "$DIR/engine.log" >&2; die "The engine did not start."; }
        sleep 0.05
    done
    indent <"$DIR/engine.out"
    PAWL_DATABASE=$(cat "$DIR/data/conninfo")
    export PAWL_DATABASE
}

# Writes the longest open transaction of the engine's sessions, twenty times a second.
sampler_start() {
    {
        printf '%s\n' "select coalesce(round(1000 * max(extract(epoch from clock_timestamp() - xact_start)), 1), 0)
            from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()
            and application_name like 'pawl%' and application_name not in ('pawl migrate', 'pawl client')
            \\watch 0.05"
    } >"$DIR/sampler.sql"
    psql -X -q -A -t -d "$PAWL_DATABASE" -f "$DIR/sampler.sql" >"$DIR/transactions" 2>/dev/null &
    SAMPLER=$!
}


wait_until() { # SECONDS WHAT SQL
    local end=$((SECONDS + $1))
    while [ "$(sql -c "$3")" != t ]; do
        kill -0 "$ENGINE" 2>/dev/null || { tail -20 "$DIR/engine.log" >&2; die "The engine ended by itself."; }
        [ $SECONDS -lt $end ] || { "$PAWL" ps >&2 || true; die "Not within $1 s: $2."; }
        sleep 0.1
    done
}

# ---- What a story says over HTTP, and what must be so ----

# What curl shows, as a person would type it; the answer stays in $ANSWER.
request() {
    local words='curl' word
    for word; do
        [[ $word == *[\ \"{\;]* ]] && word="'$word'"
        words="$words $word"
    done
    printf '   %s$ %s%s\n' "$DIM" "${words//http:\/\/$ADDRESS/\$URL}" "$PLAIN"
    ANSWER=$(curl -s "$@")
    python3 -m json.tool --no-ensure-ascii <<<"$ANSWER" | indent
}
must() { # WHAT CONDITION…
    local what=$1
    shift
    "$@" && return 0
    say "WRONG: $what"
    FAILED=1
}
says() { python3 -c 'import json, sys; sys.exit(not eval(sys.argv[1], {"it": json.loads(sys.argv[2])}))' "$1" "$ANSWER"; }

# ---- The story ----

printf '%sPawl: %s%s\n' "$BOLD" "$NAME" "$PLAIN"
step "Build"
"$ROOT/scripts/build.sh" | indent
PAWL=$ROOT/build/pawl
export PAWL
BEGAN=$SECONDS
DIR=$(mktemp -d "${TMPDIR:-/tmp}/pawl-demo.XXXXXX")
chmod 755 "$DIR" # PostgreSQL does not run as root, and its user must get in

FAILED='' # the story sets it
. "$STORY"

stop_one "$ENGINE" TERM
ENGINE=''
say "" "It took $((SECONDS - BEGAN)) s."
[ "$KEEP" = 0 ] || say "The data is kept: pawl up --data $DIR/data, and its log $DIR/engine.log"
if [ -n "$FAILED" ]; then
    KEEP=1
    say "Not everything ended as it should. The data is kept in $DIR"
    exit 1
fi
say "Everything ended as it should."
