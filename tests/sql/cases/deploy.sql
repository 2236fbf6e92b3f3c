-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
select state from deploy('<?xml version="1.0" encoding="ISO-8859-1"?><definitions name="ä"/>');
select state from deploy(xml => '<a/>', resource => 'a.bpmn', name => 'one');
select state from deploy_all('[{"name": "b.bpmn", "content": "<b/>"}, {"name": "a.bpmn", "content": "<a/>", "note": 1}]', name => 'two');
select kind, name, body, actor, command_id is not null, instance_id from inbox order by id;
select name, state, actor, resources, processes from deployments order by at, name;
\echo -- refused
select refused($$ select deploy(null) $$);
select refused($$ select deploy('') $$);
select refused($$ select deploy('<a/>', '') $$);
select refused($$ select deploy('<a/>', null) $$);
select refused($$ select deploy('<a/>', repeat('n', 256)) $$);
select refused($$ select deploy('<a/>', name => repeat('n', 256)) $$);
select refused($$ select deploy(repeat('x', 10485761)) $$);
select refused($$ select deploy('<a/>', options => '{"x": 1}') $$);
select refused($$ select deploy('<a/>', options => '{"duplicateFiltering": "no"}') $$);
select refused($$ select deploy_all(null) $$);
select refused($$ select deploy_all('{}') $$);
select refused($$ select deploy_all('[]') $$);
select refused($$ select deploy_all('[1]') $$);
select refused($$ select deploy_all('[{"name": "a"}]') $$);
select refused($$ select deploy_all('[{"name": "a", "content": 1}]') $$);
select refused($$ select deploy_all('[{"name": "a", "content": "x"}, {"name": "a", "content": "y"}]') $$);
select refused($$ select deploy_all((select jsonb_agg('{}'::jsonb) from generate_series(1, 101))) $$);
select state from deploy(repeat('x', 10485760));
select count(*) from inbox;
