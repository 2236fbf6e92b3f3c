-- SPDX-License-Identifier: Apache-2.0
-- What people may look at. Tables are nobody's business: they change, the views stay.
-- CREATE OR REPLACE keeps what was granted and what others have built upon a view: columns are only
-- ever added, at the end. The numbers are those of engine/engine.h and store/store.h.

create or replace view definitions as
select d.id as definition_id, d.key as process, d.version, d.name, d.version_tag,
       d.withdrawn is null and not exists (select from definition n where n.tenant = d.tenant and n.key = d.key and n.version > d.version
                       and n.withdrawn is null)
           as latest,
       d.suspended, d.deployment_id, d.resource, p.at as deployed, p.actor as deployed_by, d.history_time_to_live, d.withdrawn,
       c.most as concurrency, d.tenant, case when d.only_called then 'process' else 'anybody' end as startable_by
from api_read_definition d join deployment p on p.id = d.deployment_id
left join concurrency c on c.tenant = d.tenant and c.key = d.key;
revoke all on definitions from public;
comment on view definitions is 'The deployed processes, a row for each version.';
comment on column definitions.process is 'the id of the process in its BPMN file; what start() wants';
comment on column definitions.version is 'counts up from 1';
comment on column definitions.latest is 'the version that start() takes by default';
comment on column definitions.suspended is 'no new instances may be started';
comment on column definitions.withdrawn is 'when its deployment was: it is not the latest any more, whatever its version';
comment on column definitions.resource is 'the file that it came from';
comment on column definitions.startable_by is '`process`: call activities alone start it; start() refuses it';
comment on column definitions.concurrency is 'how many of its instances may be carried on at the same time: set_concurrency()';

create or replace view deployments as
select p.id as deployment_id, p.name, p.state, p.at, p.actor, p.findings,
       array(select r.name from resource r where r.deployment_id = p.id order by r.name) as resources,
       array(select d.key || ':' || d.version from api_read_definition d where d.deployment_id = p.id order by d.id) as processes,
       p.ended as withdrawn, p.ended_by as withdrawn_by, p.tenant
from deployment p
union all
select b.command_id, b.name, 'accepted', b.at, b.actor, '[]',
       array(select f ->> 'name' from jsonb_array_elements(b.body::jsonb) f order by 1), '{}', null, null, b.tenant
from inbox b where b.kind = 100;
revoke all on deployments from public;
comment on view deployments is 'What was deployed, refused deployments included.';
comment on column deployments.state is '`accepted`: not taken up yet; `active`; `refused`: it changed nothing; `withdrawn`';
comment on column deployments.findings is 'errors and warnings: a JSON array of objects with file, line, column, element, code, severity, message';
comment on column deployments.processes is 'process:version, for each that is new';

create or replace view tokens with (security_barrier) as
select w.instance_id, d.key as process, d.version, i.business_key, w.token,
       e.id as element_id, e.name as element_name, e.kind as element_kind,
       w.waiting_for, w.since, w.due, w.name, w.key, w.subject, w.detail, coalesce(i.root_id, i.id) as root_id, i.tenant,
       w.loop_counter
