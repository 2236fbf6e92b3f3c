-- SPDX-License-Identifier: Apache-2.0
-- What looks secret is in no view, whoever looks.
set search_path = pawl;
select endpoint from set_endpoint('bank', 'https://bank.example', '{"headers": {"X-Api-Key": {"secret": "env:KEY"}, "X-Plain": "s3cret"}, "auth": {"type": "bearer", "token": "env:BANK"}}');
update call set path = '/charge?id=7&api_key=s3cret', headers = '{"Authorization": "s3cret"}', body = 's3cret';
update incident set body = '{"response": "s3cret"}', detail = 's3cret', request = api_call_request('POST', 'bank',
    '/charge?Token=s3cret&id=7', '{"Cookie": "s3cret", "X-Plain": "yes"}', null, 1, '2026-02-01');
create function telling() returns setof text language plpgsql as $$
declare
    v name;
    n integer;
begin
    for v in select c.relname from pg_class c
             where c.relnamespace = 'pawl'::regnamespace and c.relkind = 'v' and has_table_privilege(c.oid, 'select') loop
        execute format('select count(*) from pawl.%I v where v::text like ''%%s3cret%%''', v) into n;
        if n > 0 then
            return next v;
        end if;
    end loop;
end
$$;
grant execute on function telling() to public;
\echo -- views that tell
\connect - administrator
select pawl.telling();
\connect - reader
select pawl.telling();
\echo -- the rest is still there
set search_path = pawl;
select path from calls;
select detail from tokens where waiting_for = 'call';
select request ->> 'path', request -> 'headers' from incidents limit 1;
select headers, transport -> 'auth' from endpoints;
