-- SPDX-License-Identifier: Apache-2.0
-- `pawl user`. Lists are texts with commas; NULL: not given.
-- name: client_users
select to_json(x)::text from (select u.* from users u order by u.name) x
-- name: client_user_add
select json_build_object('user', $1::text)::text
from (select create_user(name => $1, rights => coalesce(string_to_array($2, ','), '{start,work,read}'),
                         tenants => string_to_array($3, ','), password => $4,
                         options => jsonb_build_object('technical', $5 = 'true'))::text) x
-- name: client_user_set
select json_build_object('user', $1::text)::text
from (select alter_user($1, jsonb_strip_nulls(jsonb_build_object('rights', to_jsonb(string_to_array($2, ',')),
    'tenants', to_jsonb(string_to_array($3, ',')), 'password', $4::text, 'disabled', $5::boolean)))::text) x
-- name: client_user_drop
select json_build_object('user', $1::text)::text from (select drop_user($1)::text) x
-- name: client_user_token
select to_json(t)::text from create_token($1, $2, $3::interval) t
-- name: client_user_token_drop
select json_build_object('user', $1::text, 'token', $2::text)::text from (select drop_token($1, $2)::text) x
-- name: client_user_grant
select json_build_object('grantee', $1::text)::text
from (select grant_process($1, $2, $3, jsonb_build_object('role', $4 = 'true'))::text) x
-- name: client_user_revoke
select json_build_object('grantee', $1::text, 'revoked', revoke_process($1, $2, $3, jsonb_build_object('role', $4 = 'true')))::text
-- name: client_user_key
select to_json(k)::text from create_access_key($1) k
-- name: client_user_key_drop
select json_build_object('accessKey', $1::text)::text from (select drop_access_key($1)::text) x
-- name: client_audit
select to_json(x)::text
from (select a.at, a.kind, a.actor, a.tenant, a.subject, a.detail, a.address from audit a
      where a.at >= coalesce($1::timestamptz, clock() - interval '1 day') and a.at < coalesce($2::timestamptz, 'infinity')
        and ($3::text is null or a.kind = $3) and ($4::text is null or a.actor = $4) and ($5::text is null or a.subject = $5)
      order by a.at desc limit $6) x
