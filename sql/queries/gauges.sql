-- SPDX-License-Identifier: Apache-2.0
-- For /metrics (store/gauges.c). A row has at most two labels.
-- name: gauges
select m.name, m.type, m.help, l.names[1], l.texts[1], l.names[2], l.texts[2], m.value
from metrics m,
     lateral (select array_agg(e.key order by e.key) as names, array_agg(e.value order by e.key) as texts
              from jsonb_each_text(m.labels) e) l
order by 1, m.labels::text
