-- SPDX-License-Identifier: Apache-2.0
-- What set_endpoint() makes of the options that are there and those that are given, and what that changes.

-- A merge patch (RFC 7396): what is named takes its new value, null removes, all else stays. Below `depth` objects are
-- values, so that what comes from outside decides no recursion.
create or replace function api_merged(kept jsonb, given jsonb, depth integer) returns jsonb
language plpgsql immutable
as $$
declare
    merged jsonb := case jsonb_typeof(kept) when 'object' then kept else '{}' end;
    member record;
begin
    if jsonb_typeof(given) <> 'object' or depth = 0 then
        return given;
    end if;
    for member in select e.key, e.value from jsonb_each(given) e loop
        if member.value = 'null' then
            merged := merged - member.key;
        else
            merged := merged || jsonb_build_object(member.key, api_merged(merged -> member.key, member.value, depth - 1));
        end if;
    end loop;
    return merged;
end
$$;
revoke all on function api_merged(jsonb, jsonb, integer) from public;

-- The options of an endpoint after a change. Short forms are written out, so that a later change finds members.
create or replace function api_endpoint_options(kept jsonb, given jsonb) returns jsonb
language plpgsql immutable
as $$
declare
    merged jsonb;
begin
    if kept #>> '{auth,type}' is distinct from given #>> '{auth,type}' and given #>> '{auth,type}' is not null then
        kept := kept - 'auth'; -- another type has other members
    end if;
    if kept ? 'headers' and jsonb_typeof(given -> 'headers') = 'object' then -- X-Key and x-key are one header
        kept := jsonb_set(kept, '{headers}', (
            select coalesce(jsonb_object_agg(k.key, k.value), '{}') from jsonb_each(kept -> 'headers') k
            where not exists (select from jsonb_object_keys(given -> 'headers') g where lower(g) = lower(k.key) and g <> k.key)));
    end if;
    merged := api_merged(kept, given, 3);
    if jsonb_typeof(merged -> 'proxy') = 'string' then
        merged := jsonb_set(merged, '{proxy}', jsonb_build_object('url', merged -> 'proxy'));
    end if;
    if jsonb_typeof(merged -> 'redirects') = 'number' then
        merged := jsonb_set(merged, '{redirects}', jsonb_build_object('max', merged -> 'redirects'));
    end if;
    return coalesce((select jsonb_object_agg(e.key, e.value) from jsonb_each(merged) e
                     where e.value <> '{}' or e.key not in ('breaker', 'connections', 'headers', 'tls')), '{}');
end
$$;
revoke all on function api_endpoint_options(jsonb, jsonb) from public;

-- Each setting of options that were judged, by its name, like breaker.open. The texts of headers are not told: they may be
-- secret. A loop and not a recursive query, which the planner takes for so many rows that it compiles it.
create or replace function api_endpoint_settings(options jsonb, within text default '')
returns table (name text, value jsonb, told jsonb)
language plpgsql immutable rows 20
as $$
declare
    member record;
begin
    for member in select e.key, e.value from jsonb_each(options) e loop
        if jsonb_typeof(member.value) = 'object' and member.value <> '{}' then
            return query select s.name, s.value, s.told
                         from api_endpoint_settings(member.value, within || member.key || '.') s;
        else
            name := within || member.key;
            value := member.value;
            told := case when within = 'headers.' and jsonb_typeof(value) = 'string' then '"hidden"' else value end;
            return next;
        end if;
    end loop;
end
$$;
revoke all on function api_endpoint_settings(jsonb, text) from public;

-- {"rate": {"from": 50, "to": 20}}; null is the default.
create or replace function api_endpoint_changes(before jsonb, after jsonb) returns jsonb
language sql immutable
as $$
    select coalesce(jsonb_object_agg(coalesce(a.name, b.name), jsonb_build_object('from', b.told, 'to', a.told)), '{}')
    from api_endpoint_settings(before) b full join api_endpoint_settings(after) a on a.name = b.name
    where a.value is distinct from b.value
$$;
revoke all on function api_endpoint_changes(jsonb, jsonb) from public;
