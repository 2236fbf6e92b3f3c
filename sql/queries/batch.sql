-- SPDX-License-Identifier: Apache-2.0
-- One batch, in the order of its statements: store/README.md draws it. Arrays are unnested side by side;
-- rows of a family may be read and written only while the root's row is locked.

-- ---- The worker (worker.c) ----

-- name: worker_open
-- Waits for what a predecessor's transaction still holds.
insert into worker as w (node, slot, epoch) values ($1, $2, 1)
on conflict (node, slot) do update set epoch = w.epoch + 1, seen = clock_timestamp()
returning id, epoch, batch, hashtext('pawl ranges ' || current_schema())
-- name: worker_look
-- After a lost connection: waits until its transaction is over, then says which batch was the last.
select batch from worker where id = $1 and epoch = $2 for update
-- name: peek
-- $1, $3: lanes, with the lowest of their marks. $7: the last known definition. $8, $9: where events are looked for, as
-- in events_peek. All of it is a question to one snapshot (peek.c): nothing here may depend on anything else but $1 to $9.
select clock(),
    exists (select from ready where lane = any($1) and id > $2)
        or exists (select from inbox where lane = any($3) and xid >= $4)
        or exists (select from inbox where lane = any($3) and xid = any($5))
        or exists (select from definition where id > $7),
    least((select due from timer where due > $6 order by due limit 1),
          (select s.due from start_timer s join definition d on d.id = s.definition_id
           where not d.suspended order by s.due limit 1)),
    exists (select from event_todo where xid >= $8) or exists (select from event_todo where xid = any($9)),
    pg_current_snapshot()::text
-- name: peek_snapshot
select clock(), pg_current_snapshot()::text
-- name: batch_fence
update worker set batch = batch + 1, seen = clock_timestamp() where id = $1 and epoch = $2 returning batch

-- ---- Claims (claim.c) ----

-- name: claim_ready
-- $1, $2, $3: lanes, behind which id, how many of each. No row is locked, but its range of ids, so that
-- two workers do not read the same ones: 256 ids a lock, 1,024 locks a lane at most. That a row is still there is
-- seen behind the family's lock: ready_gone.
select r.*
from unnest($1, $2, $3) as u (lane, after, most)
cross join lateral (
    select r.ctid, r.id, coalesce(r.root_id, r.instance_id), r.instance_id, r.kind, r.token, r.node, r.phase, r.tries, r.subject, r.name,
        r.detail, r.body, r.lane, r.xmin as made
    from ready r
    where r.lane = u.lane and r.id > u.after
        and pg_try_advisory_xact_lock($4, u.lane << 10 | (r.id >> 8 & 1023)::integer)
    order by r.id limit u.most
) r
-- name: ready_gone
-- Which of these rows are no longer what they were when they were claimed.
select u.n::integer - 1 from unnest($1, $2) with ordinality as u (tid, made, n)
where not exists (select from ready r where r.ctid = u.tid and r.xmin = u.made)
-- name: inbox_gone
select u.n::integer - 1 from unnest($1, $2) with ordinality as u (tid, made, n)
where not exists (select from inbox b where b.ctid = u.tid and b.xmin = u.made)
-- name: ready_end
-- Where a lap of the cursor ends; and what was deployed, by whomever, behind definition $1: a bit for each of the
-- lanes, and the last. Their ids become visible in order (deploy_lock).
select case when is_called then last_value else 0 end, (select bit_or(1::bigint << lane) from definition where id > $1),
    (select max(id) from definition where id > $1)
