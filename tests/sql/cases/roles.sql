-- SPDX-License-Identifier: Apache-2.0
-- What each kind of role may, and that nobody else may anything.
set search_path = pawl;
\echo -- every function and view, by who may use it
select p.proname, p.prosecdef as definer,
       array(select r from unnest(array['starter', 'worker', 'reader', 'administrator', 'nobody']) r
             where has_function_privilege(r, p.oid, 'execute'))
from pg_proc p where p.pronamespace = 'pawl'::regnamespace and p.proname not in ('id', 'refused') order by 1;
select c.relname,
       array(select r from unnest(array['starter', 'worker', 'reader', 'administrator', 'nobody']) r
             where has_table_privilege(r, c.oid, 'select'))
from pg_class c where c.relnamespace = 'pawl'::regnamespace and c.relkind = 'v' order by 1;
\echo -- tables and sequences are not for callers
select count(*) from pg_class c, unnest(array['starter', 'worker', 'reader', 'administrator', 'nobody']) r
where c.relnamespace = 'pawl'::regnamespace
  and case when c.relkind in ('r', 'p') then has_table_privilege(r, c.oid, 'select, insert, update, delete, truncate, references, trigger')
           when c.relkind = 'S' then has_sequence_privilege(r, c.oid, 'usage, select, update') end;
select count(*) from pg_class c where c.relnamespace = 'pawl'::regnamespace and c.relkind = 'v'
  and has_table_privilege('administrator', c.oid, 'insert, update, delete, truncate, references, trigger');
\echo -- each view works for all who may see it, wherever their search_path points; an offender a line
create function unreadable() returns setof text language plpgsql as $$
declare
    v name;
begin
    for v in select c.relname from pg_class c
             where c.relnamespace = 'pawl'::regnamespace and c.relkind = 'v' and has_table_privilege(c.oid, 'select') loop
        begin
            execute format('select count(v::text) from pawl.%I v', v);
        exception when others then
            return next format('%s: %s', v, sqlerrm);
        end;
    end loop;
end
$$;
grant execute on function unreadable() to public;
\connect - worker
select pawl.unreadable();
\connect - reader
select pawl.unreadable();
select value > 0 from pawl.metrics where labels = '{"table": "instance"}' and name = 'pawl_table_bytes';
\connect - administrator
select pawl.unreadable();
\echo -- in practice
\connect - starter
set search_path = pawl;
select created from start('order');
select refused($$ select complete(id(11)) $$);
select refused($$ select deploy('<a/>') $$);
select refused($$ select cancel(id(1)) $$);
select refused($$ select * from tasks $$);
select refused($$ select * from instances $$);
select refused($$ insert into inbox (kind, command_id, actor, tenant, at) values (9, id(1), '', '', now()) $$);
select refused($$ select api_answer(id(11), 5::smallint, null, null, '{}', 'somebody') $$);
select refused($$ select start('order', options => '{"actor": "admin"}') $$);
\connect - worker
set search_path = pawl;
select command_id is not null from complete(id(11));
select count(*) from tasks;
select refused($$ select start('order') $$);
select refused($$ select * from variables $$);
\connect - reader
set search_path = pawl;
select count(*) > 0 from instances;
select count(*) > 0 from calls;
select state from await(id(0));
select refused($$ select start('order') $$);
select refused($$ select claim(id(12), 'me') $$);
select refused($$ update tasks set assignee = 'me' $$);
select refused($$ select grant_usage('reader', 'admin') $$);
\connect - administrator
set search_path = pawl;
select created from start('order', options => '{"actor": "anna"}');
select command_id is not null from cancel(id(1));
select refused($$ select grant_usage('administrator', 'admin') $$);
\connect - nobody
select pawl.refused($$ select pawl.start('order') $$);
\echo -- who SETs a ROLE is recorded as that role
\connect - web
set search_path = pawl;
select refused($$ select start('order') $$) where not pg_has_role('web', 'starter', 'usage');
set role starter;
select created from start('order');
set role worker;
select command_id is not null from complete(id(12));
select refused($$ select start('order') $$);
\connect - pawl
select kind, actor from pawl.inbox order by xid, id;
\echo -- new rights reach roles that were granted by hand; others get nothing
select pawl.refused($$ select pawl.grant_usage('nobody', 'god') $$);
select pawl.refused($$ select pawl.grant_usage('no such role', 'read') $$);
