-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
select endpoint from set_endpoint('geo', 'https://geo.example:8443/v1/');
select endpoint from set_endpoint(name => 'bank', base_url => 'http://[::1]:80', options => '{"rate": 0.5, "burst": 2, "maxInFlight": 7, "connectTimeout": "PT0.25S", "timeout": "2 min", "cache": "P1DT1H", "unknown": "repeat", "headers": {"User-Agent": "shop", "Authorization": {"secret": "file:/etc/pawl/bank"}}}');
select name, base_url, rate, burst, max_in_flight, connect_timeout, timeout, cache, unknown, headers, queued, under_way from endpoints order by name;
\echo -- what is not named stays; null is the default
select * from set_endpoint('bank', options => '{"rate": 5, "burst": null, "headers": {"user-agent": "till", "X-A": "b"}}');
select * from set_endpoint('bank', 'http://[::1]:80/', '{"rate": 5, "headers": {"X-A": "c"}, "breaker": {"open": "PT30S", "probes": 2}}');
select * from set_endpoint('bank', 'http://[::1]:81', '{"breaker": {"probes": null, "slow": "PT1S"}, "allow": ["10.0.0.0/8"], "auth": {"type": "bearer", "token": "env:T"}}');
select base_url, rate, burst, max_in_flight, connect_timeout, timeout, cache, unknown, breaker ->> 'open', breaker ->> 'probes', headers, transport from endpoint where name = 'bank';
select * from set_endpoint('bank', options => '{"auth": {"type": "basic", "user": "us", "password": "env:P"}, "breaker": {"open": null, "slow": null}, "allow": "private", "proxy": "http://p:1", "redirects": 3}');
select * from set_endpoint('bank', options => '{"proxy": {"user": "us", "password": "env:P"}, "redirects": {"otherHosts": true}, "auth": {"user": "we"}, "headers": {"user-agent": null}}');
select options, headers, transport from endpoints where name = 'bank';
select changed from set_endpoint('bank', options => '{"rate": 5, "actor": "ada"}');
select kind, actor, subject, detail from audit order by at desc, detail::text limit 3;
\echo -- nothing of it, where one of them is wrong
select refused($$ select set_endpoint('bank', options => '{"rate": 1, "breaker": {"open": "PT10S", "maxOpen": "PT5S"}}') $$);
select refused($$ select set_endpoint('bank', options => '{"auth": {"type": null}}') $$);
select refused($$ select set_endpoint('bank', options => '{"replace": "yes"}') $$);
select refused($$ select set_endpoint('bank') $$);
select refused($$ select set_endpoint('unheard', options => '{"rate": 1}') $$);
select rate from endpoint where name = 'bank';
\echo -- replaced as a whole
select endpoint from set_endpoint('geo', 'http://127.0.0.1/', '{"rate": null, "cache": null, "headers": null, "unknown": null}');
select endpoint, created, changed from set_endpoint('bank', 'http://bank', '{"replace": true}');
select name, base_url, rate, burst, max_in_flight, connect_timeout, timeout, cache, unknown, headers from endpoint order by name;
\echo -- refused
select refused(format('select set_endpoint(%L, %L)', n, u)) from (values (null, 'http://a'), ('', 'http://a'), ('x', null),
    ('x', 'ftp://a'), ('x', 'a.example'), ('x', 'http://'), ('x', 'http://user:pw@a'), ('x', 'http://a/?q=1'),
    ('x', 'http://a/#f'), ('x', 'http://a b'), ('x', E'http://a/\nx'), ('x', 'http://' || repeat('a', 8192))) v(n, u);
select refused(format('select set_endpoint(%L, %L, %L)', 'x', 'http://a', o)) from (values ('{"rat": 1}'), ('[]'), ('{"rate": 0}'),
    ('{"rate": "5"}'), ('{"burst": 1.5}'), ('{"burst": 0}'), ('{"maxInFlight": 100000}'), ('{"timeout": 5}'), ('{"timeout": "soon"}'),
    ('{"timeout": "0 s"}'), ('{"timeout": "-5 s"}'), ('{"timeout": "P"}'), ('{"timeout": "PT"}'), ('{"connectTimeout": "P1Y"}'), ('{"cache": true}'),
    ('{"headers": []}'), ('{"headers": {"a b": "c"}}'), ('{"headers": {"a": 1}}'), ('{"headers": {"a": "x\r\ny: z"}}'), ('{"headers": {"X-Api-Key": "hunter2"}}')) v(o);
select refused($$ select drop_endpoint('bank') $$);
select refused($$ select drop_endpoint('none') $$);
select refused($$ select drop_endpoint(null) $$);
select endpoint from drop_endpoint('geo');
delete from call;
select endpoint from drop_endpoint(name => 'bank');
select count(*) from endpoints;
\echo -- the circuit breaker, and what else is policy
select endpoint from set_endpoint('shop', 'http://shop', '{"breaker": {"window": "PT30S", "slow": "2 s", "open": "PT10M"}, "unknown": "fail", "retryBudget": 0.25, "maxInFlightAll": 9}');
select endpoint from set_endpoint('plain', 'http://plain', '{"breaker": false, "unknown": "ask"}');
select name, breaker, unknown, retry_budget, max_in_flight_all, circuit from endpoints order by name;
select refused(format('select set_endpoint(%L, %L, %L)', 'x', 'http://a', o)) from (values ('{"breaker": 5}'), ('{"breaker": {"probe": 1}}'),
    ('{"breaker": {"window": 1001}}'), ('{"breaker": {"window": 0}}'), ('{"breaker": {"window": "soon"}}'), ('{"breaker": {"failures": 2}}'),
    ('{"breaker": {"probes": 0}}'), ('{"breaker": {"open": "PT10S", "maxOpen": "PT5S"}}'), ('{"unknown": "maybe"}'), ('{"retryBudget": 1.5}')) v(o);
select state from set_circuit('shop', 'open', '{"reason": "maintenance"}');
select circuit, circuit_why like '% maintenance', next_probe from endpoints where name = 'shop';
select state from set_circuit('shop', 'closed');
select circuit from endpoints where name = 'shop';
select state from set_circuit('shop', 'auto');
select circuit from endpoints where name = 'shop';
\echo -- what was seen of it before is forgotten with the breaker, and with its address
create function opened() returns text language sql as $$
    update endpoint_state set circuit = 1, until = clock() + '1 h', held = clock() + '1 h', why = 'too many calls failed' where name = 'shop';
    select format('%s %s', circuit, held_until is not null) from endpoints where name = 'shop' $$;
create function now_is() returns text language sql as $$
    select format('%s %s %s', circuit, held_until is not null, circuit_why) from endpoints where name = 'shop' $$;
select opened();
select set_endpoint('shop', 'http://shop', '{"rate": 7}'), now_is();
select set_endpoint('shop', 'http://shop', '{"breaker": false}'), now_is();
select opened();
select set_endpoint('shop', 'http://shop.example/'), now_is();
select opened(), set_circuit('shop', 'open');
select set_endpoint('shop', 'http://shop'), now_is();
select set_circuit('shop', 'auto');
select refused($$ select set_circuit('none', 'open') $$);
select refused($$ select set_circuit('shop', 'half') $$);
select refused($$ select set_circuit('shop', null) $$);
select held from hold_calls('{"reason": "restored"}');
select held from hold_calls();
select reason, count(*) over () from hold;
select released from release_calls();
select released from release_calls();
