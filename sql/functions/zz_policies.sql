-- SPDX-License-Identifier: Apache-2.0
-- Who owns the schema, and who sees which rows. The last file: everything that it names exists.

-- Superusers see everything, whatever a policy says, and so would functions that belong to one. So what a superuser
-- installs goes to a role that nobody logs in as: <schema>_owner, or who owns the schema already. An installer who is
-- no superuser owns what he made, and FORCE holds him to the policies, too.
do $do$
declare
    schema oid := quote_ident(current_schema())::regnamespace;
    owner name := (select r.rolname from pg_catalog.pg_namespace n join pg_catalog.pg_roles r on r.oid = n.nspowner
                   where n.oid = schema and not r.rolsuper);
    thing record;
begin
    if not (select r.rolsuper from pg_catalog.pg_roles r where r.rolname = current_user) then
        return;
    end if;
    if owner is null then
        owner := case when octet_length(current_schema()) <= 57 then current_schema() || '_owner'
                      else left(current_schema(), 40) || '_owner_' || left(md5(current_schema()), 8) end;
        begin
            if not exists (select from pg_catalog.pg_roles r where r.rolname = owner) then
                execute format('create role %I nologin', owner);
            end if;
        exception when duplicate_object or unique_violation then
            null; -- another installation of the cluster was faster: roles belong to all databases
        end;
        execute format('alter schema %I owner to %I', current_schema(), owner);
    end if;
    for thing in
        select case c.relkind when 'v' then 'view' else 'table' end as kind, c.oid::regclass::text as name
        from pg_catalog.pg_class c
        where c.relnamespace = schema and c.relkind in ('r', 'p', 'v') and c.relowner <> owner::regrole
        union all
        select 'routine', p.oid::regprocedure::text from pg_catalog.pg_proc p
        where p.pronamespace = schema and p.proowner <> owner::regrole
    loop
        execute format('alter %s %s owner to %I', thing.kind, thing.name, owner);
    end loop;
end
$do$;

-- Policies. Everybody sees the rows of his tenants; the engine, and whoever has all tenants, all rows. Who it is, is one
-- parameter that is computed once a statement, so that the engine's plans and times stay what they are. Tables that are not named here
-- hold what has no tenant, or what is reached only through a row that has one (docs/security.md says which is which).
-- A policy that is there already is left alone: to make one locks everybody out for a moment.
do $do$
declare
    -- api_tenants() is NULL for all of them, and a tenant never is. That it is the engine is seen without a call.
    mine constant text := 'coalesce(%1$stenant = any ((select case when not api_engine() then api_tenants() end)::text[]), true)';
    p record;
    policy text;
begin
    for p in
        select t.name, t.only_rows from (values
            ('deployment', null), ('definition', null), ('concurrency', null), ('message_start', null), ('inbox', null),
            ('request_key', null), ('outcome', null), ('instance', null), ('subscription', null), ('message', null),
            ('dead_letter', null), ('task', null), ('external_task', null), ('history_hold', null),
            ('event_bus', null), ('event_rule', null), ('alert_group', null), ('bus_event', null), ('event_todo', null), ('event_key', null),
            ('callback', null), ('callback_answer', null),
            ('resource', 'exists (select from deployment p where p.id = resource.deployment_id)'),
            ('event', 'event.definition_id in (select d.id from definition d)'),
            ('event_kept', 'event_kept.definition_id in (select d.id from definition d)'),
            ('event_delivery', 'exists (select from bus_event e where e.id = event_delivery.event_id)'),
            ('input', 'exists (select from definition d where d.id = input.definition_id)'),
            ('parameter', 'exists (select from definition d where d.id = parameter.definition_id)'),
            ('parameter_change', 'exists (select from definition d where d.id = parameter_change.definition_id)'),
            ('incident', 'exists (select from instance i where i.id = incident.instance_id)'),
            ('call', 'exists (select from instance i where i.id = call.instance_id)'),
            ('audit_entry', 'audit_entry.tenant = any ((select api_tenants())::text[]) or (select api_all_tenants())'),
            ('bulk', 'bulk.tenants <@ (select api_tenants()) or (select api_all_tenants())')
        ) t(name, only_rows)
    loop
        policy := coalesce('(select api_engine()) or ' || p.only_rows, format(mine, p.name || '.'));
        continue when exists (
            select from pg_catalog.pg_policy y join pg_catalog.pg_class c on c.oid = y.polrelid
            where c.oid = p.name::regclass and y.polname = 'of_tenant' and c.relrowsecurity and c.relforcerowsecurity
              and pg_catalog.obj_description(y.oid, 'pg_policy') = policy);
        execute format('drop policy if exists of_tenant on %I', p.name);
        execute format('create policy of_tenant on %I using (%s)', p.name, policy);
        execute format('comment on policy of_tenant on %I is %L', p.name, policy);
        execute format('alter table %I enable row level security, force row level security', p.name);
    end loop;
    -- What is put into the inbox carries the tenant that api_tenant() has judged, or that of a row which its caller could
    -- see. To judge it again would cost a start a tenth of its time, and of a role without all tenants a fifth.
    if not exists (select from pg_catalog.pg_policy y where y.polrelid = 'inbox'::regclass and y.polname = 'put') then
        create policy put on inbox for insert with check (true);
    end if;
end
$do$;
