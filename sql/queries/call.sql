-- SPDX-License-Identifier: Apache-2.0
-- Remote calls, as the dispatcher sees them (store/call.c). Times come from clock(); what the workers and
-- callers hold locked is stepped over, never waited for.

-- name: call_slot
-- A new epoch of this node's dispatcher. Waits for what a predecessor's transaction still holds.
insert into worker as w (node, slot, epoch) values ($1, $2, 1)
on conflict (node, slot) do update set epoch = w.epoch + 1, seen = clock_timestamp()
returning id, epoch;

-- name: call_slot_again
-- After a lost connection: waits for its transaction, then says whether the slot is still ours.
select id, epoch from worker where node = $1 and slot = $2 for update;

-- name: call_waiting
-- One step over the index an endpoint, however long the queue is.
with recursive names (name) as (
    (select endpoint from call_queue where endpoint > $1 order by endpoint limit 1)
  union all
    select (select q.endpoint from call_queue q where q.endpoint > names.name order by q.endpoint limit 1)
    from names where names.name is not null
)
select n.name, e.name is not null as configured, greatest(e.rate, 0)::float8 as rate,
    e.burst, e.max_in_flight, e.next_at,
    e.cache is not null and exists (
        select from (
            select call_id from call_queue q where q.endpoint = n.name order by q.call_id limit 500
        ) first
        join call c on c.id = first.call_id
        join answer_cache a on a.endpoint = c.endpoint
            and a.request = api_request_digest(e.base_url, e.headers || coalesce(e.transport, '{}'), c.method, c.path, c.headers)
        where c.method = 'GET' and c.body is null and a.expires > clock()
    ) as hits,
    clock() as now
from (select name from names where name is not null limit 200) n
left join endpoint e on e.name = n.name;

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
    || to_json('endpoint ' || endpoint || ' is not configured: pawl endpoint ' || endpoint || ' URL')::text
    || ',"retryAfterMs":null,"attempt":' || attempt || ',"ms":0,"fromCache":false}'
from refused order by call_id;

-- name: call_lock
-- The rated endpoints that nobody else is taking from just now (or is changing).
select name, rate::float8, burst, next_at from endpoint
where name = any($1) and rate > 0
order by name for update skip locked;

-- name: call_clock
select clock();

-- name: call_claim
-- $1, $2: endpoints and how many of each; $3, $4: worker and epoch; $5: now; $6: grace.
-- A queue row without a call is dropped. A call has one attempt at a time.
with want as (
    select * from unnest($1::text[], $2::integer[]) with ordinality as w (endpoint, n, i)
), took as materialized (
    select w.i, q.endpoint, q.call_id, q.attempt
    from want w join endpoint e on e.name = w.endpoint cross join lateral (
        select q.endpoint, q.call_id, q.attempt from call_queue q
        where q.endpoint = w.endpoint order by q.call_id limit w.n for update skip locked
    ) q
), gone as (
    delete from call_queue q using took t where q.endpoint = t.endpoint and q.call_id = t.call_id
), permits as (
    update endpoint e set next_at = greatest(e.next_at, $5) + t.n * (interval '1 second' / e.rate::float8)
    from (select endpoint, count(*) as n from took group by endpoint) t
    where e.name = t.endpoint and e.rate > 0
), request as materialized (
    select t.i, t.attempt, c.id, c.instance_id, c.root_id, c.token, c.node, e.base_url, e.headers::text as shared,
        c.method, c.path, c.headers, c.body, c.report_sent, e.transport::text as transport,
        case when c.connect_timeout_us > 0 then c.connect_timeout_us
            else (extract(epoch from e.connect_timeout) * 1000000)::bigint end as connect_us,
        case when c.timeout_us > 0 then c.timeout_us
            else (extract(epoch from e.timeout) * 1000000)::bigint end as timeout_us,
        case when e.cache is not null and c.method = 'GET' and c.body is null
            then api_request_digest(e.base_url, e.headers || coalesce(e.transport, '{}'), c.method, c.path, c.headers) end as cache_key,
        coalesce(e.repeat_unknown, c.method in ('GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE')) as repeatable
    from took t join call c on c.id = t.call_id join endpoint e on e.name = t.endpoint
), tried as (
    insert into attempt (call_id, attempt, worker, epoch, sent, until, cache_key)
    select id, attempt, $3, $4, $5, $5 + (timeout_us + $6) * interval '1 microsecond', cache_key
    from request order by id
    on conflict (call_id) do update set attempt = excluded.attempt, worker = excluded.worker,
        epoch = excluded.epoch, sent = excluded.sent, until = excluded.until, cache_key = excluded.cache_key
), told as (
    insert into ready (root_id, instance_id, kind, token, node, phase, tries, subject, detail)
    select root_id, instance_id, 7, token, node, 0, 0, id, (extract(epoch from $5) * 1000000)::bigint::text
    from request where report_sent order by id
)
select r.i, r.attempt, r.id, r.instance_id, r.root_id, r.base_url, r.shared, r.method, r.path, r.headers,
    r.body, r.connect_us, r.timeout_us, r.cache_key is not null, r.repeatable, i.business_key,
    r.token, r.node, r.transport
from request r left join instance i on i.id = r.instance_id
order by r.i, r.id;

-- name: call_undo
-- What a lost connection took just before it went, and nobody sent.
with back as (
    delete from attempt where worker = $1 and epoch = $2 and sent = $3 returning call_id, attempt
)
insert into call_queue (endpoint, call_id, attempt)
select c.endpoint, c.id, b.attempt from back b join call c on c.id = b.call_id order by c.endpoint, c.id
on conflict do nothing;

-- name: call_release
with back as (
    delete from attempt where call_id = any($3) and worker = $1 and epoch = $2 returning call_id, attempt
)
insert into call_queue (endpoint, call_id, attempt)
select c.endpoint, c.id, b.attempt from back b join call c on c.id = b.call_id order by c.endpoint, c.id
on conflict do nothing;

-- name: call_recover
-- $1, $2: our worker and epoch. The table holds only what is under way: it is read as a whole.
with lost as materialized (
    select call_id, attempt from attempt
    where worker = $1 and epoch < $2 or until < clock() and not (worker = $1 and epoch = $2)
    order by call_id limit 500 for update skip locked
), gone as (
    delete from attempt a using lost l where a.call_id = l.call_id
), known as materialized (
    select l.attempt, c.*, coalesce(e.repeat_unknown,
        c.method in ('GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE')) as repeatable
    from lost l join call c on c.id = l.call_id left join endpoint e on e.name = c.endpoint
), again as (
    insert into call_queue (endpoint, call_id, attempt)
    select endpoint, id, attempt + 1 from known where repeatable order by endpoint, id
    on conflict do nothing
), unknown as (
    insert into ready (root_id, instance_id, kind, token, node, phase, tries, subject, body)
    select root_id, instance_id, 8, token, node, 0, 0, id,
        '{"outcome":"unknown","ok":false,"status":null,"headers":{},"body":null,"error":'
        || to_json('endpoint ' || endpoint || ': the engine ended while this request was under way; '
            'whether it arrived is not known')::text
        || ',"retryAfterMs":null,"attempt":' || attempt || ',"ms":0,"fromCache":false}'
    from known where not repeatable order by id
)
select k.id, k.instance_id, k.attempt, k.endpoint, i.business_key, k.repeatable
from known k left join instance i on i.id = k.instance_id
order by k.id;
