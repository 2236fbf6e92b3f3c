# SPDX-License-Identifier: Apache-2.0
# Configuration of `pawl up`: flags, environment, file, defaults; reload; signals; systemd; the log.

# ---- What is wrong is said with its place, before anything starts ----
expect_wrong() { # TEXT PATTERN
    printf '%b' "$1" >wrong.conf
    expect_code 2 up --config wrong.conf --check-config
    expect_text "a wrong file" "$ERR" "$2"
}
expect_wrong '[pawl]\nworkers = many\n' 'wrong.conf:2: workers must be a whole number from 1 to 64, not "many"'
expect_wrong '[pawl]\nworker = 2\n' 'wrong.conf:2: there is no setting "worker" in \[pawl\]; there are: database, schema'
expect_wrong '[pawl]\nworkers = 2\nworkers = 3\n' 'wrong.conf:3:1: the key workers is there twice \(the first is in line 2\)'
expect_wrong '[server]\n' 'wrong.conf:1: there is no section \[server\]; there are \[pawl\], \[retention\]'
expect_wrong 'workers = 2\n' 'wrong.conf:1:1: a key before the first section'
expect_wrong '[endpoint x]\nrate = 4\n' 'wrong.conf:1: the endpoint has no baseUrl'
expect_wrong '[endpoint]\nbaseUrl = http://x\n' 'wrong.conf:1: an endpoint needs a name'
expect_wrong '[endpoint x]\nbaseUrl = http://x\nheaders = {"a"\n' 'wrong.conf:3: what begins with . or \{ must be JSON'
expect_wrong '[endpoint x]\nbaseUrl = http://x\na = 1\na.b = 2\n' 'wrong.conf:4: this key and another one cannot both be'
expect_wrong '[pawl]\nlisten = unix:run\n' 'no address to listen on'
expect_wrong '[pawl]\nlisten = 127.0.0.1\n' 'no address to listen on'
expect_code 2 up --config none.conf
expect_text "no such file" "$ERR" 'cannot open none.conf'
PAWL_LOG_LEVEL=loud expect_code 2 up --check-config
expect_text "a wrong variable" "$ERR" 'PAWL_LOG_LEVEL: log-level must be debug, info, warn or error, not "loud"'
expect_code 2 up --drain never
expect_text "a wrong flag" "$ERR" '--drain: drain must be seconds from 0 to 3600'

expect_code 2 up --request-timeout 0.5
expect_text "no time for a request" "$ERR" '--request-timeout: request-timeout must be seconds from 1 to 3600'

expect_code 2 up --trusted-proxies '10.0.0.0/8, proxy.example'
expect_text "a proxy by name" "$ERR" '--trusted-proxies: trusted-proxies must be networks such as 10.0.0.0/8, or unix, not "10.0.0.0/8, proxy.example"'
expect_wrong '[pawl]\nforwarded-header = X-Real-IP\n' 'wrong.conf:2: forwarded-header must be X-Forwarded-For or Forwarded, not "X-Real-IP"'

# ---- Which one counts ----
cat >pawl.conf <<'CONF'
[pawl]
database = host=db password='it\'s " secret' user=shop password=two
schema = from_file
workers = 3
drain = 2.5
log-format = json
[endpoint geocoder]
baseUrl = https://geocoder.example
rate = 4
headers.User-Agent = our-shop
[retention]
requestKeys = 30 days
CONF
PAWL_WORKERS=5 PAWL_SCHEMA=from_environment PAWL_LOG_LEVEL= expect_code 0 up --config pawl.conf --workers 7 --print-config
expect_equal "the effective configuration" '[pawl]
# pawl.conf:2
database = host=db password=*** user=shop password=***
# PAWL_SCHEMA
schema = from_environment
# default
data = .pawl
# listen is not set
# public-url is not set
# tls-cert is not set
# tls-key is not set
# trusted-proxies is not set
# default
forwarded-header = X-Forwarded-For
# default
request-timeout = 30
# --workers
workers = 7
# pawl.conf:5
drain = 2.5
# pawl.conf:6
log-format = json
# default
log-level = info

# pawl.conf:7
[endpoint geocoder]
baseUrl = https://geocoder.example
rate = 4
headers.User-Agent = ***

# pawl.conf:11
[retention]
requestKeys = 30 days' "$OUT"
expect_code 0 up --database 'postgresql://me:secret@db/x?password=b&sslmode=require' --print-config
expect_text "a URI" "$OUT" '^database = postgresql://me:\*\*\*@db/x\?password=\*\*\*&sslmode=require$'
PAWL_CONFIG=pawl.conf expect_code 0 up --print-config
expect_text "PAWL_CONFIG" "$OUT" '^schema = from_file$'
expect_code 0 up --print-config # what is printed is a file that says the same
printf '%s\n' "$OUT" >again.conf
expect_code 0 up --config again.conf --check-config

# ---- The sample file ----
expect_code 0 up --config "$ROOT/docs/pawl.conf" --check-config
expect_text "the sample" "$OUT$ERR" 'the configuration is good'

# ---- Endpoints of the file ----
cat >live.conf <<'CONF'
[pawl]
data = data
listen = 127.0.0.1:0
log-format = json

[retention]
history = null
outcomes = 2 h

[endpoint one]
baseUrl = http://127.0.0.1:1/
rate = 2
unknown = repeat
timeout = 3 s
headers.X-Number = "42"

