-- SPDX-License-Identifier: Apache-2.0
-- How requests to an endpoint travel: the options of set_endpoint() that jobexec/transport.c reads.

-- The members of the options of set_endpoint() that are objects; those of auth go by its type.
create or replace function api_endpoint_members(option text) returns text[]
language sql immutable
as $$
    select case option
           when 'breaker' then array['window', 'minimum', 'failures', 'slow', 'slowRate', 'open', 'maxOpen', 'probes']
           when 'tls' then array['verify', 'ca', 'certificate', 'key', 'keyPassword', 'minVersion']
           when 'proxy' then array['url', 'user', 'password']
           when 'redirects' then array['max', 'otherHosts']
           when 'connections' then array['idle', 'age']
           when 'sign' then array['scheme', 'secret'] end
$$;
revoke all on function api_endpoint_members(text) from public;

-- Refuses a member of an option that has no meaning.
create or replace function api_members(option text, given jsonb, known text[]) returns void
language plpgsql immutable
as $$
declare
    stray text;
begin
    if jsonb_typeof(given) <> 'object' then
        raise exception using errcode = 'PW003',
            message = format('the option %s must be an object, not a JSON %s', option, jsonb_typeof(given)),
            hint = format('Its members: %s.', array_to_string(known, ', '));
    end if;
    select k into stray from jsonb_object_keys(given) k where k <> all (known) order by k limit 1;
    if found then
        raise exception using errcode = 'PW003',
            message = format('the option %s has no member "%s"', option, left(stray, 40)),
            hint = format('Its members: %s.', array_to_string(known, ', '));
    end if;
end
$$;
revoke all on function api_members(text, jsonb, text[]) from public;

-- Where a secret is; never the secret itself. NULL if it is not there and need not be. Over HTTP only what was put there
-- for the engine: else an administrator of the server could have any file of its machine sent to wherever he likes.
create or replace function api_reference(option text, given jsonb, required boolean) returns text
language plpgsql stable
as $$
declare
    reference text := given #>> '{}';
begin
    if reference is null and not required then
        return null;
    end if;
    if reference is null or jsonb_typeof(given) <> 'string' or octet_length(reference) > 4096
       or reference !~ '^(file:/[^\x01-\x1F]+|env:[A-Za-z_][A-Za-z0-9_]*|credential:[A-Za-z0-9_.@-]+)$'
       or reference ~ '^credential:\.{1,2}$' then
        raise exception using errcode = 'PW003', -- the value is not shown: it may be a secret
            message = case when reference is null then format('the option %s is missing', option)
                           else format('the option %s must say where the secret is, not be one', option) end,
            hint = '"file:/an/absolute/path", "env:NAME" of the engine''s environment, or "credential:NAME" of systemd''s LoadCredential.';
    elsif api_served() is not null and not starts_with(reference, 'credential:') then
        raise exception using errcode = 'PW003', message = format('the option %s may only name a credential over HTTP', option),
            hint = '"credential:NAME" of systemd''s LoadCredential. Files and the environment are named by SQL or the command line.';
    end if;
    return reference;
end
$$;
revoke all on function api_reference(text, jsonb, boolean) from public;

