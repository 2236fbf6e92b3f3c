# SPDX-License-Identifier: Apache-2.0
# What the command line asks by key costs the same however much there is: no plan reads all of a large table.
session asker
ask asker "
    set jit = off;
    insert into pawl.instance (id, root_id, definition_id, business_key, started, doc)
    select pawl.id(g), pawl.id(g), 2, 'K-' || g, pawl.clock(), '' from generate_series(1001, 21000) g;
    insert into pawl.event (at, n, instance_id, definition_id, ends, business_key, entries)
    select pawl.clock(), 0, pawl.id(g), 2, false, 'K-' || g, E'1\t0\t-1\n3\t1\t1\t0' from generate_series(1001, 21000) g;
    insert into pawl.task (id, instance_id, root_id, token, node, definition_id, name, priority, created)
    select pawl.id(100000 + g), pawl.id(g), pawl.id(g), 1, 1, 2, 'Approve', 50, pawl.clock() from generate_series(1001, 21000) g;
    insert into pawl.external_task (id, instance_id, root_id, token, node, definition_id, topic, priority, created)
    select pawl.id(200000 + g), pawl.id(g), pawl.id(g), 2, 4, 2, 'charge', 0, pawl.clock() from generate_series(1001, 21000) g;
    insert into pawl.subscription
    select pawl.id(g), 3, 3, pawl.id(g), '', 'paid', 'K-' || g, pawl.clock() from generate_series(1001, 21000) g;
    insert into pawl.incident (id, instance_id, root_id, reason, message, at, kind, token, node, phase, tries, definition_id)
    select pawl.id(300000 + g), pawl.id(g), pawl.id(g), 'failedJob', 'no', pawl.clock(), 2, 4, 4, 0, 3, 2
    from generate_series(1001, 21000) g;
    insert into pawl.outcome select pawl.id(g), 'done', null, pawl.clock() from generate_series(1001, 21000) g;
    analyze; set search_path = pawl;" >/dev/null

# NAME ARGUMENTS of a query of sql/queries
by_key() {
    local text
    text=$(awk -v name="-- name: $1" '$0 == name { on = 1; next } /^-- name:/ { on = 0 } on && !/^--/' \
        ../../sql/queries/{client,control,external}.sql)
    [ -n "$text" ] || expect "$1" "no such query" ""
    expect "$1 reads all of" "$(ask asker "prepare $1 as $text; explain execute $1($2); deallocate $1;" |
        grep -oE 'ERROR.*|Seq Scan on (instance|event_always|task|external_task|subscription|incident|outcome)\b' | sort -u)" ""
}

one="'00000000-0000-7000-8000-000000005000'"
few="'00000000-0000-7000-8000-000000105000', '00000000-0000-7000-8000-000000105000'"
by_key client_instances_between "$one, $one, 2"
by_key client_instances_by_key "'K-5000', 20"
by_key client_tokens "$one"
by_key client_events "$one, '2026-01-01'"
by_key client_elements "$one"
by_key client_variables "$one"
by_key client_calls "$one"
by_key client_jobs "$one"
by_key client_tasks "null, null, null, $one, 20, null"
by_key client_tasks_between "$few, 2"
by_key client_tasks_by_key "'K-5000', 20"
by_key client_incidents "null, $one, null, null, null, null, null, 20"
by_key client_incidents "null, null, null, null, 'K-5000', null, null, 20"
by_key client_external_tasks "null, null, $one, 20"
by_key client_external_between "$few"

# A worker's claims walk an index and stop: a bitmap would read, lock and sort all that waits. Whatever the statistics say.
session worker
ask worker "set search_path = pawl; $(grep -oE 'set (plan_cache_mode|enable_[a-z]+) = [a-z_]+;' ../../store/conn.c | tr '\n' ' ')" >/dev/null
walks() {
    local text
    text=$(awk -v name="-- name: $1" '$0 == name { on = 1; next } /^-- name:/ { on = 0 } on && !/^--/' ../../sql/queries/batch.sql)
    [ -n "$text" ] || expect "$1" "no such query" ""
    expect "$1 $4" "$(ask worker "prepare $1 ($2) as $text; explain execute $1($3); deallocate $1;" |
        grep -oE 'ERROR.*|Bitmap|Sort|Seq Scan on (inbox|ready|timer)|Index[A-Za-z ]* Scan using (inbox|ready|timer)_pkey' | sort -u | paste -sd,)" \
        "Index Scan using ${5}_pkey"
}
claims() {
    walks claim_inbox "integer[], xid8[], bigint[], integer[], integer" "'{0,1,2}', '{3,3,3}', '{0,0,0}', '{100,100,100}', 7" "$1" inbox
    walks claim_ready "integer[], bigint[], integer[], integer" "'{0,1,2}', '{0,0,0}', '{100,100,100}', 7" "$1" ready
    walks inbox_snapshot "integer[], xid8[], bigint[], xid8[]" "'{0,1,2}', '{3,3,3}', '{0,0,0}', '{3,4}'" "$1" inbox
    walks claim_timers "timestamptz, integer" "'2026-01-01', 100" "$1" timer
}
ask asker "delete from inbox; delete from ready; delete from timer; vacuum analyze inbox, ready, timer;" >/dev/null
claims "with nothing there"
for rows in 30 1000 12000; do
    ask asker "
        insert into inbox (lane, kind, instance_id, definition_id, actor, tenant, at, body) select 2, 1, id(g), 2, 'x', '', clock(), repeat('x', 100) from generate_series(1, $rows) g;
        insert into ready (lane, instance_id, kind, token, node, phase, tries) select 2, id(g), 2, 1, 1, 0, 0 from generate_series(1, $rows) g;
        insert into timer (due, instance_id, token, node, kind, phase, tries, retry) select clock(), id(g), 1, 1, 1, 0, 0, false from generate_series(1, $rows) g;" >/dev/null
    claims "with $rows rows that nobody has counted"
    ask asker "vacuum inbox, ready, timer;" >/dev/null
    claims "with $rows rows that were counted only"
done
ask asker "analyze inbox, ready, timer;" >/dev/null
claims "with thousands of rows"
ask asker "
    delete from inbox where instance_id not in (select id(g * 1200) from generate_series(1, 10) g);
    delete from ready where instance_id not in (select id(g * 1200) from generate_series(1, 10) g);
    delete from timer where instance_id not in (select id(g * 1200) from generate_series(1, 10) g);" >/dev/null
ask asker "vacuum analyze inbox, ready, timer;" >/dev/null
claims "with the ten rows that a burst left"
