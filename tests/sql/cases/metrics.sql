-- SPDX-License-Identifier: Apache-2.0
-- The view metrics: which gauges there are, and that each says what is so.
set search_path = pawl;
select set_endpoint('bank', 'https://bank.example') is not null;
select distinct name, type from metrics where name not like '%_table_%' order by 1;
create view told as select concat_ws(' ', name, nullif(labels, '{}') - 'kind', round(value)) as said from metrics
    where value <> 0 and name not like '%_table_%' and name not in ('pawl_instances', 'pawl_tasks_open');

-- What is there to be done.
select * from told order by 1;
insert into ready_mark select clock() - interval '2 minutes', id - 1 from ready;
insert into ready_mark select clock() - interval '1 minute', id + 7 from ready;
select count(*) from start('order');
update inbox set at = clock() - interval '40 s';
update timer set due = clock() - interval '50 s' where not retry;
select set_circuit('bank', 'open') is not null;
insert into incident (id, instance_id, root_id, reason, message, at, kind, token, node, phase, tries)
    select api_id(), instance_id, root_id, 'crashedEngine', message, at, kind, token + 1, node, phase, tries from incident;
select * from told order by 1;

-- Nothing of it is left.
delete from ready; delete from inbox; delete from timer; delete from incident; delete from message; delete from call_queue;
select set_circuit('bank', 'auto') is not null;
select * from told order by 1;
select name, labels, value from metrics where name = 'pawl_incidents_open';
