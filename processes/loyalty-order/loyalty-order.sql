-- SPDX-License-Identifier: Apache-2.0
-- What the process loyalty-order needs beside its diagram: the shop's own tables, what it does with them in the engine's
-- transaction (SQL delegates), and the rules of the bus. Run it with the engine's schema in the search path:
--   PGOPTIONS='-c search_path=pawl' psql -f loyalty-order.sql

create schema loyalty;

create table loyalty.orders (
    reference text primary key,
    kind text not null check (kind in ('sale', 'return')),
    cents bigint not null,
    body jsonb not null,
    status text not null default 'stored',
    points integer,
    lines jsonb
);

create table loyalty.vouchers (
    reference text not null references loyalty.orders,
    code text not null,
    cents bigint not null,
    status text not null default 'open',
    reason text,
    primary key (reference, code)
);

create function loyalty.store(given jsonb) returns jsonb
language plpgsql
as $$
declare
    number text := given #>> '{order,reference}';
begin
    insert into loyalty.orders (reference, kind, cents, body)
    values (number, given ->> 'kind', (given ->> 'cents')::bigint, given -> 'order')
    on conflict do nothing;
    if not found then
        raise exception using errcode = 'PB001', message = 'KNOWN_ALREADY', detail = format('The order %s is known already.', number);
    end if;
    insert into loyalty.vouchers (reference, code, cents)
    select number, v ->> 'code', (v ->> 'cents')::bigint from jsonb_array_elements(given #> '{order,vouchers}') v;
    return null;
end
$$;

select set_sql_delegate('loyalty_store', 'select loyalty.store($1)');

select set_sql_delegate('loyalty_voucher', $$update loyalty.vouchers set status = 'redeemed'
    where reference = $1 ->> 'reference' and code = $1 ->> 'code' returning status$$);

select set_sql_delegate('loyalty_refund', $$update loyalty.vouchers set status = 'on the bill', reason = ($1 ->> 'error') || ': ' || ($1 ->> 'reason')
    where reference = $1 ->> 'reference' and code = $1 ->> 'code' returning status$$);

select set_sql_delegate('loyalty_status', $$update loyalty.orders set status = 'processed', points = ($1 ->> 'points')::integer, lines = $1 -> 'lines'
    where reference = $1 ->> 'reference' returning status$$);

-- ---- The bus: events for the vendor go to its endpoint, the vendor's events answer the tasks that wait ----

select set_event_bus('loyalty', '{"description": "the loyalty service and its vendor"}');

-- What the vendor does not take is offered again soon, since a task waits for its answer: `retries`.
-- One rule may be for one kind of event …
select set_event_rule('vouchers', '{
    "detail": {
        "metadata": {
            "domain": ["LEGO-LOYALTY"],
            "service": ["service-loyalty-order-process"],
            "category": ["task-status"],
            "type": ["voucher"],
            "status": ["processed"]
        }
    }
}', '[{"id": "saas", "callEndpoint": {"endpoint": "loyalty-saas", "path": "/vouchers", "retries": "PT1S,PT2S,PT5S,PT10S,PT30S,PT1M,PT5M"}}]', 'loyalty');

-- … or for several.
select set_event_rule('points-and-rewards', '{
    "detail": {
        "metadata": {
            "domain": ["LEGO-LOYALTY"],
            "service": ["service-loyalty-order-process"],
            "category": ["task-status"],
            "type": ["sale", "return", "reward"],
            "status": ["processed"]
        }
    }
}', '[{"id": "saas", "callEndpoint": {"endpoint": "loyalty-saas", "path": "/<$.detail.metadata.type>", "retries": "PT1S,PT2S,PT5S,PT10S,PT30S,PT1M,PT5M"}}]', 'loyalty');

-- The task gets the detail as its output; without outputPath, the whole event. The same detail twice is the same answer.
select set_event_rule('task-token', '{
    "detail": {
        "metadata": {
            "domain": ["LEGO-LOYALTY"],
            "service": ["service-loyalty-vendor-mediator"],
            "category": ["task-status"],
            "type": ["voucher", "reward", "sale", "return"],
            "status": ["submitted"]
        },
        "data": {"loyalty_request_id": [{"exists": true}]}
    }
}', '[{"id": "task", "completeTask": {"tokenPath": "$.detail.data.loyalty_request_id", "outputPath": "$.detail"}}]', 'loyalty');

select set_event_rule('task-token-error', '{
    "detail": {
        "metadata": {
            "domain": ["LEGO-LOYALTY"],
            "service": ["service-loyalty-vendor-mediator"],
            "category": ["task-status"],
            "type": ["voucher", "reward", "sale", "return"],
            "status": ["error"]
        },
        "data": {"loyalty_request_id": [{"exists": true}]}
    }
}', '[{"id": "task", "failTask": {"tokenPath": "$.detail.data.loyalty_request_id", "errorPath": "$.detail.data.error",
                                  "causePath": "$.detail.data.cause"}}]', 'loyalty');
