-- SPDX-License-Identifier: Apache-2.0
-- What server/auth.c asks.

-- name: http_credentials
-- $1: the digest of a token, or NULL and $2: a name.
select 200, api_credentials($1, $2)::text
-- name: http_note
-- Refusals, and which tokens were used.
select 200, api_note($1::jsonb)::text
-- name: http_users
select 200, (select count(*) from (select from account limit 1) a)::text