from (
    select r.instance_id, r.token, r.node, 'job' as waiting_for, null::timestamptz as since, null::timestamptz as due,
           r.name, null::text as key, r.subject, null::text as detail, null::integer as loop_counter
    from ready r where r.kind = 2
    union all
    select t.instance_id, t.token, t.node, case when t.retry then 'retry' else 'timer' end,
           case when not t.retry then
               (select max(v.started) from api_event v
                where v.instance_id = t.instance_id and v.token = t.token and v.kind = 3) end,
           t.due, null, null, t.subject, t.error, null
    from timer t where t.kind not in (25, 31)
    union all
    select c.instance_id, c.token, c.node, 'callback', c.made, c.until, null, null, c.id,
           case when c.answered_by is not null then 'answered by ' || c.answered_by
                when c.accepted is not null then 'accepted' else 'requested' end, c.loop_counter
    from callback c
    union all
    select s.instance_id, s.token, s.node, 'message', s.since, null, s.name, s.key, null, null, s.loop_counter
    from subscription s
    union all
    select t.instance_id, t.token, t.node, 'task', t.created, t.due, t.name, null, t.id,
           coalesce('answered by ' || t.answered_by, 'belongs to ' || t.assignee), t.loop_counter
    from task t
    union all
    select t.instance_id, t.token, t.node, 'external task', t.created, t.locked_until, t.topic, null, t.id,
           case when t.answered_by is not null then 'answered by ' || t.answered_by
                when t.worker is not null then 'locked by ' || t.worker
                else t.error_message end, t.loop_counter
    from external_task t
    union all
    -- A call whose task waits for the answer; one that was fired holds no token.
    select c.instance_id, c.token, c.node, 'call', c.asked, null, c.endpoint, null, c.id,
           c.method || ' ' || api_shown_path(c.path), c.loop_counter
    from call c
    where exists (select from api_event v where v.instance_id = c.instance_id and v.token = c.token
                  and v.node = c.node and v.kind = 3)
    union all
    select x.instance_id, x.token, x.node, 'incident', x.at, null, x.reason, null, x.id, x.message, x.loop_counter
    from incident x
    union all
    select p.instance_id, p.token, p.node, 'suspended', p.at, null, p.name, null, p.subject, null, null
    from parked p where p.command_id is null
    union all
    select c.parent_id, c.parent_token,
           (select v.node from api_event v where v.instance_id = c.parent_id and v.token = c.parent_token and v.kind = 3
            order by v.at desc, v.n desc limit 1),
           'called instance', c.started, null, k.key, c.business_key, c.id, null, c.loop_counter
    from instance c join definition k on k.id = c.definition_id
    where c.parent_id is not null
) w
join instance i on i.id = w.instance_id
join api_read_definition d on d.id = i.definition_id
left join element e on e.definition_id = i.definition_id and e.node = w.node;
revoke all on tokens from public;
comment on view tokens is
'Where instances are and what each place waits for. A token has a row for each thing that may move it: at an event-based gateway one for each event, at a task also one for each boundary event. A token that waits for others at a parallel gateway, or whose sub-process runs, has none of its own.';
comment on column tokens.token is 'the number of the token within its instance';
comment on column tokens.loop_counter is 'which item of a multi-instance activity it is, or moves in: the innermost, from 0. NULL: none; not noted of jobs, timers, retries and what is suspended';
comment on column tokens.element_id is 'the id of the element in the BPMN file: of a boundary event, the event''s own';
comment on column tokens.waiting_for is '`job`: runs as soon as a worker is free; `timer`; `retry`: failed, tried again at `due`; `message`; `task`: a person; `external task`: a worker; `callback`: who has its token; `call`: the answer of a service; `called instance`; `incident`: a decision; `suspended`: it could go on when its instance is resumed';
comment on column tokens.since is 'NULL where it was not noted';
comment on column tokens.due is 'of timers, retries and tasks';
comment on column tokens.name is 'of the message, task, topic, endpoint or called process; of an incident its reason';
comment on column tokens.key is 'the correlation key of a message, the business key of a called instance';
comment on column tokens.subject is 'the id of the task, external task, callback, call, incident or called instance';
comment on column tokens.detail is 'the error of a retry or incident, the request of a call, whose task it is, which worker has it';

create or replace view instances with (security_barrier) as
select i.id as instance_id, d.key as process, d.version, i.business_key,
       case when i.suspended or (select r.suspended from instance r where r.id = i.root_id) then 'suspended'
            when exists (select from incident x where x.instance_id = i.id) then 'incident' else 'running' end as state,
       i.started, null::timestamptz as ended, null::text as reason,
       coalesce(t.elements, '{}') as elements,
       (select count(*)::integer from incident x where x.instance_id = i.id) as incidents,
       i.parent_id, coalesce(i.root_id, i.id) as root_id, i.tenant
from instance i
join api_read_definition d on d.id = i.definition_id
left join (select k.instance_id, array_agg(distinct k.element_id order by k.element_id) as elements
           from tokens k where k.element_id is not null group by k.instance_id) t on t.instance_id = i.id
