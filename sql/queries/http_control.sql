-- SPDX-License-Identifier: Apache-2.0
-- What HTTP asks for processes and their parameters, for instances by hand, and for many at once
-- (server/operations_control.c): like http.sql.

-- ---- Processes ----

-- name: http_suspend_process
select 200, json_build_object('definitions', s.definitions, 'bulkId', s.bulk_id, 'matching', s.matching)::text
from (select $1::jsonb as it) r
cross join lateral suspend_definition(r.it #>> '{path,key}', (r.it #>> '{body,version}')::integer, api_present(r.it -> 'body') - 'version') s
-- name: http_resume_process
select 200, json_build_object('definitions', s.definitions, 'bulkId', s.bulk_id, 'matching', s.matching)::text
from (select $1::jsonb as it) r
cross join lateral resume_definition(r.it #>> '{path,key}', (r.it #>> '{body,version}')::integer, api_present(r.it -> 'body') - 'version') s
-- name: http_set_concurrency
select 200, json_build_object('process', r.it #>> '{path,key}', 'versions', s.versions)::text
from (select $1::jsonb as it) r
cross join lateral set_concurrency(r.it #>> '{path,key}', (r.it #>> '{body,most}')::integer,
                                   (api_present(r.it -> 'body') - 'most') || (r.it -> 'query')) s
-- Of the latest version unless told.
-- name: http_parameters
select 200, json_build_object('version', d.version, 'items',
    (select coalesce(json_agg(json_build_object('name', p.name, 'value', p.value, 'default', p.default_value, 'description', p.description,
                                                'setBy', p.set_by, 'setAt', p.set_at) order by p.name), '[]')
     from parameters p where p.definition_id = d.definition_id))::text
from definitions d
where d.process = $1 and case when $2::integer is null then d.latest else d.version = $2::integer end
  and d.tenant = api_tenant(jsonb_strip_nulls(jsonb_build_object('tenant', $3::text)))
-- name: http_set_parameter
select 200, json_build_object('versions', s.versions)::text
from (select $1::jsonb as it) r
cross join lateral set_parameter(r.it #>> '{path,key}', r.it #>> '{path,parameter}', r.it #> '{body,value}',
                                 api_present(r.it -> 'body') - 'value') s
-- name: http_drop_parameter
select 200, json_build_object('versions', s.versions)::text
from set_parameter($1, $2, null, jsonb_strip_nulls(jsonb_build_object('version', $3::integer, 'tenant', $4::text))) s
-- name: http_parameter_changes
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select c.at, c.process, c.version, c.name, c.value, c.actor, c.deployment_id as "deploymentId"
      from parameter_changes c
      where ($1::text is null or c.process = $1) and ($2::text is null or c.name = $2)
      order by c.at desc limit least(coalesce($3::integer, 100), 1000)) x

-- ---- Instances ----

-- name: http_skip
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral skip_element((r.it #>> '{path,id}')::uuid, r.it #>> '{body,element}', api_present(r.it -> 'body') - 'element') c(id)
-- name: http_move
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral move_token((r.it #>> '{path,id}')::uuid, r.it #>> '{body,from}', r.it #>> '{body,to}',
                              api_present(r.it -> 'body') - '{from,to}'::text[]) c(id)
-- name: http_complete_element
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral complete_element((r.it #>> '{path,id}')::uuid, r.it #>> '{body,element}',
                                    coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}'),
                                    api_present(r.it -> 'body') - '{element,variables}'::text[]) c(id)
-- name: http_tokens
select 200, json_build_object('items',
    (select coalesce(json_agg(to_json(x)), '[]')
     from (select t.token, t.element_id as element, t.element_name as name, t.element_kind as kind, t.waiting_for as "waitingFor",
                  t.since, t.due, t.name as "what", t.key, t.subject, t.detail
           from tokens t where t.instance_id = i.instance_id order by t.token, t.element_id limit 1000) x))::text
from instances i where i.instance_id = $1::uuid limit 1
-- name: http_instance_jobs
select 200, json_build_object('items',
    (select coalesce(json_agg(to_json(x)), '[]')
     from (select j.element_id as element, j.element_name as name, j.job, j.command, j.due, j.tries, j.error, j.token
           from jobs j where j.instance_id = i.instance_id order by j.due, j.token limit 1000) x))::text
from instances i where i.instance_id = $1::uuid limit 1
-- name: http_instance_events
select 200, json_build_object('items',
    (select coalesce(json_agg(to_json(x)), '[]')
     from (select e.at, e.n, e.kind, e.element_id as element, e.element_name as name, e.token, e.started, e.data
           from events e where e.instance_id = i.instance_id order by e.at, e.n limit 10000) x))::text
from instances i where i.instance_id = $1::uuid limit 1
-- name: http_hold_history
select 200, json_build_object('held', h.held)::text
from (select $1::jsonb as it) r cross join lateral hold_history((r.it #>> '{path,id}')::uuid, api_present(r.it -> 'body')) h
-- name: http_release_history
select 200, json_build_object('released', h.released)::text from release_history($1::uuid) h
-- name: http_history_holds
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($1::integer, 100), 1000) then max(x."instanceId"::text) end)::text
from (select h.instance_id as "instanceId", h.reason, h.actor, h.at from history_holds h
      where $2::uuid is null or h.instance_id > $2::uuid
      order by h.instance_id limit least(coalesce($1::integer, 100), 1000)) x

-- ---- Messages that nobody has received ----

-- name: http_messages
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($3::integer, 100), 1000) then max(x."messageId"::text) end)::text
from (select m.message_id as "messageId", m.name as message, m.key, m.expires, m.instance_id as "instanceId", m.variables
      from messages m
      where ($1::text is null or m.name = $1) and ($2::text is null or m.key = $2) and ($4::uuid is null or m.message_id > $4::uuid)
      order by m.message_id limit least(coalesce($3::integer, 100), 1000)) x
-- name: http_dead_letters
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($3::integer, 100), 1000) then max(x."messageId"::text) end)::text
from (select m.message_id as "messageId", m.name as message, m.key, m.expired, m.instance_id as "instanceId", m.variables
      from dead_letters m
      where ($1::text is null or m.name = $1) and ($2::text is null or m.key = $2) and ($4::uuid is null or m.message_id > $4::uuid)
      order by m.message_id limit least(coalesce($3::integer, 100), 1000)) x

-- ---- Many at once ----

-- name: http_incident
select 200, to_json(x)::text
from (select n.incident_id as "incidentId", n.instance_id as "instanceId", n.process, n.version, n.business_key as "businessKey",
             n.element_id as element, n.reason, n.message, n.at, n.tries, n.needs_decision as "needsDecision", n.cause, n.endpoint,
             n.error_details as "errorDetails", n.request, n.answer, n.loop_counter as "loopCounter"
      from incidents n where n.incident_id = $1::uuid) x
-- name: http_incident_groups
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select g.cause, g.process, g.element_id as element, g.reason, g.pattern, g.incidents, g.instances, g.first, g.last, g.versions,
             g.endpoints, g.needs_decision as "needsDecision", g.example, g.message
      from incident_groups g where $1::text is null or g.process = $1 order by g.incidents desc, g.cause limit 1000) x
