-- SPDX-License-Identifier: Apache-2.0
-- What HTTP asks of events (server/operations_events.c): like http.sql.

-- All were refused: 400.
-- name: http_put_events
select case when bool_and(e.error_code is not null) then 400 else 202 end,
       api_events_answer(count(*), count(e.error_code), json_agg(json_strip_nulls(json_build_object(
           'eventId', e.event_id, 'duplicate', e.duplicate, 'code', e.error_code, 'message', e.error_message)) order by e.n))::text
from put_events($1::jsonb #> '{body,events}') e
-- name: http_events
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($5::integer, 100), 1000) then min(x."eventId"::text) end)::text
from (select e.event_id as "eventId", e.bus, e.source, e.detail_type as "detailType", e.state, e.time, e.resources, e.detail,
             e.actor, e.at
      from bus_events e
      where ($1::text is null or e.state = $1) and ($2::text is null or e.bus = $2) and ($3::text is null or e.source = $3)
        and ($4::text is null or e.detail_type = $4) and ($6::uuid is null or e.event_id < $6::uuid)
      order by e.event_id desc limit least(coalesce($5::integer, 100), 1000)) x
-- name: http_event
select 200, to_json(x)::text
from (select e.event_id as "eventId", e.bus, e.source, e.detail_type as "detailType", e.state, e.time, e.resources, e.detail,
             e.actor, e.at
      from bus_events e where e.event_id = $1::uuid) x
-- name: http_replay_events
select 200, json_build_object('matching', p.matching, 'replayed', p.replayed)::text
from (select $1::jsonb -> 'body' as it) r
cross join lateral replay_events(jsonb_strip_nulls(r.it - 'dryRun' - 'limit'),
                                 jsonb_strip_nulls(jsonb_build_object('dryRun', r.it -> 'dryRun', 'limit', r.it -> 'limit'))) p
-- Those of one event are not torn apart: a page may be a little longer.
-- name: http_event_deliveries
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) >= least(coalesce($4::integer, 100), 1000) then min(x."eventId"::text) end)::text
from (select d.event_id as "eventId", d.bus, d.source, d.detail_type as "detailType", d.rule, d.target, d.kind, d.state, d.tries,
             d.result, d.error, d.at
      from event_deliveries d
      where ($1::text is null or d.state = $1) and ($2::text is null or d.rule = $2) and ($3::uuid is null or d.event_id = $3::uuid)
        and ($5::uuid is null or d.event_id < $5::uuid)
      order by d.event_id desc fetch first least(coalesce($4::integer, 100), 1000) rows with ties) x
-- name: http_event_rules
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select r.bus, r.name, r.enabled, r.pattern, r.targets, r.description, r.actor, r.at
      from event_rules r where $1::text is null or r.bus = $1 order by r.bus, r.name limit 1000) x
-- name: http_set_event_rule
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral set_event_rule(r.it #>> '{path,name}', r.it #> '{body,pattern}', r.it #> '{body,targets}',
                                  coalesce(r.it #>> '{query,bus}', 'default'),
                                  jsonb_strip_nulls(jsonb_build_object('description', r.it #> '{body,description}',
                                                                       'enabled', r.it #> '{body,enabled}'))) c(id)
-- name: http_drop_event_rule
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral drop_event_rule(r.it #>> '{path,name}', coalesce(r.it #>> '{query,bus}', 'default')) c(id)
-- name: http_event_buses
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select b.name, b.description, b.actor, b.at from event_buses b order by b.name limit 1000) x
-- name: http_set_event_bus
select 200, json_build_object('bus', b.bus)::text
from (select $1::jsonb as it) r
cross join lateral set_event_bus(r.it #>> '{path,name}',
                                 jsonb_strip_nulls(jsonb_build_object('description', r.it #> '{body,description}'))) b
-- name: http_drop_event_bus
select 200, json_build_object('bus', b.bus)::text from drop_event_bus($1::jsonb #>> '{path,name}') b
