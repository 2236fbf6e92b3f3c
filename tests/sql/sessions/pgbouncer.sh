# SPDX-License-Identifier: Apache-2.0
# Callers who come through pgbouncer in transaction mode, with a single server connection for each of them.
pgbouncer=$(command -v pgbouncer || ls /usr/sbin/pgbouncer 2>/dev/null)
if [ -z "$pgbouncer" ]; then
    echo "SKIPPED sql/pgbouncer: the program pgbouncer is missing (apt-get install pgbouncer)"
    return 0
fi
pool=$PG_DIR/pgbouncer
pg_as_owner mkdir -p "$pool"
users="starter worker web pawl"
for user in $users; do printf '"%s" ""\n' "$user"; done | pg_as_owner tee "$pool/users" >/dev/null

bouncer_start() { # PORT
    pg_as_owner tee "$pool/ini" >/dev/null <<INI
[databases]
* = host=$PG_DIR port=5432
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $1
unix_socket_dir =
auth_type = trust
auth_file = $pool/users
pool_mode = transaction
default_pool_size = 1
max_client_conn = 50
logfile = $pool/log
pidfile = $pool/pid
INI
    pg_as_owner "$pgbouncer" -q -d "$pool/ini" 2>/dev/null
}
port=
for candidate in $(shuf -i 20000-60000 -n 20); do
    bouncer_start "$candidate" && { port=$candidate; break; }
done
[ -n "$port" ] || { echo "pgbouncer does not start:"; cat "$pool/log"; session_failures=1; return 0; }

trap 'kill "$(cat "$pool/pid")"' EXIT

database=$PGDATABASE
unset PGOPTIONS # pgbouncer knows no such startup parameter
through() { session "$1" -h 127.0.0.1 -p "$port" -U "$2" -d "$database"; }
through s1 starter
through s2 starter
through w web

# One server connection serves two clients in turn: nothing of one is left for the other.
ask s1 "set search_path = pg_temp; create temp table inbox (x int);" >/dev/null
expect "start" "$(ask s2 "select created from pawl.start('order', request_key => 'k');")" "t"
expect "again" "$(ask s1 "select created from pawl.start('order', request_key => 'k');")" "f"
expect "rolled back" "$(ask s1 "begin; select created from pawl.start('order'); rollback;")" "t"
expect "in a transaction" "$(ask s2 "begin; select created from pawl.start('order'); commit;")" "t"
expect "as another role" "$(ask w "begin; set local role worker; select command_id is not null from pawl.complete(pawl.id(11)); commit;")" "t"
expect "and it does not stick" "$(ask w "select current_setting('role');")" "none"
expect "await" "$(ask s1 "select state from pawl.await(pawl.id(0));")" "active"
expect "what arrived" "$(psql -X -q -A -t -h "$PG_DIR" -c "select string_agg(kind || ' ' || actor, ', ' order by xid, id) from pawl.inbox")" \
    "1 starter, 1 starter, 5 worker"

# The extended protocol, several clients on one connection.
echo "select * from pawl.start(process => 'order', variables => '{\"n\": 1}');" >"$session_dir/bench.sql"
"$PG_BIN/pgbench" -n -M extended -c 4 -t 25 -h 127.0.0.1 -p "$port" -U starter -f "$session_dir/bench.sql" "$database" \
    >"$session_dir/bench.log" 2>&1 || { cat "$session_dir/bench.log"; session_failures=1; }
expect "a hundred starts" "$(psql -X -q -A -t -h "$PG_DIR" -c "select count(*), count(distinct coalesce(command_id, instance_id)) from pawl.inbox where body <> '{}'")" "100|100"
