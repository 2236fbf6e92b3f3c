-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
\echo -- outcomes of commands and deployments, ends of instances
select * from await(id(50));
select * from await(id(0));
select * from await(id(8));
\echo -- not decided yet
select * from await(id(1), '0');
select * from await(id(40), timeout => '20 ms');
select deployment_id from deploy('<a/>') \gset
select state, detail from await(:'deployment_id', '50 ms');
\echo -- the outcome of a start is not the end of the instance
insert into outcome values (id(1), 'done', null, now());
select * from await(id(1), '10 ms');
\echo -- refused
select refused($$ select await(null) $$);
select refused($$ select await(id(99)) $$);
select refused($$ select await(id(50), '-1 s') $$);
select refused($$ select await(id(50), null) $$);
select refused($$ select await(id(50), '6 minutes') $$);
begin isolation level repeatable read;
select refused($$ select await(id(50)) $$);
rollback;
begin;
select instance_id from start('order') \gset
select refused(format($$ select await(%L) $$, :'instance_id'));
savepoint s;
select deployment_id from deploy('<a/>') \gset
select refused(format($$ select await(%L) $$, :'deployment_id'));
release s;
select refused(format($$ select await(%L) $$, :'deployment_id'));
select * from await(id(50));
commit;
select state from await(:'deployment_id', '0');
