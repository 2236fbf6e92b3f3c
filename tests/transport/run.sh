#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# How requests travel: TLS, proxies, redirects, HTTP/2, credentials, the egress guard, and answers that would
# rather not end. A real engine against tests/standin/services.py; at the end no secret may be found in the
# database or in a log.
#
#   tests/transport/run.sh [PART…]
set -uo pipefail
ROOT=$(cd "$(dirname "$0")/../.." && pwd)
PAWL=${PAWL:-$ROOT/build/pawl}
. "$ROOT/tests/lib/pg.sh"
. "$ROOT/tests/lib/scenario.sh"
WORK=$(mktemp -d)
STANDIN_PID= H2_PID=

cleanup() {
    engine_stop KILL >/dev/null 2>&1
    [ -n "$STANDIN_PID" ] && kill "$STANDIN_PID" 2>/dev/null
    [ -n "$H2_PID" ] && kill $H2_PID 2>/dev/null
    pg_stop
    rm -rf "$WORK"
}
trap cleanup EXIT
trap 'exit 143' TERM INT

passed=0 failed=0 skipped=0
good() { passed=$((passed + 1)); }
bad() {
    failed=$((failed + 1))
    printf 'FAILED  %s\n' "$1"
    [ -z "${2:-}" ] || printf '        %s\n' "${2:0:600}"
}

# ---- Secrets, certificates, services ----

export PROXY_PASSWORD=proxy-hunter2-p OAUTH_SECRET=oauth-hunter2-o BASIC_PASSWORD=basic-hunter2-b KEY=key-hunter2/k
export AWS_ACCESS_KEY_ID=AKIDHUNTER2EXAMPLE AWS_SECRET_ACCESS_KEY=aws-hunter2/secret+key AWS_SESSION_TOKEN=aws-hunter2-session==
printf 'bearer-hunter2-one\n' >"$WORK/token"
mkdir "$WORK/credentials" && printf 'header-hunter2-h' >"$WORK/credentials/header"
SECRETS=(proxy-hunter2-p oauth-hunter2-o basic-hunter2-b key-hunter2 aws-hunter2 bearer-hunter2 header-hunter2 granted-hunter2
    AKIDHUNTER2EXAMPLE key-password-hunter2 "$(printf 'us:basic-hunter2-b' | base64)")

make_certificates() {
    local dir=$WORK/tls name
    mkdir "$dir" && cd "$dir" || return 1
    for name in ca other; do
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $name.key -out $name.pem \
            -days 2 -subj "/CN=test $name" 2>/dev/null || return 1
    done
    for name in server client; do
        openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout $name.key -out $name.csr \
            -subj "/CN=$name" 2>/dev/null &&
            openssl x509 -req -in $name.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -out $name.pem \
                -extfile <(echo 'subjectAltName = DNS:localhost') 2>/dev/null || return 1
    done
    openssl pkcs8 -topk8 -v2 aes-256-cbc -passout pass:key-password-hunter2 -in client.key -out locked.key || return 1
    printf key-password-hunter2 >key-password
    cd - >/dev/null
}

make_certificates || { echo "openssl makes no certificates"; exit 1; }
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 "$ROOT/tests/standin/services.py" --ports "$WORK/ports" \
    --certificates "$WORK/tls" 2>"$WORK/standin.log" &
STANDIN_PID=$!
until_so [ -s "$WORK/ports" ]
. "$WORK/ports" || { cat "$WORK/standin.log"; exit 1; }

# Proxies of the environment must not count, nor files of the user.
pg_start && engine_start CREDENTIALS_DIRECTORY="$WORK/credentials" http_proxy=http://127.0.0.1:9 \
    https_proxy=http://127.0.0.1:9 ALL_PROXY=http://127.0.0.1:9 NO_PROXY=localhost || exit 1
