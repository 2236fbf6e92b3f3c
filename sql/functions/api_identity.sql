-- SPDX-License-Identifier: Apache-2.0
-- Who calls, what of which tenant he sees, and what he may do with which process. docs/security.md draws it.
--
-- Inside of a SECURITY DEFINER function, and behind a view, current_user is the schema's owner; so identity is the role
-- that the caller has SET, else his login. The server's sessions are the owner's own: they say by the setting pawl.caller
-- for whom they ask, and only they are believed. What a caller sets himself changes nothing.

-- The role that the caller has SET, else his login.
create or replace function api_login() returns name
language sql stable
begin atomic
    select case when current_setting('role') = 'none' then session_user else current_setting('role')::name end;
end;
revoke all on function api_login() from public;

-- Is it the engine itself, or who owns it? Who may empty its tables: their owner, superusers, nobody else. Inlined, and
-- no table is read: each statement of a worker asks this for each of its tables.
create or replace function api_engine() returns boolean
language sql stable
begin atomic
    select coalesce(current_setting('pawl.caller', true), '') = ''
       and has_table_privilege(api_login(), 'worker'::regclass, 'truncate');
end;
revoke all on function api_engine() from public;

-- For whom the server asks; NULL: this is no session of the server's.
create or replace function api_served() returns jsonb
language sql stable
begin atomic
    select case when coalesce(current_setting('pawl.caller', true), '') <> ''
                 and has_table_privilege(api_login(), 'worker'::regclass, 'truncate')
           then current_setting('pawl.caller')::jsonb end;
end;
revoke all on function api_served() from public;

-- Who calls, by name: a user of the server, or a database role.
create or replace function api_name() returns text
language sql stable
begin atomic
    select coalesce(api_served() ->> 'name', api_login()::text);
end;
revoke all on function api_name() from public;

-- Was this kind of right granted to the database role, or to one that it belongs to? By the first function of the kind,
-- as in zz_grants.sql. No table is read: who is not the engine is asked for it in every statement.
create or replace function api_role_may(login name, what text) returns boolean
language plpgsql stable
as $$
begin
    return has_table_privilege(login, 'worker'::regclass, 'truncate')
        or has_function_privilege(login, 'set_endpoint(text, text, jsonb)'::regprocedure, 'execute')
        or case what
               when 'author' then has_function_privilege(login, 'deploy(text, text, text, jsonb)'::regprocedure, 'execute')
               when 'start' then has_function_privilege(login, 'start(text, text, jsonb, text, integer, jsonb)'::regprocedure, 'execute')
               when 'work' then has_function_privilege(login, 'complete(uuid, jsonb, jsonb)'::regprocedure, 'execute')
               when 'read' then has_table_privilege(login, 'instances'::regclass, 'select')
               else false
           end;
end
$$;
revoke all on function api_role_may(name, text) from public;

-- The tenants of the caller, his first one first; NULL: all of them. None of the list is NULL, which a policy would take
-- for all of them, too.
create or replace function api_tenants() returns text[]
language plpgsql stable security definer
set search_path = @schema@, pg_temp
as $$
declare
    served jsonb := api_served();
    login name := api_login();
    known boolean;
    everywhere boolean;
begin
    if served is not null then
        -- Only a plain null means all of them: what is forgotten must not open everything.
        return case when served -> 'tenants' is distinct from 'null'
               then array(select t from jsonb_array_elements_text(served -> 'tenants') t where t is not null) end;
    elsif api_engine() then
        return null;
    end if;
    select count(*) > 0, bool_or(t.tenants is null) into known, everywhere from role_tenant t
    where pg_has_role(login, to_regrole(quote_ident(t.role)), 'usage');
    if not known then
        return case when not api_role_may(login, 'admin') then array[''] end;
    end if;
    return case when not everywhere then array(
        select u.tenant from role_tenant t, unnest(t.tenants) with ordinality u(tenant, n)
        where pg_has_role(login, to_regrole(quote_ident(t.role)), 'usage') and u.tenant is not null
        group by u.tenant order by min(u.n), u.tenant) end;
end
$$;
revoke all on function api_tenants() from public;

create or replace function api_all_tenants() returns boolean
language sql stable
begin atomic
    select api_tenants() is null;
end;
revoke all on function api_all_tenants() from public;

-- The tenant that a command is for: the one that is named, if it is one of the caller's; else his first.
create or replace function api_tenant(options jsonb) returns text
language plpgsql stable
as $$
declare
    tenants text[];
    wanted text;
begin
    if options ? 'tenant' then
        if jsonb_typeof(options -> 'tenant') <> 'string' then
            raise exception using errcode = 'PW003', message = 'the option tenant must be a text',
                hint = 'Example: options => ''{"tenant": "north"}''.';
        end if;
        wanted := api_text('the option tenant', options ->> 'tenant', false);
    end if;
    if api_engine() then
        return coalesce(wanted, '');
    end if;
    tenants := api_tenants();
    if wanted is null then
        wanted := case when tenants is null then '' else tenants[1] end;
    elsif not wanted = any (tenants) then
        wanted := null;
    end if;
    if wanted is null then
        raise exception using errcode = 'insufficient_privilege',
            message = case when options ? 'tenant'
                then format('the tenant "%s" is not one of %s', left(options ->> 'tenant', 100), api_name())
                else format('%s belongs to no tenant', api_name()) end,
            hint = 'Ask an administrator: set_role_tenants() for a database role, alter_user() for a user.';
    end if;
    return wanted;
