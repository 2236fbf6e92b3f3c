# SPDX-License-Identifier: Apache-2.0
# The story of scripts/demo.sh address-verification, sourced by it: orders whose addresses a slow, unreliable
# geocoder verifies, an engine that is killed in the middle, and a person who finishes what the machine could
# not. Every order must end as its line in orders.csv says.

RATE=4 # requests a second; the public Nominatim allows 1
EXAMPLE=processes/address-verification
ORDERS=$ROOT/$EXAMPLE/orders.csv

orders_where() { # SQL condition on "o": how many orders are like that
    sql -c "select count(*) from pawl.instances o where o.process = 'order-delivery' and $1"
}

step "A geocoder that has bad days"
helper_start geocoder /usr/bin/python3 "$ROOT/tests/standin/nominatim.py" --places "$ORDERS" --rate "$RATE" --by-key \
    --life 600 --port-file "$DIR/geocoder.port"
GEOCODER_URL=http://127.0.0.1:$(cat "$DIR/geocoder.port")
say "A stand-in for Nominatim serves $GEOCODER_URL/search, on this machine only." \
    "It allows $RATE requests a second for a whole application (the public service: 1) and counts" \
    "whoever asks more. Some addresses it answers late, with an error, with nonsense, or never."

step "The engine, with a private PostgreSQL of its own"
engine_start
sampler_start

step "Two models, as the editor saved them: judged, then deployed"
show lint $EXAMPLE/address-verification.bpmn $EXAMPLE/order-delivery.bpmn | fold -s -w "$COLUMNS" |
    sed 's/^\([^ ]\)/   \1/'
say "(They say what is so: whoever calls the verification must catch its errors, as the order does.)"
show deploy $EXAMPLE
show endpoint set geocoder "$GEOCODER_URL" --allow loopback --rate "$RATE" --cache P30D --header "User-Agent: order-demo"
show endpoint set geocoder-offline http://127.0.0.1:9 --allow loopback
say "The second endpoint is a service that nobody can reach: only the orders that name it are touched."

step "$(($(wc -l <"$ORDERS") - 1)) orders"
PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 - "$ROOT" "$ORDERS" >"$DIR/orders.jsonl" <<'PYTHON'
import csv, json, sys
sys.path.insert(0, sys.argv[1] + "/tests/standin")
from nominatim import address_of
for row in csv.DictReader(open(sys.argv[2], encoding="utf-8", newline="")):
    print(json.dumps({"businessKey": row["order"],
                      "variables": {"address": address_of(row), "geocoder": row["geocoder"]}}))
PYTHON
say "Real addresses, made-up ones, one order without any; all in one transaction."
"$PAWL" start order-delivery --many "$DIR/orders.jsonl" -o json >"$DIR/started" 2>&1 || die "$(cat "$DIR/started")"
say "\$ pawl start order-delivery --many orders.jsonl" "$(orders_where true) orders started."
sleep 3
show endpoint list
say "No transaction is open and no thread waits while requests are queued or under way."

step "kill -9"
for _ in $(seq 100); do # at a moment when an answer is on its way
    [ "$(sql -c "select count(*) from pawl.calls where state = 'sent'")" = 0 ] || break
done
kill -9 "$ENGINE"
wait "$ENGINE" 2>/dev/null || true
ENGINE=''
sql -c "select coalesce(json_object_agg(e.data ->> 'call', extract(epoch from e.at)), '{}')
        from pawl.events e where e.kind = 'callAnswered'" >"$DIR/answered.json"
say "The engine was killed with $(orders_where 'o.ended is null') orders on their way, $(orders_where 'o.ended is not null') done," \
    "$(sql -c "select count(*) from pawl.calls where state = 'sent'") requests sent without an answer, \
$(sql -c "select count(*) from pawl.calls where state = 'queued'") queued."
sleep 0.5
KILLED_AT=$(date +%s.%N)

step "Started again: every order goes on"
engine_start
wait_until 90 "every order is delivered, refused, or waits for a person" \
    "select not exists (select from pawl.instances o where o.process = 'order-delivery' and o.ended is null
        and not exists (select from pawl.tasks t where t.instance_id = o.instance_id))"
say "$(orders_where 'o.ended is not null') orders are done; $(orders_where 'o.ended is null') wait for a person."

step "A person finishes what the machine could not"
show tasks
show why A-1017
/usr/bin/python3 - "$ORDERS" >"$DIR/coordinates" <<'PYTHON'
import csv, json, sys
for row in csv.DictReader(open(sys.argv[1], encoding="utf-8", newline="")):
    if row["outcome"] == "person":
        print(row["order"], json.dumps({"latitude": row["lat"] or "48.2082", "longitude": row["lon"] or "16.3738"}))
PYTHON
while read -r order coordinates; do
    show task complete "$order" --variables "$coordinates"
done <"$DIR/coordinates"
wait_until 20 "every order has ended" \
    "select count(*) filter (where o.ended is null) = 0 from pawl.instances o where o.process = 'order-delivery'"

step "What happened to one order of each outcome"
for order in A-1002 A-1008 A-1015 A-1020; do
    case $order in
    A-1002) say "" "Delivered at once:" ;;
    A-1008) say "" "A fake address:" ;;
    A-1015) say "" "The first answer came too late, and reached nobody; the second attempt found it:" ;;
    A-1020) say "" "The geocoder could not be reached, three times; then a person knew:" ;;
    esac
    show trace "$order"