[endpoint two]
baseUrl = http://127.0.0.1:2
CONF
python3 -c '
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.bind("notify"); open("notify.bound", "w").close()
while True: print(s.recv(4096).decode(), flush=True)' >notified 2>/dev/null &
notified=$!
until_so test -e notify.bound
export NOTIFY_SOCKET=$DIR/notify WATCHDOG_USEC=400000
engine_up -- --config live.conf || return
unset NOTIFY_SOCKET WATCHDOG_USEC
expect_text "ready with a port" "$(cat up.out)" ', 2 workers, http 127\.0\.0\.1:[0-9]+$'
expect_code 0 endpoint list --data data -o json
expect_text "an endpoint of the file" "$OUT" '"name":"one","base_url":"http://127.0.0.1:1",.*"rate":2'
expect_text "its options" "$OUT" '"unknown":"repeat"'
expect_text "its headers" "$OUT" '"X-Number"'
expect_equal "how long things are kept" '|02:00:00' "$(psql -X -A -t -d "$(cat data/conninfo)" -c 'select history, outcomes from pawl.retention_settings')"
expect_code 0 endpoint set manual http://127.0.0.1:3 --data data
expect_code 0 endpoint set two http://127.0.0.1:22 --data data
log_says() { tail -n +"$from" up.err | grep -q "$1"; }
reload() { # PATTERN
    from=$(($(wc -l <up.err) + 1))
    kill -HUP "$ENGINE"
    if until_so log_says "$1"; then ok; else bad "after the reload: no \"$1\"" "$(tail -n +"$from" up.err)"; fi
}
url_of() { "$PAWL" endpoint list --data data -o json | python3 -c 'import json, sys
print(*[e["base_url"] for e in map(json.loads, sys.stdin) if e["name"] == sys.argv[1]])' "$1"; }
sed -i 's/^rate = 2/rate = 3/; /^timeout = 3 s/d' live.conf
reload '"reloaded","endpoints_set":1,"endpoints_unchanged":1,"endpoints_dropped":0'
expect_equal "a line that left the file" '3.0|00:00:30' "$(psql -X -A -t -d "$(cat data/conninfo)" -c "select round(rate, 1), timeout from pawl.endpoints where name = 'one'")"
expect_equal "set by hand, unchanged in the file" http://127.0.0.1:22 "$(url_of two)"
sed -i 's/^rate = 3/rate = fast/' live.conf
reload '"not reloaded: the configuration stays as it was","error":"live.conf:10: the option rate must be a number.*Example: '
sed -i 's/^rate = fast/workers = 3/; s/^data = data/data = data\nworkers = 3/' live.conf
reload '"error":"live.conf:11: .*workers' # SQL knows no such option of an endpoint
sed -i '/^\[endpoint one\]/,/^$/d' live.conf
sed -i 's/^log-format = json/log-format = logfmt\nlog-level = debug/' live.conf
reload 'msg="reloaded" endpoints_set=0 endpoints_unchanged=1 endpoints_dropped=1'
expect_text "what needs a restart" "$(cat up.err)" 'count at the next start" settings=workers$'
expect_equal "left the file" '' "$(url_of one)"
expect_equal "never in the file" http://127.0.0.1:3 "$(url_of manual)"
sed -i 's/^outcomes = 2 h/outcomes = soon/' live.conf
reload 'not reloaded.*live.conf:[0-9]*: the option outcomes'
sed -i 's/^outcomes = soon/outcomes = 2 h/' live.conf
printf '[endpoint' >>live.conf
reload 'not reloaded.*live.conf:[0-9]*:[0-9]*: the section'
sed -i '$d' live.conf
expect_code 0 up --config live.conf --check-config
expect_text "with the database at hand" "$OUT" 'endpoints included'
printf '[endpoint bad]\nbaseUrl = ftp://x\n' >>live.conf
expect_code 1 up --config live.conf --check-config
expect_text "judged by the database" "$ERR" 'live.conf:[0-9]+: "ftp://x" is no base URL'
expect_equal "and nothing changed" '' "$(url_of bad)"

# ---- systemd ----
fed() { [ "$(grep -c '^WATCHDOG=1' notified)" -ge 2 ]; }
if until_so fed; then ok; else bad "the watchdog is not fed" "$(cat notified)"; fi
engine_end TERM
expect_equal "exit code after SIGTERM" 0 "$CODE"
expect_text "READY" "$(cat notified)" '^READY=1$'
expect_text "RELOADING" "$(grep -A1 RELOADING notified)" '^MONOTONIC_USEC=[0-9]+$'
expect_text "STOPPING" "$(cat notified)" '^STOPPING=1$'
expect_text "EXTEND_TIMEOUT" "$(cat notified)" '^EXTEND_TIMEOUT_USEC=[0-9]{8}$'
kill "$notified"
expect_code 1 up --config live.conf # the same error is one at the start
expect_text "at the start" "$ERR" 'live.conf:[0-9]+: "ftp://x" is no base URL'
if command -v systemd-analyze >/dev/null; then
    sed "s|^ExecStart=[^ ]*|ExecStart=$PAWL|" "$ROOT/packaging/pawl.service" >pawl.service
    if systemd-analyze verify ./pawl.service >verified 2>&1 && ! grep -q pawl.service verified; then ok; else
        bad "the unit file" "$(cat verified)"
    fi
else
    echo "      skipped: there is no systemd-analyze to look at packaging/pawl.service"
fi
