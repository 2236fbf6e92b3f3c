-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
create temp view asked as select kind, right(coalesce(subject, instance_id)::text, 2) as what, detail, body, actor from inbox order by id;
\echo -- what would be done
select process, element_id, reason, left_out, matching from bulk_preview('retry', '{"all": true}');
select process, element_id, reason, left_out, matching from bulk_preview('retry', '{"process": "order"}', '{"decision": "fail"}');
select * from bulk_preview('retry', '{"businessKeyPrefix": "B-"}');
select process, version, left_out, matching from bulk_preview('cancel', '{"businessKeyPrefix": "A-", "since": "2026-02-01T00:03:00Z", "until": "2026-02-01T00:05:00Z"}');
select count(*) from bulk;
\echo -- retry: one slice, each once
select bulk_id is not null, matching from bulk('retry', '{"process": "order"}', '{"pace": 10, "variables": {"a": 1}, "reason": "mended"}');
select handed, wait_us between 1 and 100000 as soon from api_bulk_slice();
select * from asked;
select action, filter, options, pace, state, matching, handed, actor, ended is not null, ended_by from bulks;
delete from inbox;
select handed from api_bulk_slice();
select * from asked;
\echo -- those of unknown outcome
select matching from bulk('retry', '{"all": true}', '{"decision": "repeat", "pace": null}');
select handed from api_bulk_slice();
select * from asked;
select wait_us between 0 and 100000 from api_bulk_slice();
\echo -- an incident that comes later is not meant
truncate inbox, bulk;
select matching from bulk('retry', '{"all": true}');
update incident set at = clock() + interval '1 second' where id = id(24);
select handed from api_bulk_slice();
\echo -- cancel, in slices
truncate inbox, bulk;
select matching from bulk('cancel', '{"process": "order"}', '{"pace": 5}');
select handed, wait_us between 1 and 200000 as soon from api_bulk_slice();
select handed, wait_us between 1 and 200000 as soon from api_bulk_slice();
update bulk set next_at = next_at - interval '10 s';
select handed from api_bulk_slice();
update bulk set next_at = next_at - interval '10 s', pace = null;
select handed from api_bulk_slice();
select * from asked;
select state, matching, handed from bulks;
\echo -- stopped
truncate inbox, bulk;
select matching, bulk_id from bulk('cancel', '{"all": true}') \gset
select bulk_stop(:'bulk_id');
select handed, wait_us from api_bulk_slice();
select state, handed, ended_by from bulks;
select replace(refused(format($$ select bulk_stop(%L) $$, :'bulk_id')), :'bulk_id', 'ID');
\echo -- the pace: what is late is made up for up to a fifth of a second
select n, again - t from (select timestamptz '2026-01-01' as t) x, api_bulk_allowed(50, t, t);
select n, again - t from (select timestamptz '2026-01-01' as t) x, api_bulk_allowed(50, t - interval '100 ms', t);
select n, again - t from (select timestamptz '2026-01-01' as t) x, api_bulk_allowed(50, t - interval '1 day', t);
select n, again - t from (select timestamptz '2026-01-01' as t) x, api_bulk_allowed(0.1, t - interval '1 day', t);
select n, again - t from (select timestamptz '2026-01-01' as t) x, api_bulk_allowed(null, t, t);
\echo -- refused
select refused($$ select bulk('explode', '{"all": true}') $$);
select refused($$ select bulk('retry', '{}') $$);
select refused($$ select bulk('retry', '{"all": false}') $$);
select refused($$ select bulk('retry', null) $$);
select refused($$ select bulk('retry', '[]') $$);
select refused($$ select bulk('retry', '{"proces": "order"}') $$);
select refused($$ select bulk('cancel', '{"cause": "x"}') $$);
select refused($$ select bulk('retry', '{"process": 1}') $$);
select refused($$ select bulk('retry', '{"version": "x"}') $$);
select refused($$ select bulk('retry', '{"since": "yesterday"}') $$);
select refused($$ select bulk('retry', '{"since": "2026-02-31"}') $$);
select refused($$ select bulk('retry', '{"all": true}', '{"pace": 0}') $$);
select refused($$ select bulk('retry', '{"all": true}', '{"pace": "fast"}') $$);
select refused($$ select bulk('retry', '{"all": true}', '{"decision": "maybe"}') $$);
select refused($$ select bulk('retry', '{"all": true}', '{"variables": []}') $$);
select refused($$ select bulk('cancel', '{"all": true}', '{"decision": "fail"}') $$);
select refused($$ select bulk_stop(null) $$);
select refused($$ select bulk_stop(id(99)) $$);
