-- SPDX-License-Identifier: Apache-2.0
-- Time zones: PostgreSQL's rules, as a table of offsets.

-- name: zone_rules
-- When the offset changes from 1970 to 2100: looked at once a week, then halved down to the second.
-- A name that is not known gives no row.
with recursive zone as materialized (
    select n.name from pg_timezone_names n where n.name = any($1)
), look as (
    select z.name, t, lag(t) over w as before,
           extract(epoch from (to_timestamp(t) at time zone z.name) - (to_timestamp(t) at time zone 'UTC'))::bigint as off
    from zone z, generate_series(0, 4102444800, 604800) t
    window w as (partition by z.name order by t)
), change (name, low, high, was) as (
    select l.name, l.before, l.t, l.was
    from (select name, before, t, off, lag(off) over (partition by name order by t) as was from look) l
    where l.off <> l.was
    union all
    select c.name, case when m.off = c.was then m.t else c.low end, case when m.off = c.was then c.high else m.t end, c.was
    from change c
    cross join lateral (
        select h.t, extract(epoch from (to_timestamp(h.t) at time zone c.name)
                                       - (to_timestamp(h.t) at time zone 'UTC'))::bigint as off
        from (select (c.low + c.high) / 2 as t) h) m
    where c.high - c.low > 1
)
select name, t::bigint, off::integer from look where t = 0
union all
select c.name, c.high, extract(epoch from (to_timestamp(c.high) at time zone c.name)
                                          - (to_timestamp(c.high) at time zone 'UTC'))::integer
from change c where c.high - c.low = 1
order by 1, 2
