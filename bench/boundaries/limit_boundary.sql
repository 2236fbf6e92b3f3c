-- SPDX-License-Identifier: Apache-2.0
-- The limit, part 2: N boundaries with the same row writes that Pawl does, in set-based SQL.
begin;
-- The worker's fence.
update pawl.worker set batch = batch + 1, seen = clock_timestamp() where id = :client_id + 1;
-- Claim ready rows behind a cursor that goes round, by ranges of ids as Pawl does, and lock their families' roots (the
-- only rows that are locked); a row moves on in
-- place (node 1 -> 2 -> 3) or, behind the third task, goes with its instance. One history row a boundary, which holds
-- the task's entry and, at the end, those of the end event and of the instance.
with j as materialized (
    select r.ctid, r.id, r.instance_id, r.node from pawl.ready r join pawl.instance i on i.id = r.instance_id
    where r.lane = 0 and r.id > :cursor and pg_try_advisory_xact_lock(0, (r.id >> 8 & 1023)::integer)
    order by r.id limit :n for update of i skip locked),
moved as (
    update pawl.ready r set node = j.node + 1 from j where r.ctid = j.ctid and j.node < 3),
done as (
    delete from pawl.ready r using j where r.ctid = j.ctid and j.node = 3),
ended as (
    delete from pawl.instance i using j where i.id = j.instance_id and j.node = 3),
history as (
    insert into pawl.event (at, n, instance_id, definition_id, ends, business_key, entries)
    select clock_timestamp(), id & 8191, instance_id, 1, node = 3, null,
        case node when 3 then E'4\t1\t3\t0\n4\t1\t4\t0\n2\t0\t-1\t31415' else E'4\t1\t1\t0' end
    from j)
select case when count(*) < :n then 0 else max(id) end as cursor from j \gset
commit;