"$PAWL" deploy "$ROOT/tests/transport/call.bpmn" --database "$PG_CONNINFO" >"$WORK/said" 2>&1 ||
    { cat "$WORK/said"; exit 1; }

# ---- The words ----

calls=0
# call URL OPTIONS PATH [PAYLOAD]: one request; what came of it is in $SAID, the process's variables as JSON.
call() {
    local key=call-$((calls += 1))
    SAID=$(sql "select endpoint from set_endpoint('service', :'url', :'options'::jsonb || '{\"replace\": true}')" url="$1" options="$2") || return 0
    sql "select start('call', '$key', :'v')" v="$(jq -nc --arg path "$3" --arg payload "${4:-}" \
        '{endpoint: "service", path: $path, payload: $payload}')" >/dev/null
    has_ended() {
        SAID=$(sql "select jsonb_object_agg(v.name, v.value) from variables v
            where v.business_key = '$key' having bool_or(v.name = 'outcome')
            union all select to_jsonb(i) from incidents i where business_key = '$key'")
        [ -n "$SAID" ]
    }
    until_so has_ended
}
# gets WHAT JQ-CONDITION: of the last call
gets() {
    if [ "$(jq -r "$2" <<<"$SAID" 2>/dev/null)" = true ]; then good; else bad "$1" "$SAID"; fi
}
outcome() { # WHAT OUTCOME [PATTERN OF THE ERROR]
    gets "$1" ".outcome == \"$2\" and (\"${3:-}\" == \"\" or (.error // \"\" | test(\"${3:-}\")))"
}
digest() { printf '%s' "$1" | sha256sum | cut -d' ' -f1; }
header() { # WHAT NAME VALUE: the service got that header
    gets "$1" ".body.digests[\"$2\"] == \"$(digest "$3")\""
}
plain=http://127.0.0.1:$HTTP
own='"allow": "loopback"'

# ---- The parts ----

part_guard() {
    local url
    call "$plain" '{}' /digest
    outcome "loopback is refused by default" refused '^endpoint service: 127.0.0.1 is a loopback address.*--allow 127.0.0.1'
    for url in "http://localhost:$HTTP" "http://2130706433:$HTTP" "http://0x7f.1:$HTTP" "http://[::ffff:127.0.0.1]:$HTTP"; do
        call "$url" '{}' /digest
        outcome "$url is loopback all the same" refused 'is a loopback address'
    done
    call http://169.254.169.254 "{$own}" /latest/meta-data/
    outcome "metadata" refused "169.254.169.254 is a cloud's metadata address"
    call http://10.255.255.1 "{$own}" /
    outcome "a private address" refused '10.255.255.1 is a private address'
    call http://0.0.0.0:$HTTP "{$own}" /digest
    outcome "0.0.0.0" refused '0.0.0.0 is a reserved address'
    call "$plain" "{$own}" /digest
    outcome "allowed by its kind" answered
    call "$plain" '{"allow": ["127.0.0.0/8"]}' /digest
    outcome "allowed by its network" answered
    # The connection is still there; who may not make it may not use it either.
    call "$plain" '{}' /digest
    outcome "a kept connection of another endpoint" refused 'is a loopback address'
    call "$plain" '{"allow": ["127.0.0.2/32"]}' /digest
    outcome "another network is allowed" refused
    call "$plain" '{"allow": "public"}' /digest
    case $SAID in *'"public", which is no network'*) good ;; *) bad "SQL refuses" "$SAID" ;; esac
}

