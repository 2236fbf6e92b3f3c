-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
select delegate from set_sql_delegate('reserve', E'select shop.reserve($1) ;\n');
select delegate from set_sql_delegate(name => 'note', statement => 'insert into note values ($1) returning id',
    options => '{"timeout": "PT0.25S", "lockTimeout": "100 ms", "searchPath": "shop, pg_temp", "actor": "anna"}');
select name, statement, role, search_path, timeout, lock_timeout, actor from sql_delegates order by name;
\echo -- replaced as a whole
select delegate from set_sql_delegate('note', 'select 1');
select name, statement, role, search_path, timeout, lock_timeout from sql_delegates order by name;
\echo -- refused
select refused(format('select set_sql_delegate(%L, %L)', n, s)) from (values (null, 'select 1'), ('', 'select 1'), ('x', null),
    ('x', ' ; '), (repeat('x', 201), 'select 1'), ('x', repeat('x', 65537))) v(n, s);
select refused(format('select set_sql_delegate(%L, %L, %L)', 'x', 'select 1', o)) from (values ('{"rate": 1}'), ('[]'),
    ('{"timeout": "31 s"}'), ('{"lockTimeout": "PT1M"}'), ('{"timeout": "soon"}'), ('{"role": "nobody"}')) v(o);
select refused($$ select drop_sql_delegate('none') $$);
\echo -- run: one column is the result, several are an object, no row is null
create table ran (what jsonb);
select delegate from set_sql_delegate('note', 'insert into pawl.ran values ($1) returning what -> ''a'' as b, 1.10 as c -- the end');
select * from api_sql_delegate('note', '{"a": [1, 2]}');
select set_sql_delegate('note', 'select $1 ->> ''a''');
select result from api_sql_delegate('note', '{"a": "x"}');
select set_sql_delegate('note', 'delete from pawl.ran where what ? ''z'' returning 1');
select result from api_sql_delegate('note', '{}');
\echo -- arguments are bound, never pasted
select set_sql_delegate('note', 'select $1 ->> ''a''');
select result from api_sql_delegate('note', $${"a": "'; drop table pawl.ran; --"}$$);
select count(*) from ran;
\echo -- what it raises is a row, and nothing that it did stays
create function raise_error(state text, message text, detail text) returns void language plpgsql as $$
begin raise exception using errcode = state, message = message, detail = detail; end $$;
select set_sql_delegate('note', 'with done as (delete from pawl.ran returning 1) select pawl.raise_error($1 ->> ''s'', ''SOLD_OUT'', ''two left''), count(*) from done');
select result, error_state, error_message, error_detail from api_sql_delegate('note', '{"s": "PB001"}');
select error_state, error_message from api_sql_delegate('note', '{"s": "23505"}');
select set_sql_delegate('note', 'select generate_series(1, 3)');
select error_state, error_message, error_detail from api_sql_delegate('note', '{}');
select set_sql_delegate('note', 'insert into pawl.ran values ($1)');
select error_state, error_message from api_sql_delegate('note', '{}');
select set_sql_delegate('note', 'commit');
select error_state, error_message from api_sql_delegate('note', '{}');
select set_sql_delegate('note', 'select nothing from nowhere');
select error_state, error_message from api_sql_delegate('note', '{}');
select error_state, error_message from api_sql_delegate('none', '{}');
select count(*) from ran;
\echo -- a deferred constraint shows in the delegate, not at the commit
create table parent (id int primary key);
create table child (id int references parent deferrable initially deferred);
select set_sql_delegate('note', 'insert into pawl.child values (7) returning id');
select error_state, error_message from api_sql_delegate('note', '{}');
drop table child, parent;
\echo -- an administrator who is not a member of the role of the engine must name a role that is his
\connect - administrator
set search_path = pawl;
select refused($$ select set_sql_delegate('mine', 'select 1') $$);
select refused($$ select set_sql_delegate('mine', 'select 1', '{"role": "starter"}') $$);
\connect - pawl
set search_path = pawl;
\echo -- the session is as it was
select current_setting('role'), current_setting('search_path'), current_setting('enable_seqscan');
select delegate from drop_sql_delegate('note');
select delegate from drop_sql_delegate(name => 'reserve');
select count(*) from sql_delegates;
drop table ran;
drop function raise_error(text, text, text);
