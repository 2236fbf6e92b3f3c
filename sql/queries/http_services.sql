-- SPDX-License-Identifier: Apache-2.0
-- What HTTP asks of services that are called, of those that call, and of alerts (server/operations_services.c): like http.sql.

-- ---- Endpoints ----

-- name: http_endpoint
select 200, to_json(x)::text
from (select p.name, p.kind, p.base_url as "baseUrl", p.rate, p.burst, p.max_in_flight as "maxInFlight", p.max_in_flight_all as "maxInFlightAll",
             p.connect_timeout as "connectTimeout", p.timeout, p.cache, p.unknown, p.retry_budget as "retryBudget", p.breaker, p.headers,
             p.transport, p.circuit, p.circuit_since as "circuitSince", p.circuit_why as "circuitWhy", p.next_probe as "nextProbe",
             p.held_until as "heldUntil", p.queued, p.under_way as "underWay", p.oldest_queued as "oldestQueued", p.recent,
             p.recent_failed as "recentFailed", p.recent_slow as "recentSlow", p.last_answer as "lastAnswer",
             p.last_failure as "lastFailure", p.last_error as "lastError", p.outcomes, p.options
      from endpoints p where p.name = $1) x
-- name: http_set_endpoint
select 200, json_build_object('name', e.endpoint, 'created', e.created, 'changed', e.changed)::text
from (select $1::jsonb as it) r
cross join lateral set_endpoint(r.it #>> '{path,name}', r.it #>> '{body,baseUrl}',
                                api_present(r.it -> 'body') - 'baseUrl' || '{"replace": true}') e
-- A null is a value here: the default.
-- name: http_change_endpoint
select 200, json_build_object('name', e.endpoint, 'created', e.created, 'changed', e.changed)::text
from (select $1::jsonb as it) r
cross join lateral set_endpoint(r.it #>> '{path,name}', r.it #>> '{body,baseUrl}',
                                coalesce(nullif(r.it -> 'body', 'null'), '{}') - 'baseUrl') e
-- name: http_drop_endpoint
select 200, json_build_object('name', e.endpoint)::text from drop_endpoint($1) e
-- name: http_set_circuit
select 200, json_build_object('name', r.it #>> '{path,name}', 'circuit', c.state)::text
from (select $1::jsonb as it) r
cross join lateral set_circuit(r.it #>> '{path,name}', r.it #>> '{body,circuit}', api_present(r.it -> 'body') - 'circuit') c

-- ---- Calls ----

-- name: http_calls
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($4::integer, 100), 1000) then max(x."callId"::text) end)::text
from (select c.call_id as "callId", c.instance_id as "instanceId", c.process, c.version, c.business_key as "businessKey",
             c.element_id as element, c.endpoint, c.method, c.path, c.state, c.attempt, c.asked, c.sent, c.until
      from calls c
      where ($1::text is null or c.endpoint = $1) and ($2::text is null or c.process = $2) and ($3::uuid is null or c.instance_id = $3::uuid)
        and ($5::uuid is null or c.call_id > $5::uuid)
      order by c.call_id limit least(coalesce($4::integer, 100), 1000)) x
-- name: http_held_calls
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($2::integer, 100), 1000) then max(x."callId"::text) end)::text
from (select c.call_id as "callId", c.instance_id as "instanceId", c.process, c.version, c.business_key as "businessKey",
             c.element_id as element, c.endpoint, c.method, c.path, c.attempt, c.asked, c.sent, c.sends
      from held_calls c
      where ($1::text is null or c.endpoint = $1) and ($3::uuid is null or c.call_id > $3::uuid)
      order by c.call_id limit least(coalesce($2::integer, 100), 1000)) x
-- name: http_hold_calls
select 200, json_build_object('held', h.held)::text from hold_calls(api_present($1::jsonb -> 'body')) h
-- name: http_release_calls
select 200, json_build_object('released', h.released)::text from release_calls() h

-- ---- Alerts ----

-- name: http_alerts
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($4::integer, 100), 1000) then min(x."alertId"::text) end)::text
from (select a.alert_id as "alertId", a.kind, a.instance_id as "instanceId", a.process, a.business_key as "businessKey",
             a.element_id as element, a.message, a.detail, a.cause, a.open, a.muted_until as "mutedUntil", a.muted_by as "mutedBy",
             a.delivery, a.error, a.at
      from alerts a
      where ($1::text is null or a.kind = $1) and ($2::text is null or a.process = $2) and ($3::text is null or a.delivery = $3)
        and ($5::uuid is null or a.alert_id < $5::uuid)
      order by a.alert_id desc limit least(coalesce($4::integer, 100), 1000)) x
