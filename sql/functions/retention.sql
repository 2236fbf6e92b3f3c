-- SPDX-License-Identifier: Apache-2.0
-- How long things are kept, and what is kept longer.

-- For how long the history of an instance is needed after its end: camunda:historyTimeToLive of its
-- definition ("P30D", "30": days), else the setting. NULL: for ever.
create or replace function api_history_time_to_live(given text) returns interval
language sql stable
as $$
    select case when given ~ '^\s*\d{1,6}\s*$' then trim(given)::integer * interval '1 day'
                when given ~ '^P(?=\d)(\d{1,5}Y)?(\d{1,5}M)?(\d{1,5}W)?(\d{1,6}D)?$' then given::interval
                else (select r.history from retention r) end
$$;
revoke all on function api_history_time_to_live(text) from public;

-- As api_interval(), but null is an answer of its own: for ever.
create or replace function set_retention(
    options jsonb,
    out changed text[])
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    known text[] := array['history', 'outcomes', 'requestKeys', 'deadLetters', 'events', 'eventKeys', 'audit', 'callbackAnswers'];
    before interval := (select r.history from retention r);
begin
    perform api_actor(set_retention.options, known);
    perform api_require_everything();
    select array_agg(k order by k) into set_retention.changed
    from jsonb_object_keys(set_retention.options - 'actor') k;
    if set_retention.changed is null then
        raise exception using errcode = 'PW003', message = 'there is nothing to set',
            hint = 'Example: options => ''{"history": "90 days"}''.';
    end if;
    if exists (select from jsonb_each(set_retention.options) e where e.key <> 'history' and e.value = 'null') then
        raise exception using errcode = 'PW003', message = 'only history may be kept for ever (null)',
            hint = 'Say for how long, "30 days" for instance.';
    end if;
    update retention r set
        history = case when set_retention.options ? 'history'
                       then api_interval(set_retention.options, 'history', '0') else r.history end,
        outcomes = coalesce(api_interval(set_retention.options, 'outcomes', '1 minute'), r.outcomes),
        request_keys = coalesce(api_interval(set_retention.options, 'requestKeys', '1 minute'), r.request_keys),
        dead_letters = coalesce(api_interval(set_retention.options, 'deadLetters', '0'), r.dead_letters),
        events = coalesce(api_interval(set_retention.options, 'events', '1 minute'), r.events),
        event_keys = coalesce(api_interval(set_retention.options, 'eventKeys', '0'), r.event_keys),
        audit = coalesce(api_interval(set_retention.options, 'audit', '1 day'), r.audit),
        callback_answers = coalesce(api_interval(set_retention.options, 'callbackAnswers', '1 minute'), r.callback_answers);
    perform api_audit('retentionSet', api_actor(set_retention.options, known), null, null, set_retention.options - 'actor');
    if before is distinct from (select r.history from retention r) then
        delete from history_day; -- its days are judged again
    end if;
end
$$;
revoke all on function set_retention(jsonb) from public;
comment on function set_retention(jsonb) is
'Sets how long things are kept. What is not named stays as it is; the view retention_settings shows all.

- `options`:
  - `history`: of instances, counted from their end, where the definition has no historyTimeToLive ("180 days"); null for ever. It goes day by day, so it stays up to two days longer.
  - `outcomes`: how commands ended, for await() ("1 day").
  - `requestKeys`: how long the same request key starts nothing again ("30 days").
  - `deadLetters`: messages that nobody took ("7 days").
  - `events`: events of the buses, their deliveries and dead letters ("14 days").
  - `eventKeys`: how long an event with the same dedupe key is dropped ("1 day").
  - `audit`: changes of users, rights and settings, and refusals ("365 days").
  - `callbackAnswers`: how long the same answer to a callback gets the same reply ("7 days").';

create or replace function hold_history(
    instance_id uuid,
    options jsonb default '{}',
    out held boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(hold_history.options, array['reason']);
    of record;
begin
    select d.tenant, d.key into of
    from definition d
    where d.id = coalesce((select i.definition_id from instance i where i.id = api_given('instance_id', hold_history.instance_id)),
                          (select v.definition_id from api_event v where v.instance_id = hold_history.instance_id limit 1));
    if not found then
        raise exception using errcode = 'PW001',
            message = format('there is no instance %s', hold_history.instance_id),
            hint = 'Its history may be gone already. The view instances lists what is there.';
    end if;
    perform api_require('admin', of.key);
    insert into history_hold (instance_id, reason, actor, at, tenant)
    values (hold_history.instance_id, api_text('the option reason', hold_history.options ->> 'reason', false), caller, clock(),
            of.tenant)
    on conflict (instance_id) do nothing;
    hold_history.held := found;
    if held then
        perform api_audit('historyHeld', caller, of.tenant, hold_history.instance_id::text,
                          jsonb_strip_nulls(jsonb_build_object('reason', hold_history.options ->> 'reason')));
    end if;
end
$$;
revoke all on function hold_history(uuid, jsonb) from public;
comment on function hold_history(uuid, jsonb) is
'Keeps the history of an instance whatever its age, until release_history(). FALSE: it was held already.

- `instance_id`: running or ended. PW001 if nothing is known of it.
- `options`: `reason`, for those who read the view history_holds.';

create or replace function release_history(
    instance_id uuid,
    options jsonb default '{}',
    out released boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(release_history.options);
    of_tenant text;
begin
    perform api_given('instance_id', release_history.instance_id);
    perform api_require('admin', (select d.key from api_event v join definition d on d.id = v.definition_id
                                  where v.instance_id = release_history.instance_id limit 1));
    delete from history_hold h where h.instance_id = release_history.instance_id returning h.tenant into of_tenant;
    release_history.released := found;
    if released then
        perform api_audit('historyReleased', caller, of_tenant, release_history.instance_id::text, null);
    end if;
end
$$;
revoke all on function release_history(uuid, jsonb) from public;
comment on function release_history(uuid, jsonb) is
'Ends what hold_history() began: the history goes with its age again. FALSE: it was not held.

- `instance_id`: of the instance.
- `options`: only `actor`.';

create or replace view history_holds as
select h.instance_id, h.reason, h.actor, h.at from history_hold h;
revoke all on history_holds from public;
comment on view history_holds is 'Instances whose history is kept whatever its age, see hold_history().';

create or replace view retention_settings as
select r.history, r.outcomes, r.request_keys, r.dead_letters, r.events, r.event_keys, r.audit, r.callback_answers from retention r;
revoke all on retention_settings from public;
comment on view retention_settings is 'How long things are kept, see set_retention().';
comment on column retention_settings.history is 'from an instance''s end, where its definition says nothing; NULL: for ever';

create or replace view dead_letters as
select l.message_id, l.name, l.key, l.expired, l.instance_id,
       case l.mode when 0 then 'publish' when 1 then 'publish to all' when 2 then 'correlate' end as mode,
       l.body::jsonb as variables, l.tenant
from dead_letter l;
revoke all on dead_letters from public;
comment on view dead_letters is 'Messages that nobody took in their time to live; kept as long as set_retention() says. Publish one again if it is still of use.';
comment on column dead_letters.expired is 'when it was given up';
