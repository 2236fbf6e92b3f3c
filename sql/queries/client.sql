-- SPDX-License-Identifier: Apache-2.0
-- What the command line asks. Each row is one JSON object in its only column; only the functions and
-- views of the SQL API are used, so that a role with just those rights can work.

-- name: client_clock
select json_build_object('now', clock())::text

-- ---- Functions ----

-- name: client_deploy
select to_json(d)::text from deploy_all(resources => $1::jsonb, name => $2,
    options => case when $3 = '{}' then '{}' else jsonb_build_object('parameters', $3::jsonb) end
        || case when $4::text is null then '{}' else jsonb_build_object('tenant', $4::text) end) d
-- name: client_await
select to_json(a)::text from await(command_id => $1, timeout => $2::bigint * interval '1 millisecond') a
-- name: client_start
-- `judged`: by an inputSchema, when its turn comes.
select to_json(x)::text
from (select s.*, coalesce((start_form($1, $5, case when $6::text is null then '{}' else jsonb_build_object('tenant', $6::text) end) ->> 'checked')::boolean, false) as judged
      from start(process => $1, business_key => $2, variables => $3::jsonb, request_key => $4, version => $5,
                 options => case when $6::text is null then '{}' else jsonb_build_object('tenant', $6::text) end) s) x
-- One start for each object of an array.
-- name: client_start_many
select json_build_object('n', r.n, 'business_key', r.item ->> 'businessKey',
                         'instance_id', s.instance_id, 'created', s.created,
                         'judged', coalesce((select (start_form($1, $3, case when $4::text is null then '{}' else jsonb_build_object('tenant', $4::text) end) ->> 'checked')::boolean), false))::text
from jsonb_array_elements($2::jsonb) with ordinality r(item, n)
cross join lateral start(process => $1, business_key => r.item ->> 'businessKey',
                         variables => coalesce(r.item -> 'variables', '{}'),
                         request_key => r.item ->> 'requestKey', version => $3,
                         options => case when $4::text is null then '{}' else jsonb_build_object('tenant', $4::text) end) s
order by r.n
-- name: client_publish
select to_json(p)::text
from (select publish(message => $1, key => $2, variables => $3::jsonb, ttl => $4::interval,
                     options => $5::jsonb || case when $6::text is null then '{}' else jsonb_build_object('tenant', $6::text) end) as message_id) p
-- name: client_correlate
select to_json(c)::text
from (select correlate(message => $1, key => $2, variables => $3::jsonb, instance_id => $4,
                       options => case when $5::text is null then '{}' else jsonb_build_object('tenant', $5::text) end) as command_id) c
-- name: client_claim
select to_json(c)::text from (select claim(task_id => $1, assignee => $2) as command_id) c
-- name: client_release
select to_json(c)::text from (select release(task_id => $1) as command_id) c
-- name: client_complete
select to_json(c)::text from (select complete(task_id => $1, variables => $2::jsonb) as command_id) c
-- name: client_fail
select to_json(c)::text
from (select fail(task_id => $1, error_code => $2, message => $3, variables => $4::jsonb) as command_id) c
-- name: client_set_endpoint
select to_json(e)::text from set_endpoint(name => $1, base_url => $2, options => $3::jsonb) e
-- name: client_set_sql_delegate
select to_json(e)::text
from (select set_sql_delegate(name => $1, statement => $2, options => $3::jsonb)::text as delegate) e
-- name: client_drop_sql_delegate
select to_json(e)::text from (select drop_sql_delegate(name => $1)::text as delegate) e
-- name: client_set_webhook
select to_json(w)::text from (select set_webhook(name => $1, options => $2::jsonb)::text as webhook) w
-- name: client_drop_webhook
select to_json(w)::text from (select drop_webhook(name => $1)::text as webhook) w
-- name: client_webhooks
select to_json(x)::text from (select w.* from webhooks w order by w.name) x
-- name: client_drop_endpoint
select to_json(e)::text from (select drop_endpoint(name => $1)::text as endpoint) e

-- name: client_set_circuit
select to_json(e)::text
from (select $1::text as endpoint, set_circuit(endpoint => $1, circuit => $2, options => $3::jsonb)::text as circuit) e
-- name: client_hold
select to_json(e)::text from (select hold_calls(options => $1::jsonb) as held) e
-- name: client_release_calls
select to_json(e)::text from (select release_calls() as released) e

-- ---- Views ----

-- Instances first, and where they are only of those that are shown: all places at once is all tokens there are.
-- What has ended is in the history, which is not looked at unless it is asked for.
-- name: client_instances
with page as materialized (
    select i.instance_id, i.process, i.version, i.business_key, i.state, i.started, i.ended, i.reason,
           i.parent_id, i.root_id
    from instances i
    where ($1::text is null or i.process = $1) and ($5::text is null or i.tenant = $5)
      and case when $2::text is not null then i.state = $2
               else $3 or i.state in ('accepted', 'running', 'incident', 'suspended') end
      and (i.ended is null
           or case when $2 is not null then $2 not in ('accepted', 'running', 'incident', 'suspended') else $3 end)
    order by i.started desc, i.instance_id desc
    limit $4
), place as (
    select t.instance_id, array_agg(distinct t.element_id order by t.element_id) as elements
    from tokens t where t.instance_id = any (array(select p.instance_id from page p)) and t.element_id is not null
    group by t.instance_id
)
select to_json(x)::text
from (select p.instance_id, p.process, p.version, p.business_key, p.state, p.started, p.ended, p.reason,
             coalesce(l.elements, '{}') as elements,
             (select count(*) from incidents n where n.instance_id = p.instance_id) as incidents, p.parent_id, p.root_id
      from page p left join place l on l.instance_id = p.instance_id
      order by p.started desc, p.instance_id desc) x
