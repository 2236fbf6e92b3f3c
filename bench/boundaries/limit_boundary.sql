-- SPDX-License-Identifier: Apache-2.0
-- The limit, part 2: N boundaries with the same row writes that Pawl does, in set-based SQL.
begin;
-- The worker's fence.
update pawl.worker set batch = batch + 1, seen = clock_timestamp() where id = :client_id + 1;
-- Claim ready rows behind a cursor that goes round, as Pawl's does, and lock their families' roots; a row moves on in
-- place (node 1 -> 2 -> 3) or, behind the third task, goes with its instance. One history row a task; two more
-- (end event, instance ended) at the end.
with j as materialized (
    select r.ctid, r.id, r.instance_id, r.node from pawl.ready r join pawl.instance i on i.id = r.instance_id
    where r.id > :cursor order by r.id limit :n for update skip locked),
moved as (
    update pawl.ready r set node = j.node + 1 from j where r.ctid = j.ctid and j.node < 3),
done as (
    delete from pawl.ready r using j where r.ctid = j.ctid and j.node = 3),
ended as (
    delete from pawl.instance i using j where i.id = j.instance_id and j.node = 3),
history as (
    insert into pawl.event (at, n, instance_id, kind, token, node, definition_id, started, business_key, data)
    select clock_timestamp(), k, instance_id, case k when 2 then 2 else 4 end, 1, node + k % 2, 1, clock_timestamp(), null,
        case k when 2 then '{"state":"completed"}' end
    from j, generate_series(0, case node when 3 then 2 else 0 end) k)
select case when count(*) < :n then 0 else max(id) end as cursor from j \gset
commit;
