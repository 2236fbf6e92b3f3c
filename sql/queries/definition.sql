-- SPDX-License-Identifier: Apache-2.0
-- Definitions: store/graphs.c and store/deploy.c.
-- name: definition_files
select d.id, d.key, r.name, r.content, d.lane,
    case when r.content ~ 'inputSchema|formRef|formKey' then
        (select json_agg(json_build_object('name', o.name, 'content', o.content))::text from resource o
         where o.deployment_id = d.deployment_id and o.name !~ '[.](bpmn|xml)$') end
from definition d join resource r on r.deployment_id = d.deployment_id and r.name = d.resource
where d.id = any($1)
-- name: deploy_read
-- Only looked at: it is taken when its files have been judged.
select command_id, name, body, actor, tenant, detail, key from inbox where lane = 0 and xid = $1 and id = $2
-- name: deploy_not_his
-- Processes that somebody may not deploy, who may deploy only some ($2: a JSON array of patterns).
select u.n::integer - 1 from unnest($1) with ordinality as u (key, n)
where not api_matches(u.key, array(select jsonb_array_elements_text($2::jsonb)))
-- name: deploy_take
delete from inbox where lane = 0 and xid = $1 and id = (
    select id from inbox where lane = 0 and xid = $1 and id = $2 for update skip locked)
-- name: deploy_lock
-- Versions and start events of one deployment at a time.
select pg_advisory_xact_lock(hashtextextended('pawl deploy ' || current_schema(), 0))
-- name: clock
select clock()
-- name: deploy_insert
insert into deployment (id, name, tenant, actor, at, state) values ($1, coalesce($2, ''), $3, $4, $5, $6)
-- name: deploy_findings
update deployment set findings = $2::jsonb where id = $1
-- name: deploy_files
with file as (
    select name, content, n from unnest($2, $3) with ordinality as f (name, content, n)
), stored as (
    insert into resource (deployment_id, name, content, digest)
    select $1, name, content, sha256(convert_to(content, 'UTF8')) from file order by name
    returning name, digest
)
select s.digest from stored s join file f using (name) order by f.n
-- name: deploy_latest
-- Numbers of withdrawn versions are not used again; what is compared is the latest that is not.
select k.key, l.id, (select max(d.version) from definition d where d.tenant = $1 and d.key = k.key), l.digest, l.version
from (select distinct d.key from definition d where d.tenant = $1 and d.key = any($2)) k
left join lateral (
    select d.id, d.digest, d.version from definition d
    where d.tenant = $1 and d.key = k.key and d.withdrawn is null order by d.version desc limit 1
) l on true
-- name: deploy_message_clash
select distinct m.name, d.key from message_start m join definition d on d.id = m.definition_id
where m.tenant = $1 and m.name = any($2) and d.key <> all($3)
-- name: deploy_uncalled
select c.i from unnest($2, $3) as c (key, i)
where not exists (select from definition d where d.tenant = $1 and d.key = c.key and d.withdrawn is null) order by 1
-- name: deploy_unmapped
select c.i from unnest($1, $2) as c (class, i)
where not exists (select from class_topic m where m.class = c.class) order by 1
-- name: deploy_definition
-- Its lane is that of its other versions, or the next in turn: the first 14 processes have one of their own.
insert into definition (tenant, key, version, name, version_tag, deployment_id, resource, digest, history_time_to_live,
    only_called, lane)
values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, coalesce(
    (select d.lane from definition d where d.tenant = $1 and d.key = $2 order by d.version desc limit 1),
    2 + (select count(distinct (d.tenant, d.key)) from definition d) % 14)) returning id
-- name: deploy_elements
insert into element (definition_id, node, id, name, kind, line, message)
select $1, e.* from unnest($2, $3, $4, $5, $6, $7) as e (node, id, name, kind, line, message) order by node
-- name: deploy_clear_messages
delete from message_start m using definition d
where d.id = m.definition_id and d.tenant = $1 and d.key = any($2)
-- name: deploy_clear_timers
delete from start_timer t using definition d
where d.id = t.definition_id and d.tenant = $1 and d.key = any($2)
-- name: deploy_messages
insert into message_start (tenant, name, definition_id, node)
select $1, m.* from unnest($2, $3, $4) as m (name, definition_id, node) order by 1, 2, 3
-- name: deploy_timers
insert into start_timer (definition_id, node, due, remaining)
select t.* from unnest($1, $2, $3, $4) as t (definition_id, node, due, remaining) order by 1, 2
-- name: outcome_put
insert into outcome (command_id, state, detail, tenant, at) values ($1, $2, $3::jsonb, $4, $5)
on conflict (command_id) do update set state = excluded.state, detail = excluded.detail, at = excluded.at
-- name: deploy_inputs
insert into input (definition_id, node, start, checked, schema, ui, form_key, form)
select $1, i.node, i.start, i.checked, i.schema::json, i.ui::json, i.form_key, i.form::json
from unnest($2, $3, $4, $5, $6, $7, $8) as i (node, start, checked, schema, ui, form_key, form)
-- name: deploy_former_parameters
-- What the latest versions were given.
select d.key, p.name, p.value::text, p.set_by, p.set_at::text
from unnest($2) as k (key)
cross join lateral (
    select d.id, d.key from definition d
    where d.tenant = $1 and d.key = k.key and d.withdrawn is null order by d.version desc limit 1
) d
join parameter p on p.definition_id = d.id
where p.value is not null
-- name: deploy_parameters
insert into parameter (definition_id, name, value, fallback, description, set_by, set_at)
select p.definition_id, p.name, p.value::jsonb, p.fallback::jsonb, p.description, p.set_by, p.set_at::timestamptz
from unnest($1, $2, $3, $4, $5, $6, $7) as p (definition_id, name, value, fallback, description, set_by, set_at)
on conflict (definition_id, name) do update set value = excluded.value, set_by = excluded.set_by, set_at = excluded.set_at
-- name: deploy_parameter_changes
insert into parameter_change (definition_id, name, value, actor, at, deployment_id)
select p.definition_id, p.name, p.value::jsonb, $4, $5, $6 from unnest($1, $2, $3) as p (definition_id, name, value)
-- name: load_parameters
select coalesce(json_object_agg(p.name, p.value)::text, '{}') from parameter p
where p.definition_id = $1 and p.value is not null
