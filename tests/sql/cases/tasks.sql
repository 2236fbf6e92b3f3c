-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
\set show 'select kind, subject = command_id as own, right(subject::text, 2) as subject, right(instance_id::text, 2) as instance, right(root_id::text, 2) as root, name, detail, body, actor from inbox order by id;'
\set tasks 'select right(id::text, 2), assignee, answered_by from task order by id;'
\echo -- claim and release
select command_id is not null from claim(id(11), 'anna');
select command_id is not null from claim(task_id => id(11), assignee => 'anna');
select refused($$ select claim(id(11), 'carl') $$);
select refused($$ select claim(id(12), 'carl') $$);
:tasks
select command_id is not null from release(id(12));
select command_id is not null from release(id(12));
select command_id is not null from claim(id(12), 'carl');
:tasks
:show
select refused($$ select claim(id(11), null) $$);
select refused($$ select claim(id(11), '') $$);
select refused($$ select claim(null, 'x') $$);
select refused($$ select claim(id(99), 'x') $$);
select refused($$ select release(id(99)) $$);
select refused($$ select release(null) $$);
delete from inbox;
\echo -- complete
select refused($$ select complete(id(11), '[]') $$);
select refused($$ select complete(id(99)) $$);
select refused($$ select complete(null) $$);
select refused($$ select complete(id(11), options => '{"x": 1}') $$);
begin; select command_id = id(11) from complete(id(11)); rollback;
:tasks
select command_id = id(11) from complete(id(11), '{"ok": true}');
:tasks
select refused($$ select complete(id(11), '{"ok": true}') $$);
select refused($$ select fail(id(11), 'x') $$);
select refused($$ select claim(id(11), 'anna') $$);
select refused($$ select release(id(11)) $$);
select count(*) from tasks where task_id = id(11);
\echo -- fail
select refused($$ select fail(id(12), '') $$);
select refused($$ select fail(id(12), 'code', repeat('x', 8193)) $$);
select command_id = id(12) from fail(task_id => id(12), error_code => 'REJECTED', message => 'too dear', variables => '{"a": 1}', options => '{"actor": "carl"}');
:tasks
:show
\echo -- after the engine has carried it out
delete from task; insert into outcome select id(11), 'done', null, clock();
select refused($$ select complete(id(11)) $$);
select refused($$ select complete(id(12)) $$);