part_redirects() {
    call "$plain" "{$own}" "/redirect/302//digest"
    gets "not followed by default" '.outcome == "status" and .status == 302 and .headers.location == "/digest"'
    call "$plain" "{$own, \"redirects\": 2, \"auth\": {\"type\": \"bearer\", \"token\": \"file:$WORK/token\"}}" \
        "/redirect/302//digest"
    outcome "followed" answered
    header "credentials stay with the host" authorization "Bearer bearer-hunter2-one"
    call "$plain" "{$own, \"redirects\": 1}" "/redirect/302//redirect/302//digest"
    outcome "one too many" status 'one redirect too many'
    call "$plain" "{$own, \"redirects\": 5}" "/redirect/302/http://localhost:$HTTP/digest"
    outcome "another host" status 'another host .redirects.otherHosts'
    call "$plain" "{$own, \"redirects\": {\"otherHosts\": true}, \"auth\": {\"type\": \"bearer\", \"token\": \"file:$WORK/token\"}, \"headers\": {\"X-Key\": {\"secret\": \"env:KEY\"}, \"X-Plain\": \"a\", \"Accept\": \"a/b\"}}" \
        "/redirect/302/http://localhost:$HTTP/digest"
    gets "no credentials at another host" '.outcome == "answered" and .body.digests.authorization == null
        and .body.digests["x-key"] == null and .body.digests["x-plain"] == null and .body.digests.accept != null'
    call "$plain" "{$own, \"redirects\": {\"otherHosts\": true}}" "/redirect/302/http://169.254.169.254/"
    outcome "each hop passes the guard" refused 'metadata'
    call "$plain" "{$own, \"redirects\": {\"otherHosts\": true}}" "/redirect/302/file:///etc/passwd"
    outcome "not HTTP" status
    call "https://localhost:$TLS" "{$own, \"redirects\": {\"otherHosts\": true}, \"tls\": {\"ca\": \"file:$WORK/tls/ca.pem\"}}" \
        "/redirect/302/$plain/digest"
    outcome "never from TLS to none" status 'leaves TLS'
    call "$plain" "{$own, \"redirects\": 1}" "/redirect/303//digest" '{"a": 1}'
    gets "303 becomes GET" '.body.method == "GET" and .body.digests["content-length"] == null'
    call "$plain" "{$own, \"redirects\": 1}" "/redirect/307//digest" '{"a": 1}'
    gets "307 stays POST" '.body.method == "POST"'
}

part_tls() {
    local url=https://localhost:$TLS ca="\"ca\": \"file:$WORK/tls/ca.pem\"" me
    call "$url" "{$own}" /digest
    outcome "verified by default" offline 'SSL|certificate'
    call "$url" "{$own, \"tls\": {$ca}}" /digest
    outcome "an authority of one's own" answered
    call "$url" "{$own, \"tls\": {\"ca\": \"file:$WORK/tls/other.pem\"}}" /digest
    outcome "another authority" offline 'SSL|certificate'
    call "https://127.0.0.1:$TLS" "{$own, \"tls\": {$ca}}" /digest
    outcome "another name than the certificate's" offline 'SSL|certificate'
    call "$url" "{$own, \"tls\": {\"ca\": \"file:$WORK/nowhere\"}}" /digest
    outcome "no such file" offline 'tls.ca: file:.*/nowhere cannot be read: No such file'
    call "$url" "{$own, \"tls\": {\"verify\": false}}" /digest
    outcome "not verified" answered
    if [ "$(grep -c "level=warn.*certificate is not verified.*endpoint=\"\?service" "$PG_DIR/engine.log")" = 1 ]; then good
    else bad "a warning in the log, once" "$(tail -5 "$PG_DIR/engine.log")"; fi
    call "$url" "{$own, \"tls\": {$ca}}" /digest
    outcome "verified again" answered
    call "https://localhost:$TLS12" "{$own, \"tls\": {$ca}}" /digest
    outcome "TLS 1.2" answered
    call "https://localhost:$TLS12" "{$own, \"tls\": {$ca, \"minVersion\": \"1.3\"}}" /digest
    outcome "at least TLS 1.3" offline
    url=https://localhost:$MTLS
    call "$url" "{$own, \"tls\": {$ca}}" /digest
    gets "no client certificate" '.outcome != "answered"'
    me="\"certificate\": \"file:$WORK/tls/client.pem\""
    call "$url" "{$own, \"tls\": {$ca, $me, \"key\": \"file:$WORK/tls/client.key\"}}" /digest
    outcome "a client certificate" answered
    # This one could still use the connection of the one before, if it were not told apart.
    call "$url" "{$own, \"tls\": {$ca}}" /digest
    gets "no client certificate after one" '.outcome != "answered"'
    call "$url" "{$own, \"tls\": {$ca, $me, \"key\": \"file:$WORK/tls/locked.key\", \"keyPassword\": \"file:$WORK/tls/key-password\"}}" /digest
    outcome "a locked key" answered
    call "$url" "{$own, \"tls\": {$ca, $me, \"key\": \"file:$WORK/tls/locked.key\"}}" /digest '{"new": "connection"}'
    outcome "a locked key without its password" offline
}

