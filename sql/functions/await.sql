-- SPDX-License-Identifier: Apache-2.0

-- May the caller know what becomes of what concerns a process? Whoever may do anything with it.
create or replace function api_may_know(definition_id integer) returns boolean
language plpgsql stable
as $$
begin
    return definition_id is null or api_engine()
        or exists (select from unnest('{read,start,work,admin,author}'::text[]) w where api_may(w, api_process(definition_id)));
end
$$;
revoke all on function api_may_know(integer) from public;

-- What is known of an id that some function of the API returned. `state` is NULL while it is not decided,
-- `known` false if nothing bears it. One statement, so that what moves from one table to another is seen once.
create or replace function api_outcome(id uuid, out known boolean, out state text, out detail jsonb)
language sql volatile
as $$
    with running as (
        select i.definition_id from instance i where i.id = api_outcome.id
    ), ended as (
        select e.definition_id, coalesce(e.data::jsonb, '{}') as data from api_event e
        where not exists (select from running) and e.instance_id = api_outcome.id and e.ends and e.kind = 2
          and e.at >= api_id_time(api_outcome.id) - interval '1 day'
        limit 1
    ), filed as (
        -- An instance is awaited to its end; that its start was carried out is not yet the outcome.
        select o.definition_id, o.state, o.detail from outcome o
        where o.command_id = api_outcome.id and not exists (select from running)
    ), accepted as (
        select b.definition_id from inbox b where coalesce(b.command_id, b.instance_id) = api_outcome.id
        union all
        select null from message m where m.message_id = api_outcome.id
        union all
        select null from event_todo t where t.command_id = api_outcome.id
        limit 1
    ), found as (
        select definition_id, null as state, null::jsonb as detail from running
        union all
        select e.definition_id, coalesce(e.data ->> 'state', 'completed'), e.data from ended e
        union all
        select f.definition_id, f.state, f.detail from filed f where not exists (select from ended)
        union all
        select a.definition_id, null, null from accepted a
        where not exists (select from running) and not exists (select from ended) and not exists (select from filed)
    )
    select coalesce(bool_or(api_may_know(f.definition_id)), false),
           max(f.state) filter (where api_may_know(f.definition_id)),
           (array_agg(f.detail) filter (where api_may_know(f.definition_id)))[1]
    from found f
$$;
revoke all on function api_outcome(uuid) from public;

-- The same of many at once, those alone that are decided: what waits for its turn costs a look into an index each.
create or replace function api_outcomes(ids jsonb) returns jsonb
language sql volatile
as $$
    with asked as materialized (
        select x::uuid as id from jsonb_array_elements_text(api_outcomes.ids) x
    ), over as materialized (
        select a.id from asked a
        where not exists (select from instance i where i.id = a.id)
          and not exists (select from message m where m.message_id = a.id)
          and not exists (select from inbox b where coalesce(b.command_id, b.instance_id) = a.id)
    )
    select coalesce(jsonb_object_agg(v.id, jsonb_build_object('state', o.state, 'detail', o.detail)), '{}')
    from over v cross join lateral api_outcome(v.id) o
    where o.state is not null
$$;
revoke all on function api_outcomes(jsonb) from public;

create or replace function await(
    command_id uuid,
    timeout interval default '10 seconds',
    out state text,
    out detail jsonb)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    asked timestamptz := clock_timestamp(); -- real time is waited for, whatever the engine's clock says
    pause double precision := 0.01;
    found_out record;
begin
    perform api_given('command_id', command_id);
    if timeout is null or timeout < '0' then
        raise exception using errcode = 'PW003', message = 'timeout must be an interval of 0 or more',
            hint = 'Example: timeout => ''10 seconds''.';
    elsif timeout > '5 minutes' then
        raise exception using errcode = 'PW006', message = format('a timeout of %s is over the limit of 5 minutes', timeout),
            hint = 'A waiting statement keeps VACUUM from cleaning up: wait for less, and again.';
    elsif current_setting('transaction_isolation') not in ('read committed', 'read uncommitted') then
        raise exception using errcode = 'PW003',
            message = format('await cannot see the outcome in a %s transaction',
                             upper(current_setting('transaction_isolation'))),
            hint = 'Call it outside of a transaction block, or under READ COMMITTED.';
    elsif exists (select from inbox b where b.lane = any (array(select generate_series(0, 15)))
                  and b.xid = pg_current_xact_id_if_assigned() and coalesce(b.command_id, b.instance_id) = await.command_id)
       or exists (select from event_todo t where t.xid = pg_current_xact_id_if_assigned() and t.command_id = await.command_id) then
        raise exception using errcode = 'PW003',
            message = 'the command was given in this transaction, and is carried out only after its COMMIT',
            hint = 'COMMIT first, then call await.';
    end if;
    loop
        select o.known, o.state, o.detail into found_out from api_outcome(command_id) o;
        if not found_out.known then
            raise exception using errcode = 'PW001',
                message = format('nothing is known under the id %s', command_id),
                hint = 'The transaction that made it must have committed; outcomes are kept for a day.';
        end if;
        if found_out.state is not null then
            await.state := found_out.state;
            await.detail := found_out.detail;
            return;
        end if;
        if clock_timestamp() + make_interval(secs => pause) >= asked + timeout then -- real time
            await.state := 'pending';
            return;
        end if;
        perform pg_sleep(pause);
        pause := least(pause * 1.5, 0.05);
    end loop;
end
$$;

revoke all on function await(uuid, interval) from public;
comment on function await(uuid, interval) is
'Waits for the outcome of a command, deployment or message, or for the end of an instance. Call it on its own, after the COMMIT of the transaction that gave the command (in the same transaction it is refused).

- `command_id`: what a function of this API returned. PW001 if nothing is known under it.
- `timeout`: how long to wait, at most 5 minutes; then the state is `pending`.

Returns `state` and `detail` (such as the findings or the reason):
- of a deployment `active` or `refused`;
- of an instance `completed`, `cancelled` or `terminated`; `refused` if it could not be started;
- of a message `done` once somebody has received it, `refused` if correlate() found nobody, or several, `expired` if its time to live is over;
- of other commands `done`; `refused` if what they address had gone meanwhile; `failed` if they are tried again or became an incident.';
