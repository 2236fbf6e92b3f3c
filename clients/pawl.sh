# SPDX-License-Identifier: Apache-2.0
# Answers a Pawl task from a shell script. POSIX sh and curl; source it, or copy it into your image.
#
#   . ./pawl.sh
#   pawl_succeed   TARGET [OUTPUT]          OUTPUT: JSON; '{}' unless told
#   pawl_fail      TARGET ERROR [CAUSE]     ERROR: a code like CardDeclined; CAUSE: words for people
#   pawl_heartbeat TARGET
#   pawl_run [--heartbeat SECONDS] [--json] TARGET -- COMMAND [ARGUMENT…]
#
# TARGET is the callback URL, or the token alone where PAWL_URL says where the engine is.
#
# pawl_run runs COMMAND and always calls back: succeed when it ends with 0, else fail, also when it is
# killed, cannot be found, or the script itself gets HUP, INT or TERM. The output is {"exitCode", "stdout"};
# with --json, what COMMAND writes to stdout is the output. The last lines of its stderr go along as logs.
# It returns COMMAND's status, or 125 where the callback was not taken; traps of the script for those signals are gone
# afterwards. With --heartbeat a sign of life is
# sent every so many seconds; when the engine does not wait any more, COMMAND gets TERM. Nothing can be said
# of a script that is killed with KILL: give such tasks a heartbeat timeout.
#
# An answer that does not arrive (no connection, 408, 429, 5xx) is sent again, after 1, 2, 4 … 60 seconds with
# a random share, or when Retry-After (in seconds) says so, until PAWL_GIVE_UP seconds have passed. That is
# safe: the same answer twice is one answer.
#
# Variables:
#   PAWL_URL       http://127.0.0.1:9464: where the engine is, for a TARGET that is a token alone
#   PAWL_BEARER_TOKEN  bearer token of a technical user, where the task wants to know who answers
#   PAWL_GIVE_UP   seconds that an answer is tried for; 3600 unless told
#   PAWL_LOG_LINES how many lines of stderr are sent; 50 unless told
#   PAWL_TIMEOUT   seconds of one request; 30 unless told
#
# Functions return 0: taken. 1: refused (the words are on stderr). 2: given up. 3: wrong usage.

# Where a callback goes: URL or token, and the verb.
_pawl_url() {
    case $1 in
    *://*) printf '%s/%s' "${1%/}" "$2" ;;
    *) printf '%s/callbacks/%s/%s' "${PAWL_URL%/}" "$1" "$2" ;;
    esac
}

# stdin as a JSON string. What is not UTF-8, or a control character, does not go along.
_pawl_string() {
    { if command -v iconv >/dev/null 2>&1; then iconv -c -f UTF-8 -t UTF-8; else LC_ALL=C tr -cd '\11\12\40-\176'; fi; } |
        LC_ALL=C tr -d '\000-\010\013-\037\177' |
        LC_ALL=C awk 'BEGIN { printf "\"" }
            { gsub(/\\/, "&&"); gsub(/"/, "\\\""); gsub(/\t/, "\\t"); if (NR > 1) printf "\\n"; printf "%s", $0 }
            END { printf "\"" }'
}

# stdin as a JSON array of strings, one a line; the last PAWL_LOG_LINES, each of 1000 bytes at most.
_pawl_lines() {
    printf '['
    tail -n "${PAWL_LOG_LINES:-50}" | LC_ALL=C cut -b 1-1000 | {
        comma=
        while IFS= read -r line || [ -n "$line" ]; do
            printf '%s%s' "$comma" "$(printf '%s\n' "$line" | _pawl_string)"
            comma=,
        done
    }
    printf ']'
}

# _pawl_wait ATTEMPT AFTER: seconds before the next attempt.
_pawl_wait() {
    awk -v n="$1" -v after="${2:-0}" -v seed="$$$1$(date +%S)" 'BEGIN {
        srand(seed); most = n > 6 ? 60 : 2 ^ (n - 1); wait = most * (0.5 + rand() / 2)
        if (after + 0 > wait) wait = after + rand()
        printf "%.2f", wait }'
}