part_proxies() {
    local proxy="\"proxy\": {\"url\": \"http://127.0.0.1:$PROXY\", \"user\": \"us\", \"password\": \"env:PROXY_PASSWORD\"}"
    local socks="\"proxy\": {\"url\": \"socks5://127.0.0.1:$SOCKS\", \"user\": \"us\", \"password\": \"env:PROXY_PASSWORD\"}"
    local ca="\"tls\": {\"ca\": \"file:$WORK/tls/ca.pem\"}" seen
    call "$plain" "{$own, $proxy}" /digest
    gets "HTTP through a proxy" '.outcome == "answered" and .body.digests["proxy-authorization"] == null'
    call "https://localhost:$TLS" "{$own, $proxy, $ca}" /digest
    outcome "TLS through a proxy" answered
    call "http://localhost:$HTTP" "{$own, $socks}" /digest
    outcome "SOCKS5" answered
    call "$plain" "{$own, \"proxy\": {\"url\": \"http://127.0.0.1:$PROXY\", \"user\": \"us\", \"password\": \"env:KEY\"}}" /digest '{"new": 1}'
    gets "a wrong password of the proxy" '.status == 407'
    call "$plain" "{$own, \"proxy\": \"http://127.0.0.1:9\"}" /digest '{"new": 1}'
    outcome "no proxy there" offline
    call "$plain" '{}' /seen
    call "$plain" "{$own}" /seen
    seen=$(jq -c .body <<<"$SAID")
    if [ "$seen" = "[\"127.0.0.1:$HTTP\",\"localhost:$TLS\",\"localhost:$HTTP\"]" ]; then good
    else bad "what the proxies were asked for" "$seen"; fi
    # The proxy may stand in the own network; where it would be sent is judged where it can be told.
    for url in "$plain" "http://localhost:$HTTP" "http://2130706433:$HTTP" http://169.254.169.254; do
        call "$url" "{$proxy}" /digest
        outcome "$url through a proxy" refused 'address'
    done
    call http://a.example "{\"proxy\": \"http://169.254.169.254:3128\"}" /
    outcome "a proxy where none can be" refused 'metadata'
}

