-- SPDX-License-Identifier: Apache-2.0
-- What the command line asks of alerts (store/client_alerts.c); like client.sql.
-- name: client_alerts
-- $1: those that are over, too.
select to_json(x)::text
from (select a.* from alerts a where $1 or a.open order by a.alert_id desc limit $2) x
-- name: client_alert_targets
select to_json(t)::text from (select t.* from alert_targets t order by t.tenant, t.name) t
-- name: client_set_alert_target
select to_json(c)::text from (select set_alert_target(name => $1, endpoint => $2, options => $3::jsonb) as command_id) c
-- name: client_try_alert_target
select to_json(a)::text from (select try_alert_target(name => $1) as alert_id) a
-- name: client_alert_tried
-- What became of it, and what its endpoint said last.
select to_json(x)::text
from (select a.alert_id, a.delivery, coalesce(a.error, (select e.last_error from alert_targets t join endpoints e on e.name = t.endpoint
                                                        where t.name = a.detail ->> 'target' and e.last_failure >= a.at limit 1)) as error
      from alerts a where a.alert_id = $1) x
-- name: client_mute_alerts
select to_json(m)::text from (select mute_alerts(cause => $1, options => $2::jsonb) as muted_until) m
-- name: client_unmute_alerts
select to_json(m)::text from (select unmute_alerts(cause => $1) as unmuted) m