from ready_id_seq
-- name: ready_lows
select u.lane, (select r.id from ready r where r.lane = u.lane and r.id > u.low order by r.id limit 1)
from unnest($1, $2) as u (lane, low)
-- name: claim_timers
-- Not locked: the family's lock guards them, and they are looked for again when that is ours. The time is
-- read once, so that it is an index condition.
select due, instance_id, token, node, kind, root_id, phase, tries, retry, subject, name, detail, body
from timer where due > $1 and due <= (select clock()) order by due limit $2
-- name: inbox_snapshot
-- Who is still open, and the first row of each lane that anybody can see: its mark stays behind what another worker
-- holds. $1, $2, $3: lanes and their marks; $4: transactions that were open. Rows of one transaction are seen together,
-- so that a mark may lie between them.
select u.lane, pg_snapshot_xmax(s), case when u.lane = 0 then array(select pg_snapshot_xip(s)) end, f.xid, f.id,
    (select min(o.xid) from unnest($4) as o (xid)
     where o.xid < u.mark and exists (select from inbox i where i.lane = u.lane and i.xid = o.xid))
from pg_current_snapshot() s cross join unnest($1, $2, $3) as u (lane, mark, mark_id)
left join lateral (
    select i.xid, i.id from inbox i where i.lane = u.lane and (i.xid, i.id) >= (u.mark, u.mark_id)
    order by i.xid, i.id limit 1
) f on true
-- name: claim_inbox
-- A deployment's body is read by itself (deploy.c).
-- Ranges are locked as in claim_ready, of 8 transactions: the ids of those that go on at the same time are mixed.
select b.*
from unnest($1, $2, $3, $4) as u (lane, xid, id, most)
cross join lateral (
    select b.ctid, b.xid, b.id, b.kind, coalesce(b.command_id, b.instance_id),
        coalesce(b.root_id, b.instance_id), b.instance_id, b.subject, b.definition_id, b.name, b.key, b.detail,
        case when b.kind <> 100 then b.body end, b.ttl_us, b.actor, b.tenant, b.at, b.lane, b.xmin as made
    from inbox b
    where b.lane = u.lane and (b.xid, b.id) > (u.xid, u.id)
        and pg_try_advisory_xact_lock($5,
            (64 | u.lane) << 10 | ((b.xid::text::bigint >> 3) * 7 + (b.id >> 8) & 1023)::integer)
    order by b.xid, b.id limit u.most
) b
-- name: claim_inbox_late
-- Of transactions that were open when a lane's mark was set; the mark's own rows are read above.
select b.ctid, b.xid, b.id, b.kind, coalesce(b.command_id, b.instance_id), coalesce(b.root_id, b.instance_id),
    b.instance_id, b.subject, b.definition_id, b.name, b.key, b.detail, case when b.kind <> 100 then b.body end, b.ttl_us, b.actor, b.tenant, b.at, b.lane, b.xmin as made
from unnest($1, $2) as u (lane, mark) join unnest($3) as f (xid) on f.xid < u.mark
cross join lateral (
    select b.ctid, b.xmin, b.* from inbox b
    where b.lane = u.lane and b.xid = f.xid
        and pg_try_advisory_xact_lock($5,
            (64 | u.lane) << 10 | ((b.xid::text::bigint >> 3) * 7 + (b.id >> 8) & 1023)::integer)
    order by b.xid, b.id limit $4
) b
limit $4
-- name: claim_starts
select s.ctid, s.definition_id, s.node, s.due, s.remaining, d.tenant
from start_timer s join definition d on d.id = s.definition_id
where s.due <= (select clock()) and not d.suspended order by s.due limit $1 for update of s skip locked

-- ---- One command by its key (claim_one.c): the columns of the claims above; no range is locked ----

-- name: claim_ready_one
select r.ctid, r.id, coalesce(r.root_id, r.instance_id), r.instance_id, r.kind, r.token, r.node, r.phase, r.tries, r.subject, r.name,
    r.detail, r.body, r.lane, r.xmin as made
from ready r where r.lane = any (array(select generate_series(0, 47))) and r.id = $1
-- name: claim_inbox_one
select b.ctid, b.xid, b.id, b.kind, coalesce(b.command_id, b.instance_id), coalesce(b.root_id, b.instance_id),
    b.instance_id, b.subject, b.definition_id, b.name, b.key, b.detail, b.body, b.ttl_us, b.actor, b.tenant, b.at, b.lane, b.xmin as made
