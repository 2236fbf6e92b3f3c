-- SPDX-License-Identifier: Apache-2.0
-- The load: each of 24 clients starts N instances in one transaction through the SQL API, and the next ones when
-- the last of these has ended, so that 24 N run at most. Asked by the history's index: it costs the engine nothing
-- to speak of, and nothing grows when deleted rows cannot be cleaned up.
select case when ':last' = 'none' then true
    else exists (select from pawl.event where instance_id = nullif(':last', 'none')::uuid and ends) end as go \gset
\if :go
select max(s.instance_id::text) as last from generate_series(1, :n) g, pawl.start('three-tasks',
    variables => jsonb_build_object('order', jsonb_build_object('id', 12345, 'customer', 'acme', 'amount', 99.5 + g))) s \gset
\else
\sleep 20 ms
\endif
