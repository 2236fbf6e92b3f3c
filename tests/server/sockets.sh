#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# TLS, a Unix socket, a socket that systemd gives. Run by run.sh, which has a database.
#   sockets.sh PAWL FOLDER
set -uo pipefail
PAWL=$1 DIR=$2
passed=0 failed=0
check() {
    if [ "$2" = "$3" ]; then passed=$((passed + 1)); else failed=$((failed + 1)); printf 'FAIL  %s: "%s", not "%s"\n' "$1" "$3" "$2"; fi
}
start() { # COMMAND…: sets ENGINE and address
    : >"$DIR/s.out"
    "$@" >"$DIR/s.out" 2>"$DIR/s.err" </dev/null &
    ENGINE=$!
    for ((i = 0; i < 300; i++)); do
        grep -q '^ready' "$DIR/s.out" && break
        kill -0 "$ENGINE" 2>/dev/null || break
        sleep 0.05
    done
    address=$(sed -n 's/^ready.*, http //p' "$DIR/s.out")
}
stop() { kill "$ENGINE" && wait "$ENGINE"; }
up=("$PAWL" up --data "$DIR/sockets")

openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 \
    -days 1 -keyout "$DIR/key.pem" -out "$DIR/cert.pem" 2>"/dev/null"
start "${up[@]}" --listen 127.0.0.1:0 --tls-cert "$DIR/cert.pem" --tls-key "$DIR/key.pem"
check "https" ok "$(curl -s --cacert "$DIR/cert.pem" "https://$address/livez")"
check "only with a user" 401 "$(curl -s -o /dev/null -w '%{http_code}' --cacert "$DIR/cert.pem" "https://$address/v1/processes")"
check "no plain http there" "" "$(curl -s "http://$address/livez")"
check "no TLS 1.1" "" "$(curl -s --cacert "$DIR/cert.pem" --tls-max 1.1 "https://$address/livez")"
check "its links are https" "https://$address/" \
    "$(curl -s --cacert "$DIR/cert.pem" "https://$address/.well-known/camunda-automation-platform/webapps" | jq -r .cockpitUrl)"
/usr/bin/python3 -B "$(dirname "$0")/certificate.py" "$address" "$DIR" "$ENGINE" "$DIR/s.err" || failed=$((failed + 1))
stop
start "${up[@]}" --listen 127.0.0.1:0 --tls-cert "$DIR/cert.pem" --tls-key "$DIR/cert.pem"
check "a key that is none" "" "$address"
check "says so" 1 "$(grep -c 'holds no private key in PEM' "$DIR/s.err")"
start "${up[@]}" --listen 127.0.0.1:0 --dev --request-timeout 2
/usr/bin/python3 -B "$(dirname "$0")/slow.py" "$address" || failed=$((failed + 1))
stop
start "${up[@]}" --listen "unix:$DIR/http"
check "a Unix socket" ok "$(curl -s --unix-socket "$DIR/http" http://localhost/livez)"
check "its name" "unix:$DIR/http" "$address"
{ kill -KILL "$ENGINE" && wait "$ENGINE"; } 2>/dev/null
start "${up[@]}" --listen "unix:$DIR/http" --dev
check "after a crash, open to all" 200 "$(curl -s -o /dev/null -w '%{http_code}' --unix-socket "$DIR/http" http://localhost/v1/processes)"
stop
check "it leaves no file" no "$([ -e "$DIR/http" ] && echo yes || echo no)"
# As systemd does it: descriptor 3, which was opened before the program began.
start /usr/bin/python3 -c 'import os, socket, sys
s = socket.socket(); s.bind(("127.0.0.1", 0)); s.listen()
os.dup2(s.fileno(), 3); os.set_inheritable(3, True)
os.environ.update(LISTEN_FDS="1", LISTEN_PID=str(os.getpid()))
os.execv(sys.argv[1], sys.argv[1:])' "${up[@]}" --listen systemd
check "systemd's socket" ok "$(curl -s "http://$address/livez")"
stop
start "${up[@]}" --listen systemd
check "none from systemd" "" "$address"
check "says it" 1 "$(grep -c 'systemd has given no socket' "$DIR/s.err")"
start "${up[@]}" --listen 0.0.0.0:0
check "others may reach it" 401 "$(curl -s -o /dev/null -w '%{http_code}' -H 'Host: pawl.example' "http://${address/0.0.0.0/127.0.0.1}/v1/processes")"
check "and it warns" 1 "$(grep -c 'http without TLS' "$DIR/s.err")"
stop
printf '%d passed, %d failed, 0 skipped\n' "$passed" "$failed"
[ "$failed" = 0 ]
