-- SPDX-License-Identifier: Apache-2.0
-- Webhooks that come in: what others send to /webhooks/NAME, once its signature was verified (server/webhook.c), becomes an
-- event, a message, an answer to a callback, or an instance. docs/webhooks.md.

-- ---- Settings ----

create or replace function api_webhook_scheme(options jsonb) returns jsonb
language plpgsql stable
as $$
declare
    scheme text := coalesce(api_choice('scheme', options -> 'scheme', array['standard', 'hmac', 'none']), 'standard');
    signature jsonb := coalesce(options -> 'signature', '{}');
begin
    if scheme = 'none' then
        if options ? 'secret' or options ? 'signature' then
            raise exception using errcode = 'PW003', message = 'a webhook of the scheme "none" has no secret',
                hint = 'Who sends to it shows a bearer token of a user with the right "start".';
        end if;
        return jsonb_build_object('scheme', scheme);
    elsif scheme = 'standard' and options ? 'signature' then
        raise exception using errcode = 'PW003', message = 'the option signature is for the scheme "hmac" alone',
            hint = 'Standard Webhooks say themselves where the signature is.';
    elsif scheme = 'standard' then
        return jsonb_build_object('scheme', scheme, 'secret', api_references('secret', options -> 'secret'));
    end if;
    perform api_members('signature', signature, array['header', 'algorithm', 'prefix', 'encoding']);
    if coalesce(signature ->> 'header', '') !~ '^[A-Za-z0-9-]{1,100}$' then
        raise exception using errcode = 'PW003', message = 'the option signature.header must be the name of a header',
            hint = 'Example: {"scheme": "hmac", "signature": {"header": "X-Hub-Signature-256", "prefix": "sha256="}}.';
    end if;
    return jsonb_build_object(
        'scheme', scheme, 'secret', api_references('secret', options -> 'secret'), 'header', signature ->> 'header',
        'algorithm', coalesce(api_choice('signature.algorithm', signature -> 'algorithm', array['sha256', 'sha1', 'sha384', 'sha512']), 'sha256'),
        'prefix', coalesce(api_token('signature.prefix', signature -> 'prefix', false), ''),
        'encoding', coalesce(api_choice('signature.encoding', signature -> 'encoding', array['hex', 'base64']), 'hex'));
end
$$;
revoke all on function api_webhook_scheme(jsonb) from public;

-- A text, or $.body.… or $.headers.…: where it is to be found.
create or replace function api_webhook_place(option text, given jsonb, required boolean) returns text
language plpgsql immutable
as $$
begin
    if coalesce(jsonb_typeof(given), 'null') = 'null' and not required then
        return null;
    end if;
    if jsonb_typeof(given) is distinct from 'string' or given #>> '{}' = '' or octet_length(given #>> '{}') > 255
       or given #>> '{}' ~ '^[$]' and given #>> '{}' !~ '^[$][.](body([.][^.]+)*|headers[.][A-Za-z0-9-]+)$' then
        raise exception using errcode = 'PW003',
            message = format('the option %s must be a text, or say where to find one', option),
            hint = 'Examples: "order.paid", "$.body.order.id", "$.headers.x-github-event".';
    end if;
    return given #>> '{}';
end
$$;
revoke all on function api_webhook_place(text, jsonb, boolean) from public;

create or replace function api_webhook_target(options jsonb, name text, tenant text) returns jsonb
language plpgsql stable
as $$
declare
    kinds text[] := array(select k from jsonb_object_keys(options) k where k in ('event', 'message', 'callback', 'start'));
    kind text := kinds[1];
    given jsonb := options -> kind;