-- name: client_instances_between
with page as materialized (
    select i.instance_id, i.process, i.version, i.business_key, i.state, i.started, i.ended, i.reason,
           i.parent_id, i.root_id
    from instances i
    where i.instance_id between $1 and $2
    order by i.started, i.instance_id limit $3
), place as (
    select t.instance_id, array_agg(distinct t.element_id order by t.element_id) as elements
    from tokens t where t.instance_id = any (array(select p.instance_id from page p)) and t.element_id is not null
    group by t.instance_id
)
select to_json(x)::text
from (select p.instance_id, p.process, p.version, p.business_key, p.state, p.started, p.ended, p.reason,
             coalesce(l.elements, '{}') as elements,
             (select count(*) from incidents n where n.instance_id = p.instance_id) as incidents, p.parent_id, p.root_id
      from page p left join place l on l.instance_id = p.instance_id
      order by p.started, p.instance_id) x
-- name: client_instances_by_key
with page as materialized (
    select i.instance_id, i.process, i.version, i.business_key, i.state, i.started, i.ended, i.reason,
           i.parent_id, i.root_id
    from instances i
    where i.business_key = $1
    order by i.started, i.instance_id limit $2
), place as (
    select t.instance_id, array_agg(distinct t.element_id order by t.element_id) as elements
    from tokens t where t.instance_id = any (array(select p.instance_id from page p)) and t.element_id is not null
    group by t.instance_id
)
select to_json(x)::text
from (select p.instance_id, p.process, p.version, p.business_key, p.state, p.started, p.ended, p.reason,
             coalesce(l.elements, '{}') as elements,
             (select count(*) from incidents n where n.instance_id = p.instance_id) as incidents, p.parent_id, p.root_id
      from page p left join place l on l.instance_id = p.instance_id
      order by p.started, p.instance_id) x
-- What an instance's call activities started, and still runs.
-- $2: when the instance's id was made, so that older partitions are not searched.
-- name: client_events
select to_json(x)::text
from (select e.at, e.n, e.instance_id, e.process, e.version, e.kind, e.element_id, e.element_name, e.token,
             e.started, e.business_key, e.data
      from events e where e.instance_id = $1 and e.at >= $2
      order by e.at, e.n) x
-- What a call activity started then: the ids carry the time, so that the index finds them.
-- name: client_called
select to_json(x)::text
from (select e.instance_id, e.at, e.process, e.version, e.business_key, e.data from events e
      where e.instance_id between $2 and $3 and e.at >= $4
        and e.kind = 'instanceStarted' and e.data ->> 'calledBy' = $1::text
      order by e.at, e.n) x
-- name: client_elements
select to_json(x)::text
from (select distinct h.element_id, h.element_name, h.element_kind from history h
      where h.instance_id = $1 and h.element_id is not null) x
-- Tokens that wait in a join for others: no row of theirs says so, only the history.
-- name: client_joined
select to_json(x)::text
from (select h.element_id, h.element_name, min(h.started) as since, count(*) as n from history h
      where h.instance_id = $1 and h.element_kind = 'parallelGateway' and h.state = 'active'
      group by 1, 2 order by 3) x
-- name: client_tokens
select to_json(x)::text
from (select t.* from tokens t where t.instance_id = $1 order by t.token, t.since, t.due) x
-- name: client_jobs
select to_json(x)::text from (select j.* from jobs j where j.instance_id = $1 order by j.due nulls first) x
-- name: client_calls
select to_json(x)::text from (select c.* from calls c where c.instance_id = $1 order by c.asked) x
-- name: client_tasks
select to_json(x)::text
from (select t.task_id, t.name, t.element_id, t.instance_id, t.process, t.version, t.business_key, t.assignee,
             t.candidate_users, t.candidate_groups, t.priority, t.due, t.follow_up, t.form_key, t.created,
             t.variables, t.loop_counter
      from tasks t
      where ($1::text is null or t.assignee = $1)
        and ($2::text is null or $2 = any (t.candidate_groups))
        and ($3::text is null or t.process = $3)
        and ($4::uuid is null or t.instance_id = $4)
        and ($6::text is null or t.tenant = $6)
      order by t.priority desc, t.created, t.task_id
      limit $5) x
-- name: client_tasks_between
select to_json(x)::text
from (select t.task_id, t.name, t.element_id, t.instance_id, t.process, t.business_key, t.assignee
      from tasks t where t.task_id between $1 and $2 order by t.created limit $3) x
-- name: client_tasks_by_key
select to_json(x)::text
from (select t.task_id, t.name, t.element_id, t.instance_id, t.process, t.business_key, t.assignee
      from tasks t where t.business_key = $1 order by t.created limit $2) x
-- name: client_variables
select to_json(x)::text from (select v.name, v.value from variables v where v.instance_id = $1 order by v.name) x
-- name: client_sql_delegates
select to_json(x)::text from (select d.* from sql_delegates d order by d.name) x
-- name: client_endpoints
select to_json(x)::text from (select p.* from endpoints p order by p.name) x
-- name: client_held_calls
select to_json(x)::text from (select h.* from held_calls h order by h.endpoint, h.asked, h.call_id) x
-- name: client_endpoint
select to_json(x)::text from (select p.* from endpoints p where p.name = $1) x
-- name: client_definitions
select to_json(x)::text
from (select d.process, d.version, d.name, d.latest, d.suspended, d.resource, d.deployed, d.deployed_by, d.concurrency
      from definitions d where $1 or d.latest order by d.process, d.version desc) x
