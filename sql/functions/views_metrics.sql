-- SPDX-License-Identifier: Apache-2.0
-- What people who watch the engine count, as far as the database knows it. /metrics of `pawl up --listen`
-- shows these rows and what its own process has counted.

-- Counting stops at 10000: a look must stay cheap when something has gone wrong. A number and not a function's
-- result: who sees a view must be allowed to call what it calls. Nothing here goes by the reader's search_path.
create or replace view metrics as
select m.name, m.labels, m.value::double precision as value, m.help, m.type
from (
    select 'pawl_jobs_ready' as name, '{}'::jsonb as labels,
           (select count(*) from (select from ready limit 10000) r)::numeric as value,
           'Commands that can run now; 10000 stands for as many or more.' as help, 'gauge' as type
    union all
    select 'pawl_jobs_oldest_seconds', '{}',
           coalesce(extract(epoch from clock() - (
               select w.at from ready_mark w
               where w.id >= (select min(f.id) from generate_series(0, 47) l (lane)
                              cross join lateral (select r.id from ready r where r.lane = l.lane order by r.id limit 1) f)
               order by w.at limit 1)), 0),
           'How long the oldest command that can run has waited; 5 seconds are not told apart.', 'gauge'
    union all
    select 'pawl_inbox_rows', '{}', (select count(*) from (select from inbox limit 10000) i),
           'What callers asked for and no worker has taken; 10000 stands for as many or more.', 'gauge'
    union all
    select 'pawl_inbox_oldest_seconds', '{}',
           coalesce(extract(epoch from clock() - (
               select min(f.at) from generate_series(0, 15) l (lane)
               cross join lateral (select i.at from inbox i where i.lane = l.lane order by i.xid, i.id limit 1) f)), 0),
           'How long ago the oldest of it was asked for.', 'gauge'
    union all
    select 'pawl_timers_due', '{}',
           (select count(*) from (select from timer t where t.due <= (select clock()) limit 10000) d),
           'Timers and retries that are due and not carried out; 10000 stands for as many or more.', 'gauge'
    union all
    select 'pawl_timers_oldest_seconds', '{}',
           greatest(coalesce(extract(epoch from clock() - (select t.due from timer t order by t.due limit 1)), 0), 0),
           'How long ago the oldest of them was due.', 'gauge'
    union all
    select 'pawl_messages_buffered', '{}', (select count(*) from (select from message limit 10000) g),
           'Messages that nobody has received; 10000 stands for as many or more.', 'gauge'
    union all
    select 'pawl_incidents_open', jsonb_build_object('reason', x.reason), x.n,
           'Incidents that wait for a person.', 'gauge'
    from (select i.reason, count(*) as n from incident i group by i.reason
          union all select 'failedJob', 0 where not exists (select from incident z where z.reason = 'failedJob')) x
    union all
    select 'pawl_instances', '{}', greatest(c.reltuples, 0)::numeric, 'Running instances, as the last vacuum estimated.', 'gauge'
    from pg_catalog.pg_class c where c.oid = 'instance'::regclass
    union all
    select 'pawl_tasks_open', '{}', greatest(c.reltuples, 0)::numeric, 'User tasks, as the last vacuum estimated.', 'gauge'
    from pg_catalog.pg_class c where c.oid = 'task'::regclass
    union all
    select 'pawl_endpoint_queued', jsonb_build_object('endpoint', e.name, 'kind', api_endpoint_kind(e.name)),
           (select count(*) from (select from call_queue q where q.endpoint = e.name limit 10000) q),
           'Calls that wait to be sent; 10000 stands for as many or more.', 'gauge'
    from endpoint e
    union all
    select 'pawl_circuit_state', jsonb_build_object('endpoint', e.name, 'kind', api_endpoint_kind(e.name)),
           coalesce((select s.circuit from endpoint_state s where s.name = e.name), 0),
           '0: closed, requests leave; 1: open, they wait; 2: half-open, only probes leave.', 'gauge'
    from endpoint e
    union all
    select 'pawl_oldest_transaction_seconds', '{}',
           coalesce((select extract(epoch from clock_timestamp() - min(a.xact_start)) -- real time
                     from pg_catalog.pg_stat_activity a
                     where a.datname = current_database() and a.application_name like 'pawl%' and a.pid <> pg_backend_pid()), 0),
           'How long the oldest open transaction of the engine has been open.', 'gauge'
    union all
    select 'pawl_table_bytes', jsonb_build_object('table', t.name), sum(t.bytes), 'Size with indexes; of event, of all its days.', 'gauge'
    from (select case when s.relname like 'event\_2%' then 'event' else s.relname end as name,
                 pg_total_relation_size(s.relid) as bytes
          from pg_catalog.pg_stat_all_tables s
          where s.schemaname = (select o.nspname from pg_catalog.pg_namespace o join pg_catalog.pg_class c on c.relnamespace = o.oid
                                where c.oid = 'instance'::regclass)) t group by t.name
    union all
    select 'pawl_table_dead_rows', jsonb_build_object('table', t.name), sum(t.dead), 'Rows that wait for a vacuum.', 'gauge'
    from (select case when s.relname like 'event\_2%' then 'event' else s.relname end as name, s.n_dead_tup as dead
          from pg_catalog.pg_stat_all_tables s
          where s.schemaname = (select o.nspname from pg_catalog.pg_namespace o join pg_catalog.pg_class c on c.relnamespace = o.oid
                                where c.oid = 'instance'::regclass)) t group by t.name
) m;
revoke all on metrics from public;
comment on view metrics is
'What the database knows of how the engine does, for all nodes: a row each for Prometheus and other watchers. Each node has counters of its own at /metrics (`pawl up --listen`). It asks for little, and may be read every second.';
comment on column metrics.name is 'as Prometheus has it';
comment on column metrics.labels is 'an object of texts';
comment on column metrics.help is 'what it is';
comment on column metrics.type is '`gauge`: a value of now';
