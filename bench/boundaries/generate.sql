-- SPDX-License-Identifier: Apache-2.0
-- The load: each of 6 clients starts N instances in one transaction through the SQL API, one client at a time, and
-- the next ones when the last of these has ended, so that 6 N run at most. Asked by the history's index, also when
-- deleted rows cannot be cleaned up. Prepared (pgbench -M prepared): to plan the question, for each partition of the history,
-- takes ten times as long as to ask it, and 270 of them a second took a tenth of the machine.
select :last::text = 'none'
    or exists (select from pawl.event where instance_id = nullif(:last::text, 'none')::uuid and ends) as go \gset
\if :go
begin;
select pg_advisory_xact_lock(7);
select max(s.instance_id::text) as last from generate_series(1, :n::integer) g, pawl.start('three-tasks',
    variables => jsonb_build_object('order', jsonb_build_object('id', 12345, 'customer', 'acme', 'amount', 99.5 + g))) s \gset
commit;
\else
\sleep 20 ms
\endif
