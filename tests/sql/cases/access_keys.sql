-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
set client_min_messages = warning;
insert into account (name, technical, rights, tenants, created, created_by) values
    ('lambda', true, '{start,work}', '{north}', clock(), 'test'), ('anna', false, '{start,admin}', null, clock(), 'test'),
    ('gone', true, '{work}', null, clock(), 'test');
update account set disabled = true where name = 'gone';
create temp table k as select 'lambda' as who, c.* from create_access_key('lambda', '{"note": "resize"}') c
union all select 'anna', c.* from create_access_key('anna', '{"life": "PT1H"}') c
union all select 'gone', c.* from create_access_key('gone') c;
\echo -- their form; none is like another
select who, access_key_id ~ '^PAWL[0-9A-F]{16}$', secret_access_key ~ '^[A-Za-z0-9]{40}$' from k order by who;
select count(distinct access_key_id), count(distinct secret_access_key) from k;
\echo -- what the server gets: of whom it is, his rights as bits, and nothing of who may not come in
select k.who, a.secret = k.secret_access_key as same, a.name, a.bits, a.caller from k, api_access_key(k.access_key_id) a order by 1;
select count(*) from api_access_key('PAWLNONE');
\echo -- listed without the secret
select user_name, note, expires - created as life from access_keys order by user_name;
select count(*) from access_keys a, k where to_jsonb(a)::text like '%' || k.secret_access_key || '%';
update access_key set expires = clock() where account = 'anna';
select count(*) from k, api_access_key(k.access_key_id) where who = 'anna';
\echo -- ended
select drop_access_key(access_key_id) from k where who = 'lambda';
select count(*) from k, api_access_key(k.access_key_id) where who = 'lambda';
select kind, subject, detail ? 'id' as id from audit_entry where kind like 'accessKey%' order by kind, subject;
\echo -- refused
select refused(format('select %s', s)) from (values ($$create_access_key('nobody')$$), ($$create_access_key(null)$$),
    ($$create_access_key('anna', '{"life": "soon"}')$$), ($$create_access_key('anna', '{"days": 1}')$$), ($$drop_access_key('x')$$),
    ($$drop_access_key(null)$$)) v(s);
