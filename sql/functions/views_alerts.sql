-- SPDX-License-Identifier: Apache-2.0
-- Alerts: what somebody should hear of is an event on the bus `alerts`, so rules choose who gets it, deliveries keep to the
-- limits of their endpoint and are tried again, and what cannot be delivered is a dead letter. docs/alerts.md.
-- Missed service levels are put there by the engine (engine/level.c).

create or replace function api_alert_incidents() returns trigger
language plpgsql volatile
as $$
begin
    with put as (
        insert into bus_event (id, tenant, bus, source, detail_type, time, resources, detail, actor, at)
        select api_id(), coalesce(d.tenant, ''), 'alerts', 'urn:pawl', 'Incident Created', n.at, '[]',
               jsonb_build_object('incident', n.id, 'instance', n.instance_id, 'process', d.key, 'businessKey', i.business_key,
                                  'element', e.id, 'elementName', e.name, 'reason', n.reason, 'message', left(n.message, 1000),
                                  'endpoint', n.endpoint, 'cause', n.cause)::text,
               'engine', n.at
        from fresh n
        left join definition d on d.id = n.definition_id
        left join instance i on i.id = n.instance_id
        left join element e on e.definition_id = n.definition_id and e.node = n.node
        where d.key is distinct from 'pawl-event-delivery' -- an alert about an alert would not end
        returning id, tenant, at)
    insert into event_todo (kind, event_id, tenant, bus, actor, at)
    select 1, p.id, p.tenant, 'alerts', 'engine', p.at from put p order by p.id;
    return null;
end
$$;
revoke all on function api_alert_incidents() from public;

create or replace function api_alert_circuit() returns trigger
language plpgsql volatile
as $$
declare
    event constant uuid := api_id();
begin
    insert into bus_event (id, tenant, bus, source, detail_type, time, resources, detail, actor, at)
    values (event, '', 'alerts', 'urn:pawl', 'Circuit Opened', new.since, '[]',
            jsonb_build_object('endpoint', new.name, 'message', new.why, 'until', nullif(new.until, 'infinity'))::text,
            'engine', clock());
    insert into event_todo (kind, event_id, tenant, bus, actor, at) values (1, event, '', 'alerts', 'engine', clock());
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
            when (new.circuit = 1 and old.circuit = 0 and not new.forced) execute function api_alert_circuit();
    end if;
end
$do$;

create or replace function set_alert_target(
    name text,
    endpoint text,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    kinds jsonb := '{"incidentCreated": "Incident Created", "serviceLevelMissed": "Service Level Missed", "circuitOpened": "Circuit Opened"}';
    wanted jsonb;
begin
    perform api_actor(set_alert_target.options, array['kinds', 'path', 'attempts', 'tenant', 'description', 'enabled']),
            api_require('admin', null), api_text('endpoint', set_alert_target.endpoint, true);
    wanted := coalesce(nullif(set_alert_target.options -> 'kinds', 'null'), (select jsonb_agg(k) from jsonb_object_keys(kinds) k));
    if jsonb_typeof(wanted) <> 'array' or wanted = '[]'
       or exists (select from jsonb_array_elements(wanted) k where jsonb_typeof(k) <> 'string' or not kinds ? (k #>> '{}')) then
        raise exception using errcode = 'PW003', message = 'the option kinds must be an array of kinds of alerts',
            hint = format('The kinds: %s.', (select string_agg(k, ', ') from jsonb_object_keys(kinds) k));
    end if;
    set_alert_target.command_id := set_event_rule(set_alert_target.name,
        jsonb_build_object('source', '["urn:pawl"]'::jsonb,
                           'detail-type', (select jsonb_agg(kinds -> (k #>> '{}')) from jsonb_array_elements(wanted) k)),
        jsonb_build_array(jsonb_build_object('callEndpoint', jsonb_strip_nulls(jsonb_build_object(
            'endpoint', set_alert_target.endpoint, 'path', set_alert_target.options -> 'path',
            'attempts', set_alert_target.options -> 'attempts')))),
        'alerts', set_alert_target.options - '{kinds,path,attempts}'::text[]);
end
$$;
revoke all on function set_alert_target(text, text, jsonb) from public;
comment on function set_alert_target(text, text, jsonb) is
'Sends alerts to an endpoint, as POST with the alert as JSON, under the endpoint''s limits and with retries; signed where the endpoint''s auth says so. It is a rule on the event bus `alerts`, which drop_event_rule(name, ''alerts'') takes away; for other targets use set_event_rule(). The engine judges it: await() says `done` or `refused`.

- `name`: of the target; setting it again replaces it.
- `endpoint`: a configured endpoint.
- `options`: `kinds`, an array of `incidentCreated`, `serviceLevelMissed`, `circuitOpened`, all by default; `path`; `attempts`, 8 by default; `description`; `enabled`; `actor`.';

create or replace view alerts with (security_barrier) as
select e.id as alert_id,
       case e.detail_type when 'Incident Created' then 'incidentCreated' when 'Service Level Missed' then 'serviceLevelMissed'
                          when 'Circuit Opened' then 'circuitOpened' else e.detail_type end as kind,
       (e.detail::jsonb ->> 'instance')::uuid as instance_id, e.detail::jsonb ->> 'process' as process,
       e.detail::jsonb ->> 'businessKey' as business_key, e.detail::jsonb ->> 'element' as element_id,
       coalesce(e.detail::jsonb ->> 'message',
                concat_ws(' ', 'lasts longer than', e.detail::jsonb ->> 'within') || coalesce(': ' || (e.detail::jsonb ->> 'name'), '')) as message,
       e.detail::jsonb as detail,
       case when exists (select from event_todo t where t.event_id = e.id) then 'queued'
            when exists (select from event_delivery d where d.event_id = e.id and d.state = 'failed') then 'failed'
            when exists (select from event_delivery d join instance i on i.id = d.result where d.event_id = e.id) then 'pending'
            when exists (select from event_delivery d where d.event_id = e.id) then 'delivered'
            else 'no target' end as delivery,
       (select string_agg(d.error, '; ' order by d.rule, d.target) from event_delivery d where d.event_id = e.id and d.state = 'failed') as error,
       e.at
from bus_event e
where e.bus = 'alerts' and e.source = 'urn:pawl';
revoke all on alerts from public;
comment on view alerts is 'What somebody should hear of: an incident, a missed service level, a circuit that opened. Kept as long as events are.';
comment on column alerts.kind is '`incidentCreated`, `serviceLevelMissed`, `circuitOpened`';
comment on column alerts.delivery is '`queued`; `no target`: no rule wants it, see set_alert_target(); `pending`: an endpoint is being called; `delivered`; `failed`: replay_events() tries it again';
comment on column alerts.error is 'of what could not be delivered';

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
