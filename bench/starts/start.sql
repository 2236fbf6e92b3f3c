-- SPDX-License-Identifier: Apache-2.0
-- N starts in one transaction. pgbench -D n=N.
select count(*) from generate_series(1, :n) g, pawl.start('bench-wait', business_key => 'k' || nextval('bench.key'),
    variables => jsonb_build_object('order', jsonb_build_object('id', 12345, 'customer', 'acme', 'amount', 99.5 + g)));