union all
select e.instance_id, d.key, d.version, s.business_key, coalesce(e.data::jsonb ->> 'state', 'completed'),
       coalesce(e.started, s.at), e.at, e.data::jsonb ->> 'reason', '{}', 0, (s.data::jsonb ->> 'calledBy')::uuid, null, d.tenant
from api_event e
join api_read_definition d on d.id = e.definition_id
left join api_event s on s.instance_id = e.instance_id and s.kind = 1
where e.ends and e.kind = 2
union all
select b.instance_id, d.key, d.version, b.key, 'accepted', b.at, null, null, '{}', 0, null, b.instance_id, d.tenant
from inbox b join api_read_definition d on d.id = b.definition_id
where b.kind = 1;
revoke all on instances from public;
comment on view instances is 'All instances, running and ended. Ask for one by `instance_id` or `business_key`, or limit the number of rows.';
comment on column instances.process is 'the id of the process in its BPMN file';
comment on column instances.state is '`accepted`: not taken up yet; `running`; `incident`: running, and somebody must look at it; `suspended`: stands still until it is resumed; `completed`; `cancelled`; `terminated`';
comment on column instances.reason is 'why it was cancelled';
comment on column instances.elements is 'the ids of the elements where it is now, see tokens; ask by `instance_id`, or leave it out: for others all tokens are looked at';
comment on column instances.parent_id is 'the instance whose call activity started it';
comment on column instances.root_id is 'the outermost caller, while it runs';

create or replace view tasks as
select t.id as task_id, t.name, e.id as element_id, t.instance_id, d.key as process, d.version, i.business_key,
       t.assignee, t.candidate_users, t.candidate_groups, t.priority, t.due, t.follow_up, t.form_key, t.created,
       i.variables::jsonb as variables,
       (select r.suspended from instance r where r.id = t.root_id) as suspended, t.tenant, t.loop_counter
from task t
join instance i on i.id = t.instance_id
join api_work_definition d on d.id = t.definition_id
left join element e on e.definition_id = t.definition_id and e.node = t.node
where t.answered_by is null;
revoke all on tasks from public;
comment on view tasks is 'What people have to do. A task vanishes as soon as it is answered.';
comment on column tasks.task_id is 'what claim(), complete() and fail() want';
comment on column tasks.element_id is 'the id of the user task in the BPMN file';
comment on column tasks.assignee is 'who does it; NULL: whoever claims it';
comment on column tasks.candidate_users is 'who may claim it, by the model; the engine does not enforce it';
comment on column tasks.candidate_groups is 'whose members may claim it, by the model; the engine does not enforce it';
comment on column tasks.priority is 'higher is more urgent; 50 unless the model says otherwise';
comment on column tasks.loop_counter is 'which item of a multi-instance activity it is for, from 0';
comment on column tasks.suspended is 'its instance is: it can not be answered';
comment on column tasks.variables is 'the variables of the process';

create or replace view jobs with (security_barrier) as
select j.instance_id, d.key as process, d.version, i.business_key, e.id as element_id, e.name as element_name,
       j.job, c.name as command, j.due, j.tries, j.error, j.token, i.tenant
from (
    select r.instance_id, r.token, r.node, 'ready' as job, r.kind, null::timestamptz as due, r.tries, null::text as error,
           case when r.kind = 1 then r.token end as definition_id -- a message starts it
    from ready r
    union all
    select t.instance_id, t.token, t.node, case when t.retry then 'retry' else 'timer' end, t.kind, t.due, t.tries, t.error, null
    from timer t where t.kind <> 31 or t.retry
    union all
    select p.instance_id, p.token, p.node, 'suspended', p.kind, null, p.tries, null, null from parked p
) j
left join instance i on i.id = j.instance_id
left join api_read_definition d on d.id = coalesce(i.definition_id, j.definition_id)
left join element e on e.definition_id = i.definition_id and e.node = j.node
left join (values (1, 'start'), (2, 'continue'), (3, 'timer'), (4, 'message'), (5, 'completeTask'), (6, 'failTask'),
                  (7, 'callSent'), (8, 'callAnswered'), (9, 'cancel'), (10, 'setVariables'),
                  (11, 'completeExternalTask'), (20, 'failExternalTask'), (21, 'externalTaskFailed'),
                  (22, 'offerExternalTask'), (23, 'succeedCallback'), (24, 'failCallback'), (25, 'callbackTimer'),
                  (26, 'callbackAgain'), (31, 'serviceLevel')) c(kind, name)
    on c.kind = j.kind
