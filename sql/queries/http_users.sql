-- SPDX-License-Identifier: Apache-2.0
-- What HTTP asks of users, and of what concerns the whole installation (server/operations_users.c): like http.sql.

-- name: http_me
select 200, json_build_object('name', api_name(), 'rights', coalesce(s.caller -> 'rights', '[]'),
    'tenants', coalesce(api_tenants(), '{*}'),
    'limits', (select coalesce(json_object_agg(w.what, api_limits(w.what)) filter (where api_limits(w.what) is not null), '{}')
               from jsonb_array_elements_text(s.caller -> 'rights') w(what)))::text
from api_served() s(caller)
-- name: http_user_list
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select u.name, u.technical, u.rights, u.tenants, u.has_password as "hasPassword", u.disabled, u.tokens, u.created,
             u.created_by as "createdBy"
      from users u order by u.name) x
-- name: http_user
select 200, to_json(x)::text
from (select u.name, u.technical, u.rights, u.tenants, u.has_password as "hasPassword", u.disabled, u.created,
             u.created_by as "createdBy",
             (select coalesce(json_agg(json_build_object('name', t.name, 'created', t.created, 'createdBy', t.created_by,
                                                         'expires', t.expires, 'lastUsed', t.last_used) order by t.name), '[]')
              from user_tokens t where t."user" = u.name) as tokens,
             (select coalesce(json_agg(json_build_object('accessKeyId', k.access_key_id, 'note', k.note, 'created', k.created,
                                                         'createdBy', k.created_by, 'expires', k.expires) order by k.created), '[]')
              from access_keys k where k.user_name = u.name) as keys,
             (select coalesce(json_agg(json_build_object('right', p.may, 'process', p.process) order by p.may, p.process), '[]')
              from process_rights p where p.grantee = u.name and not p.is_role) as grants
      from users u where u.name = $1) x
-- Its password comes as a verifier (server/users.c).
-- name: http_create_user
select 201, json_build_object('name', r.body ->> 'name')::text
from (select $1::jsonb -> 'body' as body) r
cross join lateral create_user(r.body ->> 'name', coalesce(api_texts('rights', r.body -> 'rights'), '{start,work,read}'),
                               api_texts('tenants', r.body -> 'tenants'), r.body ->> 'password',
                               jsonb_build_object('technical', coalesce(nullif(r.body -> 'technical', 'null'), 'false'))) c
-- A null is a value here: no password any more.
-- name: http_alter_user
select 200, json_build_object('name', r.it #>> '{path,name}')::text
from (select $1::jsonb as it) r
cross join lateral alter_user(r.it #>> '{path,name}', coalesce(nullif(r.it -> 'body', 'null'), '{}')) c
-- name: http_drop_user
select 200, json_build_object('name', $1)::text from (select drop_user($1)) x
-- name: http_create_token
select 201, json_build_object('user', r.it #>> '{path,name}', 'name', r.it #>> '{body,name}', 'token', t.token, 'expires', t.expires)::text
from (select $1::jsonb as it) r
cross join lateral create_token(r.it #>> '{path,name}', r.it #>> '{body,name}',
    case when r.it #> '{body,forever}' = 'true' then null else coalesce(r.it #>> '{body,lifetime}', '365 days')::interval end) t
-- name: http_drop_token
select 200, json_build_object('user', $1, 'name', $2)::text from (select drop_token($1, $2)) x
-- name: http_create_key
select 201, json_build_object('user', r.it #>> '{path,name}', 'accessKeyId', k.access_key_id, 'secretAccessKey', k.secret_access_key)::text
from (select $1::jsonb as it) r
cross join lateral create_access_key(r.it #>> '{path,name}', api_present(r.it -> 'body')) k
-- name: http_drop_key
select 200, json_build_object('user', k.user_name, 'accessKeyId', k.access_key_id)::text
from access_keys k cross join lateral drop_access_key(k.access_key_id) d where k.access_key_id = $2 and k.user_name = $1
-- name: http_grant
select 200, json_build_object('user', r.it #>> '{path,name}', 'right', r.it #>> '{body,right}', 'process', r.it #>> '{body,process}')::text
from (select $1::jsonb as it) r
cross join lateral grant_process(r.it #>> '{path,name}', r.it #>> '{body,right}', r.it #>> '{body,process}') g
-- name: http_revoke
select 200, json_build_object('user', $1, 'right', $2, 'process', $3)::text from revoke_process($1, $2, $3) r where r.revoked

-- ---- The whole installation ----

-- Without a time the last day: older entries are many.
-- name: http_audit
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select a.at, a.kind, a.actor, a.tenant, a.subject, a.detail, a.address
      from audit a
      where a.at >= coalesce($1::timestamptz, clock() - interval '1 day') and a.at < coalesce($2::timestamptz, 'infinity')
        and ($3::text is null or a.kind = $3) and ($4::text is null or a.actor = $4) and ($5::text is null or a.subject = $5)
      order by a.at desc limit least(coalesce($6::integer, 100), 1000)) x
-- name: http_settings
select 200, json_build_object(
    'retention', (select json_build_object('history', s.history, 'outcomes', s.outcomes, 'requestKeys', s.request_keys,
                                           'deadLetters', s.dead_letters, 'events', s.events, 'eventKeys', s.event_keys,
                                           'audit', s.audit, 'callbackAnswers', s.callback_answers) from retention_settings s),
    'publicUrl', i.public_url, 'callbackLife', i.callback_life,
    'alertInterval', i.alert_interval)::text
from installation_settings i
-- A null is a value here: for ever, nowhere.
-- name: http_set_retention
select 200, json_build_object('changed', s.changed)::text from set_retention(coalesce(nullif($1::jsonb -> 'body', 'null'), '{}')) s
-- name: http_set_installation
select 200, json_build_object('changed', s.changed)::text from set_installation(coalesce(nullif($1::jsonb -> 'body', 'null'), '{}')) s
