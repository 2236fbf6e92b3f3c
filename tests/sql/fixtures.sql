-- SPDX-License-Identifier: Apache-2.0
-- What an engine would have left in the tables: the process "order" in two versions, a suspended one,
-- and running instances that wait in every way. Ids are fixed: …-00 deployment, 01 … instances, 1x tasks and so on.
set search_path = :"schema";
create table event_always partition of event for values from ('2000-01-01') to ('2200-01-01');

create function id(n integer) returns uuid language sql immutable as
    $$ select ('00000000-0000-7000-8000-' || lpad(n::text, 12, '0'))::uuid $$;
-- Runs a statement and says how it was refused.
create function refused(statement text) returns text language plpgsql as $$
declare
    hint text;
begin
    execute statement;
    return 'NOT REFUSED';
exception when others then
    get stacked diagnostics hint = pg_exception_hint;
    return sqlstate || ' ' || sqlerrm || case when hint = '' then ' (NO HINT)' else '' end;
end
$$;
grant execute on function id(integer), refused(text) to public;
do $$ begin execute format('grant usage on schema %I to public', current_schema()); end $$;
select grant_usage('starter', 'start'), grant_usage('worker', 'work'), grant_usage('reader', 'read'),
       grant_usage('administrator', 'admin');

insert into deployment (id, name, actor, at, state) values (id(0), 'shop', 'pawl', '2026-01-01', 'active');
insert into deployment (id, name, actor, at, state, findings)
values (id(9), 'bad', 'pawl', '2026-01-02', 'refused', '[{"line": 3, "severity": "error"}]');
insert into resource values (id(0), 'order.bpmn', '<definitions/>', '');
insert into definition (key, version, name, deployment_id, resource, digest, suspended)
overriding system value values
    ('order', 1, 'Order', id(0), 'order.bpmn', '', false),
    ('order', 2, 'Order', id(0), 'order.bpmn', '', false),
    ('paused', 1, 'Paused', id(0), 'order.bpmn', '', true);
insert into element (definition_id, node, id, name, kind, line)
select d.id, e.node, e.id, e.name, e.kind, e.node from definition d, (values
    (0, 'begin', null, 'startEvent'), (1, 'approve', 'Approve', 'userTask'), (2, 'late', 'Too late', 'boundaryEvent'),
    (3, 'paid', 'Paid', 'intermediateCatchEvent'), (4, 'charge', 'Charge', 'serviceTask'),
    (5, 'ship', 'Ship', 'callActivity'), (6, 'end', null, 'endEvent')) e(node, id, name, kind);

insert into instance (id, root_id, parent_id, parent_token, definition_id, business_key, started, doc, variables)
select id(n), id(root), case when n <> root then id(root) end, case when n <> root then 1 end,
       (select d.id from definition d where d.key = 'order' and d.version = 2), 'A-' || n,
       timestamptz '2026-02-01' + n * interval '1 minute', '', '{"amount": 12.50, "who": "Ada"}'
from (values (1, 1), (2, 2), (3, 3), (4, 4), (5, 5), (6, 5), (7, 7)) v(n, root);

insert into task (id, instance_id, root_id, token, node, definition_id, name, assignee, priority, due, created)
select id(10 + n), id(n), id(n), 1, 1, i.definition_id, 'Approve', case n when 2 then 'ben' end, 50, null,
       '2026-02-01 01:00'
from instance i, generate_series(1, 2) n where i.id = id(n);
insert into timer (due, instance_id, token, node, kind, root_id) values ('2027-01-01', id(1), 1, 2, 3, id(1));
insert into timer (due, instance_id, token, node, kind, root_id, phase, tries, retry, error)
values ('2027-01-02', id(7), 1, 4, 2, id(7), 0, 1, true, 'no route to host');
insert into subscription values (id(3), 1, 3, id(3), '', 'paid', 'A-3', '2026-02-01 02:00');
insert into incident (id, instance_id, root_id, reason, message, at, kind, token, node, phase, tries)
values (id(24), id(4), id(4), 'failedJob', 'status 500', '2026-02-01 03:00', 2, 1, 4, 0, 3),
       (id(25), id(4), id(4), 'unknownOutcome', 'died', '2026-02-01 03:00', 8, 2, 4, 0, 0);
insert into call (id, instance_id, root_id, token, node, endpoint, method, path, headers, connect_timeout_us, timeout_us,
    report_sent, asked)
values (id(31), id(5), id(5), 2, 4, 'bank', 'POST', '/charge', '{}', 0, 0, false, '2026-02-01');
insert into call_queue values ('bank', id(31), 1, '2026-02-01');
insert into ready (root_id, instance_id, kind, token, node, phase, tries) values (id(7), id(7), 2, 2, 4, 0, 0);
insert into message (message_id, tenant, name, key, mode, expires, body)
values (id(40), '', 'paid', 'Z', 0, '2100-01-01', '{"by": "card"}');
-- As store/effects.c packs them: a row for what an instance wrote in one go.
insert into event (at, n, instance_id, definition_id, ends, business_key, entries)
select timestamptz '2026-02-01' + v.at * interval '1 minute', min(v.n), id(v.instance), d.id, bool_or(v.kind = 2),
       'A-' || max(v.instance) filter (where v.kind = 1),
       string_agg(concat_ws(E'\t', v.kind, v.token, v.node,
           case when v.kind in (3, 4, 5) then ((v.at - v.began) * 60000000)::text when v.data is not null then '' end, v.data),
           E'\n' order by v.n)
from definition d, (values
    (1, 0, 1, 1, 0, -1, null, null), (1, 1, 1, 4, 1, 0, 1, null), (1, 2, 1, 3, 1, 1, 1, null),
    (5, 0, 5, 3, 1, 5, 5, null), (5, 0, 5, 3, 2, 4, 5, null),
    (8, 0, 8, 1, 0, -1, null, '{"calledBy": "00000000-0000-7000-8000-000000000001", "element": "ship"}'), (8, 1, 8, 4, 1, 0, 8, null), (8, 2, 8, 3, 1, 1, 8, null),
    (9, 0, 8, 5, 1, 1, 8, '{"by": "late"}'), (9, 1, 8, 4, 2, 6, 9, null),
    (9, 2, 8, 2, 0, -1, null, '{"state": "cancelled", "reason": "by phone"}')
) v(at, n, instance, kind, token, node, began, data) where d.key = 'order' and d.version = 2
group by d.id, v.at, v.instance, case v.instance when 5 then v.token end;
insert into outcome values (id(50), 'refused', '{"reason": "nobody waits"}', '2026-02-01'), (id(0), 'active', null, '2026-01-01');
