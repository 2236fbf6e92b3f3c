-- SPDX-License-Identifier: Apache-2.0
-- Endpoints: the services that processes call.

-- An interval out of an options object; NULL if it is not there. ISO 8601 ('PT5S') or '5 s'; a century at
-- most, so that it can be counted in microseconds and taken from any time.
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
       or given = 'P' or given::interval < least_allowed or given::interval > '36500 days' then
        raise exception using errcode = 'PW003',
            message = format('the option %s is "%s", which is not a possible length of time', option, left(given, 40)),
            hint = 'Examples: "PT5S", "5 s", "250 ms", "10 minutes"; at most 36500 days.';
    end if;
    return given::interval;
end
$$;
revoke all on function api_interval(jsonb, text, interval) from public;

-- Microseconds.
create or replace function api_us(length text) returns bigint
language sql stable
as $$ select (extract(epoch from length::interval) * 1000000)::bigint $$;
revoke all on function api_us(text) from public;

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
        hint = format('Example: options => ''{"%s": %s}''.', replace(option, '.', '": {"'),
                      greatest(lowest, 1) || repeat('}', regexp_count(option, '[.]')));
end
$$;
revoke all on function api_number(jsonb, text, numeric, numeric, boolean) from public;

-- The headers that each request carries.
create or replace function api_headers(given jsonb) returns jsonb
language plpgsql stable
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
    select e.key into stray from jsonb_each(given) e where jsonb_typeof(e.value) = 'string' and api_secret(e.key)
    order by e.key limit 1;
    if found then
        raise exception using errcode = 'PW003',
            message = format('the header "%s" must say where its secret is, not be one', left(stray, 40)),
            hint = format('Example: options => ''{"headers": {"%s": {"secret": "file:/an/absolute/path"}}}''. Or the option auth.', left(stray, 40));
    end if;
    perform api_members(format('headers.%s', e.key), e.value, array['secret']),
            api_reference(format('headers.%s.secret', e.key), e.value -> 'secret', true)
    from jsonb_each(given) e where jsonb_typeof(e.value) = 'object';
    return given;
end
$$;
revoke all on function api_headers(jsonb) from public;

-- When requests are kept back from a service that fails: the whole setting, with its defaults; NULL: never.
create or replace function api_breaker(given jsonb) returns jsonb
language plpgsql immutable
as $$
declare
    kind text := coalesce(jsonb_typeof(given), 'null');
    named jsonb; -- by the names that people are told
    opened interval;
    longest interval;
begin
    if given = 'false' then
        return null;
    elsif kind = 'null' or given = 'true' then
        given := '{}';
    elsif kind <> 'object' then
        raise exception using errcode = 'PW003', message = 'the option breaker must be an object, or false',
            hint = 'Example: options => ''{"breaker": {"failures": 0.5, "open": "PT30S", "probes": 2}}''.';
    end if;
    perform api_members('breaker', given, api_endpoint_members('breaker'));
    select coalesce(jsonb_object_agg('breaker.' || e.key, e.value), '{}') into named from jsonb_each(given) e;
    if jsonb_typeof(given -> 'window') = 'string' then
        perform api_interval(named, 'breaker.window', '1 s');
    else
        perform api_number(named, 'breaker.window', 1, 1000000000, true);
        if (given ->> 'window')::numeric > 1000 then -- LIMIT_BREAKER_WINDOW
            raise exception using errcode = 'PW006',
                message = 'a circuit breaker looks at 1000 calls at most (LIMIT_BREAKER_WINDOW)',
                hint = 'Choose a time for its window: {"breaker": {"window": "PT30S"}}.';
        end if;
    end if;
    opened := coalesce(api_interval(named, 'breaker.open', '1 ms'), '10 s');
    longest := coalesce(api_interval(named, 'breaker.maxOpen', '1 ms'), greatest('5 minutes', opened));
    if longest < opened then
        raise exception using errcode = 'PW003', message = 'the option breaker.maxOpen is shorter than breaker.open',
            hint = 'open is how long the circuit stays open at first; it doubles up to maxOpen.';
    end if;
    perform api_interval(named, 'breaker.slow', '1 ms');
    return jsonb_build_object(
        'window', coalesce(nullif(given -> 'window', 'null'), '100'),
        'minimum', coalesce(api_number(named, 'breaker.minimum', 1, 1000, true), 20),
        'failures', coalesce(api_number(named, 'breaker.failures', 0.01, 1, false), 0.5),
        'slow', given -> 'slow',
        'slowRate', coalesce(api_number(named, 'breaker.slowRate', 0.01, 1, false), 0.5),
        'open', coalesce(given ->> 'open', 'PT10S'),
        'maxOpen', coalesce(given ->> 'maxOpen', case when longest = '5 minutes' then 'PT5M' else given ->> 'open' end),
        'probes', coalesce(api_number(named, 'breaker.probes', 1, 100, true), 1));