from inbox b where b.lane = any (array(select generate_series(0, 15))) and b.xid = $1 and b.id = $2
-- name: claim_timer_one
select due, instance_id, token, node, kind, root_id, phase, tries, retry, subject, name, detail, body
from timer where due = $1 and instance_id = $2
-- name: claim_start_one
select s.ctid, s.definition_id, s.node, s.due, s.remaining, d.tenant
from start_timer s join definition d on d.id = s.definition_id
where s.definition_id = $1 and s.node = $2 and s.due <= (select clock()) and not d.suspended
for update of s skip locked

-- ---- Lock, then load (load.c) ----

-- name: lock_roots
-- One row has lock, state and small variables: what is locked here is what is read here.
select ctid, id, coalesce(root_id, id), parent_id, parent_token, definition_id, tenant, business_key, started, doc, variables,
    suspended
from instance where id = any($1) for update skip locked
-- name: load_instances
select ctid, id, coalesce(root_id, id), parent_id, parent_token, definition_id, tenant, business_key, started, doc, variables
from instance where id = any($1)
-- name: inbox_before
-- Commands for the same families, asked for before ours, that another worker has claimed: from the mark on, and of
-- the transactions that were open when it was set ($7). Of each family the first: what was asked for later waits.
select distinct on (b.root_id) b.root_id, b.xid, b.id
from (
    select b.ctid, b.* from inbox b
    where b.lane = 0 and (b.xid, b.id) >= ($1, $2::bigint) and (b.xid, b.id) < ($3, $4::bigint)
    union all
    select b.ctid, b.* from unnest($7) as f (xid) join inbox b on b.lane = 0 and b.xid = f.xid
    where (b.xid, b.id) < ($3, $4::bigint)
) b
where b.kind not in (1, 104) and b.root_id in (select unnest($5))
    and b.ctid not in (select unnest($6)) -- hashed: a family may have asked for thousands
order by b.root_id, b.xid, b.id
-- name: roots_present
-- Of those that could not be locked: which exist, or are about to be started by somebody else.
select id from instance where id = any($1)
union all
select instance_id from inbox where kind = 1 and instance_id = any($1)
-- name: lock_answered_tasks
select id from task where id = any($1) for update skip locked
-- name: lock_answered_external
select id from external_task where id = any($1) for update skip locked
-- name: lock_tasks
-- Whoever is answering one holds its row.
select id from task where id = any($1) for update skip locked
-- name: open_tasks
-- After the lock, so that an answer is seen that was committed while we locked: it waits in the inbox and
-- goes first. One that became an incident has had its turn.
select t.id from task t
where t.id = any($1) and (t.answered_by is null
    or not exists (select from inbox b where b.kind in (5, 6) and b.subject = t.id))
-- name: lock_external
-- Whoever is fetching, extending or answering one holds its row.
select id from external_task where id = any($1) for update skip locked
-- name: open_external
-- As open_tasks.
select t.id from external_task t
where t.id = any($1) and (t.answered_by is null
    or not exists (select from inbox b where b.kind in (11, 20) and b.subject = t.id))
-- name: lock_callbacks
-- What is locked is what is read: who was heard of last, and whether somebody has answered. Whoever is answering, or
-- sends a heartbeat, holds the row.
select id, heard, answered_by is not null from callback where id = any($1) for update skip locked
-- name: open_callbacks
-- As open_tasks.
select c.id from callback c
where c.id = any($1) and (c.answered_by is null
    or not exists (select from inbox b where b.kind in (23, 24) and b.subject = c.id))
-- name: load_incidents
select id, kind, token, node, phase, tries, subject, name, detail, body, instance_id, reason
from incident where id = any($1)
-- name: timers_present
select u.n::integer - 1
from unnest($1, $2, $3, $4, $5, $6) with ordinality as u (due, instance_id, token, node, kind, retry, n)
join timer t on t.due = u.due and t.instance_id = u.instance_id and t.token = u.token and t.node = u.node
    and t.kind = u.kind and t.retry = u.retry
