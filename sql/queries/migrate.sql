-- SPDX-License-Identifier: Apache-2.0
-- store/migrate.c and store/partition.c.
-- name: migrate_lock
select pg_advisory_xact_lock(hashtextextended('pawl migrate ' || $1, 0))
-- name: migrate_schema
select exists (select from pg_catalog.pg_namespace where nspname = $1)
-- name: migrate_table
create table if not exists migration (
    version integer primary key,
    name text not null,
    digest text,                     -- of the migration's file (embedded_digest())
    at timestamptz not null default clock_timestamp()
)
-- name: migrate_done
insert into migration (version, name, digest) values ($1, $2, $3)
-- name: functions_present
-- Version 0 is that of the functions: its name says which.
select exists (select from migration where version = 0 and name = $1)
-- name: functions_done
insert into migration (version, name) values (0, $1)
on conflict (version) do update set name = excluded.name, at = clock_timestamp()
-- name: partitions_missing
select p.name, to_char(p.day, 'YYYY-MM-DD'), to_char(p.day + 1, 'YYYY-MM-DD')
from (select d.day, 'event_' || to_char(d.day, 'YYYYMMDD') as name
      from (select (select clock())::date + n as day from generate_series(-1, $1) n) d) p
where to_regclass(p.name) is null
order by 1