end
$$;
revoke all on function api_breaker(jsonb) from public;

-- What is behind an endpoint: an outside service, a C function of the program that embeds the engine, or the scripts.
create or replace function api_endpoint_kind(name text) returns text
language sql immutable
as $$
    select case when name = 'delegate:javascript' then 'script' when starts_with(name, 'delegate:') then 'delegate' else 'service' end
$$;
revoke all on function api_endpoint_kind(text) from public;

-- What was seen elsewhere, or what nobody looks at any more, keeps nothing back.
create or replace function api_endpoint_forget(endpoint text, moved boolean, unwatched boolean) returns void
language sql volatile
as $$
    update endpoint_state s set version = s.version + 1, circuit = 0, since = clock(), until = '-infinity', openings = 0,
        probes = 0, good = 0, held = case when moved then '-infinity' else s.held end,
        why = case when moved then 'its base URL was changed' else 'it has no circuit breaker any more' end
    where s.name = endpoint and not s.forced
      and (s.circuit <> 0 and (moved or unwatched) or moved and s.held > '-infinity')
$$;
revoke all on function api_endpoint_forget(text, boolean, boolean) from public;

create or replace function set_endpoint(
    name text,
    base_url text default null,
    options jsonb default '{}',
    out endpoint text,
    out created boolean,
    out changed jsonb)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    limits text[] := array['rate', 'burst', 'maxInFlight', 'maxInFlightAll', 'connectTimeout', 'timeout', 'cache', 'unknown',
                           'retryBudget', 'breaker'];
    travel text[] := array['headers', 'tls', 'proxy', 'redirects', 'http', 'allow', 'maxResponse', 'auth', 'sign', 'connections'];
    caller text := api_actor(set_endpoint.options, limits || travel || array['replace']);
    anew boolean := coalesce(api_flag('replace', set_endpoint.options -> 'replace'), false);
    given jsonb := coalesce(set_endpoint.options, '{}') - array['actor', 'replace'];
    old endpoint;
    fresh endpoint;
begin
    perform api_text('name', set_endpoint.name, true), api_require_everything();
    if starts_with(set_endpoint.name, 'delegate:') then -- the limits of a C delegate: it has no URL
        set_endpoint.base_url := set_endpoint.name;
    elsif octet_length(set_endpoint.base_url) > 8192 -- LIMIT_URL_BYTES
       or set_endpoint.base_url !~* '^https?://([a-z0-9._~%-]+|\[[0-9a-f:.]+\])(:\d{1,5})?(/[^\s?#]*)?$' then
        raise exception using errcode = 'PW003',
            message = case when set_endpoint.base_url ~ '[@?]' then 'a base URL has no user, password or query' -- not shown: it may be secret
                           else format('"%s" is no base URL', left(set_endpoint.base_url, 100)) end,
            hint = 'It begins with http:// or https:// and names a host. Example: https://geocoder.example/v1. '
                   'Who we are is told by the option auth.';
    elsif set_endpoint.base_url is null and given = '{}' and not anew then
        raise exception using errcode = 'PW003', message = 'there is nothing to set',
            hint = 'Give a base URL, or options. The view endpoints shows what is set.';
    end if;
    set_endpoint.created := false;
    if set_endpoint.base_url is not null then
        insert into endpoint (name, base_url) values (set_endpoint.name, rtrim(set_endpoint.base_url, '/')) on conflict do nothing;
        set_endpoint.created := found;
        insert into endpoint_state (name) values (set_endpoint.name) on conflict do nothing;
    end if;
    select e.* into old from endpoint e where e.name = set_endpoint.name for no key update;
    if not found then
        raise exception using errcode = 'PW001', message = format('there is no endpoint "%s"', set_endpoint.name),
            hint = 'Give its base URL to make it. The view endpoints lists those that are there.';
    end if;
    fresh := old;
    fresh.base_url := coalesce(rtrim(set_endpoint.base_url, '/'), old.base_url);
    perform api_members(g.key, g.value, api_endpoint_members(g.key)) -- a slip in what shall be the default again
    from jsonb_each(given) g where jsonb_typeof(g.value) = 'object' and api_endpoint_members(g.key) is not null;
    fresh.options := api_endpoint_options(case when anew then '{}' else old.options end, given);
    set_endpoint.endpoint := set_endpoint.name;
    if not created and fresh.base_url = old.base_url and fresh.options = old.options then
        set_endpoint.changed := '{}';
        return;
    end if;

    fresh.rate := api_number(fresh.options, 'rate', 0.001, 1000000, false);
    fresh.burst := coalesce(api_number(fresh.options, 'burst', 1, 1000000, true), 1);
    fresh.max_in_flight := coalesce(api_number(fresh.options, 'maxInFlight', 1, 10000, true), 100);
    fresh.max_in_flight_all := api_number(fresh.options, 'maxInFlightAll', 1, 1000000, true);
    fresh.connect_timeout := coalesce(api_interval(fresh.options, 'connectTimeout', '1 ms'), '5 s');
    fresh.timeout := coalesce(api_interval(fresh.options, 'timeout', '1 ms'), '30 s');
    fresh.cache := api_interval(fresh.options, 'cache', '0');
    fresh.unknown := api_choice('unknown', fresh.options -> 'unknown', array['repeat', 'fail', 'ask']);
    fresh.retry_budget := api_number(fresh.options, 'retryBudget', 0, 1, false);
    fresh.breaker := api_breaker(fresh.options -> 'breaker');
    -- Where requests go and what they carry was judged by what its setter may name (api_reference()). Over HTTP its secrets
    -- may be kept while limits change, but they go nowhere else.
    if fresh.base_url <> old.base_url or fresh.options - limits <> old.options - limits then
        fresh.headers := api_headers(fresh.options -> 'headers');
        fresh.transport := api_transport(fresh.options);
    end if;
    update endpoint e set
        base_url = fresh.base_url, rate = fresh.rate, burst = fresh.burst, max_in_flight = fresh.max_in_flight,
        max_in_flight_all = fresh.max_in_flight_all, connect_timeout = fresh.connect_timeout, timeout = fresh.timeout,
        cache = fresh.cache, unknown = fresh.unknown, retry_budget = fresh.retry_budget, breaker = fresh.breaker,
        headers = fresh.headers, transport = fresh.transport, options = fresh.options
    where e.name = fresh.name;
    set_endpoint.changed := api_endpoint_changes(
        old.options || case when created then '{}' else jsonb_build_object('baseUrl', old.base_url) end,
        fresh.options || jsonb_build_object('baseUrl', fresh.base_url));
    perform api_endpoint_forget(fresh.name, fresh.base_url <> old.base_url, fresh.breaker is null);
    perform api_audit('endpointSet', caller, null, set_endpoint.name,
                      jsonb_build_object('created', created, 'changed', changed));