-- name: calls_present
select u.n::integer - 1
from unnest($1, $2) with ordinality as u (id, attempt, n)
join attempt a on a.call_id = u.id and a.attempt = u.attempt
join call c on c.id = u.id
-- name: load_definitions
-- binding: 0 the latest, 1 of the caller's deployment (or what was there when it was made), 2 a version.
select u.n::integer - 1, d.id, d.suspended
from unnest($1, $2, $3, $4, $5) with ordinality as u (tenant, key, binding, version, caller, n)
left join definition c on u.binding = 1 and c.id = u.caller
cross join lateral (
    select d.id, d.suspended from definition d
    where d.tenant = u.tenant and d.key = u.key and d.withdrawn is null
      and (u.binding = 0 or u.binding = 2 and d.version = u.version
           or u.binding = 1 and (d.deployment_id = c.deployment_id or d.id < c.id))
    order by u.binding = 1 and d.deployment_id = c.deployment_id desc, d.version desc limit 1
) d

-- ---- Messages (message.c) ----

-- name: lock_keys
-- 64 bits, sorted, this engine's schema mixed in.
select pg_advisory_xact_lock(h) from (
    select distinct hashtextextended(concat_ws(E'\x01', current_schema(), u.tenant, u.name, u.key), 0) as h
    from unnest($1, $2, $3) as u (tenant, name, key) order by h
) k
-- name: delete_subscriptions
-- Of waits that are gone. Before others' are locked for pairing: nobody then waits for anybody in a ring.
delete from subscription s using unnest($1, $2, $3) as u (instance_id, token, node)
where s.instance_id = u.instance_id and s.token = u.token and s.node = u.node
-- name: waiters_by_key
select s.ctid, s.instance_id, s.token, s.node, s.root_id, s.tenant, s.name, s.key, s.since
from unnest($1, $2, $3) as u (tenant, name, key)
cross join lateral (
    select s.ctid, s.* from subscription s
    where s.tenant = u.tenant and s.name = u.name and s.key = u.key order by s.since limit $4
    for update skip locked
) s
order by s.since, s.instance_id, s.token, s.node
-- name: waiters_by_instance
select s.ctid, s.instance_id, s.token, s.node, s.root_id, s.tenant, s.name, s.key, s.since
from unnest($1, $2, $3) as u (instance_id, name, key)
cross join lateral (
    select s.ctid, s.* from subscription s
    where s.instance_id = u.instance_id and s.name = u.name and (u.key is null or s.key = u.key)
    limit 100 for update skip locked
) s
-- name: messages_by_key
select m.id, m.message_id, m.tenant, m.name, m.key, m.mode, m.expires, m.body
from unnest($1, $2, $3) as u (tenant, name, key)
cross join lateral (
    select m.* from message m
    where m.tenant = u.tenant and m.name = u.name and m.key = u.key and m.expires > $5
    order by m.id limit $4 for update skip locked
) m
order by m.id
-- name: message_starts
select m.tenant, m.name, m.definition_id, m.node
from unnest($1, $2) as u (tenant, name)
join message_start m on m.tenant = u.tenant and m.name = u.name
join definition d on d.id = m.definition_id
where not d.suspended

-- ---- Write, one statement a table (write.c) ----

-- name: move_ready
-- In place: the next job of a token takes the row of the one that was carried out.
update ready r set root_id = nullif(coalesce(r.root_id, r.instance_id), u.instance_id), instance_id = u.instance_id,
    kind = u.kind, token = u.token, node = u.node, phase = u.phase, tries = u.tries, subject = u.subject,
    name = u.name, detail = u.detail, body = u.body
from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
    as u (tid, instance_id, kind, token, node, phase, tries, subject, name, detail, body)
