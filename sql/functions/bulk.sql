-- SPDX-License-Identifier: Apache-2.0
-- One command for thousands. A row of `bulk` says what is meant; workers carry it forward in slices
-- (api_bulk_slice), each a transaction that hands commands to the inbox and moves the cursor: after a crash it
-- goes on where it was, and nothing is handed out twice.

-- Is it a day or a time of ISO 8601 that the calendar has? What it lets through, timestamptz reads.
create or replace function api_is_time(given text) returns boolean
language plpgsql immutable
as $$
declare
    day text := substr(given, 1, 10);
begin
    if given !~ ('^(?!0000)\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])'
                 '([T ]([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,9})?)?(Z|[+-](0\d|1[0-4])(:?[0-5]\d)?)?)?$') then
        return false;
    end if;
    -- No later than the last of its month.
    return substr(day, 9)::integer
        <= extract(day from make_date(substr(day, 1, 4)::integer, substr(day, 6, 2)::integer, 1) + interval '1 month -1 day');
end
$$;
revoke all on function api_is_time(text) from public;

-- The filter, judged. One that names nothing must say so: {"all": true}.
create or replace function api_bulk_filter(action text, filter jsonb) returns jsonb
language plpgsql stable
as $$
declare
    known text[] := case when action = 'retry'
        then array['all', 'process', 'version', 'businessKeyPrefix', 'since', 'until', 'element', 'cause', 'reason', 'endpoint']
        else array['all', 'process', 'version', 'businessKeyPrefix', 'since', 'until'] end;
    stray text;
    bound text;
begin
    if action is null or action not in ('retry', 'cancel', 'suspend', 'resume') then
        raise exception using errcode = 'PW003', message = format('there is no action "%s" for many', left(action, 40)),
            hint = 'Choose retry, cancel, suspend or resume.';
    elsif jsonb_typeof(filter) is distinct from 'object' then
        raise exception using errcode = 'PW003', message = 'the filter must be a JSON object',
            hint = 'Example: {"process": "order", "since": "2026-01-31"}, or {"all": true}.';
    end if;
    select k into stray from jsonb_object_keys(filter) k where k <> all (known) order by k limit 1;
    if found then
        raise exception using errcode = 'PW003', message = format('there is no filter "%s" here', left(stray, 40)),
            hint = format('Known filters of %s: %s.', action, array_to_string(known, ', '));
    elsif filter - 'all' = '{}' and filter -> 'all' is distinct from 'true' then
        raise exception using errcode = 'PW003', message = 'the filter names nothing',
            hint = 'Say what is meant, or {"all": true}.';
    end if;
    select f.key into stray from jsonb_each(filter) f
    where f.key not in ('all', 'version') and jsonb_typeof(f.value) <> 'string'
       or f.key = 'all' and jsonb_typeof(f.value) <> 'boolean' or f.key = 'version' and f.value::text !~ '^\d{1,9}$'
    order by 1 limit 1;
    if found then
        raise exception using errcode = 'PW003', message = format('the filter %s has a value of the wrong type', stray),
            hint = 'all is true or false, version a whole number, all others are texts.';
    end if;
    foreach bound in array array['since', 'until'] loop
        if not api_is_time(filter ->> bound) then
            raise exception using errcode = 'PW003', message = format('%s is not a time: %s', bound, left(filter ->> bound, 40)),
                hint = 'Write it as ISO 8601: 2026-01-31T09:30:00Z, or 2026-01-31.';
        elsif filter ? bound then
            -- By the caller's time zone, not by the worker's.
            filter := jsonb_set(filter, array[bound], to_jsonb((filter ->> bound)::timestamptz));
        end if;
    end loop;
    return filter - 'all';
end
$$;
revoke all on function api_bulk_filter(text, jsonb) from public;

-- Of one process its administrators may do it, of all of them who administers them all.
create or replace function api_bulk_require(filter jsonb) returns void
language sql stable
as $$ select api_require('admin', filter ->> 'process') $$;
revoke all on function api_bulk_require(jsonb) from public;

-- The incidents that a filter means, and why one of them is left out by a retry with this decision (or none).
create or replace function api_bulk_incidents(filter jsonb, decision text, tenants text[])
returns table (id uuid, instance_id uuid, root_id uuid, at timestamptz, process text, version integer, element_id text,
               cause text, reason text, pattern text, left_out text, tenant text)
