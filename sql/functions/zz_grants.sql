-- SPDX-License-Identifier: Apache-2.0
-- Who may do what: the last file, so that everything it names exists.
-- Whoever may execute the first function of a kind (or see its first view) is of that kind, so that
-- what a later version adds reaches the roles that were granted by hand, too. Those of all kinds are what policies and
-- views ask: they run as whoever reads.

create or replace function api_rights(kind text) returns setof name
language sql immutable
as $$
    select object::name from (values
        ('*', 'await'), ('*', 'clock'), ('*', 'api_login'), ('*', 'api_engine'), ('*', 'api_tenants'), ('*', 'api_all_tenants'),
        ('*', 'api_unlimited'), ('*', 'api_processes'), ('*', 'api_shown_path'), ('*', 'api_alert_kinds'), ('*', 'api_endpoint_kind'),
        ('author', 'deploy'), ('author', 'deploy_all'), ('author', 'withdraw'), ('author', 'export_deployment'), ('read', 'export_deployment'),
        ('start', 'start'), ('start', 'publish'), ('start', 'correlate'),
        ('work', 'complete'), ('work', 'fail'), ('work', 'claim'), ('work', 'release'), ('work', 'tasks'),
        ('work', 'fetch_and_lock'), ('work', 'lock_external_task'), ('work', 'extend_lock'),
        ('work', 'unlock_external_task'), ('work', 'complete_external_task'), ('work', 'handle_failure'),
        ('work', 'handle_bpmn_error'), ('work', 'external_tasks'),
        ('work', 'succeed_callback'), ('work', 'fail_callback'), ('work', 'heartbeat_callback'), ('work', 'answer_callback'),
        ('read', 'instances'), ('read', 'tokens'), ('read', 'tasks'), ('read', 'jobs'), ('read', 'calls'),
        ('read', 'incidents'), ('read', 'incident_groups'), ('read', 'bulks'), ('read', 'messages'), ('read', 'history'), ('read', 'events'), ('read', 'variables'),
        ('read', 'sql_delegates'), ('read', 'definitions'), ('read', 'deployments'), ('read', 'endpoints'), ('read', 'outcomes'),
        ('read', 'external_tasks'), ('read', 'class_topics'), ('read', 'callbacks'), ('read', 'installation_settings'),
        ('admin', 'set_installation'), ('admin', 'rotate_callback_key'), ('admin', 'callback_keys'),
        ('read', 'metrics'), ('read', 'dead_letters'), ('read', 'retention_settings'), ('read', 'history_holds'),
        ('admin', 'set_retention'), ('admin', 'hold_history'), ('admin', 'release_history'),
        ('start', 'put_events'), ('read', 'test_event_pattern'),
        ('admin', 'set_event_bus'), ('admin', 'drop_event_bus'), ('admin', 'set_alert_target'), ('admin', 'try_alert_target'),
        ('admin', 'mute_alerts'), ('admin', 'unmute_alerts'), ('admin', 'set_event_rule'), ('admin', 'drop_event_rule'),
        ('admin', 'replay_events'),
        ('start', 'put_cloudevents'), ('admin', 'set_webhook'), ('admin', 'drop_webhook'), ('read', 'webhooks'),
        ('admin', 'create_access_key'), ('admin', 'drop_access_key'), ('admin', 'access_keys'),
        ('read', 'event_buses'), ('read', 'event_rules'), ('read', 'bus_events'), ('read', 'alerts'), ('read', 'alert_targets'), ('read', 'service_levels'), ('read', 'event_deliveries'),
        ('admin', 'set_endpoint'), ('admin', 'drop_endpoint'),
        ('admin', 'set_sql_delegate'), ('admin', 'api_put_sql_delegate'), ('admin', 'drop_sql_delegate'),
        ('admin', 'set_external_task_retries'), ('admin', 'set_external_task_priority'),
        ('admin', 'map_class'), ('admin', 'unmap_class'),
        ('admin', 'set_role_tenants'), ('admin', 'role_tenants'), ('admin', 'grant_process'), ('admin', 'revoke_process'),
        ('admin', 'process_rights'), ('admin', 'create_user'), ('admin', 'alter_user'), ('admin', 'drop_user'),
        ('admin', 'create_token'), ('admin', 'drop_token'), ('admin', 'users'), ('admin', 'user_tokens'), ('admin', 'audit'),
        ('read', 'held_calls'), ('admin', 'set_circuit'), ('admin', 'hold_calls'), ('admin', 'release_calls'),
        ('admin', 'cancel'), ('admin', 'set_variables'), ('admin', 'retry'),
        ('admin', 'skip_element'), ('admin', 'move_token'), ('admin', 'complete_element'),
        ('admin', 'suspend'), ('admin', 'resume'), ('admin', 'suspend_definition'), ('admin', 'set_concurrency'), ('admin', 'resume_definition'),
        ('admin', 'bulk'), ('admin', 'bulk_preview'), ('admin', 'bulk_stop'),
        ('start', 'start_form'), ('work', 'task_form'), ('admin', 'set_parameter'), ('read', 'parameters'),
        ('read', 'parameter_changes'), ('read', 'search')
    ) r(kind, object)
    where r.kind in (api_rights.kind, '*') or api_rights.kind = 'admin'