where r.ctid = u.tid
-- name: delete_ready
delete from ready where ctid = any($1)
-- name: delete_inbox
delete from inbox where ctid = any($1)
-- name: delete_timers
delete from timer t using unnest($1, $2, $3, $4, $5, $6) as u (due, instance_id, token, node, kind, retry)
where t.due = u.due and t.instance_id = u.instance_id and t.token = u.token and t.node = u.node
    and t.kind = u.kind and t.retry = u.retry
-- name: delete_tasks
delete from task where id = any($1)
-- name: delete_external
with gone as (
    delete from external_task where id = any($1) returning id, topic, priority, locked_until
), offers as (
    delete from external_offer o using gone g
    where o.topic = g.topic and o.priority = g.priority and o.task_id = g.id
), leases as (
    delete from external_lease l using gone g
    where l.topic = g.topic and l.until = g.locked_until and l.task_id = g.id
)
delete from external_variables v using gone g where v.task_id = g.id
-- name: delete_callbacks
-- Their answers stay for a while (callback_answer).
delete from callback where id = any($1)
-- name: delete_incidents
delete from incident where id = any($1)
-- name: delete_incidents_of
delete from incident where instance_id = any($1)
-- name: delete_incidents_at
-- Of tokens that left, and of requests whose answer nobody expects any more.
delete from incident x using unnest($1, $2, $3) as u (instance_id, token, call)
where x.instance_id = u.instance_id
    and case when x.kind in (7, 8) or (x.kind = 2 and x.phase = 2) then x.subject = u.call else x.token = u.token end
-- name: job_places
-- Tokens without a place in the document: their jobs. Only what people do by hand asks for it.
select instance_id, token, node, phase, null::timestamptz from incident where instance_id = any($1) and kind = 2 and phase <> 2
union all
select instance_id, token, node, phase, due from timer where instance_id = any($1) and kind = 2 and phase <> 2 and retry
union all
select instance_id, token, node, phase, null from ready where instance_id = any($1) and kind = 2 and phase <> 2
union all
select instance_id, token, node, phase, null from parked where instance_id = any($1) and kind = 2 and phase <> 2
-- name: insert_parked
-- What a suspended family was asked (park.c).
insert into parked (root_id, instance_id, kind, token, node, phase, tries, subject, name, detail, body, command_id, key,
    actor, at)
select u.*, $15 from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14) as u
-- name: suspend
update instance i set suspended = u.suspended from unnest($1, $2) as u (id, suspended) where i.id = u.id
-- name: unpark
with back as (
    delete from parked where root_id = any($1) returning *
), again as (
    insert into ready (root_id, instance_id, kind, token, node, phase, tries, subject, name, detail, body)
    select root_id, instance_id, kind, token, node, phase, tries, subject, name, detail, body
    from back where command_id is null order by id
)
insert into inbox (kind, command_id, root_id, instance_id, subject, name, key, detail, body, actor, tenant, at)
select b.kind, b.command_id, b.root_id, b.instance_id, b.subject, b.name, b.key, b.detail, b.body, b.actor,
    coalesce((select i.tenant from instance i where i.id = b.root_id), ''), b.at
from back b where b.command_id is not null order by b.id
-- name: delete_instances
delete from instance where ctid = any($1)
-- name: update_instances
update instance i set doc = u.doc, variables = case when u.changed then u.variables else i.variables end
from unnest($1, $2, $3, $4) as u (tid, doc, changed, variables) where i.ctid = u.tid
-- name: insert_instances
insert into instance (id, root_id, parent_id, parent_token, definition_id, tenant, business_key, started, doc, variables,
    loop_counter)
select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
-- name: insert_ready
insert into ready (lane, root_id, instance_id, kind, token, node, phase, tries, subject, name, detail, body)
select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
-- name: insert_timers
insert into timer (due, instance_id, token, node, kind, root_id, phase, tries, retry, subject, name, detail, body, error)
select * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
-- name: insert_subscriptions
insert into subscription (instance_id, token, node, root_id, tenant, name, key, loop_counter, since)
select u.*, $9 from unnest($1, $2, $3, $4, $5, $6, $7, $8) as u
-- name: insert_tasks
insert into task (id, instance_id, root_id, token, node, definition_id, tenant, loop_counter, name, assignee, candidate_users,
    candidate_groups, priority, due, follow_up, form_key, created)
