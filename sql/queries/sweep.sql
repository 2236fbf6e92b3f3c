-- SPDX-License-Identifier: Apache-2.0
-- Housekeeping (store/sweep.c). What others have locked is left for the next time.
-- name: ready_first
-- Of each lane, from its beginning.
select u.lane, (select r.id from ready r where r.lane = u.lane order by r.id limit 1)
from generate_series(0, $1 - 1) as u (lane)
-- name: sweep_mark
-- One an interval, of whichever node comes first. The sequence has handed out nothing yet: no row.
with gone as (delete from ready_mark where at < (select clock()) - interval '1 hour')
insert into ready_mark (at, id)
select c.at, s.id
from (select clock() as at) c, (select pg_sequence_last_value(pg_get_serial_sequence('ready', 'id')::regclass) as id) s
where s.id is not null and not exists (select from ready_mark m where m.at > c.at - interval '4 s')
on conflict do nothing
-- name: inbox_first
select u.lane, (select b.xid from inbox b where b.lane = u.lane order by b.xid, b.id limit 1)
from generate_series(0, $1 - 1) as u (lane)
-- name: sweep_messages
-- Who asked is told; a process that sent it is not.
with gone as (
    delete from message where id = any(array(
        select id from message where expires <= (select clock()) order by expires limit $1 for update skip locked))
    returning *
), dead as (
    insert into dead_letter (message_id, tenant, name, key, mode, instance_id, expired, body)
    select message_id, tenant, name, key, mode, instance_id, clock(), body from gone
)
insert into outcome (command_id, state, detail, tenant, at)
select message_id, 'expired', '{"reason": "nobody took it in its time to live"}', tenant, clock() from gone
where message_id <> '00000000-0000-0000-0000-000000000000' order by 1
on conflict (command_id) do update set state = excluded.state, detail = excluded.detail, at = excluded.at
-- name: sweep_outcomes
delete from outcome where command_id = any(array(
    select command_id from outcome where at < (select clock()) - (select outcomes from retention) order by at limit $1
    for update skip locked))
-- name: sweep_request_keys
delete from request_key where (tenant, key) in (
    select tenant, key from request_key where at < (select clock()) - (select request_keys from retention) order by at limit $1
    for update skip locked)
-- name: sweep_dead_letters
delete from dead_letter where ctid = any(array(
    select ctid from dead_letter where expired < (select clock()) - (select dead_letters from retention)
    order by expired limit $1 for update skip locked))
-- name: sweep_events
with old as (
    select e.id from bus_event e
    where e.id < (select api_id_from(clock() - r.events) from retention r) order by e.id limit $1 for update skip locked
), unmatched as (
    delete from event_unmatched u using old o where u.event_id = o.id
), deliveries as (
    delete from event_delivery d using old o where d.event_id = o.id
)
delete from bus_event e using old o where e.id = o.id
-- name: sweep_event_keys
delete from event_key where (tenant, bus, source, key) in (
    select tenant, bus, source, key from event_key where at < (select clock()) - (select event_keys from retention) order by at
    limit $1 for update skip locked)
-- name: sweep_webhooks
delete from webhook_seen where (webhook, id) in (
    select webhook, id from webhook_seen where at < (select clock()) - interval '1 day' order by at limit $1
    for update skip locked)
-- name: sweep_callback_answers
delete from callback_answer where id = any(array(
    select id from callback_answer where at < (select clock()) - (select callback_answers from retention)
    order by at limit $1 for update skip locked))
-- name: sweep_callback_keys
-- $1: only so that all of these take one.
delete from callback_key k
where k.retired is not null and (k.keep_until <= (select clock()) or not api_callback_key_needed(k)) and $1::integer > 0
-- name: sweep_audit
-- By age; and however many refusals there are, not more of them than these.
delete from audit_entry where (at, id) in (
    select a.at, a.id from audit_entry a
    where a.at < (select clock()) - (select audit from retention)
       or a.address is not null and a.at < (select z.at from audit_entry z where z.address is not null
                                            order by z.at desc, z.id desc offset 100000 limit 1)
    order by a.at, a.id limit $1 for update skip locked)
-- name: sweep_answers
delete from answer_cache where (endpoint, request) in (
    select endpoint, request from answer_cache where expires < (select clock()) order by expires limit $1
    for update skip locked)
-- name: sweep_pairs
with pair as (
    select m.id from message m
    where m.expires > (select clock()) and exists (
        select from subscription s where s.tenant = m.tenant and s.name = m.name and s.key = m.key)
    order by m.id limit 100 for update skip locked
), taken as (
    delete from message m using pair p where m.id = p.id returning m.*
)
insert into inbox (lane, kind, command_id, name, key, detail, body, ttl_us, actor, tenant, at)
select 1, 101, message_id, name, key, case mode when 1 then 'all' end, body,
    (extract(epoch from expires - clock()) * 1000000)::bigint, 'engine', tenant, clock() from taken order by id
-- name: sweep_bulks
delete from bulk where id = any(array(
    select id from bulk where ended < (select clock()) - interval '90 days' limit $1 for update skip locked))
-- name: sweep_alerts
-- Causes of incidents that somebody was told of.
select from api_alert_look()
-- name: bulk_slice
select handed, wait_us from api_bulk_slice()
