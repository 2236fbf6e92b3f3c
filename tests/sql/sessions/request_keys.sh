# SPDX-License-Identifier: Apache-2.0
# Two callers with one request key: the second waits for the first, and gets its instance, or its own turn.
session one
session two

first=$(ask one "begin; select instance_id, created from pawl.start('order', request_key => 'k');")
tell two "select instance_id, created from pawl.start('order', request_key => 'k');"
blocked two
ask one "commit;" >/dev/null
expect "the same instance" "$(answer two)" "${first%|*}|f"
expect "started once" "$(ask one "select count(*) from pawl.inbox;")" "1"

ask one "begin; select instance_id, created from pawl.start('order', request_key => 'l');" >/dev/null
tell two "select created from pawl.start('order', request_key => 'l');"
blocked two
ask one "rollback;" >/dev/null
expect "the first rolled back" "$(answer two)" "t"

ask one "begin; select created from pawl.start('order', request_key => 'm');" >/dev/null
tell two "select created from pawl.start('order', 'other', request_key => 'm');"
blocked two
ask one "commit;" >/dev/null
expect "another payload" "$(answer two)" "ERROR PW004: the request key \"m\" was already used for another start"

# Different keys, and starts without one, wait for nobody.
ask one "begin; select created from pawl.start('order', request_key => 'n');" >/dev/null
expect "others go on" "$(ask two "select a.created, b.created from pawl.start('order', request_key => 'o') a, pawl.start('order') b;")" "t|t"
ask one "rollback;" >/dev/null