-- One whose instance is gone is nobody's but the engine's.
where d.id is not null or (select api_engine());
revoke all on jobs from public;
comment on view jobs is 'What workers will do by themselves: now, or when it is due.';
comment on column jobs.job is '`ready`: as soon as a worker is free; `timer`: at `due`; `retry`: failed, again at `due`; `suspended`: when its instance is resumed';
comment on column jobs.command is 'what is to be done';
comment on column jobs.tries is 'failures so far';
comment on column jobs.error is 'of the last failure';

create or replace view calls with (security_barrier) as
select c.id as call_id, c.instance_id, d.key as process, d.version, i.business_key,
       e.id as element_id, e.name as element_name, c.endpoint, c.method,
       api_shown_path(c.path) as path,
       case when a.call_id is not null and a.until < clock() then 'overdue'
            when a.call_id is not null then 'sent'
            when q.call_id is not null then 'queued'
            else 'answered' end as state,
       coalesce(a.attempt, q.attempt) as attempt, c.asked, a.sent, a.until, i.tenant
from call c
left join instance i on i.id = c.instance_id
left join api_read_definition d on d.id = i.definition_id
left join element e on e.definition_id = i.definition_id and e.node = c.node
left join attempt a on a.call_id = c.id
left join call_queue q on q.endpoint = c.endpoint and q.call_id = c.id
where d.id is not null or (select api_engine());
revoke all on calls from public;
comment on view calls is 'Requests to services that are not finished.';
comment on column calls.path is 'the values of parameters that look secret are masked';
comment on column calls.call_id is 'also the Idempotency-Key of the request, the same for each attempt';
comment on column calls.state is '`queued`: not sent, for instance because of the rate limit; `sent`; `overdue`: sent, and the engine that sent it does not answer; `answered`: the answer is being carried out or waits for a retry or decision';
comment on column calls.asked is 'when the process asked for it';
comment on column calls.until is 'when an answer is no longer expected';

create or replace view messages as
select m.message_id, m.name, m.key, m.expires, m.instance_id,
       case m.mode when 0 then 'publish' when 1 then 'publish to all' when 2 then 'correlate' end as mode,
       m.body::jsonb as variables, m.tenant
from message m;
revoke all on messages from public;
comment on view messages is 'Messages that nobody has received yet.';
comment on column messages.message_id is 'what publish() returned';
comment on column messages.expires is 'when it is given up';
comment on column messages.instance_id is 'only for this instance; NULL: for any';

create or replace view history with (security_barrier) as
select a.instance_id, d.key as process, d.version, e.id as element_id, e.name as element_name, e.kind as element_kind,
       case a.kind when 3 then 'active' when 4 then 'completed' else 'cancelled' end as state,
       coalesce(a.started, a.at) as started,
       case when a.kind <> 3 then a.at end as ended,
       case when a.kind <> 3 then a.at - coalesce(a.started, a.at) end as duration,
       a.data::jsonb as detail, a.token, a.n, (a.data::jsonb ->> 'loopCounter')::integer as loop_counter
from (select v.*, lead(v.kind) over (partition by v.instance_id, v.token, v.node order by v.at, v.n) as next
      from api_event v where v.kind in (3, 4, 5)) a
