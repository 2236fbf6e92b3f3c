-- SPDX-License-Identifier: Apache-2.0
-- The history, an entry a row. Everybody reads this or the views events and history: how `event` is packed is
-- between the table and store/effects.c.
create or replace view api_event as
select v.at, v.n + l.i::integer - 1 as n, v.instance_id,
       split_part(l.line, E'\t', 1)::smallint as kind,
       split_part(l.line, E'\t', 2)::integer as token,
       split_part(l.line, E'\t', 3)::integer as node,
       v.definition_id,
       v.at - nullif(split_part(l.line, E'\t', 4), '')::bigint * interval '1 microsecond' as started,
       v.business_key, -- of each entry of the row
       coalesce(nullif(split_part(l.line, E'\t', 5), ''),
                case split_part(l.line, E'\t', 1) when '2' then '{"state":"completed"}' end) as data,
       v.ends
from (select at, instance_id, n, definition_id, ends, business_key, entries from event
      union all
      select at, instance_id, n, definition_id, ends, business_key, entries from event_kept) v cross join lateral unnest(string_to_array(v.entries, E'\n')) with ordinality as l (line, i);
revoke all on api_event from public;
comment on view api_event is 'The entries of the table event; not for users, who have history and events.';
