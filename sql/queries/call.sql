-- SPDX-License-Identifier: Apache-2.0
-- Remote calls, as the dispatcher sees them (store/call.c). Times come from clock(); what the workers and
-- callers hold locked is stepped over, never waited for.

-- name: call_slot
-- A new epoch of this node's dispatcher. Waits for what a predecessor's transaction still holds.
insert into worker as w (node, slot, epoch) values ($1, $2, 1)
on conflict (node, slot) do update set epoch = w.epoch + 1, seen = clock_timestamp(), fenced = false
returning id, epoch;

-- name: call_slot_again
-- After a lost connection: waits for its transaction, then says whether the slot is still ours.
select id, epoch, fenced from worker where node = $1 and slot = $2 for update;

-- name: call_queued
select exists (select from call_queue);

-- name: call_waiting
-- Those with a queue, by name after $1: one step over the index an endpoint, however long it is. And those in $2.
with recursive names (name) as (
    (select endpoint from call_queue where endpoint > $1 order by endpoint limit 1)
  union all
    select (select q.endpoint from call_queue q where q.endpoint > names.name order by q.endpoint limit 1)
    from names where names.name is not null
)
select n.name, e.name is not null as configured, clock() as now,
    (select count(*) from (select from call_queue q where q.endpoint = n.name limit 500) f) as queued,
    greatest(e.rate, 0)::float8 as rate, e.burst, e.max_in_flight, e.max_in_flight_all is not null as counted,
    coalesce(e.retry_budget, -1)::float8 as retry_budget,
    e.cache is not null and exists (
        select from (
            select call_id from call_queue q where q.endpoint = n.name order by q.call_id limit 500
        ) first
        join call c on c.id = first.call_id
        join answer_cache a on a.endpoint = c.endpoint
            and a.request = api_request_digest(e.base_url, e.headers || coalesce(e.transport, '{}'), c.method, c.path, c.headers)
        where c.method = 'GET' and c.body is null and a.expires > clock()
    ) as hits,
    exists (select from call_queue q where q.endpoint = n.name and q.deadline <= clock())
        or s.circuit <> 0 and exists (
            select from call_queue q where q.endpoint = n.name and q.open_after_us is not null
            and greatest(q.since, s.broken) + q.open_after_us * interval '1 microsecond' <= clock()) as impatient,
    exists (select from hold) as held_all,
    e.breaker is not null as breaker,
    case jsonb_typeof(e.breaker -> 'window') when 'number' then (e.breaker ->> 'window')::integer end as window_calls,
    case jsonb_typeof(e.breaker -> 'window') when 'string' then api_us(e.breaker ->> 'window') end as window_us,
    (e.breaker ->> 'minimum')::integer as minimum, (e.breaker ->> 'failures')::float8 as failures,
    api_us(e.breaker ->> 'slow') as slow_us, (e.breaker ->> 'slowRate')::float8 as slow_rate,
    api_us(e.breaker ->> 'open') as open_us, api_us(e.breaker ->> 'maxOpen') as max_open_us,
    (e.breaker ->> 'probes')::integer as probes_wanted, (extract(epoch from e.timeout) * 1000000)::bigint as timeout_us,
    coalesce(s.version, 0) as version, coalesce(s.circuit, 0::smallint) as circuit, coalesce(s.forced, false) as forced,
    coalesce(s.since, '-infinity') as since, coalesce(s.broken, '-infinity') as broken,
    coalesce(s.until, '-infinity') as until, coalesce(s.openings, 0) as openings,
    coalesce(s.probes, 0) as probes, coalesce(s.good, 0) as good,
    coalesce(s.held, '-infinity') as held, coalesce(s.next_at, '-infinity') as next_at, s.name is not null as stated
from ((select name from names where name is not null limit 200) union select unnest($2::text[])) n
left join endpoint e on e.name = n.name
left join endpoint_state s on s.name = n.name
order by n.name;

-- ---- What the nodes agree on: compare and set. An administrator's open transaction is stepped over ----

-- name: call_state
insert into endpoint_state (name) select e.name from endpoint e where e.name = $1 on conflict do nothing;

-- name: call_circuit
update endpoint_state s set version = version + 1, circuit = $3, since = $4, broken = $5, until = $6, openings = $7,
    probes = $8, good = $9, why = coalesce($10, s.why), forced = $11
where s.name = (select n.name from endpoint_state n where n.name = $1 and n.version = $2 and not n.forced
                for update skip locked);

-- name: call_lease
-- Permits from $2 (what next_at was) to $3 are this node's.
update endpoint_state s set next_at = $3
where s.name = (select n.name from endpoint_state n where n.name = $1 and n.next_at = $2 for update skip locked);