begin
    if cardinality(kinds) <> 1 then
        raise exception using errcode = 'PW003', message = 'a webhook has one of the options event, message, callback and start',
            hint = 'Example: {"event": {"type": "$.body.type"}}.';
    end if;
    case kind
    when 'event' then
        perform api_members('event', given, array['bus', 'source', 'type']),
                api_event_bus_there(coalesce(given ->> 'bus', 'default'), tenant);
        given := jsonb_build_object('bus', coalesce(given ->> 'bus', 'default'),
            'source', coalesce(api_webhook_place('event.source', given -> 'source', false), 'webhook.' || name),
            'type', coalesce(api_webhook_place('event.type', given -> 'type', false), 'webhook'));
    when 'message' then
        perform api_members('message', given, array['name', 'key', 'variable', 'ttl']), api_interval(given, 'ttl', '0');
        given := jsonb_build_object('name', api_webhook_place('message.name', given -> 'name', true),
            'key', api_webhook_place('message.key', given -> 'key', false), 'ttl', given -> 'ttl',
            'variable', api_token('message.variable', given -> 'variable', false));
    when 'callback' then
        perform api_members('callback', given, array['token', 'output', 'error', 'cause']);
        given := jsonb_build_object('token', api_webhook_place('callback.token', given -> 'token', true),
            'output', coalesce(api_webhook_place('callback.output', given -> 'output', false), '$.body'),
            'error', api_webhook_place('callback.error', given -> 'error', false),
            'cause', api_webhook_place('callback.cause', given -> 'cause', false));
    when 'start' then
        perform api_members('start', given, array['process', 'businessKey', 'variable']);
        given := jsonb_build_object('process', api_webhook_place('start.process', given -> 'process', true),
            'businessKey', api_webhook_place('start.businessKey', given -> 'businessKey', false),
            'variable', api_token('start.variable', given -> 'variable', false));
    end case;
    return jsonb_build_object('kind', kind) || jsonb_strip_nulls(given);
end
$$;
revoke all on function api_webhook_target(jsonb, text, text) from public;

