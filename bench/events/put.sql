-- SPDX-License-Identifier: Apache-2.0
-- Ten events of a call, as AWS's PutEvents has them.
select count(*) from put_events((select jsonb_agg(jsonb_build_object('Source', 'shop', 'DetailType', 'order.' || floor(random() * 10),
    'Detail', jsonb_build_object('order', i, 'amount', 12.5, 'items', jsonb_build_array(jsonb_build_object('sku', 'A-7', 'n', 2))))) from generate_series(1, 10) i));
