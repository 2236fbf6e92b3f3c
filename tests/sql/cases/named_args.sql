-- SPDX-License-Identifier: Apache-2.0
-- Callers that know only names and JSON, as PostgREST does: the arguments come out of one object, the result goes
-- back as an array of objects, and the request runs as a role that is SET.
\connect - web
begin;
set local role starter;
with pgrst_source as (
    select pgrst_call.* from (select '{"process": "order", "variables": {"a": [1, 2]}, "request_key": "p"}'::json as json_data) pgrst_payload,
    lateral (select "process", "variables", "request_key" from json_to_record(pgrst_payload.json_data)
             as _("process" text, "variables" jsonb, "request_key" text)) pgrst_body,
    lateral "pawl"."start"("process" := pgrst_body.process, "variables" := pgrst_body.variables,
                           "request_key" := pgrst_body.request_key) pgrst_call
)
select json_array_length(json_agg(s)), json_typeof(json_agg(s) -> 0 -> 'instance_id'), json_agg(s) -> 0 -> 'created'
from pgrst_source s;
commit;
begin;
set local role worker;
with body as (select json_data from (select json_build_object('task_id', pawl.id(11), 'variables', '{}'::json) as json_data) x)
select r.command_id is not null from body, lateral json_to_record(json_data) as b(task_id uuid, variables jsonb),
lateral pawl.complete(task_id := b.task_id, variables := b.variables) r;
commit;
\connect - pawl
select kind, actor, body from pawl.inbox order by xid, id;
