-- SPDX-License-Identifier: Apache-2.0
-- Callbacks: tokens, answers early and twice, late and forged, by the wrong caller; heartbeats, logs, limits.
set search_path = pawl;
create or replace function clock() returns timestamptz language sql stable as $$ select timestamptz '2026-03-01 12:00' $$;
insert into callback (id, instance_id, root_id, token, node, definition_id, attempt, until, heartbeat_us, allowed_caller, task_id, made)
select id(40 + n), id(n), id(n), 3, 4, i.definition_id, 1, '2026-03-02', case n when 2 then 10000000 else 0 end,
       case n when 3 then 'worker' end, case n when 1 then id(11) end, '2026-03-01'
from instance i, generate_series(1, 5) n where i.id = id(n);
create function token(n integer) returns text language sql as $$ select api_callback_token(id(n)) $$;

\echo -- the HMAC is that of RFC 2104, by the first case of RFC 4231
begin;
update callback_key set
    inner_pad = (select string_agg(set_byte('\x00', 0, (case when i < 20 then 11 else 0 end) # 54), '' order by i) from generate_series(0, 63) i),
    outer_pad = (select string_agg(set_byte('\x00', 0, (case when i < 20 then 11 else 0 end) # 92), '' order by i) from generate_series(0, 63) i);
select encode(sha256(outer_pad || sha256(inner_pad || 'Hi There'::bytea)), 'hex')
    = 'b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7' from callback_key;
rollback;
select octet_length(key), octet_length(inner_pad), octet_length(outer_pad),
       get_byte(inner_pad, 31) # 54 = get_byte(key, 31), get_byte(outer_pad, 32) from callback_key;
select length(token(42)), token(42) ~ '^pawl_[A-Za-z0-9_-]{64}$', api_callback_id(token(42)) = id(42), token(42) <> token(43);

\echo -- forged: another id with the same HMAC, a bit flipped, cut, empty, missing
select refused(format('select succeed_callback(%L)', t)) from unnest(array[
    overlay(token(42) placing substr(token(43), 1, 20) from 1 for 20), overlay(token(42) placing 'A' from 60 for 1) || '',
    left(token(42), 68), token(42) || 'A', '', 'pawl_', null, id(42)::text]) t where t is distinct from token(42);

\echo -- done once, the same again, something else; nothing of it in the table
select callback_id = id(42), created from succeed_callback(token(42), '{"pages": 3, "of": [1, 2]}', '{"logs": ["printed", {"ms": 5}]}');
select callback_id = id(42), created from succeed_callback(token(42), '{"of": [1, 2], "pages": 3}');
select refused(format('select succeed_callback(%L, ''{"pages": 4}'')', token(42)));
select refused(format('select fail_callback(%L)', token(42)));
select refused(format('select heartbeat_callback(%L)', token(42)));
select kind, command_id = id(42), instance_id = id(2), subject = id(42), name, detail, body from inbox order by id;
select count(*) from callback_answer where encode(digest, 'hex') like '%pages%';

\echo -- closed: the engine has carried it out; the same answer still gets the same reply, others come too late
delete from callback where id in (id(42), id(45));
select created from succeed_callback(token(42), '{"pages": 3, "of": [1, 2]}');
select refused(format('select succeed_callback(%L)', token(42)));
select refused(format('select succeed_callback(%L)', token(45)));
select refused(format('select heartbeat_callback(%L)', token(45)));

\echo -- only the one who is named, whoever has the token
select refused(format('select succeed_callback(%L)', token(43)));
select refused(format('select heartbeat_callback(%L)', token(43)));
select created from succeed_callback(token(43), '1', '{"actor": "worker"}');

\echo -- failures
select created from fail_callback(token(44), 'NO_PAPER', 'the tray is empty');
select created from fail_callback(token(44), 'NO_PAPER', 'the tray is empty', '{"logs": ["other words"]}');
select refused(format('select fail_callback(%L, ''NO_PAPER'', ''something else'')', token(44)));
select kind, name, detail, body from inbox where subject = id(44);

\echo -- a user task: marked with it; a person who was first
begin;
select created from succeed_callback(token(41));
select answered_by is not null from task where id = id(11);
select refused(format('select complete(%L)', id(11)));
rollback;
begin;
select complete(id(11)) = id(11);
select refused(format('select succeed_callback(%L)', token(41)));
rollback;

\echo -- heartbeats write their time, and nothing else
update callback set heartbeat_us = 10000000 where id = id(41);
select state, due from callbacks where callback_id = id(41);
select heartbeat_callback(token(41)) = id(41);
select heard, due, until, heartbeat from callbacks where callback_id = id(41);
select count(*) from inbox where subject = id(41);

\echo -- the generic one: by token and by id, with what else is in it
begin;
select created from answer_callback(jsonb_build_object('id', token(41), 'name', 'report', 'logs', '["l"]'::jsonb));
select body from inbox where subject = id(41);
select created from answer_callback(jsonb_build_object('id', id(41), 'output', '{"name": "report"}'::jsonb));
rollback;
begin;
select created from answer_callback(jsonb_build_object('id', id(41), 'error', 'E', 'cause', 'why'));
select created from answer_callback(jsonb_build_object('id', token(41), 'error', '{"code": "E", "message": "why"}'::jsonb));
select kind, name, detail, body from inbox where subject = id(41);
rollback;
begin;
select created from answer_callback(jsonb_build_object('id', id(41), 'error', null, 'output', 5));
select kind, body from inbox where subject = id(41);
rollback;
select refused(format('select answer_callback(%L)', a)) from unnest(array[
    '{}', '[]', 'null', '{"id": 5}', '{"id": "x"}', jsonb_build_object('id', id(99))::text,
    jsonb_build_object('id', token(41), 'error', 5)::text, jsonb_build_object('id', token(41), 'logs', 5)::text]) a;

\echo -- limits
select refused(format('select succeed_callback(%L, to_jsonb(repeat(''x'', 262143)))', token(41)));
select refused(format('select fail_callback(%L, null, repeat(''ü'', 32769))', token(41)));
select refused(format('select fail_callback(%L, repeat(''ü'', 257))', token(41)));
select refused(format('select succeed_callback(%L, options => jsonb_build_object(''logs'', jsonb_build_array(repeat(''x'', 65536))))', token(41)));
select refused(format('select succeed_callback(%L, options => jsonb_build_object(''logs'', (select jsonb_agg(''x''::text) from generate_series(1, 1001))))', token(41)));
select refused(format('select succeed_callback(%L, options => ''{"logs": [1]}'')', token(41)));
select refused(format('select succeed_callback(%L, (repeat(''['', 130) || repeat('']'', 130))::jsonb)', token(41)));
begin;
select created from succeed_callback(token(41), to_jsonb(repeat('x', 262142)),
    jsonb_build_object('logs', (select jsonb_agg(''::text) from generate_series(1, 1000))));
rollback;

\echo -- what people see, without the tokens
select callback_id, process, element_id, state, attempt, made, until, due, allowed_caller, answered_by from callbacks order by 1;
select element_id, waiting_for, since, due, subject, detail from tokens where waiting_for = 'callback' order by subject;
select count(*) from callbacks c where c::text ~ 'pawl_';

\echo -- the installation
select set_installation('{"publicUrl": "https://engine.example.org/engine/", "callbackLife": "30 days"}');
select * from installation_settings;
select refused(format('select set_installation(%L)', o)) from unnest(array['{}', '{"publicUrl": "pawl.example.org"}',
    '{"publicUrl": "https://a.example/?x"}', '{"publicUrl": "https://u@a.example"}', '{"publicUrl": 5}', '{"callbackLife": null}',
    '{"callbackLife": "-1 day"}', '{"url": "https://a.example"}']) o;
select set_installation('{"publicUrl": null}');
select * from installation_settings;

\echo -- another key: tokens that are out hold, new ones are signed by it
begin;
create temp table old as select token(43) as token;
select * from rotate_callback_key('{"reason": "yearly"}');
select api_callback_id(token) = id(43), token <> token(43), api_callback_id(token(43)) = id(43) from old;
select key_id, retired, keep_until, callbacks from callback_keys order by key_id;
select kind, subject, detail from audit where kind = 'callbackKeyRotated';
\echo -- for so long; then they are worth nothing
select * from rotate_callback_key('{"keep": "PT1H"}');
select key_id, keep_until from callback_keys order by key_id;
select api_callback_id(token) = id(43) from old;
update callback_key set keep_until = clock() where keep_until is not null;
select api_callback_id(token) is null, api_callback_id(token(43)) = id(43) from old;
\echo -- what needs a key: an open callback, an answer that may come again
select id, api_callback_key_needed(k) from callback_key k order by id;
update callback_key set retired = retired - interval '2 minutes' where retired is not null;
select id, api_callback_key_needed(k) from callback_key k order by id;
delete from callback;
select id, api_callback_key_needed(k) from callback_key k order by id;
delete from callback_answer;
select id, api_callback_key_needed(k) from callback_key k order by id;
select refused(format('select rotate_callback_key(%L)', o)) from unnest(array['{"keep": "x"}', '{"keep": "-1 s"}', '{"stray": 1}', '[]']) o;
select count(rotate_callback_key()) from generate_series(1, 17);
select refused('select rotate_callback_key()');
rollback;
\echo -- rights
select has_function_privilege(r, 'succeed_callback(text, jsonb, jsonb)', 'execute'), has_function_privilege(r, 'set_installation(jsonb)', 'execute'),
       has_table_privilege(r, 'callbacks', 'select'), has_table_privilege(r, 'callback', 'select'), has_table_privilege(r, 'installation', 'select'),
       has_function_privilege(r, 'api_callback_token(uuid)', 'execute')
from unnest(array['starter', 'worker', 'reader', 'administrator']) r;