# _pawl_send TARGET VERB FILE: sends the file as the body, again and again.
_pawl_send() {
    case $1 in
    *[\"\\]*) echo "pawl: this is no callback URL and no token" >&2 && return 3 ;;
    *://*) ;;
    '') echo "pawl: no callback URL and no token" >&2 && return 3 ;;
    *) [ -n "${PAWL_URL:-}" ] || { echo "pawl: set PAWL_URL, or pass the whole callback URL" >&2 && return 3; } ;;
    esac
    _pawl_began=$(date +%s) _pawl_attempt=0
    _pawl_dir=$(mktemp -d) || return 2
    while :; do
        _pawl_attempt=$((_pawl_attempt + 1))
        # By stdin: what stands on a command line is in everybody's list of processes.
        _pawl_status=$({
            printf 'url = "%s"\n' "$(_pawl_url "$1" "$2")"
            [ -z "${PAWL_BEARER_TOKEN:-}" ] || printf 'header = "Authorization: Bearer %s"\n' "$PAWL_BEARER_TOKEN"
        } | curl -s -S -K - -X POST -H 'Content-Type: application/json' --data-binary "@$3" \
            --connect-timeout 10 --max-time "${PAWL_TIMEOUT:-30}" -D "$_pawl_dir/headers" -o "$_pawl_dir/body" \
            -w '%{http_code}' 2>"$_pawl_dir/error") || _pawl_status=000
        case $_pawl_status in
        2??)
            rm -rf "$_pawl_dir"
            return 0
            ;;
        000 | 408 | 429 | 5??) ;;
        *)
            printf 'pawl: %s was refused with %s: %s\n' "$2" "$_pawl_status" "$(head -c 1000 "$_pawl_dir/body" 2>/dev/null)" >&2
            rm -rf "$_pawl_dir"
            return 1
            ;;
        esac
        _pawl_after=
        [ "$_pawl_status" = 000 ] || _pawl_after=$(LC_ALL=C sed -n 's/\r$//; s/^[Rr][Ee][Tt][Rr][Yy]-[Aa][Ff][Tt][Ee][Rr]: *\([0-9]\{1,6\}\)$/\1/p' \
            "$_pawl_dir/headers" 2>/dev/null | tail -n 1)
        _pawl_pause=$(_pawl_wait "$_pawl_attempt" "$_pawl_after")
        if [ $(($(date +%s) + ${_pawl_pause%.*} - _pawl_began)) -ge "${PAWL_GIVE_UP:-3600}" ]; then
            printf 'pawl: %s is given up after %s attempts: %s %s\n' "$2" "$_pawl_attempt" "$_pawl_status" \
                "$(head -n 1 "$_pawl_dir/error" 2>/dev/null)" >&2
            rm -rf "$_pawl_dir"
            return 2
        fi
        sleep "$_pawl_pause"
    done
}

# _pawl_answer TARGET VERB BODY
_pawl_answer() {
    _pawl_file=$(mktemp) || return 2
    printf '%s' "$3" >"$_pawl_file"
    _pawl_send "$1" "$2" "$_pawl_file" && _pawl_result=0 || _pawl_result=$?
    rm -f "$_pawl_file"
    return "$_pawl_result"
}

pawl_succeed() {
    [ -n "${2:-}" ] || set -- "$1" '{}'
    _pawl_answer "$1" succeed "{\"output\":$2}"
}

pawl_fail() {
    [ -n "${2:-}" ] || { echo "usage: pawl_fail TARGET ERROR [CAUSE]" >&2 && return 3; }
    _pawl_answer "$1" fail "{\"error\":$(printf '%s' "$2" | _pawl_string),\"cause\":$(printf '%s' "${3:-}" | _pawl_string)}"
}

pawl_heartbeat() {
    _pawl_answer "$1" heartbeat '{}'
}

# _pawl_beat TARGET SECONDS PID: signs of life, until the engine does not wait any more.
_pawl_beat() {
    # What is sleeping must not outlive us.
    trap '[ -z "${_pawl_nap:-}" ] || kill "$_pawl_nap" 2>/dev/null; exit 0' TERM
    while :; do
        sleep "$2" &
        _pawl_nap=$!
        wait "$_pawl_nap"
        _pawl_result=0
        PAWL_GIVE_UP=$2 pawl_heartbeat "$1" || _pawl_result=$?
        if [ "$_pawl_result" -eq 1 ]; then
            echo "pawl: the engine does not wait any more, so the command is ended" >&2
            kill -TERM "$3" 2>/dev/null
            return
        fi
    done
}

