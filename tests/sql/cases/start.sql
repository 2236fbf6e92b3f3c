-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
\set show 'select kind, coalesce(command_id, root_id) is null as own, (select key || \':\' || version from definition d where d.id = definition_id) as process, key, body, actor, xid = pg_current_xact_id_if_assigned() as mine from inbox order by inbox.xid, inbox.id;'

\echo -- the latest version, or the one that is asked for
select created from start('order');
select created from start(process => 'order', version => 1, business_key => 'A-1', variables => '{"n": 1.10, "big": 12345678901234567890}');
:show
\echo -- version and time of the id
select substr(instance_id::text, 15, 1), abs(extract(epoch from api_id_time(instance_id) - clock())) < 1 from start('order');
\echo -- variables may be null, and are limited
select created from start('order', variables => null);
select refused($$ select start('order', variables => '[1]') $$);
select refused($$ select start('order', variables => '"x"') $$);
select refused($$ select start('order', variables => 'null') $$);
select refused($$ select start('order', variables => jsonb_build_object('big', repeat('x', 1048576))) $$);
select created from start('order', variables => jsonb_build_object('big', repeat('x', 1048574)));
select refused($$ select start('order', variables => (select jsonb_object_agg('v' || n, repeat('x', 1000000)) from generate_series(1, 5) n)) $$);
select refused($$ select start('order', variables => jsonb_build_object(repeat('k', 256), 1)) $$);
select refused($$ select start('order', variables => jsonb_build_object('deep', (repeat('[', 200) || repeat(']', 200))::jsonb)) $$);
select refused($$ select start('order', variables => jsonb_build_object('deep', (repeat('[', 128) || repeat(']', 128))::jsonb)) $$);
select created from start('order', variables => jsonb_build_object('deep', (repeat('[', 127) || repeat(']', 127))::jsonb, 'wide', (select jsonb_agg(jsonb_build_array(n)) from generate_series(1, 200) n)));
\echo -- names
select refused($$ select start(null) $$);
select refused($$ select start('') $$);
select refused($$ select start('order', repeat('ä', 128)) $$);
select created from start('order', repeat('ä', 127));
select refused($$ select start('order', request_key => '') $$);
select refused($$ select start('order', request_key => repeat('k', 256)) $$);
select refused($$ select start(repeat('p', 300)) $$);
\echo -- what cannot be started
select refused($$ select start('invoice') $$);
select refused($$ select start('order', version => 3) $$);
select refused($$ select start('Order') $$);
select refused($$ select start('paused') $$);
\echo -- options
select refused($$ select start('order', options => '{"prioity": 1}') $$);
select refused($$ select start('order', options => '[]') $$);
select refused($$ select start('order', options => '{"actor": 7}') $$);
select created from start('order', options => '{"actor": "anna"}');
select actor from inbox order by xid desc limit 1;
\echo -- request keys
delete from inbox;
select created from start('order', 'B', '{"a": 1, "b": 2}', 'r1');
select created from start('order', 'B', '{"b": 2, "a": 1}', 'r1');
select (start('order', 'B', '{"a": 1, "b": 2}', 'r1')).instance_id = (start('order', 'B', '{"a": 1, "b": 2}', 'r1')).instance_id;
select refused($$ select start('order', 'C', '{"a": 1, "b": 2}', 'r1') $$);
select refused($$ select start('order', 'B', '{"a": 1}', 'r1') $$);
select refused($$ select start('order', 'B', '{"a": 1, "b": 2}', 'r1', 1) $$);
select refused($$ select start('paused', 'B', '{"a": 1, "b": 2}', 'r1') $$);
select count(*) from inbox;
\echo -- the same request is answered alike, though the process is suspended or gone meanwhile
update definition set suspended = true where key = 'order';
select created from start('order', 'B', '{"a": 1, "b": 2}', 'r1');
select refused($$ select start('order', 'B', '{"a": 1, "b": 2}', 'r2') $$);
select count(*) from request_key;
\echo -- from a transaction of the caller: nothing starts, and the key is free again
update definition set suspended = false where key = 'order';
begin; select created from start('order', request_key => 'r3'); rollback;
select count(*) from inbox where xid > (select max(xid) from inbox i where i.key = 'B');
begin; select created from start('order', request_key => 'r3'); savepoint s; select created from start('order'); rollback to s; commit;
select count(*) from inbox, (select max(xid::text::bigint) m from inbox) x where xid::text::bigint = m;
