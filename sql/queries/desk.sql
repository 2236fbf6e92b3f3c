-- SPDX-License-Identifier: Apache-2.0
-- What the desk itself says, see store/desk.h.

-- Who asks, for this transaction.
-- name: desk_caller
select set_config('pawl.caller', $1, true)
-- name: desk_savepoint
savepoint request
-- name: desk_release
release savepoint request
-- name: desk_back
rollback to savepoint request
