-- SPDX-License-Identifier: Apache-2.0
-- Installing: again over itself, by a plain login role, by one that may create roles, under any name.
\echo -- again: what was granted by hand stays, and what is new reaches the same roles
select pawl.grant_usage('nobody', 'read');
revoke execute on function pawl.publish(text, text, jsonb, interval, jsonb) from starter;
revoke select on pawl.tokens from nobody;
create or replace function pawl.clock() returns timestamptz language sql volatile as
    'select clock_timestamp() + interval ''1 day''';
\! ../lib/apply_schema.sh pawl
select has_function_privilege('starter', 'pawl.publish(text, text, jsonb, interval, jsonb)', 'execute'),
       has_function_privilege('starter', 'pawl.complete(uuid, jsonb, jsonb)', 'execute'),
       has_table_privilege('nobody', 'pawl.tokens', 'select'),
       has_function_privilege('nobody', 'pawl.start(text, text, jsonb, text, integer, jsonb)', 'execute');
\echo -- a clock that a test has put in place stays
select pawl.clock() - clock_timestamp() > interval '23 hours';
\echo -- no role was made by an installer who may not
select rolsuper, rolcreaterole from pg_roles where rolname = current_user;
select count(*) from pg_roles where rolname like 'pawl\_%';
\echo -- a name that must be quoted
\! ../lib/apply_schema.sh 'My-"Engine'
set search_path = "My-""Engine";
insert into deployment (id, name, actor, at, state) values (api_id(), 'd', '', clock(), 'active');
insert into definition (key, version, deployment_id, resource, digest) select 'p', 1, id, 'r', '' from deployment;
reset search_path;
select created from "My-""Engine".start('p', request_key => 'k', options => '{"actor": "x"}');
select process, state from "My-""Engine".instances;
select count(*) from pawl.inbox;
select "My-""Engine".grant_usage('starter', 'start');
\connect - starter
select created from "My-""Engine".start('p');
\echo -- an installer who may create roles
\connect - postgres
create role maker login createrole;
create schema "Cell" authorization maker;
\! PGUSER=maker ../lib/apply_schema.sh Cell
select rolname, rolcanlogin from pg_roles where rolname like 'Cell\_%' order by 1;
select has_function_privilege('Cell_start', '"Cell".start(text, text, jsonb, text, integer, jsonb)', 'execute'),
       has_function_privilege('Cell_work', '"Cell".complete(uuid, jsonb, jsonb)', 'execute'),
       has_table_privilege('Cell_read', '"Cell".instances', 'select'),
       has_function_privilege('Cell_admin', '"Cell".cancel(uuid, text, jsonb)', 'execute'),
       has_function_privilege('Cell_start', 'pawl.start(text, text, jsonb, text, integer, jsonb)', 'execute');
\echo -- roles that exist already are granted to a schema though its installer may not create any
create role "Other_read";
create schema "Other" authorization pawl;
\! ../lib/apply_schema.sh Other
select has_table_privilege('Other_read', '"Other".instances', 'select');
\echo -- a name too long for role names
\connect - pawl
\! ../lib/apply_schema.sh abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz_abcdefg
select count(*) from abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz_abcdefg.instances;
