-- SPDX-License-Identifier: Apache-2.0
-- Events: callers put them on a bus, rules pick them by pattern, targets get them. docs/events.md.
--
-- Patterns are judged and matched by the workers alone (events/), so a change of a rule is a command with an outcome,
-- like a deployment. It stands in one queue with the events: those put before it meet the old rules.

-- ---- Helpers ----

-- A time with its zone, as RFC 3339 has it; NULL if it is none.
create or replace function api_event_time(given text) returns timestamptz
language plpgsql immutable
as $$
begin
    if given !~ '^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d(:\d\d([.]\d{1,9})?)?([Zz]|[+-]\d\d:?\d\d)$' then
        return null;
    end if;
    return given::timestamptz;
exception when others then
    return null;
end
$$;
revoke all on function api_event_time(text) from public;

-- The least UUIDv7 of that time.
create or replace function api_id_from(at timestamptz) returns uuid
language sql immutable
as $$
    select (lpad(to_hex(floor(greatest(extract(epoch from at), 0) * 1000)::bigint), 12, '0') || repeat('0', 20))::uuid
$$;
revoke all on function api_id_from(timestamptz) from public;

create or replace function api_event_options(what text, options jsonb, allowed text[]) returns void
language plpgsql immutable
as $$
declare
    stray text;
begin
    if jsonb_typeof(options) is distinct from 'object' then
        raise exception using errcode = 'PW003', message = format('%s must be a JSON object', what),
            hint = format('Its members: %s.', array_to_string(allowed, ', '));
    end if;
    select k into stray from jsonb_object_keys(options) k where k <> all (allowed) order by k limit 1;
    if found then
        raise exception using errcode = 'PW003', message = format('there is no "%s" in %s', left(stray, 40), what),
            hint = format('Its members: %s.', array_to_string(allowed, ', '));
    end if;
end
$$;
revoke all on function api_event_options(text, jsonb, text[]) from public;

-- The name of a bus, which AWS's clients also give as an ARN.
create or replace function api_event_bus(given text) returns text
language sql immutable
as $$ select regexp_replace(coalesce(nullif(given, ''), 'default'), '^arn:[^/]*:event-bus/', '') $$;
revoke all on function api_event_bus(text) from public;

create or replace function api_event_bus_there(bus text, tenant text) returns text
language plpgsql stable
as $$
begin
    perform api_text('the name of the bus', bus, true);
    if bus not in ('default', 'alerts') and not exists (select from event_bus b where b.tenant = api_event_bus_there.tenant and b.name = bus) then
        raise exception using errcode = 'PW001', message = format('there is no event bus "%s"', bus),
            hint = 'Make it with set_event_bus(); the view event_buses lists them.';
    end if;
    return bus;
end
$$;
revoke all on function api_event_bus_there(text, text) from public;

-- ---- Events ----

-- One entry as it is stored, or why not. Names as AWS has them, or as JSON people write them.
create or replace function api_event_entry(
    entry jsonb,
    of_tenant text,
    out bus text, out source text, out detail_type text, out detail text, out happened timestamptz, out resources text,
    out key text, out error_code text, out error_message text)
language plpgsql stable
as $$
declare
    given jsonb := coalesce(entry -> 'Detail', entry -> 'detail');
    moment jsonb := coalesce(nullif(entry -> 'Time', 'null'), nullif(entry -> 'time', 'null'));
    list jsonb := coalesce(nullif(entry -> 'Resources', 'null'), nullif(entry -> 'resources', 'null'), '[]');
    wrong text;
