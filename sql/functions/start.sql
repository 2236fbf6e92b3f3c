-- SPDX-License-Identifier: Apache-2.0
create or replace function start(
    process text,
    business_key text default null,
    variables jsonb default '{}',
    request_key text default null,
    version integer default null,
    options jsonb default '{}',
    out instance_id uuid,
    out created boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(start.options, array['tenant']);
    of_tenant text := api_tenant(start.options);
    process_key text := api_text('process', start.process, true);
    business_key text := api_text('business_key', start.business_key, false);
    request text := api_text('request_key', start.request_key, start.request_key is not null);
    body text := api_variables(start.variables);
    id uuid := api_id();
    payload bytea;
    known record;
    definition record;
begin
    if not api_may('start', process_key) then
        perform api_require('start', process_key); -- says why; a statement of its own, so only then
    end if;

    if request is not null then
        payload := sha256(convert_to(jsonb_build_array(process_key, start.version, business_key,
                                                       body::jsonb)::text, 'UTF8'));
        loop
            -- Waits for a caller with the same key whose transaction is still open.
            insert into request_key (tenant, key, digest, instance_id, at)
            values (of_tenant, request, payload, id, clock())
            on conflict (tenant, key) do nothing;
            exit when found;
            select r.digest, r.instance_id into known from request_key r
            where r.tenant = of_tenant and r.key = request;
            continue when not found; -- it expired in between
            if known.digest <> payload then
                raise exception using errcode = 'PW004',
                    message = format('the request key "%s" was already used for another start', request),
                    hint = 'A repeated request must have the same process, version, business key and variables; '
                           'for a new instance choose a new request key.';
            end if;
            start.instance_id := known.instance_id;
            start.created := false;
            return;
        end loop;
    end if;

    select d.id, d.version, d.suspended, d.lane, d.only_called into definition from definition d
    where d.tenant = of_tenant and d.key = process_key and d.withdrawn is null and (start.version is null or d.version = start.version)
    order by d.version desc limit 1;
    if not found then
        raise exception using errcode = 'PW001',
            message = format('there is no process "%s"%s', process_key, ' in version ' || start.version),
            hint = 'Deploy it first, or look up its key (the id of the process in the BPMN file) in the view definitions.';
    end if;
    if definition.only_called then
        raise exception using errcode = 'PW002',
            message = format('the process "%s" is started by other processes only', process_key),
            hint = 'Its model says startableBy="process": start a process that calls it.';
    end if;
    if definition.suspended then
        raise exception using errcode = 'PW005',
            message = format('the process "%s" is suspended in version %s', process_key, definition.version),
            hint = 'Wait until it is resumed, or start a version that is not suspended.';
    end if;

    insert into inbox (lane, kind, instance_id, definition_id, key, body, actor, tenant, at)
    values (definition.lane % 16, 1, id, definition.id, business_key, body, caller, of_tenant, clock());
    start.instance_id := id;
    start.created := true;
end
$$;

revoke all on function start(text, text, jsonb, text, integer, jsonb) from public;
comment on function start(text, text, jsonb, text, integer, jsonb) is
'Starts an instance of a process: as soon as your transaction commits, and not at all if it rolls back.

- `process`: the id of the process in its BPMN file. PW001 if it is not deployed, PW002 if only other processes may start it (`pawl:startableBy`), PW005 if it is suspended.
- `business_key`: what your people call this case, such as an order number. Need not be unique.
- `variables`: a JSON object. If the process has an inputSchema that they do not pass, the outcome is `refused`, and no instance is made.
- `request_key`: makes the call safe to repeat. The same key with the same arguments returns the same instance with `created` = false; with other arguments it is refused with PW004. While another transaction with the same key is open, the call waits for it. Keys are kept for 30 days.
- `version`: of the process; the latest by default.
- `options`: `tenant`: one of yours, by default the first; `actor`.

Returns the id of the instance, valid at once for publish(), cancel() and await().';