$$;
revoke all on function api_rights(text) from public;

create or replace function grant_usage(role name, kind text) returns void
language plpgsql volatile
set search_path = @schema@, pg_temp
as $$
declare
    object record;
begin
    if kind is null or kind not in ('author', 'start', 'work', 'read', 'admin') then
        raise exception using errcode = 'PW003', message = format('there is no kind of user "%s"', kind),
            hint = 'Choose author, start, work, read or admin.';
    elsif not exists (select from pg_catalog.pg_roles r where r.rolname = grant_usage.role) then
        raise exception using errcode = 'PW001', message = format('there is no role "%s"', role),
            hint = 'Create it first (CREATE ROLE), or ask who may.';
    end if;
    -- Names of functions, views and roles cannot be parameters of GRANT.
    execute format('grant usage on schema %I to %I', current_schema(), role);
    for object in
        select p.oid::regprocedure::text as name, 'execute on function' as what from pg_catalog.pg_proc p
        where p.pronamespace = quote_ident(current_schema())::regnamespace and p.proname in (select api_rights(grant_usage.kind))
        union all
        select c.oid::regclass::text, 'select on table' from pg_catalog.pg_class c
        where c.relnamespace = quote_ident(current_schema())::regnamespace and c.relkind = 'v'
          and c.relname in (select api_rights(grant_usage.kind))
        order by 1
    loop
        execute format('grant %s %s to %I', object.what, object.name, role);
    end loop;
end
$$;
revoke all on function grant_usage(name, text) from public;
comment on function grant_usage(name, text) is
'Lets a role use the engine; for the owner of the schema. Where he may, migrate does this itself with five roles that carry the schema''s name: `<schema>_author`, `<schema>_start`, `<schema>_work`, `<schema>_read`, `<schema>_admin`.

- `role`: an existing role. What later versions add is granted to it by migrate.
- `kind`: `author` deploys; `start` starts processes and sends messages; `work` does tasks; `read` sees all views; `admin` may do everything. See grant_process() for some processes only, set_role_tenants() for tenants.';

do $do$
declare
    kind text;
    role text;
    may_create boolean := (select r.rolsuper or r.rolcreaterole from pg_catalog.pg_roles r where r.rolname = current_user);
    grantee record;
begin
    foreach kind in array array['author', 'start', 'work', 'read', 'admin'] loop
        role := current_schema() || '_' || kind;
        if octet_length(role) > 63 then
            continue; -- such names would be cut; grant_usage() serves other roles
        end if;
        if may_create and not exists (select from pg_catalog.pg_roles r where r.rolname = role) then
            begin
                execute format('create role %I nologin', role);
            exception when duplicate_object or unique_violation then
                null; -- another installation of the cluster was faster: roles belong to all databases
            end;
        end if;
        if exists (select from pg_catalog.pg_roles r where r.rolname = role) then
            perform grant_usage(role::name, kind);
        end if;
    end loop;
    for grantee in
        select distinct m.kind, r.rolname
        from (select x.kind, a.grantee, a.privilege_type
              from (values ('author', 'deploy'), ('start', 'start'), ('work', 'complete'), ('admin', 'set_endpoint')) x(kind, name)
              join pg_catalog.pg_proc p on p.proname = x.name and p.pronamespace = quote_ident(current_schema())::regnamespace,
              aclexplode(p.proacl) a
              union all
              select 'read', a.grantee, a.privilege_type
              from pg_catalog.pg_class c, aclexplode(c.relacl) a
              where c.relname = 'instances' and c.relnamespace = quote_ident(current_schema())::regnamespace) m
        join pg_catalog.pg_roles r on r.oid = m.grantee
        where m.privilege_type in ('EXECUTE', 'SELECT') and r.rolname <> current_user
          and not has_table_privilege(r.oid, 'worker'::regclass, 'truncate') -- its owner
    loop
        perform grant_usage(grantee.rolname, grantee.kind);
    end loop;
end
$do$;
