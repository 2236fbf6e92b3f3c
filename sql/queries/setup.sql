-- SPDX-License-Identifier: Apache-2.0
-- What a node's configuration file wants (store/setup.c). $1 is the node.
-- name: setup_same
select exists (select from endpoint_source s join endpoint e on e.name = s.endpoint
               where s.node = $1 and s.endpoint = $2 and s.digest = sha256(convert_to($3 || E'\n' || $4, 'UTF8')))
-- name: setup_set
-- The file says all of it: a line that has left it counts no more.
select endpoint from set_endpoint($1, $2, $3::jsonb || '{"replace": true}')
-- name: setup_note
insert into endpoint_source (node, endpoint, digest) values ($1, $2, sha256(convert_to($3 || E'\n' || $4, 'UTF8')))
on conflict (node, endpoint) do update set digest = excluded.digest
-- name: setup_noted
select endpoint from endpoint_source where node = $1 order by 1
-- name: setup_droppable
-- Another node's file may have it; and a call in flight needs it. Then whether there is nothing to drop.
select exists (select from endpoint e where e.name = $2) and not o.has_it
           and not exists (select from call c where c.endpoint = $2),
    o.has_it or not exists (select from endpoint e where e.name = $2)
from (select exists (select from endpoint_source s where s.endpoint = $2 and s.node <> $1) as has_it) o
-- name: setup_drop
select endpoint from drop_endpoint($1)
-- name: setup_forget
delete from endpoint_source where node = $1 and endpoint = $2
-- name: setup_retention
select changed from set_retention($1::jsonb)
-- name: setup_public_url
select changed from set_installation(jsonb_build_object('publicUrl', $1::text))
