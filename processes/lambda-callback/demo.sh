# SPDX-License-Identifier: Apache-2.0
# The story of scripts/demo.sh lambda-callback, sourced by it: a function is invoked and calls back, or does not.

step "A function, and a stand-in for AWS Lambda that runs it"
helper_start lambda /usr/bin/python3 -B "$ROOT/tests/standin/aws_lambda.py" --port-file "$DIR/lambda.port"
LAMBDA=http://127.0.0.1:$(cat "$DIR/lambda.port")
say "$LAMBDA checks the signature of each invocation, answers 202, and calls back later, at once, twice, or never."
told() { curl -s "$LAMBDA/log" | python3 -c 'import json, sys; print(sum(line.startswith(sys.argv[1]) for line in json.load(sys.stdin)))' "$1"; }
await_told() { # BEGINNING NUMBER
    local i
    for ((i = 0; i < 400; i++)); do [ "$(told "$1")" -ge "$2" ] && return; sleep 0.05; done
    die "The stand-in never said: $1"
}
await_at() { wait_until 20 "$1 is at $2" "select exists (select from pawl.tokens t where t.business_key = '$1' and t.element_id = '$2')"; }

step "The engine, with a private PostgreSQL of its own, where functions reach it"
export LAMBDA_KEY=AKIDEXAMPLE LAMBDA_SECRET="a secret of the example"
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
serve() { engine_start --listen "127.0.0.1:$PORT" --public-url "http://127.0.0.1:$PORT"; }
serve

step "The process, and where its function is"
show deploy processes/lambda-callback/lambda-callback.bpmn
show endpoint set lambda "$LAMBDA" --allow loopback --option auth.type=awsSigV4 --option auth.service=lambda \
    --option auth.region=eu-central-1 --option auth.accessKey=env:LAMBDA_KEY --option auth.secretKey=env:LAMBDA_SECRET

invoke() { # KEY FUNCTION [PATIENCE]
    "$PAWL" start lambda-callback -k "$1" >/dev/null \
        --variables "{\"function\": \"$2\", \"image\": \"$1.png\", \"patience\": \"${3-PT30S}\"}"
}
step "Four images: one later, one at once, one answered twice, one that fails"
invoke cat resize
invoke dog resize-at-once
invoke hen resize-twice
invoke owl resize-fails
await_told "resize: called back" 1
await_told "resize-twice: called back again" 1
for key in cat dog hen; do await_at $key look; done
await_at owl mend
show ps
show trace cat
say "" "The failure came with the function's own log:"
show trace owl
show task complete owl --variables '{"function": "resize"}'
await_at owl look

step "One that dies: nobody calls back"
invoke fox resize-dies PT2S
await_at fox silent
show why fox
show task complete fox --variables '{"function": "resize"}'
await_at fox look

step "The engine is away when the function calls back"
before=$(told "resize: accepted")
invoke pig resize
await_told "resize: accepted" $((before + 1))
kill -9 "$ENGINE"
wait "$ENGINE" 2>/dev/null || true
ENGINE=''
say "The engine is killed; the function is at work, and its client will find nobody."
sleep 1
serve
await_at pig look
show trace pig

step "The account"
right=$(sql -c "select count(*) from pawl.variables v where v.name = 'result'
    and v.value = jsonb_build_object('image', v.business_key || '.png', 'widths', '[320, 640, 1280]'::jsonb)")
say "Results that are right: $right of 6" "Invocations that were sent again: $(told "resize: known already")" \
    "Callbacks: $(sql -c "select string_agg(n || ' ' || k, ', ' order by k) from (select count(*) as n, e.kind as k
        from pawl.events e where e.kind like 'callback%' group by e.kind) x")"
must "six results" test "$right" = 6
must "each callback counts once" test "$(sql -c "select count(*) from pawl.events e where e.kind = 'callbackSucceeded'")" = 6
