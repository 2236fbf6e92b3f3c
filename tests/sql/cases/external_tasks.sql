-- SPDX-License-Identifier: Apache-2.0
-- External tasks without an engine: what is refused, and what the tables hold at each step.
set search_path = pawl;
\pset null -
insert into instance (id, root_id, definition_id, started, doc, variables, business_key)
select i, i, 1, clock(), '', '{"a": 1, "b": {"c": [1, 2]}, "n": 1.10}', 'key-' || n
from (values ('00000000-0000-7000-8000-0000000000e1'::uuid, 1), ('00000000-0000-7000-8000-0000000000e2', 2)) v(i, n);
insert into external_task (id, instance_id, root_id, token, node, definition_id, topic, priority, created)
select ('00000000-0000-7000-8000-0000000000a' || n)::uuid, ('00000000-0000-7000-8000-0000000000e' || n)::uuid,
       ('00000000-0000-7000-8000-0000000000e' || n)::uuid, 1, 1, 1, 'charge', n, clock() from generate_series(1, 2) n;
insert into external_offer select topic, priority, id, definition_id from external_task;
insert into external_variables values ('00000000-0000-7000-8000-0000000000a1', '{"a": 2, "own": true}');
\set one '''00000000-0000-7000-8000-0000000000a1'''
\set two '''00000000-0000-7000-8000-0000000000a2'''
create function held() returns text language sql as
$$ select string_agg(right(t.id::text, 2) || ':' || case when o.task_id is not null then 'offered' when l.task_id is not null
       then 'leased' else 'none' end || coalesce(' by ' || t.worker, '') || ' fence ' || t.fence || coalesce(' left ' || t.retries, ''), ', ' order by t.id)
   from external_task t left join external_offer o on o.task_id = t.id left join external_lease l on l.task_id = t.id $$;
\echo '-- what is refused before anything is looked for'
select refused($$ select * from fetch_and_lock('', '["charge"]') $$);
select refused($$ select * from fetch_and_lock('w', '{}') $$);
select refused($$ select * from fetch_and_lock('w', '[]') $$);
select refused($$ select * from fetch_and_lock('w', '[7]') $$);
select refused($$ select * from fetch_and_lock('w', '[{"lockDuration": 5}]') $$);
select refused($$ select * from fetch_and_lock('w', '[{"topicName": "charge", "lockduration": 5}]') $$);
select refused($$ select * from fetch_and_lock('w', '[{"topicName": "charge", "lockDuration": 0}]') $$);
select refused($$ select * from fetch_and_lock('w', '[{"topicName": "charge", "lockDuration": "soon"}]') $$);
select refused($$ select * from fetch_and_lock('w', '["charge", "charge"]') $$);
select refused($$ select * from fetch_and_lock('w', '["charge"]', 0) $$);
select refused($$ select * from fetch_and_lock('w', '["charge"]', 1, '{"wait": "2 minutes"}') $$);
select refused($$ select * from fetch_and_lock('w', '["charge"]', 1, '{"patience": 3}') $$);
begin isolation level repeatable read;
select refused($$ select * from fetch_and_lock('w', '["charge"]', 1, '{"wait": 100}') $$);
rollback;
select held();
\echo '-- variables: of the task over those of the process, as they are written, or those that are wanted'
begin;
select topic, priority, fence, retries, business_key, variables from fetch_and_lock('w', '["charge"]', 5);
select held();
rollback;
begin;
select variables from fetch_and_lock('w', '[{"topicName": "charge", "variables": ["b", "own"], "businessKey": "key-1"}]');
rollback;
begin;
select variables from fetch_and_lock('w', '[{"topicName": "charge", "localVariables": true, "businessKey": "key-1"}]');
rollback;
select count(*) from fetch_and_lock('w', '[{"topicName": "charge", "processDefinitionKey": "none"}]');
select count(*) from fetch_and_lock('w', '["other"]', 1, '{"wait": 50}');
\echo '-- a lease, and answers of others'
select task_id = :two as most_urgent, fence from fetch_and_lock('w', '[{"topicName": "charge", "lockDuration": 600000}]');
select held();
select refused($$ select complete_external_task('00000000-0000-7000-8000-0000000000a1', 'w') $$);
select refused($$ select complete_external_task('00000000-0000-7000-8000-0000000000a2', 'v') $$);
select refused($$ select complete_external_task('00000000-0000-7000-8000-0000000000a2', 'w', fence => 2) $$);
select refused($$ select complete_external_task('00000000-0000-7000-8000-0000000000a2', 'w', '[]', fence => 1) $$);
select refused($$ select handle_bpmn_error('00000000-0000-7000-8000-0000000000a2', 'w', '', fence => 1) $$);
select refused($$ select handle_failure('00000000-0000-7000-8000-0000000000a2', 'w', retry_timeout => '-1 s', fence => 1) $$);
select refused($$ select extend_lock('00000000-0000-7000-8000-0000000000a2', 'w', '0 s') $$);
select refused($$ select complete_external_task('00000000-0000-7000-8000-00000000ffff', 'w') $$);
select refused($$ select complete_external_task(null, 'w') $$);
select extend_lock(:two, 'w', '1 hour', 1) > clock() + interval '59 minutes' as longer;
select regexp_replace(refused($$ select (lock_external_task('00000000-0000-7000-8000-0000000000a2', 'v', '1 min')).fence $$), ' until .*', ' until …');
select (lock_external_task(:two, 'w', '1 min')).fence;
select held();
\echo '-- failures'
select handle_failure(:two, 'w', 'no', 'details', 3, '1 min', 2) is not null as accepted;
select held();
select kind, name, detail, body::jsonb - 'variables' as body, actor from inbox where kind = 21;
select state, worker_id, retries, error_message, error_details from external_tasks where task_id = :two;
select regexp_replace(refused($$ select (lock_external_task('00000000-0000-7000-8000-0000000000a2', 'v', '1 min')).fence $$), ' until .*', ' until …');
select unlock_external_task(:two);
select held();
select fence, retries, error_message, error_details from fetch_and_lock('v', '["charge"]');
select handle_failure(:two, 'v', repeat('x', 5000), repeat('y', 50000), fence => 3) is not null as accepted;
select length(error_message), length(error_details) from external_tasks where task_id = :two;
select held();
select unlock_external_task(:two);
select held();
select refused($$ select set_external_task_retries('00000000-0000-7000-8000-0000000000a2', -1) $$);
select set_external_task_retries(:two, 2);
select kind, subject = :two as same from inbox where kind = 22;
select set_external_task_priority(:one, 77);
select topic, priority from external_offer;
\echo '-- a mapping of a class'
select map_class('org.example.A', 'a');
select map_class('org.example.A', 'b');
select class, topic from class_topics;
select unmap_class('org.example.A');
select refused($$ select unmap_class('org.example.A') $$);
select refused($$ select map_class('', 'b') $$);
\echo '-- completed'
select task_id = :one as same from fetch_and_lock('w', '["charge"]');
select complete_external_task(:one, 'w', '{"x": 1}', 1, '{"y": 2}') = :one as filed_under_the_task;
select kind, body, actor from inbox where kind = 11;
select held(), state from external_tasks where task_id = :one;
select refused($$ select handle_failure('00000000-0000-7000-8000-0000000000a1', 'w') $$);
select count(*) from fetch_and_lock('w', '["charge"]');
