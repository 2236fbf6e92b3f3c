-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
set timezone = 'UTC';
\echo -- definitions
select process, version, name, latest, suspended, resource, deployed_by from definitions order by process, version;
\echo -- deployments
select name, state, jsonb_array_length(findings), resources, processes from deployments order by at;
\echo -- instances
select start(process => 'order', business_key => 'new') is not null;
select process, version, business_key, state, reason, elements, incidents, ended - started as took, parent_id is not null as called from instances order by state, business_key;
select business_key, state from instances where instance_id = id(8);
select business_key, state from instances where business_key = 'A-8';
\echo -- tokens
select business_key, token, element_id, waiting_for, since, due, name, key, right(subject::text, 2), detail from tokens order by business_key, token, waiting_for;
\echo -- tasks
select name, element_id, process, version, business_key, assignee, priority, variables from tasks order by business_key;
\echo -- jobs
select business_key, element_id, job, command, due, tries, error, token from jobs order by business_key, token;
\echo -- calls
select business_key, element_id, endpoint, method, path, state, attempt from calls;
insert into attempt values (id(31), 1, 1, 1, '2026-02-01', '2100-01-01', null, 'bank'); delete from call_queue;
select state, attempt, sent is not null from calls;
update attempt set until = '2026-02-01';
select state, attempt from calls;
\echo -- incidents
select right(incident_id::text, 2), business_key, element_id, reason, message, tries, needs_decision from incidents order by incident_id;
\echo -- messages
select name, key, mode, variables from messages;
\echo -- history
select right(instance_id::text, 2), element_id, element_kind, state, started, ended, duration, detail from history order by instance_id, started, ended, n;
\echo -- events
select right(instance_id::text, 2), kind, element_id, token, data from events order by instance_id, at, n, token;
\echo -- variables
select business_key, name, value from variables where instance_id = id(1) order by name;
\echo -- outcomes
select state, detail from outcomes order by state;
