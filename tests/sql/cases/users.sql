-- SPDX-License-Identifier: Apache-2.0
-- Users of the server, their tokens and keys; rights for some processes; what the audit trail says of it.
set search_path = pawl;
-- The example of RFC 7677.
select api_verifier('pencil', decode('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64'), 4096);
select create_user('anna', '{start,read}', '{north}', 'correct horse'), create_user('root', '{admin}'), create_user('job', options => '{"technical": true}');
select name, technical, rights, tenants, has_password, tokens, created_by from users order by 1;
select password ~ '^SCRAM-SHA-256\$20000:', password ~ 'horse' from account where name = 'anna';
select refused($$ select create_user('anna') $$), refused($$ select create_user('a:b') $$), refused($$ select create_user('x', '{fly}') $$),
       refused($$ select create_user('x', password => 'short') $$);
\echo -- tokens: shown once, kept as a digest, found by it until they end
select token ~ '^pawl_[A-Za-z0-9_-]{43}$' as good, token as t from create_token('anna', 'ci') \gset
select :'good', digest = sha256(convert_to(:'t', 'UTF8')) from account_token;
select refused($$ select create_token('anna', 'ci') $$), refused($$ select create_token('nobody', 'ci') $$),
       refused($$ select create_token('anna', 'x', '1 s') $$);
select api_credentials(encode(sha256(convert_to(:'t', 'UTF8')), 'hex'), null);
select api_credentials(encode(sha256('other'), 'hex'), null), api_credentials(null, 'job');
select api_credentials(null, 'anna') - 'password';
update account_token set expires = clock();
select api_credentials(encode(sha256(convert_to(:'t', 'UTF8')), 'hex'), null);
update account_token set expires = null;
select alter_user('anna', '{"disabled": true}');
select api_credentials(encode(sha256(convert_to(:'t', 'UTF8')), 'hex'), null), api_credentials(null, 'anna');
select alter_user('anna', '{"disabled": false, "rights": ["read"], "tenants": ["*"], "password": null}');
select api_credentials(encode(sha256(convert_to(:'t', 'UTF8')), 'hex'), null), api_credentials(null, 'anna');
select drop_token('anna', 'ci'), refused($$ select drop_token('anna', 'ci') $$);
select drop_user('job'), refused($$ select drop_user('job') $$), refused($$ select alter_user('job', '{}') $$);

\echo -- the server says for whom it asks; rights and tenants are held to here as well
create function as_user(caller text, statement text) returns text language plpgsql as $$
begin
    perform set_config('pawl.caller', caller, true);
    statement := refused(statement);
    perform set_config('pawl.caller', '', true);
    return statement;
end
$$;
\set zoe '{"name": "zoe", "rights": ["start", "read"], "tenants": [""]}'
select as_user(:'zoe', 'select start(''order'')');
select as_user(:'zoe', 'select complete(id(11))');
select as_user(:'zoe', 'select deploy(''<a/>'')');
select as_user(:'zoe', 'select cancel(id(1))');
select as_user(:'zoe', 'select create_user(''x'')');
select as_user(:'zoe', 'select set_endpoint(''x'', ''http://x'')');
select as_user(:'zoe', 'select start(''order'', options => ''{"actor": "anna"}'')');
select as_user('{"name": "tom", "rights": ["admin"], "tenants": ["x"]}', 'select cancel(id(1))');
select as_user('{"name": "tom", "rights": ["admin"], "tenants": ["x", null]}', 'select cancel(id(1))');
select as_user('{"name": "tom", "rights": ["admin"]}', 'select cancel(id(1))');
select as_user('{"name": "tom", "rights": ["admin"], "tenants": []}', 'select start(''order'')');
select as_user('{"name": "tom", "rights": ["admin"], "tenants": null}', 'select set_sql_delegate(''x'', ''select 1'')');
select kind, actor, tenant from inbox order by xid, id;

\echo -- rights for some processes only: users, and roles of the database
insert into account (name, technical, rights, created, created_by) values ('zoe', false, '{start,read}', clock(), 'pawl');
select grant_process('zoe', 'start', 'pay*'), grant_process('zoe', 'read', 'order'), grant_process('worker', 'work', 'refund', '{"role": true}'),
       grant_process('reader', 'read', 'paused', '{"role": true}'), grant_process('administrator', 'admin', 'other', '{"role": true}');
select refused($$ select grant_process('nobody at all', 'start', 'x') $$), refused($$ select grant_process('zoe', 'fly', 'x') $$);
select * from process_rights order by 1;
select as_user(:'zoe', 'select start(''order'')');
select as_user(:'zoe', 'select start(''pay_it'')');
select as_user(:'zoe', 'select publish(''paid'')');
select as_user(:'zoe', 'select correlate(''paid'', instance_id => id(3))');
begin;
set local pawl.caller = '{"name": "zoe", "rights": ["start", "read"], "tenants": [""]}';
select distinct process from definitions;
select count(*) from instances;
commit;
\connect - worker
select count(*) from pawl.tasks;
select pawl.refused($$ select pawl.complete(pawl.id(11)) $$);
\connect - reader
select distinct process from pawl.definitions;
select count(*) from pawl.instances;
select count(*) from pawl.tasks;
\connect - administrator
select pawl.refused($$ select pawl.cancel(pawl.id(1)) $$), pawl.refused($$ select pawl.bulk('cancel', '{"all": true}') $$);
select pawl.refused($$ select pawl.set_retention('{"history": null}') $$), pawl.refused($$ select pawl.create_user('x') $$);
\connect - pawl
set search_path = pawl;
select revoke_process('worker', 'work', 'refund', '{"role": true}'), revoke_process('worker', 'work', 'refund', '{"role": true}');
\connect - worker
select count(*) from pawl.tasks;
\connect - pawl
set search_path = pawl;
\echo -- who did what
select api_note('{"used": [], "refused": [{"kind": "loginRefused", "name": "eve", "subject": "", "address": "192.0.2.1", "times": 3}]}');
select kind, actor, tenant, subject, detail - 'expires' - 'accessKey', address from audit where at > now() - interval '1 hour' order by at;
