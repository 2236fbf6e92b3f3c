-- SPDX-License-Identifier: Apache-2.0
-- CloudEvents 1.0, as entries of a bus.

-- type is the detail-type, data the detail; what else an event carries goes into detail.cloudevent.
create or replace function api_cloudevent_entry(event jsonb, bus text) returns jsonb
language plpgsql immutable
as $$
declare
    data jsonb := case when event ? 'data_base64' then jsonb_build_object('data_base64', event -> 'data_base64')
                       else event -> 'data' end;
    rest jsonb := case jsonb_typeof(event) when 'object' then
        event - array['id', 'source', 'type', 'specversion', 'time', 'subject', 'data', 'data_base64', 'datacontenttype'] end;
    wrong text;
begin
    wrong := case when jsonb_typeof(event) is distinct from 'object' then 'a CloudEvent must be a JSON object'
                  when coalesce(event ->> 'specversion', '') <> '1.0' then 'a CloudEvent needs the specversion "1.0"'
                  when coalesce(event ->> 'id', '') = '' then 'a CloudEvent needs an id'
                  when coalesce(event ->> 'source', '') = '' then 'a CloudEvent needs a source'
                  when coalesce(event ->> 'type', '') = '' then 'a CloudEvent needs a type' end;
    if wrong is not null then
        raise exception using errcode = 'PW003', message = wrong,
            hint = 'Example: {"specversion": "1.0", "id": "1", "source": "/shop", "type": "order.paid", "data": {"order": 7}}.';
    end if;
    return jsonb_build_object('bus', bus, 'source', event ->> 'source', 'detailType', event ->> 'type',
        'dedupeKey', event ->> 'id', 'time', event -> 'time',
        'resources', case when event ? 'subject' then jsonb_build_array(event -> 'subject') else '[]' end,
        'detail', case when data is null then '{}' when jsonb_typeof(data) = 'object' then data
                       else jsonb_build_object('data', data) end
                  || case when rest = '{}' then '{}' else jsonb_build_object('cloudevent', rest) end);
end
$$;
revoke all on function api_cloudevent_entry(jsonb, text) from public;

create or replace function put_cloudevents(events jsonb, bus text default 'default', options jsonb default '{}')
returns table (n integer, event_id uuid, error_code text, error_message text, duplicate boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(put_cloudevents.options, array['tenant']);
begin
    if put_cloudevents.events is null then
        raise exception using errcode = 'PW003', message = 'events are missing', hint = 'Pass a CloudEvent, or an array of them.';
    end if;
    perform api_event_bus_there(put_cloudevents.bus, api_tenant(put_cloudevents.options));
    return query select p.* from put_events(
        (select jsonb_agg(api_cloudevent_entry(e.value, put_cloudevents.bus) order by e.n)
         from jsonb_array_elements(case jsonb_typeof(put_cloudevents.events) when 'array' then put_cloudevents.events
                                   else jsonb_build_array(put_cloudevents.events) end) with ordinality e(value, n)),
        put_cloudevents.options) p;
end
$$;
revoke all on function put_cloudevents(jsonb, text, jsonb) from public;
comment on function put_cloudevents(jsonb, text, jsonb) is
'Puts events on a bus that are written as CloudEvents 1.0 in JSON. `type` becomes the detail-type, `data` the detail (in the member `data`, if it is no object), `subject` the one resource; extension attributes are in `detail.cloudevent`. An event whose bus, source and id came before is dropped within a day.

- `events`: a CloudEvent, or an array of up to 1000.
- `bus`: PW001 if there is none.
- `options`: `tenant`; `actor`.

Returns what put_events() does.';
