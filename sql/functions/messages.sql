-- SPDX-License-Identifier: Apache-2.0
-- publish() leaves a message for whoever waits for it or comes to wait; correlate() insists on one receiver now.

-- May the caller send this message? Who may start some processes only may, if no model of another process speaks of it:
-- whoever of them comes to wait, it reaches nobody else.
create or replace function api_require_message(of_tenant text, message text) returns void
language plpgsql stable
as $$
declare
    known integer;
    other text;
begin
    if api_may('start', null) then
        return;
    end if;
    select count(*), min(d.key) filter (where not api_may('start', d.key)) into known, other
    from element e join definition d on d.id = e.definition_id
    where d.tenant = of_tenant and e.message in (api_require_message.message, '');
    if known = 0 then
        perform api_require('start', null);
    elsif other is not null then
        raise exception using errcode = 'insufficient_privilege',
            message = format('%s may not send the message "%s": the process "%s" may take it, too',
                             api_name(), left(api_require_message.message, 100), left(other, 100)),
            hint = 'Name the instance (correlate), or ask an administrator for the right to start that process: grant_process().';
    end if;
end
$$;
revoke all on function api_require_message(text, text) from public;

create or replace function publish(
    message text,
    key text default '',
    variables jsonb default '{}',
    ttl interval default '10 minutes',
    options jsonb default '{}',
    out message_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(publish.options, array['all', 'tenant']);
    of_tenant text := api_tenant(publish.options);
    body text := api_variables(publish.variables);
    seconds numeric := extract(epoch from coalesce(publish.ttl, '10 minutes'));
begin
    perform api_text('message', publish.message, true), api_text('key', publish.key, false);
    perform api_require_message(of_tenant, publish.message);
    if seconds < 0 or seconds > 3155760000 then
        raise exception using errcode = 'PW003',
            message = format('a time to live of %s is not possible', publish.ttl),
            hint = 'Use 0 (only who waits now gets the message) up to 100 years.';
    end if;
    publish.message_id := api_id();
    insert into inbox (lane, kind, command_id, name, key, detail, body, ttl_us, actor, tenant, at)
    values (1, 101, publish.message_id, publish.message, coalesce(publish.key, ''),
            case when api_flag('all', publish.options -> 'all') then 'all' end, body, floor(seconds * 1000000),
            caller, of_tenant, clock());
end
$$;

revoke all on function publish(text, text, jsonb, interval, jsonb) from public;
comment on function publish(text, text, jsonb, interval, jsonb) is
'Publishes a message. It goes to the oldest instance that waits for this name and key, else to a process that starts with such a message, else it is kept for its time to live and goes to the first who comes to wait.

- `message`: the name of the message in the BPMN model.
- `key`: the correlation key; the receiver''s is its `pawl:correlationKey`, by default its business key.
- `variables`: a JSON object that the receiver gets as variables.
- `ttl`: how long the message is kept; 0 means that only who waits now gets it.
- `options`: `all` = true delivers it to each who waits now; `tenant`: one of yours, by default the first; `actor`. Who may start some processes only may publish what no model of another process speaks of (42501).

Returns the id of the message. await() tells what became of it.';

create or replace function correlate(
    message text,
    key text default null,
    variables jsonb default '{}',
    instance_id uuid default null,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(correlate.options, array['tenant']);
    of_tenant text := api_tenant(correlate.options);
    family record;
    body text := api_variables(correlate.variables);
    root uuid;
begin
    perform api_text('message', correlate.message, true), api_text('key', correlate.key, false);
    if correlate.key is null and correlate.instance_id is null then
        raise exception using errcode = 'PW003', message = 'correlate needs a key or an instance_id',
            hint = 'Pass key => ''…'' (the receiver''s correlation key, by default its business key) or instance_id => ''…''.';
    end if;
    if correlate.instance_id is not null then
        family := api_family(correlate.instance_id, 'start');
        root := family.root;
        of_tenant := family.tenant;
        perform api_not_suspended(root);
    else
        perform api_require_message(of_tenant, correlate.message);
    end if;

    correlate.command_id := api_id();
    insert into inbox (lane, kind, command_id, root_id, instance_id, name, key, body, actor, tenant, at)
    values (case when correlate.instance_id is null then 1 else 0 end, 102, correlate.command_id, root, correlate.instance_id, correlate.message, correlate.key, body,
            caller, of_tenant, clock());
end
$$;

revoke all on function correlate(text, text, jsonb, uuid, jsonb) from public;
comment on function correlate(text, text, jsonb, uuid, jsonb) is
'Gives a message to exactly one receiver that waits for it when the engine takes the command up; nothing is kept. If nobody waits, or several do, the outcome is `refused` with the reason: read it with await(). Use publish() for a message that may come early.

- `message`: the name of the message in the BPMN model.
- `key`: the correlation key of the receiver, by default its business key.
- `variables`: a JSON object that the receiver gets as variables.
- `instance_id`: only this instance. PW001 if it does not exist, PW002 if it has ended. One of `key` and `instance_id` is needed. Without it, who may start some processes only may send what no model of another process speaks of (42501).
- `options`: `tenant`; `actor`.';
