-- SPDX-License-Identifier: Apache-2.0
-- Deployments that are withdrawn (store/withdraw.c). Behind deploy_lock: one at a time.
-- name: withdraw_read
select command_id, subject, actor, tenant, detail, body::jsonb = '{"cancelInstances": true}'
from inbox where xid = $1 and id = $2
-- name: withdraw_free
-- Nobody has an open transaction with suspend_definition() of these: that is not waited for.
with free as (
    select d.id from definition d where d.deployment_id = $1 for no key update skip locked
)
select (select count(*) from free) = (select count(*) from definition d where d.deployment_id = $1)
-- name: withdraw_running
-- Why it is refused, as its outcome; NULL: nothing runs.
select (select json_build_object('reason', 'instances run: ' || string_agg(format('%s of %s version %s', r.n, r.key, r.version), ', '
                                                                   order by r.key, r.version))::text
from (select d.key, d.version, count(*) as n from definition d
      join (select i.definition_id from instance i
            union all
            select b.definition_id from inbox b where b.kind = 1) s on s.definition_id = d.id
      where d.deployment_id = $1 group by d.key, d.version) r
having count(*) > 0)
-- name: withdraw_mark
with gone as (
    update definition set withdrawn = $2 where deployment_id = $1 and withdrawn is null returning id
), messages as (
    delete from message_start m using gone where m.definition_id = gone.id
), timers as (
    delete from start_timer t using gone where t.definition_id = gone.id
)
update deployment set state = 'withdrawn', ended = $2, ended_by = $3 where id = $1
-- name: withdraw_former
-- Of the keys of which it had the latest version: what is the latest now, and the name of its file below.
select f.id, f.key, f.deployment_id || '/' || f.resource
from definition d cross join lateral (
    select l.* from definition l
    where l.tenant = d.tenant and l.key = d.key and l.withdrawn is null order by l.version desc limit 1
) f
where d.deployment_id = $1 and f.version < d.version
-- name: withdraw_files
select coalesce(json_agg(json_build_object('name', x.name, 'content', x.content)), '[]')::text
from (select distinct f.deployment_id || '/' || f.resource as name, r.content
      from definition d cross join lateral (
          select l.* from definition l
          where l.tenant = d.tenant and l.key = d.key and l.withdrawn is null order by l.version desc limit 1
      ) f
      join resource r on r.deployment_id = f.deployment_id and r.name = f.resource
      where d.deployment_id = $1 and f.version < d.version) x
-- name: withdraw_cancel
-- $4: something runs. What is started by commands that were accepted before is not meant.
with gone as (
    select array_agg(d.id) as ids, array_agg(d.key || ':' || d.version order by d.key, d.version) as names
    from definition d where d.deployment_id = $1
)
select json_build_object('processes', gone.names, 'bulk_id', b.bulk_id, 'instances', coalesce(b.matching, 0))::text
from gone left join lateral api_bulk_begin('cancel', jsonb_build_object('definitions', gone.ids),
    jsonb_build_object('reason', coalesce($2, 'its deployment was withdrawn')), null, $3) b on $4
