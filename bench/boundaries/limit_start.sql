-- SPDX-License-Identifier: Apache-2.0
-- The limit, part 1: N starts with the same row writes that Pawl does, in set-based SQL. pgbench -D n=N.
-- What only Pawl does and this does not: read BPMN, keep a document, evaluate, decide.
-- The caller's transaction: what start() inserts.
insert into pawl.inbox (kind, instance_id, definition_id, body, actor, tenant, at)
    select 1, u, 1, '{"order": {"id": 12345, "amount": 99.5, "customer": "acme"}}', session_user, '', clock_timestamp()
    from (select pawl.api_id() u from generate_series(1, :n)) g;
begin;
-- The worker's fence.
update pawl.worker set batch = batch + 1, seen = clock_timestamp() where id = :client_id + 1;
-- The worker's transaction: the inbox row goes, claimed by ranges of ids; an instance, its first ready row, and a history row with two
-- entries (instance started, start event passed) come.
with c as materialized (
    select ctid from pawl.inbox where lane = 0 and pg_try_advisory_xact_lock(1, (id >> 8 & 1023)::integer)
    order by xid, id limit :n),
i as materialized (
    delete from pawl.inbox x using c where x.ctid = c.ctid returning x.instance_id, x.body),
new_instance as (
    insert into pawl.instance (id, definition_id, tenant, business_key, started, doc, variables)
    select instance_id, 1, '', null, clock_timestamp(), '\x0102030405060708090a0b0c0d0e0f10', body from i),
new_ready as (
    insert into pawl.ready (instance_id, kind, token, node, phase, tries)
    select instance_id, 2, 1, 1, 0, 0 from i)
insert into pawl.event (at, n, instance_id, definition_id, ends, business_key, entries)
    select clock_timestamp(), 1, instance_id, 1, false, null, E'1\t0\t-1\n4\t1\t0\t0' from i;
commit;
