-- SPDX-License-Identifier: Apache-2.0
-- What is known of instances, by words and variables. No index serves it: one over what changes with each step would
-- cost every step. So it goes through the ids from the newest on, a range at a time, and stops at bounds.

-- A text as words: two sides that are cut alike agree, whatever a parser thinks of hyphens, hosts and paths.
create or replace function api_search_text(given text) returns text
language sql immutable
as $$ select btrim(regexp_replace(left(given, 20000), '[^[:alnum:]]+', ' ', 'g')) $$;
revoke all on function api_search_text(text) from public;

-- The texts and numbers in variables, however deep, as words; not their names.
create or replace function api_search_values(variables text) returns text
language sql immutable cost 1000
as $$
    select api_search_text(string_agg(v #>> '{}', ' '))
    from jsonb_path_query(variables::jsonb, 'strict $.**') v where jsonb_typeof(v) in ('string', 'number')
$$;
revoke all on function api_search_values(text) from public;

-- Which of the words are in there?
create or replace function api_search_hit(given text, words text[]) returns boolean
language sql stable
as $$ select tsvector_to_array(to_tsvector('pg_catalog.simple', coalesce(given, ''))) && words $$;
revoke all on function api_search_hit(text, text[]) from public;

-- name=value: the objects of which one must be contained: a text, or what it is as JSON; a dot may lead into an object.
create or replace function api_search_term(name text, value text) returns jsonb
language sql immutable
as $$
    select jsonb_agg(n.build)
    from (select to_jsonb(value) as v
          union all select value::jsonb where value ~ '^(true|false|null|-?(0|[1-9][0-9]{0,30})(\.[0-9]{1,30})?)$') x
    cross join lateral (
        select jsonb_build_object(name, x.v) as build
        union all
        select (string_agg('{' || to_jsonb(p.part)::text || ':', '' order by p.i) || x.v::text || repeat('}', count(*)::integer))::jsonb
        from string_to_table(name, '.') with ordinality p(part, i) having count(*) between 2 and 20) n
$$;
revoke all on function api_search_term(text, text) from public;

-- The query in its parts: words for websearch_to_tsquery(), those that must be there, and terms of variables.
create or replace function api_search_query(query text, out words text, out positive text, out terms jsonb, out names text[])
language plpgsql immutable
as $$
declare
    token text;
    word text;
begin
    words := '';
    positive := '';
    terms := '[]';
    names := '{}';
    for token in select m[1] from regexp_matches(query, '([^\s"=]+="[^"]*"|-?"[^"]*"|\S+)', 'g') m loop
        if token ~ '^[[:alpha:]_][\w.-]*=' then
            names := names || split_part(token, '=', 1);
            word := substr(token, strpos(token, '=') + 1);
            terms := terms || jsonb_build_array(api_search_term(split_part(token, '=', 1),
                case when word ~ '^".*"$' then substr(word, 2, length(word) - 2) else word end));
            continue;
        end if;
        word := api_search_text(token);
        continue when word = '';
        words := words || case when token like '-%' then ' -' else ' ' end
              || case when word ~ ' ' or token ~ '"' then '"' || word || '"' else word end;
        if token not like '-%' and lower(token) <> 'or' then
            positive := positive || ' ' || word;
        end if;
    end loop;
end
$$;
revoke all on function api_search_query(text) from public;

-- Those of a range of ids, [low, high), that match.
create or replace function api_search_range(low uuid, high uuid, wanted jsonb, words tsquery, positive text[], terms jsonb,
                                            names text[], only_process text)
returns table (instance_id uuid, process text, version integer, business_key text, state text, started timestamptz,
               ended timestamptz, matched text[], tenant text)
language sql stable
as $$
    with entry as materialized (
        select v.* from api_event v where v.instance_id >= low and v.instance_id < high
    ), who as (
        select i.id, i.definition_id, i.business_key, i.started, null::timestamptz as ended, i.variables, i.root_id, i.suspended,
               null as how
        from instance i where i.id >= low and i.id < high
        union all
        select e.instance_id, e.definition_id, s.business_key, coalesce(e.started, s.at), e.at, null, null, false,
               coalesce(e.data::jsonb ->> 'state', 'completed')
        from entry e left join entry s on s.instance_id = e.instance_id and s.kind = 1
        where e.ends and e.kind = 2
    ), place as (
        select p.instance_id, string_agg(concat_ws(' ', e.id, e.name), ' ') as words
        from (select distinct v.instance_id, v.definition_id, v.node from entry v where v.node >= 0) p
        join element e on e.definition_id = p.definition_id and e.node = p.node
        group by p.instance_id
    ), failure as (
        select f.instance_id, string_agg(f.words, ' ') as words
        from (select v.instance_id, concat_ws(' ', v.data::jsonb ->> 'code', v.data::jsonb ->> 'error', v.data::jsonb ->> 'cause',
                                              v.data::jsonb ->> 'message', v.data::jsonb ->> 'reason') as words
              from entry v where v.kind in (2, 6, 7, 16, 17, 34, 35) and v.data like '{"%'
              union all
              select x.instance_id, concat_ws(' ', x.reason, x.message) from incident x
              where x.instance_id >= low and x.instance_id < high) f
        group by f.instance_id
    ), doc as (
        select w.*, d.key as process, d.version, d.tenant, api_search_text(w.business_key) as in_key,
               api_search_text(concat_ws(' ', d.key, d.name)) as in_process, api_search_text(p.words) as in_elements,
               api_search_text(f.words) as in_errors
        from who w
        join api_read_definition d on d.id = w.definition_id
        left join place p on p.instance_id = w.id
        left join failure f on f.instance_id = w.id
        where (only_process is null or d.key = only_process)
          and ((wanted is null and terms = '[]')
               or coalesce(w.variables::jsonb @> coalesce(wanted, '{}')
                           and not exists (select from jsonb_array_elements(terms) t
                                           where not exists (select from jsonb_array_elements(t) a where w.variables::jsonb @> a)), false))
    )
    select x.id, x.process, x.version, x.business_key,
           case when x.how is not null then x.how
                when x.suspended or (select r.suspended from instance r where r.id = x.root_id) then 'suspended'
                when exists (select from incident n where n.instance_id = x.id) then 'incident' else 'running' end,
           x.started, x.ended,
           array_remove(array[case when api_search_hit(x.in_key, positive) then 'business key' end,
                              case when api_search_hit(x.in_process, positive) then 'process' end,
                              case when api_search_hit(x.in_elements, positive) then 'element' end,
                              case when api_search_hit(x.in_errors, positive) then 'error' end], null)
           || array(select 'variable ' || n.name
                    from (select unnest(names) union
                          select v.key from jsonb_each(x.variables::jsonb) v
                          where api_search_hit(api_search_values(v.value::text), positive)) n(name) order by n.name),
           x.tenant
    from doc x
    where words is null
          -- a look at the texts as they are, so that few are cut into words; the long one as ASCII, which is fast
       or (lower(concat_ws(' ', x.in_key, x.in_process, x.in_elements, x.in_errors))
               like any (array(select '%' || p || '%' from unnest(case when positive = '{}' then '{""}' else positive end) p))
           or lower(x.variables collate "C")
               like any (array(select case when p ~ '^[ -~]*$' then '%' || p || '%' else '%' end from unnest(positive) p)))
          and to_tsvector('pg_catalog.simple', concat_ws(' ', x.in_key, x.in_process, x.in_elements, x.in_errors,
                                                         api_search_values(x.variables))) @@ words
    order by x.id desc
$$;
revoke all on function api_search_range(uuid, uuid, jsonb, tsquery, text[], jsonb, text[], text) from public;

-- The lower end of a range that begins below `high`: some `step` rows of each table; NULL: all that is left.
create or replace function api_search_low(high uuid, step integer) returns uuid
language sql stable
as $$
    select greatest((select i.id from instance i where i.id < high order by i.id desc offset step - 1 limit 1),
                    (select v.instance_id from event v where v.instance_id < high order by v.instance_id desc offset step - 1 limit 1),
                    (select v.instance_id from event_kept v where v.instance_id < high order by v.instance_id desc offset step - 1 limit 1))
$$;
revoke all on function api_search_low(uuid, integer) from public;

create or replace function api_search_number(options jsonb, name text, usual integer, most integer) returns integer
language plpgsql immutable
as $$
begin
    if not options ? name then
        return usual;
    elsif coalesce(options ->> name, '') !~ '^[1-9][0-9]{0,7}$' or (options ->> name)::integer > most then
        raise exception using errcode = 'PW003', message = format('the option %s must be a whole number from 1 to %s', name, most),
            hint = format('Example: options => ''{"%s": %s}''.', name, usual);
    end if;
    return (options ->> name)::integer;
end
$$;
revoke all on function api_search_number(jsonb, text, integer, integer) from public;

create or replace function search(query text, options jsonb default '{}')
returns table (instance_id uuid, process text, version integer, business_key text, state text, started timestamptz,
               ended timestamptz, matched text[], tenant text, next uuid)
language plpgsql stable security definer
set search_path = @schema@, pg_temp
set plan_cache_mode = force_custom_plan -- a range's plan without its bounds takes five times as long
as $$
#variable_conflict use_column
declare
    asked record;
    words tsquery;
    positive text[];
    names text[];
    page integer;
    most integer;
    high uuid := 'ffffffff-ffff-ffff-ffff-ffffffffffff';
    low uuid;
    looked bigint := 0;
    found_rows integer := 0;
    until timestamptz := clock_timestamp() + interval '5 s'; -- of real time: a bound of the work
begin
    perform api_actor(search.options, '{variables,process,limit,after,most}');
    if api_served() is not null and not coalesce(api_served() -> 'rights', '[]') ?| '{read,admin}' then
        perform api_require('read', null);
    end if;
    if octet_length(search.query) > 1000 or octet_length((search.options -> 'variables')::text) > 65536 then
        raise exception using errcode = 'PW006', message = 'the query has more than 1000 bytes, or its variables more than 65536',
            hint = 'Look for fewer words.';
    elsif search.options ? 'variables' and jsonb_typeof(search.options -> 'variables') <> 'object' then
        raise exception using errcode = 'PW003', message = 'the option variables must be a JSON object',
            hint = 'Example: options => ''{"variables": {"customer": {"name": "Ada"}}}''.';
    elsif search.options ? 'after'
          and coalesce(search.options ->> 'after', '') !~ '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then
        raise exception using errcode = 'PW003', message = 'the option after must be an id', hint = 'Pass what the column next had.';
    end if;
    page := api_search_number(search.options, 'limit', 100, 1000);
    most := api_search_number(search.options, 'most', 100000, 10000000);
    high := coalesce((search.options ->> 'after')::uuid, high);
    asked := api_search_query(coalesce(search.query, ''));
    words := websearch_to_tsquery('pg_catalog.simple', asked.words);
    words := case when numnode(words) > 0 then words end;
    positive := tsvector_to_array(to_tsvector('pg_catalog.simple', asked.positive));
    names := asked.names || array(select jsonb_object_keys(search.options -> 'variables'));
    if words is null and names = '{}' then
        raise exception using errcode = 'PW003', message = 'there is nothing to look for',
            hint = 'Pass words, or name=value for a variable.';
    end if;
    loop
        low := api_search_low(high, least(1000, most));
        for instance_id, process, version, business_key, state, started, ended, matched, tenant in
            select r.* from api_search_range(coalesce(low, '00000000-0000-0000-0000-000000000000'), high,
                search.options -> 'variables', words, positive, asked.terms, names, search.options ->> 'process') r
        loop
            found_rows := found_rows + 1;
            next := case when found_rows = page then instance_id end;
            return next;
            if found_rows = page then
                return;
            end if;
        end loop;
        exit when low is null;
        looked := looked + (select count(*) from instance i where i.id >= low and i.id < high)
               + (select count(*) from event v where v.ends and v.instance_id >= low and v.instance_id < high);
        high := low;
        if looked >= most or clock_timestamp() > until then -- real time
            instance_id := null; process := null; version := null; business_key := null; state := null; started := null;
            ended := null; matched := null; tenant := null;
            next := high;
            return next;
            return;
        end if;
    end loop;
end
$$;
revoke all on function search(text, jsonb) from public;
comment on function search(text, jsonb) is
'Finds instances, running and ended, by words and by variables; the newest first. Needs the right to read.

- `query`: words that must all be there, in the syntax of websearch_to_tsquery(): `"two words"` beside each other, `or`, `-without`. They are looked for, whole and in any case, in the business key, the id and name of the process, the ids and names of the elements that the instance passed or waits in, in errors and incidents, and in the texts and numbers of the variables of running instances. `name=value` and `name="two words"`: a variable has that value; `customer.name=Ada` looks into an object. History keeps no variables.
- `options`: `variables`: a JSON object that the variables contain; `process`: only of this one; `limit`: rows, 100 unless told; `after`: what `next` was; `most`: how many instances are looked at, 100000 unless told.

A row for each that was found; `matched` says where: `business key`, `process`, `element`, `error`, `variable NAME`. `next` of the last row, where it is not NULL: more may follow; pass it as `after`. A last row with nothing but `next` says that the search stopped at a bound, `most` or 5 seconds, before it had seen all instances.';