-- name: http_bulk
select 202, json_build_object('bulkId', b.bulk_id, 'matching', b.matching)::text
from (select $1::jsonb -> 'body' as body) r
cross join lateral bulk(r.body ->> 'action', r.body -> 'filter', api_present(r.body) - '{action,filter}'::text[]) b
-- name: http_bulk_preview
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select p.process, p.version, p.element_id as element, p.cause, p.reason, p.pattern, p.left_out as "leftOut", p.matching
      from (select $1::jsonb -> 'body' as body) r
      cross join lateral bulk_preview(r.body ->> 'action', r.body -> 'filter', api_present(r.body) - '{action,filter}'::text[]) p
      limit 1000) x
-- name: http_bulks
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($1::integer, 100), 1000) then min(x."bulkId"::text) end)::text
from (select b.bulk_id as "bulkId", b.action, b.filter, b.options, b.pace, b.state, b.matching, b.handed, b.at, b.actor, b.ended,
             b.ended_by as "endedBy"
      from bulks b where $2::uuid is null or b.bulk_id < $2::uuid
      order by b.bulk_id desc limit least(coalesce($1::integer, 100), 1000)) x
-- name: http_bulk_state
select 200, to_json(x)::text
from (select b.bulk_id as "bulkId", b.action, b.filter, b.options, b.pace, b.state, b.matching, b.handed, b.at, b.actor, b.ended,
             b.ended_by as "endedBy"
      from bulks b where b.bulk_id = $1::uuid) x
-- name: http_bulk_stop
select 200, json_build_object('handed', s.handed)::text from bulk_stop($1::uuid) s
