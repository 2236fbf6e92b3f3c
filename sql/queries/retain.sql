-- SPDX-License-Identifier: Apache-2.0
-- History that nobody needs goes (store/retain.c). $1 is a day, unless said otherwise.
-- name: retain_lock
-- One of the nodes does it.
select pg_try_advisory_lock(hashtextextended('pawl retention ' || current_schema(), 0))
-- name: retain_days_new
-- Each day that is over, with the time when the first of its instances may need it no more. An open
-- transaction may still write into yesterday.
insert into history_day (day, due)
select p.day, coalesce(t.due, p.day + 1)
from (select to_date(substr(c.relname, 7), 'YYYYMMDD') as day
      from pg_catalog.pg_inherits h join pg_catalog.pg_class c on c.oid = h.inhrelid
      where h.inhparent = 'event'::regclass and c.relname ~ '^event_\d{8}$') p,
     lateral (select min(case when w.life is null then 'infinity' else (p.day + 1) + w.life end) as due
              from (select api_history_time_to_live(d.history_time_to_live) as life
                    from (select distinct e.definition_id from event e where e.at >= p.day and e.at < p.day + 1) x
                    left join definition d on d.id = x.definition_id) w) t
where p.day + 1 < (select clock()) - interval '1 day' and not exists (select from history_day h where h.day = p.day)
-- name: retain_days_due
select to_char(day, 'YYYYMMDD') from history_day where due <= (select clock()) order by day limit 10
-- name: retain_move
-- What is still needed goes into event_kept: of instances that run, are held, or ended too short a time ago.
-- Most instances end on the day that they start; only of the others other days are asked.
with day as materialized (
    select to_date($1, 'YYYYMMDD')::timestamptz as first, (to_date($1, 'YYYYMMDD') + 1)::timestamptz as next
), per as (
    select e.instance_id, e.definition_id, max(e.at) filter (where e.ends) as ended
    from event e where e.at >= (select first from day) and e.at < (select next from day)
    group by 1, 2
), needed as (
    select p.instance_id
    from per p left join definition d on d.id = p.definition_id,
         lateral (select api_history_time_to_live(d.history_time_to_live) as life) t
    where exists (select from history_hold h where h.instance_id = p.instance_id)
       or exists (select from instance i where i.id = p.instance_id)
       or t.life is null
       or p.ended + t.life > (select clock())
       or p.ended is null and exists (select from event z where z.instance_id = p.instance_id and z.ends
                                      and z.at > (select clock()) - t.life)
    limit $2
), moved as (
    delete from event e using needed w
    where e.at >= (select first from day) and e.at < (select next from day) and e.instance_id = w.instance_id
    returning e.at, e.instance_id, e.n, e.definition_id, e.ends, e.business_key, e.entries
)
insert into event_kept (at, instance_id, n, definition_id, ends, business_key, entries)
select at, instance_id, n, definition_id, ends, business_key, entries from moved
-- name: retain_forget_kept
-- Of those that were kept. $1: at most so many instances.
delete from event_kept e using (
    select p.instance_id
    from (select distinct k.instance_id, k.definition_id from event_kept k) p
    left join definition d on d.id = p.definition_id,
         lateral (select api_history_time_to_live(d.history_time_to_live) as life) t
    where t.life is not null
      and not exists (select from history_hold h where h.instance_id = p.instance_id)
      and not exists (select from instance i where i.id = p.instance_id)
      and not exists (select from event z where z.instance_id = p.instance_id and z.ends and z.at > (select clock()) - t.life)
      and not exists (select from event_kept z where z.instance_id = p.instance_id and z.ends and z.at > (select clock()) - t.life)
    limit $1) g
where e.instance_id = g.instance_id
-- name: retain_pending
-- A detach that was cut short must be ended first.
select c.relname from pg_catalog.pg_inherits h join pg_catalog.pg_class c on c.oid = h.inhrelid
where h.inhparent = 'event'::regclass and h.inhdetachpending and c.relname ~ '^event_\d{8}$'
-- name: retain_attached
select exists (select from pg_catalog.pg_inherits h join pg_catalog.pg_class c on c.oid = h.inhrelid
               where h.inhparent = 'event'::regclass and c.relname = 'event_' || $1)
-- name: retain_detached
-- Days that are no part of the history any more. Those to come are made and attached in one transaction.
select c.relname from pg_catalog.pg_class c
where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relkind = 'r' and c.relname ~ '^event_\d{8}$'
  and not exists (select from pg_catalog.pg_inherits h where h.inhrelid = c.oid)
order by 1
-- name: retain_forget_day
delete from history_day where day = to_date($1, 'YYYYMMDD')
-- name: retain_leftovers
-- Rows whose owner is gone; nothing but a bug or a hand leaves them, and nothing would ever take them. Nodes
-- that were not seen for a month, and have nothing under way, are forgotten.
with queued as (
    delete from call_queue q where not exists (select from call c where c.id = q.call_id) returning 1
), tried as (
    delete from attempt a where not exists (select from call c where c.id = a.call_id) returning 1
), retried as (
    delete from timer t where t.retry and not exists (select from instance i where i.id = t.instance_id) returning 1
), nodes as (
    delete from worker w where w.seen < clock_timestamp() - interval '30 days' -- real time
        and not exists (select from attempt a where a.worker = w.id) returning 1
)
select (select count(*) from queued) + (select count(*) from tried) + (select count(*) from retried)
     + (select count(*) from nodes)
