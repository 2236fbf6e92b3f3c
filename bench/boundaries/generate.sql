-- SPDX-License-Identifier: Apache-2.0
-- The load: starts through the SQL API, N a transaction, as long as fewer than 12,000 instances run.
select (select count(*) from (select from pawl.instance limit 12000) i) +
       (select count(*) from (select from pawl.inbox limit 12000) i) < 12000 as go \gset
\if :go
select count(*) from generate_series(1, :n) g, pawl.start('three-tasks',
    variables => jsonb_build_object('order', jsonb_build_object('id', 12345, 'customer', 'acme', 'amount', 99.5 + g)));
\else
\sleep 3 ms
\endif
