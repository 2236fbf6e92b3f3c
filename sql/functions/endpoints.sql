-- SPDX-License-Identifier: Apache-2.0
-- Endpoints: the services that processes call.

-- An interval out of an options object; NULL if it is not there. ISO 8601 ('PT5S') or '5 s'.
create or replace function api_interval(options jsonb, option text, least_allowed interval) returns interval
language plpgsql immutable
as $$
declare
    given text := options ->> option;
begin
    if given is null then
        return null;
    end if;
    if given !~ '^(P(\d{1,5}D)?(T(?=\d)(\d{1,6}H)?(\d{1,6}M)?(\d{1,9}([.]\d{1,6})?S)?)?|\d{1,9}([.]\d{1,6})? ?(ms|s|sec|seconds?|min|minutes?|h|hours?|days?))$'
       or given = 'P' or given::interval < least_allowed then
        raise exception using errcode = 'PW003',
            message = format('the option %s is "%s", which is not a possible length of time', option, left(given, 40)),
            hint = 'Examples: "PT5S", "5 s", "250 ms", "10 minutes".';
    end if;
    return given::interval;
end
$$;
revoke all on function api_interval(jsonb, text, interval) from public;

-- A number out of an options object; NULL if it is not there.
create or replace function api_number(options jsonb, option text, lowest numeric, highest numeric, whole boolean)
returns numeric
language plpgsql immutable
as $$
declare
    given numeric;
begin
    if coalesce(options ->> option, '') = '' and coalesce(jsonb_typeof(options -> option), 'null') = 'null' then
        return null;
    end if;
    if jsonb_typeof(options -> option) = 'number' then
        given := (options ->> option)::numeric;
        if given >= lowest and given <= highest and (not whole or given = trunc(given)) then
            return given;
        end if;
    end if;
    raise exception using errcode = 'PW003',
        message = format('the option %s must be a %s from %s to %s', option,
                         case when whole then 'whole number' else 'number' end, lowest, highest),
        hint = format('Example: options => ''{"%s": %s}''.', option, greatest(lowest, 1));
end
$$;
revoke all on function api_number(jsonb, text, numeric, numeric, boolean) from public;

-- The headers that each request carries.
create or replace function api_headers(given jsonb) returns jsonb
language plpgsql immutable
as $$
declare
    stray text;
begin
    if coalesce(jsonb_typeof(given), 'null') = 'null' then
        return '{}';
    end if;
    if jsonb_typeof(given) <> 'object' then
        raise exception using errcode = 'PW003', message = 'the option headers must be an object of texts',
            hint = 'Example: options => ''{"headers": {"User-Agent": "our-shop"}}''.';
    end if;
    if octet_length(given::text) > 65536 then
        raise exception using errcode = 'PW006', message = 'the headers have more than 65536 bytes',
            hint = 'Use fewer or shorter ones.';
    end if;
    select e.key into stray from jsonb_each(given) e
    where jsonb_typeof(e.value) not in ('string', 'object') or e.key !~ '^[A-Za-z0-9!#$%&''*+.^_`|~-]+$'
       or (given ->> e.key) ~ '[\x01-\x08\x0A-\x1F\x7F]'
    order by e.key limit 1;
    if found then
        raise exception using errcode = 'PW003', message = format('the header "%s" cannot be sent', left(stray, 40)),
            hint = 'A name has letters, digits and hyphens; a value is a text without line breaks.';
    end if;
    perform api_members(format('headers.%s', e.key), e.value, array['secret']),
            api_reference(format('headers.%s.secret', e.key), e.value -> 'secret', true)
    from jsonb_each(given) e where jsonb_typeof(e.value) = 'object';
    return given;
end
$$;
revoke all on function api_headers(jsonb) from public;