end
$$;

revoke all on function set_endpoint(text, text, jsonb) from public;
comment on function set_endpoint(text, text, jsonb) is
'Defines a service that processes call, or changes what it names: all else stays. It counts from the next request on. Gives whether the endpoint was made, and what changed: `{"rate": {"from": 50, "to": 20}}`, where null is the default and the texts of headers are hidden.

- `name`: what the model says in `endpoint`.
- `base_url`: http or https; the path of a request is added to it. NULL: as it is. A new endpoint needs one, else PW001.
- `options`, all of them optional. An object is merged member by member ("breaker", "headers"); null is back to the default, of an option or of a member; a list takes the place of the list. An `auth` of another type takes the place of all of it:
  - `replace`: true sets the whole definition: what is not named goes back to its default.
  - `rate`: requests a second, for all nodes of the engine together; no limit by default. `burst`: how many may leave at once (1).
  - `maxInFlight`: requests under way at a time, of each node (100). `maxInFlightAll`: of all nodes together; no limit by default.
  - `connectTimeout` ("PT5S") and `timeout` ("PT30S"), of the whole request. Waiting for the rate does not count.
  - `breaker`: when the service fails, requests wait until it answers again; false: never. An object: `window`, the last calls (100) or a time ("PT30S") that are looked at; `minimum`: of so many calls (20); `failures`: the share of them that opens the circuit (0.5); `slow` and `slowRate`: a share (0.5) of calls that take longer does so too; `open`: for how long ("PT10S"), twice as long after each probe that failed, up to `maxOpen` ("PT5M"); `probes`: requests that must succeed to close it (1).
  - `retryBudget`: the share of requests that may be retries, 0 to 1; no limit by default. Others wait.
  - `cache`: how long the answer to a GET is used again; not at all by default.
  - `unknown`: what becomes of a request that was under way when the engine died: "repeat" sends it again, "fail" takes it as failed, "ask" waits for a decision (retry()). By default GET, HEAD, OPTIONS, PUT and DELETE are repeated, others ask.
  - `headers`: an object of texts, sent with each request. Values are hidden in the view endpoints. A value `{"secret": "file:/path"}` is read by the engine when it is needed.
  - `tls`, `proxy`, `redirects`, `http`, `allow`, `maxResponse`, `auth`, `sign`, `connections`: how requests travel and what may be reached. docs/endpoints.md has their members.';

