-- SPDX-License-Identifier: Apache-2.0
-- What AWS's clients ask (server/aws_operations.c): $1 is the request's body, the columns are those of http.sql.

-- name: http_access_key
-- $1: its id. Who has it, and what he is as a principal (enum right of server/operation.h).
select 200, json_build_object('secret', k.secret, 'name', k.name, 'rights', k.bits, 'caller', k.caller::text)::text
from api_access_key($1) k
-- name: http_aws_task_success
select 200, '{}', c.callback_id
from (select $1::jsonb as it) r
cross join lateral succeed_callback(r.it ->> 'taskToken', (r.it ->> 'output')::jsonb) c
-- name: http_aws_task_failure
select 200, '{}', c.callback_id
from (select $1::jsonb as it) r
cross join lateral fail_callback(r.it ->> 'taskToken', nullif(r.it ->> 'error', ''), r.it ->> 'cause') c
-- name: http_aws_task_heartbeat
select 200, '{}', c.callback_id
from (select $1::jsonb as it) r
cross join lateral heartbeat_callback(r.it ->> 'taskToken') c(callback_id)
-- name: http_aws_start_execution
select 200, s.body::text, s.instance_id from api_aws_start($1::jsonb) s
-- name: http_aws_describe_execution
select 200, api_aws_describe($1::jsonb)::text
-- name: http_aws_stop_execution
select 200, api_aws_stop($1::jsonb)::text
-- name: http_aws_put_events
select 200, json_build_object(
    'FailedEntryCount', count(e.error_code),
    'Entries', json_agg(case when e.error_code is null then json_build_object('EventId', e.event_id)
                             else json_build_object('ErrorCode', e.error_code, 'ErrorMessage', e.error_message) end order by e.n))::text
from put_events($1::jsonb -> 'Entries') e
