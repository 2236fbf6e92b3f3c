-- SPDX-License-Identifier: Apache-2.0
-- What went wrong and waits for somebody: grouped by cause, with what was asked and answered last.

-- A message without what differs from one instance to the next: ids, times, quoted values, numbers. A
-- status stays, and the name of the element.
create or replace function api_cause_pattern(message text, element text) returns text
language sql immutable
as $$
    select left(replace(
        regexp_replace(regexp_replace(regexp_replace(regexp_replace(regexp_replace(
            replace(left(message, 2000), coalesce('''' || element || '''', E'\x02'), E'\x01'),
            '\m[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\M', '<id>', 'gi'),
            '\m\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d([.,]\d+)?)?(Z|[+-]\d\d(:?\d\d)?)?)?', '<time>', 'g'),
            '"[^"]*"', '"…"', 'g'),
            '(?<!\w)''[^'']*''(?!\w)', '''…''', 'g'),
            '(?<!\mstatus )\m\w*\d\w*([.,:]\w*\d\w*)*', '<n>', 'g'),
        E'\x01', coalesce('''' || element || '''', '')), 300)
$$;
revoke all on function api_cause_pattern(text, text) from public;

-- The group of an incident: short enough to be typed, the same in every version of the process.
create or replace function api_cause(process text, element text, reason text, pattern text) returns text
language sql immutable
as $$
    select left(encode(sha256(convert_to(jsonb_build_array(process, element, reason, pattern)::text, 'UTF8')), 'hex'), 12)
$$;
revoke all on function api_cause(text, text, text, text) from public;

-- Is it the name of a header or parameter whose value is nobody's business? As mask_is_secret() of base/mask.c.
create or replace function api_secret(name text) returns boolean
language sql immutable
as $$
    select name ~* '(authorization|cookie|key|token|secret|passw|credential|signature|^sig$)'
$$;
revoke all on function api_secret(text) from public;

-- A path or URL as people may see it: without the values of parameters whose names are as above, and without task tokens.
create or replace function api_shown_path(path text) returns text
language sql immutable
as $$
    select regexp_replace(regexp_replace(path,
        '([?&](?:[^=&]*(?:authorization|cookie|key|token|secret|passw|credential|signature)[^=&]*|sig)=)[^&]*', '\1***', 'gi'),
        'pawl_[A-Za-z0-9_-]{64}', 'pawl_***', 'g')
$$;
revoke all on function api_shown_path(text) from public;

-- The request of a call as an incident keeps it: secrets masked, the body cut at 4 KiB between characters.
create or replace function api_call_request(method text, endpoint text, path text, headers text, body bytea,
                                            attempt integer, sent timestamptz) returns jsonb
language sql stable
as $$
    select regexp_replace(jsonb_build_object(
        'endpoint', endpoint, 'method', method,
        'path', api_shown_path(path),
        'headers', (select coalesce(jsonb_object_agg(h.key, case when api_secret(h.key) then '***' else h.value end), '{}')
                    from jsonb_each_text(headers::jsonb) h),
        'body', convert_from(case when octet_length(body) <= 4096 then body else substr(body, 1,
                    (select max(n) from generate_series(4093, 4096) n where get_byte(body, n) & 192 <> 128)) end, 'UTF8'),
        'bytes', octet_length(body), 'attempt', attempt, 'sent', sent)::text, 'pawl_[A-Za-z0-9_-]{64}', 'pawl_***', 'g')::jsonb
$$;
revoke all on function api_call_request(text, text, text, text, bytea, integer, timestamptz) from public;

create or replace view incidents as
select x.id as incident_id, x.instance_id, d.key as process, d.version, i.business_key,
       e.id as element_id, e.name as element_name, x.reason, x.message, x.at, x.tries,
       x.reason = 'unknownOutcome' as needs_decision, x.token, x.cause, x.endpoint, x.request, x.answer, i.root_id, d.tenant, x.loop_counter,
       t.error_details
from incident x
left join instance i on i.id = x.instance_id
left join api_read_definition d on d.id = coalesce(i.definition_id, x.definition_id)
left join element e on e.definition_id = d.id and e.node = x.node
left join external_task t on t.id = x.subject
where d.id is not null or (select api_engine());
revoke all on incidents from public;
comment on view incidents is 'What went wrong and waits until somebody has looked at it: see retry(), retry_many(), skip(), move_token(), complete_element() and cancel().';
comment on column incidents.reason is '`failedJob`: all tries are used up; `unknownOutcome`: the engine died while a request was under way; others say themselves';
comment on column incidents.message is 'the error';
comment on column incidents.at is 'since when; one that is tried again and fails again is a new one';
comment on column incidents.tries is 'how often it has failed';
comment on column incidents.needs_decision is 'retry() wants the option decision';
comment on column incidents.cause is 'its group in incident_groups';
comment on column incidents.endpoint is 'of a remote call';
comment on column incidents.request is 'of a remote call, as it was sent last: method, path, headers, body. Without the endpoint''s credentials; headers and parameters that look secret are masked, the body is cut at 4 KiB';
comment on column incidents.answer is 'what came back, masked and cut in the same way';
comment on column incidents.error_details is 'of an external task: what its worker said besides, such as a stack trace';
comment on column incidents.loop_counter is 'which item of a multi-instance activity has it, from 0';
comment on column incidents.root_id is 'the outermost caller';

create or replace view incident_groups as
select x.cause, d.key as process, e.id as element_id, min(e.name) as element_name, x.reason, x.pattern, count(*) as incidents,
       count(distinct x.instance_id) as instances, min(x.at) as first, max(x.at) as last,
       array_agg(distinct d.version order by d.version) as versions, array_remove(array_agg(distinct x.endpoint), null) as endpoints,
       x.reason = 'unknownOutcome' as needs_decision, max(x.id::text)::uuid as example,
       (array_agg(x.message order by x.id desc))[1] as message
from incident x
left join api_read_definition d on d.id = x.definition_id
left join element e on e.definition_id = x.definition_id and e.node = x.node
where d.id is not null or (select api_engine())
group by x.cause, d.key, e.id, x.reason, x.pattern;
revoke all on incident_groups from public;
comment on view incident_groups is 'The incidents by their cause: process, element, reason, and the message without what differs from one instance to the next. retry_many() takes a group at once.';
comment on column incident_groups.cause is 'its name: the same tomorrow, on every node, in every version of the process';
comment on column incident_groups.pattern is 'the message without ids, times, numbers and quoted values';
comment on column incident_groups.incidents is 'how many there are';
comment on column incident_groups.instances is 'how many instances have one';
comment on column incident_groups.first is 'when the oldest of them came';
comment on column incident_groups.endpoints is 'of remote calls';
comment on column incident_groups.needs_decision is 'retry() wants the option decision';
comment on column incident_groups.example is 'the id of the newest';
comment on column incident_groups.message is 'the error of the newest, as it is';
