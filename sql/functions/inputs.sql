-- SPDX-License-Identifier: Apache-2.0
-- What processes are given: parameters of their definitions, and forms for starts and tasks.

create or replace function set_parameter(
    process text,
    parameter text,
    value jsonb,
    options jsonb default '{}',
    out versions integer)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(set_parameter.options, array['version', 'tenant']);
    of_tenant text := api_tenant(set_parameter.options);
    wanted integer;
begin
    perform api_text('process', set_parameter.process, true), api_text('parameter', set_parameter.parameter, true);
    perform api_require('admin', set_parameter.process);
    if set_parameter.options ? 'version' and (set_parameter.options ->> 'version') !~ '^[1-9]\d{0,8}$' then
        raise exception using errcode = 'PW003', message = 'the option version must be a number from 1',
            hint = 'Example: options => ''{"version": 3}''; without it all versions are meant.';
    end if;
    wanted := (set_parameter.options ->> 'version')::integer;
    if octet_length(set_parameter.value::text) > 65536 then
        raise exception using errcode = 'PW006',
            message = format('the value has %s bytes, the limit is 65536', octet_length(set_parameter.value::text)),
            hint = 'Keep large data in a table or file of your own and pass its id.';
    end if;
    if set_parameter.value is null and exists (
        select from parameter p join definition d on d.id = p.definition_id
        where d.tenant = of_tenant and d.key = set_parameter.process and p.name = set_parameter.parameter and d.withdrawn is null
          and (wanted is null or d.version = wanted) and p.fallback is null) then
        raise exception using errcode = 'PW003',
            message = format('the parameter "%s" has no default that it could go back to', set_parameter.parameter),
            hint = 'Pass a value; a JSON null is ''null''.';
    end if;
    with changed as (
        update parameter p set value = set_parameter.value, set_by = caller, set_at = clock()
        from definition d
        where d.id = p.definition_id and d.tenant = of_tenant and d.key = set_parameter.process and d.withdrawn is null
          and (wanted is null or d.version = wanted) and p.name = set_parameter.parameter
        returning p.definition_id, p.name
    ), noted as (
        insert into parameter_change (definition_id, name, value, actor, at)
        select c.definition_id, c.name, set_parameter.value, caller, clock() from changed c
        returning definition_id
    )
    select count(*)::integer into set_parameter.versions from noted;
    if set_parameter.versions = 0 then
        raise exception using errcode = 'PW001',
            message = format('no process "%s"%s has a parameter "%s"', set_parameter.process, ' in version ' || wanted,
                             set_parameter.parameter),
            hint = 'Parameters are declared in the model (pawl:parameter); the view parameters lists them.';
    end if;
    perform api_audit('parameterSet', caller, of_tenant, set_parameter.process,
                      jsonb_build_object('parameter', set_parameter.parameter, 'version', wanted));
end
$$;
revoke all on function set_parameter(text, text, jsonb, jsonb) from public;
comment on function set_parameter(text, text, jsonb, jsonb) is
'Gives a parameter of a process another value, without another diagram. Running instances see it with their next step; a step that is under way keeps what it has. The view parameter_changes keeps who changed what.

- `process`: the id of the process in its BPMN file.
- `parameter`: its name. PW001 if no version of the process declares it.
- `value`: JSON; NULL goes back to the model''s default.
- `options`: `version`: only this one, else all that are not withdrawn; `tenant`: one of yours, by default the first; `actor`.

Returns how many versions have it. A later deployment keeps the value unless it brings one of its own.';

create or replace view parameters as
select d.key as process, d.version, p.name, coalesce(p.value, p.fallback) as value, p.fallback as default_value,
       p.description, p.set_by, p.set_at, d.id as definition_id
from parameter p join api_read_definition d on d.id = p.definition_id;
revoke all on parameters from public;
comment on view parameters is 'The parameters of each version of each process; expressions read them as `parameters.NAME`.';
comment on column parameters.value is 'what counts';
comment on column parameters.default_value is 'of the model; NULL: it must be given';
comment on column parameters.set_by is 'who gave the value; NULL: the default counts';