create or replace function set_webhook(name text, options jsonb, out webhook text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(set_webhook.options, array['scheme', 'secret', 'signature', 'id', 'tolerance', 'enabled', 'event',
                                                        'message', 'callback', 'start', 'tenant']);
    tenant text := api_tenant(set_webhook.options);
    tolerance interval := coalesce(api_interval(set_webhook.options, 'tolerance', '1 s'), '5 minutes');
begin
    perform api_require_everything();
    if set_webhook.name is null or set_webhook.name !~ '^[A-Za-z0-9._-]{1,100}$' then
        raise exception using errcode = 'PW003', message = 'the name of a webhook has letters, digits and . _ - alone',
            hint = 'It is the end of the address that others send to: /webhooks/github.';
    elsif set_webhook.options is null then
        raise exception using errcode = 'PW003', message = 'options are missing',
            hint = 'Example: {"secret": "file:/etc/pawl/github", "event": {"type": "$.body.type"}}.';
    elsif tolerance > '1 day' then
        raise exception using errcode = 'PW003', message = 'the option tolerance is longer than a day',
            hint = 'It is how old a message may be; ids are remembered for a day.';
    end if;
    insert into webhook (name, tenant, verify, target, id_header, tolerance, enabled, actor, at)
    values (set_webhook.name, tenant, api_webhook_scheme(set_webhook.options),
            api_webhook_target(set_webhook.options, set_webhook.name, tenant),
            lower(api_token('id', set_webhook.options -> 'id', false)), tolerance,
            coalesce(api_flag('enabled', set_webhook.options -> 'enabled'), true), caller, clock())
    on conflict (name) do update set tenant = excluded.tenant, verify = excluded.verify, target = excluded.target,
        id_header = excluded.id_header, tolerance = excluded.tolerance, enabled = excluded.enabled, actor = excluded.actor,
        at = excluded.at;
    perform api_audit('webhookSet', caller, tenant, set_webhook.name, null);
    set_webhook.webhook := set_webhook.name;
end
$$;
revoke all on function set_webhook(text, jsonb) from public;
comment on function set_webhook(text, jsonb) is
'Says what becomes of what others send to /webhooks/NAME, or replaces all that was said of it. Counts from the next request on.

- `name`: letters, digits and . _ -
- `options`:
  - `scheme`: `standard` (the default): signed as Standard Webhooks 1.0.0 say; `hmac`: a header has an HMAC of the body, and `signature` says how: `header`, `algorithm` (sha256, sha1, sha384, sha512), `prefix` ("sha256="), `encoding` (hex, base64); `none`: not signed, but sent by a user with the right `start`.
  - `secret`: where it is ("file:/path", "env:NAME", "credential:NAME"), or up to five of them while one is changed for another.
  - `tolerance`: how far the time of a message may be from ours ("PT5M"), `standard` alone.
  - `id`: of the other schemes: the header that tells a message from others, such as "X-GitHub-Delivery". A message comes in once; its id is remembered for a day.
  - What becomes of it, one of these. A member is a text, or says where it is: "$.body.order.id", "$.headers.x-github-event".
    - `event`: an event, whose detail is the body: `bus` ("default"), `source` ("webhook.NAME"), `type` ("webhook").
    - `message`: a message: `name`, `key`; `ttl` ("PT10M"); `variable`: the body is the variable of this name, else its members are variables.
    - `callback`: an answer to a callback: `token`; `output` ("$.body"); `error` and `cause`: where there is an error, the task fails.
    - `start`: an instance of `process`: `businessKey`; `variable` as above.
  - `enabled`: false: the address answers 404; `tenant`: for which it acts; `actor`.';

create or replace function drop_webhook(name text, options jsonb default '{}', out webhook text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(drop_webhook.options);
begin
    perform api_require_everything();
    delete from webhook w where w.name = drop_webhook.name returning w.name into drop_webhook.webhook;
    if not found then
        raise exception using errcode = 'PW001', message = format('there is no webhook "%s"', left(drop_webhook.name, 100)),
            hint = 'The view webhooks lists them.';
    end if;
    perform api_audit('webhookDropped', caller, null, drop_webhook.name, null);
end
$$;
revoke all on function drop_webhook(text, jsonb) from public;
comment on function drop_webhook(text, jsonb) is
'Removes a webhook: its address answers 404.

- `name`: PW001 if there is none.
- `options`: `actor`.';

create or replace view webhooks as
select w.name, w.tenant, w.verify ->> 'scheme' as scheme, w.verify - 'scheme' as signature, w.target ->> 'kind' as kind,
       w.target - 'kind' as target, w.tolerance, w.enabled, w.actor, w.at,
       (select count(*) from webhook_seen s where s.webhook = w.name) as today
from webhook w
where (select api_engine()) or (select api_all_tenants());
revoke all on webhooks from public;
comment on view webhooks is 'Where others may send to: /webhooks/NAME.';
comment on column webhooks.signature is 'how messages are verified, and where the secrets are';
comment on column webhooks.kind is '`event`, `message`, `callback` or `start`';
comment on column webhooks.today is 'messages with an id that came in within a day';

-- ---- For the server ----

-- What it must know to verify a message, and whom it acts for afterwards.
create or replace function api_webhook(name text) returns jsonb
language plpgsql stable
as $$
declare
    w webhook;
begin
    select k.* into w from webhook k where k.name = api_webhook.name and k.enabled;
    if not found then
        raise exception using errcode = 'PW001', message = 'there is no webhook of this name',
            hint = 'set_webhook() makes one; it may have been disabled.';
    end if;
    return w.verify || jsonb_strip_nulls(jsonb_build_object(
        'idHeader', w.id_header, 'toleranceS', ceil(extract(epoch from w.tolerance)),
        'headers', (select jsonb_agg(distinct lower(substring(t.value from '^[$][.]headers[.](.*)$')))
                    from jsonb_each_text(w.target) t where t.value ~ '^[$][.]headers[.]'),
        'name', 'webhook:' || w.name,
        'caller', jsonb_build_object('name', 'webhook:' || w.name, 'rights', '["start", "work"]'::jsonb,
                                     -- Of a callback the token says for which tenant.
                                     'tenants', case when w.target ->> 'kind' <> 'callback' then jsonb_build_array(w.tenant) end)::text));
end
$$;
revoke all on function api_webhook(text) from public;

-- What is at a place; a text that is no place is itself.
create or replace function api_webhook_at(place text, given jsonb) returns jsonb
language sql immutable
as $$
    select case when place ~ '^[$][.]headers[.]' then given -> 'headers' -> lower(substr(place, 11))
                when place ~ '^[$]' then given #> string_to_array(substr(place, 3), '.')
                else to_jsonb(place) end
$$;
revoke all on function api_webhook_at(text, jsonb) from public;

-- The text of a member that must be there.
create or replace function api_webhook_text(target jsonb, member text, given jsonb) returns text
language plpgsql immutable
as $$
declare
    found text := api_webhook_at(target ->> member, given) #>> '{}';
begin
    if coalesce(found, '') = '' then
        raise exception using errcode = 'PW003',
            message = format('the message has no %s at %s', member, target ->> member),
            hint = 'The webhook''s settings say where it is looked for.';
    end if;
    return found;
end
$$;
revoke all on function api_webhook_text(jsonb, text, jsonb) from public;

create or replace function api_webhook_variables(target jsonb, body jsonb) returns jsonb
language sql immutable
as $$
    select case when target ? 'variable' then jsonb_build_object(target ->> 'variable', body)
                when jsonb_typeof(body) = 'object' then body else jsonb_build_object('body', body) end
$$;
revoke all on function api_webhook_variables(jsonb, jsonb) from public;

-- given: {"id", "body", "headers"} of a message that was verified. What became of it: null: it has come before.
create or replace function api_webhook_receive(name text, given jsonb) returns jsonb
language plpgsql volatile
as $$
declare
    t jsonb;
    body jsonb := given -> 'body';
    acting jsonb;
    failure text;
    event record;
begin
    select w.target, jsonb_build_object('tenant', w.tenant) into t, acting from webhook w where w.name = api_webhook_receive.name;
    if t is null then
        raise exception using errcode = 'PW001', message = 'there is no webhook of this name any more',
            hint = 'It was dropped a moment ago.';
    elsif not coalesce(acting ->> 'tenant' = any (api_tenants()), true) then
        -- Of one that is not signed. Whose it is, is nobody's business.
        raise exception using errcode = 'insufficient_privilege', message = format('%s may not send to this webhook', api_actor('{}')),
            hint = 'It acts for a tenant that is not one of his.';
    elsif given ->> 'id' is not null then
        -- Waits for the same message where it is just coming in by another connection.
        insert into webhook_seen (webhook, id, at) values (name, given ->> 'id', clock()) on conflict do nothing;
        if not found then
            return null;
        end if;
    end if;
    case t ->> 'kind'
    when 'event' then
        select e.event_id, e.error_message into event from put_events(
            jsonb_build_array(jsonb_build_object(
                'bus', t ->> 'bus', 'source', api_webhook_text(t, 'source', given),
                'detailType', api_webhook_text(t, 'type', given),
                'detail', case jsonb_typeof(body) when 'object' then body else jsonb_build_object('body', body) end)), acting) e;
        if event.error_message is not null then
            raise exception using errcode = 'PW003', message = event.error_message, hint = 'The message becomes no event as it is.';
        end if;
        return jsonb_build_object('eventId', event.event_id);
    when 'message' then
        return jsonb_build_object('messageId', publish(
            api_webhook_text(t, 'name', given), case when t ? 'key' then api_webhook_text(t, 'key', given) else '' end,
            api_webhook_variables(t, body), coalesce(api_interval(t, 'ttl', '0'), '10 minutes'), acting));
    when 'start' then
        return (select jsonb_build_object('instanceId', s.instance_id) from start(
            api_webhook_text(t, 'process', given),
            case when t ? 'businessKey' then api_webhook_text(t, 'businessKey', given) end, api_webhook_variables(t, body),
            options => acting) s);
    when 'callback' then
        failure := nullif(api_webhook_at(t ->> 'error', given) #>> '{}', '');
        if failure is null then
            return (select jsonb_build_object('callbackId', c.callback_id)
                    from succeed_callback(api_webhook_text(t, 'token', given), api_webhook_at(t ->> 'output', given)) c);
        end if;
        return (select jsonb_build_object('callbackId', c.callback_id)
                from fail_callback(api_webhook_text(t, 'token', given), failure, api_webhook_at(t ->> 'cause', given) #>> '{}') c);
    end case;
end
$$;
revoke all on function api_webhook_receive(text, jsonb) from public;
