# SPDX-License-Identifier: Apache-2.0
# pawl alert: what is open, who hears of it, a test by the real way, and silence.
engine_up -- --data data || return
PAWL_DATABASE=$(cat data/conninfo)
export PAWL_DATABASE

cat >receiver.py <<'PY'
import http.server, json
class Handler(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        with open("got", "a") as f:
            f.write("%s %s\n" % (self.path, body["detail-type"]))
        self.send_response(204)
        self.end_headers()
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
with open("port.part", "w") as f: f.write(str(server.server_port))
import os
os.rename("port.part", "port")
server.serve_forever()
PY
/usr/bin/python3 receiver.py >/dev/null 2>&1 &
receiver=$!
until_so test -s port

expect_code 0 alert list
expect_text "nothing is open" "$ERR" 'no alert is open'
expect_code 0 alert targets
expect_text "no targets" "$ERR" 'nobody hears of alerts'

# ---- targets, and whether they hear ----
expect_code 1 alert set on-call pager
expect_text "no such endpoint" "$ERR" 'there is no endpoint "pager"'
expect_code 0 endpoint set pager "http://127.0.0.1:$(cat port)" --allow loopback
expect_code 1 alert set on-call pager --kind fire
expect_text "no such kind" "$ERR" 'kinds of alerts'
expect_code 1 alert set on-call pager --retries soon
expect_text "no such pauses" "$ERR" 'retries of callEndpoint'
expect_code 0 alert set on-call pager --path /hook --kind incidentCreated --kind circuitOpened --retries PT1M,PT1H
expect_equal "alert set" on-call "$OUT"
expect_code 0 alert targets
expect_text "targets" "$OUT" '^on-call +pager +/hook +true +0 +0 '
expect_code 0 alert targets -o json
expect_equal "its kinds" '["circuitOpened", "incidentCreated"]' "$(field kinds)"
expect_equal "its pauses" PT1M,PT1H "$(field retries)"
expect_code 0 alert try on-call
expect_equal "alert try" delivered "$OUT"
expect_equal "what came" '/hook Test Alert' "$(cat got)"
expect_code 1 alert try nobody
expect_text "no such target" "$ERR" 'there is no alert target "nobody"'
expect_code 0 alert set later pager --disabled
expect_code 1 alert try later
expect_text "not enabled" "$ERR" 'is not enabled'
expect_code 0 alert drop later
expect_equal "alert drop" dropped "$OUT"
expect_code 1 alert drop later

# ---- what there is ----
expect_code 0 deploy "$ROOT/processes/basics/retries.bpmn"
expect_code 0 start retries -k one -v divisor=10
expect_code 0 start retries -k two -v divisor=10
told() { "$PAWL" alert list -o json | grep -q '"delivery":"delivered"'; }
if until_so told; then ok; else bad "no alert is delivered" "$("$PAWL" alert list)"; fi
expect_code 0 alert list
expect_text "open" "$OUT" 'incidentCreated +open +.*retries +(one|two) +divideAgain +[0-9a-f]{12} +delivered'
expect_equal "two incidents of one cause" 2 "$(wc -l <<<"$OUT")"
expect_equal "and one call" 1 "$(grep -c 'Incident Created' got)"
COLUMNS=80 expect_code 0 alert list
expect_within 80
expect_code 0 alert list -o json
expect_json_lines "alert list"
cause=$(field cause)
expect_code 0 alert mute "$cause" --for '2 hours' --reason anna
expect_text "mute" "$OUT" '^muted until 20'
expect_code 0 alert list
expect_text "muted" "$OUT" 'muted until '
expect_code 0 alert mute "$cause"
expect_equal "mute for good" 'muted until its incidents are over' "$OUT"
expect_code 0 alert unmute "$cause"
expect_equal "unmute" 'heard again' "$OUT"
expect_code 1 alert mute 0123456789ab
expect_code 0 alert list --all
expect_text "tests, too" "$OUT" 'testAlert +over'

# ---- nobody listens ----
kill "$receiver"
wait "$receiver" 2>/dev/null
expect_code 1 alert try on-call --timeout 2
expect_text "not delivered" "$ERR" 'not delivered yet: .*(refused|connect)'
expect_code 0 alert targets -o json
expect_equal "it is pending" 1 "$(field pending)"
engine_end TERM
expect_equal "the engine ends" 0 "$CODE"
server_end data
