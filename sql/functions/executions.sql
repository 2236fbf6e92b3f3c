-- SPDX-License-Identifier: Apache-2.0
-- Instances as executions of lists of steps, under /sedo (sql/queries/http_sedo.sql).

-- The state of an instance in that API's words.
create or replace function api_execution_state(state text) returns text
language sql immutable
as $$
    select case state when 'accepted' then 'ExecutionSubmitted' when 'running' then 'StepStarted'
                      when 'suspended' then 'StepStarted' when 'incident' then 'StepFailed'
                      when 'completed' then 'ExecutionSucceeded' when 'cancelled' then 'ExecutionCancelled'
                      else 'ExecutionFailed' end
$$;
revoke all on function api_execution_state(text) from public;
