-- SPDX-License-Identifier: Apache-2.0
-- What a transaction has accepted, and by which inputSchema it is judged: store/inputs.h.

-- All of it, whoever was the last to ask.
-- name: inputs_as_engine
select set_config('pawl.caller', '', true)
-- What this transaction has accepted that an inputSchema judges: the command, its kind, for which definition and node
-- (-1: where it starts), and what it brings. A message is judged as by those who wait for it now, else by the process
-- that it starts: as store/message.c pairs them.
-- name: inputs_accepted
with accepted as materialized (
    select coalesce(b.command_id, b.instance_id) as id, b.kind, b.definition_id, b.instance_id, b.subject, b.name, b.key,
           b.detail, b.tenant, b.body
    from inbox b
    where b.lane = any (array(select generate_series(0, 15))) and b.xid = pg_current_xact_id_if_assigned()
      and b.kind in (1, 5, 11, 23, 101, 102)
), waiting as materialized (
    select a.id, a.kind, n.definition_id, w.node, a.body
    from accepted a cross join lateral (
        select s.instance_id, s.node, s.since from subscription s
        where s.tenant = a.tenant and s.name = a.name and s.key = a.key and (a.instance_id is null or s.instance_id = a.instance_id)
        union all
        select s.instance_id, s.node, s.since from subscription s
        where a.key is null and s.instance_id = a.instance_id and s.tenant = a.tenant and s.name = a.name
        order by since limit case when a.detail = 'all' then 100 else 1 end
    ) w join instance n on n.id = w.instance_id
    where a.kind in (101, 102)
), addressed as (
    select a.id, a.kind, a.definition_id, -1 as node, a.body from accepted a where a.kind = 1
    union all
    select a.id, a.kind, t.definition_id, t.node, a.body from accepted a join task t on t.id = a.subject where a.kind = 5
    union all
    select a.id, a.kind, t.definition_id, t.node, a.body from accepted a join external_task t on t.id = a.subject where a.kind = 11
    union all
    select a.id, a.kind, c.definition_id, c.node, a.body from accepted a join callback c on c.id = a.subject where a.kind = 23
    union all
    select w.* from waiting w
    union all
    select a.id, a.kind, m.definition_id, m.node, a.body
    from accepted a join message_start m on m.tenant = a.tenant and m.name = a.name
    where a.kind in (101, 102) and a.instance_id is null and not exists (select from waiting w where w.id = a.id)
)
select a.id, a.kind::integer, a.definition_id, a.node,
       case a.kind when 11 then (a.body::json -> 'variables')::text when 23 then (a.body::json -> 'output')::text else a.body end
from addressed a
where exists (select from input i where i.definition_id = a.definition_id and i.checked and (i.node = a.node or i.start))