part_credentials() {
    local i
    call "$plain" "{$own, \"auth\": {\"type\": \"basic\", \"user\": \"us\", \"password\": \"env:BASIC_PASSWORD\"}}" /digest '{"a": 1}'
    header "basic, in place of the process's own" authorization "Basic $(printf 'us:basic-hunter2-b' | base64)"
    call "$plain" "{$own, \"auth\": {\"type\": \"basic\", \"user\": \"us\", \"password\": \"env:BASIC_PASSWORD\"}}" /echo
    gets "basic, echoed" '.outcome == "answered" and (.body.headers.authorization | test("^Basic \\*+$"))'
    call "$plain" "{$own, \"auth\": {\"type\": \"bearer\", \"token\": \"file:$WORK/token\"}}" /digest
    header "bearer" authorization "Bearer bearer-hunter2-one"
    printf 'bearer-hunter2-two' >"$WORK/token"
    call "$plain" "{$own, \"auth\": {\"type\": \"bearer\", \"token\": \"file:$WORK/token\"}}" /digest
    header "the file has changed" authorization "Bearer bearer-hunter2-two"
    call "$plain" "{$own, \"auth\": {\"type\": \"bearer\", \"token\": \"file:$WORK/token\"}}" /echo
    gets "bearer, echoed in body and header" '(.body.headers.authorization | test("^Bearer \\*+$")) and (.headers["x-echo"] | test("^Bearer \\*+$"))'
    call "$plain" "{$own, \"auth\": {\"type\": \"apiKey\", \"name\": \"X-Api-Key\", \"key\": \"env:KEY\"}}" /digest
    header "a key in a header" x-api-key "$KEY"
    call "$plain" "{$own, \"auth\": {\"type\": \"apiKey\", \"name\": \"key\", \"in\": \"query\", \"key\": \"env:KEY\"}}" /echo
    gets "a key in the query, echoed" '.outcome == "answered" and (.body.target | test("^/echo\\?key=\\*+$"))'
    call "$plain" "{$own, \"headers\": {\"X-Secret\": {\"secret\": \"credential:header\"}}}" /digest
    header "a header of systemd's" x-secret header-hunter2-h
    call "$plain" "{$own, \"headers\": {\"X-Secret\": {\"secret\": \"credential:header\"}}}" /echo
    gets "a secret header, echoed" '.body.headers["x-secret"] | test("^\\*+$")'
    local oauth='"type": "oauth2ClientCredentials", "clientId": "client", "scope": "read all"'
    call "$plain" "{$own, \"auth\": {$oauth, \"tokenUrl\": \"$plain/token\", \"clientSecret\": \"env:OAUTH_SECRET\"}}" /digest
    header "a token of OAuth 2.0" authorization "Bearer granted-hunter2-1-read all"
    call "$plain" "{$own, \"auth\": {$oauth, \"tokenUrl\": \"$plain/token\", \"clientSecret\": \"env:OAUTH_SECRET\"}}" /echo '{"a": 1}'
    gets "the token, echoed" '.body.headers.authorization | test("^Bearer \\*+$")'
    call "$plain" "{$own, \"auth\": {$oauth, \"tokenUrl\": \"$plain/token\", \"clientSecret\": \"env:OAUTH_SECRET\"}}" /fussy
    gets "the token is not taken" '.status == 401'
    sql "select count(start('call', 'crowd-' || i, '{\"endpoint\": \"service\", \"path\": \"/digest\", \"payload\": \"\"}'))
        from generate_series(1, 30) i" >/dev/null
    until_so eval "[ \"\$(sql \"select count(*) from tasks where business_key like 'crowd-%'\")\" = 30 ]"
    call "$plain" "{$own, \"auth\": {$oauth, \"tokenUrl\": \"$plain/token\", \"clientSecret\": \"env:OAUTH_SECRET\"}}" /digest
    header "another token, one for 30 who waited for it" authorization "Bearer granted-hunter2-2-read all"
    call "$plain" "{$own, \"auth\": {$oauth, \"tokenUrl\": \"$plain/token\", \"clientSecret\": \"env:KEY\"}}" /digest
    outcome "no token for a wrong secret" offline 'no token: its server answered with HTTP status 401'
    call "$plain" "{$own, \"auth\": {$oauth, \"tokenUrl\": \"http://10.0.0.1/token\", \"clientSecret\": \"env:OAUTH_SECRET\"}}" /digest
    outcome "its server passes the guard, too" refused 'no token: 10.0.0.1 is a private address'
    call "$plain" "{$own, \"auth\": {\"type\": \"bearer\", \"token\": \"env:NOT_SET\"}}" /digest
    outcome "no such variable" offline 'auth.token: env:NOT_SET is not set'
    call "$plain" "{$own, \"auth\": {\"type\": \"bearer\", \"token\": \"credential:none\"}}" /digest
    outcome "no such credential" offline 'credential:none cannot be read'
    "$PAWL" endpoint set service "$plain" --allow loopback --option auth.type=bearer \
        --option "auth.token=file:$WORK/token" --option tls.minVersion=1.3 --database "$PG_CONNINFO" -o json >"$WORK/said" 2>&1
    if [ "$(jq -c .transport "$WORK/said")" = "{\"tls\":{\"minVersion\":\"1.3\"},\"auth\":{\"type\":\"bearer\",\"token\":\"file:$WORK/token\"},\"allow\":[\"loopback\"]}" ]
    then good; else bad "the same by the command line" "$(cat "$WORK/said")"; fi
}

