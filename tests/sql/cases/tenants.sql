-- SPDX-License-Identifier: Apache-2.0
-- Tenants are kept apart by the database, whatever a caller says or sets; and rights may hold for some processes only.
-- worker, reader and starter belong to the tenant "north", administrator to "south"; what the fixtures made is of "".
set search_path = pawl;
select set_role_tenants('starter', '{north}'), set_role_tenants('worker', '{north}'), set_role_tenants('reader', '{north}'),
       set_role_tenants('administrator', '{south,east}');
select * from role_tenants order by 1;
-- What an engine would have left there: the process "order" and an instance with all kinds of rows, once in each tenant.
insert into deployment (id, name, tenant, actor, at, state)
select id(100 * n::integer), t, t, 'pawl', '2026-01-01', 'active' from unnest('{north,south}'::text[]) with ordinality v(t, n);
insert into resource select id(100 * n::integer), 'order.bpmn', '<definitions/>', '' from generate_series(1, 2) n;
insert into definition (tenant, key, version, name, deployment_id, resource, digest)
select t, k, 1, t, id(100 * n::integer), 'order.bpmn', ''
from unnest('{north,south}'::text[]) with ordinality v(t, n), unnest('{order,refund}'::text[]) k;
insert into element (definition_id, node, id, kind, line) select d.id, 1, 'approve', 'userTask', 1 from definition d where d.tenant <> '';
insert into instance (id, root_id, definition_id, tenant, business_key, started, doc, variables)
select id(100 * n::integer + 1), id(100 * n::integer + 1), d.id, d.tenant, t || '-1', '2026-02-01', '', jsonb_build_object('secret', t)
from unnest('{north,south}'::text[]) with ordinality v(t, n) join definition d on d.tenant = t and d.key = 'order';
insert into task (id, instance_id, root_id, token, node, definition_id, tenant, name, priority, created)
select id(100 * n::integer + m), i.id, i.id, m, 1, i.definition_id, i.tenant, 'Approve', 50, '2026-02-01'
from instance i, generate_series(1, 2) n, generate_series(11, 12) m where i.id = id(100 * n::integer + 1);
insert into timer (due, instance_id, token, node, kind, root_id, retry, error)
select '2027-01-01', i.id, 1, 1, 2, i.id, true, 'secret of ' || i.tenant from instance i where i.tenant <> '';
insert into ready (root_id, instance_id, kind, token, node, phase, tries)
select i.id, i.id, 2, 1, 1, 0, 0 from instance i where i.tenant <> '';
insert into subscription select i.id, 1, 1, i.id, i.tenant, 'paid', 'K', '2026-02-01' from instance i where i.tenant <> '';
insert into message (message_id, tenant, name, key, mode, expires) select id(100 * n::integer + 40), t, 'paid', 'X', 0, '2100-01-01'
from unnest('{north,south}'::text[]) with ordinality v(t, n);
insert into dead_letter (message_id, tenant, name, key, mode, expired) select id(100 * n::integer + 41), t, 'paid', 'X', 0, '2026-01-01'
from unnest('{north,south}'::text[]) with ordinality v(t, n);
insert into outcome (command_id, state, at, tenant) select id(100 * n::integer + 50), 'done', '2026-02-01', t
from unnest('{north,south}'::text[]) with ordinality v(t, n);
insert into incident (id, instance_id, root_id, reason, message, at, kind, token, node, phase, tries, definition_id, cause, pattern)
select id(100 * n::integer + 24), i.id, i.id, 'failedJob', 'secret of ' || i.tenant, '2026-02-01', 2, 1, 1, 0, 3, i.definition_id, 'c' || n, 'p'
from instance i, generate_series(1, 2) n where i.id = id(100 * n::integer + 1);
insert into call (id, instance_id, root_id, token, node, endpoint, method, path, headers, connect_timeout_us, timeout_us, report_sent, asked)
select id(100 * n::integer + 31), i.id, i.id, 2, 1, 'bank', 'POST', '/secret/' || i.tenant, '{}', 0, 0, false, '2026-02-01'
from instance i, generate_series(1, 2) n where i.id = id(100 * n::integer + 1);
insert into external_task (id, instance_id, root_id, token, node, definition_id, tenant, topic, priority, created)
select id(100 * n::integer + 61), i.id, i.id, 5, 1, i.definition_id, i.tenant, 'charge', 0, '2026-02-01'
from instance i, generate_series(1, 2) n where i.id = id(100 * n::integer + 1);
insert into external_offer select topic, priority, id, definition_id from external_task;
insert into event (at, n, instance_id, definition_id, ends, business_key, entries)
select '2026-02-01', 0, i.id, i.definition_id, false, i.business_key, E'1\t0\t-1\n3\t1\t1' from instance i where i.tenant <> '';
select hold_history(id(101)), hold_history(id(201));

