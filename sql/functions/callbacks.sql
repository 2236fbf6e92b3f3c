-- SPDX-License-Identifier: Apache-2.0
-- Task tokens: whoever has the token of a task (pawl:taskToken) ends it, fails it, or says that he is still at it.
-- An answer marks the callback's row in the caller's own transaction, as complete() does with a task: of two who
-- answer, the second waits for the first, and gets the same reply if he says the same.

-- ---- Tokens: "pawl_" and base64url of the callback's id and its HMAC-SHA256 (engine/callback.c makes them) ----

create or replace function api_callback_mac(k callback_key, id uuid) returns bytea
language sql immutable
as $$
    select sha256(k.outer_pad || sha256(k.inner_pad || uuid_send(api_callback_mac.id)))
$$;
revoke all on function api_callback_mac(callback_key, uuid) from public;

create or replace function api_callback_token(id uuid) returns text
language sql stable
as $$
    select 'pawl_' || translate(encode(uuid_send(api_callback_token.id) || api_callback_mac(k, api_callback_token.id), 'base64'), E'+/\n', '-_')
    from callback_key k where k.retired is null
$$;
revoke all on function api_callback_token(uuid) from public;

-- The callback whose token that is; NULL: it is forged. All keys are tried, whichever fits, and what is compared is salted
-- and digested, so that the time that it takes tells nothing of where the two differ.
create or replace function api_callback_id(token text) returns uuid
language plpgsql volatile
as $$
declare
    bytes bytea;
    salt bytea := uuid_send(gen_random_uuid());
    said uuid;
begin
    if token !~ '^pawl_[A-Za-z0-9_-]{64}$' then
        return null;
    end if;
    bytes := decode(translate(substr(token, 6), '-_', '+/'), 'base64');
    said := encode(substr(bytes, 1, 16), 'hex')::uuid;
    return case when (select bool_or(sha256(salt || substr(bytes, 17)) = sha256(salt || api_callback_mac(k, said)))
                      from callback_key k where coalesce(k.keep_until > clock(), true)) then said end;
end
$$;
revoke all on function api_callback_id(text) from public;

-- ---- Judging ----

-- What a callback's caller wrote down: texts and objects, for the history.
create or replace function api_callback_logs(logs jsonb) returns jsonb
language plpgsql immutable
as $$
begin
    if logs is null or logs = 'null' then
        return null;
    end if;
    if jsonb_typeof(logs) <> 'array' or exists (
        select from jsonb_array_elements(logs) l where jsonb_typeof(l) not in ('string', 'object')) then
        raise exception using errcode = 'PW003', message = 'logs must be a JSON array of texts and objects',
            hint = 'Example: ["opened the file", {"level": "warn", "message": "3 lines skipped"}].';
    end if;
    if octet_length(logs::text) > 65536 -- LIMIT_CALLBACK_LOGS_BYTES
       or jsonb_array_length(logs) > 1000 then -- LIMIT_CALLBACK_LOGS
        raise exception using errcode = 'PW006',
            message = format('the logs have %s entries and %s bytes, the limits are 1000 (LIMIT_CALLBACK_LOGS) and 65536 (LIMIT_CALLBACK_LOGS_BYTES)',
                             jsonb_array_length(logs), octet_length(logs::text)),
            hint = 'Send what helps a person to understand the outcome, and keep the rest where it was written.';
    end if;
    return logs;
end
$$;
revoke all on function api_callback_logs(jsonb) from public;

-- What becomes of an answer. command: 23 succeeded, 24 failed. state: `done`; `repeated`: the same answer was given
-- before; `different`: another one was; `late`: the task has gone on without it; `forbidden`: not for this caller.
create or replace function api_callback_answer(id uuid, command smallint, error text, cause text, output jsonb, logs jsonb,
                                               caller text, out state text)
language plpgsql volatile
as $$
declare
    given bytea := sha256(convert_to(jsonb_build_array(command, error, cause, output)::text, 'UTF8'));
    body text := api_variables(jsonb_strip_nulls(jsonb_build_object('logs', logs))
                               || case when command = 23 then jsonb_build_object('output', output) else '{}' end);
    who text := coalesce(nullif(caller, ''), 'who has the token');
    c callback;
    before bytea;