language sql stable
as $$
    select x.id, x.instance_id, x.root_id, x.at, d.key, d.version, e.id, x.cause, x.reason, x.pattern,
           case when r.suspended then 'suspended'
                when x.reason = 'unknownOutcome' and decision is null then 'needs a decision'
                when x.reason <> 'unknownOutcome' and decision is not null then 'needs no decision' end,
           coalesce(i.tenant, d.tenant, '')
    from incident x
    left join instance i on i.id = x.instance_id
    left join instance r on r.id = x.root_id
    left join definition d on d.id = coalesce(i.definition_id, x.definition_id)
    left join element e on e.definition_id = d.id and e.node = x.node
    where (tenants is null or d.tenant = any (tenants))
      and (filter ->> 'process' is null or d.key = filter ->> 'process')
      and (filter ->> 'version' is null or d.version = (filter ->> 'version')::integer)
      and (filter ->> 'element' is null or e.id = filter ->> 'element')
      and (filter ->> 'cause' is null or x.cause = filter ->> 'cause')
      and (filter ->> 'reason' is null or x.reason = filter ->> 'reason')
      and (filter ->> 'endpoint' is null or x.endpoint = filter ->> 'endpoint')
      and (filter ->> 'businessKeyPrefix' is null or starts_with(i.business_key, filter ->> 'businessKeyPrefix'))
      and (filter ->> 'since' is null or x.at >= (filter ->> 'since')::timestamptz)
      and (filter ->> 'until' is null or x.at < (filter ->> 'until')::timestamptz)
$$;
revoke all on function api_bulk_incidents(jsonb, text, text[]) from public;

-- The outermost instances that a filter means. "definitions" is set by the engine's own functions: families in which one
-- of these runs. Suspending one that is suspended, or resuming one that is not, is left out.
create or replace function api_bulk_instances(filter jsonb, action text, tenants text[])
returns table (id uuid, at timestamptz, process text, version integer, left_out text, tenant text)
language sql stable
as $$
    select r.id, r.started, d.key, d.version,
           case when action = 'suspend' and r.suspended then 'suspended'
                when action = 'resume' and not r.suspended then 'not suspended' end, r.tenant
    from instance r join definition d on d.id = r.definition_id
    where r.parent_id is null and (tenants is null or r.tenant = any (tenants))
      and (filter ->> 'process' is null or d.key = filter ->> 'process')
      and (filter ->> 'version' is null or d.version = (filter ->> 'version')::integer)
      and (filter ->> 'businessKeyPrefix' is null or starts_with(r.business_key, filter ->> 'businessKeyPrefix'))
      and (filter ->> 'since' is null or r.started >= (filter ->> 'since')::timestamptz)
      and (filter ->> 'until' is null or r.started < (filter ->> 'until')::timestamptz)
      and (not filter ? 'definitions' or filter -> 'definitions' @> to_jsonb(r.definition_id)
           or exists (select from instance c where c.root_id = r.id and c.parent_id is not null
                      and filter -> 'definitions' @> to_jsonb(c.definition_id)))
$$;
revoke all on function api_bulk_instances(jsonb, text, text[]) from public;

create or replace function api_bulk_actor(action text, options jsonb) returns text
language sql volatile
as $$
    select api_actor(options, case when action = 'retry' then array['pace', 'reason', 'decision', 'variables']
                                   else array['pace', 'reason'] end)
$$;
revoke all on function api_bulk_actor(text, jsonb) from public;

create or replace function bulk_preview(
    action text,
    filter jsonb,
    options jsonb default '{}')
returns table (process text, version integer, element_id text, cause text, reason text, pattern text, left_out text, matching bigint)
language plpgsql stable security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    meant jsonb := api_bulk_filter(bulk_preview.action, bulk_preview.filter);
    caller text := api_bulk_actor(bulk_preview.action, bulk_preview.options);
    wishes jsonb := api_bulk_options(bulk_preview.action, bulk_preview.options);
begin
    perform api_bulk_require(meant);
    if bulk_preview.action = 'retry' then
        return query
            select x.process, x.version, x.element_id, x.cause, x.reason, x.pattern, x.left_out, count(*)
            from api_bulk_incidents(meant, wishes ->> 'decision', null) x
            group by 1, 2, 3, 4, 5, 6, 7 order by x.left_out nulls first, 8 desc, 1, 2, 3, 4;
    else
        return query
            select x.process, x.version, null::text, null::text, null::text, null::text, x.left_out, count(*)
            from api_bulk_instances(meant, bulk_preview.action, null) x
            group by 1, 2, 7 order by x.left_out nulls first, 8 desc, 1, 2;
    end if;
end
$$;
revoke all on function bulk_preview(text, jsonb, jsonb) from public;
comment on function bulk_preview(text, jsonb, jsonb) is
'What bulk() would do with the same arguments, counted; it changes nothing. Incidents are counted by cause, instances by process and version.

- `action`, `filter`, `options`: as for bulk().

