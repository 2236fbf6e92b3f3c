-- SPDX-License-Identifier: Apache-2.0
-- Access keys: with one a user signs requests as AWS's clients do (server/sigv4.c). Who verifies a signature must know the
-- secret itself, so it is kept as it is, in a table that nobody but the engine's own role reads; no function and no view
-- shows it again.

create or replace function create_access_key(
    user_name text,
    options jsonb default '{}',
    out access_key_id text,
    out secret_access_key text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    caller text := api_actor(options, array['note', 'life']);
    life interval := api_interval(options, 'life', '1 s');
begin
    perform api_require_everything(), api_text('the option note', options ->> 'note', false);
    if not exists (select from account a where a.name = user_name) then
        raise exception using errcode = 'PW001', message = format('there is no user "%s"', left(user_name, 255)),
            hint = 'Make him first (create_user); the view users lists them.';
    end if;
    access_key_id := 'PAWL' || upper(left(replace(gen_random_uuid()::text, '-', ''), 16));
    -- 366 random bits make 256; letters and digits alone, so that it can be pasted anywhere.
    secret_access_key := translate(left(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
                                                      || uuid_send(gen_random_uuid())), 'base64'), 40), '+/', 'Pw');
    insert into access_key (id, secret, account, note, created, created_by, expires)
    values (access_key_id, secret_access_key, user_name, options ->> 'note', clock(), caller, clock() + life);
    perform api_audit('accessKeyCreated', caller, null, user_name, jsonb_build_object('id', access_key_id));
end
$$;
revoke all on function create_access_key(text, jsonb) from public;
comment on function create_access_key(text, jsonb) is
'Makes an access key, with which a user signs requests by AWS Signature Version 4: what was written for AWS Step Functions or EventBridge then only changes its endpoint.

- `user_name`: whose it is; the key may do what he may. PW001 if there is none.
- `options`: `note`, what it is for; `life`, for how long it is good ("P90D"), for ever unless told; `actor`.

Returns the key''s id and its secret, which is not shown again.';

create or replace function drop_access_key(access_key_id text, options jsonb default '{}', out dropped boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    caller text := api_actor(options);
    owner text;
begin
    perform api_require_everything();
    delete from access_key k where k.id = access_key_id returning k.account into owner;
    if not found then
        raise exception using errcode = 'PW001', message = format('there is no access key "%s"', left(access_key_id, 40)),
            hint = 'The view access_keys lists them.';
    end if;
    perform api_audit('accessKeyDropped', caller, null, owner, jsonb_build_object('id', access_key_id));
    dropped := true;
end
$$;
revoke all on function drop_access_key(text, jsonb) from public;
comment on function drop_access_key(text, jsonb) is
'Ends an access key: the next request that is signed with it is refused.

- `access_key_id`: PW001 if there is none.
- `options`: `actor`.';

create or replace view access_keys as
select k.id as access_key_id, k.account as user_name, k.note, k.created, k.created_by, k.expires
from access_key k
where (select api_engine()) or (select api_all_tenants()) and (select api_unlimited('admin'));
revoke all on access_keys from public;
comment on view access_keys is 'Access keys, by which users sign requests; their secrets are nowhere to be seen.';
comment on column access_keys.expires is 'NULL: never';

-- For the server: the secret, and who has it. Nothing: there is none, it is over, or its user may not come in.
create or replace function api_access_key(id text, out secret text, out name text, out bits integer, out caller jsonb)
returns setof record
language sql stable
as $$
    select k.secret, a.name,
           (select coalesce(bit_or(case r when 'start' then 1 when 'work' then 2 when 'read' then 4 when 'author' then 8
                                   when 'admin' then 31 else 0 end), 0) from unnest(a.rights) r),
           jsonb_build_object('name', a.name, 'rights', a.rights, 'tenants', a.tenants)
    from access_key k join account a on a.name = k.account
    where k.id = api_access_key.id and not a.disabled and (k.expires is null or k.expires > clock())
$$;
revoke all on function api_access_key(text) from public;
