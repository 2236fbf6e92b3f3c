# SPDX-License-Identifier: Apache-2.0
# await() sees what others commit while it waits; the test plays the engine.
session caller
session engine

deployment=$(ask caller "select deployment_id from pawl.deploy('<a/>');")
tell caller "select * from pawl.await('$deployment', '20 s');"
sleep 0.1
ask engine "begin; delete from pawl.inbox where command_id = '$deployment';
    insert into pawl.outcome values ('$deployment', 'refused', '[{\"line\": 1}]', pawl.clock()); commit;" >/dev/null
expect "the findings" "$(answer caller)" 'refused|[{"line": 1}]'

instance=$(ask caller "select instance_id from pawl.start('order');")
tell caller "select state, detail ->> 'reason' from pawl.await('$instance', '20 s');"
sleep 0.05
ask engine "begin; delete from pawl.inbox; insert into pawl.instance (id, root_id, definition_id, started, doc)
    select '$instance', '$instance', max(id), pawl.clock(), '' from pawl.definition;
    insert into pawl.outcome values ('$instance', 'done', null, pawl.clock()); commit;" >/dev/null
sleep 0.1
ask engine "begin; delete from pawl.instance where id = '$instance';
    insert into pawl.event (at, n, instance_id, definition_id, ends, entries)
    select pawl.clock(), 0, '$instance', max(id), true, E'2\t0\t-1' from pawl.definition; commit;" >/dev/null
expect "the end of an instance" "$(answer caller)" 'completed|-'

# A transaction that is open elsewhere: not known, which is said at once.
open=$(ask engine "begin; select deployment_id from pawl.deploy('<b/>');")
expect "not committed" "$(ask caller "select * from pawl.await('$open');")" "ERROR PW001: nothing is known under the id $open"
ask engine "rollback;" >/dev/null
