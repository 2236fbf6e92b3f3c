-- SPDX-License-Identifier: Apache-2.0
-- How many instances of a process may be carried on at the same time (store/places.c).
-- name: place_limits
-- Versions of a process share its places: 16 bits of a 64-bit key, under the engine's schema.
select d.id, c.most,
    hashtextextended(concat_ws(E'\x01', current_schema(), 'concurrency', c.tenant, c.key), 0) & ~65535::bigint
from concurrency c join definition d on d.tenant = c.tenant and d.key = c.key order by d.id
-- name: places_take
-- $1: key of the places, $2: how many there are, $3: how many are wanted. Those of other transactions are passed over.
select count(*) from (
    select from generate_series(1, $2) p where pg_try_advisory_xact_lock($1 + p) limit $3
) t
