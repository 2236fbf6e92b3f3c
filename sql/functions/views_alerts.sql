-- SPDX-License-Identifier: Apache-2.0
-- Alerts: what somebody should hear of is an event on the bus `alerts`, so rules choose who gets it, deliveries keep to the
-- limits of their endpoint and are tried again, and what cannot be delivered is a dead letter. docs/alerts.md.
-- Missed service levels are put there by the engine (engine/level.c).

create or replace function api_alert_put(tenant text, kind text, happened timestamptz, detail jsonb) returns void
language plpgsql volatile
as $$
declare
    event constant uuid := api_id();
begin
    insert into bus_event (id, tenant, bus, source, detail_type, time, resources, detail, actor, at)
    values (event, api_alert_put.tenant, 'alerts', 'urn:pawl', kind, happened, '[]', api_alert_put.detail::text, 'engine', clock());
    insert into event_todo (kind, event_id, tenant, bus, actor, at) values (1, event, api_alert_put.tenant, 'alerts', 'engine', clock());
end
$$;
revoke all on function api_alert_put(text, text, timestamptz, jsonb) from public;

-- What an alert says of an incident.
create or replace function api_alert_detail(i incident, process text, business_key text, e element) returns jsonb
language sql immutable
as $$
    select jsonb_build_object('incident', i.id, 'instance', i.instance_id, 'process', process, 'businessKey', business_key,
                              'element', e.id, 'elementName', e.name, 'reason', i.reason, 'message', left(i.message, 1000),
                              'endpoint', i.endpoint, 'cause', i.cause)
$$;
revoke all on function api_alert_detail(incident, text, text, element) from public;

-- The first incident of a cause is told of at once, with the transaction that makes it; api_alert_look() sees to the others.
create or replace function api_alert_incidents() returns trigger
language plpgsql volatile
as $$
declare
    told record;
begin
    -- A group that stays as long as this transaction does, or is over: then the next statement opens it anew.
    perform from alert_group g where g.cause in (select n.cause from fresh n) order by g.tenant, g.cause for key share;
    for told in
        insert into alert_group (tenant, cause, detail, opened, told, due)
        select distinct on (1, 2) coalesce(d.tenant, ''), n.cause,
               api_alert_detail(n::incident, d.key, i.business_key, e)
               || jsonb_build_object('incidents', count(*) over (partition by coalesce(d.tenant, ''), n.cause)),
               n.at, n.at, clock() + (select alert_interval from installation)
        from fresh n
        left join definition d on d.id = n.definition_id
        left join instance i on i.id = n.instance_id
        left join element e on e.definition_id = n.definition_id and e.node = n.node
        where n.cause is not null and d.key is distinct from 'pawl-event-delivery' -- an alert about an alert would not end
          and not exists (select from alert_group g where g.tenant = coalesce(d.tenant, '') and g.cause = n.cause)
        order by 1, 2, n.id
        on conflict do nothing
        returning *
    loop
        perform api_alert_put(told.tenant, 'Incident Created', told.opened, told.detail);
    end loop;
    return null;
end
$$;
revoke all on function api_alert_incidents() from public;

-- Looks at the causes whose interval is over: more incidents are told of by their number, and the end of a group once.
create or replace function api_alert_look() returns void
language plpgsql volatile
as $$
declare
    g alert_group;
    now constant timestamptz := clock();
    pause constant interval := (select alert_interval from installation);
    total bigint;
    more bigint;
    last_id uuid;
begin
    for g in select a.* from alert_group a where a.due <= now order by a.due limit 100 for no key update skip locked loop
        select count(*), count(*) filter (where x.at > g.told), max(x.id::text)::uuid into total, more, last_id
        from incident x left join definition d on d.id = x.definition_id
        where x.cause = g.cause and coalesce(d.tenant, '') = g.tenant;
        if total = 0 then
            perform api_alert_over(g);
        elsif more > 0 and coalesce(g.muted_until <= now, true) then
            perform api_alert_put(g.tenant, 'Incidents Repeated', now, (
                select api_alert_detail(x, g.detail ->> 'process', i.business_key, e)
                       || jsonb_build_object('incidents', total, 'new', more, 'since', g.opened)
                from incident x left join instance i on i.id = x.instance_id
                left join element e on e.definition_id = x.definition_id and e.node = x.node
                where x.id = last_id));
            update alert_group a set told = now, due = now + pause where a.tenant = g.tenant and a.cause = g.cause;
        else
            update alert_group a set due = now + pause where a.tenant = g.tenant and a.cause = g.cause;
        end if;
    end loop;
