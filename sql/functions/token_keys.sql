-- SPDX-License-Identifier: Apache-2.0
-- The keys that sign the tokens of callbacks (callbacks.sql): one signs, retired ones verify as long as they are kept.

create or replace function api_callback_key_new() returns integer
language plpgsql volatile
as $$
declare
    key constant bytea := sha256(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()));
    inner_pad bytea := decode(repeat('36', 64), 'hex');
    outer_pad bytea := decode(repeat('5c', 64), 'hex');
    made integer;
begin
    for i in 0 .. 31 loop
        inner_pad := set_byte(inner_pad, i, get_byte(key, i) # 54);
        outer_pad := set_byte(outer_pad, i, get_byte(key, i) # 92);
    end loop;
    insert into callback_key (key, inner_pad, outer_pad, made) values (key, inner_pad, outer_pad, clock()) returning id into made;
    return made;
end
$$;
revoke all on function api_callback_key_new() from public;

-- The first one.
do $do$
begin
    if not exists (select from callback_key) then
        perform api_callback_key_new();
    end if;
end
$do$;

-- Whether a callback may have a token of that key: one that is open, or whose answer may come again. Their ids tell when they
-- began; workers sign with a key that was retired for some seconds more.
create or replace function api_callback_key_needed(k callback_key) returns boolean
language sql stable
as $$
    select k.retired is null or k.retired > clock() - interval '1 minute'
        or exists (select from callback c where c.id < api_id_from(k.retired + interval '1 minute'))
        or exists (select from callback_answer a where a.id < api_id_from(k.retired + interval '1 minute'))
$$;
revoke all on function api_callback_key_needed(callback_key) from public;

create or replace function rotate_callback_key(options jsonb default '{}', out key_id integer, out retired integer)
language plpgsql volatile security definer
set search_path = @schema@, pg_temp
as $$
declare
    caller text := api_actor(options, array['keep', 'reason']);
    reason text := api_prose('the option reason', options ->> 'reason');
    latest timestamptz := clock() + api_interval(options, 'keep', '0');
begin
    perform api_require_everything();
    perform from installation for update; -- one at a time
    if (select count(*) from callback_key) + 1 > 20 then -- LIMIT_CALLBACK_KEYS
        raise exception using errcode = 'PW006', message = 'there are 20 keys whose tokens still hold (LIMIT_CALLBACK_KEYS)',
            hint = 'The view callback_keys shows what needs them. Those that nothing needs go within a minute or so.';
    end if;
    update callback_key k set retired = clock() where k.retired is null returning k.id into rotate_callback_key.retired;
    update callback_key k set keep_until = least(k.keep_until, latest); -- those retired before, too
    key_id := api_callback_key_new();
    perform api_audit('callbackKeyRotated', caller, null, key_id::text,
                      jsonb_build_object('retired', rotate_callback_key.retired, 'keep', options ->> 'keep', 'reason', reason));
end
$$;
revoke all on function rotate_callback_key(jsonb) from public;
comment on function rotate_callback_key(jsonb) is
'Makes a new key for the tokens of callbacks. Tasks that begin from some seconds later on get tokens of the new key. Tokens of the old one hold as long as a callback needs them; then it is dropped by itself, see the view callback_keys.

- `options`:
  - `keep`: tokens of retired keys hold no longer than this ("30 days"); "PT0S": from now on they are worth nothing, for a key that somebody has seen. Tasks whose tokens are lost that way time out.
  - `reason`; `actor`.

Returns the numbers of the new key and of the retired one.';

create or replace view callback_keys as
select k.id as key_id, k.made, k.retired, k.keep_until,
       (select count(*) from callback c where c.made >= k.made and (k.retired is null or c.made < k.retired)) as callbacks
from callback_key k where (select api_engine()) or (select api_all_tenants());
revoke all on callback_keys from public;
comment on view callback_keys is 'The keys whose tokens hold, see rotate_callback_key(). The keys themselves are nowhere to be seen.';
comment on column callback_keys.retired is 'when another one came; NULL: it signs';
comment on column callback_keys.keep_until is 'when it goes at the latest; NULL: when nothing needs it';
comment on column callback_keys.callbacks is 'open callbacks that began while it signed';
