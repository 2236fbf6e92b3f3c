-- SPDX-License-Identifier: Apache-2.0
-- What administrators do to running instances.

-- The root of an instance that can still take commands; raises for all others.
create or replace function api_instance(id uuid) returns uuid
language plpgsql volatile
as $$
declare
    root uuid;
    state text;
begin
    select coalesce(i.root_id, i.id) into root from instance i where i.id = api_instance.id;
    if found then
        return root;
    end if;
    -- Started in this transaction, or committed and not taken up yet.
    select b.instance_id into root from inbox b
    where b.lane = any (array(select generate_series(0, 15)))
      and b.xid = pg_current_xact_id_if_assigned() and b.kind = 1 and b.instance_id = api_instance.id;
    if found then
        return root;
    end if;
    -- One statement and so one snapshot: the engine may take it up between two.
    select coalesce((select coalesce(i.root_id, i.id) from instance i where i.id = api_instance.id),
                    (select b.instance_id from inbox b where b.kind = 1 and b.instance_id = api_instance.id)),
           (select e.data::jsonb ->> 'state' from api_event e
            where e.instance_id = api_instance.id and e.ends and e.kind = 2 and e.at >= api_id_time(api_instance.id) - interval '1 day'
            limit 1)
    into root, state;
    if root is not null then
        return root;
    end if;
    if state is not null then
        raise exception using errcode = 'PW002',
            message = format('the instance %s has already ended (%s)', id, state),
            hint = 'Nothing is left to do; the view history shows its way.';
    end if;
    raise exception using errcode = 'PW001',
        message = format('there is no instance %s', id),
        hint = 'The view instances lists them, by business key too. If another transaction starts it, that one must commit first.';
end
$$;
revoke all on function api_instance(uuid) from public;

-- The family that a command is for, once it is clear that the caller may do this with the instance.
create or replace function api_family(id uuid, what text, out root uuid, out tenant text)
language plpgsql volatile
as $$
declare
    process text;
begin
    root := api_instance(api_given('instance_id', id));
    select i.tenant, d.key into tenant, process
    from instance i join definition d on d.id = i.definition_id where i.id = api_family.id;
    if not found then
        select b.tenant, d.key into tenant, process
        from inbox b join definition d on d.id = b.definition_id where b.kind = 1 and b.instance_id = api_family.id;
    end if;
    tenant := coalesce(tenant, api_tenant('{}')); -- it has just ended
    perform api_require(what, process);
end
$$;
revoke all on function api_family(uuid, text) from public;

-- Raises if the family is suspended. The engine looks again when it has the lock.
create or replace function api_not_suspended(root_id uuid) returns void
language plpgsql volatile
as $$
begin
    if exists (select from instance i where i.id = api_not_suspended.root_id and i.suspended) then
        raise exception using errcode = 'PW005', message = format('the instance %s is suspended', root_id),
            hint = 'Wait until it is resumed; resume() does that.';
    end if;
end
$$;
revoke all on function api_not_suspended(uuid) from public;