end
$$;
revoke all on function api_alert_look() from public;

-- The end of a group without incidents; not while somebody adds one.
create or replace function api_alert_over(g alert_group) returns void
language plpgsql volatile
as $$
begin
    perform from alert_group a where a.tenant = g.tenant and a.cause = g.cause for update skip locked;
    if not found or exists (select from incident x left join definition d on d.id = x.definition_id
                            where x.cause = g.cause and coalesce(d.tenant, '') = g.tenant) then
        return;
    end if;
    delete from alert_group a where a.tenant = g.tenant and a.cause = g.cause;
    perform api_alert_put(g.tenant, 'Incidents Resolved', clock(),
                          g.detail - '{incident,instance,businessKey,incidents}'::text[] || jsonb_build_object('since', g.opened));
end
$$;
revoke all on function api_alert_over(alert_group) from public;

create or replace function api_alert_circuit() returns trigger
language plpgsql volatile
as $$
begin
    perform api_alert_put('', 'Circuit Opened', new.since, jsonb_build_object(
        'endpoint', new.name, 'message', new.why, 'until', nullif(new.until, 'infinity')));
    return null;
end
$$;
revoke all on function api_alert_circuit() from public;

-- A trigger that is there is left alone: to make one locks everybody out for a moment.
do $do$
begin
    if not exists (select from pg_catalog.pg_trigger t where t.tgrelid = 'incident'::regclass and t.tgname = 'alert') then
        create trigger alert after insert on incident referencing new table as fresh
            for each statement execute function api_alert_incidents();
    end if;
    if not exists (select from pg_catalog.pg_trigger t where t.tgrelid = 'endpoint_state'::regclass and t.tgname = 'alert') then
        create trigger alert after update on endpoint_state for each row
            when (new.circuit = 1 and old.circuit = 0 and new.why not like 'set by %') execute function api_alert_circuit();
    end if;
end
$do$;

-- The kinds of alerts, and the types of their events. Whoever has a target gets its test.
create or replace function api_alert_kinds() returns jsonb
language sql immutable
as $$ select '{"incidentCreated": "Incident Created", "incidentsRepeated": "Incidents Repeated", "incidentsResolved": "Incidents Resolved",
               "serviceLevelMissed": "Service Level Missed", "circuitOpened": "Circuit Opened"}'::jsonb $$;
revoke all on function api_alert_kinds() from public;