-- name: call_held
-- No row: somebody has it locked, and this is to be said again.
update endpoint_state s set held = greatest(s.held, $2)
where s.name = (select n.name from endpoint_state n where n.name = $1 for update skip locked);

-- name: call_forget
-- What nodes saw of endpoints that are no more.
delete from endpoint_seen where (name, worker) in (
    select s.name, s.worker from endpoint_seen s
    where not exists (select from endpoint e where e.name = s.name) for update skip locked);

-- name: call_tell
insert into endpoint_seen as s (name, worker, outcomes, recent, failed, slow, last_answer, last_failure, last_error)
select u.name, $1, u.outcomes::jsonb, u.recent, u.failed, u.slow, clock() - u.answer_age * interval '1 microsecond',
    clock() - u.failure_age * interval '1 microsecond', u.last_error
from unnest($2, $3, $4, $5, $6, $7, $8, $9)
    as u (name, outcomes, recent, failed, slow, answer_age, failure_age, last_error)
where exists (select from endpoint e where e.name = u.name) order by u.name
on conflict (name, worker) do update set recent = excluded.recent, failed = excluded.failed, slow = excluded.slow,
    outcomes = (select jsonb_object_agg(k.key, k.times) from (
        select o.key, sum(o.value::bigint) as times
        from (select * from jsonb_each_text(s.outcomes) union all select * from jsonb_each_text(excluded.outcomes)) o
        group by o.key) k),
    last_answer = coalesce(excluded.last_answer, s.last_answer),
    last_failure = coalesce(excluded.last_failure, s.last_failure),
    last_error = coalesce(excluded.last_error, s.last_error);

-- ---- Taking ----

-- name: call_fence
update worker set batch = batch + 1, seen = clock_timestamp() where id = $1 and epoch = $2;

-- name: call_hits
-- Answers from the cache go to the workers as results that are already there: no permit, no attempt.
with hit as (
    select q.endpoint, q.call_id, c.root_id, c.instance_id, c.token, c.node,
        regexp_replace(a.response, ',"attempt":[0-9]+,"ms":[0-9]+,"fromCache":false\}$',
            ',"attempt":' || q.attempt || ',"ms":0,"fromCache":true}') as response
    from unnest($1::text[]) with ordinality as n (name, i)
    cross join lateral (
        select call_id from call_queue q where q.endpoint = n.name order by q.call_id limit 500
    ) first
    join call_queue q on q.endpoint = n.name and q.call_id = first.call_id
    join call c on c.id = q.call_id
    join endpoint e on e.name = c.endpoint
    join answer_cache a on a.endpoint = c.endpoint
        and a.request = api_request_digest(e.base_url, e.headers || coalesce(e.transport, '{}'), c.method, c.path, c.headers)
    where c.method = 'GET' and c.body is null and a.expires > clock()
    for update of q skip locked
), gone as (
    delete from call_queue q using hit where q.endpoint = hit.endpoint and q.call_id = hit.call_id
)
insert into ready (root_id, instance_id, kind, token, node, phase, tries, subject, body)
select root_id, instance_id, 8, token, node, 0, 0, call_id, response from hit order by call_id;

-- name: call_refuse
-- Calls of endpoints that nobody configured: an answer that says so.
with refused as (
    select q.endpoint, q.call_id, q.attempt, c.root_id, c.instance_id, c.token, c.node
    from unnest($1::text[]) as n (name)
    cross join lateral (
        select call_id from call_queue q where q.endpoint = n.name order by q.call_id limit 500
    ) first
    join call_queue q on q.endpoint = n.name and q.call_id = first.call_id
    join call c on c.id = q.call_id
    where not exists (select from endpoint e where e.name = n.name)
    for update of q skip locked
), gone as (
    delete from call_queue q using refused r where q.endpoint = r.endpoint and q.call_id = r.call_id
)
insert into ready (root_id, instance_id, kind, token, node, phase, tries, subject, body)
select root_id, instance_id, 8, token, node, 0, 0, call_id,
    '{"outcome":"offline","ok":false,"status":null,"headers":{},"body":null,"error":'
    || to_json('endpoint ' || endpoint || ' is not configured: pawl endpoint set ' || endpoint || ' URL')::text
    || ',"retryAfterMs":null,"attempt":' || attempt || ',"ms":0,"fromCache":false}'
from refused order by call_id;

