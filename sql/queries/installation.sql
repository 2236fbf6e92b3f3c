-- SPDX-License-Identifier: Apache-2.0
-- What the whole installation shares (store/installation.c).
-- name: installation
select callback_key, public_url, (extract(epoch from callback_life) * 1000000)::bigint from installation