select u.id, u.instance_id, u.root_id, u.token, u.node, u.definition_id, u.tenant, u.loop_counter, u.name, u.assignee,
    array(select jsonb_array_elements_text(u.users::jsonb)), array(select jsonb_array_elements_text(u.groups::jsonb)),
    u.priority, u.due, u.follow_up, u.form_key, $17
from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
    as u (id, instance_id, root_id, token, node, definition_id, tenant, loop_counter, name, assignee, users, groups, priority,
          due, follow_up, form_key)
-- name: insert_external
with made as (
    insert into external_task (id, instance_id, root_id, token, node, definition_id, tenant, loop_counter, topic, priority, created)
    select u.id, u.instance_id, u.root_id, u.token, u.node, u.definition_id, u.tenant, u.loop_counter,
        case when u.class then coalesce((select c.topic from class_topic c where c.class = u.topic), u.topic)
             else u.topic end,
        u.priority, $12
    from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
        as u (id, instance_id, root_id, token, node, definition_id, tenant, loop_counter, topic, class, priority)
    returning id, topic, priority, definition_id
)
insert into external_offer (topic, priority, task_id, definition_id) select topic, priority, id, definition_id from made
-- name: offer_external
-- Again, after somebody decided so. Locked by lock_external.
with again as (
    update external_task t set offered = true, locked_until = null, worker = null,
        retries = greatest(t.retries, 1)
    where t.id = any($1) and not t.offered and t.answered_by is null
    returning t.id, t.topic, t.priority, t.definition_id
)
insert into external_offer (topic, priority, task_id, definition_id)
select topic, priority, id, definition_id from again
-- name: put_external_variables
insert into external_variables (task_id, variables) select * from unnest($1, $2)
on conflict (task_id) do update set variables = excluded.variables
-- name: delete_external_incidents
-- Of tasks that are offered again: nothing is left to decide.
delete from incident where instance_id = any($1) and kind = 22 and subject = any($2)
-- name: insert_callbacks
insert into callback (id, instance_id, root_id, token, node, definition_id, tenant, loop_counter, attempt, until,
    heartbeat_us, allowed_caller, task_id, made)
select u.*, $14 from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) as u
-- name: accept_callbacks
-- Of one that is being answered just now nobody needs to know that.
update callback c set accepted = $2
where c.id in (select b.id from callback b where b.id = any($1) for update skip locked)
-- name: insert_calls
insert into call (id, instance_id, root_id, token, node, endpoint, method, path, headers, body, connect_timeout_us,
    timeout_us, report_sent, open_after_us, deadline, loop_counter, asked)
select u.*, $17 from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) as u
-- name: insert_call_queue
-- After its calls: they say how long each is willing to wait.
insert into call_queue (endpoint, call_id, attempt, since, open_after_us, deadline)
select u.endpoint, u.id, u.attempt, $4, c.open_after_us, c.deadline
from unnest($1, $2, $3) as u (endpoint, id, attempt) join call c on c.id = u.id
-- name: insert_incidents
-- Before the rows of calls go: they know what was asked.
insert into incident (id, instance_id, root_id, reason, message, at, kind, token, node, phase, tries, subject, name,
    detail, body, definition_id, cause, pattern, endpoint, request, answer, loop_counter)
select u.id, u.instance_id, u.root_id, u.reason, u.message, $18, u.kind, u.token, u.node, u.phase, u.tries, u.subject,
    u.name, u.detail, u.body, d.id, api_cause(d.key, e.id, u.reason, p.pattern), p.pattern, c.endpoint,
    case when c.id is not null
        then api_call_request(c.method, c.endpoint, c.path, c.headers, c.body, a.attempt, a.sent) end,
    u.answer::jsonb, u.loop_counter
