-- SPDX-License-Identifier: Apache-2.0
-- Tasks of people. An answer marks the task in the caller's own transaction: of two who answer it, the
-- second waits for the first and is then refused, before he has committed anything.

-- Why a task could not be changed: raises. `seen`: it was there a moment ago.
create or replace function api_task_refused(task_id uuid, seen boolean) returns void
language plpgsql volatile
as $$
declare
    other record;
begin
    select t.answered_by, t.assignee into other from task t where t.id = api_task_refused.task_id;
    if found and other.answered_by is null then
        raise exception using errcode = 'PW002',
            message = format('the task %s belongs to %s', task_id, coalesce(other.assignee, 'somebody else')),
            hint = 'Ask for its release, or take another task.';
    elsif found or seen or exists (select from outcome o where o.command_id = api_task_refused.task_id) then
        raise exception using errcode = 'PW002',
            message = format('the task %s is already answered%s', task_id, ', by ' || other.answered_by),
            hint = 'Roll back what you did for it; the view history shows how it ended.';
    end if;
    raise exception using errcode = 'PW001',
        message = format('there is no open task %s', task_id),
        hint = 'It may have been completed or interrupted meanwhile, or its instance has ended. The view tasks shows what is open.';
end
$$;
revoke all on function api_task_refused(uuid, boolean) from public;

-- complete() and fail(): mark the task, then ask the engine to go on. The command is filed under the
-- task's own id: a task is answered once.
create or replace function api_answer(task_id uuid, command smallint, code text, detail text, body text, actor text)
returns uuid
language plpgsql volatile
as $$
declare
    seen boolean := exists (select from task t where t.id = api_answer.task_id);
    answered record;
begin
    update task t set answered_by = api_answer.actor
    where t.id = api_answer.task_id and t.answered_by is null
    returning t.instance_id, t.root_id, t.tenant, t.definition_id into answered;
    if not found then
        perform api_task_refused(api_answer.task_id, seen);
    end if;
    perform api_require('work', api_process(answered.definition_id));
    perform api_not_suspended(answered.root_id);
    insert into inbox (kind, command_id, root_id, instance_id, subject, name, detail, body, actor, tenant, at)
    values (command, task_id, answered.root_id, answered.instance_id, task_id, code, detail, body, actor, answered.tenant, clock());
    return task_id;
end
$$;
revoke all on function api_answer(uuid, smallint, text, text, text, text) from public;

create or replace function complete(
    task_id uuid,
    variables jsonb default '{}',
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    command_id := api_answer(api_given('task_id', task_id), 5::smallint, null, null,
                             api_variables(variables), api_actor(options));
end
$$;

revoke all on function complete(uuid, jsonb, jsonb) from public;
comment on function complete(uuid, jsonb, jsonb) is
'Completes a task: its process goes on when your transaction commits. Nothing can interrupt the task any more once this function has returned, so a completion that you commit is never too late.

- `task_id`: from the view tasks. PW001 if there is no such open task; PW002 if somebody else has answered it: if his transaction is still open, the call waits for it.
- `variables`: a JSON object that becomes variables of the process.
- `options`: `actor`.';

create or replace function fail(
    task_id uuid,
    error_code text,
    message text default null,
    variables jsonb default '{}',
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    command_id := api_answer(api_given('task_id', task_id), 6::smallint, api_text('error_code', error_code, true),
                             api_prose('message', message), api_variables(variables), api_actor(options));
end
$$;

revoke all on function fail(uuid, text, text, jsonb, jsonb) from public;
comment on function fail(uuid, text, text, jsonb, jsonb) is
'Ends a task with a BPMN error, which a boundary error event or an enclosing process may catch. Otherwise like complete().

- `task_id`: from the view tasks.
- `error_code`: the code of the error in the BPMN model.
- `message`: a text for people.
- `variables`: a JSON object that becomes variables where the error is caught.
- `options`: `actor`.';

-- claim() and release(): what became of it goes to the history of its instance.
create or replace function api_task_changed(changed task, event text, actor text) returns uuid
language plpgsql volatile
as $$
declare
    command_id uuid := api_id();
begin
    perform api_require('work', api_process(changed.definition_id));
    insert into inbox (kind, command_id, root_id, instance_id, subject, name, body, actor, tenant, at)
    values (104, command_id, changed.root_id, changed.instance_id, changed.id, event,
            jsonb_strip_nulls(jsonb_build_object('task', changed.id, 'assignee', changed.assignee, 'actor', actor,
                                                 'token', changed.token, 'node', changed.node))::text,
            actor, changed.tenant, clock());
    return command_id;
end
$$;
revoke all on function api_task_changed(task, text, text) from public;

create or replace function claim(
    task_id uuid,
    assignee text,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(claim.options);
    seen boolean;
    claimed task;
begin
    perform api_given('task_id', claim.task_id), api_text('assignee', claim.assignee, true);
    seen := exists (select from task t where t.id = claim.task_id);
    update task t set assignee = claim.assignee
    where t.id = claim.task_id and t.answered_by is null and (t.assignee is null or t.assignee = claim.assignee)
    returning t.* into claimed;
    if not found then
        perform api_task_refused(claim.task_id, seen);
    end if;
    claim.command_id := api_task_changed(claimed, 'taskClaimed', caller);
end
$$;

revoke all on function claim(uuid, text, jsonb) from public;
comment on function claim(uuid, text, jsonb) is
'Makes somebody the one who does a task. Claiming it again for the same person is fine; PW002 if it belongs to somebody else.

- `task_id`: from the view tasks.
- `assignee`: who does it.
- `options`: `actor`.';

create or replace function release(
    task_id uuid,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(release.options);
    seen boolean;
    released task;
begin
    perform api_given('task_id', release.task_id);
    seen := exists (select from task t where t.id = release.task_id);
    update task t set assignee = null
    where t.id = release.task_id and t.answered_by is null
    returning t.* into released;
    if not found then
        perform api_task_refused(release.task_id, seen);
    end if;
    release.command_id := api_task_changed(released, 'taskReleased', caller);
end
$$;

revoke all on function release(uuid, jsonb) from public;
comment on function release(uuid, jsonb) is
'Gives a task back: nobody is its assignee any more, and others may claim it.

- `task_id`: from the view tasks. PW001 if there is no such open task, PW002 if it is already answered.
- `options`: `actor`.';
