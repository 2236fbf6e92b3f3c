-- SPDX-License-Identifier: Apache-2.0
-- External tasks, as Camunda 7's clients ask for them (sql/functions/views_camunda_external.sql).

-- No body: there is no work.
-- name: camunda_fetch_and_lock
select 200, jsonb_agg(api_camunda_external_task(f.task_id, f.topic, r.body ->> 'workerId', f.locked_until, f.retries, f.error_message,
                                                f.priority, f.element_id, f.instance_id, d, f.business_key, f.created, false)
                      || jsonb_build_object('errorDetails', f.error_details, 'variables', api_camunda_values(f.variables),
                                            'extensionProperties', '{}'::jsonb) order by f.n)::text
from (select $1::jsonb -> 'body' as body) r
cross join lateral fetch_and_lock(r.body ->> 'workerId', api_camunda_topics(r.body -> 'topics'), (r.body ->> 'maxTasks')::integer) with ordinality
    f (task_id, topic, fence, locked_until, retries, error_message, error_details, priority, element_id, element_name, instance_id,
       process, version, definition_id, version_tag, business_key, tenant, created, variables, n)
join definition d on d.id = f.definition_id
-- name: camunda_external_tasks
select 200, coalesce(jsonb_agg(x.it order by x.id), '[]')::text
from (select t.task_id as id,
             api_camunda_external_task(t.task_id, t.topic, t.worker_id, t.locked_until, t.retries, t.error_message, t.priority,
                                       t.element_id, t.instance_id, d, t.business_key, t.created,
                                       (select r.suspended from instance i join instance r on r.id = coalesce(i.root_id, i.id)
                                        where i.id = t.instance_id)) as it
      from external_tasks t join definition d on d.tenant = t.tenant and d.key = t.process and d.version = t.version
      where ($1::text is null or t.task_id::text = lower($1)) and ($2::text is null or t.topic = $2)
        and ($3::text is null or t.worker_id = $3) and ($4::text is null or t.instance_id::text = lower($4))
        and ($5::text is null or t.process = $5) and t.state <> 'answered'
      order by t.task_id offset coalesce($6::integer, 0) limit coalesce($7::integer, 1000)) x
-- name: camunda_external_task
select case when count(*) = 1 then 200 else 404 end,
       coalesce(jsonb_agg(x.it) -> 0, api_camunda_error('RestException', format('External task with id %s does not exist', $1::text))::jsonb)::text
from (select api_camunda_external_task(t.task_id, t.topic, t.worker_id, t.locked_until, t.retries, t.error_message, t.priority,
                                       t.element_id, t.instance_id, d, t.business_key, t.created,
                                       (select r.suspended from instance i join instance r on r.id = coalesce(i.root_id, i.id)
                                        where i.id = t.instance_id)) as it
      from external_tasks t join definition d on d.tenant = t.tenant and d.key = t.process and d.version = t.version
      where t.task_id = case when $1::text ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then $1::uuid end) x
-- name: camunda_external_complete
select status, body, subject from api_camunda_external($1::jsonb, 'complete')
-- name: camunda_external_failure
select status, body, subject from api_camunda_external($1::jsonb, 'failure')
-- name: camunda_external_error
select status, body, subject from api_camunda_external($1::jsonb, 'bpmnError')
-- name: camunda_external_extend
select status, body from api_camunda_external($1::jsonb, 'extendLock')
-- name: camunda_external_unlock
select status, body from api_camunda_external($1::jsonb, 'unlock')
-- name: camunda_external_retries
select status, body from api_camunda_external($1::jsonb, 'retries')
-- name: camunda_external_priority
select status, body from api_camunda_external($1::jsonb, 'priority')