from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)
    as u (id, instance_id, root_id, reason, message, kind, token, node, phase, tries, subject, name, detail, body,
          definition_id, answer, loop_counter)
left join instance i on u.definition_id is null and i.id = u.instance_id
left join definition d on d.id = coalesce(u.definition_id, i.definition_id)
left join element e on e.definition_id = d.id and e.node = u.node
cross join lateral (select api_cause_pattern(u.message, e.id) as pattern) p
left join call c on c.id = u.subject
left join attempt a on a.call_id = c.id
-- name: insert_messages
-- Nobody asks after one that a process sent: it has no id.
insert into message (message_id, tenant, name, key, mode, expires, body)
select coalesce(u.id, '00000000-0000-0000-0000-000000000000'), u.tenant, u.name, u.key, u.mode, u.expires, u.body
from unnest($1, $2, $3, $4, $5, $6, $7) as u (id, tenant, name, key, mode, expires, body)
-- name: delete_messages
delete from message where id = any($1)
-- name: take_subscriptions
-- Paired: locked by waiters_by_key, so that the place still holds.
delete from subscription where ctid = any($1)
-- name: insert_bus_events
-- What processes put on a bus (store/events.c takes it from there).
with put as (
    insert into bus_event (id, tenant, bus, source, detail_type, time, resources, detail, actor, at)
    select u.id, u.tenant, u.bus, u.source, u.detail_type, $7, '[]', u.detail, 'engine', $7
    from unnest($1, $2, $3, $4, $5, $6) as u (id, tenant, bus, source, detail_type, detail)
    returning id, tenant, bus
)
insert into event_todo (kind, event_id, tenant, bus, actor, at)
select 1, p.id, p.tenant, p.bus, 'engine', $7 from put p order by p.id
-- name: insert_history
insert into event (at, n, instance_id, definition_id, ends, business_key, entries)
select $7, u.* from unnest($1, $2, $3, $4, $5, $6) as u
-- name: insert_audit
-- Of instances that were not loaded: their definition is looked up.
insert into event (at, n, instance_id, definition_id, ends, entries)
select $4, u.n, u.instance_id,
    coalesce((select i.definition_id from instance i where i.id = u.instance_id),
             (select e.definition_id from event e where e.instance_id = u.instance_id limit 1), 0), false, u.entries
from unnest($1, $2, $3) as u (n, instance_id, entries)
-- name: insert_outcomes
insert into outcome (command_id, state, detail, tenant, definition_id, at)
select distinct on (u.id) u.id, u.state, u.detail::jsonb, u.tenant, u.definition_id, $6
from unnest($1, $2, $3, $4, $5) with ordinality as u (id, state, detail, tenant, definition_id, n) order by u.id, u.n desc
on conflict (command_id) do update set state = excluded.state, detail = excluded.detail, at = excluded.at
-- name: move_start_timers
update start_timer s set due = u.due, remaining = u.remaining
from unnest($1, $2, $3) as u (tid, due, remaining) where s.ctid = u.tid
-- name: delete_start_timers
delete from start_timer where ctid = any($1)
-- name: keep_answers
-- Before the attempts' rows go: they know what was asked, and of whom.
insert into answer_cache (endpoint, request, expires, response)
select distinct on (1, 2) c.endpoint, a.cache_key, $3 + e.cache, u.response
from unnest($1, $2) as u (call_id, response)
join call c on c.id = u.call_id join attempt a on a.call_id = c.id join endpoint e on e.name = c.endpoint
where e.cache is not null and a.cache_key is not null order by 1, 2
on conflict (endpoint, request) do update set expires = excluded.expires, response = excluded.response
-- name: delete_call_queue
delete from call_queue q using call c where c.id = any($1) and q.endpoint = c.endpoint and q.call_id = c.id
-- name: delete_attempts
delete from attempt where call_id = any($1)
-- name: delete_calls
delete from call where id = any($1)