-- name: call_impatient
-- Queued calls that wait no longer: past their deadline, or for an open circuit longer than they were willing to.
with waited as (
    select q.endpoint, q.call_id, q.attempt, coalesce(q.deadline <= clock(), false) as expired, s.why
    from unnest($1::text[]) as n (name)
    left join endpoint_state s on s.name = n.name
    cross join lateral (
        (select q.endpoint, q.call_id from call_queue q where q.endpoint = n.name and q.deadline <= clock() limit 500)
        union
        (select q.endpoint, q.call_id from call_queue q
         where s.circuit <> 0 and q.endpoint = n.name and q.open_after_us is not null
           and greatest(q.since, s.broken) + q.open_after_us * interval '1 microsecond' <= clock() limit 500)
    ) due
    join call_queue q on q.endpoint = due.endpoint and q.call_id = due.call_id
    order by q.call_id for update of q skip locked
), gone as (
    delete from call_queue q using waited w where q.endpoint = w.endpoint and q.call_id = w.call_id
)
insert into ready (root_id, instance_id, kind, token, node, phase, tries, subject, body)
select c.root_id, c.instance_id, 8, c.token, c.node, 0, 0, c.id,
    '{"outcome":' || case when w.expired then '"expired"' else '"open"' end
    || ',"ok":false,"status":null,"headers":{},"body":null,"error":'
    || to_json('endpoint ' || w.endpoint || case when w.expired
            then ': the deadline passed while the request waited to be sent'
            else ': not sent, because its circuit is open: ' || coalesce(w.why, 'the service fails') end)::text
    || ',"retryAfterMs":null,"attempt":' || w.attempt || ',"ms":0,"fromCache":false}'
from waited w join call c on c.id = w.call_id order by c.id;

-- name: call_counted
-- Whoever wants to take of an endpoint with a limit over all nodes; one at a time. Only the names that are ours.
select n.name from unnest($1::text[]) as n (name)
where pg_try_advisory_xact_lock(hashtext(current_schema() || ' endpoint'), hashtext(n.name));

-- name: call_clock
select clock();

