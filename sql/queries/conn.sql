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
