-- SPDX-License-Identifier: Apache-2.0
-- What every connection needs.
-- name: begin
begin isolation level read committed
-- name: commit
commit
-- name: rollback
rollback
-- name: schema_there
select to_regclass(format('%I.migration', $1)) is not null
-- name: schema_version
select coalesce(max(version), 0) from migration
-- name: schema_digests
-- Of migrations that were carried out; an early table of them has no such column.
select version, name, to_jsonb(m) ->> 'digest' from migration m where version > 0 order by version
