# SPDX-License-Identifier: Apache-2.0
# The life of `pawl up` and its private PostgreSQL.
engine_up -- --data data || return
expect_text "the ready line" "$(cat up.out)" '^ready: schema pawl, database private PostgreSQL [0-9]+ under .*/data, 2 workers$'
expect_equal "lines on stdout" 1 "$(wc -l <up.out)"
node=$(cat data/node)
expect_code 0 ps --data data
expect_equal "permissions of the server's folder" 700 "$(stat -c %a data/postgres)"
expect_equal "permissions of the socket's folder" 700 "$(stat -c %a data/postgres/socket)"
server=$(server_pid data)
expect_equal "TCP listeners" '' "$(psql -X -A -t -d "$(cat data/conninfo)" -c 'show listen_addresses')"
if [ "$(ps -o sid= -p "$server" | tr -d ' ')" != "$(ps -o sid= -p "$ENGINE" | tr -d ' ')" ]; then ok; else
    bad "the server is in the engine's session"
fi

# A second one on the same folder is refused, and the first goes on.
expect_code 1 up --data data
expect_text "two on one folder" "$ERR" "another .pawl up. \\(process $ENGINE\\) uses the data directory"
expect_code 0 ps --data data

# kill -9: the server lives, and the next one finds it.
engine_end KILL
if alive "$server"; then ok; else bad "the server died with the engine"; fi
expect_code 0 ps --data data
engine_up -- --data data
expect_text "the next one" "$(cat up.out)" 'found running'
expect_equal "the server" "$server" "$(server_pid data)"
expect_equal "the installation" "$node" "$(cat data/node)"

# SIGTERM: drains, stops the server, exits 0.
engine_end TERM
expect_equal "exit code after SIGTERM" 0 "$CODE"
if alive "$server"; then bad "the server outlives SIGTERM"; else ok; fi
expect_code 3 ps --data data
expect_text "after SIGTERM" "$ERR" 'is not running'

# SIGINT does the same; SIGHUP does not end it; and two at once end at once.
engine_up -- --data data
engine_end INT
expect_equal "exit code after SIGINT" 0 "$CODE"
engine_up -- --data data
kill -HUP "$ENGINE"
if until_so grep -q 'msg="reloaded"' up.err; then ok; else bad "no reload" "$(cat up.err)"; fi
if alive "$ENGINE"; then ok; else bad "SIGHUP ends it"; fi
engine_end TERM

# A second signal does not wait for the answer under way; the server goes, too, and the next start waits for that.
/usr/bin/python3 -c 'import socket, sys, time
s = socket.create_server(("127.0.0.1", 0)); print(s.getsockname()[1], flush=True); time.sleep(600)' >silent &
silent=$!
until_so test -s silent
engine_up -- --data data
expect_code 0 endpoint set service "http://127.0.0.1:$(cat silent)" --allow loopback --timeout PT10M --data data
expect_code 0 deploy "$ROOT/tests/endpoint/ask.bpmn" --data data
expect_code 0 start ask -k s --data data
is_sent() { "$PAWL" why s --data data | grep -q 'sent .* ago'; }
if until_so is_sent; then ok; else bad "the request is not sent" "$("$PAWL" why s --data data 2>&1)"; fi
kill -TERM "$ENGINE"
until_so grep -q 'msg="stopping"' up.err
sleep 0.5
if alive "$ENGINE"; then ok; else bad "the engine does not wait for the answer"; fi
engine_end TERM
expect_equal "exit code after two signals" 1 "$CODE"
expect_text "two signals" "$(cat up.err)" 'not waiting for what is under way'

# One signal waits for as long as --drain says, and no longer; the request is repeated all the same.
engine_up -- --data data --drain 0.5
if until_so is_sent; then ok; else bad "the request is not repeated" "$("$PAWL" why s --data data 2>&1)"; fi
kill -TERM "$ENGINE"
if until_so eval '! alive "$ENGINE"'; then ok; else bad "it waits for longer than its drain"; fi
wait "$ENGINE"
expect_equal "exit code after its drain" 0 $?
expect_text "it says how long" "$(cat up.err)" 'msg="stopping" signal=TERM drain_s=0.5'
engine_up -- --data data
if until_so is_sent; then ok; else bad "the request is not repeated" "$("$PAWL" why s --data data 2>&1)"; fi
expect_code 0 cancel s --data data
kill "$silent"
engine_end TERM

