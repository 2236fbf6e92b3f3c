-- SPDX-License-Identifier: Apache-2.0
-- External tasks: workers fetch work by topic, hold it under a lease, and answer. Each function locks the row
-- of external_task first; that lock guards the task's rows of external_offer and external_lease. Whoever fetches
-- steps over what others hold, so that any number of workers may ask at once.

-- A length of time: a number of milliseconds, as Camunda's clients send it, or an interval as text.
create or replace function api_lease_time(what text, given jsonb, otherwise interval) returns interval
language plpgsql immutable
as $$
declare
    length interval;
begin
    if coalesce(jsonb_typeof(given), 'null') = 'null' then
        return otherwise;
    elsif jsonb_typeof(given) = 'number' and (given #>> '{}')::numeric between 0 and 31536000000 then
        length := make_interval(secs => (given #>> '{}')::numeric / 1000);
    elsif jsonb_typeof(given) = 'string' then
        length := api_interval(jsonb_build_object(what, given), what, '0');
    end if;
    if length is null or length > interval '365 days' then
        raise exception using errcode = 'PW003', message = format('%s is not a possible length of time', what),
            hint = 'Write milliseconds (60000), or a text such as "1 min" or "PT1M"; at most 365 days.';
    end if;
    return length;
end
$$;
revoke all on function api_lease_time(text, jsonb, interval) from public;

create or replace function api_lease_interval(what text, given interval, least_allowed interval) returns interval
language plpgsql immutable
as $$
begin
    if given is null or given < least_allowed or given > interval '365 days' then
        raise exception using errcode = 'PW003', message = format('%s must be an interval from %s to 365 days', what, least_allowed),
            hint = format('Example: %s => ''1 minute''.', what);
    end if;
    return given;
end
$$;
revoke all on function api_lease_interval(text, interval, interval) from public;

-- What fetch_and_lock() is asked for: a row for each topic. Refuses what it does not know.
create or replace function api_topics(topics jsonb)
returns table (topic text, lock_time interval, names text[], locals boolean, business_key text, definitions integer[],
               with_variables jsonb)
language plpgsql stable rows 2
as $$
declare
    known constant text[] := array['topicName', 'lockDuration', 'variables', 'localVariables', 'businessKey',
        'processDefinitionId', 'processDefinitionIdIn', 'processDefinitionKey', 'processDefinitionKeyIn',
        'processDefinitionVersionTag', 'withoutTenantId', 'tenantIdIn', 'processVariables', 'deserializeValues',
        'includeExtensionProperties'];
    one jsonb;
    stray text;
    limits text[] := api_limits('work');
    everything boolean := limits is null and (api_engine() or api_all_tenants());
begin
    if jsonb_typeof(topics) is distinct from 'array' or jsonb_array_length(topics) = 0 then
        raise exception using errcode = 'PW003', message = 'topics must be a JSON array of topics',
            hint = 'Example: topics => ''["charge", {"topicName": "ship", "lockDuration": 60000}]''.';
    elsif jsonb_array_length(topics) > 100 then
        raise exception using errcode = 'PW006', message = 'more than 100 topics are asked for at once',
            hint = 'Ask for some of them, and then for the others.';
    end if;
    for one in select t from jsonb_array_elements(topics) t loop
        if jsonb_typeof(one) = 'string' then
            one := jsonb_build_object('topicName', one);
        elsif jsonb_typeof(one) = 'object' then
            one := api_present(one); -- Camunda's client in Java sends null for what it does not mean
        end if;
        select k into stray from jsonb_object_keys(case when jsonb_typeof(one) = 'object' then one else '{}' end) k
        where k <> all (known) limit 1;
        if found or jsonb_typeof(one) <> 'object' or jsonb_typeof(one -> 'topicName') is distinct from 'string' then
            raise exception using errcode = 'PW003',
                message = case when stray is not null then format('a topic has the unknown member "%s"', left(stray, 40))
                               else 'a topic must be a text, or an object with a topicName' end,
                hint = format('Known members: %s.', array_to_string(known, ', '));
        end if;
        topic := api_text('topicName', one ->> 'topicName', true);
        lock_time := api_lease_interval('lockDuration', api_lease_time('lockDuration', one -> 'lockDuration', '1 minute'), '1 ms');
        names := case when jsonb_typeof(one -> 'variables') = 'array'
                      then array(select jsonb_array_elements_text(one -> 'variables')) end;
        locals := coalesce(one -> 'localVariables' = 'true', false);
        business_key := one ->> 'businessKey';
        with_variables := case when jsonb_typeof(one -> 'processVariables') = 'object' then one -> 'processVariables' end;
        definitions := null;
        if not everything or one ?| array['processDefinitionId', 'processDefinitionIdIn', 'processDefinitionKey', 'processDefinitionKeyIn',
                        'processDefinitionVersionTag', 'tenantIdIn'] or one -> 'withoutTenantId' = 'true' then
            definitions := array(
                select d.id from definition d
                where (one -> 'processDefinitionId' is null or d.id::text = one ->> 'processDefinitionId')
                  and (one -> 'processDefinitionIdIn' is null or one -> 'processDefinitionIdIn' ? d.id::text)
                  and (one -> 'processDefinitionKey' is null or d.key = one ->> 'processDefinitionKey')
                  and (one -> 'processDefinitionKeyIn' is null or one -> 'processDefinitionKeyIn' ? d.key)
                  and (one -> 'processDefinitionVersionTag' is null or d.version_tag = one ->> 'processDefinitionVersionTag')
                  and (one -> 'tenantIdIn' is null or one -> 'tenantIdIn' ? d.tenant)
                  and (one -> 'withoutTenantId' is distinct from 'true' or d.tenant = '')
                  and (limits is null or api_matches(d.key, limits)));
            continue when definitions = '{}';
        end if;
        return next;
    end loop;
end
$$;
revoke all on function api_topics(jsonb) from public;

-- One look: leases up to `wanted` tasks that are free, the most urgent first, and returns them. `depth`: at how
-- many of each topic it looks; `more`: there may be others behind them.
create or replace function api_external_take(worker_id text, topics jsonb, wanted integer, depth integer,
                                             out taken uuid[], out more boolean)
language plpgsql volatile
as $$
declare
    now_is timestamptz := clock();
    lock_times interval[];
begin
    -- Lock first; what the locked rows say is read by a later statement: others may have had them in between.
    with want as (
        select * from api_topics(topics)
    ), candidate as materialized (
        select c.task_id, w.lock_time from want w cross join lateral (
            (select o.task_id from external_offer o
             where w.business_key is null and o.topic = w.topic
               and (w.definitions is null or o.definition_id = any (w.definitions))
               and (w.with_variables is null or exists (
                       select from external_task t join instance i on i.id = t.instance_id
                       where t.id = o.task_id and i.variables::jsonb @> w.with_variables))
             order by o.priority desc, o.task_id limit depth)
            union all
            (select l.task_id from external_lease l
             where w.business_key is null and l.topic = w.topic and l.until <= now_is
               and (w.definitions is null or l.definition_id = any (w.definitions))
               and (w.with_variables is null or exists (
                       select from external_task t join instance i on i.id = t.instance_id
                       where t.id = l.task_id and i.variables::jsonb @> w.with_variables))
             order by l.until, l.task_id limit depth)
            union all
            (select t.id from instance i join external_task t on t.instance_id = i.id
             where i.business_key = w.business_key and t.topic = w.topic
               and (t.offered or t.locked_until <= now_is)
               and (w.definitions is null or t.definition_id = any (w.definitions))
               and (w.with_variables is null or i.variables::jsonb @> w.with_variables)
             limit depth)
        ) c
    ), locked as (
        select t.id, c.lock_time
        from candidate c join external_task t on t.id = c.task_id
        where t.answered_by is null and (t.offered or t.locked_until <= now_is)
          and not exists (select from instance r where r.id = t.root_id and r.suspended)
        order by t.priority desc, t.id limit wanted for update of t skip locked
    )
    select coalesce(array_agg(k.id), '{}'), array_agg(k.lock_time), (select count(*) >= depth from candidate)
    into taken, lock_times, more from locked k;
    with mine as materialized (
        select t.id, t.topic, t.priority, t.definition_id, t.offered, t.locked_until, now_is + k.lock_time as until
        from unnest(taken, lock_times) as k (id, lock_time) join external_task t on t.id = k.id
    ), marked as (
        update external_task t
        set worker = worker_id, fence = t.fence + 1, offered = false, locked_until = k.until
        from mine k where t.id = k.id
    ), offers as (
        delete from external_offer o using mine k
        where k.offered and o.topic = k.topic and o.priority = k.priority and o.task_id = k.id
    ), leases as (
        delete from external_lease l using mine k
        where not k.offered and l.topic = k.topic and l.until = k.locked_until and l.task_id = k.id
    )
    insert into external_lease (topic, until, task_id, definition_id)
    select k.topic, k.until, k.id, k.definition_id from mine k;
end
$$;
revoke all on function api_external_take(text, jsonb, integer, integer) from public;

-- Looks deeper while others hold what stands in front.
create or replace function api_external_look(worker_id text, topics jsonb, wanted integer) returns uuid[]
language plpgsql volatile
as $$
declare
    taken uuid[] := '{}';
    look record;
    depth integer := wanted;
begin
    loop
        look := api_external_take(worker_id, topics, wanted - cardinality(taken), depth);
        taken := taken || look.taken;
        exit when cardinality(taken) >= wanted or not look.more;
        depth := depth * 8;
    end loop;
    return taken;
end
$$;
revoke all on function api_external_look(text, jsonb, integer) from public;

create or replace function fetch_and_lock(
    worker_id text,
    topics jsonb,
    max_tasks integer default 1,
    options jsonb default '{}')
returns table (
    task_id uuid, topic text, fence bigint, locked_until timestamptz, retries integer, error_message text,
    error_details text, priority bigint, element_id text, element_name text, instance_id uuid, process text,
    version integer, definition_id integer, version_tag text, business_key text, tenant text, created timestamptz,
    variables jsonb)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
-- Its plans go by key, however empty or full the tables were when they were made.
set enable_seqscan = off set enable_bitmapscan = off set enable_hashjoin = off set enable_mergejoin = off set jit = off
as $$
#variable_conflict use_column
declare
    asked timestamptz := clock_timestamp(); -- real time is waited for, whatever the engine's clock says
    patience interval := api_lease_time('wait', fetch_and_lock.options -> 'wait', '0');
    pause double precision := 0.01;
    began timestamptz;
    taken uuid[];
begin
    perform api_actor(fetch_and_lock.options, array['wait', 'usePriority']),
            api_text('worker_id', fetch_and_lock.worker_id, true), (select count(*) from api_topics(fetch_and_lock.topics));
    if fetch_and_lock.max_tasks is null or fetch_and_lock.max_tasks not between 1 and 1000 then
        raise exception using errcode = 'PW003', message = 'max_tasks must be a whole number from 1 to 1000',
            hint = 'Fetch as many as you can do within their lock duration.';
    elsif (select count(*) <> count(distinct w.topic) from api_topics(fetch_and_lock.topics) w) then
        raise exception using errcode = 'PW003', message = 'a topic is asked for twice',
            hint = 'Ask for it once, or in two calls with other conditions.';
    elsif patience > '1 minute' then
        raise exception using errcode = 'PW006', message = format('a wait of %s is over the limit of 1 minute', patience),
            hint = 'A waiting statement keeps VACUUM from cleaning up: wait for less, and again.';
    elsif patience > '0' and current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception using errcode = 'PW003',
            message = format('a %s transaction cannot see what comes while it waits',
                             upper(current_setting('transaction_isolation'))),
            hint = 'Call it outside of a transaction block, or under READ COMMITTED.';
    end if;
    loop
        began := clock_timestamp(); -- real time
        taken := api_external_look(fetch_and_lock.worker_id, fetch_and_lock.topics, fetch_and_lock.max_tasks);
        exit when taken <> '{}';
        -- Looking takes at most a twentieth of the time that is waited.
        pause := least(greatest(pause * 1.5, 20 * extract(epoch from clock_timestamp() - began)), 5); -- real time
        pause := greatest(pause, 0.01);
        exit when clock_timestamp() + make_interval(secs => pause) >= asked + patience; -- real time
        perform pg_sleep(pause);
        pause := least(pause, 0.07);
    end loop;
    return query
        select t.id, t.topic, t.fence, t.locked_until, t.retries, t.error_message, t.error_details, t.priority, e.id, e.name,
               t.instance_id, d.key, d.version, d.id, d.version_tag, i.business_key, nullif(t.tenant, ''), t.created,
               case when w.names is null then s.seen
                    else coalesce((select jsonb_object_agg(x.key, x.value) from jsonb_each(s.seen) x
                                   where x.key = any (w.names)), '{}') end
        from unnest(taken) with ordinality as k (id, n)
        join external_task t on t.id = k.id
        join api_topics(fetch_and_lock.topics) w on w.topic = t.topic
        join instance i on i.id = t.instance_id
        join definition d on d.id = t.definition_id
        left join element e on e.definition_id = t.definition_id and e.node = t.node
        left join external_variables v on v.task_id = t.id
        cross join lateral (select case when w.locals then '{}' else coalesce(i.variables::jsonb, '{}') end
                                   || coalesce(v.variables::jsonb, '{}') as seen) s
        order by t.priority desc, k.n;
end
$$;

revoke all on function fetch_and_lock(text, jsonb, integer, jsonb) from public;
comment on function fetch_and_lock(text, jsonb, integer, jsonb) is
'Gives work to a worker: external tasks of the topics that nobody has, the most urgent first, then the oldest. They are his until their lease ends; a task that he has not answered by then is given to others. Commit at once: what you fetched is yours only then, and a transaction that is left open keeps it from everybody.

- `worker_id`: who you are; each process has a name of its own. It must be named again with the answer.
- `topics`: a JSON array. Each is a text, or an object as in Camunda''s REST API: `topicName`; `lockDuration` in milliseconds, or a text like `"5 min"` (1 minute unless told); `variables`, the names of those that you want (all unless told); `localVariables`: only those of the task itself; and conditions: `businessKey`, `processVariables` (an object of values that must be equal), `processDefinitionKey`, `processDefinitionKeyIn`, `processDefinitionId`, `processDefinitionIdIn`, `processDefinitionVersionTag`, `tenantIdIn`, `withoutTenantId`.
- `max_tasks`: how many at most, up to 1000.
- `options`: `wait`: how long to wait until there is something, in milliseconds or as a text, at most 1 minute; `usePriority` is accepted, the most urgent always come first; `actor`.

Returns a row for each task. `fence` is a number that rises each time the task is fetched: pass it with the answer, and an answer that comes too late changes nothing. `retries` is NULL until a try has failed; `variables` are those of the process, and those of the task over them.';

-- How many tasks of topics are free, as far as somebody wants them: {"charge": 3}. Who waits for work asks this
-- instead of fetching in vain (server/fetch.c).
create or replace function api_external_free(wanted jsonb) returns jsonb
language sql stable
set enable_seqscan = off set enable_bitmapscan = off set jit = off
as $$
    select coalesce(jsonb_object_agg(w.topic, f.n) filter (where f.n > 0), '{}')
    from (select e.key as topic, e.value::bigint as most from jsonb_each_text(wanted) e) w
    cross join lateral (
        select (select count(*) from (select from external_offer o where o.topic = w.topic limit w.most) x)
             + (select count(*) from (select from external_lease l where l.topic = w.topic and l.until <= (select clock())
                                      limit w.most) x) as n) f
$$;
revoke all on function api_external_free(jsonb) from public;

-- ---- Answers ----

-- The row of a task that this worker has, locked; raises if he has it no more.
create or replace function api_external_mine(task_id uuid, worker_id text, fence bigint) returns external_task
language plpgsql volatile
as $$
declare
    mine external_task;
begin
    perform api_given('task_id', task_id), api_text('worker_id', worker_id, true);
    select t.* into mine from external_task t where t.id = api_external_mine.task_id for update;
    if mine.id is null then
        raise exception using errcode = 'PW001',
            message = format('there is no external task %s', task_id),
            hint = 'It may have been answered or interrupted meanwhile, or its instance has ended: drop the work.';
    elsif mine.answered_by is not null then
        raise exception using errcode = 'PW002',
            message = format('the external task %s is already answered, by %s', task_id, mine.answered_by),
            hint = 'Nothing is left to do; the view history shows how it ended.';
    elsif mine.worker is distinct from worker_id then
        raise exception using errcode = 'PW002',
            message = format('the external task %s is locked by %s, not by worker "%s"', task_id,
                             coalesce('worker "' || mine.worker || '"', 'nobody'), worker_id),
            hint = 'Its lease ended and it was given away, or it was given back: drop the work, and fetch again.';
    elsif mine.fence <> fence then
        raise exception using errcode = 'PW002',
            message = format('the external task %s was fetched again since: its fence is %s, not %s', task_id, mine.fence, fence),
            hint = 'Another one of your threads or an earlier run of your program had it: drop the work.';
    end if;
    perform api_require('work', api_process(mine.definition_id));
    return mine;
end
$$;
revoke all on function api_external_mine(uuid, text, bigint) from public;

-- Takes the task out of what can be fetched. The caller holds its row.
create or replace function api_external_withdraw(task external_task) returns void
language plpgsql volatile
set enable_seqscan = off
as $$
begin
    if task.offered then
        delete from external_offer o where o.topic = task.topic and o.priority = task.priority and o.task_id = task.id;
    elsif task.locked_until is not null then
        delete from external_lease l where l.topic = task.topic and l.until = task.locked_until and l.task_id = task.id;
    end if;
end
$$;
revoke all on function api_external_withdraw(external_task) from public;

-- Gives the task back: to be fetched at once, or from a time on. The caller holds its row.
create or replace function api_external_release(task external_task, until timestamptz) returns void
language plpgsql volatile
as $$
begin
    perform api_external_withdraw(task);
    update external_task t set worker = null, offered = until is null, locked_until = until where t.id = task.id;
    if until is null then
        insert into external_offer (topic, priority, task_id, definition_id)
        values (task.topic, task.priority, task.id, task.definition_id);
    else
        insert into external_lease (topic, until, task_id, definition_id)
        values (task.topic, until, task.id, task.definition_id);
    end if;
end
$$;
revoke all on function api_external_release(external_task, timestamptz) from public;

-- What expressions of the model may ask of `externalTask`.
create or replace function api_external_object(task external_task, worker_id text) returns jsonb
language sql stable
as $$
    select jsonb_build_object('id', task.id, 'topicName', task.topic, 'workerId', worker_id, 'priority', task.priority,
        'retries', task.retries, 'errorMessage', task.error_message, 'errorDetails', task.error_details)
$$;
revoke all on function api_external_object(external_task, text) from public;

create or replace function api_external_ask(task external_task, command smallint, command_id uuid, code text, detail text,
                                            body text, actor text) returns uuid
language plpgsql volatile
as $$
begin
    if command <> 22 then -- an offer
        perform api_not_suspended(task.root_id);
    end if;
    insert into inbox (kind, command_id, root_id, instance_id, subject, name, detail, body, actor, tenant, at)
    values (command, command_id, task.root_id, task.instance_id, task.id, code, detail, body, actor, task.tenant, clock());
    return command_id;
end
$$;
revoke all on function api_external_ask(external_task, smallint, uuid, text, text, text, text) from public;

create or replace function complete_external_task(
    task_id uuid,
    worker_id text,
    variables jsonb default '{}',
    fence bigint default null,
    local_variables jsonb default '{}',
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := complete_external_task.worker_id || ' via ' || api_actor(complete_external_task.options);
    mine external_task := api_external_mine(complete_external_task.task_id, complete_external_task.worker_id,
                                            complete_external_task.fence);
begin
    perform api_variables(complete_external_task.variables), api_variables(complete_external_task.local_variables);
    perform api_external_withdraw(mine);
    update external_task t set answered_by = caller, offered = false, locked_until = null where t.id = mine.id;
    complete_external_task.command_id := api_external_ask(mine, 11::smallint, mine.id, null, null, jsonb_build_object(
        'variables', coalesce(complete_external_task.variables, '{}'),
        'localVariables', coalesce(complete_external_task.local_variables, '{}'),
        'externalTask', api_external_object(mine, complete_external_task.worker_id))::text, caller);
end
$$;

revoke all on function complete_external_task(uuid, text, jsonb, bigint, jsonb, jsonb) from public;
comment on function complete_external_task(uuid, text, jsonb, bigint, jsonb, jsonb) is
'Completes an external task: its process goes on when your transaction commits. Nothing can interrupt the task any more once this function has returned. Also after the end of its lease, as long as nobody else has fetched it.

- `task_id`: from fetch_and_lock(). PW001 if there is no such task any more.
- `worker_id`: PW002 if another worker has it now, or nobody.
- `variables`: a JSON object that becomes variables of the process.
- `fence`: from fetch_and_lock(). PW002 if the task was fetched again since, by whomever.
- `local_variables`: a JSON object that only the task''s own output parameters see.
- `options`: `actor`.';

create or replace function handle_bpmn_error(
    task_id uuid,
    worker_id text,
    error_code text,
    error_message text default null,
    variables jsonb default '{}',
    fence bigint default null,
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := handle_bpmn_error.worker_id || ' via ' || api_actor(handle_bpmn_error.options);
    mine external_task := api_external_mine(handle_bpmn_error.task_id, handle_bpmn_error.worker_id, handle_bpmn_error.fence);
begin
    perform api_external_withdraw(mine);
    update external_task t set answered_by = caller, offered = false, locked_until = null where t.id = mine.id;
    handle_bpmn_error.command_id := api_external_ask(mine, 20::smallint, mine.id,
        api_text('error_code', handle_bpmn_error.error_code, true),
        api_prose('error_message', handle_bpmn_error.error_message),
        api_variables(handle_bpmn_error.variables), caller);
end
$$;

revoke all on function handle_bpmn_error(uuid, text, text, text, jsonb, bigint, jsonb) from public;
comment on function handle_bpmn_error(uuid, text, text, text, jsonb, bigint, jsonb) is
'Ends an external task with a BPMN error, which a boundary error event or an enclosing process may catch: something that the model knows, such as "card refused". For what it does not know, such as a service that does not answer, there is handle_failure().

- `task_id`, `worker_id`, `fence`: as in complete_external_task().
- `error_code`: the code of the error in the BPMN model.
- `error_message`: a text for people.
- `variables`: a JSON object that becomes variables where the error is caught.
- `options`: `actor`.';

create or replace function handle_failure(
    task_id uuid,
    worker_id text,
    error_message text default null,
    error_details text default null,
    retries integer default 0,
    retry_timeout interval default '0',
    fence bigint default null,
    variables jsonb default '{}',
    local_variables jsonb default '{}',
    options jsonb default '{}',
    out command_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := handle_failure.worker_id || ' via ' || api_actor(handle_failure.options);
    mine external_task := api_external_mine(handle_failure.task_id, handle_failure.worker_id, handle_failure.fence);
    pause interval := api_lease_interval('retry_timeout', coalesce(handle_failure.retry_timeout, '0'), '0');
begin
    perform api_variables(handle_failure.variables), api_variables(handle_failure.local_variables);
    if coalesce(handle_failure.retries, 0) > 0 then
        perform api_external_release(mine, case when pause > '0' then clock() + pause end);
    else
        perform api_external_withdraw(mine);
        update external_task t set worker = null, offered = false, locked_until = null where t.id = mine.id;
    end if;
    -- A report of failure is never refused for its length.
    update external_task t
    set retries = greatest(coalesce(handle_failure.retries, 0), 0), error_message = left(handle_failure.error_message, 2000),
        error_details = left(handle_failure.error_details, 16000)
    where t.id = mine.id
    returning t.* into mine;
    handle_failure.command_id := api_external_ask(mine, 21::smallint, api_id(), null, null, jsonb_build_object(
        'variables', coalesce(handle_failure.variables, '{}'),
        'localVariables', coalesce(handle_failure.local_variables, '{}'),
        'externalTask', api_external_object(mine, handle_failure.worker_id))::text, caller);
end
$$;

revoke all on function handle_failure(uuid, text, text, text, integer, interval, bigint, jsonb, jsonb, jsonb) from public;
comment on function handle_failure(uuid, text, text, text, integer, interval, bigint, jsonb, jsonb, jsonb) is
'Reports that a try failed, and gives the task back. With retries left it can be fetched again, by anybody; without, it is an incident (`failedExternalTask`), until retry() or set_external_task_retries() gives it another try.

- `task_id`, `worker_id`, `fence`: as in complete_external_task().
- `error_message`: what went wrong, in a sentence; cut after 2000 characters.
- `error_details`: such as a stack trace; cut after 16000 characters.
- `retries`: how many tries are left: usually what fetch_and_lock() said less one; at the first failure (there it is NULL) what you think fit.
- `retry_timeout`: for how long nobody shall try again.
- `variables`, `local_variables`: JSON objects that are set in any case.
- `options`: `actor`.';

-- ---- Leases ----

create or replace function extend_lock(
    task_id uuid,
    worker_id text,
    new_duration interval,
    fence bigint default null,
    options jsonb default '{}',
    out locked_until timestamptz)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    mine external_task := api_external_mine(extend_lock.task_id, extend_lock.worker_id, extend_lock.fence);
    now_is timestamptz := clock();
begin
    perform api_actor(extend_lock.options);
    if mine.locked_until <= now_is then
        raise exception using errcode = 'PW002',
            message = format('the lease of the external task %s ended at %s', extend_lock.task_id, mine.locked_until),
            hint = 'Ask for more time before it ends, or fetch with a longer lockDuration. Nobody has taken the task yet: you may still complete it.';
    end if;
    extend_lock.locked_until := now_is + api_lease_interval('new_duration', extend_lock.new_duration, '1 ms');
    perform api_external_withdraw(mine);
    update external_task t set locked_until = extend_lock.locked_until where t.id = mine.id;
    insert into external_lease (topic, until, task_id, definition_id)
    values (mine.topic, extend_lock.locked_until, mine.id, mine.definition_id);
end
$$;

revoke all on function extend_lock(uuid, text, interval, bigint, jsonb) from public;
comment on function extend_lock(uuid, text, interval, bigint, jsonb) is
'More time for an external task that is being worked on.

- `task_id`, `worker_id`, `fence`: as in complete_external_task(). PW002 also if the lease has ended already.
- `new_duration`: counted from now.
- `options`: `actor`.

Returns when the lease ends now.';

create or replace function lock_external_task(
    task_id uuid,
    worker_id text,
    lock_duration interval,
    options jsonb default '{}',
    out fence bigint,
    out locked_until timestamptz)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    task external_task;
    now_is timestamptz := clock();
begin
    perform api_actor(lock_external_task.options), api_given('task_id', lock_external_task.task_id),
            api_text('worker_id', lock_external_task.worker_id, true);
    select t.* into task from external_task t where t.id = lock_external_task.task_id for update;
    perform api_require('work', api_process(task.definition_id)) where task.id is not null;
    if task.id is null or task.answered_by is not null then
        raise exception using errcode = 'PW001',
            message = format('there is no open external task %s', lock_external_task.task_id),
            hint = 'The view external_tasks shows what there is.';
    elsif not task.offered and coalesce(task.locked_until > now_is, true)
          and task.worker is distinct from lock_external_task.worker_id then
        raise exception using errcode = 'PW002',
            message = case when task.worker is not null then format('the external task %s is locked by worker "%s" until %s',
                                lock_external_task.task_id, task.worker, task.locked_until)
                           else format('the external task %s waits for its next try', lock_external_task.task_id) end,
            hint = 'Wait, or let unlock_external_task(), set_external_task_retries() or retry() give it back.';
    end if;
    lock_external_task.locked_until := now_is + api_lease_interval('lock_duration', lock_external_task.lock_duration, '1 ms');
    lock_external_task.fence := task.fence + 1;
    perform api_external_withdraw(task);
    update external_task t
    set worker = lock_external_task.worker_id, fence = lock_external_task.fence, offered = false,
        locked_until = lock_external_task.locked_until
    where t.id = task.id;
    insert into external_lease (topic, until, task_id, definition_id)
    values (task.topic, lock_external_task.locked_until, task.id, task.definition_id);
end
$$;

revoke all on function lock_external_task(uuid, text, interval, jsonb) from public;
comment on function lock_external_task(uuid, text, interval, jsonb) is
'Locks one external task, known by its id, for a worker. Workers use fetch_and_lock().

- `task_id`: from the view external_tasks. PW001 if there is no such open task.
- `worker_id`: PW002 if another worker has it, or it waits for its next try.
- `lock_duration`: counted from now.
- `options`: `actor`.

Returns the `fence` to answer with, and when the lease ends.';

create or replace function unlock_external_task(
    task_id uuid,
    options jsonb default '{}')
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    task external_task;
begin
    perform api_actor(unlock_external_task.options), api_given('task_id', unlock_external_task.task_id);
    select t.* into task from external_task t where t.id = unlock_external_task.task_id for update;
    perform api_require('work', api_process(task.definition_id)) where task.id is not null;
    if task.id is null or task.answered_by is not null then
        raise exception using errcode = 'PW001',
            message = format('there is no open external task %s', unlock_external_task.task_id),
            hint = 'The view external_tasks shows what there is.';
    elsif not task.offered and task.locked_until is not null then
        perform api_external_release(task, null);
    end if;
end
$$;

revoke all on function unlock_external_task(uuid, jsonb) from public;
comment on function unlock_external_task(uuid, jsonb) is
'Gives an external task back before its lease (or the pause before its next try) ends: it can be fetched at once, and what its worker answers is refused.

- `task_id`: from the view external_tasks. PW001 if there is no such open task. One without retries stays an incident.
- `options`: `actor`.';

create or replace function set_external_task_retries(
    task_id uuid,
    retries integer,
    options jsonb default '{}')
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(set_external_task_retries.options);
    task external_task;
    had integer;
begin
    perform api_given('task_id', set_external_task_retries.task_id);
    if set_external_task_retries.retries is null or set_external_task_retries.retries < 0 then
        raise exception using errcode = 'PW003', message = 'retries must be a whole number of 0 or more',
            hint = 'With 0 the task becomes an incident.';
    end if;
    select t.* into task from external_task t where t.id = set_external_task_retries.task_id for update;
    perform api_require('admin', api_process(task.definition_id)) where task.id is not null;
    if task.id is null or task.answered_by is not null then
        raise exception using errcode = 'PW001',
            message = format('there is no open external task %s', set_external_task_retries.task_id),
            hint = 'The view external_tasks shows what there is.';
    end if;
    had := coalesce(task.retries, 1);
    update external_task t set retries = set_external_task_retries.retries where t.id = task.id returning t.* into task;
    if had > 0 and set_external_task_retries.retries = 0 then
        perform api_external_withdraw(task);
        update external_task t
        set worker = null, offered = false, locked_until = null,
            error_message = coalesce(t.error_message, 'The number of retries was set to 0.')
        where t.id = task.id returning t.* into task;
        perform api_external_ask(task, 21::smallint, api_id(), null, null,
                                 jsonb_build_object('externalTask', api_external_object(task, null))::text, caller);
    elsif had = 0 and set_external_task_retries.retries > 0 then
        perform api_external_ask(task, 22::smallint, api_id(), null, null, null, caller);
    end if;
    perform api_audit('externalTaskRetriesSet', caller, task.tenant, task.id::text,
                      jsonb_build_object('retries', set_external_task_retries.retries));
end
$$;

revoke all on function set_external_task_retries(uuid, integer, jsonb) from public;
comment on function set_external_task_retries(uuid, integer, jsonb) is
'Says how many tries an external task has left. A task that had none can be fetched again, and its incident is settled; with 0 it becomes an incident.

- `task_id`: from the view external_tasks. PW001 if there is no such open task.
- `retries`: 0 or more.
- `options`: `actor`.';

create or replace function set_external_task_priority(
    task_id uuid,
    priority bigint,
    options jsonb default '{}')
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(set_external_task_priority.options);
    task external_task;
begin
    perform api_given('task_id', set_external_task_priority.task_id);
    if set_external_task_priority.priority is null then
        raise exception using errcode = 'PW003', message = 'priority is missing', hint = 'Pass a whole number; 0 is usual.';
    end if;
    select t.* into task from external_task t where t.id = set_external_task_priority.task_id for update;
    perform api_require('admin', api_process(task.definition_id)) where task.id is not null;
    if task.id is null or task.answered_by is not null then
        raise exception using errcode = 'PW001',
            message = format('there is no open external task %s', set_external_task_priority.task_id),
            hint = 'The view external_tasks shows what there is.';
    end if;
    if task.offered then
        perform api_external_withdraw(task);
        insert into external_offer (topic, priority, task_id, definition_id)
        values (task.topic, set_external_task_priority.priority, task.id, task.definition_id);
    end if;
    update external_task t set priority = set_external_task_priority.priority where t.id = task.id;
    perform api_audit('externalTaskPrioritySet', caller, task.tenant, task.id::text,
                      jsonb_build_object('priority', set_external_task_priority.priority));
end
$$;

revoke all on function set_external_task_priority(uuid, bigint, jsonb) from public;
comment on function set_external_task_priority(uuid, bigint, jsonb) is
'Says how urgent an external task is: those with a higher number are fetched first.

- `task_id`: from the view external_tasks. PW001 if there is no such open task.
- `priority`: a whole number; 0 unless the model says otherwise.
- `options`: `actor`.';

-- ---- Java classes ----

create or replace function map_class(
    class text,
    topic text,
    options jsonb default '{}')
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(map_class.options);
begin
    perform api_require_everything();
    insert into class_topic (class, topic, actor, at)
    values (api_text('class', map_class.class, true), api_text('topic', map_class.topic, true), caller, clock())
    on conflict (class) do update set topic = excluded.topic, actor = excluded.actor, at = excluded.at;
    perform api_audit('classMapped', caller, null, map_class.class, jsonb_build_object('topic', map_class.topic));
end
$$;

revoke all on function map_class(text, text, jsonb) from public;
comment on function map_class(text, text, jsonb) is
'Lets a worker do what Java code did: tasks with this camunda:class (or camunda:delegateExpression) become external tasks of the topic, and files that name it can be deployed as they are. Counts for tasks that begin from now on.

- `class`: as the file writes it: `org.example.Charge`, or `${chargeDelegate}`.
- `topic`: what the worker fetches.
- `options`: `actor`.';

create or replace function unmap_class(
    class text,
    options jsonb default '{}')
returns void
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
begin
    perform api_actor(unmap_class.options), api_require_everything();
    delete from class_topic m where m.class = unmap_class.class;
    if not found then
        raise exception using errcode = 'PW001', message = format('the class "%s" is not mapped', left(unmap_class.class, 255)),
            hint = 'The view class_topics shows what is.';
    end if;
    perform api_audit('classUnmapped', api_actor(unmap_class.options), null, unmap_class.class, null);
end
$$;

revoke all on function unmap_class(text, jsonb) from public;
comment on function unmap_class(text, jsonb) is
'Forgets the topic of a Java class. Files that name it can no longer be deployed; in processes that are deployed already the name of the class itself is the topic from now on.

- `class`: PW001 if it is not mapped.
- `options`: `actor`.';

-- ---- Views ----

create or replace view external_tasks as
select t.id as task_id, t.topic,
       case when t.answered_by is not null then 'answered'
            when t.offered then 'available'
            when t.locked_until is null then 'failed'
            when t.worker is null and t.locked_until > clock() then 'paused'
            when t.locked_until > clock() then 'locked'
            else 'available' end as state,
       t.worker as worker_id, t.locked_until, t.fence, t.retries, t.error_message, t.error_details, t.priority,
       e.id as element_id, e.name as element_name, t.instance_id, d.key as process, d.version, i.business_key, t.created,
       coalesce(i.variables::jsonb, '{}') || coalesce(v.variables::jsonb, '{}') as variables, t.tenant, t.loop_counter
from external_task t
join instance i on i.id = t.instance_id
join api_work_definition d on d.id = t.definition_id
left join element e on e.definition_id = t.definition_id and e.node = t.node
left join external_variables v on v.task_id = t.id;
revoke all on external_tasks from public;
comment on view external_tasks is 'Work for programs that fetch it by topic, whoever has it.';
comment on column external_tasks.state is '`available`; `locked`: a worker has it; `paused`: a try failed, nobody gets it before `locked_until`; `failed`: no retries are left; `answered`: the engine has not carried the answer out yet, or an incident holds it';
comment on column external_tasks.worker_id is 'who has it, or had it last and let his lease end';
comment on column external_tasks.fence is 'how often it was fetched; an answer that carries an older number is refused';
comment on column external_tasks.retries is 'tries that are left; NULL: none has failed yet';
comment on column external_tasks.priority is 'higher is fetched first; 0 unless the model says otherwise';
comment on column external_tasks.loop_counter is 'which item of a multi-instance activity it is for, from 0';
comment on column external_tasks.variables is 'of the process, and those of the task over them';

create or replace view class_topics as
select m.class, m.topic, m.at, m.actor from class_topic m;
revoke all on class_topics from public;
comment on view class_topics is 'The Java classes and delegate expressions whose work is done by workers: see map_class().';
comment on column class_topics.class is 'as BPMN files write it';