join api_read_definition d on d.id = a.definition_id
left join element e on e.definition_id = a.definition_id and e.node = a.node
where a.kind in (4, 5) or a.next is null;
revoke all on history from public;
comment on view history is 'The way of each instance: a row for each time that an element was passed, waited in, or left by another way. Order by started, n.';
comment on column history.state is '`active`: it waits there now; `completed`; `cancelled`: left by another way';
comment on column history.ended is 'NULL while it is active';
comment on column history.detail is 'of cancelled ones: by what; of a multi-instance activity as a whole: how many items';
comment on column history.loop_counter is 'of an item of a multi-instance activity: which, from 0; the activity as a whole has a row of its own without';
comment on column history.n is 'the order of rows with equal times';

create or replace view events with (security_barrier) as
select v.at, v.n, v.instance_id, d.key as process, d.version, coalesce(k.name, 'kind ' || v.kind) as kind,
       e.id as element_id, e.name as element_name, v.token, v.started, case when v.kind = 1 then v.business_key end as business_key,
       v.data::jsonb as data, d.tenant
from api_event v
left join api_read_definition d on d.id = v.definition_id
left join element e on e.definition_id = v.definition_id and e.node = v.node
left join (values (1, 'instanceStarted'), (2, 'instanceEnded'), (3, 'activityStarted'), (4, 'activityEnded'),
                  (5, 'activityCancelled'), (6, 'errorThrown'), (7, 'jobFailed'), (8, 'callRequested'), (9, 'callSent'),
                  (10, 'callAnswered'), (11, 'callLate'), (12, 'messageReceived'), (13, 'messageSent'),
                  (14, 'taskCompleted'), (15, 'variablesSet'), (16, 'incident'),
                  (17, 'externalTaskFailed'), (20, 'elementSkipped'), (21, 'tokenMoved'), (22, 'elementCompleted'),
                  (25, 'delegateRan'), (31, 'callbackOpened'), (32, 'callbackAccepted'), (33, 'callbackSucceeded'),
                  (34, 'callbackFailed'), (35, 'callbackTimedOut'), (36, 'callbackRefused'), (38, 'eventPut'), (43, 'serviceLevelMissed'), (100, 'taskClaimed'), (101, 'taskReleased'),
                  (102, 'incidentRetried'), (103, 'instanceSuspended'), (104, 'instanceResumed'), (199, 'other')) k(kind, name) on k.kind = v.kind
where d.id is not null or (select api_engine());
revoke all on events from public;
comment on view events is 'The audit trail as it was written. Order by at, n.';
comment on column events.at is 'when it happened; of an activity, when it ended';
comment on column events.kind is 'what happened';
comment on column events.data is 'depends on the kind: who, which task or call, the error, the answer';

create or replace view variables as
select i.id as instance_id, i.business_key, v.key as name, v.value
from instance i join api_read_definition d on d.id = i.definition_id, jsonb_each(i.variables::jsonb) v;
revoke all on variables from public;
comment on view variables is 'The variables of running instances.';

create or replace view endpoints as
select p.name, p.base_url, p.rate, p.burst, p.max_in_flight, p.connect_timeout, p.timeout, p.cache,
       array(select k from jsonb_object_keys(p.headers) k order by k) as headers, p.transport,
       (select count(*) from call_queue q where q.endpoint = p.name) as queued,
       (select count(*) from attempt a where a.endpoint = p.name) as under_way,
       p.max_in_flight_all, p.unknown, p.retry_budget, p.breaker,
       case when s.circuit = 1 then 'open' when s.circuit = 2 then 'half-open' else 'closed' end
           || case when s.forced then ' by hand' else '' end as circuit,
       case when s.since > '-infinity' then s.since end as circuit_since,
       s.why as circuit_why,
       case when not s.forced and s.circuit = 1 then greatest(s.until, clock()) end as next_probe,
       case when s.held > clock() then s.held end as held_until,
       (select min(q.since) from call_queue q where q.endpoint = p.name) as oldest_queued,
       n.recent, n.failed as recent_failed, n.slow as recent_slow, n.last_answer, n.last_failure, n.last_error,
       (select jsonb_object_agg(o.outcome, o.times order by o.outcome)
        from (select k.key as outcome, sum(k.value::bigint) as times
              from endpoint_seen z, jsonb_each_text(z.outcomes) k where z.name = p.name group by 1) o) as outcomes,
       (select 'by ' || h.actor || coalesce(': ' || h.reason, '') from hold h) as hold_why,
       api_endpoint_kind(p.name) as kind, p.options - 'headers' as options
