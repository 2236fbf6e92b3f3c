-- SPDX-License-Identifier: Apache-2.0
-- Run as the owner of the engine's schema, with that schema in the search path: from now on the
-- engine's time is the database's plus an offset that the test moves. A later migrate keeps it.

create table if not exists test_clock (ahead interval not null);
insert into test_clock select '0' where not exists (select from test_clock);

create or replace function clock() returns timestamptz
language plpgsql volatile parallel safe
as $$
begin
    return clock_timestamp() + (select c.ahead from test_clock c);
end
$$;
do $$
begin
    execute format('alter function clock() set search_path = %I, pg_temp', current_schema());
end
$$;

-- Waits until the engine has nothing more to do at this moment: no command, no due timer, no request
-- on its way. Returns false when that takes too long (real time).
create or replace function test_settle(seconds numeric) returns boolean
language plpgsql volatile
as $$
declare
    until timestamptz := clock_timestamp() + make_interval(secs => seconds);
begin
    loop
        if not exists (select from inbox) and not exists (select from ready)
           and not exists (select from timer t where t.due <= clock())
           and not exists (select from attempt) and not exists (select from call_queue) and not exists (select from event_todo) then
            return true;
        end if;
        if clock_timestamp() > until then
            return false;
        end if;
        perform pg_sleep(0.005);
    end loop;
end
$$;
