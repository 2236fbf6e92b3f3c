-- SPDX-License-Identifier: Apache-2.0
-- What Pawl's own HTTP operations ask: thin statements over the SQL API. $1 is the request as JSON, the columns
-- are the status, the body and, where something can be waited for, its id (store/desk.h, server/operation.h).

-- name: http_start
select case when s.created then 201 else 200 end,
       json_build_object('instanceId', s.instance_id, 'created', s.created)::text, s.instance_id
from (select $1::jsonb as it) r
cross join lateral start(process => r.it #>> '{path,key}', business_key => r.it #>> '{body,businessKey}',
                         variables => coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}'),
                         request_key => r.it #>> '{body,requestKey}', version => (r.it #>> '{body,version}')::integer,
                         options => api_present(jsonb_build_object('tenant', r.it #> '{body,tenant}'))) s
-- name: http_publish
select 202, json_build_object('messageId', p.id)::text, p.id
from (select $1::jsonb as it) r
cross join lateral publish(message => r.it #>> '{body,message}', key => coalesce(r.it #>> '{body,key}', ''),
                           variables => coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}'),
                           ttl => coalesce(r.it #>> '{body,ttl}', '10 minutes')::interval,
                           options => api_present(jsonb_build_object('all', r.it #> '{body,all}', 'tenant', r.it #> '{body,tenant}'))) p(id)

-- ---- What becomes of a command ----

-- name: http_outcome
select 200,
       json_build_object('id', r.it #>> '{path,id}', 'state', coalesce(o.state, 'pending'), 'detail', o.detail)::text,
       case when o.state is null then (r.it #>> '{path,id}')::uuid end
from (select $1::jsonb as it) r cross join lateral api_outcome((r.it #>> '{path,id}')::uuid) o
where o.known
-- Of all that is waited for: an object of those that are decided.
-- name: http_outcomes
select 200, api_outcomes($1::jsonb)::text

-- ---- Commands: $1 is the request ----

-- name: http_correlate
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral correlate(message => r.it #>> '{body,message}', key => r.it #>> '{body,key}',
                             variables => coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}'),
                             instance_id => (r.it #>> '{body,instanceId}')::uuid,
                             options => api_present(jsonb_build_object('tenant', r.it #> '{body,tenant}'))) c(id)
-- name: http_cancel
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral cancel((r.it #>> '{path,id}')::uuid, r.it #>> '{body,reason}') c(id)
-- name: http_suspend
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral suspend((r.it #>> '{path,id}')::uuid,
                           jsonb_strip_nulls(jsonb_build_object('reason', r.it #> '{body,reason}'))) c(id)
-- name: http_resume
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral resume((r.it #>> '{path,id}')::uuid,
                          jsonb_strip_nulls(jsonb_build_object('reason', r.it #> '{body,reason}'))) c(id)
-- name: http_set_variables
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral set_variables((r.it #>> '{path,id}')::uuid, r.it #> '{body,variables}') c(id)
-- name: http_retry
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral retry((r.it #>> '{path,id}')::uuid, api_present(r.it -> 'body')) c(id)
-- $2: who asks, for whom a task is claimed unless it is said.
-- name: http_claim
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral claim((r.it #>> '{path,id}')::uuid, coalesce(r.it #>> '{body,assignee}', $2)) c(id)
-- name: http_release
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r cross join lateral release((r.it #>> '{path,id}')::uuid) c(id)
-- name: http_complete
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral complete((r.it #>> '{path,id}')::uuid, coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}')) c(id)
-- name: http_fail
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral fail((r.it #>> '{path,id}')::uuid, r.it #>> '{body,errorCode}', r.it #>> '{body,message}',
                        coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}')) c(id)
-- name: http_deploy
select 201, json_build_object('deploymentId', d.deployment_id)::text, d.deployment_id
from deploy_all(resources => $1::jsonb, name => $2,
                options => api_present(jsonb_build_object('duplicateFiltering', $3::boolean, 'tenant', $4::text,
                                                          'parameters', $5::jsonb))) d
-- As POST /v1/deployments takes it.
-- name: http_export
select 200, json_build_object('name', p.name, 'resources', (
           select json_agg(json_build_object('name', e.name, 'content', e.content) order by e.name)
           from export_deployment(p.deployment_id) e))::text
from (select d.id as deployment_id, d.name from deployment d where d.id = $1::uuid) p
-- name: http_withdraw
select 202, json_build_object('commandId', c.id)::text, c.id
from withdraw($1::uuid, jsonb_strip_nulls(jsonb_build_object('cancelInstances', $2::boolean, 'reason', $3::text))) c(id)

-- ---- Lists: each parameter is one of the query; `next` goes on behind the last row ----

-- name: http_processes
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select d.process, d.version, d.name, d.latest, d.suspended, d.resource, d.deployment_id as "deploymentId",
             d.deployed, d.deployed_by as "deployedBy", d.version_tag as "versionTag"
      from definitions d
      where (coalesce($1::boolean, false) or d.latest) and ($2::text is null or d.process = $2)
      order by d.process, d.version desc limit 1000) x
-- name: http_process
select 200, to_json(x)::text
from (select d.process, d.version, d.name, d.latest, d.suspended, d.resource, d.deployment_id as "deploymentId",
             d.deployed, d.deployed_by as "deployedBy", d.version_tag as "versionTag"
      from definitions d where d.process = $1 and d.latest) x
-- What has ended is in the history, which is not looked at unless it is asked for.
-- name: http_instances
with page as materialized (
    select i.instance_id, i.process, i.version, i.business_key, i.state, i.started, i.ended, i.reason, i.parent_id, i.root_id
    from instances i
    where ($1::text is null or i.process = $1)
      and ($3::text is null or i.business_key = $3)
      and case when $2::text is not null then i.state = $2
               else coalesce($4::boolean, false) or i.state in ('accepted', 'running', 'incident', 'suspended') end
      and (i.ended is null
           or case when $2 is not null then $2 not in ('accepted', 'running', 'incident', 'suspended')
                   else coalesce($4::boolean, false) end)
      and ($6::uuid is null or i.instance_id < $6::uuid)
    order by i.instance_id desc
    limit least(coalesce($5::integer, 100), 1000)
), place as (
    select t.instance_id, array_agg(distinct t.element_id order by t.element_id) as elements
    from tokens t where t.instance_id = any (array(select p.instance_id from page p)) and t.element_id is not null
    group by t.instance_id
)
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($5::integer, 100), 1000)
                                          then min(x."instanceId"::text) end)::text
from (select p.instance_id as "instanceId", p.process, p.version, p.business_key as "businessKey", p.state, p.started, p.ended,
             p.reason, coalesce(l.elements, '{}') as elements, p.parent_id as "parentId", p.root_id as "rootId"
      from page p left join place l on l.instance_id = p.instance_id
      order by p.instance_id desc) x
-- name: http_search
select 200, json_build_object('items', coalesce(json_agg(to_json(x)) filter (where x."instanceId" is not null), '[]'),
                              'next', max(x.next::text))::text
from (select s.instance_id as "instanceId", s.process, s.version, s.business_key as "businessKey", s.state, s.started, s.ended,
             s.matched, s.next
      from search($1::text, jsonb_strip_nulls(jsonb_build_object('process', $2::text, 'limit', $3::text, 'after', $4::text))) s) x
-- name: http_instance
select 200, to_json(x)::text
from (select i.instance_id as "instanceId", i.process, i.version, i.business_key as "businessKey", i.state, i.started, i.ended,
             i.reason, i.elements, i.incidents, i.parent_id as "parentId", i.root_id as "rootId"
      from instances i where i.instance_id = $1::uuid limit 1) x
-- name: http_instance_history
select 200, json_build_object('items',
    (select coalesce(json_agg(to_json(x)), '[]')
     from (select h.element_id as element, h.element_name as name, h.element_kind as kind, h.state, h.started, h.ended, h.detail
           from history h where h.instance_id = i.instance_id
           order by h.started, coalesce(h.ended, 'infinity'), h.n limit 10000) x))::text
from instances i where i.instance_id = $1::uuid limit 1
-- name: http_instance_variables
select case when i.ended is null then 200 else 404 end,
       case when i.ended is null
            then coalesce((select json_object_agg(v.name, v.value order by v.name) from variables v where v.instance_id = i.instance_id), '{}')
            else json_build_object('type', null, 'title', 'Not Found', 'status', 404, 'code', 'PW001',
                                   'detail', format('the instance %s has ended, and its variables with it', i.instance_id),
                                   'hint', 'Have the process send or write what others need, before its end.') end::text
from instances i where i.instance_id = $1::uuid limit 1
-- name: http_tasks
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($5::integer, 100), 1000) then max(x."taskId"::text) end)::text
from (select t.task_id as "taskId", t.name, t.element_id as element, t.instance_id as "instanceId", t.process, t.version,
             t.business_key as "businessKey", t.assignee, t.candidate_users as "candidateUsers",
             t.candidate_groups as "candidateGroups", t.priority, t.due, t.follow_up as "followUp", t.form_key as "formKey",
             t.created, t.suspended, t.variables, t.loop_counter as "loopCounter"
      from tasks t
      where ($1::text is null or t.assignee = $1) and ($2::text is null or $2 = any (t.candidate_groups))
        and ($3::text is null or t.process = $3) and ($4::uuid is null or t.instance_id = $4::uuid)
        and ($6::uuid is null or t.task_id > $6::uuid)
      order by t.task_id limit least(coalesce($5::integer, 100), 1000)) x
-- name: http_task
select 200, to_json(x)::text
from (select t.task_id as "taskId", t.name, t.element_id as element, t.instance_id as "instanceId", t.process, t.version,
             t.business_key as "businessKey", t.assignee, t.candidate_users as "candidateUsers",
             t.candidate_groups as "candidateGroups", t.priority, t.due, t.follow_up as "followUp", t.form_key as "formKey",
             t.created, t.suspended, t.variables, t.loop_counter as "loopCounter"
      from tasks t where t.task_id = $1::uuid) x
-- name: http_incidents
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($4::integer, 100), 1000) then max(x."incidentId"::text) end)::text
from (select n.incident_id as "incidentId", n.instance_id as "instanceId", n.process, n.version, n.business_key as "businessKey",
             n.element_id as element, n.reason, n.message, n.at, n.tries, n.needs_decision as "needsDecision", n.cause, n.endpoint,
             n.error_details as "errorDetails", n.request, n.answer, n.loop_counter as "loopCounter"
      from incidents n
      where ($1::text is null or n.process = $1) and ($2::uuid is null or n.instance_id = $2::uuid)
        and ($3::text is null or n.cause = $3) and ($5::uuid is null or n.incident_id > $5::uuid)
      order by n.incident_id limit least(coalesce($4::integer, 100), 1000)) x
-- name: http_endpoints
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select p.name, p.kind, p.base_url as "baseUrl", p.rate, p.circuit, p.circuit_why as "circuitWhy", p.next_probe as "nextProbe",
             p.held_until as "heldUntil", p.queued, p.under_way as "underWay", p.last_answer as "lastAnswer",
             p.last_failure as "lastFailure", p.last_error as "lastError", p.outcomes
      from endpoints p order by p.name) x
-- name: http_deployments
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select p.deployment_id as "deploymentId", p.name, p.state, p.at, p.actor, p.resources, p.processes, p.withdrawn,
             p.withdrawn_by as "withdrawnBy"
      from deployments p where $2::uuid is null or p.deployment_id < $2::uuid
      order by p.deployment_id desc limit least(coalesce($1::integer, 100), 1000)) x
-- name: http_deployment
select 200, to_json(x)::text
from (select p.deployment_id as "deploymentId", p.name, p.state, p.at, p.actor, p.resources, p.processes, p.findings, p.withdrawn,
             p.withdrawn_by as "withdrawnBy"
      from deployments p where p.deployment_id = $1::uuid) x

-- ---- Forms ----

-- name: http_start_form
select 200, start_form($1)::text
-- name: http_task_form
select 200, task_form($1::uuid)::text