begin
    error_code := 'InvalidArgument';
    if jsonb_typeof(entry) is distinct from 'object' then
        error_message := 'An entry must be a JSON object.';
        return;
    end if;
    bus := api_event_bus(coalesce(entry ->> 'EventBusName', entry ->> 'bus'));
    source := coalesce(entry ->> 'Source', entry ->> 'source');
    detail_type := coalesce(entry ->> 'DetailType', entry ->> 'detailType', entry ->> 'detail-type');
    key := coalesce(entry ->> 'DedupeKey', entry ->> 'dedupeKey');
    detail := case jsonb_typeof(given) when 'string' then given #>> '{}' else nullif(given::text, 'null') end;
    happened := case when moment is null then clock()
                 when jsonb_typeof(moment) = 'number' and (moment #>> '{}')::numeric between 0 and 253402300799
                 then to_timestamp((moment #>> '{}')::double precision)
                 when jsonb_typeof(moment) = 'string' then api_event_time(moment #>> '{}') end;
    wrong := case when coalesce(source, '') = '' then 'Source' when coalesce(detail_type, '') = '' then 'DetailType'
                  when coalesce(detail, '') = '' then 'Detail' end;
    if wrong is not null then
        error_message := format('Parameter %s is not valid. Reason: %1$s is a required argument.', wrong);
        return;
    end if;
    wrong := case when octet_length(bus) > 255 then 'EventBusName' when octet_length(source) > 255 then 'Source' -- LIMIT_NAME_BYTES
                  when octet_length(detail_type) > 255 then 'DetailType' when octet_length(key) > 255 then 'DedupeKey' end;
    if wrong is not null then
        error_message := format('Parameter %s is not valid. Reason: %1$s is longer than 255 bytes.', wrong);
        return;
    elsif happened is null then
        error_message := 'Parameter Time is not valid. Reason: Time must be seconds since 1970, or a text such as 2026-11-22T08:00:00Z.';
        return;
    elsif jsonb_typeof(list) <> 'array' or jsonb_path_exists(list, 'strict $[*] ? (@.type() != "string")') then
        error_message := 'Parameter Resources is not valid. Reason: Resources must be an array of strings.';
        return;
    elsif octet_length(detail) + octet_length(source) + octet_length(detail_type) + octet_length(list::text) > 262144 then -- LIMIT_EVENT_BYTES
        error_message := 'The entry is larger than 262144 bytes.';
        return;
    elsif source = 'urn:pawl' then
        error_code := 'NotAuthorizedForSourceException';
        error_message := format('Not authorized for the source %s.', source);
        return;
    elsif bus not in ('default', 'alerts') and not exists (select from event_bus b where b.tenant = of_tenant and b.name = bus) then
        error_code := 'ResourceNotFoundException';
        error_message := format('Event bus %s does not exist.', bus);
        return;
    elsif jsonb_typeof(api_json(detail)) is distinct from 'object' then
        error_code := 'MalformedDetail';
        error_message := 'Detail is malformed.';
        return;
    end if;
    resources := list::text;
    error_code := null;
end
$$;
revoke all on function api_event_entry(jsonb, text) from public;

create or replace function put_events(entries jsonb, options jsonb default '{}')
returns table (n integer, event_id uuid, error_code text, error_message text, duplicate boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(put_events.options, array['tenant']);
    of_tenant text := api_tenant(put_events.options);
    entry record;
    judged record;
begin
    perform api_require('start', null);
    if jsonb_typeof(put_events.entries) is distinct from 'array' or jsonb_array_length(put_events.entries) = 0 then
        raise exception using errcode = 'PW003', message = 'entries must be an array of at least one event',
            hint = 'Example: ''[{"source": "shop", "detailType": "order.paid", "detail": {"order": 7}}]''.';
    elsif jsonb_array_length(put_events.entries) > 1000 then -- LIMIT_EVENT_ENTRIES
        raise exception using errcode = 'PW006',
            message = format('there are %s events, the limit is 1000 (LIMIT_EVENT_ENTRIES)',
                             jsonb_array_length(put_events.entries)),
            hint = 'Put them in several calls; they may be in one transaction.';
    elsif octet_length(put_events.entries::text) > 4194304 then -- LIMIT_EVENTS_BYTES
        raise exception using errcode = 'PW006', message = 'the events have more than 4194304 bytes (LIMIT_EVENTS_BYTES)',
            hint = 'Put them in several calls; they may be in one transaction.';
    end if;
    for entry in select e.ordinality::integer as place, e.value as given
                 from jsonb_array_elements(put_events.entries) with ordinality e loop
        judged := api_event_entry(entry.given, of_tenant);
        n := entry.place;
        error_code := judged.error_code;
        error_message := judged.error_message;
        duplicate := false;
        event_id := case when error_code is null then api_id() end;
        while error_code is null and judged.key is not null loop
            -- Waits for a caller with the same key whose transaction is still open.
            insert into event_key as k (tenant, bus, source, key, event_id, at)
            values (of_tenant, judged.bus, judged.source, judged.key, put_events.event_id, clock())
            on conflict (tenant, bus, source, key) do nothing;
            exit when found;
            select true, k.event_id into duplicate, event_id from event_key k
            where k.tenant = of_tenant and k.bus = judged.bus and k.source = judged.source and k.key = judged.key;
            exit when found; -- else it expired in between
            event_id := api_id();
            duplicate := false;
        end loop;
        if error_code is null and not duplicate then
            insert into bus_event (id, tenant, bus, source, detail_type, time, resources, detail, actor, at)
            values (event_id, of_tenant, judged.bus, judged.source, judged.detail_type, judged.happened, judged.resources, judged.detail,
                    caller, clock());
            insert into event_todo (kind, event_id, tenant, bus, actor, at) values (1, event_id, of_tenant, judged.bus, caller, clock());
        end if;
        return next;
    end loop;
end
$$;
revoke all on function put_events(jsonb, jsonb) from public;
comment on function put_events(jsonb, jsonb) is
'Puts events on a bus: they reach the targets of the rules that match, as soon as your transaction commits, and not at all if it rolls back.

- `entries`: a JSON array of up to 1000 events, each an object. Names as in EventBridge''s PutEvents, or in brackets:
  - `Source` (`source`), `DetailType` (`detailType`) and `Detail` (`detail`; an object, or a text that holds one) must be there.
  - `EventBusName` (`bus`): by default `default`; an ARN is read, too.
  - `Time` (`time`): seconds since 1970, or a text like 2026-11-22T08:00:00Z; by default now.
  - `Resources` (`resources`): an array of texts.
  - `DedupeKey` (`dedupeKey`): your own id of the event. Another one of the same bus, source and key is dropped within a day (set_retention).
- `options`: `actor`.

Returns a row for each entry, in their order: `event_id`, or `error_code` and `error_message` for one that is refused, whose fellows are taken all the same; `duplicate`: it was put before, under this id.';

-- What HTTP answers: what became of each; a problem (RFC 9457) as well where all were refused.
create or replace function api_events_answer(n bigint, refused bigint, events json)
returns jsonb
language sql immutable
set search_path = @schema@, pg_temp
as $$
    select case when refused = n then jsonb_build_object('type', null, 'title', 'Bad Request', 'status', 400,
                                                         'detail', format('refused are %s of %s events', refused, n), 'code', 'PW003')
                else '{}' end
        || jsonb_build_object('refused', refused, 'events', events)
$$;
revoke all on function api_events_answer(bigint, bigint, json) from public;

create or replace function test_event_pattern(
    pattern jsonb,
    event jsonb,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(test_event_pattern.options);
begin
    if octet_length(test_event_pattern.event::text) > 524288 then
        raise exception using errcode = 'PW006', message = 'the event has more than 524288 bytes', hint = 'Try a smaller one.';
    end if;
    test_event_pattern.command_id := api_id();
    insert into event_todo (kind, command_id, tenant, body, actor, at)
    values (4, test_event_pattern.command_id, api_tenant('{}'),
            jsonb_build_object('pattern', api_event_pattern(test_event_pattern.pattern), 'event', test_event_pattern.event),
            caller, clock());
end
$$;
revoke all on function test_event_pattern(jsonb, jsonb, jsonb) from public;
comment on function test_event_pattern(jsonb, jsonb, jsonb) is
'Whether an event matches a pattern. The engine answers: await() gives `done` with {"matches": true|false}, or `refused` with the reason why the pattern is not valid. `pawl event test` says it at once.

- `pattern`: the event pattern.
- `event`: the event as rules see it: {"source": …, "detail-type": …, "detail": {…}}.
- `options`: `actor`.';

-- ---- Buses ----

-- A name of a bus or rule: part of paths, and as AWS has it.
create or replace function api_event_name(given text) returns text
language plpgsql immutable
as $$
begin
    if api_text('name', given, true) !~ '^[A-Za-z0-9][A-Za-z0-9_.-]*$' then
        raise exception using errcode = 'PW003',
            message = format('"%s" is no name for a bus or rule', left(given, 100)),
            hint = 'A letter or digit, then letters, digits, "_", "." and "-".';
    end if;
    return given;
end
$$;
revoke all on function api_event_name(text) from public;

create or replace function set_event_bus(name text, options jsonb default '{}', out bus text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(set_event_bus.options, array['description', 'tenant']);
    of_tenant text := api_tenant(set_event_bus.options);
begin
    perform api_require('admin', null);
    set_event_bus.bus := api_event_name(set_event_bus.name);
    insert into event_bus as b (tenant, name, description, actor, at)
    values (of_tenant, set_event_bus.name, api_prose('the description', set_event_bus.options ->> 'description'), caller, clock())
    on conflict (tenant, name) do update set description = excluded.description, actor = excluded.actor, at = excluded.at;
    perform api_audit('eventBusSet', caller, of_tenant, set_event_bus.name, null);
end
$$;
revoke all on function set_event_bus(text, jsonb) from public;
comment on function set_event_bus(text, jsonb) is
'Makes an event bus. The bus `default` is always there.

- `name`: letters, digits and . _ / -
- `options`: `description`; `tenant`; `actor`.';

create or replace function drop_event_bus(name text, options jsonb default '{}', out bus text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(drop_event_bus.options, array['tenant']);
    of_tenant text := api_tenant(drop_event_bus.options);
begin
    perform api_require('admin', null);
    drop_event_bus.bus := api_event_bus_there(drop_event_bus.name, of_tenant);
    if exists (select from event_rule r where r.tenant = of_tenant and r.bus = drop_event_bus.name) then
        raise exception using errcode = 'PW002', message = format('the event bus "%s" has rules', drop_event_bus.name),
            hint = 'Drop them first (drop_event_rule); the view event_rules lists them.';
    end if;
    delete from event_bus b where b.tenant = of_tenant and b.name = drop_event_bus.name;
    perform api_audit('eventBusDropped', caller, of_tenant, drop_event_bus.name, null);
end
$$;
revoke all on function drop_event_bus(text, jsonb) from public;
comment on function drop_event_bus(text, jsonb) is
'Removes an event bus that has no rules. Its events stay as long as others.

- `name`: of the bus. PW001 if there is none.
- `options`: `actor`.';

-- ---- Rules ----

create or replace function api_event_pattern(given jsonb) returns jsonb
language plpgsql immutable
as $$
begin
    if given is null then
        raise exception using errcode = 'PW003', message = 'pattern is missing',
            hint = 'Example: ''{"source": ["shop"], "detail-type": ["order.paid"]}''.';
    elsif octet_length(given::text) > 65536 then
        raise exception using errcode = 'PW006', message = 'the pattern has more than 65536 bytes (LIMIT_PATTERN_BYTES)',
            hint = 'Make several rules of it.';
    end if;
    return given;
end
$$;
revoke all on function api_event_pattern(jsonb) from public;

create or replace function set_event_rule(
    name text,
    pattern jsonb,
    targets jsonb,
    bus text default 'default',
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(set_event_rule.options, array['description', 'enabled', 'tenant']);
    of_tenant text := api_tenant(set_event_rule.options);
    wanted boolean := coalesce(api_flag('enabled', set_event_rule.options -> 'enabled'), true);
begin
    perform api_require('admin', null);
    perform api_event_name(set_event_rule.name), api_event_bus_there(set_event_rule.bus, of_tenant),
            api_prose('the description', set_event_rule.options ->> 'description');
    if jsonb_typeof(set_event_rule.targets) is distinct from 'array' or jsonb_array_length(set_event_rule.targets) > 20 then
        raise exception using errcode = 'PW003', message = 'targets must be a JSON array of at most 20 targets',
            hint = 'Example: ''[{"startProcess": {"process": "order", "businessKey": "<$.detail.order>"}}]''.';
    elsif octet_length(set_event_rule.targets::text) > 262144 then
        raise exception using errcode = 'PW006', message = 'the targets have more than 262144 bytes',
            hint = 'Make several rules of it.';
    end if;
    if jsonb_path_exists(set_event_rule.targets, '$[*].callEndpoint')
       and not exists (select from definition d where d.tenant = of_tenant and d.key = 'pawl-event-delivery' and d.withdrawn is null) then
        perform deploy(api_event_delivery_process(), 'pawl-event-delivery.bpmn', 'event delivery',
                       case when of_tenant <> '' then jsonb_build_object('tenant', of_tenant) else '{}' end);
    end if;
    set_event_rule.command_id := api_id();
    insert into event_todo (kind, command_id, tenant, bus, name, body, actor, at)
    values (2, set_event_rule.command_id, of_tenant, set_event_rule.bus, set_event_rule.name,
            jsonb_build_object('pattern', api_event_pattern(set_event_rule.pattern), 'targets', set_event_rule.targets,
                               'description', set_event_rule.options ->> 'description',
                               'enabled', wanted),
            caller, clock());
    perform api_audit('eventRuleSet', caller, of_tenant, set_event_rule.name,
                      jsonb_build_object('bus', set_event_rule.bus, 'command', set_event_rule.command_id));
end
$$;
revoke all on function set_event_rule(text, jsonb, jsonb, text, jsonb) from public;
comment on function set_event_rule(text, jsonb, jsonb, text, jsonb) is
'Makes a rule, or replaces it: events of the bus that match its pattern go to each of its targets. The engine judges pattern and targets: await() says `done`, or `refused` with the reason, and then the rule is what it was. Events that are put later, in the same transaction even, meet the new rule.

- `name`: of the rule; one on each bus.
- `pattern`: an EventBridge event pattern, such as {"source": ["shop"], "detail": {"status": ["submitted"]}}.
- `targets`: an array of up to 20 objects. Each has one of `startProcess`, `publishMessage`, `correlateMessage`, `completeTask`, `failTask` and `callEndpoint`, and may have an `id`. docs/events.md tells what is in them. None: the rule only marks events as wanted.
- `bus`: PW001 if there is none of this name.
- `options`: `description`; `enabled`, true by default; `actor`.';

create or replace function drop_event_rule(
    name text,
    bus text default 'default',
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(drop_event_rule.options, array['tenant']);
    of_tenant text := api_tenant(drop_event_rule.options);
begin
    perform api_require('admin', null);
    perform api_event_name(drop_event_rule.name), api_event_bus_there(drop_event_rule.bus, of_tenant);
    drop_event_rule.command_id := api_id();
    insert into event_todo (kind, command_id, tenant, bus, name, actor, at)
    values (3, drop_event_rule.command_id, of_tenant, drop_event_rule.bus, drop_event_rule.name, caller, clock());
    perform api_audit('eventRuleDropped', caller, of_tenant, drop_event_rule.name, jsonb_build_object('bus', drop_event_rule.bus));
end
$$;
revoke all on function drop_event_rule(text, text, jsonb) from public;
comment on function drop_event_rule(text, text, jsonb) is
'Removes a rule. await() says `done`, or `refused` if there is none. Events that were put before still meet it.

- `name`: of the rule.
- `bus`: of the rule.
- `options`: `actor`.';

-- ---- What became of them ----

create or replace function replay_events(
    filter jsonb,
    options jsonb default '{}',
    out matching bigint,
    out replayed bigint)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(replay_events.options, array['dryRun', 'limit', 'tenant']);
    of_tenant text := api_tenant(replay_events.options);
    most bigint := coalesce(api_number(replay_events.options, 'limit', 1, 100000, true), 10000);
    dry boolean := coalesce(replay_events.options ->> 'dryRun', 'false') <> 'false';
    given text;
    earliest timestamptz := '-infinity';
    latest timestamptz := 'infinity';
    wanted uuid[];
begin
    perform api_require('admin', null);
    perform api_event_options('filter', replay_events.filter,
                              array['state', 'bus', 'source', 'detailType', 'rule', 'from', 'until', 'ids']);
    given := replay_events.filter ->> 'state';
    if given is null or given not in ('unmatched', 'failed', 'all') then
        raise exception using errcode = 'PW003', message = 'state must be unmatched, failed or all',
            hint = 'unmatched: events that no rule wanted; failed: deliveries that did not succeed; all: everything once more.';
    end if;
    if replay_events.filter ? 'from' then
        earliest := api_event_time(replay_events.filter ->> 'from');
    end if;
    if replay_events.filter ? 'until' then
        latest := api_event_time(replay_events.filter ->> 'until');
    end if;
    if earliest is null or latest is null then
        raise exception using errcode = 'PW003', message = 'from and until must be times with a zone',
            hint = 'Example: {"from": "2026-11-22T08:00:00Z"}.';
    end if;
    if replay_events.filter ? 'ids' then
        if jsonb_typeof(replay_events.filter -> 'ids') <> 'array' or jsonb_path_exists(replay_events.filter -> 'ids',
               'strict $[*] ? (!(@.type() == "string" && @ like_regex "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"))') then
            raise exception using errcode = 'PW003', message = 'ids must be an array of event ids',
                hint = 'The views bus_events and event_deliveries show them.';
        end if;
        wanted := array(select i::uuid from jsonb_array_elements_text(replay_events.filter -> 'ids') i);
    end if;

    with meant as materialized (
        select e.id, e.tenant, e.bus, nullif(d.rule, '') as rule, nullif(d.target, '') as target
        from bus_event e left join event_delivery d on given = 'failed' and d.event_id = e.id and d.state = 'failed'
        where e.tenant = of_tenant and e.at >= earliest and e.at < latest and e.id >= api_id_from(earliest)
          and (wanted is null or e.id = any (wanted))
          and (replay_events.filter ->> 'bus' is null or e.bus = api_event_bus(replay_events.filter ->> 'bus'))
          and (replay_events.filter ->> 'source' is null or e.source = replay_events.filter ->> 'source')
          and (replay_events.filter ->> 'detailType' is null or e.detail_type = replay_events.filter ->> 'detailType')
          and (replay_events.filter ->> 'rule' is null or given <> 'failed' or d.rule = replay_events.filter ->> 'rule')
          and case given when 'failed' then d.event_id is not null
                         when 'unmatched' then exists (select from event_unmatched u where u.event_id = e.id) else true end
          and not exists (select from event_todo t where t.event_id = e.id and t.target is not distinct from nullif(d.target, ''))
    ), taken as (
        insert into event_todo (kind, event_id, tenant, bus, name, target, actor, at)
        select 1, m.id, m.tenant, m.bus, case when given = 'failed' then m.rule else replay_events.filter ->> 'rule' end, m.target,
               caller, clock()
        from (select * from meant order by id, rule, target limit case when dry then 0 else most end) m
        returning 1
    )
    select (select count(*) from meant), (select count(*) from taken) into matching, replayed;
    if not dry then
        perform api_audit('eventsReplayed', caller, of_tenant, null,
                          jsonb_build_object('filter', replay_events.filter, 'replayed', replayed));
    end if;
end
$$;
revoke all on function replay_events(jsonb, jsonb) from public;
comment on function replay_events(jsonb, jsonb) is
'Has events go through the rules once more, the oldest first. What is waiting to be carried out already is left out.

- `filter`: a JSON object; all of it must hold.
  - `state`, needed: `unmatched`: events that no rule wanted; `failed`: deliveries that did not succeed, each at its own target alone; `all`: every event, at every target.
  - `bus`, `source`, `detailType`: of the event.
  - `rule`: of the failed delivery; else only this rule is tried.
  - `from`, `until`: when it was put ("2026-11-22T08:00:00Z").
  - `ids`: an array of event ids.
- `options`: `dryRun`: only count; `limit`: at most so many, by default 10000, at most 100000; `actor`.

Returns how many match, and how many of them are on their way again.';

-- ---- Deliveries: called by the worker that holds event_lane, in its transaction ----

-- What calls an endpoint for a rule: an instance of this each. After its last attempt it tells so by an event, which
-- makes a dead letter of the delivery.
create or replace function api_event_delivery_process() returns text
language sql immutable
as $$ select '<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:camunda="http://camunda.org/schema/1.0/bpmn" xmlns:pawl="urn:pawl:bpmn:1.0" id="eventDelivery" targetNamespace="urn:pawl:events">
  <bpmn:process id="pawl-event-delivery" name="Event delivery" isExecutable="true" camunda:historyTimeToLive="P14D">
    <bpmn:startEvent id="start" />
    <bpmn:serviceTask id="call" name="Call the endpoint">
      <bpmn:extensionElements>
        <pawl:http endpoint="${delivery.endpoint}" method="POST" path="${delivery.path}">
          <pawl:body>${delivery.body}</pawl:body>
          <pawl:answer when="${response.ok}"><pawl:output name="failure">${null}</pawl:output></pawl:answer>
          <pawl:answer when="${response.attempt >= delivery.attempts || response.outcome == ''refused'' || response.outcome == ''expired''}">
            <pawl:output name="failure">the endpoint ${delivery.endpoint} could not be called in ${response.attempt} attempts: ${response.outcome} ${response.status} ${response.error}</pawl:output>
          </pawl:answer>
        </pawl:http>
        <camunda:failedJobRetryTimeCycle>${delivery.retries}</camunda:failedJobRetryTimeCycle>
      </bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:exclusiveGateway id="judge" name="Delivered?" default="no" />
    <bpmn:endEvent id="delivered" name="Delivered" />
    <bpmn:serviceTask id="tell" name="Tell that it failed">
      <bpmn:extensionElements>
        <pawl:event source="urn:pawl" detailType="Event Delivery Failed">
          <pawl:detail name="event">${delivery.event}</pawl:detail>
          <pawl:detail name="rule">${delivery.rule}</pawl:detail>
          <pawl:detail name="target">${delivery.target}</pawl:detail>
          <pawl:detail name="error">${failure}</pawl:detail>
        </pawl:event>
      </bpmn:extensionElements>
    </bpmn:serviceTask>
    <bpmn:endEvent id="failed" name="Failed" />
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="call" />
    <bpmn:sequenceFlow id="f2" sourceRef="call" targetRef="judge" />
    <bpmn:sequenceFlow id="yes" name="yes" sourceRef="judge" targetRef="delivered"><bpmn:conditionExpression>${empty failure}</bpmn:conditionExpression></bpmn:sequenceFlow>
    <bpmn:sequenceFlow id="no" name="no" sourceRef="judge" targetRef="tell" />
    <bpmn:sequenceFlow id="f3" sourceRef="tell" targetRef="failed" />
  </bpmn:process>
</bpmn:definitions>'::text $$;
revoke all on function api_event_delivery_process() from public;

-- One delivery by the functions of the API, as any caller would do it. `a`: what events/target.h makes of a target and an event.
create or replace function api_event_deliver_one(kind text, a jsonb, actor text, tenant text) returns uuid
language plpgsql volatile
as $$
declare
    options jsonb := jsonb_build_object('actor', actor) || case when tenant <> '' then jsonb_build_object('tenant', tenant) else '{}' end;
begin
    case kind
    when 'startProcess' then
        return (select s.instance_id from start(a ->> 'process', a ->> 'businessKey', coalesce(a -> 'variables', '{}'), null,
                                                (a ->> 'version')::integer, options) s);
    when 'publishMessage' then
        return publish(a ->> 'message', coalesce(a ->> 'key', ''), coalesce(a -> 'variables', '{}'),
                       coalesce(api_interval(a, 'ttl', '0'), '10 minutes'),
                       options || jsonb_build_object('all', coalesce((a ->> 'all')::boolean, false)));
    when 'correlateMessage' then
        return correlate(a ->> 'message', a ->> 'key', coalesce(a -> 'variables', '{}'), null, options);
    when 'completeTask' then
        return (select c.callback_id from succeed_callback(a ->> 'token', a -> 'output', options - 'tenant') c);
    when 'failTask' then
        return (select c.callback_id from fail_callback(a ->> 'token', a ->> 'error', a ->> 'cause', options - 'tenant') c);
    when 'callEndpoint' then
        return (select s.instance_id from start('pawl-event-delivery', a ->> 'event', jsonb_build_object('delivery', a), null,
                                                null, options) s);
    end case;
end
$$;
revoke all on function api_event_deliver_one(text, jsonb, text, text) from public;

-- All of a batch. In one go where nothing is refused, else one by one, so that each refusal is its own dead letter;
-- what asks to be tried again (shutdown, resources, locks) is not one, but that a token is being answered by somebody else is.
create or replace function api_event_deliver(kinds text[], arguments text[], actors text[], tenants text[])
returns table (n integer, result uuid, error text)
language plpgsql volatile
set search_path = @schema@, pg_temp
set lock_timeout = '250ms'
as $$
#variable_conflict use_column
declare
    results uuid[];
    refused boolean := false;
begin
    begin
        for i in 1 .. cardinality(kinds) loop
            results[i] := api_event_deliver_one(kinds[i], arguments[i]::jsonb, actors[i], tenants[i]);
        end loop;
    exception when others then
        if left(sqlstate, 2) in ('40', '53', '57', '58', 'XX') then
            raise;
        end if;
        refused := true;
    end;
    if not refused then
        return query select u.n::integer, u.id, null::text from unnest(results) with ordinality u (id, n);
        return;
    end if;
    for i in 1 .. cardinality(kinds) loop
        n := i;
        result := null;
        error := null;
        begin
            result := api_event_deliver_one(kinds[i], arguments[i]::jsonb, actors[i], tenants[i]);
        exception when others then
            if left(sqlstate, 2) in ('40', '53', '57', '58', 'XX') then
                raise;
            end if;
            error := sqlerrm;
        end;
        return next;
    end loop;
end
$$;
revoke all on function api_event_deliver(text[], text[], text[], text[]) from public;

-- ---- Views ----

create or replace view event_buses as
select n.name, n.description, null::text as actor, null::timestamptz as at
from (values ('default', null), ('alerts', 'what somebody should hear of')) n(name, description)
union all
select b.name, b.description, b.actor, b.at from event_bus b where b.name not in ('default', 'alerts');
revoke all on event_buses from public;
comment on view event_buses is 'The event buses, see set_event_bus().';
comment on column event_buses.actor is 'who made it; NULL: it is always there';

create or replace view event_rules as
select r.bus, r.name, r.enabled, r.pattern::jsonb as pattern, r.targets::jsonb as targets, r.description, r.actor, r.at
from event_rule r;
revoke all on event_rules from public;
comment on view event_rules is 'The rules of the event buses, see set_event_rule().';
comment on column event_rules.actor is 'who set it last';
comment on column event_rules.at is 'and when';

create or replace view bus_events as
select e.id as event_id, e.bus, e.source, e.detail_type,
       case when exists (select from event_todo t where t.event_id = e.id) then 'queued'
            when exists (select from event_unmatched u where u.event_id = e.id) then 'unmatched'
            when exists (select from event_delivery d where d.event_id = e.id and d.state = 'failed') then 'failed'
            else 'matched' end as state,
       e.time, e.resources::jsonb as resources, e.detail::jsonb as detail, e.actor, e.at
from bus_event e;
revoke all on bus_events from public;
comment on view bus_events is 'The events that were put on a bus; kept as long as set_retention() says.';
comment on column bus_events.state is '`queued`: the rules have not seen it yet; `unmatched`: none wanted it; `matched`; `failed`: at least one of its deliveries did not succeed';
comment on column bus_events.time is 'when it happened, as its source says';
comment on column bus_events.at is 'when it was put';

create or replace view event_deliveries with (security_barrier) as
select d.event_id, e.bus, e.source, e.detail_type, nullif(d.rule, '') as rule, nullif(d.target, '') as target, d.kind,
       case when d.state = 'done' and d.kind = 'callEndpoint' and exists (select from instance i where i.id = d.result)
            then 'pending' else d.state end as state,
       d.tries, d.result, d.error, d.at
from event_delivery d left join bus_event e on e.id = d.event_id;
revoke all on event_deliveries from public;
comment on view event_deliveries is 'What became of the events at the targets of the rules that matched. Those in state `failed` are dead letters: replay_events() tries them again.';
comment on column event_deliveries.state is '`done`; `pending`: the endpoint is still being called; `failed`';
comment on column event_deliveries.tries is 'how often it was delivered: replays count';
comment on column event_deliveries.result is 'the instance that was started, or the id under which await() tells what became of the message or answer';
