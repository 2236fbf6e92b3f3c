#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What others do on this machine, with the same processes and a PostgreSQL with the same settings: Camunda 7
# and Flowable, embedded, from Maven's packages. Skipped with one line where there is no JDK or no Maven.
#
#   bench/peers/run.sh [--raw] [NAME…]      camunda, flowable (both)
#
# --raw: lines "NAME FIGURE VALUE" for the tables of the other benchmarks.
# PEERS_INSTANCES=1000 for a quick look (3000). PEERS_TUNED=1: their executors' settings raised.
# PEERS_TIMES=1: timers and retries as well, some minutes.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/lib/pg.sh

raw=false
[ "${1:-}" = --raw ] && raw=true && shift
names=("$@")
[ ${#names[@]} -gt 0 ] || names=(camunda flowable)
INSTANCES=${PEERS_INSTANCES:-3000}

skip() {
    echo "peers: skipped, $1" >&2
    exit 0
}
command -v javac >/dev/null || skip "there is no JDK (javac); Debian: openjdk-17-jdk-headless"
command -v mvn >/dev/null || skip "there is no Maven (mvn); Debian: maven"

WORK=$(mktemp -d)
java=
finish() {
    [ -z "$java" ] || kill -TERM "$java" 2>/dev/null || true
    pg_stop
    rm -rf "$WORK"
}
trap finish EXIT

# JDBC knows no Unix sockets: a port of its own on loopback, one that nobody has now.
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
PG_SETTINGS="listen_addresses = '127.0.0.1'
port = $port
fsync = on
synchronous_commit = on
shared_buffers = 1GB
max_wal_size = 16GB
checkpoint_timeout = 30min
autovacuum_naptime = 5s"
export PGPORT=$port
pg_start

for name in "${names[@]}"; do
    case $name in
    camunda) class=Camunda ;;
    flowable) class=Flowable ;;
    *) echo "peers: there is no $name; there are camunda and flowable" >&2 && exit 2 ;;
    esac
    build=$PWD/build/peers-$name
    if ! mvn -q -B -f bench/peers/pom.xml -P "$name" -Dpeers.build="$build" compile \
        dependency:build-classpath -Dmdep.outputFile="$build/classpath" >"$WORK/maven.log" 2>&1; then
        echo "peers: $name is skipped, it could not be built: $(grep -m 1 ERROR "$WORK/maven.log" | cut -c1-200)" >&2
        continue
    fi
    psql_admin -c "create database peer_$name owner pawl"
    options=()
    [ "${PEERS_TUNED:-0}" = 0 ] || options+=(-Dtuned=true)
    arguments=("jdbc:postgresql://127.0.0.1:$port/peer_$name" "$INSTANCES")
    [ "${PEERS_TIMES:-0}" = 0 ] || arguments+=(times)
    java ${options[@]+"${options[@]}"} -cp "$build/classes:$(cat "$build/classpath")" "$class" "${arguments[@]}" \
        >"$WORK/$name" 2>"$WORK/$name.log" &
    java=$!
    wait "$java" || {
        echo "peers: $name failed: $(tail -3 "$WORK/$name.log" | cut -c1-300)" >&2
        java=
        continue
    }
    java=
    if $raw; then
        sed "s/^/$name /" "$WORK/$name"
    else
        printf '\n%s\n' "$name"
        awk '{ printf "  %-28s %12s\n", $1, $2 }' "$WORK/$name"
    fi
done