begin
    -- Whoever is answering it just now is waited for.
    select k.* into c from callback k where k.id = api_callback_answer.id for update;
    if c.allowed_caller <> caller and c.allowed_caller <> split_part(caller, ' via ', 1) then
        state := 'forbidden';
        return;
    end if;
    select a.digest into before from callback_answer a where a.id = api_callback_answer.id;
    if before is not null then
        state := case when before = given then 'repeated' else 'different' end;
        return;
    end if;
    if c.id is null then
        state := 'late';
        return;
    end if;
    if c.task_id is not null then
        update task t set answered_by = who where t.id = c.task_id and t.answered_by is null;
        if not found then
            state := 'late'; -- somebody has completed the task
            return;
        end if;
    end if;
    update callback k set answered_by = who where k.id = c.id;
    insert into callback_answer (id, digest, tenant, actor, at) values (c.id, given, c.tenant, who, clock());
    insert into inbox (kind, command_id, root_id, instance_id, subject, name, detail, body, actor, tenant, at)
    values (command, c.id, c.root_id, c.instance_id, c.id, error, cause, body, who, c.tenant, clock());
    state := 'done';
end
$$;
revoke all on function api_callback_answer(uuid, smallint, text, text, jsonb, jsonb, text) from public;

-- state: `done`, `late`, `forbidden`. caller '': who has the token, and did not say more.
create or replace function api_callback_heard(id uuid, caller text, out state text)
language plpgsql volatile
as $$
declare
    c callback;
begin
    select k.* into c from callback k where k.id = api_callback_heard.id for update;
    if c.allowed_caller <> caller and c.allowed_caller <> split_part(caller, ' via ', 1) then
        state := 'forbidden';
    elsif c.id is null or c.answered_by is not null then
        state := 'late';
    else
        update callback k set heard = clock() where k.id = c.id;
        state := 'done';
    end if;
end
$$;
revoke all on function api_callback_heard(uuid, text) from public;

-- Raises for what was refused.
create or replace function api_callback_refuse(id uuid, state text, caller text) returns void
language plpgsql volatile
as $$
begin
    if id is null then
        raise exception using errcode = 'PW001', message = 'this is not the token of a callback',
            hint = 'Pass it as it was given to you, whole: it begins with pawl_ and has 69 characters.';
    elsif state = 'forbidden' then
        raise exception using errcode = 'insufficient_privilege',
            message = format('%s may not answer the callback %s', caller, id),
            hint = 'The process has said who may.';
    elsif state = 'different' then
        raise exception using errcode = 'PW002', message = format('the callback %s was answered otherwise before', id),
            hint = 'Only the first answer counts; the same one again is fine.';
    elsif state = 'late' then
        raise exception using errcode = 'PW007', message = format('the callback %s is closed', id),
            hint = 'It was answered, its time was over, or its task was ended in another way: the view history shows how. '
                   'A database role answers for its own tenants only.';
    end if;
end
$$;
revoke all on function api_callback_refuse(uuid, text, text) from public;

create or replace function api_callback_options(options jsonb) returns jsonb
language plpgsql volatile
as $$
begin
    return jsonb_build_object('actor', api_actor(options, array['logs']), 'logs', api_callback_logs(options -> 'logs'));
end
$$;
revoke all on function api_callback_options(jsonb) from public;

create or replace function api_callback_output(output jsonb) returns jsonb
language plpgsql immutable
as $$
begin
    if octet_length(output::text) > 262144 then -- LIMIT_CALLBACK_OUTPUT_BYTES
        raise exception using errcode = 'PW006',
            message = format('the output has %s bytes, the limit is 262144 (LIMIT_CALLBACK_OUTPUT_BYTES)', octet_length(output::text)),
            hint = 'Keep large results elsewhere, and send where they are.';
    end if;
    return coalesce(output, 'null');
end
$$;
revoke all on function api_callback_output(jsonb) from public;

-- The code of a failure: a text, or an object with `code` (and `message`, its cause).
create or replace function api_callback_error(error jsonb) returns text
language plpgsql immutable
as $$
declare
    code text := case jsonb_typeof(error) when 'object' then error ->> 'code' else error #>> '{}' end;
begin
    if jsonb_typeof(error) not in ('string', 'object', 'null') then
        raise exception using errcode = 'PW003', message = 'error must be a text or a JSON object',
            hint = 'Example: {"error": {"code": "NO_PAPER", "message": "the tray is empty"}}.';
    elsif char_length(code) > 256 then -- LIMIT_CALLBACK_ERROR
        raise exception using errcode = 'PW006',
            message = format('error has %s characters, the limit is 256 (LIMIT_CALLBACK_ERROR)', char_length(code)),
            hint = 'It is a code like NO_PAPER; the cause has words for people.';
    end if;
    return code;
end
$$;
revoke all on function api_callback_error(jsonb) from public;

