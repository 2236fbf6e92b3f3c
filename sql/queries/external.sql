-- SPDX-License-Identifier: Apache-2.0
-- What the command line asks of external tasks (store/client_external.c); like client.sql.
-- name: client_external_tasks
select to_json(x)::text
from (select t.* from external_tasks t
      where ($1::text is null or t.topic = $1)
        and ($2::text is null or t.state = $2)
        and ($3::uuid is null or t.instance_id = $3)
      order by t.priority desc, t.created, t.task_id
      limit $4) x
-- name: client_external_between
select to_json(x)::text
from (select t.* from external_tasks t where t.task_id between $1 and $2 order by t.task_id limit 2) x
-- name: client_external_fetch
select to_json(f)::text
from fetch_and_lock(worker_id => $1, topics => $2::jsonb, max_tasks => 1, options => $3::jsonb) f
-- name: client_external_extend
select to_json(e)::text
from (select extend_lock(task_id => $1, worker_id => $2, new_duration => $3::bigint * interval '1 millisecond',
                         fence => $4) as locked_until) e
-- name: client_external_complete
select to_json(c)::text
from (select complete_external_task(task_id => $1, worker_id => $2, fence => $3, variables => $4::jsonb) as command_id) c
-- name: client_external_error
select to_json(c)::text
from (select handle_bpmn_error(task_id => $1, worker_id => $2, fence => $3, error_code => $4, error_message => $5,
                               variables => $6::jsonb) as command_id) c
-- name: client_external_failure
select to_json(c)::text
from (select handle_failure(task_id => $1, worker_id => $2, fence => $3, error_message => $4, error_details => $5, retries => $6,
                            retry_timeout => $7::bigint * interval '1 millisecond') as command_id) c
-- name: client_external_unlock
select json_build_object('task_id', $1)::text from (select unlock_external_task(task_id => $1)) u
