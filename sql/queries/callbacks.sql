-- SPDX-License-Identifier: Apache-2.0
-- What the command line asks of callbacks (store/client_callbacks.c); like client.sql.
-- name: client_callbacks
select to_json(c)::text
from (select c.* from callbacks c
      where ($1::text is null or c.process = $1) and ($2::uuid is null or c.instance_id = $2)
      order by c.due, c.callback_id
      limit $3) c
-- name: client_callback_succeed
select to_json(c)::text from succeed_callback(token => $1, output => $2::jsonb, options => $3::jsonb) c
-- name: client_callback_fail
select to_json(c)::text from fail_callback(token => $1, error => $2, cause => $3, options => $4::jsonb) c
-- name: client_callback_heartbeat
select to_json(c)::text from (select heartbeat_callback(token => $1) as callback_id) c
-- name: client_callback_keys
select to_json(k)::text from (select k.* from callback_keys k order by k.key_id desc) k
-- name: client_rotate_callback_key
select to_json(k)::text from rotate_callback_key(options => $1::jsonb) k
