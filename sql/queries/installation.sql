-- SPDX-License-Identifier: Apache-2.0
-- What the whole installation shares (store/installation.c).
-- name: installation
select k.key, i.public_url, (extract(epoch from i.callback_life) * 1000000)::bigint
from installation i cross join callback_key k where k.retired is null
