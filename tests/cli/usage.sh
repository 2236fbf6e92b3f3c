# SPDX-License-Identifier: Apache-2.0
# Help, wrong usage, and a database that is not there: no database is needed for any of it.
subcommands=("up" "migrate" "lint" "find" "deploy" "definitions" "start" "message" "ps" "trace" "why" "tasks"
    "task complete" "task claim" "task release" "task fail" "incidents" "retry" "cancel" "bulk list" "bulk stop" "suspend" "resume"
    "skip" "move" "complete" "withdraw"
    "endpoint list" "endpoint set" "endpoint drop" "endpoint show" "endpoint open"
    "endpoint close" "endpoint reset" "external list" "external show" "audit" "hold" "held" "release" "version" "help")

for name in "${subcommands[@]}"; do
    # shellcheck disable=SC2086 # two words
    expect_code 0 $name --help
    expect_text "$name --help" "$OUT" "pawl $name"
    expect_text "$name --help" "$OUT" '^Examples'
    expect_equal "stderr of $name --help" '' "$ERR"
    help=$OUT
    # shellcheck disable=SC2086
    expect_code 0 help $name
    expect_equal "help $name is $name --help" "$help" "$OUT"
    # shellcheck disable=SC2086
    expect_code 2 $name --no-such-option
    expect_equal "stdout of wrong usage" '' "$OUT"
    expect_text "$name --no-such-option" "$ERR" 'there is no option --no-such-option'
    expect_text "$name --no-such-option" "$ERR" '  -> '
done

expect_code 2
expect_equal "stdout of pawl alone" '' "$OUT"
expect_text "pawl alone" "$ERR" 'pawl SUBCOMMAND'
expect_code 2 help endpoint bogus
expect_text "help of what is not there" "$ERR" 'pawl help endpoint'
expect_code 2
expect_text "chapters of the help" "$ERR" '^Instances$'
expect_code 0 --help
expect_code 0 --version
expect_text "version" "$OUT" '^pawl [0-9]+\.[0-9]+\.[0-9]+$'
expect_code 0 version -o json
expect_text "version -o json" "$OUT" '^\{"version":"'
expect_code 2 task
expect_text "pawl task" "$ERR" 'task complete'
expect_code 0 task --help
expect_text "pawl task --help" "$OUT" 'task claim'
expect_code 2 task finish
expect_code 2 taks
expect_text "a slip" "$ERR" 'did you mean .pawl tasks'
expect_code 2 ps --limt 3
expect_text "a slip" "$ERR" 'did you mean --limit'
expect_code 2 help nothing

# Arguments
expect_code 2 lint
expect_code 2 start
expect_code 2 start a b
expect_text "one too many" "$ERR" '"b" is one argument too many'
expect_code 2 task fail only-an-id
expect_code 2 endpoint set
expect_code 2 endpoint set name --default ''
expect_code 2 retry
expect_code 2 retry some --all
expect_code 2 retry some --dry-run
expect_code 2 skip a
expect_code 2 move a b
expect_code 2 complete a b --response 7 --database host=/nowhere
expect_code 2 incidents some --groups
expect_code 2 ps surplus

# Values
expect_code 2 ps --limit
expect_text "a missing value" "$ERR" 'needs a value'
expect_code 2 ps --limit many
expect_code 2 ps --limit 0
expect_code 2 ps --limit=-1
expect_code 2 ps --all=yes
expect_code 2 ps --state asleep
expect_code 2 ps -o xml
expect_code 2 deploy x --timeout soon
expect_code 2 up --workers 0
expect_code 2 start p --version none
expect_code 2 start p -v novalue --database host=/nowhere
expect_code 2 start p --variables '[1]' --database host=/nowhere
expect_text "not an object" "$ERR" 'must be a JSON object'
expect_code 2 start p --variables '{"a":' --database host=/nowhere
expect_text "not JSON" "$ERR" 'is not JSON'
expect_code 2 start p --many f -v a=1
expect_code 2 message m --correlate
expect_code 2 message m --correlate --key k --ttl PT1H
expect_code 2 retry some --unknown guess
expect_code 2 up --dev --listen 0.0.0.0:8080
expect_text "--listen" "$ERR" 'on loopback only'
expect_code 2 up --listen 127.0.0.1:0 --tls-cert cert.pem
expect_text "--tls-cert" "$ERR" 'tls-cert and tls-key belong together'

# No database: which one? Or one that does not answer.
for name in "ps" "tasks" "incidents" "definitions" "endpoint list" "migrate" "trace x" "why x" "cancel x" \
    "retry x" "bulk list" "bulk stop x" "start x" "message x" "task complete x" "task claim x" "endpoint drop x"; do
    # shellcheck disable=SC2086
    expect_code 3 $name
    expect_text "$name without a database" "$ERR" 'pawl up'
    # shellcheck disable=SC2086
    expect_code 3 $name --database "host=$DIR/nowhere"
    expect_text "$name with a wrong database" "$ERR" 'cannot connect'
    expect_equal "stdout of $name without a database" '' "$OUT"
done
export PAWL_DATABASE="host=$DIR/nowhere"
expect_code 3 ps
expect_text "PAWL_DATABASE" "$ERR" 'PAWL_DATABASE'
expect_code 3 up --data "$DIR/data"
unset PAWL_DATABASE
mkdir gone
echo "host='$DIR/gone' port=5432 dbname=pawl user=pawl" >gone/conninfo
expect_code 3 ps --data gone
expect_text "a private database that is down" "$ERR" 'is not running'
expect_text "a private database that is down" "$ERR" 'pawl up --data gone'
rm -r gone

# Output that cannot be written is no success.
if [ -e /dev/full ]; then
    "$PAWL" help >/dev/full 2>"$DIR/.err"
    expect_equal "exit code on a full disk" 1 $?
    expect_text "a full disk" "$(cat "$DIR/.err")" 'cannot write the output'
fi
