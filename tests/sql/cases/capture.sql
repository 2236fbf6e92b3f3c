-- SPDX-License-Identifier: Apache-2.0
-- A caller's temporary tables, functions and search_path capture nothing.
\connect - starter
create temp table inbox (like pg_class);
create temp table definition (id integer, tenant text, key text, version integer, suspended boolean);
create temp table request_key (tenant text, key text, digest bytea, instance_id uuid, at timestamptz);
create temp table task (id uuid);
create function pg_temp.api_actor(jsonb, text[] default '{}') returns text language sql as $$ select 'root' $$;
create function pg_temp.clock() returns timestamptz language sql as $$ select 'epoch'::timestamptz $$;
insert into definition values (1, '', 'mine', 1, false);
set search_path = pg_temp, pawl, pg_catalog;
select created from pawl.start('order', request_key => 'k');
select pawl.refused($$ select pawl.start('mine') $$);
set search_path = '';
select created from pawl.start('order');
select count(*) from pg_temp.inbox;
\connect - pawl
select kind, actor, at > '2020-01-01' as clock from pawl.inbox order by xid, id;
select count(*) from pawl.request_key;