_pawl_run() {
    _pawl_beat='' _pawl_json=
    while :; do
        case ${1:-} in
        --heartbeat) _pawl_beat=${2:-} && shift 2 || return 3 ;;
        --json) _pawl_json=1 && shift ;;
        *) break ;;
        esac
    done
    _pawl_target=${1:-}
    if [ -z "$_pawl_target" ] || [ "${2:-}" != -- ] || [ $# -lt 3 ]; then
        echo "usage: pawl_run [--heartbeat SECONDS] [--json] TARGET -- COMMAND [ARGUMENT...]" >&2
        return 3
    fi
    shift 2
    _pawl_work=$(mktemp -d) || return 2
    mkfifo "$_pawl_work/stderr" "$_pawl_work/stdout"
    _pawl_got='' _pawl_pid='' _pawl_beater=
    trap '_pawl_got=HUP; [ -z "$_pawl_pid" ] || kill -HUP "$_pawl_pid" 2>/dev/null' HUP
    trap '_pawl_got=INT; [ -z "$_pawl_pid" ] || kill -TERM "$_pawl_pid" 2>/dev/null' INT
    trap '_pawl_got=TERM; [ -z "$_pawl_pid" ] || kill -TERM "$_pawl_pid" 2>/dev/null' TERM
    # Both show at once where they showed without us, and are kept.
    (trap '' HUP INT TERM && exec tee "$_pawl_work/log" <"$_pawl_work/stderr" >&2) &
    _pawl_tees=$!
    (trap '' HUP INT TERM && exec tee "$_pawl_work/out" <"$_pawl_work/stdout") &
    _pawl_tees="$_pawl_tees $!"
    # What runs beside a shell gets no stdin of its own accord.
    { "$@" <&3 3<&- >"$_pawl_work/stdout" 2>"$_pawl_work/stderr" & } 3<&0
    _pawl_pid=$!
    if [ -n "$_pawl_beat" ]; then
        _pawl_beat "$_pawl_target" "$_pawl_beat" "$_pawl_pid" &
        _pawl_beater=$!
    fi
    # A signal to us ends `wait` early.
    while :; do
        wait "$_pawl_pid"
        _pawl_ended=$?
        kill -0 "$_pawl_pid" 2>/dev/null || break
    done
    [ -z "$_pawl_beater" ] || kill -TERM "$_pawl_beater" 2>/dev/null
    # What it has left running may hold its output open for as long as it likes: two seconds.
    _pawl_patience=20
    for _pawl_one in $_pawl_tees; do
        while kill -0 "$_pawl_one" 2>/dev/null && [ "$_pawl_patience" -gt 0 ]; do
            sleep 0.1
            _pawl_patience=$((_pawl_patience - 1))
        done
    done
    trap '' HUP INT TERM # from here on the answer leaves, whatever comes
    _pawl_logs=$(_pawl_lines <"$_pawl_work/log")
    if [ "$_pawl_ended" -eq 0 ] && [ -z "$_pawl_got" ]; then
        if [ -n "$_pawl_json" ]; then
            { printf '{"logs":%s,"output":' "$_pawl_logs" && cat "$_pawl_work/out" && printf '}'; } >"$_pawl_work/body"
        else
            printf '{"logs":%s,"output":{"exitCode":0,"stdout":%s}}' "$_pawl_logs" "$(_pawl_string <"$_pawl_work/out")" >"$_pawl_work/body"
        fi
        _pawl_send "$_pawl_target" succeed "$_pawl_work/body"
        _pawl_sent=$?
        case $_pawl_status in
        400 | 413 | 422) # it is the output that is not taken
            printf '{"logs":%s,"error":"InvalidOutput","cause":"the engine did not take the output"}' "$_pawl_logs" >"$_pawl_work/body"
            _pawl_send "$_pawl_target" fail "$_pawl_work/body"
            ;;
        esac
    else
        _pawl_cause="the command ended with status $_pawl_ended"
        [ "$_pawl_ended" -le 128 ] || _pawl_cause="the command was ended by signal $((_pawl_ended - 128))"
        [ -z "$_pawl_got" ] || _pawl_cause="$_pawl_cause, after $_pawl_got"
        [ "$_pawl_ended" -ne 127 ] || _pawl_cause="the command was not found"
        _pawl_error=CommandFailed
        [ "$_pawl_ended" -le 128 ] && [ -z "$_pawl_got" ] || _pawl_error=CommandKilled
        printf '{"logs":%s,"error":"%s","cause":"%s"}' "$_pawl_logs" "$_pawl_error" "$_pawl_cause" >"$_pawl_work/body"
        _pawl_send "$_pawl_target" fail "$_pawl_work/body"
        _pawl_sent=$?
        [ "$_pawl_ended" -ne 0 ] || _pawl_ended=143
    fi
    rm -rf "$_pawl_work"
    [ "$_pawl_sent" -eq 0 ] || return 125
    return "$_pawl_ended"
}

# In this shell itself, not in a subshell: who ends the script ends what it runs.
pawl_run() {
    _pawl_run "$@" && set -- 0 || set -- $? # so that `set -e` ends nothing in there
    trap - HUP INT TERM
    return "$1"
}
