-- SPDX-License-Identifier: Apache-2.0
-- What /sedo asks: definitions and executions of one tenant (server/operations_sedo.c). An execution's id is its
-- business key, and its tenant the one of the path: one that is not the caller's is refused by api_tenant().

-- name: sedo_definitions
select 200, coalesce(json_agg(json_build_object('id', d.process, 'tenantId', d.tenant) order by d.process), '[]')::text
from definitions d where d.latest and d.tenant = api_tenant(jsonb_build_object('tenant', $1::text))
-- name: sedo_definition
select 200, json_build_object('id', d.process, 'tenantId', d.tenant, 'version', d.version, 'name', d.name, 'deployed', d.deployed)::text
from definitions d where d.latest and d.tenant = api_tenant(jsonb_build_object('tenant', $1::text)) and d.process = $2
-- name: sedo_execute
select 200, json_build_object('id', k.key, 'state', 'ExecutionSubmitted', 'tenantId', r.it #>> '{path,tenant}')::text, s.instance_id
from (select $1::jsonb as it) r
cross join lateral (select format('%s:%s:%s', r.it #>> '{path,tenant}', r.it #>> '{path,definition}', left(gen_random_uuid()::text, 8)) as key) k
cross join lateral start(process => r.it #>> '{path,definition}', business_key => k.key,
                         variables => coalesce(nullif(r.it #> '{body,input}', 'null'), '{}'),
                         options => jsonb_build_object('tenant', r.it #> '{path,tenant}')) s
-- What has ended shows the last step that it went through.
-- name: sedo_executions
with page as materialized (
    select i.instance_id, i.business_key, i.state, i.elements, i.tenant, i.started
    from instances i
    where i.tenant = api_tenant(jsonb_build_object('tenant', $1::text)) and i.parent_id is null and starts_with(i.business_key, $1 || ':')
    order by i.started desc limit least(coalesce($2::integer, 100), 1000)
)
select 200, coalesce(json_agg(json_build_object(
        'id', p.business_key, 'state', api_execution_state(p.state), 'step', coalesce(p.elements[1], l.element_id), 'tenantId', p.tenant)
        order by p.started desc), '[]')::text
from page p
left join lateral (select h.element_id from history h
                   where h.instance_id = p.instance_id and h.element_kind not in ('startEvent', 'endEvent')
                   order by h.started desc, h.n desc limit 1) l on true
-- name: sedo_execution
select 200, json_build_object('id', i.business_key, 'state', api_execution_state(i.state), 'step', coalesce(i.elements[1], l.element_id), 'tenantId', i.tenant,
                              'started', i.started, 'ended', i.ended)::text
from (select i.* from instances i
      where i.business_key = $2 and i.tenant = api_tenant(jsonb_build_object('tenant', $1::text)) order by i.started desc limit 1) i
left join lateral (select h.element_id from history h
                   where h.instance_id = i.instance_id and h.element_kind not in ('startEvent', 'endEvent')
                   order by h.started desc, h.n desc limit 1) l on true
-- name: sedo_history
select 200, coalesce(json_agg(json_build_object('step', h.element_id, 'name', h.element_name, 'kind', h.element_kind,
                                                'started', h.started, 'ended', h.ended) order by h.started, h.ended nulls last, h.n)
                         filter (where h.n is not null), '[]')::text
from (select i.instance_id from instances i
      where i.business_key = $2 and i.tenant = api_tenant(jsonb_build_object('tenant', $1::text)) order by i.started desc limit 1) i
left join history h on h.instance_id = i.instance_id
group by i.instance_id
-- name: sedo_retry
select 202, json_build_object('id', i.business_key, 'tenantId', i.tenant, 'incidents', count(c.command_id))::text
from (select $1::jsonb as it) r
cross join lateral (select i.instance_id, i.business_key, i.tenant from instances i
                    where i.business_key = r.it #>> '{path,execution}' and i.ended is null
                      and i.tenant = api_tenant(jsonb_build_object('tenant', r.it #> '{path,tenant}')) limit 1) i
left join incidents n on n.instance_id = i.instance_id
left join lateral retry(n.incident_id, api_present(r.it -> 'body')) c on n.incident_id is not null
group by i.business_key, i.tenant
-- name: sedo_cancel
select 202, json_build_object('id', i.business_key, 'state', 'ExecutionCancelled', 'tenantId', i.tenant)::text
from (select $1::jsonb as it) r
cross join lateral (select i.instance_id, i.business_key, i.tenant from instances i
                    where i.business_key = r.it #>> '{path,execution}' and i.ended is null
                      and i.tenant = api_tenant(jsonb_build_object('tenant', r.it #> '{path,tenant}')) limit 1) i
cross join lateral cancel(i.instance_id, r.it #>> '{body,reason}') c(id)