from endpoint p
left join endpoint_state s on s.name = p.name
left join (select z.name, sum(z.recent)::integer as recent, sum(z.failed)::integer as failed,
                  sum(z.slow)::integer as slow, max(z.last_answer) as last_answer, max(z.last_failure) as last_failure,
                  (array_agg(z.last_error order by z.last_failure desc nulls last))[1] as last_error
           from endpoint_seen z group by z.name) n on n.name = p.name;
revoke all on endpoints from public;
comment on view endpoints is 'The services that processes call, see set_endpoint(), and how they are.';
comment on column endpoints.rate is 'requests a second, for all nodes of the engine together; NULL: no limit';
comment on column endpoints.max_in_flight is 'requests under way at a time, of each node';
comment on column endpoints.max_in_flight_all is 'requests under way at a time, of all nodes together; NULL: no limit';
comment on column endpoints.cache is 'how long the answer to a GET is used again; NULL: not at all';
comment on column endpoints.unknown is 'what becomes of a request whose outcome is unknown: `repeat`, `fail`, `ask`; NULL: by its method';
comment on column endpoints.retry_budget is 'the share of requests that may be retries; NULL: no limit';
comment on column endpoints.breaker is 'when the circuit opens, see set_endpoint(); NULL: never';
comment on column endpoints.headers is 'only the names: the values may be secret';
comment on column endpoints.transport is 'how requests travel, as given to set_endpoint(); secrets only by where they are';
comment on column endpoints.queued is 'requests that wait to be sent';
comment on column endpoints.under_way is 'requests sent and not answered';
comment on column endpoints.circuit is '`closed`: requests leave; `open`: they wait; `half-open`: only probes leave; `… by hand`: see set_circuit()';
comment on column endpoints.next_probe is 'when a request may try whether the service answers again';
comment on column endpoints.held_until is 'until then nothing leaves: the service asked for it (Retry-After)';
comment on column endpoints.oldest_queued is 'since when the oldest of the queue waits';
comment on column endpoints.recent is 'calls that the circuit breaker looks at, of all nodes; up to a second old';
comment on column endpoints.recent_failed is 'of the recent ones: not reached, timed out, unreadable, status 5xx or 429';
comment on column endpoints.recent_slow is 'of the recent ones';
comment on column endpoints.last_answer is 'when it last did what was asked, or said why not (4xx)';
comment on column endpoints.outcomes is 'how many requests ended how: a JSON object';
comment on column endpoints.hold_why is 'of all endpoints alike: who keeps all requests back, and why, see hold_calls(); NULL: nobody does';
comment on column endpoints.kind is '`service`: outside; `delegate`: a C function of a program that embeds the engine; `script`: JavaScript that takes its time';
comment on column endpoints.options is 'what was set by set_endpoint(), without the headers; what is not there is as by default';

create or replace view held_calls as
select c.call_id, c.instance_id, c.process, c.version, c.business_key, c.element_id, c.element_name, c.endpoint,
       c.method, c.path, c.attempt, c.asked, c.sent,
       case c.state when 'queued' then case when c.attempt > 1 then 'again' else 'first' end else 'unknown' end as sends
from calls c where c.state <> 'answered';
revoke all on held_calls from public;
comment on view held_calls is 'Requests that leave, or are dealt with, once release_calls() ends a hold. After a restore to an earlier moment any of them may have been sent already: compare with the other side by call_id, its Idempotency-Key.';
comment on column held_calls.sends is '`first`: the first attempt; `again`: one that failed before; `unknown`: it was under way, the endpoint''s setting `unknown` says what becomes of it';

create or replace view outcomes as
select o.command_id, o.state, o.detail, o.at, o.tenant from outcome o
where o.definition_id is null or (select api_unlimited('read')) or exists (select from api_read_definition d where d.id = o.definition_id);
revoke all on outcomes from public;
comment on view outcomes is 'How commands, deployments and messages ended; kept for a day. See await().';