part_signed() {
    local options="{$own, \"sign\": {\"secret\": [\"file:$WORK/webhook\", \"env:KEY\"]}, \"headers\": {\"Webhook-Id\": \"mine\"}}"
    local payload='{"a": "ü"}' before key wanted=
    printf 'whsec_%s\n' "$(printf webhook-hunter2-0123456789abcdef | base64 -w0)" >"$WORK/webhook"
    SECRETS+=("$(head -1 "$WORK/webhook")" webhook-hunter2)
    call "$plain" "$options" /echo "$payload"
    gets "the id is the call's, whatever others say" '.body.headers | .["webhook-id"] == "msg_" + (.["idempotency-key"] | gsub("\""; ""))'
    gets "the time is now" "(.body.headers[\"webhook-timestamp\"] | tonumber) as \$t | $(date +%s) - \$t | fabs <= 30"
    before=$(jq -r '.body.headers | .["webhook-id"] + "." + .["webhook-timestamp"]' <<<"$SAID")
    for key in webhook-hunter2-0123456789abcdef "$KEY"; do
        wanted="$wanted${wanted:+ }v1,$(printf '%s.%s' "$before" "$payload" | openssl dgst -sha256 -hmac "$key" -binary | base64)"
    done
    gets "a signature of each secret" ".body.headers[\"webhook-signature\"] == \"$wanted\""
    call "$plain" "{$own, \"sign\": {\"secret\": \"env:NOT_SET\"}}" /echo '{"a": 1}'
    outcome "nothing leaves unsigned" offline 'sign.secret: env:NOT_SET is not set'
    # 410: it wants no more. One that does not sign is answered like others.
    call "$plain" "{$own}" /wait/410/after=1
    gets "410 without a signature" '.status == 410'
    call "$plain" "{$own}" /echo '{"a": 1}'
    outcome "goes on" answered
    call "$plain" "{$own, \"sign\": {\"secret\": \"env:KEY\"}}" /wait/410/after=1
    gets "410" '.status == 410'
    SAID=
    is_open() { SAID=$(sql "select to_jsonb(e) from endpoints e where name = 'service' and circuit <> 'closed'") && [ -n "$SAID" ]; }
    until_so is_open
    gets "its circuit is open" '(.circuit | test("open")) and (.circuit_why | test("410 Gone"))'
    sql "select set_circuit('service', 'auto')" >/dev/null
    call "$plain" "{$own}" /echo '{"a": 1}'
    outcome "and goes on when it is told" answered
}

