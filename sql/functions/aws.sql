-- SPDX-License-Identifier: Apache-2.0
-- What clients of AWS Step Functions ask, in their shapes (sql/queries/http_aws.sql). Names are ARNs there: what counts
-- is the end of one, arn:aws:states:REGION:ACCOUNT:stateMachine:PROCESS and …:execution:PROCESS:INSTANCE.

create or replace function api_aws_epoch(at timestamptz) returns numeric
language sql immutable
as $$ select round(extract(epoch from at), 3) $$;
revoke all on function api_aws_epoch(timestamptz) from public;

create or replace function api_aws_arn(kind text, name text) returns text
language sql immutable
as $$ select format('arn:aws:states:pawl:000000000000:%s:%s', kind, name) $$;
revoke all on function api_aws_arn(text, text) from public;

create or replace function api_aws_start(asked jsonb, out body json, out instance_id uuid)
language plpgsql volatile
as $$
declare
    process text := regexp_replace(asked ->> 'stateMachineArn', '^arn:[^:]*:states:[^:]*:[^:]*:stateMachine:', '');
    name text := nullif(asked ->> 'name', '');
begin
    instance_id := (select s.instance_id from start(
        process, business_key => name, variables => coalesce((asked ->> 'input')::jsonb, '{}'),
        request_key => 'aws:' || process || ':' || name) s);
    body := json_build_object('executionArn', api_aws_arn('execution', process || ':' || instance_id),
                              'startDate', api_aws_epoch(api_id_time(instance_id)));
end
$$;
revoke all on function api_aws_start(jsonb) from public;

-- The instance that an ARN ends with.
create or replace function api_aws_instance(asked jsonb) returns uuid
language sql immutable
as $$ select substring(asked ->> 'executionArn' from '[^:]*$')::uuid $$;
revoke all on function api_aws_instance(jsonb) from public;

create or replace function api_aws_describe(asked jsonb) returns json
language plpgsql stable
as $$
declare
    it record;
begin
    select i.* into it from instances i where i.instance_id = api_aws_instance(asked);
    if not found then
        raise exception using errcode = 'PW001', message = format('Execution Does Not Exist: ''%s''', asked ->> 'executionArn');
    end if;
    return json_strip_nulls(json_build_object(
        'executionArn', asked ->> 'executionArn',
        'stateMachineArn', api_aws_arn('stateMachine', it.process),
        'name', coalesce(it.business_key, it.instance_id::text),
        'status', case when it.ended is null then 'RUNNING' when it.state = 'completed' then 'SUCCEEDED'
                       when it.state in ('cancelled', 'terminated') then 'ABORTED' else 'FAILED' end,
        'cause', it.reason,
        'startDate', api_aws_epoch(it.started), 'stopDate', api_aws_epoch(it.ended)));
end
$$;
revoke all on function api_aws_describe(jsonb) from public;

create or replace function api_aws_stop(asked jsonb) returns json
language plpgsql volatile
as $$
begin
    perform cancel(api_aws_instance(asked), nullif(concat_ws(': ', asked ->> 'error', asked ->> 'cause'), ''));
    return json_build_object('stopDate', api_aws_epoch(clock()));
end
$$;
revoke all on function api_aws_stop(jsonb) from public;
