-- SPDX-License-Identifier: Apache-2.0
-- What Camunda 7's clients ask, in that engine's words (sql/functions/views_camunda.sql).

-- name: camunda_start
select s.status, s.body, s.instance_id from api_camunda_start($1::jsonb) s
-- A deployment and all processes of its files: those that did not change are of an earlier one; where none did, that
-- one is the answer, and this one is not told of.
-- $2: the source, which is not kept; $3: the origin.
-- name: camunda_deployed
with found as materialized (
    select d.deployment_id, api_camunda_definition_id(d.process, d.version, d.deployment_id) as id, api_camunda_definition(d) as it
    from outcomes o, jsonb_array_elements(o.detail -> 'definitions') n
    join definitions d on d.definition_id = (n ->> 'definitionId')::integer
    where o.command_id = $1::uuid
)
select 200, jsonb_build_object(
    'links', jsonb_build_array(jsonb_build_object(
        'method', 'GET', 'href', format('%s/engine-rest/deployment/%s', $3::text, p.deployment_id), 'rel', 'self')),
    'id', p.deployment_id, 'name', nullif(p.name, ''), 'source', $2::text, 'deploymentTime', api_camunda_time(p.at),
    'tenantId', nullif(p.tenant, ''),
    'deployedProcessDefinitions', (select jsonb_object_agg(f.id, f.it) from found f),
    'deployedCaseDefinitions', null, 'deployedDecisionDefinitions', null, 'deployedDecisionRequirementsDefinitions', null)::text
from deployments p
where p.deployment_id = coalesce((select min(f.deployment_id::text)::uuid from found f having count(distinct f.deployment_id) = 1), $1::uuid)
-- name: camunda_deployments
select 200, coalesce(jsonb_agg(x.it), '[]')::text
from (select jsonb_build_object('links', '[]'::jsonb, 'id', p.deployment_id, 'name', nullif(p.name, ''), 'source', null,
                                'deploymentTime', api_camunda_time(p.at), 'tenantId', nullif(p.tenant, '')) as it
      from deployments p
      where p.state in ('active', 'withdrawn') and p.processes <> '{}' and ($1::text is null or p.name = $1) and ($2::text is null or p.deployment_id::text = $2)
      order by p.deployment_id offset coalesce($3::integer, 0) limit coalesce($4::integer, 1000)) x
-- name: camunda_deployment_count
select 200, jsonb_build_object('count', count(*))::text
from deployments p
where p.state in ('active', 'withdrawn') and p.processes <> '{}' and ($1::text is null or p.name = $1) and ($2::text is null or p.deployment_id::text = $2)
-- name: camunda_definitions
select 200, coalesce(jsonb_agg(x.it), '[]')::text
from (select api_camunda_definition(d) as it from definitions d
      where ($1::text is null or d.process = $1) and ($2::text is null or d.name = $2)
        and ($3::integer is null or d.version = $3::integer) and (not coalesce($4::boolean, false) or d.latest)
        and ($5::text is null or d.deployment_id::text = $5)
      order by d.process, d.version offset coalesce($6::integer, 0) limit coalesce($7::integer, 1000)) x
-- name: camunda_definition_count
select 200, jsonb_build_object('count', count(*))::text
from definitions d
where ($1::text is null or d.process = $1) and ($2::text is null or d.name = $2) and ($3::integer is null or d.version = $3::integer)
  and (not coalesce($4::boolean, false) or d.latest) and ($5::text is null or d.deployment_id::text = $5)
-- $1: the request.
-- name: camunda_definition
select case when d.process is null then 404 else 200 end,
       case when d.process is null then api_camunda_not_found($1::jsonb -> 'path') else api_camunda_definition(d)::text end
from (values (1)) one left join api_camunda_find($1::jsonb -> 'path') d on true
-- name: camunda_definition_xml
select case when d.process is null then 404 else 200 end,
       case when d.process is null then api_camunda_not_found($1::jsonb -> 'path')
            else jsonb_build_object('id', api_camunda_definition_id(d.process, d.version, d.deployment_id),
                                    'bpmn20Xml', (select r.content from resource r where r.deployment_id = d.deployment_id and r.name = d.resource))::text end
from (values (1)) one left join api_camunda_find($1::jsonb -> 'path') d on true
-- name: camunda_instance
select case when i.instance_id is null then 404 else 200 end,
       case when i.instance_id is null
            then api_camunda_error('InvalidRequestException', format('Process instance with id %s does not exist', $1::text))
            else jsonb_build_object('links', '[]'::jsonb, 'id', i.instance_id,
                'definitionId', api_camunda_definition_id(i.process, i.version, d.deployment_id), 'definitionKey', i.process,
                'businessKey', i.business_key, 'caseInstanceId', null, 'ended', false, 'suspended', i.state = 'suspended',
                'tenantId', nullif(i.tenant, ''))::text end
from (values (1)) one
left join instances i on i.instance_id = case when $1::text ~ '^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$' then $1::uuid end
    and i.ended is null
left join definitions d on d.tenant = i.tenant and d.process = i.process and d.version = i.version
limit 1