-- name: call_claim
-- $1 to $4: endpoints, how many of each, how many of them may be retries (-1: all), the phase that they are probes of
-- (NULL: none are); $5, $6: worker and epoch; $7: now; $8: grace. A queue row without a call is dropped. A call has
-- one attempt at a time. What others have just decided (a circuit, a hold) holds here.
with want as materialized (
    select w.i, w.endpoint, w.retries, least(w.n,
        e.max_in_flight_all - (select count(*) from attempt a where e.max_in_flight_all > 0 and a.endpoint = e.name)) as n
    from unnest($1::text[], $2::integer[], $3::integer[], $4::timestamptz[])
        with ordinality as w (endpoint, n, retries, phase, i)
    join endpoint e on e.name = w.endpoint
    left join endpoint_state s on s.name = e.name
    where not exists (select from hold) and coalesce(s.held <= $7, true)
      and (coalesce(s.circuit, 0) = 0 or s.circuit = 2 and s.since = w.phase)
), retried as materialized (
    select w.i, q.endpoint, q.call_id, q.attempt
    from want w cross join lateral (
        select q.endpoint, q.call_id, q.attempt from call_queue q
        where q.endpoint = w.endpoint and q.attempt > 1 and coalesce(q.deadline > $7, true)
        order by q.call_id limit greatest(least(w.retries, w.n), 0) for update skip locked
    ) q
), others as materialized (
    select w.i, q.endpoint, q.call_id, q.attempt
    from want w cross join lateral (
        select q.endpoint, q.call_id, q.attempt from call_queue q
        where q.endpoint = w.endpoint and (w.retries < 0 or q.attempt = 1) and coalesce(q.deadline > $7, true)
        order by q.call_id limit greatest(w.n - (select count(*) from retried r where r.i = w.i), 0)
        for update skip locked
    ) q
), took as materialized (
    select * from retried union all select * from others
), gone as (
    delete from call_queue q using took t where q.endpoint = t.endpoint and q.call_id = t.call_id
), request as materialized (
    select t.i, t.attempt, t.endpoint, c.id, c.instance_id, c.root_id, c.token, c.node, e.base_url, e.headers::text as shared,
        c.method, c.path, c.headers, c.body, c.report_sent, e.transport::text as transport,
        case when c.connect_timeout_us > 0 then c.connect_timeout_us
            else (extract(epoch from e.connect_timeout) * 1000000)::bigint end as connect_us,
        least(case when c.timeout_us > 0 then c.timeout_us else (extract(epoch from e.timeout) * 1000000)::bigint end,
            (extract(epoch from c.deadline - $7) * 1000000)::bigint) as timeout_us,
        case when e.cache is not null and c.method = 'GET' and c.body is null
            then api_request_digest(e.base_url, e.headers || coalesce(e.transport, '{}'), c.method, c.path, c.headers) end as cache_key,
        coalesce(e.unknown = 'repeat', c.method in ('GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'SCRIPT')) as repeatable
    from took t join call c on c.id = t.call_id join endpoint e on e.name = t.endpoint
), tried as (
    insert into attempt (call_id, attempt, worker, epoch, sent, until, cache_key, endpoint)
    select id, attempt, $5, $6, $7, $7 + (timeout_us + $8) * interval '1 microsecond', cache_key, endpoint
    from request order by id
    on conflict (call_id) do update set attempt = excluded.attempt, worker = excluded.worker, epoch = excluded.epoch,
        sent = excluded.sent, until = excluded.until, cache_key = excluded.cache_key, endpoint = excluded.endpoint
), told as (
    insert into ready (root_id, instance_id, kind, token, node, phase, tries, subject, detail)
    select root_id, instance_id, 7, token, node, 0, 0, id, (extract(epoch from $7) * 1000000)::bigint::text
    from request where report_sent order by id
)
select r.i, r.attempt, r.id, r.instance_id, r.root_id, r.base_url, r.shared, r.method, r.path, r.headers,
    r.body, r.connect_us, r.timeout_us, r.cache_key is not null, r.repeatable, i.business_key,
    r.token, r.node, r.transport, m.id
from request r left join instance i on i.id = r.instance_id
left join element m on m.definition_id = i.definition_id and m.node = r.node
order by r.i, r.id;

-- name: call_undo
-- What a lost connection took just before it went, and nobody sent.
with back as (
    delete from attempt where worker = $1 and epoch = $2 and sent = $3 returning call_id, attempt
)
insert into call_queue (endpoint, call_id, attempt, since, open_after_us, deadline)
select c.endpoint, c.id, b.attempt, clock(), c.open_after_us, c.deadline
from back b join call c on c.id = b.call_id order by c.endpoint, c.id
on conflict do nothing;

-- name: call_release
with back as (
    delete from attempt where call_id = any($3) and worker = $1 and epoch = $2 returning call_id, attempt
)
insert into call_queue (endpoint, call_id, attempt, since, open_after_us, deadline)
select c.endpoint, c.id, b.attempt, clock(), c.open_after_us, c.deadline
from back b join call c on c.id = b.call_id order by c.endpoint, c.id
on conflict do nothing;

-- name: call_fence_others
-- $1: our worker; $2: for how long a node must have shown no sign of life. From now on it changes nothing.
update worker set epoch = epoch + 1, fenced = true
where slot = -1 and id <> $1 and not fenced and seen < clock_timestamp() - $2 * interval '1 microsecond' -- real time
  and exists (select from attempt a where a.worker = worker.id)
returning id, node;

-- name: call_recover
-- $1, $2: our worker and epoch. The table holds only what is under way: it is read as a whole. During a hold
-- nothing is recovered: somebody looks at it first.
with lost as materialized (
    select call_id, attempt from attempt
    where not exists (select from hold)
      and (worker = $1 and epoch < $2 or until < clock() and not (worker = $1 and epoch = $2)
           or exists (select from worker w where w.id = attempt.worker and attempt.epoch < w.epoch))
    order by call_id limit 500 for update skip locked
), gone as (
    delete from attempt a using lost l where a.call_id = l.call_id
), known as materialized (
    select l.attempt, c.*, coalesce(e.unknown, case when c.method in ('GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'SCRIPT')
        then 'repeat' else 'ask' end) as policy
    from lost l join call c on c.id = l.call_id left join endpoint e on e.name = c.endpoint
), again as (
    insert into call_queue (endpoint, call_id, attempt, since, open_after_us, deadline)
    select endpoint, id, attempt + 1, clock(), open_after_us, deadline from known where policy = 'repeat'
    order by endpoint, id
    on conflict do nothing
), unknown as (
    insert into ready (root_id, instance_id, kind, token, node, phase, tries, subject, detail, body)
    select root_id, instance_id, 8, token, node, 0, 0, id, case policy when 'fail' then 'fail' end,
        '{"outcome":"unknown","ok":false,"status":null,"headers":{},"body":null,"error":'
        || to_json('endpoint ' || endpoint || ': the engine ended while this request was under way; '
            'whether it arrived is not known')::text
        || ',"retryAfterMs":null,"attempt":' || attempt || ',"ms":0,"fromCache":false}'
    from known where policy <> 'repeat' order by id
)
select k.id, k.instance_id, k.attempt, k.endpoint, i.business_key, k.policy = 'repeat', m.id
from known k left join instance i on i.id = k.instance_id
left join element m on m.definition_id = i.definition_id and m.node = k.node
order by k.id;