create or replace function drop_endpoint(name text, out endpoint text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    waiting bigint := (select count(*) from call c where c.endpoint = drop_endpoint.name);
begin
    perform api_require_everything();
    if waiting > 0 then
        raise exception using errcode = 'PW002',
            message = format('%s calls to the endpoint "%s" are not finished', waiting, drop_endpoint.name),
            hint = 'The view calls lists them. Wait for them, or cancel their instances.';
    end if;
    delete from endpoint e where e.name = drop_endpoint.name;
    if not found then
        raise exception using errcode = 'PW001',
            message = format('there is no endpoint "%s"', left(drop_endpoint.name, 255)),
            hint = 'The view endpoints lists them.';
    end if;
    delete from endpoint_state s where s.name = drop_endpoint.name;
    perform api_audit('endpointDropped', api_actor('{}'), null, drop_endpoint.name, null);
    drop_endpoint.endpoint := drop_endpoint.name;
end
$$;

revoke all on function drop_endpoint(text) from public;
comment on function drop_endpoint(text) is
'Removes an endpoint. Refused with PW002 while calls to it are not finished. A process that calls it later gets an incident.

- `name`: of the endpoint. PW001 if there is none.';

create or replace function set_circuit(endpoint text, circuit text, options jsonb default '{}', out state text)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
#variable_conflict use_column
declare
    caller text := api_actor(set_circuit.options, array['reason']);
    reason text := api_prose('the option reason', set_circuit.options ->> 'reason');
    number smallint := case set_circuit.circuit when 'open' then 1 else 0 end;
begin
    perform api_require_everything();
    if set_circuit.circuit is null or set_circuit.circuit not in ('open', 'closed', 'auto') then
        raise exception using errcode = 'PW003',
            message = format('a circuit cannot be "%s"', left(set_circuit.circuit, 40)),
            hint = 'Choose "open" (nothing leaves until told), "closed" (all leaves, whatever happens) or "auto".';
    end if;
    perform from endpoint e where e.name = set_circuit.endpoint;
    if not found then
        raise exception using errcode = 'PW001',
            message = format('there is no endpoint "%s"', left(set_circuit.endpoint, 255)),
            hint = 'The view endpoints lists them.';
    end if;
    insert into endpoint_state as s (name, version, circuit, forced, since, broken, why)
    values (set_circuit.endpoint, 1, number, set_circuit.circuit <> 'auto', clock(), clock(),
            'set by ' || caller || coalesce(': ' || reason, ''))
    on conflict (name) do update set version = s.version + 1, circuit = excluded.circuit, forced = excluded.forced,
        since = excluded.since, broken = case when s.circuit <> 0 then s.broken else excluded.broken end,
        until = '-infinity', openings = 0, probes = 0, good = 0, why = excluded.why, held = case number when 1 then s.held else '-infinity' end;
    perform api_audit('circuitSet', caller, null, set_circuit.endpoint, jsonb_build_object('circuit', set_circuit.circuit, 'reason', reason));
    set_circuit.state := set_circuit.circuit;
end
$$;

revoke all on function set_circuit(text, text, jsonb) from public;
comment on function set_circuit(text, text, jsonb) is
'Opens or closes an endpoint''s circuit by hand. Requests wait while it is open. All nodes see it within 0.2 s of the commit.

- `endpoint`: its name. PW001 if there is none.
- `circuit`: `open`: nothing leaves until somebody says otherwise, not even probes; `closed`: all leaves, whatever happens; `auto`: closed, and from now on it goes by what happens. The last two also end a wait that the service asked for (Retry-After).
- `options`: `reason`, shown in the view endpoints; `actor`.';

create or replace function hold_calls(options jsonb default '{}', out held boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    caller text := api_actor(hold_calls.options, array['reason']);
    why text := api_prose('the option reason', hold_calls.options ->> 'reason');
begin
    perform api_require_everything();
    insert into hold (since, actor, reason) values (clock(), caller, why) on conflict do nothing;
    perform api_audit('callsHeld', caller, null, null, jsonb_build_object('reason', why));
    hold_calls.held := true;
end
$$;

revoke all on function hold_calls(jsonb) from public;
comment on function hold_calls(jsonb) is
'Keeps all requests to outside services back, of all nodes, until release_calls(): they wait in the queue. Processes go on otherwise. What is under way already gets its answer. The view held_calls lists what would be sent.

- `options`: `reason`; `actor`.';

create or replace function release_calls(options jsonb default '{}', out released boolean)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
begin
    perform api_actor(release_calls.options, array[]::text[]), api_require_everything();
    delete from hold;
    release_calls.released := found;
    perform api_audit('callsReleased', api_actor(release_calls.options), null, null, null);
end
$$;

revoke all on function release_calls(jsonb) from public;
comment on function release_calls(jsonb) is
'Ends what hold_calls() began: requests leave again, and those whose outcome is unknown are dealt with as their endpoints say. False if nothing was held.

- `options`: `actor`.';
