-- SPDX-License-Identifier: Apache-2.0
-- put_events(): what is taken, what is refused, each for itself. Rules and replay: what is asked of the engine.
set search_path = pawl;
select set_event_bus('orders', '{"description": "all about orders"}');
\echo -- what is taken
select n, event_id is not null, error_code, error_message, duplicate from put_events('[
  {"Source": "shop", "DetailType": "order.paid", "Detail": "{\"order\": 7, \"sum\": 1.10}", "EventBusName": "orders", "Time": 1795334400, "Resources": ["a", "b"]},
  {"source": "shop", "detailType": "order.paid", "detail": {"order": 8}, "time": "2026-11-22T08:00:00+01:00"},
  {"Source": "shop", "DetailType": "t", "Detail": "{}", "Time": 0, "EventBusName": "arn:aws:events:eu-central-1:123456789012:event-bus/orders"}]');
select bus, source, detail_type, state, time < '2026-11-22T08:00:01Z' as early, resources, detail from bus_events order by bus, source, detail_type;
select kind, bus, event_id = any (array(select b.event_id from bus_events b)) from event_todo order by id;
\echo -- what is not; the others are
select n, event_id is not null, error_code, error_message from put_events('[
  {"DetailType": "t", "Detail": "{}"}, {"Source": "s", "Detail": "{}"}, {"Source": "s", "DetailType": "t"},
  {"Source": "s", "DetailType": "t", "Detail": "[]"}, {"Source": "s", "DetailType": "t", "Detail": "{\"a\":"},
  {"Source": "s", "DetailType": "t", "Detail": "{}", "EventBusName": "nowhere"},
  {"Source": "s", "DetailType": "t", "Detail": "{}", "Time": "yesterday"},
  {"Source": "s", "DetailType": "t", "Detail": "{}", "Time": "2026-13-22T08:00:00Z"},
  {"Source": "s", "DetailType": "t", "Detail": "{}", "Time": 1e300},
  {"Source": "s", "DetailType": "t", "Detail": "{}", "Resources": "r"}, {"Source": "urn:pawl", "DetailType": "t", "Detail": "{}"},
  7, {"Source": "s", "DetailType": "t", "Detail": {}, "Time": 1795334400.5}]'::jsonb
  || jsonb_build_object('Source', repeat('s', 256), 'DetailType', 't', 'Detail', '{}')
  || jsonb_build_object('Source', 's', 'DetailType', 't', 'Detail', jsonb_build_object('a', repeat('x', 262144))));
select count(*) from bus_events;
select refused($$ select put_events('[]') $$);
select refused($$ select put_events('{}') $$);
select refused($$ select put_events((select jsonb_agg(1) from generate_series(1, 1001))) $$);
select refused($$ select put_events(jsonb_build_array(repeat('x', 4194305))) $$);
\echo -- twice
select n, duplicate, error_code from put_events('[{"source": "a", "detailType": "t", "detail": {}, "dedupeKey": "k1"},
  {"source": "b", "detailType": "t", "detail": {}, "dedupeKey": "k1"}, {"source": "a", "detailType": "t", "detail": {}, "dedupeKey": "k1"}]');
select a.duplicate, a.event_id = b.id from put_events('[{"source": "a", "detailType": "other", "detail": {}, "dedupeKey": "k1"}]') a,
  (select event_id as id from bus_events where source = 'a') b;
select count(*) from bus_events where source in ('a', 'b');
\echo -- nothing of a transaction that is rolled back
begin;
select count(*) from put_events('[{"source": "gone", "detailType": "t", "detail": {}, "dedupeKey": "k9"}]');
rollback;
select count(*) from bus_events where source = 'gone';
select duplicate from put_events('[{"source": "gone", "detailType": "t", "detail": {}, "dedupeKey": "k9"}]');
\echo -- rules are commands
select command_id is not null from set_event_rule('paid', '{"source": ["shop"]}', '[{"startProcess": {"process": "order"}}]', 'orders');
select kind, bus, name, body from event_todo where kind = 2;
select state is null, known from api_outcome((select command_id from event_todo where kind = 2));
select refused($$ select set_event_rule('paid', '{}', '[]', 'nowhere') $$);
select refused($$ select set_event_rule('paid', '{}', '{}') $$);
select refused($$ select set_event_rule('paid', null, '[]') $$);
select refused($$ select set_event_rule('paid', jsonb_build_array(repeat('x', 70000)), '[]') $$);
select refused($$ select drop_event_rule('paid', 'nowhere') $$);
\echo -- buses
select refused($$ select set_event_bus('a b') $$);
select refused($$ select drop_event_bus('nowhere') $$);
insert into event_rule (bus, name, pattern, targets, enabled, actor, at) values ('orders', 'r', '{}', '[]', true, 'x', clock());
select refused($$ select drop_event_bus('orders') $$);
delete from event_rule;
select drop_event_bus('orders');
select name from event_buses;
\echo -- replay
delete from event_todo;
insert into event_unmatched select event_id from bus_events where source = 'a';
insert into event_delivery (event_id, rule, target, kind, state, tries, error, at)
select event_id, 'r', '1', 'startProcess', 'failed', 1, 'there is no process "x"', clock() from bus_events where source = 'b';
select source, state from bus_events where source in ('a', 'b') order by 1;
select * from replay_events('{"state": "unmatched"}', '{"dryRun": true}');
select * from replay_events('{"state": "unmatched"}');
select * from replay_events('{"state": "unmatched"}');
select * from replay_events('{"state": "failed", "rule": "other"}');
select * from replay_events('{"state": "failed", "rule": "r"}');
select * from replay_events('{"state": "all", "from": "2100-01-01T00:00:00Z"}');
select * from replay_events('{"state": "all", "source": "shop", "bus": "orders"}', '{"limit": 1}');
select e.source, t.name, t.target from event_todo t join bus_event e on e.id = t.event_id order by t.id;
select refused($$ select replay_events('{}') $$);
select refused($$ select replay_events('{"state": "failed", "buss": "x"}') $$);
select refused($$ select replay_events('{"state": "failed", "ids": ["x"]}') $$);
select refused($$ select replay_events('{"state": "failed", "from": "today"}') $$);
