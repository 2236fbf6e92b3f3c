-- SPDX-License-Identifier: Apache-2.0
-- The words of Camunda 7's REST API for what the engine has: ids, times, typed values. For the server's dialect
-- under /engine-rest (server/operations_camunda.c); not for users.

create or replace function api_camunda_time(at timestamptz) returns text
language sql immutable
as $$
    select to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"+0000"')
$$;
revoke all on function api_camunda_time(timestamptz) from public;

-- A definition's id is key:version:deployment.
create or replace function api_camunda_definition_id(process text, version integer, deployment_id uuid) returns text
language sql immutable
as $$
    select process || ':' || version || ':' || deployment_id
$$;
revoke all on function api_camunda_definition_id(text, integer, uuid) from public;

create or replace function api_camunda_definition(d definitions) returns jsonb
language sql stable
as $$
    select jsonb_build_object(
        'id', api_camunda_definition_id(d.process, d.version, d.deployment_id), 'key', d.process,
        'category', null, 'description', null, 'name', d.name, 'version', d.version, 'resource', d.resource,
        'deploymentId', d.deployment_id, 'diagram', null, 'suspended', d.suspended, 'tenantId', nullif(d.tenant, ''),
        'versionTag', d.version_tag, 'historyTimeToLive', null, 'startableInTasklist', true)
$$;
revoke all on function api_camunda_definition(definitions) from public;

-- {"name": {"value", "type", "valueInfo"}} to plain values. Types are taken with a small first letter, too; without
-- one the JSON value says what it is.
create or replace function api_camunda_variables(given jsonb) returns jsonb
language plpgsql immutable
as $$
declare
    name text;
    typed jsonb;
    kind text;
    value jsonb;
    plain jsonb := '{}';
