-- SPDX-License-Identifier: Apache-2.0
-- One worker's round: fetch fifty and complete them, each with its fence.
with mine as materialized (
    select task_id, fence from pawl.fetch_and_lock('w' || :client_id, '["bench"]', 50)
)
select count(pawl.complete_external_task(task_id, 'w' || :client_id, '{"done": true}', fence)) from mine;