create or replace view parameter_changes as
select c.at, d.key as process, d.version, c.name, c.value, c.actor, c.deployment_id
from parameter_change c join api_read_definition d on d.id = c.definition_id;
revoke all on parameter_changes from public;
comment on view parameter_changes is 'Who gave which parameter which value, and when.';
comment on column parameter_changes.value is 'NULL: back to the default of the model';
comment on column parameter_changes.deployment_id is 'the deployment that brought it; NULL: set_parameter()';

-- A form as JSON, with the values of `given` that it asks for.
create or replace function api_form(form input, given jsonb) returns json
language sql immutable
as $$
    select json_build_object(
        'formKey', form.form_key,
        'checked', coalesce(form.checked, false),
        'schema', form.schema,
        'uiSchema', form.ui,
        'form', form.form,
        'values', coalesce((select jsonb_object_agg(v.key, v.value) from jsonb_each(given) v
                            where form.schema is null or (form.schema::jsonb -> 'properties') is null
                               or form.schema::jsonb -> 'properties' ? v.key), '{}'))
$$;
revoke all on function api_form(input, jsonb) from public;

create or replace function start_form(
    process text,
    version integer default null,
    options jsonb default '{}')
returns json
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    of_tenant text := api_tenant(start_form.options);
    found_definition record;
    form input;
begin
    perform api_actor(start_form.options, array['tenant']), api_text('process', start_form.process, true);
    perform api_require('start', start_form.process);
    select d.id, d.version into found_definition from definition d
    where d.tenant = of_tenant and d.key = start_form.process and d.withdrawn is null
      and (start_form.version is null or d.version = start_form.version)
    order by d.version desc limit 1;
    if not found then
        raise exception using errcode = 'PW001',
            message = format('there is no process "%s"%s', start_form.process, ' in version ' || start_form.version),
            hint = 'The view definitions lists those that there are.';
    end if;
    -- What its start event asks for comes before what the process asks for.
    select i.* into form from input i
    left join element e on e.definition_id = i.definition_id and e.node = i.node
    where i.definition_id = found_definition.id and (i.node = -1 or (e.kind = 'startEvent' and i.start))
    order by i.node desc limit 1;
    return api_form(form, '{}');
end
$$;
revoke all on function start_form(text, integer, jsonb) from public;
comment on function start_form(text, integer, jsonb) is
'What a start of the process asks for, for whoever draws a form: a JSON object of `schema` (JSON Schema draft-07; NULL: none), `uiSchema` (hints in the words of react-jsonschema-form), `formKey`, `form` (a .form file of form-js as it was deployed), `checked` (starts that do not pass the schema are refused) and `values`.

- `process`: PW001 if it is not deployed.
- `version`: the latest unless told.
- `options`: `tenant`: one of yours, by default the first; `actor`.';

create or replace function task_form(
    task_id uuid,
    options jsonb default '{}')
returns json
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    task record;
    form input;
begin
    perform api_actor(task_form.options);
    select t.definition_id, t.node, i.variables into task
    from (select t.id, t.instance_id, t.definition_id, t.node from task t
          union all select x.id, x.instance_id, x.definition_id, x.node from external_task x) t
    join instance i on i.id = t.instance_id
    where t.id = api_given('task_id', task_form.task_id);
    if not found then
        raise exception using errcode = 'PW001', message = format('there is no open task %s', task_form.task_id),
            hint = 'It may have been completed or interrupted meanwhile. The view tasks shows what is open.';
    end if;
    select i.* into form from input i
    where i.definition_id = task.definition_id and i.node = task.node;
    perform api_require('work', api_process(task.definition_id));
    return api_form(form, coalesce(nullif(task.variables, '')::jsonb, '{}'));
end
$$;
revoke all on function task_form(uuid, jsonb) from public;
comment on function task_form(uuid, jsonb) is
'What the completion of a task asks for, as start_form() has it; `values` are the variables of the process that the form asks for.

- `task_id`: of a user task or an external task. PW001 if there is no such open task.
- `options`: `actor`.';