# A server that was killed with its engine, a stale pid file with the number of somebody else's process.
engine_up -- --data data
server=$(server_pid data)
kill -9 "$server"
engine_end KILL
sed -i "1s/.*/$$/" data/postgres/data/postmaster.pid
engine_up -- --data data
expect_text "a stale pid file" "$(cat up.err)" 'had not been stopped'
engine_end TERM

# A start that was killed in the middle of making the cluster leaves nothing that is taken for one.
mkdir -p half/postgres/data.new/base
[ "$(id -u)" != 0 ] || chown -R postgres half/postgres
engine_up -- --data half
engine_end TERM
expect_equal "leftovers" '' "$(ls -d half/postgres/data.new 2>/dev/null)"

# A long path, where no socket could lie.
long=$DIR/$(printf 'x%.0s' $(seq 60))/$(printf 'y%.0s' $(seq 60))
mkdir -p "$long"
engine_up -- --data "$long/data"
expect_code 0 ps --data "$long/data"
engine_end TERM
expect_equal "the short folder" '' "$(ls -d "$(sed "s/^host='\([^']*\)'.*/\1/" "$long/data/conninfo")" 2>/dev/null)"

# With --database: no server of its own; the schema is as given; two installations on one database.
engine_up -- --data data
given=$(cat data/conninfo)
first=$ENGINE
engine_up -- --data second --database "$given" --schema other
expect_text "the ready line" "$(cat up.out)" '^ready: schema other, database given'
expect_equal "a server of its own" '' "$(ls -d second/postgres 2>/dev/null)"
expect_code 0 ps --database "$given" --schema other
expect_code 0 migrate --database "$given" --schema other
expect_text "migrate again" "$OUT" 'schema other is at version'
expect_code 1 ps --database "$given" --schema none
expect_text "no such schema" "$ERR" 'pawl migrate'
expect_code 0 migrate --database "$given" --schema third -o json
expect_text "migrate as JSON" "$OUT" '^\{"schema":"third","from":0,"to":[0-9]+\}$'
PAWL_SCHEMA=third expect_code 0 ps --database "$given"
engine_end TERM
expect_equal "exit code of the second" 0 "$CODE"
if alive "$(server_pid data)"; then ok; else bad "it stopped a server that is not its own"; fi
psql -X -q -d "$given" -c "create database latin encoding 'LATIN1' lc_collate 'C' lc_ctype 'C' template template0"
expect_code 1 migrate --database "$given dbname=latin"
expect_text "a database that is not UTF-8" "$ERR" 'UTF8'
ENGINE=$first
engine_end TERM

# As root, a folder that the server's user cannot enter; then as an ordinary user.
if [ "$(id -u)" = 0 ]; then
    mkdir -m 700 closed
    engine_up -- --data closed/data
    expect_text "the cluster's place" "$(cat closed/data/home)" '^/var/lib/pawl/'
    expect_code 0 ps --data closed/data
    engine_end KILL
    engine_up -- --data closed/data
    expect_text "the next one" "$(cat up.out)" 'found running'
    engine_end TERM
    rm -rf "$(cat closed/data/home)"
    cp "$PAWL" ./pawl
    chmod 755 pawl
    install -d -o nobody -m 755 free
    PAWL=$DIR/pawl engine_up runuser -u nobody -- -- --data "$DIR/free/data" || return
    expect_equal "the server's owner" nobody "$(stat -c %U free/data/postgres/data)"
    runuser -u nobody -- "$DIR/pawl" ps --data "$DIR/free/data" >/dev/null 2>&1
    expect_equal "exit code of ps as nobody" 0 $?
    expect_code 0 ps --data free/data
    kill -TERM "$(cat free/data/lock)"
    wait "$ENGINE"
    expect_equal "exit code as nobody" 0 $?
    ENGINE=
    chmod 700 free/data
    runuser -u nobody -- "$DIR/pawl" up --data "$DIR/data" >/dev/null 2>"$DIR/.err"
    expect_equal "exit code with somebody else's folder" 1 $?
    expect_text "somebody else's folder" "$(cat .err)" 'cannot (write into|use)'
fi

# A schema of a build whose tables were others is refused by name, before any SQL of ours meets it.
engine_up -- --data data
given=$(cat data/conninfo)
psql -X -q -d "$given" -c "update pawl.migration set digest = 'other' where version = 1"
for words in 'ps' 'migrate' 'up'; do
    expect_code 1 $words --database "$given" --data third
    expect_text "$words on a schema of another build" "$ERR" 'unreleased build whose tables were others .*drop this one'
done
psql -X -q -d "$given" -c "alter table pawl.migration drop column digest"
expect_code 1 ps --data data
expect_text "an early table of migrations" "$ERR" 'unreleased build'
engine_end TERM
