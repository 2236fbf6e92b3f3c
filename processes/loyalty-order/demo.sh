# SPDX-License-Identifier: Apache-2.0
# The story of scripts/demo.sh loyalty-order, sourced by it: orders of loyal customers, and a vendor that goes away in the
# middle of them. What the vendor has done in the end must be what the orders say, to the point and the voucher.

ORDERS=40 RATE=20
EXAMPLE=processes/loyalty-order

step "The engine, with a private PostgreSQL of its own"
PORT=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
engine_start --listen "127.0.0.1:$PORT"
sampler_start

step "The vendor: a technical user that may put events, and nothing else"
show user add vendor --rights start --technical
PAWL_TOKEN=$("$PAWL" user token vendor events 2>/dev/null)
export PAWL_TOKEN
while IFS='=' read -r name value; do export "${name#export }=$value"; done < <("$PAWL" user key vendor 2>/dev/null)
helper_start saas /usr/bin/python3 -B "$ROOT/tests/standin/loyalty_saas.py" --port-file "$DIR/saas.port" --pawl "http://127.0.0.1:$PORT" --quota $((RATE * 5 / 4))
SAAS=http://127.0.0.1:$(cat "$DIR/saas.port")
say "$SAAS allows $((RATE * 5 / 4)) requests a second, answers 202, and says by an event what came of it:" \
    "signed, as AWS's PutEvents, or as a CloudEvent. It knows nothing of processes."
control() { curl -s -d "$1" "$SAAS/control" >/dev/null; }
account() { curl -s "$SAAS/account" | python3 -c 'import json, sys; s = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }

step "The process, the shop's tables, the rules of the bus, and the mediator: an endpoint"
show deploy $EXAMPLE
PGOPTIONS='-c search_path=pawl' sql -f "$ROOT/$EXAMPLE/loyalty-order.sql" >/dev/null
wait_until 10 "the rules are in force" "select count(*) = 4 from pawl.event_rules"
show event rules
show endpoint set loyalty-saas "$SAAS" --allow loopback --rate $RATE --burst 2 --max-in-flight 5 --connect-timeout PT1S --timeout PT5S \
    --option breaker.minimum=5 --option breaker.window=10 --option breaker.open=PT1S --option breaker.maxOpen=PT2S

step "$ORDERS orders: sales with vouchers and rewards, returns, and a few that go wrong"
python3 - "$ORDERS" >"$DIR/orders.jsonl" <<'PYTHON'
import json, sys
for n in range(1, int(sys.argv[1]) + 1):
    key, back = "L-%d" % (1000 + n), n % 8 == 0
    order = {"reference": key, "loyalty": "nobody" if n == 5 else "member-%d" % (n % 7), "merchant": "shop",
             "lines": [{"article": "brick", "pieces": -1 if back else 1, "cents": 4999 + 100 * n},
                       {"article": "tile", "pieces": -2 if back else 3, "cents": 333}]}
    if n % 3 == 0:
        order["discount"] = 1000
    if not back:
        order["vouchers"] = [{"code": ("spent-%d-%d" if (n, v) == (10, 0) else "v-%d-%d") % (n, v), "cents": 100} for v in range(n % 4)]
        if n % 5 == 0:
            order["reward"] = "yeti" if n == 20 else "poster"
    if n == 30:
        order["lines"][0]["pieces"] = -1
    print(json.dumps({"businessKey": key, "variables": {"order": order}}))
PYTHON
"$PAWL" start loyalty-order --many "$DIR/orders.jsonl" >/dev/null || die "The orders cannot be started."
SENT="select count(*) from pawl.event_deliveries d where d.kind = 'callEndpoint'"
wait_until 20 "20 requests are answered" "select ($SENT and d.state = 'done') >= 20"
show trace L-1002

step "The vendor goes away"
control '{"down": true}'
wait_until 20 "the circuit opens" "select circuit <> 'closed' from pawl.endpoints where name = 'loyalty-saas'"
sleep 3
show endpoint list
WAITED=$(sql -c "select queued from pawl.endpoints where name = 'loyalty-saas'")
say "What the vendor is asked waits as rows; it uses up no try and no time but the patience of its task, 6000 seconds." \
    "$WAITED requests wait," \
    "$(sql -c "select count(*) from pawl.callbacks") tasks wait for their tokens," \
    "and in these seconds the vendor was asked $(account 's["down"]') times: those under way when it went, and a probe now and then."
show why L-1038

step "The vendor is back: the queue drains, at its rate"
control '{"down": false}'
wait_until 60 "every order has ended, or waits for a person" "select not exists (select from pawl.callbacks)
    and not exists (select from pawl.tokens t where t.process = 'pawl-event-delivery')"
show endpoint list

step "What is left is for people"
show tasks
show task complete L-1005
show task complete L-1020 --variables '{"wanted": "poster"}'
wait_until 20 "every order has ended" "select count(*) filter (where ended is null) = 0 from pawl.instances"
say "" "A voucher was spent before. Its error is caught, and it goes on the bill; its neighbours do not mind:"
show trace L-1010

step "The account"
account 'json.dumps(s)' >"$DIR/account.json"
sql -c "select json_build_object(
    'orders', (select count(*) from loyalty.orders), 'processed', (select count(*) from loyalty.orders where status = 'processed'),
    'points', (select json_object_agg(m, p) from (select body ->> 'loyalty' as m, sum(case kind when 'sale' then points else -points end) as p
               from loyalty.orders where body ->> 'loyalty' <> 'nobody' group by 1) x),
    'off', (select count(*) from loyalty.orders o where coalesce((body ->> 'discount')::int, 0) <>
            (select abs(sum((l ->> 'discount')::int)) from jsonb_array_elements(lines) l)),
    'redeemed', (select json_agg(code order by code) from loyalty.vouchers where status = 'redeemed'),
    'bill', (select count(*) from loyalty.vouchers where status = 'on the bill'),
    'open', (select count(*) from loyalty.vouchers where status = 'open'),
    'rewards', (select count(*) from pawl.history h where h.element_id = 'reward' and h.state = 'completed'),
    'tokens', (select count(*) from pawl.events e where e.kind = 'callbackOpened'),
    'answered', (select count(*) from pawl.events e where e.kind in ('callbackSucceeded', 'callbackFailed')),
    'dead', (select count(*) from pawl.event_deliveries where state = 'failed'))" >"$DIR/shop.json"
