-- SPDX-License-Identifier: Apache-2.0
-- What Pawl's own HTTP operations ask: thin statements over the SQL API. $1 is the request as JSON, the columns
-- are the status, the body and, where something can be waited for, its id (store/desk.h, server/operation.h).

-- name: http_start
select case when s.created then 201 else 200 end,
       json_build_object('instanceId', s.instance_id, 'created', s.created)::text, s.instance_id
from (select $1::jsonb as it) r
cross join lateral start(process => r.it #>> '{path,key}', business_key => r.it #>> '{body,businessKey}',
                         variables => coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}'),
                         request_key => r.it #>> '{body,requestKey}', version => (r.it #>> '{body,version}')::integer) s
-- name: http_publish
select 202, json_build_object('messageId', p.id)::text, p.id
from (select $1::jsonb as it) r
cross join lateral publish(message => r.it #>> '{body,message}', key => coalesce(r.it #>> '{body,key}', ''),
                           variables => coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}'),
                           ttl => coalesce(r.it #>> '{body,ttl}', '10 minutes')::interval,
                           options => jsonb_strip_nulls(jsonb_build_object('all', r.it #> '{body,all}'))) p(id)

-- ---- What becomes of a command ----

-- name: http_outcome
select case when o.known then 200 else 404 end,
       json_build_object('id', r.it #>> '{path,id}', 'state', coalesce(o.state, 'pending'), 'detail', o.detail)::text,
       case when o.state is null then (r.it #>> '{path,id}')::uuid end
from (select $1::jsonb as it) r cross join lateral api_outcome((r.it #>> '{path,id}')::uuid) o
where o.known
-- Of all that is waited for: an object of those that are decided.
-- name: http_outcomes
select 200, api_outcomes($1::jsonb)::text
