-- SPDX-License-Identifier: Apache-2.0
-- Users of the server: people with a password, programs with tokens. The database's own roles need none of this.

-- HMAC-SHA-256 of a key of at most 64 bytes.
create or replace function api_hmac(key bytea, message bytea) returns bytea
language plpgsql immutable
as $$
declare
    inner_pad bytea := decode(repeat('36', 64), 'hex');
    outer_pad bytea := decode(repeat('5c', 64), 'hex');
begin
    for i in 0 .. octet_length(key) - 1 loop
        inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
        outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
    end loop;
    return sha256(outer_pad || sha256(inner_pad || message));
end
$$;
revoke all on function api_hmac(bytea, bytea) from public;

-- SCRAM-SHA-256's verifier of a password (RFC 5803), as PostgreSQL keeps it for its roles: PBKDF2, with one block.
create or replace function api_verifier(password text, salt bytea, iterations integer) returns text
language plpgsql immutable
as $$
declare
    key bytea := convert_to(password, 'UTF8');
    inner_pad bytea := decode(repeat('36', 64), 'hex');
    outer_pad bytea := decode(repeat('5c', 64), 'hex');
    u bytea;
    salted bit(256);
    hashed bytea;
begin
    if octet_length(key) > 64 then
        key := sha256(key);
    end if;
    for i in 0 .. octet_length(key) - 1 loop
        inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
        outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
    end loop;
    u := sha256(outer_pad || sha256(inner_pad || salt || '\x00000001'));
    salted := ('x' || encode(u, 'hex'))::bit(256);
    for i in 2 .. iterations loop
        u := sha256(outer_pad || sha256(inner_pad || u));
        salted := salted # ('x' || encode(u, 'hex'))::bit(256);
    end loop;
    hashed := ''::bytea;
    for i in 0 .. 7 loop
        hashed := hashed || int4send(substring(salted from i * 32 + 1 for 32)::bit(32)::integer);
    end loop;
    return format('SCRAM-SHA-256$%s:%s$%s:%s', iterations, encode(salt, 'base64'),
                  encode(sha256(api_hmac(hashed, 'Client Key')), 'base64'), encode(api_hmac(hashed, 'Server Key'), 'base64'));
end
$$;
revoke all on function api_verifier(text, bytea, integer) from public;

-- A password as it is kept: a verifier that the caller has made is taken as it is.
create or replace function api_password(given text) returns text
language plpgsql volatile
as $$
begin
    if given is null or given ~ '^SCRAM-SHA-256\$[1-9][0-9]{3,6}:[A-Za-z0-9+/]{22,86}={0,2}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=$' then
        return given;
    elsif octet_length(given) < 8 or octet_length(given) > 1024 then -- LIMIT_PASSWORD_BYTES_MIN, LIMIT_PASSWORD_BYTES
        raise exception using errcode = 'PW003', message = 'a password has 8 to 1024 bytes',
            hint = 'A long one that is easy to remember is better than a short one that is not.';
    end if;
    return api_verifier(given, substr(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())), 1, 16), 20000);
end
$$;
revoke all on function api_password(text) from public;

create or replace function api_user_rights(rights text[]) returns text[]
language plpgsql immutable
as $$
begin
    if rights is null or not rights <@ array['author', 'start', 'work', 'read', 'admin'] then
        raise exception using errcode = 'PW003', message = 'rights must be a list of author, start, work, read and admin',
            hint = 'Example: rights => ''{start,read}''.';
    end if;
    return array(select distinct r from unnest(rights) r order by r);
end
$$;
revoke all on function api_user_rights(text[]) from public;

-- An array of texts out of JSON; NULL: it is not there.
create or replace function api_texts(what text, given jsonb) returns text[]
language plpgsql immutable
as $$
begin
    if given is null then
        return null;
    elsif jsonb_typeof(given) <> 'array' or jsonb_path_exists(given, 'strict $[*] ? (@.type() != "string")') then
        raise exception using errcode = 'PW003', message = format('%s must be an array of texts', what),
            hint = 'Example: {"rights": ["start", "read"], "tenants": ["*"]}.';
    end if;
    return array(select jsonb_array_elements_text(given));
end
$$;
revoke all on function api_texts(text, jsonb) from public;

create or replace function create_user(
    name text,
    rights text[] default '{start,work,read}',
    tenants text[] default null,
    password text default null,
    options jsonb default '{}')
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(create_user.options, array['technical']);
    may text[] := api_user_rights(create_user.rights);
    whose text[];
