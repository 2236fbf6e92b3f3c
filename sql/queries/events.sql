-- SPDX-License-Identifier: Apache-2.0
-- Events: what was put goes through the rules (store/events.c). One worker at a time, who holds the row of event_lane.
-- name: events_peek
-- Behind the mark, and of the transactions that were open when it was set.
select exists (select from event_todo t where t.xid >= $1)
    or exists (select from unnest($2) as f (xid) where exists (select from event_todo t where t.xid = f.xid))
-- name: events_lock
-- The snapshot is older than the claim's: what it shows is gone when the claim is carried out.
select l.version, pg_snapshot_xmax(s), array(select pg_snapshot_xip(s))
from event_lane l cross join pg_current_snapshot() s
for update of l skip locked
-- name: events_claim
-- $4: how many bytes, the first one apart.
select c.ctid, c.kind, c.event_id, c.command_id, c.tenant, coalesce(e.bus, c.bus), c.name, c.target, c.body, c.actor,
    e.source, e.detail_type, e.time, e.resources, e.detail
from (
    select *, row_number() over w as place, sum(coalesce(length(body), 0)) over w as bytes
    from (
        (select t.ctid, t.* from event_todo t where t.xid >= $1 order by t.xid, t.id limit $3)
        union all
        (select t.ctid, t.* from unnest($2) as f (xid) join event_todo t on t.xid = f.xid where f.xid < $1
         order by t.xid, t.id limit $3)
    ) t
    window w as (order by xid, id)
) c
left join bus_event e on e.id = c.event_id
where c.place = 1 or (c.place <= $3 and c.bytes <= $4)
order by c.place
-- name: events_rules
select tenant, bus, name, pattern, targets from event_rule where enabled order by tenant, bus, name
-- name: events_set_rule
insert into event_rule as r (tenant, bus, name, pattern, targets, enabled, description, actor, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, clock())
on conflict (tenant, bus, name) do update set pattern = excluded.pattern, targets = excluded.targets,
    enabled = excluded.enabled, description = excluded.description, actor = excluded.actor, at = excluded.at
-- name: events_drop_rule
delete from event_rule where tenant = $1 and bus = $2 and name = $3
-- name: events_version
update event_lane set version = version + 1 returning version
-- name: events_outcomes
insert into outcome (command_id, state, detail, tenant, at)
select u.id, u.state, u.detail::jsonb, u.tenant, clock() from unnest($1, $2, $3, $4) as u (id, state, detail, tenant) order by 1
on conflict (command_id) do update set state = excluded.state, detail = excluded.detail, at = excluded.at
-- name: events_savepoint
savepoint deliveries
-- name: events_back
rollback to savepoint deliveries
-- name: events_deliver
select n, result, error from api_event_deliver($1, $2, $3, $4) order by n
-- name: events_note
insert into event_delivery as d (event_id, rule, target, kind, state, tries, result, error, at)
select u.event_id, u.rule, u.target, u.kind, case when u.error is null then 'done' else 'failed' end, 1, u.result, u.error, clock()
from unnest($1, $2, $3, $4, $5, $6) as u (event_id, rule, target, kind, result, error)
order by 1, 2, 3
on conflict (event_id, rule, target) do update set kind = excluded.kind, state = excluded.state, tries = d.tries + 1,
    result = excluded.result, error = excluded.error, at = excluded.at
-- name: events_unmatched
-- $1: no rule wanted them; $2: one did.
with now_matched as (delete from event_unmatched where event_id = any ($2))
insert into event_unmatched (event_id) select unnest($1) on conflict do nothing
-- name: events_failed
-- What the process that calls endpoints says of its failures.
update event_delivery d set state = 'failed', error = u.error
from unnest($1, $2, $3, $4) as u (event_id, rule, target, error)
where d.event_id = u.event_id and d.rule = u.rule and d.target = u.target
-- name: events_done
delete from event_todo where ctid = any ($1)
-- name: events_can_call
-- Whether the deployment of the process that does it is still to be carried out.
select not exists (select from definition d where d.tenant = $1 and d.key = 'pawl-event-delivery')
    and exists (select from inbox b where b.lane = 0 and b.kind = 100 and b.name = 'event delivery' and b.tenant = $1)