part_lambda() {
    local keys='"accessKey": "env:AWS_ACCESS_KEY_ID", "secretKey": "env:AWS_SECRET_ACCESS_KEY"'
    local place='"region": "eu-central-1", "service": "lambda"' function=/2015-03-31/functions/resize-image_2/invocations
    call "$plain" "{$own, \"auth\": {\"type\": \"awsSigV4\", $keys, \"sessionToken\": \"env:AWS_SESSION_TOKEN\", $place}}" \
        "$function" '{"image": "Zürich.png", "sizes": [1, 2]}'
    gets "accepted as an event" '.outcome == "answered" and .status == 202 and .body == null'
    call "$plain" "{$own, \"auth\": {\"type\": \"awsSigV4\", $keys, \"sessionToken\": \"env:KEY\", $place}}" "$function" '{"a": 1}'
    gets "another session" '.status == 403 and .body.message == "wrong session token"'
    call "$plain" "{$own, \"auth\": {\"type\": \"awsSigV4\", \"accessKey\": \"env:AWS_ACCESS_KEY_ID\", \"secretKey\": \"env:KEY\", \"sessionToken\": \"env:AWS_SESSION_TOKEN\", $place}}" \
        "$function" '{"a": 1}'
    gets "another key" '.status == 403 and .body.message == "wrong signature"'
}

part_answers() {
    call "$plain" "{$own}" "/wait/429/after=7"
    gets "Retry-After" '.outcome == "status" and .retryAfterMs == 7000'
    call "$plain" "{$own}" "/wait/503/after=Sun, 06 Nov 1994 08:49:47 GMT;date=Sun, 06 Nov 1994 08:49:37 GMT"
    gets "Retry-After, a date" '.retryAfterMs == 10000'
    call "$plain" "{$own}" "/wait/429/reset=3"
    gets "RateLimit-Reset" '.retryAfterMs == 3000'
    call "$plain" "{$own}" "/wait/404/after=7"
    gets "no other status" '.retryAfterMs == null'
    call "$plain" "{$own}" /gzip
    gets "packed" '.outcome == "answered" and .body.packed'
    call "$plain" "{$own}" /bomb
    outcome "a small packet with much in it" unreadable 'larger than 1048576 bytes'
    call "$plain" "{$own, \"maxResponse\": 100}" /size/100
    outcome "just as large as allowed" answered
    call "$plain" "{$own, \"maxResponse\": 100}" /size/101
    outcome "one byte more" unreadable 'larger than 100 bytes'
    call "$plain" "{$own, \"timeout\": \"1 s\"}" /dribble
    outcome "a byte now and then" timeout
    call "$plain" "{$own, \"timeout\": \"1 s\"}" /idle
    outcome "nothing after the headers" timeout
    call "$plain" "{$own}" /headlines
    outcome "headers without end" unreadable 'more than 256 headers'
    call "$plain" "{$own}" /longer
    outcome "less than announced" unreadable
    call "$plain" "{$own}" /shorter
    gets "more than announced" '.outcome == "answered" and .body == [1, 2] or .outcome == "unreadable"'
    call "$plain" "{$own}" /digest
    outcome "nothing of it is left for the next" answered
    call "$plain" "{$own}" /cut
    outcome "cut off" unreadable
}

connection() { jq .body.connection <<<"$SAID"; }
part_connections() {
    local first
    call "$plain" "{$own}" /digest
    first=$(connection)
    call "$plain" "{$own}" /digest
    gets "kept" ".body.connection == $first"
    call "$plain" "{$own}" /digest '{"a": 1}'
    gets "not for what must not be sent twice" ".body.connection != $first"
    call "$plain" "{$own, \"unknown\": \"repeat\"}" /digest '{"a": 1}'
    first=$(connection)
    call "$plain" "{$own, \"unknown\": \"repeat\"}" /digest '{"a": 1}'
    gets "unless it may" ".body.connection == $first"
    sleep 1.2
    call "$plain" "{$own, \"connections\": {\"age\": \"1 s\"}}" /digest
    gets "not when it is old" ".body.connection != $first"
    first=$(connection)
    sleep 2.2
    call "$plain" "{$own, \"connections\": {\"idle\": \"1 s\"}}" /digest
    gets "not when it was idle" ".body.connection != $first"
}

