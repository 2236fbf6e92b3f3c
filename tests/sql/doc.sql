-- SPDX-License-Identifier: Apache-2.0
-- The page docs/sql-api.md, out of the catalog.
set search_path = pawl;

create temp table section (n integer, title text, intro text, objects text[]);
insert into section values
(1, 'Starting and messages', 'For those who start processes: the role `pawl_start`.', '{start,publish,correlate,start_form,put_events,put_cloudevents,test_event_pattern}'),
(2, 'Tasks', 'For those who do the work of people: the role `pawl_work`. They also see the view [tasks](#tasks-view).',
 '{complete,fail,claim,release,task_form,succeed_callback,fail_callback,heartbeat_callback,answer_callback}'),
(3, 'External tasks', 'For programs that do work: the role `pawl_work`; [external-tasks.md](external-tasks.md) shows one. They also see the view [external_tasks](#external_tasks).',
 '{fetch_and_lock,extend_lock,complete_external_task,handle_failure,handle_bpmn_error,unlock_external_task,lock_external_task}'),
(4, 'Waiting and searching', 'For all roles; search() for the role `pawl_read`.', '{await,clock,search}'),
(5, 'Administration', 'For the role `pawl_admin`, which may do all the rest, too.',
 '{deploy,deploy_all,export_deployment,withdraw,cancel,set_variables,retry,skip_element,move_token,complete_element,suspend,resume,suspend_definition,resume_definition,set_concurrency,bulk,bulk_preview,bulk_stop,set_endpoint,drop_endpoint,set_circuit,hold_calls,release_calls,set_sql_delegate,drop_sql_delegate,set_external_task_retries,set_external_task_priority,map_class,unmap_class,set_retention,hold_history,release_history,grant_usage,create_user,alter_user,drop_user,create_token,drop_token,set_role_tenants,grant_process,revoke_process,set_event_bus,drop_event_bus,set_event_rule,set_alert_target,try_alert_target,mute_alerts,unmute_alerts,drop_event_rule,replay_events,set_webhook,drop_webhook,create_access_key,drop_access_key,set_installation,rotate_callback_key,set_parameter}'),
(6, 'Views', 'For the role `pawl_read`. The tables behind them change; the views stay, columns are only added.',
 '{instances,tokens,tasks,external_tasks,callbacks,callback_keys,incidents,incident_groups,bulks,history,events,variables,jobs,calls,messages,definitions,deployments,endpoints,held_calls,sql_delegates,class_topics,outcomes,dead_letters,history_holds,retention_settings,installation_settings,users,user_tokens,role_tenants,process_rights,audit,event_buses,event_rules,bus_events,event_deliveries,alerts,alert_targets,service_levels,parameters,parameter_changes,access_keys,webhooks,metrics}');

\qecho '<!-- Written by tests/sql/doc.sh from the comments in sql/functions. Change it there. -->'
\qecho '# The SQL API'
\qecho
\qecho 'Any SQL client talks to the engine with functions and views of its schema (here `pawl`). Name the arguments, as in'
\qecho '`select * from pawl.start(process => ''order'', business_key => ''A-17'')`.'
\qecho
\qecho 'A command belongs to your transaction: the engine takes it up when you commit, and never learns of it if you roll'
\qecho 'back. No function waits for the engine but `await`, and no worker of the engine waits for your open transaction; only'
\qecho 'the very task that you are answering stays as it is until you are done. Callers need no session state, so pgbouncer in'
\qecho 'transaction mode is fine. Who gave a command is recorded: the role that was `SET`, else the login.'
\qecho
\qecho '| SQLSTATE | means |'
\qecho '| --- | --- |'
\qecho '| `PW001` | not found: there is no such process, instance, task … |'
\qecho '| `PW002` | conflict: already answered, claimed by somebody else, already ended |'
\qecho '| `PW003` | an argument is not valid |'
\qecho '| `PW004` | the request key was used with other arguments |'
\qecho '| `PW005` | suspended |'
\qecho '| `PW006` | over a limit, which the message names |'
\qecho '| `PW007` | too late: what was waited for is over |'
\qecho '| `42501` | not for your role |'
\qecho
\qecho 'Each error has a HINT that says what to do. In transactions above READ COMMITTED the loser of a conflict gets'
\qecho 'PostgreSQL''s `40001` instead of `PW002`.'
\qecho
\qecho 'The option `actor` (for administrators) names for whom a command is given: it is recorded as "anna via app".'
\qecho 'The option `tenant` is one of yours, by default the first: see [security.md](security.md).'
\qecho 'An unknown option is an error.'

with objects as (
    select s.n, s.title, s.intro, o.at, o.name,
           (select p.oid from pg_proc p where p.pronamespace = 'pawl'::regnamespace and p.proname = o.name and s.n < 6) as func,
           (select c.oid from pg_class c where c.relnamespace = 'pawl'::regnamespace and c.relname = o.name
            and c.relkind = 'v' and s.n = 6) as view
    from section s, unnest(s.objects) with ordinality o(name, at)
), lines as (
    select n, 0 as at, 0 as part, 0 as line, format(E'\n## %s\n\n%s', title, intro) as text from section
    union all
    select n, at, 0, 0, E'\n### ' || name || case when n = 6 and name in ('tasks') then ' (view)' else '' end || E'\n' from objects
    union all
    select n, at, 1, 0, format(E'```sql\n%s(%s)\n    returns %s\n```\n', name,
           array_to_string(array(
               select E'\n    ' || a.name || ' ' || format_type(p.proargtypes[a.i::integer - 1], null)
                   || coalesce(' default ' || regexp_replace(pg_get_function_arg_default(p.oid, a.i::integer), '::[a-z ]+$', ''), '')
               from unnest(p.proargnames) with ordinality a(name, i) where a.i <= p.pronargs order by a.i), ','),
           regexp_replace(case when p.proallargtypes is null then pg_get_function_result(p.oid)
               else array_to_string(array(
                   select a.name || ' ' || format_type(p.proallargtypes[a.i], null)
                   from unnest(p.proargnames) with ordinality a(name, i) where a.i > p.pronargs order by a.i), ', ') end,
               '^void$', 'nothing'))
    from objects join pg_proc p on p.oid = func
    union all
    select n, at, 2, 0, obj_description(func, 'pg_proc') from objects where func is not null
    union all
    select n, at, 2, 0, obj_description(view, 'pg_class') || E'\n\n| column | type | |\n| --- | --- | --- |'
    from objects where view is not null
    union all
    select n, at, 3, a.attnum, format('| `%s` | %s | %s |', a.attname, format_type(a.atttypid, null),
                                      coalesce(col_description(view, a.attnum), ''))
    from objects join pg_attribute a on a.attrelid = view and a.attnum > 0 and not a.attisdropped
)
select text from lines order by n, at, part, line;

-- A function or view that the page forgets.
do $$
declare
    forgotten text;
begin
    select string_agg(x.name, ', ') into forgotten from (
        select p.proname::text from pg_proc p where p.pronamespace = 'pawl'::regnamespace and p.proname not like 'api\_%'
        union all
        select c.relname::text from pg_class c
        where c.relnamespace = 'pawl'::regnamespace and c.relkind = 'v' and c.relname not like 'api\_%'
    ) x(name) where not exists (select from section s where x.name = any (s.objects));
    if forgotten is not null then
        raise exception 'tests/sql/doc.sql has no section for: %', forgotten;
    end if;
end
$$;
