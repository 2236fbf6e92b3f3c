-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
\set show 'select kind, right(subject::text, 2) as subject, right(instance_id::text, 2) as instance, right(root_id::text, 2) as root, detail, body, actor from inbox order by id;'
select command_id is not null from cancel(id(1), 'by phone');
select command_id is not null from cancel(instance_id => id(6));
select command_id is not null from set_variables(id(6), '{"a": 1}');
select command_id is not null from retry(id(24));
select command_id is not null from retry(id(24), '{"decision": "repeat"}');
select command_id is not null from retry(incident_id => id(25), options => '{"decision": "fail"}');
:show
\echo -- refused
select refused($$ select cancel(null) $$);
select refused($$ select cancel(id(99)) $$);
select refused($$ select cancel(id(8)) $$);
select refused($$ select cancel(id(1), repeat('x', 9000)) $$);
select refused($$ select set_variables(id(1), '[]') $$);
select refused($$ select set_variables(id(8), '{}') $$);
select refused($$ select set_variables(null, '{}') $$);
select refused($$ select retry(null) $$);
select refused($$ select retry(id(99)) $$);
select refused($$ select retry(id(25)) $$);
select refused($$ select retry(id(25), '{"decision": "maybe"}') $$);
select refused($$ select retry(id(24), '{"variables": [1]}') $$);
select refused($$ select retry(id(24), '{"decision": "fail"}') $$);
\echo -- an instance that is accepted and not taken up
delete from inbox;
select instance_id from start('order') \gset
select command_id is not null from cancel(:'instance_id');
select count(distinct instance_id), count(*) from inbox;
