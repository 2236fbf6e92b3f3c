-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
\set pattern 'select api_cause_pattern(m, ''pay'') from (values'
\echo -- what differs from one instance to the next goes, the element and a status stay
select api_cause_pattern(m, 'pay') from (values
    ('The call of serviceTask ''pay'' failed: status 503: order 4711 of ''Ada'''),
    ('order 01998e3a-7c2e-7d00-8000-0123456789ab at 2026-01-31T09:30:00.5+01:00 for "Ben"'),
    ('could not connect to 10.0.0.1:5432, try A4711'),
    ('it isn''t there, and it can''t be'),
    ('status 404'), ('status 500'), (repeat('x ', 1000))) v(m);
\echo -- the same cause in each version, another one for another element, reason or status
select count(distinct api_cause(p, e, r, m)), max(length(api_cause(p, e, r, m))) from (values
    ('order', 'pay', 'failedJob', 'a'), ('order', 'pay', 'failedJob', 'a'), ('order', 'ask', 'failedJob', 'a'),
    ('order', 'pay', 'unknownOutcome', 'a'), ('order', 'pay', 'failedJob', 'b'), ('other', 'pay', 'failedJob', 'a'),
    (null, null, 'failedJob', 'a')) v(p, e, r, m);
\echo -- a request: secrets masked, the body cut between characters
select jsonb_pretty(api_call_request('POST', 'bank', '/charge?access_token=abc&order=7',
    '{"Authorization": "Bearer x", "X-Api-Key": "y", "Accept": "text/plain", "Set-Cookie": "z"}', 'short', 2, '2026-02-01'));
select length(b), octet_length(b), right(b, 1) from (
    select api_call_request('POST', 'bank', '/', '{}', convert_to(repeat('ä', 3000), 'UTF8'), 1, null) ->> 'body' as b
    union all select api_call_request('POST', 'bank', '/', '{}', convert_to('x' || repeat('ä', 3000), 'UTF8'), 1, null) ->> 'body'
    union all select api_call_request('POST', 'bank', '/', '{}', null, 1, null) ->> 'body') x;
\echo -- groups
update incident set cause = api_cause('order', 'charge', reason, message), pattern = message,
    definition_id = (select id from definition where key = 'order' and version = 2);
insert into incident (id, instance_id, root_id, reason, message, at, kind, token, node, phase, tries, definition_id, cause, pattern, endpoint)
select id(26), id(7), id(7), reason, message, '2026-02-02', kind, token, node, phase, tries, definition_id, cause, pattern, 'bank'
from incident where id = id(24);
select cause = api_cause(process, element_id, reason, pattern) as named, process, element_id, reason, pattern, incidents, instances,
       last - first as took, versions, endpoints, needs_decision, right(example::text, 2) as example
from incident_groups order by incidents desc;