end
$$;
revoke all on function api_tenant(jsonb) from public;

-- ---- Rights for some processes only ----

-- Does a process have a name like one of these? * stands for any text.
create or replace function api_matches(process text, patterns text[]) returns boolean
language sql immutable
as $$
    select exists (select from unnest(patterns) p
                   where process like replace(replace(replace(replace(p, '\', '\\'), '%', '\%'), '_', '\_'), '*', '%'))
$$;
revoke all on function api_matches(text, text[]) from public;

-- The processes for which the caller has a right, as patterns; NULL: all of them. Where nobody has limited a right that he
-- has, it holds for all; of several roles each adds its own.
create or replace function api_limits(what text) returns text[]
language plpgsql stable security definer
set search_path = @schema@, pg_temp
as $$
declare
    served jsonb;
    login name;
    patterns text[];
begin
    if api_engine() or not exists (select from process_right) then
        return null;
    end if;
    served := api_served();
    login := api_login();
    if not (case when served is not null then coalesce(served -> 'rights', '[]') ?| array[what, 'admin']
                 else api_role_may(login, what) end) then
        return '{}';
    end if;
    select array_agg(distinct r.process) into patterns from process_right r
    where r.may = api_limits.what
      and case when served is not null then not r.is_role and r.grantee = served ->> 'name'
               else r.is_role and exists (select from pg_catalog.pg_roles g where g.rolname = r.grantee
                                          and pg_has_role(login, g.oid, 'usage')) end;
    return patterns;
end
$$;
revoke all on function api_limits(text) from public;

-- The keys of those processes that there are; for views, which ask once a statement.
create or replace function api_processes(what text) returns text[]
language sql stable security definer
set search_path = @schema@, pg_temp
as $$
    select coalesce(array_agg(distinct d.key), '{}') from definition d, api_limits(api_processes.what) l
    where l is null or api_matches(d.key, l)
$$;
revoke all on function api_processes(text) from public;

create or replace function api_unlimited(what text) returns boolean
language sql stable security definer
set search_path = @schema@, pg_temp
as $$ select api_limits(api_unlimited.what) is null $$;
revoke all on function api_unlimited(text) from public;

-- Has the caller this right, for this process (NULL: for all of them)? A database role has what was granted to it:
-- that he could call the function at all. For a user of the server the right is looked at here, whatever the server did.
create or replace function api_may(what text, process text) returns boolean
language plpgsql stable
as $$
declare
    served jsonb;
    limits text[];
begin
    if api_engine() then
        return true;
    end if;
    served := api_served();
    if served is not null and not (coalesce(served -> 'rights', '[]') ?| array[what, 'admin']) then
        return false;
    end if;
    limits := api_limits(what);
    return limits is null or process is not null and api_matches(process, limits);
end
$$;
revoke all on function api_may(text, text) from public;

create or replace function api_require(what text, process text) returns void
language plpgsql stable
as $$
begin
    if not api_may(what, process) then
        raise exception using errcode = 'insufficient_privilege',
            message = format('%s may not %s %s', api_name(),
                case what when 'author' then 'deploy' when 'start' then 'start' when 'work' then 'do tasks of'
                             when 'read' then 'read' else 'administer' end,
                case when process is not null then format('the process "%s"', left(process, 100))
                     when api_limits(what) is not null then 'all processes, only some'
                     else 'processes' end),
            hint = 'Ask an administrator for the right: alter_user(), grant_process().';
    end if;
end
$$;
revoke all on function api_require(text, text) from public;

-- What concerns all tenants and all processes: endpoints, retention, users, …
create or replace function api_require_everything() returns void
language plpgsql stable
as $$
begin
    perform api_require('admin', null);
    if not api_engine() and not api_all_tenants() then
        raise exception using errcode = 'insufficient_privilege',
            message = format('%s may not change what concerns all tenants', api_name()),
            hint = 'This is for administrators of all tenants.';
    end if;
end
$$;
revoke all on function api_require_everything() from public;

-- The process of an instance, of a task …: by its definition. Not in SQL: such a function, when it reads a table, is planned
-- anew by each statement that calls it.
create or replace function api_process(definition_id integer) returns text
language plpgsql stable
as $$
begin
    return (select d.key from definition d where d.id = api_process.definition_id);
end
$$;
revoke all on function api_process(integer) from public;

-- The definitions that the caller may read, and those of whose tasks he may know. A view over a table that has no tenant
-- must join one of these, or `instance`; and it is a security barrier, so that no condition of the reader's runs first.
create or replace view api_read_definition as
select d.id, d.tenant, d.key, d.version, d.name, d.version_tag, d.deployment_id, d.resource, d.suspended, d.withdrawn,
       d.history_time_to_live, d.lane, d.only_called
from definition d where (select api_unlimited('read')) or d.key = any ((select api_processes('read'))::text[]);
revoke all on api_read_definition from public;
comment on view api_read_definition is 'The definitions that the caller may read.';
create or replace view api_work_definition as
select d.id, d.tenant, d.key, d.version, d.name, d.version_tag, d.deployment_id, d.resource, d.suspended, d.withdrawn,
       d.history_time_to_live, d.lane
from definition d
where (select api_unlimited('read')) or (select api_unlimited('work'))
   or d.key = any ((select api_processes('read'))::text[]) or d.key = any ((select api_processes('work'))::text[]);
revoke all on api_work_definition from public;
comment on view api_work_definition is 'The definitions whose tasks the caller may know of.';