-- name: http_mute_alerts
select 200, json_build_object('cause', r.it #>> '{body,cause}', 'mutedUntil', nullif(m.muted_until, 'infinity'))::text
from (select $1::jsonb as it) r
cross join lateral mute_alerts(r.it #>> '{body,cause}', api_present(r.it -> 'body') - 'cause') m
-- name: http_unmute_alerts
select 200, json_build_object('cause', r.it #>> '{body,cause}')::text
from (select $1::jsonb as it) r cross join lateral unmute_alerts(r.it #>> '{body,cause}') u
-- name: http_alert_targets
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select t.name, t.endpoint, t.path, t.kinds, t.retries, t.attempts, t.enabled, t.pending, t.failed,
             t.last_delivered as "lastDelivered", t.description, t.actor, t.at
      from alert_targets t order by t.tenant, t.name) x
-- name: http_try_alert_target
select 202, json_build_object('alertId', t.alert_id)::text from (select try_alert_target($1) as alert_id) t
-- name: http_service_levels
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select s.instance_id as "instanceId", s.process, s.version, s.business_key as "businessKey", s.element_id as element,
             s.element_name as name, s.due
      from service_levels s where $1::text is null or s.process = $1
      order by s.due, s.instance_id limit least(coalesce($2::integer, 100), 1000)) x
-- name: http_set_alert_target
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral set_alert_target(r.it #>> '{path,name}', r.it #>> '{body,endpoint}', api_present(r.it -> 'body') - 'endpoint') c(id)
-- name: http_drop_alert_target
select 202, json_build_object('commandId', c.id)::text, c.id from drop_event_rule($1, 'alerts') c(id)

-- ---- Webhooks, delegates, classes of Java ----

-- name: http_webhooks
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select w.name, w.tenant, w.scheme, w.signature, w.kind, w.target, w.tolerance, w.enabled, w.actor, w.at, w.today
      from webhooks w order by w.name) x
-- name: http_set_webhook
select 200, json_build_object('name', w.webhook)::text
from (select $1::jsonb as it) r cross join lateral set_webhook(r.it #>> '{path,name}', api_present(r.it -> 'body')) w
-- name: http_drop_webhook
select 200, json_build_object('name', w.webhook)::text from drop_webhook($1) w
-- name: http_delegates
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select d.name, d.statement, d.role, d.search_path as "searchPath", d.timeout, d.lock_timeout as "lockTimeout", d.actor, d.at
      from sql_delegates d order by d.name) x
-- name: http_class_topics
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select c.class, c.topic, c.at, c.actor from class_topics c order by c.class) x
-- name: http_map_class
select 200, json_build_object('class', r.it #>> '{path,class}', 'topic', r.it #>> '{body,topic}')::text
from (select $1::jsonb as it) r cross join lateral map_class(r.it #>> '{path,class}', r.it #>> '{body,topic}') m
-- name: http_unmap_class
select 200, json_build_object('class', $1)::text from (select unmap_class($1)) x

-- ---- External tasks and callbacks ----

-- name: http_external_tasks
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($5::integer, 100), 1000) then max(x."taskId"::text) end)::text
from (select t.task_id as "taskId", t.topic, t.state, t.worker_id as "workerId", t.locked_until as "lockedUntil", t.fence, t.retries,
             t.error_message as "errorMessage", t.priority, t.element_id as element, t.instance_id as "instanceId", t.process, t.version,
             t.business_key as "businessKey", t.created, t.loop_counter as "loopCounter"
      from external_tasks t
      where ($1::text is null or t.topic = $1) and ($2::text is null or t.state = $2) and ($3::text is null or t.process = $3)
        and ($4::uuid is null or t.instance_id = $4::uuid) and ($6::uuid is null or t.task_id > $6::uuid)
      order by t.task_id limit least(coalesce($5::integer, 100), 1000)) x
-- name: http_external_task
select 200, to_json(x)::text
from (select t.task_id as "taskId", t.topic, t.state, t.worker_id as "workerId", t.locked_until as "lockedUntil", t.fence, t.retries,
             t.error_message as "errorMessage", t.error_details as "errorDetails", t.priority, t.element_id as element,
             t.instance_id as "instanceId", t.process, t.version, t.business_key as "businessKey", t.created, t.variables,
             t.loop_counter as "loopCounter"
      from external_tasks t where t.task_id = $1::uuid) x
-- name: http_fetch_and_lock
-- No body: there is no work.
select 200, case when count(*) > 0 then json_build_object('items', json_agg(to_json(x))) end::text
from (select t.task_id as "taskId", t.topic, t.fence, t.locked_until as "lockedUntil", t.retries, t.error_message as "errorMessage",
             t.error_details as "errorDetails", t.priority, t.element_id as element, t.element_name as name,
             t.instance_id as "instanceId", t.process, t.version, t.version_tag as "versionTag", t.business_key as "businessKey",
             t.tenant, t.created, t.variables
      from (select $1::jsonb -> 'body' as body) r
      cross join lateral fetch_and_lock(r.body ->> 'workerId', r.body -> 'topics', coalesce((r.body ->> 'maxTasks')::integer, 1)) t) x
-- name: http_free_work
select 200, api_external_free($1::jsonb)::text
-- name: http_extend_lock
select 200, json_build_object('lockedUntil', e.locked_until)::text
from (select $1::jsonb as it) r
cross join lateral extend_lock((r.it #>> '{path,id}')::uuid, r.it #>> '{body,workerId}', (r.it #>> '{body,duration}')::interval,
                               (r.it #>> '{body,fence}')::bigint) e
-- name: http_complete_external_task
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral complete_external_task((r.it #>> '{path,id}')::uuid, r.it #>> '{body,workerId}',
    coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}'), (r.it #>> '{body,fence}')::bigint,
    coalesce(nullif(r.it #> '{body,localVariables}', 'null'), '{}')) c(id)
-- name: http_handle_failure
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral handle_failure((r.it #>> '{path,id}')::uuid, r.it #>> '{body,workerId}', r.it #>> '{body,errorMessage}',
    r.it #>> '{body,errorDetails}', coalesce((r.it #>> '{body,retries}')::integer, 0),
    coalesce((r.it #>> '{body,retryTimeout}')::interval, '0'), (r.it #>> '{body,fence}')::bigint,
    coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}'), coalesce(nullif(r.it #> '{body,localVariables}', 'null'), '{}')) c(id)
-- name: http_handle_bpmn_error
select 202, json_build_object('commandId', c.id)::text, c.id
from (select $1::jsonb as it) r
cross join lateral handle_bpmn_error((r.it #>> '{path,id}')::uuid, r.it #>> '{body,workerId}', r.it #>> '{body,errorCode}',
    r.it #>> '{body,errorMessage}', coalesce(nullif(r.it #> '{body,variables}', 'null'), '{}'), (r.it #>> '{body,fence}')::bigint) c(id)
-- name: http_unlock_external_task
select 200, json_build_object('taskId', $1)::text from (select unlock_external_task($1::uuid)) x
-- name: http_external_task_retries
select 200, json_build_object('taskId', r.it #> '{path,id}', 'retries', r.it #> '{body,retries}')::text
from (select $1::jsonb as it) r
cross join lateral set_external_task_retries((r.it #>> '{path,id}')::uuid, (r.it #>> '{body,retries}')::integer) s
-- name: http_external_task_priority
select 200, json_build_object('taskId', r.it #> '{path,id}', 'priority', r.it #> '{body,priority}')::text
from (select $1::jsonb as it) r
cross join lateral set_external_task_priority((r.it #>> '{path,id}')::uuid, (r.it #>> '{body,priority}')::bigint) s
-- name: http_callbacks
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'),
                              'next', case when count(*) = least(coalesce($4::integer, 100), 1000) then max(x."callbackId"::text) end)::text
from (select c.callback_id as "callbackId", c.instance_id as "instanceId", c.process, c.version, c.business_key as "businessKey",
             c.element_id as element, c.element_name as name, c.state, c.attempt, c.made, c.accepted, c.heard, c.heartbeat, c.until, c.due,
             c.allowed_caller as "allowedCaller", c.answered_by as "answeredBy"
      from callbacks c
      where ($1::text is null or c.state = $1) and ($2::text is null or c.process = $2) and ($3::uuid is null or c.instance_id = $3::uuid)
        and ($5::uuid is null or c.callback_id > $5::uuid)
      order by c.callback_id limit least(coalesce($4::integer, 100), 1000)) x
-- name: http_callback
select 200, to_json(x)::text
from (select c.callback_id as "callbackId", c.instance_id as "instanceId", c.process, c.version, c.business_key as "businessKey",
             c.element_id as element, c.element_name as name, c.state, c.attempt, c.made, c.accepted, c.heard, c.heartbeat, c.until, c.due,
             c.allowed_caller as "allowedCaller", c.answered_by as "answeredBy"
      from callbacks c where c.callback_id = $1::uuid) x
-- name: http_callback_keys
select 200, json_build_object('items', coalesce(json_agg(to_json(x)), '[]'))::text
from (select k.key_id as "keyId", k.made, k.retired, k.keep_until as "keepUntil", k.callbacks
      from callback_keys k order by k.key_id desc) x
-- name: http_rotate_callback_key
select 201, json_build_object('keyId', k.key_id, 'retired', k.retired)::text from rotate_callback_key(api_present($1::jsonb -> 'body')) k