create or replace function set_alert_target(
    name text,
    endpoint text,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    kinds constant jsonb := api_alert_kinds();
    wanted jsonb;
begin
    perform api_actor(set_alert_target.options, array['kinds', 'path', 'retries', 'attempts', 'tenant', 'description', 'enabled']),
            api_require('admin', null), api_text('endpoint', set_alert_target.endpoint, true);
    if not exists (select from endpoint e where e.name = set_alert_target.endpoint) then
        raise exception using errcode = 'PW001', message = format('there is no endpoint "%s"', set_alert_target.endpoint),
            hint = 'Alerts to it would reach nobody. Make it first: set_endpoint(), or `pawl endpoint set NAME URL`.';
    end if;
    wanted := coalesce(nullif(set_alert_target.options -> 'kinds', 'null'), (select jsonb_agg(k) from jsonb_object_keys(kinds) k));
    if jsonb_typeof(wanted) <> 'array' or wanted = '[]'
       or exists (select from jsonb_array_elements(wanted) k where jsonb_typeof(k) <> 'string' or not kinds ? (k #>> '{}')) then
        raise exception using errcode = 'PW003', message = 'the option kinds must be an array of kinds of alerts',
            hint = format('The kinds: %s.', (select string_agg(k, ', ') from jsonb_object_keys(kinds) k));
    end if;
    set_alert_target.command_id := set_event_rule(set_alert_target.name,
        jsonb_build_object('source', '["urn:pawl"]'::jsonb,
                           'detail-type', (select jsonb_agg(kinds -> (k #>> '{}')) from jsonb_array_elements(wanted) k) || '["Test Alert"]'),
        jsonb_build_array(jsonb_build_object('id', 'alert', 'callEndpoint', jsonb_strip_nulls(jsonb_build_object(
            'endpoint', set_alert_target.endpoint, 'path', set_alert_target.options -> 'path',
            'retries', set_alert_target.options -> 'retries', 'attempts', set_alert_target.options -> 'attempts')))),
        'alerts', set_alert_target.options - '{kinds,path,retries,attempts}'::text[]);
end
$$;
revoke all on function set_alert_target(text, text, jsonb) from public;
comment on function set_alert_target(text, text, jsonb) is
'Sends alerts to an endpoint, as POST with the alert as JSON, under the endpoint''s limits and with retries; signed where the endpoint''s `sign` says so. It is a rule on the event bus `alerts`, which drop_event_rule(name, ''alerts'') takes away; for other targets use set_event_rule(). The engine judges it: await() says `done` or `refused`.

- `name`: of the target; setting it again replaces it.
- `endpoint`: a configured endpoint. PW001 if there is none.
- `options`: `kinds`, an array of `incidentCreated`, `incidentsRepeated`, `incidentsResolved`, `serviceLevelMissed`, `circuitOpened`, all by default; `path`; `retries` and `attempts`, see callEndpoint in docs/events.md; `description`; `enabled`; `actor`.';

create or replace function try_alert_target(name text, options jsonb default '{}', out alert_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    caller text := api_actor(try_alert_target.options, array['tenant']);
    of_tenant text := api_tenant(try_alert_target.options);
begin
    perform api_require('admin', null), api_text('name', try_alert_target.name, true);
    if not exists (select from api_alert_target t where t.tenant = of_tenant and t.name = try_alert_target.name) then
        raise exception using errcode = 'PW001', message = format('there is no alert target "%s"', try_alert_target.name),
            hint = 'Make it with set_alert_target(); the view alert_targets lists them.';
    elsif not (select t.enabled from api_alert_target t where t.tenant = of_tenant and t.name = try_alert_target.name) then
        raise exception using errcode = 'PW002', message = format('the alert target "%s" is not enabled', try_alert_target.name),
            hint = 'Set it again without "enabled": false.';
    end if;
    try_alert_target.alert_id := api_id();
    insert into bus_event (id, tenant, bus, source, detail_type, time, resources, detail, actor, at)
    values (try_alert_target.alert_id, of_tenant, 'alerts', 'urn:pawl', 'Test Alert', clock(), '[]',
            jsonb_build_object('target', try_alert_target.name, 'message', format('%s tries the alert target "%s"', caller, try_alert_target.name))::text,
            caller, clock());
    insert into event_todo (kind, event_id, tenant, bus, name, actor, at)
    values (1, try_alert_target.alert_id, of_tenant, 'alerts', try_alert_target.name, caller, clock());
end
$$;
revoke all on function try_alert_target(text, jsonb) from public;
comment on function try_alert_target(text, jsonb) is
'Sends a test alert to one target, by the way of all alerts: the view alerts tells what becomes of it.

- `name`: of the target. PW001 if there is none, PW002 if it is not enabled.
- `options`: `actor`.';

-- Whose groups of incidents have that cause; raises where there are none.
create or replace function api_alert_mute(cause text, until timestamptz, by text) returns void
language plpgsql volatile
as $$
begin
    perform api_require('admin', null), api_text('cause', cause, true);
    update alert_group g set muted_until = until, muted_by = by where g.cause = api_alert_mute.cause;
    if not found then
        raise exception using errcode = 'PW001', message = format('nobody was told of incidents of the cause "%s"', cause),
            hint = 'The view alerts names the causes of those that are open.';
    end if;
end
$$;
revoke all on function api_alert_mute(text, timestamptz, text) from public;

create or replace function mute_alerts(cause text, options jsonb default '{}', out muted_until timestamptz)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    caller text := api_actor(mute_alerts.options, array['for', 'reason']);
    reason text := api_prose('the option reason', mute_alerts.options ->> 'reason');
begin
    mute_alerts.muted_until := coalesce(clock() + api_interval(mute_alerts.options, 'for', '1 s'), 'infinity');
    perform api_alert_mute(mute_alerts.cause, mute_alerts.muted_until, caller || coalesce(': ' || reason, ''));
    perform api_audit('alertsMuted', caller, null, mute_alerts.cause,
                      jsonb_build_object('until', nullif(mute_alerts.muted_until, 'infinity'), 'reason', reason));
end
$$;
revoke all on function mute_alerts(text, jsonb) from public;
comment on function mute_alerts(text, jsonb) is
'Somebody is at it: nobody is told of more incidents of a cause, until its incidents are over, which is told. Incidents of the cause that come after that are told of as ever.

- `cause`: as the views incident_groups and alerts name it. PW001 if nobody was told of it, or it is over.
- `options`: `for`, for so long only ("PT2H"); `reason`; `actor`.';

create or replace function unmute_alerts(cause text, options jsonb default '{}', out unmuted boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    perform api_actor(unmute_alerts.options), api_alert_mute(unmute_alerts.cause, null, null),
            api_audit('alertsUnmuted', api_actor(unmute_alerts.options), null, unmute_alerts.cause, null);
    unmute_alerts.unmuted := true;
end
$$;
revoke all on function unmute_alerts(text, jsonb) from public;
comment on function unmute_alerts(text, jsonb) is
'Ends what mute_alerts() began.

- `cause`: as the views name it. PW001 if nobody was told of it, or it is over.
- `options`: `actor`.';

-- ---- Views ----

create or replace view alerts with (security_barrier) as
select e.id as alert_id,
       coalesce((select k.key from jsonb_each_text((select api_alert_kinds())) k where k.value = e.detail_type),
                case e.detail_type when 'Test Alert' then 'testAlert' else e.detail_type end) as kind,
       (d.detail ->> 'instance')::uuid as instance_id, d.detail ->> 'process' as process,
       d.detail ->> 'businessKey' as business_key, d.detail ->> 'element' as element_id,
       case e.detail_type
           when 'Service Level Missed'
           then concat_ws(' ', 'lasts longer than', d.detail ->> 'within') || coalesce(': ' || (d.detail ->> 'name'), '')
           when 'Incidents Repeated'
           then format('%s more, %s open: %s', d.detail ->> 'new', d.detail ->> 'incidents', d.detail ->> 'message')
           when 'Incidents Resolved' then concat('over: ', d.detail ->> 'message')
           when 'Circuit Opened' then concat(d.detail ->> 'endpoint', ': ', d.detail ->> 'message')
           else d.detail ->> 'message' end as message,
       d.detail,
       case when exists (select from event_todo t where t.event_id = e.id) then 'queued'
            when exists (select from event_delivery d where d.event_id = e.id and d.state = 'failed') then 'failed'
            when exists (select from event_delivery d join instance i on i.id = d.result where d.event_id = e.id) then 'pending'
            when exists (select from event_delivery d where d.event_id = e.id) then 'delivered'
            else 'no target' end as delivery,
       (select string_agg(d.error, '; ' order by d.rule, d.target) from event_delivery d where d.event_id = e.id and d.state = 'failed') as error,
       e.at, d.detail ->> 'cause' as cause,
       case e.detail_type
           when 'Incident Created' then g.opened is not null and g.opened <= e.time
           when 'Incidents Repeated' then g.opened is not null and g.opened <= e.time
           when 'Service Level Missed' then exists (select from instance i where i.id = (d.detail ->> 'instance')::uuid)
           when 'Circuit Opened' then exists (select from endpoint_state s where s.name = d.detail ->> 'endpoint' and s.circuit <> 0)
           else false end as open,
       case when g.muted_until > clock() then g.muted_until end as muted_until,
       case when g.muted_until > clock() then g.muted_by end as muted_by
from bus_event e
cross join lateral (select e.detail::jsonb as detail) d
left join alert_group g on e.detail_type like 'Incident%' and g.tenant = e.tenant and g.cause = d.detail ->> 'cause'
where e.bus = 'alerts' and e.source = 'urn:pawl';
revoke all on alerts from public;
comment on view alerts is 'What somebody should hear of: incidents, missed service levels, circuits that opened. Kept as long as events are.';
comment on column alerts.kind is '`incidentCreated`: the first of a cause; `incidentsRepeated`: more of them, `detail` says how many; `incidentsResolved`: none are left; `serviceLevelMissed`; `circuitOpened`; `testAlert`';
comment on column alerts.delivery is '`queued`; `no target`: no rule wants it, see set_alert_target(); `pending`: an endpoint is being called; `delivered`; `failed`: replay_events() tries it again';
comment on column alerts.error is 'of what could not be delivered';
comment on column alerts.cause is 'of incidents: see incident_groups';
comment on column alerts.open is 'whether it is still so: incidents of the cause are not over, the instance runs, the circuit is not closed';
comment on column alerts.muted_until is 'nobody is told of more until then: see mute_alerts()';
comment on column alerts.muted_by is 'who wanted that, and why';

create or replace view service_levels with (security_barrier) as
select t.instance_id, d.key as process, d.version, i.business_key,
       case when t.token <> 0 then e.id end as element_id, case when t.token <> 0 then e.name end as element_name,
       t.due, i.tenant
from timer t
join instance i on i.id = t.instance_id
join api_read_definition d on d.id = i.definition_id
left join element e on e.definition_id = i.definition_id and e.node = t.node
where t.kind = 31;
revoke all on service_levels from public;
comment on view service_levels is 'Service levels (pawl:serviceLevel) that run: when each would be missed. Those that were are in the view alerts.';
comment on column service_levels.element_id is 'NULL: of the instance';
comment on column service_levels.due is 'when somebody is told';

-- Rules that set_alert_target() has made.
create or replace view api_alert_target as
select r.tenant, r.name, r.pattern::jsonb as pattern, r.targets::jsonb -> 0 -> 'callEndpoint' as call, r.enabled, r.description, r.actor, r.at
from event_rule r
where r.bus = 'alerts' and r.pattern::jsonb -> 'source' = '["urn:pawl"]' and r.pattern::jsonb -> 'detail-type' ? 'Test Alert';
revoke all on api_alert_target from public;
comment on view api_alert_target is 'Rules that set_alert_target() has made.';

create or replace view alert_targets with (security_barrier) as
select t.name, t.call ->> 'endpoint' as endpoint, t.call ->> 'path' as path,
       array(select k.key from jsonb_each_text((select api_alert_kinds())) k where t.pattern -> 'detail-type' ? k.value order by 1) as kinds,
       t.call ->> 'retries' as retries, (t.call ->> 'attempts')::integer as attempts, t.enabled,
       n.pending, n.failed, n.last_delivered, t.description, t.actor, t.at, t.tenant
from api_alert_target t
cross join lateral (
    select count(*) filter (where w.state = 'pending') as pending, count(*) filter (where w.state = 'failed') as failed,
           max(w.at) filter (where w.state = 'done') as last_delivered
    from (select case when d.state = 'done' and exists (select from instance i where i.id = d.result) then 'pending' else d.state end as state, d.at
          from event_delivery d join bus_event e on e.id = d.event_id
          where e.bus = 'alerts' and e.tenant = t.tenant and d.rule = t.name) w) n;
revoke all on alert_targets from public;
comment on view alert_targets is 'Who hears of alerts: see set_alert_target().';
comment on column alert_targets.kinds is 'of alerts: see the view alerts';
comment on column alert_targets.retries is 'the pauses between attempts; NULL: those of Standard Webhooks';
comment on column alert_targets.attempts is 'at most so many; NULL: as many as retries has';
comment on column alert_targets.pending is 'alerts that its endpoint has not got yet';
comment on column alert_targets.failed is 'alerts that were given up: replay_events() sends them again';
comment on column alert_targets.last_delivered is 'when the last alert that it got was taken up';