-- True or false out of a member; NULL if it is not there.
create or replace function api_flag(option text, given jsonb) returns boolean
language plpgsql immutable
as $$
begin
    if coalesce(jsonb_typeof(given), 'null') not in ('boolean', 'null') then
        raise exception using errcode = 'PW003', message = format('the option %s must be true or false', option),
            hint = 'Without quotes.';
    end if;
    return (given #>> '{}')::boolean;
end
$$;
revoke all on function api_flag(text, jsonb) from public;

-- A text out of a member, of those that are known.
create or replace function api_choice(option text, given jsonb, known text[]) returns text
language plpgsql immutable
as $$
begin
    if coalesce(jsonb_typeof(given), 'null') = 'null' then
        return null;
    end if;
    if jsonb_typeof(given) <> 'string' or (given #>> '{}') <> all (known) then
        raise exception using errcode = 'PW003',
            message = format('the option %s is %s, which is unknown', option, left(given::text, 40)),
            hint = format('Known: "%s".', array_to_string(known, '", "'));
    end if;
    return given #>> '{}';
end
$$;
revoke all on function api_choice(text, jsonb, text[]) from public;

-- A text of visible characters that may stand in a header or a signature.
create or replace function api_token(option text, given jsonb, required boolean) returns text
language plpgsql immutable
as $$
begin
    if coalesce(jsonb_typeof(given), 'null') = 'null' and not required then
        return null;
    end if;
    if coalesce(jsonb_typeof(given), 'null') <> 'string' or (given #>> '{}') !~ '^[^\x01-\x1F\x7F]{1,255}$' then
        raise exception using errcode = 'PW003',
            message = format('the option %s must be a text of 1 to 255 characters without line breaks', option),
            hint = 'Secrets are given by reference: "file:/path", "env:NAME" or "credential:NAME".';
    end if;
    return given #>> '{}';
end
$$;
revoke all on function api_token(text, jsonb, boolean) from public;

create or replace function api_transport_tls(tls jsonb) returns jsonb
language plpgsql stable
as $$
declare
    made jsonb;
begin
    perform api_members('tls', tls, api_endpoint_members('tls'));
    made := jsonb_build_object(
        'verify', api_flag('tls.verify', tls -> 'verify'),
        'ca', api_reference('tls.ca', tls -> 'ca', false),
        'certificate', api_reference('tls.certificate', tls -> 'certificate', false),
        'key', api_reference('tls.key', tls -> 'key', false),
        'keyPassword', api_reference('tls.keyPassword', tls -> 'keyPassword', false),
        'minVersion', api_choice('tls.minVersion', tls -> 'minVersion', array['1.2', '1.3']));
    if (made ->> 'certificate' is null) <> (made ->> 'key' is null) then
        raise exception using errcode = 'PW003', message = 'the options tls.certificate and tls.key belong together',
            hint = 'Give both; one file may hold both, then name it twice.';
    end if;
    if not (made ->> 'verify')::boolean then
        raise warning using message = 'the server''s certificate is not verified: anybody on the way can read and change what is sent',
            hint = 'Give the certificate of its authority instead: {"tls": {"ca": "file:/path"}}.';
    end if;
    return jsonb_strip_nulls(made);
end
$$;
revoke all on function api_transport_tls(jsonb) from public;

create or replace function api_transport_proxy(proxy jsonb) returns jsonb
language plpgsql stable
as $$
declare
    made jsonb;
    url text;
begin
    if jsonb_typeof(proxy) = 'string' then
        proxy := jsonb_build_object('url', proxy);
    end if;
    perform api_members('proxy', proxy, api_endpoint_members('proxy'));
    url := proxy ->> 'url';
    if url is null or octet_length(url) > 1024
       or url !~* '^(http|https|socks5)://([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?/?$' then
        raise exception using errcode = 'PW003', message = 'the option proxy names no proxy',
            hint = 'Examples: "http://proxy.example:3128", "https://…", "socks5://…". Its user and password are members: '
                   '{"proxy": {"url": "…", "user": "us", "password": "file:/path"}}.';
    end if;
    made := jsonb_build_object('url', url,
        'user', api_token('proxy.user', proxy -> 'user', false),
        'password', api_reference('proxy.password', proxy -> 'password', proxy ->> 'user' is not null));
    return jsonb_strip_nulls(made);
end
$$;
revoke all on function api_transport_proxy(jsonb) from public;

create or replace function api_transport_redirects(redirects jsonb) returns jsonb
language plpgsql immutable
as $$
begin
    if jsonb_typeof(redirects) = 'number' then
        redirects := jsonb_build_object('max', redirects);
    end if;
    perform api_members('redirects', redirects, api_endpoint_members('redirects'));
    return jsonb_build_object('max', coalesce(api_number(redirects, 'max', 0, 20, true), 5), -- LIMIT_REDIRECTS
        'otherHosts', coalesce(api_flag('redirects.otherHosts', redirects -> 'otherHosts'), false));
end
$$;
revoke all on function api_transport_redirects(jsonb) from public;

-- Is it a network: four numbers, or up to eight groups of which "::" leaves some out; with a prefix or
-- without, and zeros behind it? The patterns let through only what inet reads.
create or replace function api_network(given text) returns boolean
language plpgsql immutable
as $$
begin
    if given ~ '^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!$|/)|(?=$|/))){4}(/(3[0-2]|[12]?\d))?$' then
        return network(given::inet) = given::inet;
    elsif given ~* '^(?=[0-9a-f]|::)([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?(::([0-9a-f]{1,4}(:[0-9a-f]{1,4})*)?)?(/(12[0-8]|1[01]\d|[1-9]?\d))?$'
       and (case when given ~ '::' then (select count(*) <= 7 from regexp_matches(split_part(given, '/', 1), '[0-9A-Fa-f]+', 'g'))
                else (select count(*) = 8 from regexp_matches(split_part(given, '/', 1), '[0-9A-Fa-f]+', 'g')) end) then
        return network(given::inet) = given::inet;
    end if;
    return false;
end
$$;
revoke all on function api_network(text) from public;

-- Addresses that requests may go to, though they are not public.
create or replace function api_transport_allow(allow jsonb) returns jsonb
language plpgsql immutable
as $$
declare
    item text;
begin
    if jsonb_typeof(allow) = 'string' then
        allow := jsonb_build_array(allow);
    end if;
    if jsonb_typeof(allow) <> 'array' or jsonb_array_length(allow) > 64 then -- LIMIT_EGRESS_RULES
        raise exception using errcode = 'PW003', message = 'the option allow must be a list of at most 64 networks',
            hint = 'Examples: ["10.1.0.0/16", "fd12::/16"], "loopback", "private".';
    end if;
    select coalesce(a, 'null') into item from jsonb_array_elements_text(allow) a
    where a is null or a not in ('loopback', 'private') and not api_network(a) limit 1;
    if found then
        raise exception using errcode = 'PW003',
            message = format('the option allow has "%s", which is no network', left(item, 60)),
            hint = 'A network is written like 10.1.0.0/16 or fd12::/16, with zeros after its prefix; or "loopback", or "private".';
    end if;
    return allow;
end
$$;
revoke all on function api_transport_allow(jsonb) from public;

create or replace function api_transport_auth(auth jsonb) returns jsonb
language plpgsql stable
as $$
declare
    kind text;
begin
    if jsonb_typeof(auth) = 'object' then
        kind := api_choice('auth.type', auth -> 'type',
                           array['basic', 'bearer', 'apiKey', 'awsSigV4', 'oauth2ClientCredentials']);
    end if;
    case kind
    when 'basic' then
        perform api_members('auth', auth, array['type', 'user', 'password']);
        perform api_token('auth.user', auth -> 'user', true), api_reference('auth.password', auth -> 'password', true);
    when 'bearer' then
        perform api_members('auth', auth, array['type', 'token']);
        perform api_reference('auth.token', auth -> 'token', true);
    when 'apiKey' then
        perform api_members('auth', auth, array['type', 'name', 'in', 'key']);
        perform api_reference('auth.key', auth -> 'key', true),
                api_choice('auth.in', auth -> 'in', array['header', 'query']);
        if coalesce(auth ->> 'name', '') !~ '^[A-Za-z0-9_.-]{1,100}$' then
            raise exception using errcode = 'PW003', message = 'the option auth.name must be the name of a header or parameter',
                hint = 'Example: {"auth": {"type": "apiKey", "name": "X-Api-Key", "key": "env:KEY"}}.';
        end if;
    when 'awsSigV4' then
        perform api_members('auth', auth, array['type', 'accessKey', 'secretKey', 'sessionToken', 'region', 'service']);
        perform api_reference('auth.accessKey', auth -> 'accessKey', true),
                api_reference('auth.secretKey', auth -> 'secretKey', true),
                api_reference('auth.sessionToken', auth -> 'sessionToken', false);
        if coalesce(auth ->> 'region', '') !~ '^[a-z0-9-]{1,40}$' or coalesce(auth ->> 'service', '') !~ '^[a-z0-9-]{1,40}$' then
            raise exception using errcode = 'PW003', message = 'the options auth.region and auth.service must be names',
                hint = 'Example: "region": "eu-central-1", "service": "lambda".';
        end if;
    when 'oauth2ClientCredentials' then
        perform api_members('auth', auth, array['type', 'tokenUrl', 'clientId', 'clientSecret', 'scope']);
        perform api_token('auth.clientId', auth -> 'clientId', true), api_token('auth.scope', auth -> 'scope', false),
                api_reference('auth.clientSecret', auth -> 'clientSecret', true);
        if coalesce(auth ->> 'tokenUrl', '') !~* '^https?://[^\s?#@]+$' or octet_length(auth ->> 'tokenUrl') > 2000 then
            raise exception using errcode = 'PW003', message = 'the option auth.tokenUrl must be a URL',
                hint = 'Example: "https://login.example/oauth2/token".';
        end if;
    else
        raise exception using errcode = 'PW003', message = 'the option auth names no type',
            hint = '{"auth": {"type": "basic" | "bearer" | "apiKey" | "awsSigV4" | "oauth2ClientCredentials", …}}.';
    end case;
    return jsonb_strip_nulls(auth);
end
$$;
revoke all on function api_transport_auth(jsonb) from public;

create or replace function api_transport_connections(connections jsonb) returns jsonb
language plpgsql immutable
as $$
begin
    perform api_members('connections', connections, api_endpoint_members('connections'));
    return jsonb_strip_nulls(jsonb_build_object(
        'idle', extract(epoch from api_interval(connections, 'idle', '1 s'))::bigint,
        'age', extract(epoch from api_interval(connections, 'age', '1 s'))::bigint));
end
$$;
revoke all on function api_transport_connections(jsonb) from public;

-- The options of set_endpoint() that say how requests travel, judged, in the form that the connector reads.
-- NULL: none is given.
-- One reference to a secret, or up to five: the one in force and those that go or come.
create or replace function api_references(option text, given jsonb) returns jsonb
language plpgsql stable
as $$
begin
    if jsonb_typeof(given) is distinct from 'array' then
        return jsonb_build_array(api_reference(option, given, true));
    end if;
    if jsonb_array_length(given) not between 1 and 5 then
        raise exception using errcode = 'PW003', message = format('the option %s must have one to five references', option),
            hint = 'Several are for the time in which a secret is changed for another.';
    end if;
    return (select jsonb_agg(api_reference(option, r, true)) from jsonb_array_elements(given) r);
end
$$;
revoke all on function api_references(text, jsonb) from public;

-- How what leaves is signed.
create or replace function api_transport_sign(sign jsonb) returns jsonb
language plpgsql stable
as $$
begin
    perform api_members('sign', sign, api_endpoint_members('sign'));
    return jsonb_build_object('scheme', coalesce(api_choice('sign.scheme', sign -> 'scheme', array['standard']), 'standard'),
                              'secret', api_references('sign.secret', sign -> 'secret'));
end
$$;
revoke all on function api_transport_sign(jsonb) from public;

create or replace function api_transport(options jsonb) returns jsonb
language plpgsql stable
as $$
declare
    given jsonb := jsonb_strip_nulls(options);
    made jsonb;
begin
    made := jsonb_strip_nulls(jsonb_build_object(
        'tls', case when given ? 'tls' then api_transport_tls(given -> 'tls') end,
        'proxy', case when given ? 'proxy' then api_transport_proxy(given -> 'proxy') end,
        'redirects', case when given ? 'redirects' then api_transport_redirects(given -> 'redirects') end,
        'http', api_choice('http', given -> 'http', array['1.1', '2', '2-prior-knowledge']),
        'allow', case when given ? 'allow' then api_transport_allow(given -> 'allow') end,
        'maxResponse', api_number(given, 'maxResponse', 1, 1048576, true), -- LIMIT_RESPONSE_BYTES
        'auth', case when given ? 'auth' then api_transport_auth(given -> 'auth') end,
        'sign', case when given ? 'sign' then api_transport_sign(given -> 'sign') end,
        'connections', case when given ? 'connections' then api_transport_connections(given -> 'connections') end));
    return nullif(made, '{}');
end
$$;
revoke all on function api_transport(jsonb) from public;
