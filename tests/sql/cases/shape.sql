-- SPDX-License-Identifier: Apache-2.0
-- What must hold of every function and view, also of those to come. Each answer is a list of offenders.
set search_path = pawl;
create view f as select p.*, p.oid::regprocedure::text as signature from pg_proc p
where p.pronamespace = 'pawl'::regnamespace and p.proname not in ('id', 'refused');
\echo -- overloads
select proname from f group by 1 having count(*) > 1;
\echo -- SECURITY DEFINER without a pinned search_path, or with pg_temp before its end
select signature from f where prosecdef and not coalesce('search_path=pawl, pg_temp' = any (proconfig), false);
\echo -- executable by PUBLIC
select signature from f, aclexplode(coalesce(proacl, acldefault('f', proowner))) a where a.grantee = 0;
\echo -- functions of the API that are not SECURITY DEFINER, or have no comment
select signature from f where proname not like 'api\_%' and proname not in ('clock', 'grant_usage', 'set_sql_delegate') and not prosecdef;
select signature from f where proname not like 'api\_%' and obj_description(oid, 'pg_proc') is null;
\echo -- dynamic SQL, EXCEPTION blocks, NOTIFY, FOR SHARE
-- (of those that have one: two only cast a text, two are for workers alone, and delegates are SQL themselves)
select signature from f
where proname not in ('grant_usage', 'api_sql_delegate', 'set_sql_delegate', 'api_json', 'api_event_time', 'api_event_deliver', 'api_alert_incidents')
  and prosrc ~* '(\mexecute\s|\mexception\s+when\M|\m(pg_)?notify\M|\mfor\s+(key\s+)?share\M|\msavepoint\M)';
\echo -- API functions whose last argument is not options
select signature from f where prosecdef and proname not like 'api\_%' and proname not in ('await', 'drop_endpoint')
  and (proargnames)[pronargs] <> 'options';
\echo -- an argument that is not mentioned in the comment
select signature, a from f, unnest(proargnames[1:pronargs]) a
where prosecdef and proname not like 'api\_%' and obj_description(oid, 'pg_proc') not like '%`' || a || '`%' order by 1;
\echo -- SQLSTATEs of our own, and all that are used
select distinct m[1] from f, regexp_matches(prosrc, $$errcode = '([^']+)'$$, 'g') m order by 1;
\echo -- views without a comment
select relname from pg_class where relnamespace = 'pawl'::regnamespace and relkind = 'v' and relname <> 'f'
  and obj_description(oid, 'pg_class') is null;
\echo -- views that somebody may not rely on: a column without a type of its own
select c.relname, a.attname from pg_class c join pg_attribute a on a.attrelid = c.oid
where c.relnamespace = 'pawl'::regnamespace and c.relkind = 'v' and a.atttypid = 'unknown'::regtype and attnum > 0;
\echo -- a hard-coded schema
select signature from f where prosrc ~* '\mpawl\.';
\echo -- the clock is inlined: it costs no call of a function
explain (verbose, costs off) select clock();
