-- SPDX-License-Identifier: Apache-2.0
-- What the desk itself says, see store/desk.h.

-- name: desk_role
-- No policy holds a superuser: his sessions become the schema's owner, whom FORCE holds.
select set_config('role', o.rolname, false)
from pg_catalog.pg_class c join pg_catalog.pg_roles o on o.oid = c.relowner, pg_catalog.pg_roles me
where c.oid = 'instance'::regclass and me.rolname = session_user and me.rolsuper
-- Who asks, for this transaction.
-- name: desk_caller
select set_config('pawl.caller', $1, true)
-- name: desk_savepoint
savepoint request
-- name: desk_release
release savepoint request
-- name: desk_back
rollback to savepoint request
