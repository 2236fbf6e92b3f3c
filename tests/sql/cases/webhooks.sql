-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
set client_min_messages = warning;
select webhook from set_webhook('standard', '{"secret": ["file:/run/one", "env:TWO"], "tolerance": "PT1M", "event": {"type": "$.body.type"}}');
select webhook from set_webhook('github', '{"scheme": "hmac", "secret": "env:GITHUB", "signature": {"header": "X-Hub-Signature-256", "prefix": "sha256="},
    "id": "X-GitHub-Delivery", "event": {"bus": "default", "source": "github", "type": "$.headers.X-GitHub-Event"}}');
select webhook from set_webhook('paid', '{"scheme": "none", "message": {"name": "paid", "key": "$.body.order.id", "ttl": "PT1M"}}');
select webhook from set_webhook('begin', '{"scheme": "none", "start": {"process": "order", "businessKey": "$.body.key", "variable": "given"}}');
select name, scheme, signature, kind, target, tolerance, enabled from webhooks order by name;
\echo -- what the server gets to verify with
select jsonb_pretty(api_webhook('github'));
select api_webhook('standard') ->> 'toleranceS';
\echo -- what becomes of a message, once for each id
create function receive(name text, given jsonb) returns text language sql as
$$ select string_agg(k || coalesce(case when k = 'error' then ' ' || v end, ''), ',') from jsonb_each_text(api_webhook_receive(name, given)) e(k, v) $$;
select receive('standard', '{"id": "m1", "body": {"type": "a.b", "n": 1.10}, "headers": {}}');
select receive('standard', '{"id": "m1", "body": {"type": "a.b", "n": 2}, "headers": {}}');
select receive('github', '{"id": "m1", "body": [1], "headers": {"x-github-event": "push"}}');
select receive('github', '{"id": null, "body": {}, "headers": {"x-github-event": "push"}}');
select source, detail_type, detail from bus_events order by source, detail::text;
select receive('paid', '{"id": null, "body": {"order": {"id": "A-1"}}, "headers": {}}');
select name, key, body, actor from inbox where name = 'paid';
select receive('begin', '{"id": "m2", "body": {"key": "B-1"}, "headers": {}}');
select business_key from instances where state = 'accepted';
select today from webhooks where name = 'standard';
\echo -- refused: nothing was there; and then it has not come in
select refused($$select api_webhook_receive('standard', '{"id": "m3", "body": {"n": 1}, "headers": {}}')$$);
select refused($$select api_webhook_receive('github', '{"id": "m3", "body": {}, "headers": {}}')$$);
select refused($$select api_webhook_receive('paid', '{"id": "m3", "body": 7, "headers": {}}')$$);
select count(*) from webhook_seen where id = 'm3';
\echo -- switched off, and gone
\echo -- one that is not signed acts for its own tenant: who sends it must belong to that
select webhook from set_webhook('north', '{"scheme": "none", "id": "X-Id", "tenant": "north", "message": {"name": "signed"}}');
create function sent_by(tenants text, id text) returns text language sql as $$
    select set_config('pawl.caller', '{"name": "shop", "rights": ["start"], "tenants": ' || tenants || '}', true);
    select refused(format('select api_webhook_receive(%L, %L)', 'north', jsonb_build_object('id', id, 'body', '{}'::jsonb, 'headers', '{}'::jsonb))) $$;
select sent_by('["south"]', 'm4');
select sent_by('["south", "north"]', 'm4');
select id, webhook from webhook_seen where id = 'm4';
select name, tenant from inbox where name = 'signed';
select webhook from set_webhook('paid', '{"scheme": "none", "enabled": false, "message": {"name": "paid"}}');
select refused($$select api_webhook('paid')$$);
select webhook from drop_webhook('standard');
select count(*) from webhook_seen where webhook = 'standard';
select refused($$select drop_webhook('standard')$$);
\echo -- settings that are none
select refused(format('select set_webhook(%L, %L)', 'x', o)) from (values
    ('{}'), ('{"secret": "env:A"}'), ('{"event": {}}'), ('{"secret": "hunter2", "event": {}}'), ('{"secret": "env:A", "event": {}, "start": {}}'),
    ('{"secret": "env:A", "event": {"bus": "none"}}'), ('{"secret": "env:A", "event": {"kind": 1}}'), ('{"secret": "env:A", "event": {"type": "$.x"}}'),
    ('{"secret": "env:A", "event": {"type": "$"}}'), ('{"secret": "env:A", "event": {"type": 1}}'), ('{"secret": "env:A", "message": {}}'),
    ('{"secret": "env:A", "start": {"process": ""}}'), ('{"secret": "env:A", "callback": {"output": "$.body"}}'),
    ('{"scheme": "none", "secret": "env:A", "event": {}}'), ('{"scheme": "hmac", "secret": "env:A", "event": {}}'),
    ('{"scheme": "hmac", "signature": {"header": "a b"}, "secret": "env:A", "event": {}}'), ('{"scheme": "rsa", "event": {}}'),
    ('{"secret": "env:A", "signature": {"header": "X"}, "event": {}}'), ('{"secret": "env:A", "tolerance": "P2D", "event": {}}'),
    ('{"secret": "env:A", "enabled": 1, "event": {}}'), ('[]')) v(o);
select refused($$select set_webhook('a/b', '{"scheme": "none", "event": {}}')$$);
select refused($$select set_webhook('a', null)$$);

\echo -- CloudEvents
select n, event_id is not null as taken, error_code, duplicate from put_cloudevents('[
    {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "time": "2026-11-22T08:00:00Z", "subject": "A-1", "data": {"order": 7}},
    {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "data": {"order": 8}},
    {"specversion": "1.0", "id": "2", "source": "/shop", "type": "x", "data": [1], "traceparent": "00-1"},
    {"specversion": "1.0", "id": "3", "source": "/shop", "type": "x", "data_base64": "AAE="},
    {"specversion": "1.0", "id": "4", "source": "/shop", "type": "x", "time": "yesterday"},
    {"specversion": "1.0", "id": "5", "source": "/shop", "type": "x"}]');
select detail_type, time = '2026-11-22T08:00:00Z' as its_time, resources, detail from bus_events where source = '/shop' order by detail::text;
select refused(format('select * from put_cloudevents(%L)', e)) from (values ('1'), ('[]'), ('[1]'), ('{"specversion": "1.0"}'),
    ('{"specversion": "0.3", "id": "1", "source": "a", "type": "b"}'), ('{"specversion": "1.0", "id": "1", "source": "a"}')) v(e);
select refused($$select put_cloudevents(null)$$);
select refused($$select put_cloudevents('{}', 'none')$$);
