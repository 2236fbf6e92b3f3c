-- SPDX-License-Identifier: Apache-2.0
-- What the command line asks of incidents and running instances (store/client_control.c); like client.sql.
-- name: client_cancel
select to_json(c)::text from (select cancel(instance_id => $1, reason => $2) as command_id) c
-- name: client_retry
select to_json(c)::text from (select retry(incident_id => $1, options => $2::jsonb) as command_id) c
-- name: client_incidents
select to_json(x)::text
from (select n.* from incidents n
      where ($1::text is null or n.process = $1)
        and ($2::uuid is null or n.instance_id = $2)
        and ($3::uuid is null or n.incident_id between $3 and $4)
        and ($5::text is null or n.business_key = $5)
        and ($6::text is null or n.element_id = $6)
        and ($7::text is null or n.cause = $7)
      order by n.at, n.incident_id
      limit $8) x
-- name: client_search
select to_json(x)::text
from (select s.*, array_to_string(s.matched, ', ') as found_in
      from search(query => $1, options => jsonb_strip_nulls(jsonb_build_object(
          'process', $2::text, 'after', $3::text, 'limit', $4::integer))) s) x
-- name: client_incident_groups
select to_json(x)::text
from (select g.* from incident_groups g
      where ($1::text is null or g.process = $1)
        and ($2::text is null or g.element_id = $2)
        and ($3::text is null or g.cause = $3)
      order by g.incidents desc, g.first
      limit $4) x
-- name: client_bulk
select to_json(b)::text from bulk(action => $1, filter => $2::jsonb, options => $3::jsonb) b
-- name: client_bulk_preview
select to_json(b)::text from bulk_preview(action => $1, filter => $2::jsonb, options => $3::jsonb) b
-- name: client_bulk_stop
select to_json(b)::text from (select bulk_stop(bulk_id => $1) as handed) b
-- name: client_bulks
select to_json(x)::text
from (select b.* from bulks b
      where ($1::uuid is null or b.bulk_id between $1 and $2) and ($3 or b.state = 'running')
      order by b.bulk_id desc limit $4) x
-- name: client_suspend
select to_json(c)::text
from (select suspend(instance_id => $1, options => jsonb_strip_nulls(jsonb_build_object('reason', $2::text))) as command_id) c
-- name: client_suspend_definition
select to_json(c)::text
from suspend_definition(process => $1, version => $2,
    options => jsonb_strip_nulls(jsonb_build_object('includeInstances', $3::boolean, 'reason', $4::text))) c
-- name: client_resume
select to_json(c)::text
from (select resume(instance_id => $1, options => jsonb_strip_nulls(jsonb_build_object('reason', $2::text))) as command_id) c
-- name: client_resume_definition
select to_json(c)::text
from resume_definition(process => $1, version => $2,
    options => jsonb_strip_nulls(jsonb_build_object('includeInstances', $3::boolean, 'reason', $4::text))) c
-- name: client_parameters
select to_json(p)::text from parameters p join definitions d on d.definition_id = p.definition_id and d.latest
where $1 is null or p.process = $1 order by p.process, p.name
-- name: client_set_parameter
select to_json(p)::text from (select set_parameter(process => $1, parameter => $2, value => $3::jsonb,
    options => jsonb_strip_nulls(jsonb_build_object('version', $4))) as versions) p
-- name: client_set_concurrency
select to_json(c)::text from (select set_concurrency(process => $1, most => $2) as versions) c
-- name: client_skip
select to_json(c)::text from (select skip_element(instance_id => $1, element => $2, options => $3::jsonb) as command_id) c
-- name: client_move
select to_json(c)::text
from (select move_token(instance_id => $1, from_element => $2, to_element => $3, options => $4::jsonb) as command_id) c
-- name: client_complete_element
select to_json(c)::text
from (select complete_element(instance_id => $1, element => $2, variables => $3::jsonb, options => $4::jsonb) as command_id) c
-- name: client_export
select to_json(e)::text from export_deployment($1) e
-- name: client_withdraw
select to_json(c)::text
from (select withdraw(deployment_id => $1, options => jsonb_strip_nulls(jsonb_build_object('cancelInstances', $2::boolean,
                                                                                        'reason', $3::text))) as command_id) c
-- name: client_deployments
select to_json(x)::text
from (select p.deployment_id, p.name, p.state, p.processes from deployments p
      where p.deployment_id between $1 and $2 or $3 = any(p.processes)
         or p.deployment_id = (select d.deployment_id from definitions d where d.process = $3 and d.latest)
      limit 2) x
