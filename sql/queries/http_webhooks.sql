-- SPDX-License-Identifier: Apache-2.0
-- What comes in by itself: webhooks (server/webhook.c) and CloudEvents (server/cloudevents.c).

-- name: http_webhook
select 200, api_webhook($1)::text
-- name: http_webhook_receive
-- $1: its name; $2: its id or NULL; $3: the body; $4: headers as JSON.
select 200, coalesce(w.became, '{"duplicate": true}')::text,
       coalesce(w.became ->> 'instanceId', w.became ->> 'messageId', w.became ->> 'callbackId')::uuid
from api_webhook_receive($1, jsonb_build_object('id', $2::text, 'body', $3::jsonb, 'headers', $4::jsonb)) w(became)
-- name: http_cloudevents
-- $1: the bus; $2: a CloudEvent or an array of them. All were refused: 400.
select case when bool_and(e.error_code is not null) then 400 else 202 end,
       api_events_answer(count(*), count(e.error_code), json_agg(json_strip_nulls(json_build_object(
           'eventId', e.event_id, 'duplicate', e.duplicate, 'code', e.error_code, 'message', e.error_message)) order by e.n))::text
from put_cloudevents($2::jsonb, $1) e
