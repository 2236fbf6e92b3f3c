-- SPDX-License-Identifier: Apache-2.0

-- Written as one expression, so that queries inline it.
create or replace function api_request_digest(base_url text, shared_headers jsonb, method text, path text, headers text)
returns bytea language sql immutable
return sha256(convert_to(method || E'\n' || base_url || E'\n' || path || E'\n' || shared_headers::text || E'\n' || headers, 'UTF8'));

comment on function api_request_digest(text, jsonb, text, text, text) is
    'What an answer is kept under in answer_cache: all that decides it, the address and headers of the endpoint '
    'included, so that a changed endpoint never serves the answers of the one before. For the engine.';
revoke all on function api_request_digest(text, jsonb, text, text, text) from public;
