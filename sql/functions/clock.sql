-- SPDX-License-Identifier: Apache-2.0
-- The engine's time. Tests replace this function by one that adds an offset; a clock that is already
-- there is therefore kept. Only the schema's owner can replace it.
-- No SET clause: with one it could not be inlined, and each look of an idle worker, which asks for the
-- time, cost twice as much. Its one name is qualified instead.
do $do$
begin
    if to_regprocedure('clock()') is null then
        create function clock() returns timestamptz
        language sql volatile parallel safe
        as 'select pg_catalog.clock_timestamp()';
    end if;
end
$do$;

revoke all on function clock() from public;
comment on function clock() is
'The time that the engine goes by: that of the database, read at the moment of the call.';
