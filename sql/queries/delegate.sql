-- SPDX-License-Identifier: Apache-2.0
-- Delegates. First those in SQL, run in a batch's transaction (store/delegate.c). The timeouts are set by a statement
-- of their own: they hold from the next one on.

-- name: delegate_session
-- What must be the same before and after. Functions of the catalogue only: search_path may be another.
select concat_ws('; ', 'user ' || current_user, 'transaction ' || pg_current_xact_id()::text,
        (select string_agg(s || ' ' || current_setting(s), '; ')
         from unnest(array['role', 'search_path', 'session_authorization', 'synchronous_commit',
             'transaction_isolation', 'transaction_read_only', 'default_transaction_isolation',
             'default_transaction_read_only', 'idle_in_transaction_session_timeout', 'row_security', 'timezone',
             'datestyle', 'intervalstyle', 'client_encoding', 'standard_conforming_strings', 'session_replication_role',
             'plan_cache_mode', 'enable_seqscan', 'enable_indexscan', 'statement_timeout', 'lock_timeout']) s)),
    current_setting('statement_timeout'), current_setting('lock_timeout');

-- name: delegate_timeouts
select set_config('statement_timeout', d.timeout_ms::text, true), set_config('lock_timeout', d.lock_timeout_ms::text, true),
    d.timeout_ms
from sql_delegate d where d.name = $1;

-- name: delegate_run
select result, error_state, error_message, error_detail, error_context from api_sql_delegate($1, $2::jsonb);

-- name: delegate_restore
select set_config('statement_timeout', $1, true), set_config('lock_timeout', $2, true);

-- ---- C delegates: calls without HTTP, whose endpoint is only their limits ----

-- name: delegate_endpoints
insert into endpoint (name, base_url) select n, n from unnest($1::text[]) n order by n on conflict do nothing;
