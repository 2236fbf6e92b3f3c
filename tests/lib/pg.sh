# SPDX-License-Identifier: Apache-2.0
# A private PostgreSQL server for a test: no port, a socket in a folder of its own, a database "pawl"
# that a plain login role "pawl" owns (no superuser, no CREATEROLE). Sourced by tests/*/run.sh.
#
#   . tests/lib/pg.sh
#   pg_start                    sets PG_DIR, PG_BIN, PG_CONNINFO (role pawl), PG_ADMIN (the superuser)
#   psql_pawl -c "…"            as role pawl; psql_admin as the superuser
#   pg_stop                     stops it and removes its folder; call it from a trap on EXIT
#
# PostgreSQL refuses to run as root: as root, it runs as the user postgres of Debian's package.

. "$(dirname "${BASH_SOURCE[0]}")/wait.sh"

pg_bin() {
    local dir
    for dir in $(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n -r); do
        [ -x "$dir/initdb" ] && [ -x "$dir/postgres" ] && printf '%s' "$dir" && return 0
    done
    echo "No PostgreSQL server found in /usr/lib/postgresql; install the package postgresql." >&2
    return 1
}

# Runs a command of the server as the user that may.
pg_as_owner() {
    if [ "$(id -u)" = 0 ]; then
        (cd / && runuser -u postgres -- "$@")
    else
        "$@"
    fi
}

pg_start() {
    PG_BIN=$(pg_bin) || return 1
    PG_DIR=$(mktemp -d "${TMPDIR:-/tmp}/pawl-pg.XXXXXX") || return 1
    [ "$(id -u)" = 0 ] && chown postgres "$PG_DIR"
    pg_as_owner "$PG_BIN/initdb" -D "$PG_DIR/data" -U postgres -A trust -E UTF8 --locale=C.UTF-8 \
        --no-sync >"/dev/null" || return 1
    pg_as_owner tee -a "$PG_DIR/data/postgresql.conf" >/dev/null <<SETTINGS
listen_addresses = ''
unix_socket_directories = '$PG_DIR'
max_connections = 60
shared_buffers = 64MB
# A test kills the engine, never the server: nothing is gained by waiting for the disk.
fsync = off
log_min_messages = warning
log_line_prefix = '%m [%p] %a '
${PG_SETTINGS:-}
SETTINGS
    pg_as_owner "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -l "$PG_DIR/log" -w -s start || {
        cat "$PG_DIR/log" >&2
        return 1
    }
    PG_ADMIN="host=$PG_DIR dbname=postgres user=postgres"
    PG_CONNINFO="host=$PG_DIR dbname=pawl user=pawl"
    psql_admin -c 'create role pawl login' -c 'create database pawl owner pawl' || return 1
}

pg_stop() {
    [ -n "${PG_DIR:-}" ] || return 0
    pg_as_owner "$PG_BIN/pg_ctl" -D "$PG_DIR/data" -m immediate -s stop 2>/dev/null
    rm -rf "$PG_DIR"
    PG_DIR=
}

# -X: no psqlrc of the user; -A -t: bare rows. Not the `psql` of Debian: that is a program in Perl before it is psql.
psql_pawl() {
    "$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$PG_CONNINFO" "$@"
}

psql_admin() {
    "$PG_BIN/psql" -X -q -A -t -v ON_ERROR_STOP=1 -d "$PG_ADMIN" "$@"
}
