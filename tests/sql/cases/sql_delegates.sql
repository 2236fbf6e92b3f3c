-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
create schema shop;
create table shop.note (id int generated always as identity, what jsonb);
create function shop.reserve(arguments jsonb) returns jsonb language sql as 'select arguments';
select delegate from set_sql_delegate('reserve', E'select shop.reserve($1) ;\n');
select delegate from set_sql_delegate(name => 'note', statement => 'insert into note (what) values ($1) returning id',
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
\echo -- judged when it is registered, as whom it will run, and nothing of it happens
grant usage on schema shop to clerk;
grant select on shop.note to clerk;
select refused(format('select set_sql_delegate(%L, %L, %L)', 'note', s, o)) from (values
    ('selct 1', '{}'), ('select nothing from nowhere', '{}'), ('select shop.reserv($1)', '{}'), ('select what ->> from shop.note', '{}'),
    ('select id from note', '{}'), ('select id from note', '{"searchPath": "shop"}'), ('select $1 + 1', '{}'), ('select $2', '{}'),
    ('select ''x''::int', '{}'), ('insert into shop.note (what) values ($1)', '{}'), ('commit', '{}'), ('set role none', '{}'),
    ('select 1; delete from shop.note', '{}'), ('analyze delete from shop.note returning id', '{}'), ('show search_path', '{}'),
    ('delete from shop.note returning id', '{"role": "clerk"}'), ('select id from shop.note', '{"role": "clerk"}'),
    ('insert into shop.note (what) values ($1) returning id', '{"role": "clerk"}')) v(s, o);
select name, statement, role, search_path from sql_delegates order by name;
select count(*) from shop.note;
select current_setting('role'), current_setting('search_path'), current_setting('lock_timeout');
\echo -- what a function says of no arguments is no verdict
create function shop.strict(arguments jsonb) returns int immutable language plpgsql as
$$ begin if arguments is null then raise exception 'nothing given'; end if; return 1; end $$;
select delegate from set_sql_delegate('note', 'select id from shop.note where id = shop.strict($1)');
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
\echo -- what was changed since it was judged
create table gone (id int);
select set_sql_delegate('note', 'select id from pawl.gone');
drop table gone;
select error_state, error_message from api_sql_delegate('note', '{}');
update sql_delegate set statement = 'insert into pawl.ran values ($1)' where name = 'note';
select error_state, error_message, error_detail from api_sql_delegate('note', '{}');
update sql_delegate set statement = 'commit' where name = 'note';
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
select refused($$ select api_put_sql_delegate('mine', 'select 1', '{}') $$);
\connect - pawl
grant clerk to administrator;
\connect - administrator
set search_path = pawl;
select delegate from set_sql_delegate('his', 'select id from shop.note', '{"role": "clerk"}');
select refused($$ select set_sql_delegate('his', 'delete from shop.note returning id', '{"role": "clerk"}') $$);
\connect - pawl
set search_path = pawl;
\echo -- the session is as it was
select current_setting('role'), current_setting('search_path'), current_setting('enable_seqscan');
select delegate from drop_sql_delegate('note');
select delegate from drop_sql_delegate(name => 'reserve');
select delegate from drop_sql_delegate('his');
select count(*) from sql_delegates;
drop table ran;
drop function raise_error(text, text, text);
\set VERBOSITY terse
drop schema shop cascade;
revoke clerk from administrator;
