-- SPDX-License-Identifier: Apache-2.0
-- The engine's time, and the ids that are made of it. Tests replace clock() by one that adds an offset; one that is already
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

-- A UUIDv7: sorts by time, and says when it was made.
create or replace function api_id() returns uuid
language sql volatile
as $$
    -- 48 bits of milliseconds before a random one, whose version 4 becomes 7 by two more bits.
    select encode(set_bit(set_bit(overlay(uuid_send(gen_random_uuid())
        placing substring(int8send(floor(date_part('epoch', clock()) * 1000)::bigint) from 3) from 1 for 6), 52, 1), 53, 1), 'hex')::uuid
$$;
revoke all on function api_id() from public;