`left_out` says why those are not touched: they need a decision (or need none, and one is given), or their instance is suspended.';

-- What is to be done with each, judged.
create or replace function api_bulk_options(action text, options jsonb) returns jsonb
language plpgsql stable
as $$
declare
    wishes jsonb := coalesce(options, '{}') - 'pace' - 'actor';
begin
    if wishes ->> 'decision' not in ('repeat', 'fail') then
        raise exception using errcode = 'PW003', message = format('there is no decision "%s"', left(wishes ->> 'decision', 40)),
            hint = 'Choose "repeat" (send the requests again) or "fail" (take them as failed).';
    elsif wishes ? 'variables' then
        wishes := jsonb_set(wishes, '{variables}', api_variables(wishes -> 'variables')::jsonb);
    end if;
    perform api_prose('reason', wishes ->> 'reason');
    if jsonb_typeof(options -> 'pace') not in ('number', 'null') or (options ->> 'pace')::numeric not between 0.01 and 100000 then
        raise exception using errcode = 'PW003', message = 'the pace must be a number from 0.01 to 100000, or null',
            hint = 'It is how many a second; null is as fast as the engine takes them.';
    end if;
    return wishes;
end
$$;
revoke all on function api_bulk_options(text, jsonb) from public;

create or replace function bulk(
    action text,
    filter jsonb,
    options jsonb default '{}',
    out bulk_id uuid,
    out matching bigint)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    meant jsonb := api_bulk_filter(bulk.action, bulk.filter);
    caller text := api_bulk_actor(bulk.action, bulk.options);
    wishes jsonb := api_bulk_options(bulk.action, bulk.options);
    pace double precision := case when bulk.options ? 'pace' then (bulk.options ->> 'pace')::double precision
                                  when bulk.action = 'retry' then 50 end;
begin
    perform api_bulk_require(meant);
    select r.bulk_id, r.matching into bulk.bulk_id, bulk.matching
    from api_bulk_begin(bulk.action, meant, wishes, pace, caller) r;
end
$$;
revoke all on function bulk(text, jsonb, jsonb) from public;
comment on function bulk(text, jsonb, jsonb) is
'Does to many what retry(), cancel(), suspend() and resume() do to one, at a pace, from when your transaction commits. It goes on after a crash, on whichever node is there, and each is taken once: an incident that comes back is a new one, and not meant. The view bulks shows how far it is, bulk_stop() ends it; bulk_preview() counts what it would do.

- `action`: `retry` (incidents), `cancel`, `suspend` or `resume` (outermost instances).
- `filter`: a JSON object, all of whose members must hold: `process`, `version`, `businessKeyPrefix`, `since` and `until` (when it came, or the instance was started); of incidents also `element`, `cause` (from incident_groups), `reason`, `endpoint`. `{"all": true}` for all of them.
- `options`: `pace`, how many a second over all nodes (retry: 50; others: null, as fast as the engine takes them); `reason`, kept with it; of retry also `decision` (`repeat` or `fail`: then only those whose outcome is unknown are taken, else only the others) and `variables`, set before each; `actor`.

Returns its id and how many there are now.';

create or replace function api_bulk_begin(action text, filter jsonb, wishes jsonb, pace double precision, actor text)
returns table (bulk_id uuid, matching bigint)
language plpgsql volatile
as $$
declare
    now timestamptz := clock();
begin
    bulk_id := api_id();
    matching := case when action = 'retry'
        then (select count(*) from api_bulk_incidents(filter, wishes ->> 'decision', null) x where x.left_out is null)
        else (select count(*) from api_bulk_instances(filter, action, null) x where x.left_out is null) end;
    -- Here the policies show only the caller's; when a worker carries it on, the row says whose are meant.
    insert into bulk (id, action, filter, options, pace, matching, tenants, next_at, actor, at)
    values (bulk_id, action, filter, wishes, pace, matching,
            api_tenants(), now, actor, now);
    return next;
end
$$;
revoke all on function api_bulk_begin(text, jsonb, jsonb, double precision, text) from public;

create or replace function bulk_stop(bulk_id uuid, options jsonb default '{}', out handed bigint)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(bulk_stop.options);
    known text;
begin
    perform api_bulk_require(b.filter) from bulk b where b.id = bulk_stop.bulk_id;
    update bulk b set state = 'stopped', ended = clock(), ended_by = caller
    where b.id = api_given('bulk_id', bulk_stop.bulk_id) and b.state = 'running'
    returning b.handed into bulk_stop.handed;
    if found then
        return;
    end if;
    select b.state into known from bulk b where b.id = bulk_stop.bulk_id;
    if found then
        raise exception using errcode = 'PW002', message = format('the bulk %s is already %s', bulk_stop.bulk_id, known),
            hint = 'The view bulks shows how far it came.';
    end if;
    raise exception using errcode = 'PW001', message = format('there is no bulk %s', bulk_stop.bulk_id),
        hint = 'The view bulks lists them.';
