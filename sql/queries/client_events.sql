-- SPDX-License-Identifier: Apache-2.0
-- What the command line asks of events (store/client_events.c); like client.sql.
-- name: client_put_event
select to_json(e)::text from put_events(jsonb_build_array($1::jsonb)) e
-- name: client_events_put
select to_json(x)::text
from (select e.* from bus_events e
      where ($1::text is null or e.state = $1) and ($2::text is null or e.bus = $2)
      order by e.event_id desc limit $3) x
-- name: client_event_deliveries
select to_json(x)::text
from (select d.* from event_deliveries d where not $1 or d.state = 'failed' order by d.at desc limit $2) x
-- name: client_event_rules
select to_json(x)::text
from (select r.* from event_rules r where $1::text is null or r.bus = $1 order by r.bus, r.name) x
-- name: client_set_event_rule
select to_json(c)::text
from (select set_event_rule(name => $1, pattern => $2::jsonb, targets => $3::jsonb, bus => $4, options => $5::jsonb) as command_id) c
-- name: client_drop_event_rule
select to_json(c)::text from (select drop_event_rule(name => $1, bus => $2) as command_id) c
-- name: client_replay_events
select to_json(r)::text from replay_events(filter => $1::jsonb, options => $2::jsonb) r
-- name: client_set_event_bus
select to_json(b)::text from (select set_event_bus(name => $1) as bus) b
