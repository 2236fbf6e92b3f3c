-- SPDX-License-Identifier: Apache-2.0
-- SQL delegates: statements that service tasks run in the engine's own transaction. docs/delegates.md.

-- The half of set_sql_delegate() that has the engine's rights: says as whom the statement runs, and how.
create or replace function api_put_sql_delegate(
    name text,
    statement text,
    options jsonb,
    out given text,
    out runs_as name,
    out path text,
    out lock_timeout text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(api_put_sql_delegate.options, array['role', 'searchPath', 'timeout', 'lockTimeout']);
    login name := api_login();
    role text := api_text('the option role', api_put_sql_delegate.options ->> 'role', false);
    whole interval := coalesce(api_interval(api_put_sql_delegate.options, 'timeout', '1 ms'), '5 s');
    locks interval := coalesce(api_interval(api_put_sql_delegate.options, 'lockTimeout', '1 ms'), '1 s');
begin
    given := rtrim(api_put_sql_delegate.statement, E' \t\r\n;');
    -- Without a role it runs as the engine logs in: as the schema's owner, or as a superuser. Only one who is a superuser
    -- himself may count on that.
    runs_as := coalesce(role, (select r.rolname from pg_catalog.pg_roles r where r.rolname = login and r.rolsuper), current_user);
    path := coalesce(api_text('the option searchPath', api_put_sql_delegate.options ->> 'searchPath', false), 'pg_catalog, pg_temp');
    lock_timeout := ceil(extract(epoch from locks) * 1000);
    perform api_text('name', api_put_sql_delegate.name, true), api_require_everything();
    if api_served() is not null then
        raise exception using errcode = 'insufficient_privilege',
            message = 'SQL delegates are registered in SQL, by a role of the database',
            hint = 'Call set_sql_delegate() in a session of your own: it must be clear what that role may do itself.';
    end if;
    if octet_length(api_put_sql_delegate.name) > 200 then -- LIMIT_DELEGATE_NAME_BYTES
        raise exception using errcode = 'PW006', message = 'the name of the delegate has more than 200 bytes',
            hint = 'Use a shorter one.';
    elsif coalesce(given, '') = '' or octet_length(given) > 65536 then
        raise exception using errcode = 'PW003', message = 'the statement is missing, or has more than 65536 bytes',
            hint = 'Example: select shop.reserve_stock($1).';
    elsif extract(epoch from greatest(whole, locks)) * 1000 > 30000 then -- LIMIT_DELEGATE_TIMEOUT_MS
        raise exception using errcode = 'PW003', message = 'timeout and lockTimeout are at most 30 seconds',
            hint = 'A transaction that lasts longer holds up others. Use an external task for long work.';
    end if;
    if role is not null and not exists (select from pg_catalog.pg_roles r where r.rolname = role) then
        raise exception using errcode = 'PW001', message = format('there is no role "%s"', role),
            hint = 'Create it first (CREATE ROLE), or ask who may.';
    elsif role is not null and not pg_has_role(current_user, role::name, 'member')
          and not pg_has_role(session_user, role::name, 'member') then
        raise exception using errcode = 'PW003',
            message = format('the engine runs as %s, which may not act as "%s"', current_user, role),
            hint = format('Let it: grant %I to %I.', role, current_user);
    end if;
    -- Nobody gets by a delegate what he could not do himself.
    if not pg_has_role(login, runs_as, 'member') then
        raise exception using errcode = 'insufficient_privilege',
            message = format('%s may not register what runs as %s', login, runs_as),
            hint = 'Name a role that you are a member of: options => ''{"role": "…"}''.';
    end if;
    insert into sql_delegate as d (name, statement, role, search_path, timeout_ms, lock_timeout_ms, actor, at)
    values (api_put_sql_delegate.name, given, role, path, ceil(extract(epoch from whole) * 1000),
            ceil(extract(epoch from locks) * 1000), caller, clock())
    on conflict (name) do update set
        statement = excluded.statement, role = excluded.role, search_path = excluded.search_path,
        timeout_ms = excluded.timeout_ms, lock_timeout_ms = excluded.lock_timeout_ms,
        actor = excluded.actor, at = excluded.at;
    perform api_audit('sqlDelegateSet', caller, null, api_put_sql_delegate.name, jsonb_build_object('role', role));
end
$$;
revoke all on function api_put_sql_delegate(text, text, jsonb) from public;

-- Not SECURITY DEFINER: such a function may not become the role that the statement will run as. Whoever registers it is a
-- member of that role, so he can; what he may not do himself, the statement cannot do here either.
create or replace function set_sql_delegate(
    name text,
    statement text,
    options jsonb default '{}',
    out delegate text)
language plpgsql volatile
set search_path = @schema@, pg_temp
as $$
declare
    put record;
    plan text;
    opened refcursor;
    line record;
    error_state text;
    error_message text;
    error_detail text;
    error_hint text;
begin
    select p.* into put
    from api_put_sql_delegate(set_sql_delegate.name, set_sql_delegate.statement, set_sql_delegate.options) p;
    plan := 'explain (costs off) ' || put.given;
    begin
        perform set_config('role', put.runs_as, true), set_config('lock_timeout', put.lock_timeout, true),
                set_config('search_path', put.path, true);
        -- As it will be run, but no row is fetched, so nothing of it happens. The plan asks for the rights to what it writes.
        open opened for execute put.given using null::jsonb;
        close opened;
        for line in execute plan using null::jsonb loop
            exit;
        end loop;
        raise exception using errcode = 'PB000'; -- back to the session as it was
    exception when others then
        get stacked diagnostics error_state = returned_sqlstate, error_message = message_text,
            error_detail = pg_exception_detail, error_hint = pg_exception_hint;
    end;
    -- What a function said that the planner tried with no arguments is no verdict.
    if left(error_state, 2) in ('0A', '22', '3F', '40', '42', '53', '54', '55') then
        raise exception using errcode = 'PW003', detail = error_detail,
            message = format('the statement cannot run as %s: %s (SQLSTATE %s)', put.runs_as, error_message, error_state),
            hint = coalesce(nullif(error_hint, ''), case error_state
                when '42P11' then 'It is one statement that gives rows: add RETURNING, or call a function in a SELECT.'
                when '42P02' then 'There is $1 alone: the arguments, a jsonb object.'
                when '42501' then format('Grant it to %s, or name another role: options => ''{"role": "…"}''.', put.runs_as)
                else 'Names need their schema, unless the option searchPath says where to look.' end);
    end if;
    set_sql_delegate.delegate := set_sql_delegate.name;
end
$$;
revoke all on function set_sql_delegate(text, text, jsonb) from public;
comment on function set_sql_delegate(text, text, jsonb) is
'Registers a statement that service tasks run by its name (`pawl:sql`), or replaces it. It runs in the engine''s own transaction: what it changes and the step of the process are committed together, or neither.

- `name`: what the model says in `pawl:sql`.
- `statement`: one SELECT, INSERT, UPDATE or DELETE (these with RETURNING) that gives at most one row. `$1` is the task''s arguments, a jsonb object. One column is the result itself, several become an object. It is judged now, without running: whether it is such a statement, names what is there, and its role may do it. `raise exception using errcode = ''PB001'', message = ''CODE'', detail = ''…''` in a function that it calls throws the BPMN error CODE.
- `options`, all of them optional:
  - `role`: whom it runs as; by default the engine''s own role. You must be a member of it, and so must the engine''s role. This limits rights; it is no sandbox against a function that means harm.
  - `searchPath` ("pg_catalog, pg_temp"): where names without a schema are looked up.
  - `timeout` ("PT5S") and `lockTimeout` ("PT1S"), at most 30 s: what takes longer is rolled back and is a failed try.
  - `actor`.';

create or replace function drop_sql_delegate(name text, options jsonb default '{}', out delegate text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
begin
    perform api_actor(drop_sql_delegate.options), api_require_everything();
    delete from sql_delegate d where d.name = drop_sql_delegate.name;
    if not found then
        raise exception using errcode = 'PW001',
            message = format('there is no SQL delegate "%s"', left(drop_sql_delegate.name, 255)),
            hint = 'The view sql_delegates lists them.';
    end if;
    perform api_audit('sqlDelegateDropped', api_actor(drop_sql_delegate.options), null, drop_sql_delegate.name, null);
    drop_sql_delegate.delegate := drop_sql_delegate.name;
end
$$;
revoke all on function drop_sql_delegate(text, jsonb) from public;
comment on function drop_sql_delegate(text, jsonb) is
'Removes a SQL delegate. A process that names it later gets an incident.

- `name`: of the delegate. PW001 if there is none.
- `options`: `actor`.';

-- Runs one, on a worker's connection, in the batch's transaction. What it raises comes back as a row,
-- and what it had changed is undone. Workers plan by key only; a delegate's statements plan as usual.
-- The last is what the caller compares: nothing of the session may be another afterwards.
create or replace function api_sql_delegate(
    name text,
    arguments jsonb,
    out result text,
    out error_state text,
    out error_message text,
    out error_detail text,
    out error_context text)
language plpgsql volatile
set search_path = @schema@, pg_temp
set enable_seqscan = on
set enable_hashjoin = on
set enable_mergejoin = on
set plan_cache_mode = auto
as $$
declare
    wanted sql_delegate;
    role_before text := current_setting('role');
    expected text;
    one record;
    given jsonb;
    n integer := 0;
begin
    select d.* into wanted from sql_delegate d where d.name = api_sql_delegate.name;
    if not found then
        error_state := 'PW001';
        error_message := 'nobody has registered it';
        error_context := 'An administrator does with set_sql_delegate() or `pawl delegate set`.';
        return;
    end if;
    begin
        perform set_config('role', coalesce(wanted.role, role_before), true),
                set_config('search_path', wanted.search_path, true);
        expected := current_setting('role');
        -- As a cursor: what cannot give a row (COMMIT, SET, …) is refused by that.
        for one in execute wanted.statement using arguments loop
            n := n + 1;
            given := to_jsonb(one);
            exit when n > 1;
        end loop;
        if current_setting('role') is distinct from expected then
            raise exception using errcode = 'PW003', message = 'it changed the role of the session';
        elsif n > 1 then
            raise exception using errcode = 'PW003', message = 'it gives more than one row',
                detail = 'Aggregate them: jsonb_agg().';
        end if;
        -- What it deferred to the commit shows now.
        set constraints all immediate;
        perform set_config('role', role_before, true);
    exception when others then
        get stacked diagnostics error_state = returned_sqlstate, error_message = message_text,
            error_detail = pg_exception_detail, error_context = pg_exception_context;
        if error_state = '42P11' then
            error_detail := 'It must give rows: add RETURNING, or call a function in a SELECT.';
        end if;
        return;
    end;
    result := coalesce((case when (select count(*) from jsonb_object_keys(given)) = 1
                        then (select e.value from jsonb_each(given) e) else given end)::text, 'null');
end
$$;
revoke all on function api_sql_delegate(text, jsonb) from public;

create or replace view sql_delegates as
select d.name, d.statement, d.role, d.search_path, d.timeout_ms * interval '1 ms' as timeout,
       d.lock_timeout_ms * interval '1 ms' as lock_timeout, d.actor, d.at
from sql_delegate d;
revoke all on sql_delegates from public;
comment on view sql_delegates is 'The statements that service tasks run in the engine''s transaction, see set_sql_delegate().';
comment on column sql_delegates.role is 'whom it runs as; NULL: the engine''s own role';
comment on column sql_delegates.actor is 'who registered it last';
comment on column sql_delegates.at is 'and when';