end
$$;
revoke all on function bulk_stop(uuid, jsonb) from public;
comment on function bulk_stop(uuid, jsonb) is
'Ends a bulk(): nothing more is handed to the engine from when your transaction commits. What was handed out is carried out.

- `bulk_id`: from bulk() or the view bulks. PW001 if there is none, PW002 if it has ended.
- `options`: `actor`.

Returns how many were handed out.';

-- How many may go now, by a pace: no more than it allows in a fifth of a second is made up for.
create or replace function api_bulk_allowed(pace double precision, next_at timestamptz, now timestamptz,
                                            out n integer, out again timestamptz)
language sql immutable
as $$
    select a.n, case when pace is null then now else a.since + a.n * interval '1 second' / pace end
    from (select s.since, case when pace is null then 1000
                               else least(1000, 1 + floor(extract(epoch from now - s.since) * pace)) end::integer as n
          from (select greatest(next_at, now - interval '0.2 s') as since) s) a
$$;
revoke all on function api_bulk_allowed(double precision, timestamptz, timestamptz) from public;

-- One slice of one bulk that is due and that no other node has just now. Called by workers. Returns how many commands
-- it handed out, and in how many microseconds to come again; NULL: nothing is under way.
create or replace function api_bulk_slice(out handed integer, out wait_us bigint)
language plpgsql volatile
as $$
declare
    job record;
    now timestamptz := clock();
    room integer;
    most integer;
    again timestamptz;
    last uuid;
begin
    handed := 0;
    select b.* into job from bulk b where b.state = 'running' and b.next_at <= now
    order by b.next_at limit 1 for update skip locked;
    if found then
        room := 1000 - (select count(*) from (select from inbox limit 1000) i);
    end if;
    if room > 0 then
        select least(a.n, room), a.again into most, again from api_bulk_allowed(job.pace, job.next_at, now) a;
        if job.action = 'retry' then
            with picked as materialized (
                select x.id, x.instance_id, x.root_id, x.tenant
                from api_bulk_incidents(job.filter, job.options ->> 'decision', job.tenants) x
                where x.id > job.position and x.at < job.at and x.left_out is null order by x.id limit most
            ), given as (
                insert into inbox (kind, command_id, root_id, instance_id, subject, detail, body, actor, tenant, at)
                select 103, api_id(), p.root_id, p.instance_id, p.id, job.options ->> 'reason',
                       (job.options - 'reason')::text, job.actor, p.tenant, now
                from picked p order by p.id
            )
            select count(*), max(p.id::text)::uuid into handed, last from picked p;
        else
            with picked as materialized (
                select x.id, x.tenant from api_bulk_instances(job.filter, job.action, job.tenants) x
                where x.id > job.position and x.at < job.at and x.left_out is null order by x.id limit most
            ), given as (
                insert into inbox (kind, command_id, root_id, instance_id, detail, actor, tenant, at)
                select case job.action when 'cancel' then 9 when 'suspend' then 106 else 107 end,
                       api_id(), p.id, p.id, job.options ->> 'reason', job.actor, p.tenant, now
                from picked p order by p.id
            )
            select count(*), max(p.id::text)::uuid into handed, last from picked p;
        end if;
        update bulk b set handed = b.handed + api_bulk_slice.handed, position = coalesce(last, b.position),
            next_at = again,
            state = case when api_bulk_slice.handed < most then 'done' else 'running' end,
            ended = case when api_bulk_slice.handed < most then now end
        where b.id = job.id;
    end if;
    select case when count(*) > 0
        then least(greatest(extract(epoch from min(b.next_at) - now) * 1000000, 0), 1000000) end into wait_us
    from bulk b where b.state = 'running';
end
$$;
revoke all on function api_bulk_slice() from public;

create or replace view bulks as
select b.id as bulk_id, b.action, b.filter, b.options, b.pace, b.state, b.matching, b.handed, b.at, b.actor, b.ended, b.ended_by
from bulk b;
revoke all on bulks from public;
comment on view bulks is 'What was asked for many at once, see bulk(); kept for 90 days.';
comment on column bulks.pace is 'how many a second; NULL: as fast as the engine takes them';
comment on column bulks.state is '`running`; `stopped` by `ended_by`; `done`: all that were meant have been handed to the engine';
comment on column bulks.matching is 'how many there were when it was asked for';
comment on column bulks.handed is 'how many of them were handed to the engine so far';
