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
    select i.root_id into root from instance i where i.id = api_instance.id;
    if found then
        return root;
    end if;
    -- Started in this transaction, or committed and not taken up yet.
    select b.root_id into root from inbox b
    where b.xid = pg_current_xact_id_if_assigned() and b.kind = 1 and b.instance_id = api_instance.id;
    if found then
        return root;
    end if;
    -- One statement and so one snapshot: the engine may take it up between two.
    select coalesce((select i.root_id from instance i where i.id = api_instance.id),
                    (select b.root_id from inbox b where b.kind = 1 and b.instance_id = api_instance.id)),
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
    root uuid := api_instance(api_given('instance_id', cancel.instance_id));
begin
    perform api_prose('reason', cancel.reason);
    cancel.command_id := api_id();
    insert into inbox (kind, command_id, root_id, instance_id, detail, actor, tenant, at)
    values (9, cancel.command_id, root, cancel.instance_id, cancel.reason, caller, '', clock());
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
    root uuid := api_instance(api_given('instance_id', set_variables.instance_id));
begin
    set_variables.command_id := api_id();
    insert into inbox (kind, command_id, root_id, instance_id, body, actor, tenant, at)
    values (10, set_variables.command_id, root, set_variables.instance_id, body, caller, '', clock());
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
    caller text := api_actor(retry.options, array['decision', 'variables']);
    decision text := retry.options ->> 'decision';
    variables text := case when retry.options ? 'variables' then api_variables(retry.options -> 'variables') end;
    incident record;
begin
    perform api_given('incident_id', retry.incident_id);
    select i.instance_id, i.root_id, i.reason into incident from incident i where i.id = retry.incident_id;
    if not found then
        raise exception using errcode = 'PW001',
            message = format('there is no incident %s', retry.incident_id),
            hint = 'Somebody may have settled it meanwhile. The view incidents shows what is open.';
    end if;
    if decision not in ('repeat', 'fail') then
        raise exception using errcode = 'PW003', message = format('there is no decision "%s"', decision),
            hint = 'Choose "repeat" (send the request again) or "fail" (take it as failed).';
    end if;
    if incident.reason = 'unknownOutcome' and decision is null then
        raise exception using errcode = 'PW003',
            message = 'nobody knows whether the request of this incident was carried out, so a decision is needed',
            hint = 'Find out at the other side, then pass options => ''{"decision": "repeat"}'' or ''{"decision": "fail"}''.';
    end if;
    if incident.reason <> 'unknownOutcome' and decision = 'fail' then
        raise exception using errcode = 'PW003',
            message = 'the decision "fail" is for requests whose outcome is unknown, this one is known to have failed',
            hint = 'Leave the decision out to try again, or cancel the instance.';
    end if;

    retry.command_id := api_id();
    insert into inbox (kind, command_id, root_id, instance_id, subject, body, actor, tenant, at)
    values (103, retry.command_id, incident.root_id, incident.instance_id, retry.incident_id,
            (case when decision is null then '{}' else jsonb_build_object('decision', decision) end
             || case when variables is null then '{}' else jsonb_build_object('variables', variables::jsonb) end)::text,
            caller, '', clock());
end
$$;

revoke all on function retry(uuid, jsonb) from public;
comment on function retry(uuid, jsonb) is
'Tries again what became an incident, once its cause is gone.

- `incident_id`: from the view incidents. PW001 if it is settled already.
- `options`: `decision` is needed if the reason is `unknownOutcome`: `repeat` sends the request again, `fail` takes it as failed; `variables`, a JSON object: set first, as seen from the element that failed, whatever becomes of the new try; they win over what a parked completion brings; `actor`.';
