# SPDX-License-Identifier: Apache-2.0
# Two who answer one task meet in their own transactions; the loser is told before he commits anything.
task="pawl.id(11)"
session anna
session ben

# The winner commits: the loser waits, then gets PW002, though his transaction began first.
ask ben "begin; create table bens_work (n int);" >/dev/null
expect "anna completes" "$(ask anna "begin; select command_id = $task from pawl.complete($task);")" "t"
tell ben "select * from pawl.complete($task, '{\"by\": \"ben\"}');"
blocked ben
ask anna "commit;" >/dev/null
expect "ben is refused before his commit" "$(answer ben)" \
    "ERROR PW002: the task 00000000-0000-7000-8000-000000000011 is already answered, by pawl"
expect "his transaction is lost" "$(ask ben "commit; select to_regclass('bens_work') is null;")" "t"
expect "one command" "$(ask anna "select count(*), min(body) from pawl.inbox;")" "1|{}"

# The first one rolls back: the second, who waited, wins.
task="pawl.id(12)"
expect "ben completes" "$(ask ben "begin; select command_id = $task from pawl.complete($task);")" "t"
tell anna "begin; select command_id = $task from pawl.fail($task, 'NO');"
blocked anna
ask ben "rollback;" >/dev/null
expect "anna goes on" "$(answer anna)" "t"
ask anna "commit;" >/dev/null
expect "hers counts" "$(ask ben "select kind, name from pawl.inbox where subject = $task;")" "6|NO"

# The engine has carried out the winner's answer, and the row is gone, before the loser looks again.
ask anna "insert into pawl.task select pawl.id(13), instance_id, root_id, token, node, definition_id, tenant, name, null,
          null, null, 50, null, null, null, created from pawl.task where id = pawl.id(11);" >/dev/null
ask anna "begin; select * from pawl.complete(pawl.id(13)); delete from pawl.task where id = pawl.id(13);" >/dev/null
tell ben "select * from pawl.complete(pawl.id(13));"
blocked ben
ask anna "commit;" >/dev/null
expect "still PW002" "$(answer ben)" \
    "ERROR PW002: the task 00000000-0000-7000-8000-000000000013 is already answered"

# Claims: the second waits and is refused.
ask anna "insert into pawl.task select pawl.id(14), instance_id, root_id, token, node, definition_id, tenant, name, null,
          null, null, 50, null, null, null, created from pawl.task where id = pawl.id(11);" >/dev/null
ask anna "begin; select * from pawl.claim(pawl.id(14), 'anna');" >/dev/null
tell ben "select * from pawl.claim(pawl.id(14), 'ben');"
blocked ben
ask anna "commit;" >/dev/null
expect "ben cannot claim" "$(answer ben)" \
    "ERROR PW002: the task 00000000-0000-7000-8000-000000000014 belongs to anna"

# Under REPEATABLE READ the loser gets PostgreSQL's own refusal.
ask ben "begin isolation level repeatable read; select count(*) from pawl.tasks;" >/dev/null
ask anna "select * from pawl.complete(pawl.id(14));" >/dev/null
expect "serialization failure" "$(ask ben "select * from pawl.complete(pawl.id(14)); rollback;")" \
    "ERROR 40001: could not serialize access due to concurrent update"

# What a worker does to a task that is being answered: it steps over it and waits for nobody.
ask anna "insert into pawl.task select pawl.id(15), instance_id, root_id, token, node, definition_id, tenant, name, null,
          null, null, 50, null, null, null, created from pawl.task where id = pawl.id(11);" >/dev/null
ask anna "begin; select * from pawl.complete(pawl.id(15));" >/dev/null
expect "skipped" "$(ask ben "select count(*) from (select from pawl.task where id = pawl.id(15) and answered_by is null
                             for update skip locked) x;")" "0"
ask anna "commit;" >/dev/null