-- How many rows each view shows, by tenant where it has one.
create function looks() returns table (v name, tenants text) language plpgsql as $$
declare
    has boolean;
begin
    for v in select c.relname from pg_class c where c.relnamespace = 'pawl'::regnamespace and c.relkind = 'v'
             and has_table_privilege(c.oid, 'select') and c.relname not like 'api\_%' and c.relname not in ('metrics', 'event_buses') order by 1 loop
        has := exists (select from pg_attribute a where a.attrelid = format('pawl.%I', v)::regclass and a.attname = 'tenant');
        execute format('select string_agg(t || '' '' || n, '', '' order by t) from (select %s as t, count(*) as n from pawl.%I group by 1) x',
                       case when has then $x$coalesce(nullif(tenant, ''), '-')$x$ else '''rows''' end, v) into tenants;
        if tenants is not null then
            return next;
        end if;
    end loop;
end
$$;
grant execute on function looks() to public;
\echo -- the owner sees all tenants
select * from looks();
\connect - reader
\echo -- a reader of north sees that only
select * from pawl.looks();
\echo -- whatever he sets
set pawl.caller = '{"name": "root", "rights": ["admin"], "tenants": null}';
set pawl.tenant = 'south';
select * from pawl.looks() where tenants ~ 'south|- ';
set row_security = off;
select pawl.refused($$ select * from pawl.instances $$);
reset row_security;
\echo -- and no function of his runs before the policies: each secret that it sees would be printed
create function pg_temp.leak(t text) returns boolean language plpgsql cost 0.0000001 as $$
begin if t like '%south%' then raise warning 'leaked %', t; end if; return true; end $$;
set client_min_messages = warning;
select count(*) from pawl.instances where pg_temp.leak(business_key);
select count(*) from pawl.tokens where pg_temp.leak(detail);
select count(*) from pawl.jobs where pg_temp.leak(error);
select count(*) from pawl.calls where pg_temp.leak(path);
select count(*) from pawl.incidents where pg_temp.leak(message);
select count(*) from pawl.incident_groups where pg_temp.leak(message);
select count(*) from pawl.variables where pg_temp.leak(value #>> '{}');
select count(*) from pawl.tasks where pg_temp.leak(variables::text);
select count(*) from pawl.external_tasks where pg_temp.leak(variables::text);
select count(*) from pawl.history where pg_temp.leak(process);
select count(*) from pawl.events where pg_temp.leak(business_key);
select count(*) from pawl.messages where pg_temp.leak(name);
select count(*) from pawl.deployments where pg_temp.leak(name);
select count(*) from pawl.definitions where pg_temp.leak(name);
set client_min_messages = error;
select state from pawl.await(pawl.id(150));
select pawl.refused($$ select pawl.await(pawl.id(250)) $$);

\connect - starter
set search_path = pawl;
\echo -- starts and messages are of the tenant of who asks; another one cannot be named
select created from start('order', request_key => 'k');
select refused($$ select start('order', options => '{"tenant": "south"}') $$);
select refused($$ select start('order', options => '{"tenant": ""}') $$);
select refused($$ select start('paused') $$);
select message_id is not null from publish('paid');
select refused($$ select publish('paid', options => '{"tenant": "south"}') $$);
select command_id is not null from correlate('paid', instance_id => id(101));
select refused($$ select correlate('paid', instance_id => id(201)) $$);
select refused($$ select correlate('paid', instance_id => id(1)) $$);
set pawl.caller = '{"name": "root", "rights": ["admin"], "tenants": null}';
select refused($$ select start('order', options => '{"tenant": "south"}') $$);
select created from start('order', options => '{}', request_key => 'j');

\connect - worker
set search_path = pawl;
\echo -- tasks and external tasks
select task_id from tasks order by 1;
select command_id is not null from complete(id(111));
select refused($$ select complete(id(211)) $$);
select refused($$ select fail(id(211), 'E') $$);
select refused($$ select claim(id(211), 'me') $$);
select refused($$ select release(id(211)) $$);
select task_id, tenant from fetch_and_lock('w', '["charge"]', 10);
select refused($$ select lock_external_task(id(261), 'w', '1 min') $$);
select refused($$ select complete_external_task(id(261), 'w') $$);
select command_id is not null from complete_external_task(id(161), 'w');

\connect - administrator
set search_path = pawl;
\echo -- an administrator of south and east; what concerns all is not for him
select created from start('order');
select refused($$ select start('order', options => '{"tenant": "east"}') $$);
select refused($$ select start('order', options => '{"tenant": "north"}') $$);
select deployment_id is not null from deploy('<a/>', options => '{"tenant": "east"}');
select refused($$ select deploy('<a/>', options => '{"tenant": "north"}') $$);
select refused($$ select withdraw(id(100)) $$);
select refused($$ select cancel(id(101)) $$);
select refused($$ select set_variables(id(101), '{}') $$);
select refused($$ select retry(id(124)) $$);
select refused($$ select suspend(id(101)) $$);
select refused($$ select skip_element(id(101), 'approve') $$);
select refused($$ select hold_history(id(101)) $$);
select release_history(id(101)), release_history(id(201));
select definitions from suspend_definition('refund');
select refused($$ select set_concurrency('paused', 1) $$);
select versions from set_concurrency('order', 1);
select refused($$ select set_external_task_retries(id(161), 3) $$);
select matching from bulk('cancel', '{"all": true}');
select matching from bulk('retry', '{"all": true}');
select matching from bulk_preview('cancel', '{"all": true}');
select refused($$ select set_endpoint('x', 'http://x') $$);
select refused($$ select drop_endpoint('x') $$);
select refused($$ select set_circuit('bank', 'open') $$);
select refused($$ select hold_calls() $$);
select refused($$ select release_calls() $$);
select refused($$ select set_retention('{"history": null}') $$);
select refused($$ select set_sql_delegate('x', 'select 1') $$);
select refused($$ select drop_sql_delegate('x') $$);
select refused($$ select map_class('a', 'b') $$);
select refused($$ select unmap_class('a') $$);
select refused($$ select set_role_tenants('administrator', '{*}') $$);
select refused($$ select grant_process('administrator', 'read', '*', '{"role": true}') $$);
select * from role_tenants;

\connect - pawl
set search_path = pawl;
\echo -- what they asked for went to their tenants; a worker hands out what a bulk means, and no more
delete from instance where tenant = '';
select tenant, kind, actor from inbox order by xid, id;
delete from inbox;
select handed from api_bulk_slice();
select handed from api_bulk_slice();
select tenant, kind, subject, instance_id from inbox order by 1, 2;
select tenant, key, suspended from definition where suspended;
select tenant, key from request_key order by 1, 2;

\echo -- who belongs to two roles has the tenants of both; nobody has what a dropped role had
\connect - postgres
grant starter, reader to nobody;
\connect - pawl
set search_path = pawl;
select set_role_tenants('reader', '{south}');
\connect - nobody
select tenant, count(*) from pawl.instances group by 1 order by 1;
\connect - postgres
revoke starter, reader from nobody;
select pawl.set_role_tenants('reader', null);
\connect - reader
select distinct tenant from pawl.definitions;
\connect - pawl
set search_path = pawl;
select set_role_tenants('reader', '{*}');
select refused($$ select set_role_tenants('none such', '{a}') $$), refused($$ select set_role_tenants('reader', '{NULL}') $$);
