-- SPDX-License-Identifier: Apache-2.0
-- Deployments: the files go to the engine, which checks them all before anything changes.

create or replace function deploy_all(
    resources jsonb,
    name text default null,
    options jsonb default '{}',
    out deployment_id uuid,
    out state text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(deploy_all.options, array['duplicateFiltering', 'parameters', 'tenant']);
    of_tenant text := api_tenant(deploy_all.options);
    example constant text := 'Example: resources => ''[{"name": "order.bpmn", "content": "<definitions …"}]''.';
    files integer;
    resource record;
begin
    if not api_may('author', null) and coalesce(api_limits('author'), '{}') = '{}' then
        perform api_require('author', null);
    end if;
    perform api_text('name', deploy_all.name, false);
    if jsonb_typeof(deploy_all.options -> 'parameters') <> 'object' then
        raise exception using errcode = 'PW003', message = 'the option parameters must be a JSON object',
            hint = 'Example: options => ''{"parameters": {"callbackUrl": "https://…"}}''.';
    elsif octet_length(deploy_all.options ->> 'parameters') > 1048576 then -- LIMIT_VALUE_BYTES
        raise exception using errcode = 'PW006', message = 'the option parameters is larger than 1048576 bytes (LIMIT_VALUE_BYTES)',
            hint = 'Keep large data in a table or file of your own and pass its id.';
    end if;
    if deploy_all.resources is null or jsonb_typeof(deploy_all.resources) <> 'array' then
        raise exception using errcode = 'PW003', message = 'resources must be a JSON array', hint = example;
    end if;
    files := jsonb_array_length(deploy_all.resources);
    if files = 0 then
        raise exception using errcode = 'PW003', message = 'resources is empty: there is nothing to deploy',
            hint = example;
    elsif files > 100 then -- LIMIT_DEPLOYMENT_FILES
        raise exception using errcode = 'PW006',
            message = format('resources has %s files, the limit is 100 (LIMIT_DEPLOYMENT_FILES)', files),
            hint = 'Deploy them in several parts.';
    end if;
    for resource in
        select n, jsonb_typeof(r) as kind, r ->> 'name' as name, jsonb_typeof(r -> 'name') as name_kind,
               octet_length(r ->> 'content') as bytes, jsonb_typeof(r -> 'content') as content_kind,
               count(*) over (partition by r ->> 'name') as twins
        from jsonb_array_elements(deploy_all.resources) with ordinality as f(r, n) order by n
    loop
        if resource.kind <> 'object' or resource.name_kind is distinct from 'string'
           or resource.content_kind is distinct from 'string' then
            raise exception using errcode = 'PW003',
                message = format('file %s of resources must be an object with the texts name and content', resource.n),
                hint = example;
        end if;
        perform api_text(format('the name of file %s', resource.n), resource.name, true);
        if resource.twins > 1 then
            raise exception using errcode = 'PW003',
                message = format('two files of the deployment are named "%s"', resource.name),
                hint = 'Give each file a name of its own.';
        elsif resource.bytes = 0 then
            raise exception using errcode = 'PW003', message = format('the file "%s" is empty', resource.name),
                hint = 'Pass the text of the BPMN file.';
        elsif resource.bytes > 10485760 then -- LIMIT_XML_BYTES
            raise exception using errcode = 'PW006',
                message = format('the file "%s" has %s bytes, the limit is 10485760 (LIMIT_XML_BYTES)',
                                 resource.name, resource.bytes),
                hint = 'Divide it into several processes, and let call activities connect them.';
        end if;
    end loop;

    deploy_all.deployment_id := api_id();
    deploy_all.state := 'accepted';
    insert into inbox (kind, command_id, name, key, detail, body, actor, tenant, at)
    values (100, deploy_all.deployment_id, deploy_all.name,
            array_to_json(api_limits('author'))::text, -- the engine holds the processes in the files against it
            json_strip_nulls(json_build_object('all', not api_flag('duplicateFiltering', deploy_all.options -> 'duplicateFiltering')))::jsonb
                || jsonb_build_object('parameters', coalesce(deploy_all.options -> 'parameters', '{}')),
            (select jsonb_agg(jsonb_build_object('name', r -> 'name', 'content', r -> 'content') order by n)::text
             from jsonb_array_elements(deploy_all.resources) with ordinality as f(r, n)),
            caller, of_tenant, clock());
end
$$;

revoke all on function deploy_all(jsonb, text, jsonb) from public;
comment on function deploy_all(jsonb, text, jsonb) is
'Deploys several files together: all of them or none. Otherwise like deploy().

- `resources`: a JSON array of objects with the texts `name` and `content`, at most 100: BPMN files (.bpmn, .xml), schemas (.json), forms (.form); parameters.json is an object of values for parameters.
- `name`: of the deployment.
- `options`: `tenant`: one of yours, by default the first; `actor`; `duplicateFiltering` (true unless told): a process that is the same as its latest version makes no new one; `parameters`: a JSON object of values for the parameters that the processes declare.';

create or replace function deploy(
    xml text,
    resource text default 'process.bpmn',
    name text default null,
    options jsonb default '{}',
    out deployment_id uuid,
    out state text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    if xml is null then
        raise exception using errcode = 'PW003', message = 'xml is missing', hint = 'Pass the text of the BPMN file.';
    elsif octet_length(xml) > 10485760 then -- LIMIT_XML_BYTES
        -- Before it is copied into JSON: that takes seconds for what is far too long.
        raise exception using errcode = 'PW006',
            message = format('the file "%s" has %s bytes, the limit is 10485760 (LIMIT_XML_BYTES)',
                             coalesce(deploy.resource, ''), octet_length(xml)),
            hint = 'Divide it into several processes, and let call activities connect them.';
    end if;
    select d.deployment_id, d.state into deploy.deployment_id, deploy.state
    from deploy_all(jsonb_build_array(jsonb_build_object('name', coalesce(deploy.resource, ''), 'content', deploy.xml)),
                    deploy.name, deploy.options) d;
end
$$;

revoke all on function deploy(text, text, text, jsonb) from public;
comment on function deploy(text, text, text, jsonb) is
'Deploys a BPMN file. When your transaction has committed, the engine checks it; await() with the returned id, or the view deployments, tells whether it is `active` or `refused`, with a list of findings. A refused deployment changes nothing.

- `xml`: the text of the file. An encoding named in it is ignored, since the text is decoded already.
- `resource`: the name of the file.
- `name`: of the deployment.
- `options`: `tenant`: one of yours, by default the first; `actor`; `duplicateFiltering` (true unless told): a process that is the same as its latest version makes no new one; `parameters`: a JSON object of values for the parameters that the processes declare.';

create or replace function export_deployment(
    deployment_id uuid,
    options jsonb default '{}',
    out name text,
    out content text)
returns setof record
language plpgsql stable security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    file constant text := 'parameters.json';
    known text;
    brought jsonb; -- values of parameters, by the option or by the file
    written text;
begin
    perform api_actor(export_deployment.options);
    select p.state into known from deployment p where p.id = api_given('deployment_id', export_deployment.deployment_id);
    if not found then
        raise exception using errcode = 'PW001', message = format('there is no deployment %s', export_deployment.deployment_id),
            hint = 'The view deployments lists them.';
    elsif not exists (select from resource r where r.deployment_id = export_deployment.deployment_id) then
        raise exception using errcode = 'PW002', message = format('the deployment %s is %s', export_deployment.deployment_id, known),
            hint = 'Its files were not kept.';
    end if;
    perform api_require('read', d.key) from definition d
    where d.deployment_id = export_deployment.deployment_id and not api_may('author', d.key);
    perform api_require('read', null) where not api_may('author', null) and not exists (
        select from definition d where d.deployment_id = export_deployment.deployment_id);
    select jsonb_object_agg(c.name, c.value) into brought from parameter_change c
    where c.deployment_id = export_deployment.deployment_id;
    select r.content into written from resource r where r.deployment_id = export_deployment.deployment_id and r.name = file;
    return query
    select r.name, r.content from resource r
    where r.deployment_id = export_deployment.deployment_id and r.name <> file
    union all
    select file, case when written::jsonb @> brought or brought is null then written
                      else jsonb_pretty(coalesce(written::jsonb, '{}') || brought) end
    where written is not null or brought is not null
    order by 1;
end
$$;
revoke all on function export_deployment(uuid, jsonb) from public;
comment on function export_deployment(uuid, jsonb) is
'The files of a deployment as they came: models, schemas, forms, and the values of parameters that it brought, as parameters.json. deploy_all() takes them again, and finds nothing new in them.

- `deployment_id`: PW001 if there is none, PW002 if it was refused.
- `options`: `actor`.

A row for each file. For those who may read or deploy all processes that came with it.';

create or replace function withdraw(
    deployment_id uuid,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(withdraw.options, array['cancelInstances', 'reason']);
    instances_too boolean := coalesce(api_flag('cancelInstances', withdraw.options -> 'cancelInstances'), false);
    known text;
    of_tenant text;
begin
    select p.state, p.tenant into known, of_tenant from deployment p where p.id = api_given('deployment_id', withdraw.deployment_id);
    if not found then
        raise exception using errcode = 'PW001', message = format('there is no deployment %s', withdraw.deployment_id),
            hint = 'The view deployments lists them; of one that is not taken up yet, the engine must do that first.';
    elsif known <> 'active' then
        raise exception using errcode = 'PW002', message = format('the deployment %s is %s', withdraw.deployment_id, known),
            hint = 'There is nothing of it to withdraw.';
    end if;
    perform api_require('author', d.key) from definition d where d.deployment_id = withdraw.deployment_id;
    perform api_require('author', null) where not exists (
        select from definition d where d.deployment_id = withdraw.deployment_id);
    withdraw.command_id := api_id();
    insert into inbox (kind, command_id, subject, detail, body, actor, tenant, at)
    values (105, withdraw.command_id, withdraw.deployment_id, api_prose('reason', withdraw.options ->> 'reason'),
            case when instances_too then '{"cancelInstances": true}' else '{}' end,
            caller, of_tenant, clock());
end
$$;
revoke all on function withdraw(uuid, jsonb) from public;
comment on function withdraw(uuid, jsonb) is
'Takes a deployment back: of each of its processes the version before becomes the latest again, with its message and timer start events (timers count from now). While instances of it run the outcome is `refused`, and says how many of which version, unless they are to be cancelled. Its files, definitions and history stay readable; numbers of versions are not used again.

- `deployment_id`: PW001 if there is none, PW002 if it was refused or withdrawn already.
- `options`: `cancelInstances` = true cancels its running instances, and the families in which one was called, as bulk() does; `reason`, which their history keeps; `actor`.

A start that was accepted before is carried out.';