-- What people are told of it; error: see above.
create or replace function api_callback_cause(error jsonb, given text) returns text
language plpgsql immutable
as $$
declare
    cause text := case jsonb_typeof(error) when 'object' then coalesce(error ->> 'message', given) else given end;
begin
    if char_length(cause) > 32768 then -- LIMIT_CALLBACK_CAUSE
        raise exception using errcode = 'PW006',
            message = format('the cause has %s characters, the limit is 32768 (LIMIT_CALLBACK_CAUSE)', char_length(cause)),
            hint = 'Shorten it; logs may have more.';
    end if;
    return cause;
end
$$;
revoke all on function api_callback_cause(jsonb, text) from public;

-- ---- For callers ----

create or replace function succeed_callback(
    token text,
    output jsonb default '{}',
    options jsonb default '{}',
    out callback_id uuid,
    out created boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    given jsonb := api_callback_options(options);
    state text;
begin
    callback_id := api_callback_id(token);
    if callback_id is not null then
        state := api_callback_answer(callback_id, 23::smallint, null, null, api_callback_output(output), given -> 'logs',
                                     given ->> 'actor');
    end if;
    perform api_callback_refuse(callback_id, state, given ->> 'actor');
    created := state = 'done';
end
$$;

revoke all on function succeed_callback(text, jsonb, jsonb) from public;
comment on function succeed_callback(text, jsonb, jsonb) is
'Ends a task that waits for its token: its process goes on when your transaction commits. The same answer again gets the same reply, so that you can repeat it after an error.

- `token`: what the task was given as `callback.token`. PW001 if it is forged; PW007 if the task has gone on meanwhile; PW002 if it was answered otherwise.
- `output`: any JSON, up to 256 KiB. The task''s pawl:output elements see it as `callback.output`; without them the members of an object become variables.
- `options`: `logs`, a JSON array of texts and objects that is kept with the task in the history; `actor`.

Returns the callback''s id, and in `created` whether this call was the one that answered it.';

create or replace function fail_callback(
    token text,
    error text default null,
    cause text default null,
    options jsonb default '{}',
    out callback_id uuid,
    out created boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    given jsonb := api_callback_options(options);
    state text;
begin
    callback_id := api_callback_id(token);
    if callback_id is not null then
        state := api_callback_answer(callback_id, 24::smallint, api_callback_error(to_jsonb(error)), api_callback_cause(null, cause),
                                     null, given -> 'logs', given ->> 'actor');
    end if;
    perform api_callback_refuse(callback_id, state, given ->> 'actor');
    created := state = 'done';
end
$$;

revoke all on function fail_callback(text, text, text, jsonb) from public;
comment on function fail_callback(text, text, text, jsonb) is
'Fails a task that waits for its token: with a BPMN error where the process catches it, else it is tried again by its retry policy with another token, or becomes an incident. Otherwise like succeed_callback().

- `token`: what the task was given as `callback.token`.
- `error`: the code of the error, up to 256 characters; the task''s `failureError` unless told.
- `cause`: a text for people, up to 32,768 characters.
- `options`: `logs`, a JSON array of texts and objects that is kept with the task in the history; `actor`.

Returns the callback''s id, and in `created` whether this call was the one that answered it.';

create or replace function heartbeat_callback(
    token text,
    options jsonb default '{}',
    out callback_id uuid)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    caller text := api_actor(options);
    state text;
begin
    callback_id := api_callback_id(token);
    if callback_id is not null then
        state := api_callback_heard(callback_id, caller);
    end if;
    perform api_callback_refuse(callback_id, state, caller);
end
$$;

revoke all on function heartbeat_callback(text, jsonb) from public;
comment on function heartbeat_callback(text, jsonb) is
'Says that the work of a task that waits for its token goes on: its heartbeat timeout begins anew. One that is accepted always counts. The timeout of the whole task stays.

- `token`: what the task was given as `callback.token`. PW001 if it is forged; PW007 if the task has gone on meanwhile.
- `options`: `actor`.';

create or replace function answer_callback(
    answer jsonb,
    options jsonb default '{}',
    out callback_id uuid,
    out created boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    caller text := api_actor(options);
    state text;
begin
    select a.callback_id, a.state into callback_id, state from api_callback_body(answer, caller, true) a;
    perform api_callback_refuse(callback_id, state, caller);
    created := state = 'done';
end
$$;

revoke all on function answer_callback(jsonb, jsonb) from public;
comment on function answer_callback(jsonb, jsonb) is
'Answers a callback by one JSON object, for callers that send whatever they have.

- `answer`: `id`, needed: the token, or the callback''s id. `error`, if there is one, makes it a failure: the code as a text, or an object with `code` and `message`. `logs`: a JSON array of texts and objects. `output`: the result; where it is missing, all other members are.
- `options`: `actor`.

Returns the callback''s id, and in `created` whether this call was the one that answered it; errors are those of succeed_callback().';

-- by_id: also the callback's id, which is no secret, will do.
create or replace function api_callback_body(answer jsonb, caller text, by_id boolean, out callback_id uuid, out state text)
language plpgsql volatile
as $$
declare
    id text := answer ->> 'id';
    error jsonb := nullif(answer -> 'error', 'null');
    definition integer;
    logs jsonb;
begin
    if jsonb_typeof(answer) is distinct from 'object' or coalesce(jsonb_typeof(answer -> 'id'), '') <> 'string' then
        raise exception using errcode = 'PW003', message = 'a callback is answered by a JSON object with the member id',
            hint = 'Example: {"id": "pawl_…", "output": {"pages": 3}}.';
    end if;
    logs := api_callback_logs(answer -> 'logs');
    callback_id := api_callback_id(id);
    if callback_id is null and by_id and id ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
        callback_id := id::uuid;
        select c.definition_id into definition from callback c where c.id = callback_id;
        if definition is not null then
            perform api_require('work', api_process(definition));
        elsif not exists (select from callback_answer a where a.id = callback_id) then
            callback_id := null; -- nobody can know whether there was one
        end if;
    end if;
    if callback_id is null then
        return;
    end if;
    if error is not null then
        state := api_callback_answer(
            callback_id, 24::smallint, api_callback_error(error), api_callback_cause(error, answer ->> 'cause'), null, logs, caller);
    else
        state := api_callback_answer(
            callback_id, 23::smallint, null, null,
            api_callback_output(case when answer ? 'output' then answer -> 'output' else answer - array['id', 'error', 'logs'] end),
            logs, caller);
    end if;
end
$$;
revoke all on function api_callback_body(jsonb, text, boolean) from public;

-- ---- Over HTTP (server/operations_callbacks.c, sql/queries/http_callbacks.sql) ----

-- verb: `succeed`, `fail`, `heartbeat`; NULL: the body has the id. A caller who may not is no error here, so that the note
-- of it is kept; everything else is.
create or replace function api_callback_http(asked jsonb, verb text, out status integer, out body text, out subject uuid)
language plpgsql volatile
as $$
declare
    caller text := api_actor(null);
    given jsonb := coalesce(nullif(asked -> 'body', 'null'), '{}');
    token text := asked #>> '{path,token}';
    logs jsonb;
    state text;
begin
    if verb is null then
        select a.callback_id, a.state into subject, state from api_callback_body(given, caller, caller <> '') a;
    else
        subject := api_callback_id(token);
        logs := case when jsonb_typeof(given) = 'object' then api_callback_logs(given -> 'logs') end;
    end if;
    if subject is null then
        perform api_callback_refuse(null, null, caller);
    elsif verb = 'heartbeat' then
        state := api_callback_heard(subject, caller);
    elsif verb = 'succeed' then
        state := api_callback_answer(
            subject, 23::smallint, null, null,
            api_callback_output(case when jsonb_typeof(given) <> 'object' then given
                                     when given ? 'output' then given -> 'output' else given - 'logs' end), logs, caller);
    elsif verb = 'fail' then
        state := api_callback_answer(subject, 24::smallint, api_callback_error(given -> 'error'),
                                     api_callback_cause(given -> 'error', given ->> 'cause'), null, logs, caller);
    end if;
    if state = 'forbidden' then
        insert into inbox (kind, command_id, root_id, instance_id, subject, name, body, actor, tenant, at)
        select 104, api_id(), c.root_id, c.instance_id, c.id, 'callbackRefused',
               jsonb_build_object('callback', c.id, 'actor', coalesce(nullif(caller, ''), 'who has the token'),
                                  'token', c.token, 'node', c.node)::text,
               coalesce(nullif(caller, ''), 'who has the token'), c.tenant, clock()
        from callback c where c.id = subject;
        status := 403;
        body := json_build_object('type', null, 'title', 'Forbidden', 'status', 403, 'code', '42501',
                                  'detail', format('%s may not answer this callback', coalesce(nullif(caller, ''), 'whoever has only the token')),
                                  'hint', 'The process has said who may.');
        return;
    end if;
    perform api_callback_refuse(subject, state, caller);
    status := 200;
    body := json_strip_nulls(json_build_object('id', subject,
                                               'created', case when verb is distinct from 'heartbeat' then state = 'done' end));
end
$$;
revoke all on function api_callback_http(jsonb, text) from public;

-- ---- The installation ----

create or replace function set_installation(
    options jsonb,
    out changed text[])
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    caller text := api_actor(options, array['publicUrl', 'callbackLife', 'alertInterval']);
    url text := options ->> 'publicUrl';
begin
    perform api_require_everything();
    select array_agg(k order by k) into changed from jsonb_object_keys(options - 'actor') k;
    if changed is null then
        raise exception using errcode = 'PW003', message = 'there is nothing to set',
            hint = 'Example: options => ''{"publicUrl": "https://engine.example.org"}''.';
    end if;
    if octet_length(url) > 1000 or url !~ '^https?://[^][:space:]?#@/[]+(/[^][:space:]?#[]*)?$' then
        raise exception using errcode = 'PW003', message = 'publicUrl is no address that callers could use',
            hint = 'Write it with http:// or https:// and without ? and #: https://engine.example.org.';
    end if;
    if options -> 'callbackLife' = 'null' then
        raise exception using errcode = 'PW003', message = 'callbackLife may not be null',
            hint = 'Say how long the longest wait is, "1 year" for instance.';
    end if;
    if options -> 'alertInterval' = 'null' then
        raise exception using errcode = 'PW003', message = 'alertInterval may not be null',
            hint = 'Say how far apart alerts of the same cause are, "15 minutes" for instance.';
    end if;
    update installation i set
        public_url = case when options ? 'publicUrl' then rtrim(url, '/') else i.public_url end,
        callback_life = coalesce(api_interval(options, 'callbackLife', '1 second'), i.callback_life),
        alert_interval = coalesce(api_interval(options, 'alertInterval', '1 second'), i.alert_interval);
    perform api_audit('installationSet', caller, null, null, options - 'actor');
end
$$;
revoke all on function set_installation(jsonb) from public;
comment on function set_installation(jsonb) is
'Says what the whole installation shares. What is not named stays as it is; the view installation_settings shows it. Counts for tasks that begin some seconds later.

- `options`:
  - `publicUrl`: the address at which callers reach the engine''s HTTP server, for `callback.url`; null: they do not. A path in front is fine.
  - `callbackLife`: the longest time that a task waits for its token, whatever its timeout says ("1 year").
  - `alertInterval`: alerts of incidents of the same cause are so far apart ("15 minutes").
  - `actor`.';

create or replace view installation_settings as
select i.public_url, i.callback_life, i.alert_interval from installation i;
revoke all on installation_settings from public;
comment on view installation_settings is 'What the whole installation shares: see set_installation().';
comment on column installation_settings.public_url is 'where callers reach the HTTP server; NULL: nobody has said';
comment on column installation_settings.callback_life is 'the longest time that a task waits for its token';
comment on column installation_settings.alert_interval is 'how far apart alerts of the same cause are';

create or replace view callbacks as
select c.id as callback_id, c.instance_id, d.key as process, d.version, i.business_key,
       e.id as element_id, e.name as element_name,
       case when c.answered_by is not null then 'answered' when c.accepted is not null then 'accepted' else 'requested' end
           as state,
       c.attempt, c.made, c.accepted, c.heard, nullif(c.heartbeat_us, 0) * interval '1 microsecond' as heartbeat,
       c.until,
       case when c.heartbeat_us = 0 then c.until
            else least(c.until, coalesce(c.heard, c.made) + c.heartbeat_us * interval '1 microsecond') end as due,
       c.allowed_caller, c.answered_by, c.tenant
from callback c
join instance i on i.id = c.instance_id
join api_read_definition d on d.id = c.definition_id
left join element e on e.definition_id = c.definition_id and e.node = c.node;
revoke all on callbacks from public;
comment on view callbacks is 'Tasks that wait for somebody who has their token. The tokens themselves are nowhere to be seen; how a callback ended is in the views events and history.';
comment on column callbacks.callback_id is 'what expressions know as `callback.id`';
comment on column callbacks.state is '`requested`; `accepted`: what the task does itself is done, a service has taken its request for instance; `answered`: the engine has not carried the answer out yet, or an incident holds it';
comment on column callbacks.attempt is 'each attempt of the task has a token of its own';
comment on column callbacks.made is 'when the task began to wait';
comment on column callbacks.heard is 'the last heartbeat';
comment on column callbacks.heartbeat is 'how long it may be silent; NULL: as long as it likes';
comment on column callbacks.until is 'when its time is over';
comment on column callbacks.due is 'when it is late: the end of its time, or of its silence';
comment on column callbacks.allowed_caller is 'the only one who may answer; NULL: whoever has the token';