begin
    perform api_require_everything();
    perform api_text('name', create_user.name, true);
    if create_user.name ~ '[[:cntrl:]:]' then
        raise exception using errcode = 'PW003', message = 'the name of a user has no colon and no control characters',
            hint = 'HTTP Basic could not send it.';
    end if;
    whose := case when create_user.tenants is not null then api_given_tenants(create_user.tenants)
                  when not 'admin' = any (may) then '{""}'::text[] end;
    insert into account (name, technical, rights, tenants, password, created, created_by)
    values (create_user.name, coalesce(api_flag('technical', create_user.options -> 'technical'), false), may, whose,
            api_password(create_user.password), clock(), caller)
    on conflict do nothing;
    if not found then
        raise exception using errcode = 'PW002', message = format('the user "%s" is there already', create_user.name),
            hint = 'alter_user() changes him.';
    end if;
    perform api_audit('userCreated', caller, null, create_user.name,
                              jsonb_build_object('rights', may, 'tenants', coalesce(whose, '{*}')));
end
$$;
revoke all on function create_user(text, text[], text[], text, jsonb) from public;
comment on function create_user(text, text[], text[], text, jsonb) is
'Makes a user of the server, a person or a program. He identifies himself by name and password, or by a token: create_token().

- `name`: no colon. PW002 if there is one of that name.
- `rights`: of `author` (deploys), `start`, `work`, `read` and `admin` (everything). grant_process() limits them to some processes.
- `tenants`: whose data he sees and acts on; the first is the one that he starts for when he says nothing. By default the tenant '''', of administrators `{*}`: all of them.
- `password`: a text, or a SCRAM-SHA-256 verifier, so that no log of the database sees the password (`pawl user add` does so). NULL: none, for those who have tokens only.
- `options`: `technical` = true: a program; `actor`.';

create or replace function alter_user(
    name text,
    options jsonb)
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(alter_user.options, array['rights', 'tenants', 'password', 'disabled', 'technical']);
    may text[] := api_texts('the option rights', alter_user.options -> 'rights');
    whose text[] := api_texts('the option tenants', alter_user.options -> 'tenants');
begin
    perform api_require_everything();
    if coalesce(jsonb_typeof(alter_user.options -> 'password'), 'null') not in ('string', 'null') then
        raise exception using errcode = 'PW003', message = 'the option password must be a text, or null for none',
            hint = 'Example: options => ''{"password": null}''.';
    end if;
    update account a set
        rights = case when may is not null then api_user_rights(may) else a.rights end,
        tenants = case when whose is not null then api_given_tenants(whose) else a.tenants end,
        password = case when alter_user.options ? 'password' then api_password(alter_user.options ->> 'password') else a.password end,
        disabled = coalesce(api_flag('disabled', alter_user.options -> 'disabled'), a.disabled),
        technical = coalesce(api_flag('technical', alter_user.options -> 'technical'), a.technical)
    where a.name = alter_user.name;
    if not found then
        raise exception using errcode = 'PW001', message = format('there is no user "%s"', left(alter_user.name, 255)),
            hint = 'The view users lists them.';
    end if;
    perform api_audit('userAltered', caller, null, alter_user.name,
        alter_user.options - 'actor' - 'password'
        || case when alter_user.options ? 'password' then '{"password": "***"}' else '{}' end::jsonb);
end
$$;
revoke all on function alter_user(text, jsonb) from public;
comment on function alter_user(text, jsonb) is
'Changes a user. It counts within two seconds, on all nodes.

- `name`: PW001 if there is none.
- `options`: what is to change: `rights`, `tenants`: arrays as in create_user(); `password`: null takes it away; `disabled`: true: he is not let in any more, nor are his tokens; `technical`; `actor`.';

create or replace function drop_user(name text, options jsonb default '{}')
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(drop_user.options);
begin
    perform api_require_everything();
    delete from account a where a.name = drop_user.name;
    if not found then
        raise exception using errcode = 'PW001', message = format('there is no user "%s"', left(drop_user.name, 255)),
            hint = 'The view users lists them.';
    end if;
    delete from process_right r where r.grantee = drop_user.name and not r.is_role;
    perform api_audit('userDropped', caller, null, drop_user.name, null);
end
$$;
revoke all on function drop_user(text, jsonb) from public;
comment on function drop_user(text, jsonb) is
'Removes a user, with his tokens and grants. What he did stays recorded under his name.

- `name`: PW001 if there is none.
- `options`: `actor`.';

create or replace function create_token(
    "user" text,
    name text,
    lifetime interval default '365 days',
    options jsonb default '{}',
    out token text,
    out token_id uuid,
    out expires timestamptz)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(create_token.options);
begin
    perform api_require_everything();
    perform api_text('name', create_token.name, true);
    if create_token.lifetime < '1 minute' or create_token.lifetime > '36500 days' then
        raise exception using errcode = 'PW003', message = 'a token lives from a minute to 100 years',
            hint = 'NULL is for ever.';
    elsif not exists (select from account a where a.name = create_token."user") then
        raise exception using errcode = 'PW001', message = format('there is no user "%s"', left(create_token."user", 255)),
            hint = 'The view users lists them.';
    end if;
    -- 32 bytes out of 366 random bits.
    token := 'pawl_' || translate(encode(sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())
                                               || uuid_send(gen_random_uuid())), 'base64'), '+/=', '-_');
    token_id := api_id();
    expires := clock() + create_token.lifetime;
    insert into account_token (id, account, name, digest, created, created_by, expires)
    values (token_id, create_token."user", create_token.name, sha256(convert_to(token, 'UTF8')), clock(), caller, expires)
    on conflict (account, name) do nothing;
    if not found then
        raise exception using errcode = 'PW002',
            message = format('the user "%s" has a token "%s" already', create_token."user", create_token.name),
            hint = 'Choose another name, or drop_token() that one.';
    end if;
    perform api_audit('tokenCreated', caller, null, create_token."user",
                              jsonb_build_object('token', create_token.name, 'expires', expires));
end
$$;
revoke all on function create_token(text, text, interval, jsonb) from public;
comment on function create_token(text, text, interval, jsonb) is
'Makes a bearer token for a user: `Authorization: Bearer …`. It is shown this once; only its digest is kept.

- `user`: PW001 if there is none.
- `name`: what it is for; the user has one of each name.
- `lifetime`: NULL: it never expires.
- `options`: `actor`.';

create or replace function drop_token(
    "user" text,
    name text,
    options jsonb default '{}')
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(drop_token.options);
begin
    perform api_require_everything();
    delete from account_token t where t.account = drop_token."user" and t.name = drop_token.name;
    if not found then
        raise exception using errcode = 'PW001',
            message = format('the user "%s" has no token "%s"', left(drop_token."user", 255), left(drop_token.name, 255)),
            hint = 'The view user_tokens lists them.';
    end if;
    perform api_audit('tokenDropped', caller, null, drop_token."user", jsonb_build_object('token', drop_token.name));
end
$$;
revoke all on function drop_token(text, text, jsonb) from public;
comment on function drop_token(text, text, jsonb) is
'Revokes a token. It counts within two seconds, on all nodes.

- `user`: whose it is.
- `name`: of the token. PW001 if there is none.
- `options`: `actor`.';

-- ---- What the server asks (server/auth.c), in sessions of the engine's own ----

-- Whose credentials these may be: by the digest of a token, in hex, or by name. NULL: nobody's.
create or replace function api_credentials(token_digest text, user_name text) returns jsonb
language sql volatile
as $$
    select jsonb_build_object('password', case when token_digest is null then a.password end,
               'name', a.name, 'rights', a.rights, 'tenants', a.tenants,
               'stale', t.id is not null and coalesce(t.last_used, '-infinity') < clock() - interval '1 minute')
    from account a left join account_token t on t.account = a.name and t.digest = decode(token_digest, 'hex')
    where not a.disabled
      and case when token_digest is null then a.name = user_name and a.password is not null
               else a.name = (select o.account from account_token o where o.digest = decode(token_digest, 'hex'))
                    and (t.expires is null or t.expires > clock()) end
$$;
revoke all on function api_credentials(text, text) from public;

-- What the server writes down, once a second at most: refusals, of credentials ('loginRefused') or of something that a user
-- may not ('forbidden'), and which tokens were used.
create or replace function api_note(given jsonb) returns bigint
language plpgsql volatile
as $$
begin
    update account_token t set last_used = clock()
    where t.digest in (select decode(u, 'hex') from jsonb_array_elements_text(given -> 'used') u);
    insert into audit_entry (at, kind, actor, tenant, subject, detail, address)
    select clock(), r ->> 'kind', r ->> 'name', null, nullif(r ->> 'subject', ''),
           case when (r ->> 'times')::integer > 1 then jsonb_build_object('times', (r ->> 'times')::integer) end, r ->> 'address'
    from jsonb_array_elements(given -> 'refused') r;
    return jsonb_array_length(given -> 'refused');
end
$$;
revoke all on function api_note(jsonb) from public;

-- ---- Views ----

create or replace view users as
select a.name, a.technical, a.rights, coalesce(a.tenants, '{*}') as tenants, a.password is not null as has_password, a.disabled,
       (select count(*) from account_token t where t.account = a.name) as tokens, a.created, a.created_by
from account a where (select api_engine()) or (select api_all_tenants()) and (select api_unlimited('admin'));
revoke all on users from public;
comment on view users is 'The users of the server, see create_user(). Roles of the database are in pg_roles.';
comment on column users.technical is 'a program';
comment on column users.tenants is '`{*}`: all of them';

create or replace view user_tokens as
select t.account as "user", t.name, t.id as token_id, t.created, t.created_by, t.expires, t.last_used
from account_token t where (select api_engine()) or (select api_all_tenants()) and (select api_unlimited('admin'));
revoke all on user_tokens from public;
comment on view user_tokens is 'The tokens of users, without the tokens: see create_token().';
comment on column user_tokens.expires is 'NULL: never';
comment on column user_tokens.last_used is 'to the minute';