create or replace function cancel(
    instance_id uuid,
    reason text default null,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(cancel.options);
    family record;
begin
    family := api_family(cancel.instance_id, 'admin');
    perform api_prose('reason', cancel.reason);
    cancel.command_id := api_id();
    insert into inbox (kind, command_id, root_id, instance_id, detail, actor, tenant, at)
    values (9, cancel.command_id, family.root, cancel.instance_id, cancel.reason, caller, family.tenant, clock());
end
$$;

revoke all on function cancel(uuid, text, jsonb) from public;
comment on function cancel(uuid, text, jsonb) is
'Ends an instance, and what its call activities started, wherever it is. A task that somebody is just answering is answered first.

- `instance_id`: PW001 if there is no such instance, PW002 if it has already ended.
- `reason`: kept in the history.
- `options`: `actor`.';

create or replace function set_variables(
    instance_id uuid,
    variables jsonb,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(set_variables.options);
    body text := api_variables(set_variables.variables);
    family record;
begin
    family := api_family(set_variables.instance_id, 'admin');
    set_variables.command_id := api_id();
    insert into inbox (kind, command_id, root_id, instance_id, body, actor, tenant, at)
    values (10, set_variables.command_id, family.root, set_variables.instance_id, body, caller, family.tenant, clock());
end
$$;

revoke all on function set_variables(uuid, jsonb, jsonb) from public;
comment on function set_variables(uuid, jsonb, jsonb) is
'Sets variables of a running instance; those that are not named stay as they are.

- `instance_id`: PW001 if there is no such instance, PW002 if it has already ended.
- `variables`: a JSON object.
- `options`: `actor`.';

create or replace function retry(
    incident_id uuid,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(retry.options, array['decision', 'variables', 'reason']);
    decision text := retry.options ->> 'decision';
    variables text := case when retry.options ? 'variables' then api_variables(retry.options -> 'variables') end;
    incident record;
    family record;
begin
    perform api_given('incident_id', retry.incident_id);
    select i.instance_id, i.root_id, i.reason into incident from incident i where i.id = retry.incident_id;
    if not found then
        raise exception using errcode = 'PW001',
            message = format('there is no incident %s', retry.incident_id),
            hint = 'Somebody may have settled it meanwhile. The view incidents shows what is open.';
    end if;
    if decision not in ('repeat', 'fail') then
        raise exception using errcode = 'PW003', message = format('there is no decision "%s"', left(decision, 40)),
            hint = 'Choose "repeat" (send the request again) or "fail" (take it as failed).';
    end if;
    if incident.reason = 'unknownOutcome' and decision is null then
        raise exception using errcode = 'PW003',
            message = 'nobody knows whether the request of this incident was carried out, so a decision is needed',
            hint = 'Find out at the other side, then decide: options => ''{"decision": "repeat"}'' or "fail"; `pawl retry --unknown`.';
    end if;
    if incident.reason <> 'unknownOutcome' and decision = 'fail' then
        raise exception using errcode = 'PW003',
            message = 'the decision "fail" is for requests whose outcome is unknown, this one is known to have failed',
            hint = 'Leave the decision out to try again, or cancel the instance.';
    end if;

    family := api_family(incident.instance_id, 'admin');
    perform api_not_suspended(incident.root_id);
    retry.command_id := api_id();
    insert into inbox (kind, command_id, root_id, instance_id, subject, detail, body, actor, tenant, at)
    values (103, retry.command_id, incident.root_id, incident.instance_id, retry.incident_id,
            api_prose('reason', retry.options ->> 'reason'),
            (case when decision is null then '{}' else jsonb_build_object('decision', decision) end
             || case when variables is null then '{}' else jsonb_build_object('variables', variables::jsonb) end)::text,
            caller, family.tenant, clock());
end
$$;

revoke all on function retry(uuid, jsonb) from public;
comment on function retry(uuid, jsonb) is
'Tries again what became an incident, once its cause is gone.

- `incident_id`: from the view incidents. PW001 if it is settled already.
- `options`: `decision` is needed if the reason is `unknownOutcome`: `repeat` sends the request again, `fail` takes it as failed; `variables`, a JSON object: set first, as seen from the element that failed, whatever becomes of the new try; they win over what a parked completion brings; `reason`, kept in the history; `actor`.';

-- suspend() and resume(): of the whole family.
create or replace function api_suspend(instance_id uuid, kind smallint, reason text, actor text) returns uuid
language plpgsql volatile
as $$
declare
    family record;
    command uuid := api_id();
begin
    family := api_family(instance_id, 'admin');
    if family.root <> instance_id then
        raise exception using errcode = 'PW003',
            message = format('the instance %s was started by a call activity', instance_id),
            hint = format('Name the outermost caller, %s: what it called goes with it.', family.root);
    end if;
    insert into inbox (kind, command_id, root_id, instance_id, detail, actor, tenant, at)
    values (kind, command, family.root, family.root, api_prose('reason', reason), actor, family.tenant, clock());
    return command;
end
$$;
revoke all on function api_suspend(uuid, smallint, text, text) from public;

create or replace function suspend(
    instance_id uuid,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    command_id := api_suspend(instance_id, 106::smallint, options ->> 'reason', api_actor(options, array['reason']));
end
$$;
revoke all on function suspend(uuid, jsonb) from public;
comment on function suspend(uuid, jsonb) is
'Stops an instance, and what its call activities started, where it is: its jobs, timers, messages and answers wait until it is resumed. A request that is under way is not called back. Its tasks and incidents stay; answering or retrying them is refused with PW005. It can still be cancelled and its variables set.

- `instance_id`: of an instance that no call activity started. PW001 if there is none, PW002 if it has ended.
- `options`: `reason`, kept in the history; `actor`.';

create or replace function resume(
    instance_id uuid,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    command_id := api_suspend(instance_id, 107::smallint, options ->> 'reason', api_actor(options, array['reason']));
end
$$;
revoke all on function resume(uuid, jsonb) from public;
comment on function resume(uuid, jsonb) is
'Lets a suspended instance go on. What became due meanwhile happens now.

- `instance_id`: as for suspend().
- `options`: `reason`, kept in the history; `actor`.';

-- suspend_definition() and resume_definition(). With their instances it is a bulk, and in any case a row of it: who, when.
create or replace function api_suspend_definition(process text, version integer, options jsonb, suspended boolean)
returns table (definitions integer, bulk_id uuid, matching bigint)
language plpgsql volatile
as $$
declare
    caller text := api_actor(options, array['includeInstances', 'reason', 'tenant']);
    of_tenant text := api_tenant(options);
    action text := case when suspended then 'suspend' else 'resume' end;
    instances_too boolean := coalesce(api_flag('includeInstances', options -> 'includeInstances'), false);
    ids integer[];
    now timestamptz := clock();
begin
    perform api_text('process', process, true);
    perform api_require('admin', process);
    with changed as (
        update definition d set suspended = api_suspend_definition.suspended
        where d.tenant = of_tenant and d.key = api_suspend_definition.process
          and (api_suspend_definition.version is null or d.version = api_suspend_definition.version)
        returning d.id
    )
    select array_agg(c.id) into ids from changed c;
    if ids is null then
        raise exception using errcode = 'PW001',
            message = format('there is no process "%s"%s', process, ' in version ' || version),
            hint = 'The view definitions lists the processes.';
    end if;
    definitions := cardinality(ids);
    select b.bulk_id, b.matching into bulk_id, matching
    from api_bulk_begin(action, jsonb_build_object('definitions', ids),
                        jsonb_strip_nulls(jsonb_build_object('reason', api_prose('reason', options ->> 'reason'),
                            'process', process, 'version', version)), null, caller) b;
    if not instances_too then
        update bulk b set state = 'done', ended = now, matching = 0 where b.id = api_suspend_definition.bulk_id;
        matching := 0;
    end if;
    return next;
end
$$;
revoke all on function api_suspend_definition(text, integer, jsonb, boolean) from public;

create or replace function suspend_definition(
    process text,
    version integer default null,
    options jsonb default '{}',
    out definitions integer,
    out bulk_id uuid,
    out matching bigint)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    select s.* into definitions, bulk_id, matching from api_suspend_definition(process, version, options, true) s;
end
$$;
revoke all on function suspend_definition(text, integer, jsonb) from public;
comment on function suspend_definition(text, integer, jsonb) is
'No new instances of a process may be started, by whatever way: start() is refused with PW005, messages and timers start none, a call activity that wants one becomes an incident. Instances that run go on, unless they are included.

- `process`: its id in the BPMN file. PW001 if it is not deployed.
- `version`: only this one; all of them by default.
- `options`: `includeInstances` = true suspends those that run, too, and the families in which one was called: see suspend(); `reason`; `tenant`; `actor`.

Returns how many versions, the row of the view bulks that shows it, and how many instances are meant.';

create or replace function resume_definition(
    process text,
    version integer default null,
    options jsonb default '{}',
    out definitions integer,
    out bulk_id uuid,
    out matching bigint)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    select s.* into definitions, bulk_id, matching from api_suspend_definition(process, version, options, false) s;
end
$$;
revoke all on function resume_definition(text, integer, jsonb) from public;
comment on function resume_definition(text, integer, jsonb) is
'Takes back suspend_definition(). A timer that should have started an instance meanwhile starts one now.

- `process`, `version`: as for suspend_definition().
- `options`: `includeInstances` = true resumes its instances, too; `reason`; `tenant`; `actor`.

Returns the same.';

create or replace function set_concurrency(
    process text,
    most integer,
    options jsonb default '{}',
    out versions integer)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    of_tenant text := api_tenant(options);
begin
    perform api_text('process', process, true);
    perform api_actor(options, array['tenant']);
    perform api_require('admin', process);
    if most not between 1 and 10000 then
        raise exception using errcode = 'PW003', message = format('%s is no possible concurrency', most),
            hint = 'Give a number from 1 to 10000, or null to take the limit away.';
    end if;
    select count(*) into versions from definition d where d.tenant = of_tenant and d.key = set_concurrency.process;
    if versions = 0 then
        raise exception using errcode = 'PW001', message = format('the process "%s" is not deployed', left(process, 100)),
            hint = 'The view definitions lists the processes.';
    end if;
    if most is null then
        delete from concurrency c where c.tenant = of_tenant and c.key = set_concurrency.process;
    else
        insert into concurrency as c (tenant, key, most) values (of_tenant, process, set_concurrency.most)
        on conflict (tenant, key) do update set most = excluded.most;
    end if;
    perform api_audit('concurrencySet', api_actor(options, array['tenant']), of_tenant, process, jsonb_build_object('most', most));
end
$$;
revoke all on function set_concurrency(text, integer, jsonb) from public;
comment on function set_concurrency(text, integer, jsonb) is
'Limits how many instances of a process are carried on at the same moment, by all nodes together: for steps that are heavy on something else, such as SQL delegates. Instances that wait for something are not counted; those that get no place stay in the queue, in their order. Remote calls have limits of their own, by endpoint.

- `process`: its id in the BPMN file; all versions together, later ones too. PW001 if it is not deployed.
- `most`: 1 to 10000, or null for no limit, as it is without this.
- `options`: `tenant`; `actor`.

Counts within two seconds. Returns how many versions there are.';

-- What people do by hand at an element: the command's body, judged.
create or replace function api_modify(instance_id uuid, kind smallint, element text, body jsonb, variables jsonb,
                                      options jsonb, more text[]) returns uuid
language plpgsql volatile
as $$
declare
    caller text := api_actor(options, array['token', 'reason'] || more);
    family record;
    command uuid := api_id();
begin
    family := api_family(instance_id, 'admin');
    perform api_text('element', element, true);
    insert into inbox (kind, command_id, root_id, instance_id, name, detail, body, actor, tenant, at)
    values (kind, command, family.root, instance_id, element, api_prose('reason', options ->> 'reason'),
            (jsonb_strip_nulls(jsonb_build_object('token', api_number(options, 'token', 0, 2147483647, true))) || body
             || jsonb_build_object('variables', api_variables(variables)::jsonb))::text,
            caller, family.tenant, clock());
    return command;
end
$$;
revoke all on function api_modify(uuid, smallint, text, jsonb, jsonb, jsonb, text[]) from public;

create or replace function skip_element(
    instance_id uuid,
    element text,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    command_id := api_modify(instance_id, 12::smallint, element, '{}', options -> 'variables', options, array['variables']);
end
$$;
revoke all on function skip_element(uuid, text, jsonb) from public;
comment on function skip_element(uuid, text, jsonb) is
'Leaves an element as if it were done: what it waits for is given up (a called instance is cancelled), its outputs are not evaluated, and its token goes on along its flows. Its incident is settled.

- `instance_id`: PW001 if there is no such instance, PW002 if it has ended.
- `element`: the id in the BPMN file. Of an event behind an event-based gateway: as if it had come.
- `options`: `variables`, set before it goes on; `token`, which one, where several are there; `reason`, kept in the history; `actor`.

Carried out as a whole or not at all: read the outcome with await(). It is refused when no token is there any more, or when what follows fails at once.';

create or replace function move_token(
    instance_id uuid,
    from_element text,
    to_element text,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    command_id := api_modify(instance_id, 13::smallint, from_element,
        jsonb_build_object('to', api_text('to_element', to_element, true),
                           'after', coalesce(api_flag('after', options -> 'after'), false)),
        options -> 'variables', options, array['variables', 'after']);
end
$$;
revoke all on function move_token(uuid, text, text, jsonb) from public;
comment on function move_token(uuid, text, text, jsonb) is
'Takes a token away from an element, with all that it does there, and lets it go on at another one: Camunda''s modification, "cancel there, start before (or after) here".

- `instance_id`: PW001 if there is no such instance, PW002 if it has ended.
- `from_element`: the id of the element where it is.
- `to_element`: where it goes on: in the same sub-process or one around it. What is inside of another sub-process has no scope to run in; move it to the sub-process. When the last token of a sub-process leaves it in this way, the sub-process is cancelled.
- `options`: `after` = true goes on behind `to_element`; `variables`, set before; `token`, which one, where several are there; `reason`, kept in the history; `actor`.

Carried out as a whole or not at all, like skip_element().';

create or replace function complete_element(
    instance_id uuid,
    element text,
    variables jsonb default '{}',
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    if jsonb_typeof(options -> 'response') <> 'object' then
        raise exception using errcode = 'PW003', message = 'the option response must be a JSON object',
            hint = 'Example: options => ''{"response": {"status": 200, "body": {"id": 7}}}''.';
    end if;
    command_id := api_modify(instance_id, 14::smallint, element,
        case when options ? 'response' then jsonb_build_object('response',
            '{"outcome": "answered", "ok": true, "status": 200, "headers": {}, "body": null, "error": null, "attempt": 1, "ms": 0,
              "fromCache": false, "retryAfterMs": null}'::jsonb || (options -> 'response')) else '{}' end,
        variables, options, array['response']);
end
$$;
revoke all on function complete_element(uuid, text, jsonb, jsonb) from public;
comment on function complete_element(uuid, text, jsonb, jsonb) is
'Gives an element the result that it waits for, or that it failed to get: a service or external task, a call, a message or timer event. Its outputs are evaluated, and the process goes on. Tasks of people have complete().

- `instance_id`: PW001 if there is no such instance, PW002 if it has ended.
- `element`: the id in the BPMN file.
- `variables`: a JSON object, the result.
- `options`: `response`: in place of that the answer to its remote call, as `{"status": 200, "body": …}`: it is judged and mapped as if it had come; `token`, which one, where several are there; `reason`, kept in the history; `actor`.

Carried out as a whole or not at all, like skip_element().';
