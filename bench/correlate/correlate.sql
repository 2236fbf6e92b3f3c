-- SPDX-License-Identifier: Apache-2.0
-- N messages in one transaction, each to an instance of its own. pgbench -D n=N.
select count(*) from generate_series(1, :n) g, pawl.correlate('go', key => 'k' || nextval('bench.key'),
    variables => jsonb_build_object('answer', jsonb_build_object('id', 12345, 'customer', 'acme', 'amount', 99.5 + g)));
