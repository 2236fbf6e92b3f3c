-- SPDX-License-Identifier: Apache-2.0
-- External tasks in the words of Camunda 7's REST API, for its clients (server/operations_camunda.c); not for users.

-- An id that is none is that of no task.
create or replace function api_camunda_task_id(given text) returns uuid
language plpgsql immutable
as $$
begin
    if given ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then
        return given::uuid;
    end if;
    raise exception using errcode = 'PW001', message = format('External task with id %s does not exist', left(given, 100));
end
$$;
revoke all on function api_camunda_task_id(text) from public;

create or replace function api_camunda_external_task(
    id uuid, topic text, worker_id text, locked_until timestamptz, retries integer, error_message text, priority bigint,
    element_id text, instance_id uuid, d definition, business_key text, created timestamptz, suspended boolean) returns jsonb
language sql immutable
as $$
    select jsonb_build_object(
        'id', id, 'topicName', topic, 'workerId', worker_id, 'lockExpirationTime', api_camunda_time(locked_until),
        'createTime', api_camunda_time(created), 'retries', retries, 'errorMessage', error_message, 'priority', priority,
        'activityId', element_id, 'activityInstanceId', element_id || ':' || id, 'executionId', instance_id,
        'processInstanceId', instance_id, 'processDefinitionId', api_camunda_definition_id(d.key, d.version, d.deployment_id),
        'processDefinitionKey', d.key, 'processDefinitionVersionTag', d.version_tag, 'tenantId', nullif(d.tenant, ''),
        'businessKey', business_key, 'suspended', suspended)
$$;
revoke all on function api_camunda_external_task(uuid, text, text, timestamptz, integer, text, bigint, text, uuid, definition, text,
                                                 timestamptz, boolean) from public;

-- What fetch_and_lock() knows by the number of a definition, these clients know by its id: key:version:deployment.
create or replace function api_camunda_topics(topics jsonb) returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(case when jsonb_typeof(t.it) = 'object' and t.it ?| array['processDefinitionId', 'processDefinitionIdIn']
        then t.it || jsonb_build_object('processDefinitionIdIn', (
            select coalesce(jsonb_agg(d.id::text), '[]') from definition d
            where (t.it ->> 'processDefinitionId' is null or api_camunda_definition_id(d.key, d.version, d.deployment_id) = t.it ->> 'processDefinitionId')
              and (t.it -> 'processDefinitionIdIn' is null
                   or t.it -> 'processDefinitionIdIn' ? api_camunda_definition_id(d.key, d.version, d.deployment_id)))) - 'processDefinitionId'
        else t.it end order by t.n), '[]')
    from (select case when jsonb_typeof(e.it) = 'object' then api_present(e.it) else e.it end as it, e.n
          from jsonb_array_elements(topics) with ordinality e (it, n)) t
$$;
revoke all on function api_camunda_topics(jsonb) from public;

-- POST /external-task/{id}/complete and so on.
create or replace function api_camunda_external(request jsonb, verb text, out status integer, out body text, out subject uuid)
language plpgsql volatile
as $$
declare
    task uuid := api_camunda_task_id(request #>> '{path,id}');
    given jsonb := coalesce(nullif(request -> 'body', 'null'), '{}');
    worker text := given ->> 'workerId';
    variables jsonb := api_camunda_variables(given -> 'variables');
    locals jsonb := api_camunda_variables(given -> 'localVariables');
begin
    status := 204;
    if verb = 'complete' then
        subject := complete_external_task(task, worker, variables, local_variables => locals);
    elsif verb = 'failure' then
        subject := handle_failure(task, worker, given ->> 'errorMessage', given ->> 'errorDetails', coalesce((given ->> 'retries')::integer, 0),
                                  api_lease_time('retryTimeout', given -> 'retryTimeout', '0'), variables => variables, local_variables => locals);
    elsif verb = 'bpmnError' then
        subject := handle_bpmn_error(task, worker, given ->> 'errorCode', given ->> 'errorMessage', variables);
    elsif verb = 'extendLock' then
        perform extend_lock(task, worker, api_lease_time('newDuration', given -> 'newDuration', '0'));
    elsif verb = 'unlock' then
        perform unlock_external_task(task);
    elsif verb = 'retries' then
        perform set_external_task_retries(task, (given ->> 'retries')::integer);
    elsif verb = 'priority' then
        perform set_external_task_priority(task, (given ->> 'priority')::bigint);
    end if;
end
$$;
revoke all on function api_camunda_external(jsonb, text) from public;