part_http2() {
    local port tls_port i
    if ! command -v nghttpd >/dev/null; then
        echo "no nghttpd (package nghttp2-server): HTTP/2 is not tested"
        skipped=$((skipped + 3))
        return
    fi
    mkdir "$WORK/files" && echo '{"over": "http2"}' >"$WORK/files/two.json"
    port=$(/usr/bin/python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    tls_port=$(/usr/bin/python3 -c 'import socket; s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1])')
    nghttpd -v -a 127.0.0.1 -d "$WORK/files" --no-tls "$port" >"$WORK/h2.log" 2>&1 &
    H2_PID=$!
    nghttpd -v -a 127.0.0.1 -d "$WORK/files" "$tls_port" "$WORK/tls/server.key" "$WORK/tls/server.pem" >"$WORK/h2tls.log" 2>&1 &
    H2_PID="$H2_PID $!"
    until_so bash -c ": </dev/tcp/127.0.0.1/$port && : </dev/tcp/127.0.0.1/$tls_port"
    call "http://127.0.0.1:$port" "{$own}" /two.json
    gets "not without TLS unless told" '.outcome != "answered"'
    call "http://127.0.0.1:$port" "{$own, \"http\": \"2-prior-knowledge\"}" /two.json
    gets "with prior knowledge" '.outcome == "answered" and (.body | tostring | test("http2"))'
    call "https://localhost:$tls_port" "{$own, \"http\": \"1.1\", \"tls\": {\"ca\": \"file:$WORK/tls/ca.pem\"}}" /two.json
    gets "1.1 is 1.1" '.outcome != "answered"'
    call "https://localhost:$tls_port" "{$own, \"tls\": {\"ca\": \"file:$WORK/tls/ca.pem\"}}" /two.json
    gets "agreed on in TLS" '.outcome == "answered"'
    : >"$WORK/h2tls.log"
    sql "select count(start('call', 'many-' || i, '{\"endpoint\": \"service\", \"path\": \"/two.json\", \"payload\": \"\"}'))
        from generate_series(1, 50) i" >/dev/null
    until_so eval "[ \"\$(sql \"select count(*) from tasks where business_key like 'many-%'\")\" = 50 ]"
    if [ "$(grep -ac 'recv HEADERS' "$WORK/h2tls.log")" = 50 ] && [ "$(grep -ao '^\[id=[0-9]*\]' "$WORK/h2tls.log" | sort -u | wc -l)" -le 2 ]; then good
    else bad "50 requests share a connection" "$(grep -a 'recv HEADERS' "$WORK/h2tls.log" | head -3)"; fi
}

# Everything that the database has, as text; every log; every view that people look at.
part_secrets() {
    local secret table where
    {
        for table in $(sql "select c.oid::regclass from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = 'pawl' and c.relkind in ('r', 'p', 'v')"); do
            sql "select t.*::text from $table t"
        done
        for command in "endpoint list" "incidents" "ps" "trace call-1" "why call-1"; do
            "$PAWL" $command -o json --database "$PG_CONNINFO" 2>&1
        done
    } >"$WORK/dump"
    cat "$PG_DIR/engine.log" "$PG_DIR/log" "$PG_DIR/engine.out" >"$WORK/logs"
    [ "$(wc -c <"$WORK/dump")" -gt 10000 ] && grep -q call-1 "$WORK/dump" && good || bad "the dump is whole"
    for secret in "${SECRETS[@]}"; do
        for where in dump logs; do
            if grep -qF -- "$secret" "$WORK/$where"; then bad "a secret in the $where" "$(grep -F -- "$secret" "$WORK/$where" | head -1)"
            else good; fi
        done
    done
}

for part in "${@:-guard redirects tls proxies credentials signed lambda answers connections http2 secrets}"; do
    for one in $part; do "part_$one"; done
done
engine_stop || bad "the engine ends with exit code 0"
[ "$failed" = 0 ] || { tail -5 "$WORK/standin.log"; grep -v "level=info" "$PG_DIR/engine.log" | tail -30; }
printf '%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
[ "$failed" = 0 ]
