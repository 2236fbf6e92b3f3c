-- SPDX-License-Identifier: Apache-2.0
-- What the functions of the API share: who calls, and are the arguments fit to be stored.
-- Nobody but the API calls these: they run as the schema's owner, under the caller's pinned search_path.

-- When a UUIDv7 was made; -infinity for other ids. Bounds the search for an instance's events.
create or replace function api_id_time(id uuid) returns timestamptz
language sql immutable
as $$
    select case when substr(id::text, 15, 1) = '7'
        then to_timestamp(('x' || lpad(left(replace(id::text, '-', ''), 12), 16, '0'))::bit(64)::bigint / 1000.0)
        else '-infinity' end
$$;
revoke all on function api_id_time(uuid) from public;

-- What a text says; NULL if it is no JSON. Its EXCEPTION block writes nothing, so it takes no transaction id.
create or replace function api_json(given text) returns jsonb
language plpgsql immutable
as $$
begin
    return given::jsonb;
exception when data_exception or program_limit_exceeded then
    return null;
end
$$;
revoke all on function api_json(text) from public;

-- Who calls, by name: functions/api_identity.sql. An administrator may say for whom he acts.
create or replace function api_actor(options jsonb, allowed text[] default '{}') returns text
language plpgsql volatile
as $$
declare
    login text := api_name();
    stray text;
begin
    if options is null or options = '{}' then
        return login;
    end if;
    if jsonb_typeof(options) <> 'object' then
        raise exception using errcode = 'PW003',
            message = format('options must be a JSON object, not a JSON %s', jsonb_typeof(options)),
            hint = 'Pass options => ''{}'' or leave it out.';
    end if;
    select k into stray from jsonb_object_keys(options) k where k <> 'actor' and k <> all (allowed)
    order by k limit 1;
    if found then
        raise exception using errcode = 'PW003',
            message = format('there is no option "%s" here', left(stray, 40)),
            hint = format('Known options: %s.', array_to_string(allowed || array['actor'], ', '));
    end if;
    if not options ? 'actor' then
        return login;
    end if;
    if not (case when api_served() is not null then coalesce(api_served() -> 'rights', '[]') ? 'admin'
                 else api_role_may(api_login(), 'admin') end) then
        raise exception using errcode = 'insufficient_privilege',
            message = format('%s may not act in the name of somebody else', login),
            hint = 'The option actor is for administrators of the engine; leave it out.';
    end if;
    if jsonb_typeof(options -> 'actor') <> 'string' then
        raise exception using errcode = 'PW003', message = 'the option actor must be a text',
            hint = 'Example: options => ''{"actor": "anna"}''.';
    end if;
    return format('%s via %s', api_text('the option actor', options ->> 'actor', true), login);
end
$$;
revoke all on function api_actor(jsonb, text[]) from public;

-- A name, key, code or the like: refused when it is too long, or missing though it must be there.
create or replace function api_text(what text, given text, required boolean) returns text
language plpgsql immutable
as $$
begin
    if required and coalesce(given, '') = '' then
        raise exception using errcode = 'PW003', message = format('%s is missing', what),
            hint = 'Pass a text that is not empty.';
    end if;
    if octet_length(given) > 255 then -- LIMIT_NAME_BYTES
        raise exception using errcode = 'PW006',
            message = format('%s has %s bytes, the limit is 255 (LIMIT_NAME_BYTES)', what, octet_length(given)),
            hint = 'Use a shorter one, and keep long texts in variables.';
    end if;
    return given;
end
$$;
revoke all on function api_text(text, text, boolean) from public;

-- Free text of people: reasons, error messages.
create or replace function api_prose(what text, given text) returns text
language plpgsql immutable
as $$
begin
    if octet_length(given) > 8192 then
        raise exception using errcode = 'PW006',
            message = format('%s has %s bytes, the limit is 8192', what, octet_length(given)),
            hint = 'Shorten it, and keep long texts in variables.';
    end if;
    return given;
end
$$;
revoke all on function api_prose(text, text) from public;

-- An id that must be there.
create or replace function api_given(what text, given uuid) returns uuid
language plpgsql immutable
as $$
begin
    if given is null then
        raise exception using errcode = 'PW003', message = format('%s is missing', what),
            hint = 'Pass the id; the views show it.';
    end if;
    return given;
end
$$;
revoke all on function api_given(text, uuid) from public;

-- Variables as the text that is stored. Refused unless they are a JSON object within the limits.
create or replace function api_variables(given jsonb) returns text
language plpgsql immutable
as $$
declare
    stored text := coalesce(given, '{}')::text;
    stray text;
begin
    if jsonb_typeof(given) <> 'object' then
        raise exception using errcode = 'PW003',
            message = format('variables must be a JSON object, not a JSON %s', jsonb_typeof(given)),
            hint = 'Example: variables => ''{"amount": 12, "customer": {"name": "Ada"}}''.';
    end if;
    if octet_length(stored) > 4194304 then -- LIMIT_VARIABLES_BYTES
        raise exception using errcode = 'PW006',
            message = format('the variables have %s bytes, the limit is 4194304 (LIMIT_VARIABLES_BYTES)',
                             octet_length(stored)),
            hint = 'Keep large data in a table or file of your own and pass its id.';
    end if;
    -- A short text can break none of the other limits.
    if octet_length(stored) <= 128 then
        return stored;
    end if;
    select k into stray from jsonb_object_keys(given) k where octet_length(k) > 255 limit 1;
    if found then
        raise exception using errcode = 'PW006',
            message = format('the variable name that begins with "%s" has %s bytes, the limit is 255 (LIMIT_NAME_BYTES)',
                             left(stray, 20), octet_length(stray)),
            hint = 'Use a shorter name.';
    end if;
    if octet_length(stored) > 1048576 then -- LIMIT_VALUE_BYTES
        select k into stray from jsonb_each(given) e(k, v) where octet_length(v::text) > 1048576 order by k limit 1;
        if found then
            raise exception using errcode = 'PW006',
                message = format('the variable "%s" has %s bytes, the limit is 1048576 (LIMIT_VALUE_BYTES)',
                                 stray, octet_length((given -> stray)::text)),
                hint = 'Keep large data in a table or file of your own and pass its id.';
        end if;
    end if;
    -- The exact look is only for texts with enough brackets.
    if length(stored) - length(translate(stored, '[{', '')) > 128 -- LIMIT_JSON_DEPTH
       and jsonb_path_exists(given, 'strict $.**{128 to last} ? (@.type() == "array" || @.type() == "object")') then
        raise exception using errcode = 'PW006',
            message = 'the variables are nested more than 128 deep (LIMIT_JSON_DEPTH)',
            hint = 'Flatten the data, or pass it as one text.';
    end if;
    return stored;
end
$$;
revoke all on function api_variables(jsonb) from public;

-- The members of an object that are there: null counts as not there, as everywhere over HTTP.
create or replace function api_present(given jsonb) returns jsonb
language sql immutable
as $$
    select coalesce(jsonb_object_agg(m.key, m.value) filter (where m.value <> 'null'), '{}')
    from jsonb_each(nullif(given, 'null')) m
$$;
revoke all on function api_present(jsonb) from public;