create or replace function set_endpoint(
    name text,
    base_url text,
    options jsonb default '{}',
    out endpoint text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    rate numeric;
    burst integer;
    in_flight integer;
    connecting interval;
    whole interval;
    kept interval;
    sent jsonb;
    transport jsonb;
begin
    perform api_actor(set_endpoint.options, array['rate', 'burst', 'maxInFlight', 'connectTimeout', 'timeout',
                                                  'cache', 'repeatUnknown', 'headers', 'tls', 'proxy', 'redirects',
                                                  'http', 'allow', 'maxResponse', 'auth', 'connections']),
            api_text('name', set_endpoint.name, true);
    if set_endpoint.base_url is null or octet_length(set_endpoint.base_url) > 8192 -- LIMIT_URL_BYTES
       or set_endpoint.base_url !~* '^https?://([a-z0-9._~%-]+|\[[0-9a-f:.]+\])(:\d{1,5})?(/[^\s?#]*)?$' then
        raise exception using errcode = 'PW003',
            message = format('"%s" is no base URL', left(set_endpoint.base_url, 100)),
            hint = 'It begins with http:// or https://, names a host, and has no query, user or password. '
                   'Example: https://geocoder.example/v1. A secret belongs in a header.';
    end if;
    if jsonb_typeof(set_endpoint.options -> 'repeatUnknown') not in ('boolean', 'null') then
        raise exception using errcode = 'PW003', message = 'the option repeatUnknown must be true or false',
            hint = 'Leave it out to decide by the method: GET, HEAD, OPTIONS, PUT and DELETE are repeated.';
    end if;
    rate := api_number(set_endpoint.options, 'rate', 0.001, 1000000, false);
    burst := coalesce(api_number(set_endpoint.options, 'burst', 1, 1000000, true), 1);
    in_flight := coalesce(api_number(set_endpoint.options, 'maxInFlight', 1, 10000, true), 100);
    connecting := coalesce(api_interval(set_endpoint.options, 'connectTimeout', '1 ms'), '5 s');
    whole := coalesce(api_interval(set_endpoint.options, 'timeout', '1 ms'), '30 s');
    kept := api_interval(set_endpoint.options, 'cache', '0');
    sent := api_headers(set_endpoint.options -> 'headers');
    transport := api_transport(set_endpoint.options);

    insert into endpoint as e (name, base_url, rate, burst, max_in_flight, connect_timeout, timeout, cache,
                               repeat_unknown, headers, transport)
    values (set_endpoint.name, rtrim(set_endpoint.base_url, '/'), rate, burst, in_flight, connecting, whole, kept,
            (set_endpoint.options ->> 'repeatUnknown')::boolean, sent, transport)
    on conflict (name) do update set
        base_url = excluded.base_url, rate = excluded.rate, burst = excluded.burst,
        max_in_flight = excluded.max_in_flight, connect_timeout = excluded.connect_timeout,
        timeout = excluded.timeout, cache = excluded.cache, repeat_unknown = excluded.repeat_unknown,
        headers = excluded.headers, transport = excluded.transport;
    set_endpoint.endpoint := set_endpoint.name;
end
$$;

revoke all on function set_endpoint(text, text, jsonb) from public;
comment on function set_endpoint(text, text, jsonb) is
'Defines a service that processes call, or replaces its whole definition. Commit soon: until then no call to it leaves.

- `name`: what the model says in `endpoint`.
- `base_url`: http or https; the path of a request is added to it.
- `options`, all of them optional:
  - `rate`: requests a second, for all nodes of the engine together; no limit by default. `burst`: how many may leave at once (1).
  - `maxInFlight`: requests under way at a time (100).
  - `connectTimeout` ("PT5S") and `timeout` ("PT30S"), of the whole request. Waiting for the rate does not count.
  - `cache`: how long the answer to a GET is used again; not at all by default.
  - `repeatUnknown`: whether a request is sent again when the engine died while it was under way. By default GET, HEAD, OPTIONS, PUT and DELETE are, others wait for a decision (retry()).
  - `headers`: an object of texts, sent with each request. Values are hidden in the view endpoints. A value `{"secret": "file:/path"}` is read by the engine when it is needed.
  - `tls`, `proxy`, `redirects`, `http`, `allow`, `maxResponse`, `auth`, `connections`: how requests travel and what may be reached. docs/endpoints.md has their members.';

create or replace function drop_endpoint(name text, out endpoint text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    waiting bigint := (select count(*) from call c where c.endpoint = drop_endpoint.name);
begin
    if waiting > 0 then
        raise exception using errcode = 'PW002',
            message = format('%s calls to the endpoint "%s" are not finished', waiting, drop_endpoint.name),
            hint = 'The view calls lists them. Wait for them, or cancel their instances.';
    end if;
    delete from endpoint e where e.name = drop_endpoint.name;
    if not found then
        raise exception using errcode = 'PW001',
            message = format('there is no endpoint "%s"', drop_endpoint.name),
            hint = 'The view endpoints lists them.';
    end if;
    drop_endpoint.endpoint := drop_endpoint.name;
end
$$;

revoke all on function drop_endpoint(text) from public;
comment on function drop_endpoint(text) is
'Removes an endpoint. Refused with PW002 while calls to it are not finished. A process that calls it later gets an incident.

- `name`: of the endpoint. PW001 if there is none.';
