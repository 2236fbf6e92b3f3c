-- SPDX-License-Identifier: Apache-2.0
-- Tenants and processes of database roles and users: what an administrator of all tenants says.

-- What changed, and who did it; not for what the history of an instance has.
create or replace function api_audit(kind text, actor text, tenant text, subject text, detail jsonb) returns void
language plpgsql volatile
as $$
begin
    insert into audit_entry (at, kind, actor, tenant, subject, detail)
    values (clock(), api_audit.kind, api_audit.actor, api_audit.tenant, api_audit.subject, api_audit.detail);
end
$$;
revoke all on function api_audit(text, text, text, text, jsonb) from public;

-- Tenants as they are stored: NULL for {*}, all of them.
create or replace function api_given_tenants(tenants text[]) returns text[]
language plpgsql immutable
as $$
declare
    one text;
begin
    if cardinality(tenants) > 1000 or array_position(tenants, null) is not null or array_ndims(tenants) > 1 then
        raise exception using errcode = 'PW003', message = 'tenants must be a list of at most 1000 names',
            hint = 'Example: tenants => ''{north,south}'', or ''{*}'' for all of them.';
    end if;
    foreach one in array tenants loop
        perform api_text('the name of a tenant', one, false);
    end loop;
    if '*' = any (tenants) then
        return null;
    end if;
    return tenants;
end
$$;
revoke all on function api_given_tenants(text[]) from public;

create or replace function set_role_tenants(
    role name,
    tenants text[] default null,
    options jsonb default '{}')
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(set_role_tenants.options);
begin
    perform api_require_everything();
    if set_role_tenants.tenants is null then
        delete from role_tenant t where t.role = set_role_tenants.role;
    else
        if not exists (select from pg_catalog.pg_roles r where r.rolname = set_role_tenants.role) then
            raise exception using errcode = 'PW001', message = format('there is no role "%s"', set_role_tenants.role),
                hint = 'Create it first (CREATE ROLE), or ask who may.';
        end if;
        insert into role_tenant (role, tenants) values (set_role_tenants.role, api_given_tenants(set_role_tenants.tenants))
        on conflict (role) do update set tenants = excluded.tenants;
    end if;
    perform api_audit('roleTenantsSet', caller, null, set_role_tenants.role::text,
                      jsonb_build_object('tenants', set_role_tenants.tenants));
end
$$;
revoke all on function set_role_tenants(name, text[], jsonb) from public;
comment on function set_role_tenants(name, text[], jsonb) is
'Says which tenants a database role sees and acts for. Whoever belongs to several roles has the tenants of all of them.

- `role`: PW001 if there is none.
- `tenants`: their names, the first is the one that he starts for when he says nothing; `{*}`: all of them; NULL: as without this: only the tenant '''', and all of them for administrators.
- `options`: `actor`.';

create or replace view role_tenants as
select t.role, coalesce(t.tenants, '{*}') as tenants from role_tenant t
where (select api_engine()) or (select api_all_tenants()) and (select api_unlimited('admin'));
revoke all on role_tenants from public;
comment on view role_tenants is 'The tenants of database roles, see set_role_tenants().';

create or replace function grant_process(
    grantee text,
    what text,
    process text,
    options jsonb default '{}')
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(grant_process.options, array['role']);
    is_role boolean := coalesce(api_flag('role', grant_process.options -> 'role'), false);
begin
    perform api_require_everything();
    perform api_text('grantee', grant_process.grantee, true), api_text('process', grant_process.process, true);
    if grant_process.what is null or grant_process.what not in ('author', 'start', 'work', 'read', 'admin') then
        raise exception using errcode = 'PW003', message = format('there is no right "%s"', left(grant_process.what, 40)),
            hint = 'Choose author, start, work, read or admin.';
    elsif is_role and not exists (select from pg_catalog.pg_roles r where r.rolname = grant_process.grantee)
       or not is_role and not exists (select from account a where a.name = grant_process.grantee) then
        raise exception using errcode = 'PW001',
            message = format('there is no %s "%s"', case when is_role then 'role' else 'user' end, grant_process.grantee),
            hint = case when is_role then 'Create it first (CREATE ROLE), or leave the option role out for a user.'
                        else 'The view users lists them; for a database role: options => ''{"role": true}''.' end;
    end if;
    insert into process_right (grantee, is_role, may, process)
    values (grant_process.grantee, is_role, grant_process.what, grant_process.process)
    on conflict do nothing;
    perform api_audit('processGranted', caller, null, grant_process.grantee,
                      jsonb_build_object('role', is_role, 'right', grant_process.what, 'process', grant_process.process));
end
$$;
revoke all on function grant_process(text, text, text, jsonb) from public;
comment on function grant_process(text, text, text, jsonb) is
'Limits a right that somebody has to some processes: from the first grant on, to those that were granted. It gives nobody a right that he has not.

- `grantee`: a user, or a database role.
- `what`: `author`, `start`, `work`, `read` or `admin`.
- `process`: the id of the process in its BPMN file; `*` stands for any text.
- `options`: `role` = true: the grantee is a database role; `actor`.

Who may start some processes only may publish(), or correlate() without an instance, messages of which no model of another process in his tenant speaks: a message whose name is an expression counts as any. Who administers some processes only names one to bulk().';

create or replace function revoke_process(
    grantee text,
    what text,
    process text,
    options jsonb default '{}',
    out revoked boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(revoke_process.options, array['role']);
    role boolean := coalesce(api_flag('role', revoke_process.options -> 'role'), false);
begin
    perform api_require_everything();
    delete from process_right r
    where r.grantee = revoke_process.grantee and r.is_role = role and r.may = revoke_process.what
      and r.process = revoke_process.process;
    revoke_process.revoked := found;
    if found then
        perform api_audit('processRevoked', caller, null, revoke_process.grantee,
                          jsonb_build_object('role', role, 'right', revoke_process.what, 'process', revoke_process.process));
    end if;
end
$$;
revoke all on function revoke_process(text, text, text, jsonb) from public;
comment on function revoke_process(text, text, text, jsonb) is
'Takes back grant_process(). When the last grant of a right is gone, the right holds for all processes again: to take it away, use alter_user() or REVOKE. FALSE: it was not granted.

- `grantee`, `what`, `process`: as for grant_process().
- `options`: `role`, as there; `actor`.';

create or replace view process_rights as
select r.grantee, r.is_role, r.may, r.process from process_right r
where (select api_engine()) or (select api_all_tenants()) and (select api_unlimited('admin'));
revoke all on process_rights from public;
comment on view process_rights is 'Rights that hold for some processes only, see grant_process().';
comment on column process_rights.is_role is 'a database role; else a user';
comment on column process_rights.may is 'the right: `author`, `start`, `work`, `read`, `admin`';
comment on column process_rights.process is 'a process, * stands for any text';