done

step "The account"
kill "$SAMPLER" 2>/dev/null || true
wait "$SAMPLER" 2>/dev/null || true
SAMPLER=''
sql -F, -c "
    select i.business_key,
           case when exists (select from pawl.history h where h.instance_id = i.instance_id
                             and h.element_id = 'enterCoordinates' and h.state = 'completed') then 'person'
                when exists (select from pawl.history h where h.instance_id = i.instance_id
                             and h.element_id = 'delivered') then 'delivered'
                when exists (select from pawl.history h where h.instance_id = i.instance_id
                             and h.element_id = 'refused') then 'fake'
                else 'none' end,
           i.state,
           (select count(*) from pawl.events e join pawl.instances c on c.instance_id = e.instance_id
            where c.business_key = i.business_key and e.kind = 'callRequested'),
           coalesce((select m.variables ->> 'latitude' from pawl.messages m
                     where m.name = 'Order delivered' and m.key = i.business_key), ''),
           coalesce((select m.variables ->> 'longitude' from pawl.messages m
                     where m.name = 'Order delivered' and m.key = i.business_key), '')
    from pawl.instances i where i.process = 'order-delivery' order by 1" >"$DIR/ended.csv"
curl_stats() { /usr/bin/python3 -c 'import sys, urllib.request; sys.stdout.buffer.write(urllib.request.urlopen(sys.argv[1], timeout=10).read())' "$GEOCODER_URL/stats"; }
curl_stats >"$DIR/stats.json"
LONGEST=$(sort -n "$DIR/transactions" | tail -1)

PYTHONDONTWRITEBYTECODE=1 /usr/bin/python3 - "$ORDERS" "$DIR" "$KILLED_AT" "${LONGEST:-0}" "$ROOT/tests/standin" \
    <<'PYTHON' || FAILED=1
import csv, json, sys
sys.path.insert(0, sys.argv[5])
from nominatim import address_of
orders_file, folder, killed_at, longest = sys.argv[1], sys.argv[2], float(sys.argv[3]), float(sys.argv[4])
stats = json.load(open(folder + "/stats.json"))
answered = json.load(open(folder + "/answered.json"))
ended = {row[0]: row for row in csv.reader(open(folder + "/ended.csv"))}
expected = list(csv.DictReader(open(orders_file, encoding="utf-8", newline="")))
# Their answers were lost with the engine. On a slow machine it may be back only after their 3 seconds.
cut_off = {r["q"] for r in stats["log"] if r["at"] < killed_at and r["key"] not in answered}
wrong, counts, calls = [], {"delivered": 0, "person": 0, "fake": 0}, 0

for order in expected:
    key = order["order"]
    if key not in ended:
        wrong.append("%s is lost" % key)
        continue
    _, outcome, state, attempts, lat, lon = ended[key]
    counts[outcome] = counts.get(outcome, 0) + 1
    calls += int(attempts)
    if outcome != order["outcome"] or state != "completed":
        wrong.append("%s: %s, %s instead of %s" % (key, state, outcome, order["outcome"]))
    spare = 1 if address_of(order) in cut_off else 0
    if not int(order["attempts"]) <= int(attempts) <= int(order["attempts"]) + spare:
        wrong.append("%s: %s attempts instead of %s" % (key, attempts, order["attempts"]))
    if outcome == "delivered" and (not lat or abs(float(lat) - float(order["lat"])) > 0.01
                                   or abs(float(lon) - float(order["lon"])) > 0.01):
        wrong.append("%s: delivered to %s, %s instead of %s, %s" % (key, lat, lon, order["lat"], order["lon"]))
if len(ended) != len(expected):
    wrong.append("%d orders ended, %d were started" % (len(ended), len(expected)))

again = [r for r in stats["log"] if r["key"] in answered and r["at"] > killed_at]
if again:
    wrong.append("%d requests were sent again although their answer was committed" % len(again))
if stats["violations"]:
    wrong.append("%d requests broke the geocoder's rate" % stats["violations"])
if longest > 2500:  # a request may take 3 s, and none is waited for in a transaction
    wrong.append("a transaction lasted %.0f ms" % longest)
first = sum(1 for order in expected if int(order["attempts"]) > 0)
unknown = sum(n - 1 for n in stats["by_key"].values())

def line(what, value, remark=""):
    print("   %-46s %8s   %s" % (what, value, remark))

line("Orders", len(expected))
line("  delivered, address verified", counts["delivered"], "each at the coordinates that are known for it")
line("  delivered, a person entered the coordinates", counts["person"])
line("  refused: fake address", counts["fake"])
line("Requests that the processes made", calls)
line("  of these retries", calls - first, "after a timeout or a suspicious answer")
line("Requests that the geocoder got", stats["requests"], "the rest: unreachable, or answered from the cache")
line("  sent again after the kill", unknown, "their answers were lost with the engine")
line("  sent again though answered", len(again), "must be 0")
line("  over its rate of %g a second" % stats["rate"], stats["violations"], "must be 0")
line("Longest transaction seen", "%.0f ms" % longest, "looked at 20 times a second")
for text in wrong:
    print("   WRONG: " + text)
sys.exit(1 if wrong else 0)
PYTHON
