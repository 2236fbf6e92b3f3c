-- SPDX-License-Identifier: Apache-2.0
-- Who changed what, beside what the history of an instance has: each setting leaves a line, a refusal and a look do not.
set search_path = pawl;
\pset null -
create function trail() returns setof text language sql as $$
    select concat_ws('|', a.kind, a.actor, coalesce(a.tenant, '-'), coalesce(a.subject, '-'), a.detail - 'command')
    from audit_entry a where a.at > now() - interval '1 hour' order by a.at, a.kind
$$;
select changed from set_installation('{"callbackLife": "300 days", "actor": "anna"}');
select bus from set_event_bus('orders', '{"description": "of the shop"}');
select refused($$ select set_event_bus('a b') $$);
select count(*) from set_event_rule('paid', '{"source": ["shop"]}', '[{"startProcess": {"process": "order"}}]', 'orders');
select count(*) from drop_event_rule('paid', 'default');
select refused($$ select drop_event_bus('missing') $$);
select bus from set_event_bus('empty'), drop_event_bus('empty') d(dropped);
select * from replay_events('{"state": "all"}', '{"dryRun": true}');
select * from replay_events('{"state": "unmatched"}');
select held from hold_history(id(1), '{"reason": "a dispute"}');
select held from hold_history(id(1));
select released from release_history(id(1));
select released from release_history(id(1));
insert into external_task (id, instance_id, root_id, token, node, definition_id, topic, priority, created)
values (id(70), id(1), id(1), 1, 1, 2, 'charge', 0, clock());
select set_external_task_priority(id(70), 7), set_external_task_retries(id(70), 3);
insert into parameter (definition_id, name, fallback) values (2, 'limit', '5');
select versions from set_parameter('order', 'limit', '6');
select trail();
