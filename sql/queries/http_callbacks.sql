-- SPDX-License-Identifier: Apache-2.0
-- Whoever has the token of a task answers over HTTP: $1 is the request (store/desk.h).
-- name: http_callback_succeed
select status, body, subject from api_callback_http($1::jsonb, 'succeed')
-- name: http_callback_fail
select status, body, subject from api_callback_http($1::jsonb, 'fail')
-- name: http_callback_heartbeat
select status, body, null::uuid from api_callback_http($1::jsonb, 'heartbeat')
-- name: http_callback_answer
select status, body, subject from api_callback_http($1::jsonb, null)
