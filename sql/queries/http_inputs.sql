-- SPDX-License-Identifier: Apache-2.0
-- What a request brings, and by whose inputSchema it is judged: store/desk_judge.c. $1 is the request as JSON.
-- name: judge_start
select d.id, -1, coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}')::text
from (select $1::jsonb as it) r
cross join lateral (
    select d.id from definition d
    where d.tenant = api_tenant('{}') and d.key = r.it #>> '{path,key}' and d.withdrawn is null
      and (r.it #> '{body,version}' is null or r.it #> '{body,version}' = 'null' or d.version = (r.it #>> '{body,version}')::integer)
    order by d.version desc limit 1
) d
where api_may('start', r.it #>> '{path,key}') and exists (select from input i where i.definition_id = d.id and i.start and i.checked)
-- name: judge_complete
select t.definition_id, t.node, coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}')::text
from (select $1::jsonb as it) r
join task t on t.id = (r.it #>> '{path,id}')::uuid and t.answered_by is null
join input i on i.definition_id = t.definition_id and i.node = t.node and i.checked
where api_may('work', api_process(t.definition_id))
-- name: judge_message
-- Who would get it now: those that wait, else the process that it starts.
with request as (select $1::jsonb as it), waiting as (
    select n.definition_id, s.node from request r
    join subscription s on s.tenant = api_tenant('{}') and s.name = r.it #>> '{body,message}'
      and (s.key = r.it #>> '{body,key}' or (r.it #>> '{body,key}' is null and s.instance_id = (r.it #>> '{body,instanceId}')::uuid))
    join instance n on n.id = s.instance_id
    order by s.since limit case when (select it #> '{body,all}' from request) = 'true' then 100 else 1 end
)
select w.definition_id, w.node, coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}')::text
from request r cross join (
    select * from waiting
    union all
    select m.definition_id, m.node from request q
    join message_start m on m.tenant = api_tenant('{}') and m.name = q.it #>> '{body,message}'
    where not exists (select from waiting)
) w
where api_may('start', api_process(w.definition_id))
  and exists (select from input i where i.definition_id = w.definition_id and i.checked and (i.node = w.node or i.node = -1))
-- name: http_start_form
select 200, start_form($1)::text
-- name: http_task_form
select 200, task_form($1::uuid)::text