begin
    if given is null or given = 'null' then
        return plain;
    elsif jsonb_typeof(given) <> 'object' then
        raise exception using errcode = 'PW003', message = 'variables must be a JSON object of {"value", "type"}';
    end if;
    for name, typed in select * from jsonb_each(given) loop
        if jsonb_typeof(typed) <> 'object' then
            raise exception using errcode = 'PW003',
                message = format('the variable ''%s'' must be an object with the members value and type', left(name, 100));
        end if;
        kind := lower(coalesce(typed ->> 'type', ''));
        value := coalesce(typed -> 'value', 'null');
        if value = 'null' or kind = 'null' then
            value := 'null';
        elsif kind in ('json', 'object') and jsonb_typeof(value) = 'string' then
            if kind = 'object' and coalesce(typed #>> '{valueInfo,serializationDataFormat}', 'application/json') <> 'application/json' then
                raise exception using errcode = 'PW003',
                    message = format('Cannot use the variable ''%s'': only objects in the format application/json are read', left(name, 100));
            end if;
            value := api_json(typed ->> 'value');
            if value is null then
                raise exception using errcode = 'PW003',
                    message = format('Cannot convert value ''%s'' of type ''%s'' of the variable ''%s'': it is not JSON',
                                     left(typed ->> 'value', 100), typed ->> 'type', left(name, 100));
            end if;
        elsif kind in ('integer', 'short', 'long') and (jsonb_typeof(value) <> 'number' or value::numeric <> trunc(value::numeric)) and
              coalesce(typed ->> 'value', '') !~ '^[+-]?[0-9]{1,19}$'
           or kind = 'double' and jsonb_typeof(value) <> 'number' and coalesce(typed ->> 'value', '') !~ '^[+-]?[0-9]{1,300}([.][0-9]{1,300})?$'
           or kind = 'boolean' and lower(coalesce(typed ->> 'value', '')) not in ('true', 'false')
           or kind in ('string', 'date', 'xml', 'bytes') and jsonb_typeof(value) <> 'string' then
            raise exception using errcode = 'PW003',
                message = format('Cannot convert value ''%s'' of type ''%s'' of the variable ''%s''',
                                 left(typed ->> 'value', 100), typed ->> 'type', left(name, 100));
        elsif kind in ('integer', 'short', 'long', 'double') then
            value := to_jsonb((typed ->> 'value')::numeric);
        elsif kind = 'boolean' then
            value := to_jsonb(lower(typed ->> 'value') = 'true');
        elsif kind not in ('', 'string', 'date', 'xml', 'bytes', 'json', 'object') then
            raise exception using errcode = 'PW003', message = format('Unsupported value type ''%s''', left(typed ->> 'type', 100));
        end if;
        plain := plain || jsonb_build_object(name, value);
    end loop;
    return plain;
end
$$;
revoke all on function api_camunda_variables(jsonb) from public;

-- The other way round.
create or replace function api_camunda_values(plain jsonb) returns jsonb
language sql immutable
as $$
    select coalesce(jsonb_object_agg(v.key, case jsonb_typeof(v.value)
        when 'string' then jsonb_build_object('type', 'String', 'value', v.value, 'valueInfo', '{}'::jsonb)
        when 'boolean' then jsonb_build_object('type', 'Boolean', 'value', v.value, 'valueInfo', '{}'::jsonb)
        when 'null' then jsonb_build_object('type', 'Null', 'value', null, 'valueInfo', '{}'::jsonb)
        when 'number' then jsonb_build_object('type',
            case when v.value::numeric <> trunc(v.value::numeric) then 'Double'
                 when v.value::numeric between -2147483648 and 2147483647 then 'Integer' else 'Long' end,
            'value', v.value, 'valueInfo', '{}'::jsonb)
        else jsonb_build_object('type', 'Json', 'value', v.value::text, 'valueInfo', '{}'::jsonb) end), '{}')
    from jsonb_each(plain) v
$$;
revoke all on function api_camunda_values(jsonb) from public;

-- An error in that dialect.
create or replace function api_camunda_error(type text, message text) returns text
language sql immutable
as $$
    select jsonb_build_object('type', type, 'message', message, 'code', null)::text
$$;
revoke all on function api_camunda_error(text, text) from public;

-- The definition that a path names: by its id, or the latest of a key and a tenant, the caller's first unless it is
-- named. No row where there is none.
create or replace function api_camunda_find(path jsonb) returns setof definitions
language sql stable
as $$
    select d.* from definitions d
    where case when path ? 'id'
               then d.process = substring(path ->> 'id' from '^(.*):[0-9]+:[^:]*$')
                    and d.version::text = substring(path ->> 'id' from ':([0-9]+):[^:]*$')
                    and d.deployment_id::text = substring(path ->> 'id' from '[^:]*$')
               else d.process = path ->> 'key' and d.latest
                    and d.tenant = coalesce(path ->> 'tenant', api_tenant('{}')) end
$$;
revoke all on function api_camunda_find(jsonb) from public;

-- What is said of a path behind which there is none.
create or replace function api_camunda_not_found(path jsonb) returns text
language sql immutable
as $$
    select case when path ? 'id' then api_camunda_error('InvalidRequestException', format('No matching definition with id %s', path ->> 'id'))
        else api_camunda_error('RestException', format('No matching process definition with key: %s and %s', path ->> 'key',
                                                      coalesce('tenant-id: ' || (path ->> 'tenant'), 'no tenant-id'))) end
$$;
revoke all on function api_camunda_not_found(jsonb) from public;

-- POST /process-definition/{id}/start, /key/{key}/start, /key/{key}/tenant-id/{tenant}/start.
create or replace function api_camunda_start(request jsonb, out status integer, out body text, out instance_id uuid)
language plpgsql volatile
as $$
declare
    path jsonb := request -> 'path';
    given jsonb := coalesce(nullif(request -> 'body', 'null'), '{}');
    variables jsonb;
    definition definitions;
begin
    select d.* into definition from api_camunda_find(path) d;
    if not found then
        status := 404;
        body := case when not path ? 'id' then api_camunda_not_found(path)
            else api_camunda_error('RestException', format(
                'Cannot instantiate process definition %s: no deployed process definition found with id ''%1$s''', path ->> 'id')) end;
        return;
    end if;
    if jsonb_array_length(coalesce(nullif(given -> 'startInstructions', 'null'), '[]')) > 0 then
        raise exception using errcode = 'PW003',
            message = format('Cannot instantiate process definition %s: startInstructions are not supported', coalesce(path ->> 'id', path ->> 'key'));
    end if;
    variables := api_camunda_variables(given -> 'variables');
    select s.instance_id into api_camunda_start.instance_id
    from start(process => definition.process, business_key => given ->> 'businessKey', variables => variables,
               version => case when path ? 'id' then definition.version end,
               options => jsonb_build_object('tenant', definition.tenant)) s;
    status := 200;
    body := (jsonb_build_object(
        'links', jsonb_build_array(jsonb_build_object(
            'method', 'GET', 'href', format('%s/engine-rest/process-instance/%s', request ->> 'origin', instance_id), 'rel', 'self')),
        'id', instance_id, 'definitionId', api_camunda_definition_id(definition.process, definition.version, definition.deployment_id),
        'definitionKey', definition.process, 'businessKey', given ->> 'businessKey', 'caseInstanceId', null, 'ended', false,
        'suspended', false, 'tenantId', nullif(definition.tenant, ''))
        || case when given -> 'withVariablesInReturn' = 'true'
                then jsonb_build_object('variables', api_camunda_values(variables)) else '{}' end)::text;
end
$$;
revoke all on function api_camunda_start(jsonb) from public;