python3 - "$DIR" "$ORDERS" "$WAITED" "$(sort -n "$DIR/transactions" | tail -1)" "$((RATE * 5 / 4))" <<'PYTHON' || FAILED=1
import json, sys
shop, vendor = (json.load(open("%s/%s.json" % (sys.argv[1], name))) for name in ("shop", "account"))
orders, waited, longest, quota = int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4] or 0), int(sys.argv[5])
failed = []

def line(what, value, right, remark=""):
    print("   %-52s %6s   %s" % (what, value, remark))
    if not right:
        failed.append(what)

line("Orders", orders, True)
line("  stored once and processed", shop["processed"], shop["processed"] == shop["orders"] == orders - 1)
line("  refused: neither a sale nor a return", orders - shop["orders"], orders - shop["orders"] == 1)
line("  whose discounts do not add up to the cent", shop["off"], shop["off"] == 0, "must be 0")
line("Tokens", shop["tokens"], True, "one for each request: points, each voucher, reward")
line("  answered", shop["answered"], shop["answered"] == shop["tokens"])
line("Members with the points that their orders say", len(shop["points"]), shop["points"] == vendor["points"], "to the point, of vendor and shop")
line("Vouchers redeemed, each once", len(shop["redeemed"]), {c: 1 for c in shop["redeemed"]} == vendor["vouchers"] and not shop["open"])
line("  put on the bill", shop["bill"], shop["bill"] == 1, "spent before")
line("Instant rewards", shop["rewards"], vendor["rewards"] == {"poster": shop["rewards"]}, "one after a person chose another")
line("Requests that waited while the vendor was away", waited, waited >= 20)
line("  that asked the vendor then", vendor["down"], 0 < vendor["down"] <= 14, "under way when it went; the rest are probes")
line("Requests over the vendor's quota", vendor["quota"], vendor["quota"] == 0, "must be 0: at most %d in a second of %d" % (vendor["fastest"], quota))
line("Dead letters", shop["dead"], shop["dead"] == 0, "must be 0")
line("Longest transaction seen", "%.0f ms" % longest, True, "looked at 20 times a second")
for what in failed:
    print("   WRONG: " + what)
sys.exit(1 if failed else 0)
PYTHON
