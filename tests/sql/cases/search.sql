-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
create function hits(query text, options jsonb default '{}') returns table (n text, state text, matched text[], next text) language sql as
    $$ select right(instance_id::text, 2), state, matched, right(next::text, 2) from pawl.search(query, options) $$;
grant execute on function hits(text, jsonb) to public;
update instance set variables = '{"amount": 13, "who": "Ben Franklin", "customer": {"name": "Ada", "tags": ["new"]}}' where id = id(3);
\echo -- a business key, whole; an ended one
select * from hits('a-3');
select * from hits('A-8');
\echo -- errors, reasons, elements, process
select * from hits('"status 500"');
select * from hits('PHONE');
select * from hits('late or phone');
select * from hits('approve -phone');
select * from hits('order', '{"limit": 2}');
select * from hits('order', '{"limit": 2, "after": "00000000-0000-7000-8000-000000000007"}');
\echo -- variables: as text or number, with blanks, inside of objects; together with words
select * from hits('amount=13');
select * from hits('who="Ben Franklin"');
select * from hits('customer.name=Ada');
select * from hits('who=Ada amount=12.5 order', '{"limit": 1}');
select * from hits('', '{"variables": {"customer": {"tags": ["new"]}}}');
select * from hits('who=Nobody');
\echo -- words in variables, however deep: values, not names
select * from hits('franklin');
select * from hits('"ben franklin" 13 NEW');
select * from hits('"franklin ben"');
select * from hits('new -ada');
select * from hits('tags');
select * from hits('12.50 order', '{"limit": 1}');
\echo -- bounds: it stops, says so, and goes on from there
select * from hits('"a 1"', '{"most": 3}');
select * from hits('"a 1"', '{"most": 3, "after": "00000000-0000-7000-8000-000000000003"}');
\echo -- refused
select refused($$ select search('') $$), refused($$ select search(' -- ') $$), refused($$ select search(repeat('x', 1001)) $$);
select refused($$ select search('a', '{"limit": 1001}') $$), refused($$ select search('a', '{"after": "x"}') $$);
\echo -- tenants and rights
update instance set tenant = 'north', definition_id = (select min(id) from definition) where id = id(7);
update definition set tenant = 'north' where id = (select min(id) from definition);
select set_role_tenants('reader', '{north}');
\connect - reader
select * from pawl.hits('order');
select * from pawl.hits('who=Ada');
\connect - administrator
select count(*) from pawl.hits('who=Ada');
\connect - pawl
select pawl.set_role_tenants('reader', '{""}'), pawl.grant_process('reader', 'read', 'paused', '{"role": true}');
\connect - reader
select * from pawl.hits('order');
\connect - starter
select * from pawl.search('order');
