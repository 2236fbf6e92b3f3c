-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
set client_min_messages = warning;
\echo -- kept in one form
select endpoint from set_endpoint('full', 'https://a.example', '{"tls": {"ca": "file:/etc/ca.pem", "certificate": "file:/etc/c.pem", "key": "credential:our.key", "keyPassword": "env:KEY_PASSWORD", "minVersion": "1.3", "verify": true}, "proxy": {"url": "socks5://proxy.example:1080", "user": "us", "password": "env:PROXY"}, "redirects": {"max": 2, "otherHosts": true}, "http": "2-prior-knowledge", "allow": ["10.1.0.0/16", "fd12::/16", "::1", "loopback"], "maxResponse": 4096, "auth": {"type": "basic", "user": "us", "password": "file:/run/secret"}, "connections": {"idle": "PT20S", "age": "10 min"}}');
select endpoint from set_endpoint('short', 'https://a.example', '{"proxy": "http://proxy:3128", "redirects": 3, "allow": "private", "http": "1.1", "headers": {"X-Plain": "a", "X-Key": {"secret": "env:KEY"}}}');
select endpoint from set_endpoint('plain', 'https://a.example', '{"tls": null, "auth": null, "allow": null}');
select endpoint from set_endpoint('lambda', 'https://lambda.example', '{"auth": {"type": "awsSigV4", "accessKey": "env:AWS_ACCESS_KEY_ID", "secretKey": "env:AWS_SECRET_ACCESS_KEY", "sessionToken": "env:AWS_SESSION_TOKEN", "region": "eu-central-1", "service": "lambda"}}');
select endpoint from set_endpoint('bearer', 'https://a.example', '{"auth": {"type": "bearer", "token": "credential:token"}}');
select endpoint from set_endpoint('key', 'https://a.example', '{"auth": {"type": "apiKey", "name": "key", "in": "query", "key": "env:KEY"}}');
select endpoint from set_endpoint('oauth', 'https://a.example', '{"auth": {"type": "oauth2ClientCredentials", "tokenUrl": "https://login.example/token", "clientId": "us", "clientSecret": "env:S", "scope": "read write"}}');
select endpoint from set_endpoint('partner', 'https://a.example', '{"sign": {"secret": "file:/run/one"}}');
select endpoint from set_endpoint('partners', 'https://a.example', '{"sign": {"scheme": "standard", "secret": ["file:/run/one", "env:TWO"]}}');
select endpoint from set_endpoint('open', 'https://a.example', '{"tls": {"verify": false}}');
select name, jsonb_pretty(transport) from endpoints order by name;
select headers from endpoints where name = 'short';
select headers from endpoint where name = 'short';
\echo -- a whole replacement
select endpoint from set_endpoint('full', 'https://a.example', '{"replace": true}');
select transport from endpoint where name = 'full';
\echo -- refused; a secret in a wrong place is not repeated
select refused(format('select set_endpoint(%L, %L, %L)', 'x', 'http://a', o)) from (values
    ('{"tls": true}'), ('{"tls": {"verfy": false}}'), ('{"tls": {"verify": "no"}}'), ('{"tls": {"ca": "/etc/ca.pem"}}'),
    ('{"tls": {"certificate": "file:/c.pem"}}'), ('{"tls": {"minVersion": "1.1"}}'), ('{"tls": {"minVersion": 1.2}}'),
    ('{"proxy": 1}'), ('{"proxy": "proxy:3128"}'), ('{"proxy": "http://us:pw@proxy"}'), ('{"proxy": {"url": "http://proxy", "user": "us"}}'),
    ('{"proxy": {"url": "http://proxy", "user": "us", "password": "hunter2"}}'),
    ('{"redirects": -1}'), ('{"redirects": 21}'), ('{"redirects": true}'), ('{"redirects": {"hosts": 1}}'), ('{"redirects": {"otherHosts": 1}}'),
    ('{"http": 2}'), ('{"http": "3"}'),
    ('{"allow": 1}'), ('{"allow": {}}'), ('{"allow": "public"}'), ('{"allow": ["10.0.0.1/8"]}'), ('{"allow": ["10.0.0.0/33"]}'), ('{"allow": ["a.example"]}'),
    (format('{"allow": [%s]}', (select string_agg('"10.0.0.1"', ',') from generate_series(1, 65)))),
    ('{"maxResponse": 0}'), ('{"maxResponse": 1048577}'), ('{"maxResponse": "1k"}'),
    ('{"connections": 5}'), ('{"connections": {"idle": 5}}'), ('{"connections": {"max": 5}}'),
    ('{"sign": "env:A"}'), ('{"sign": {}}'), ('{"sign": {"secret": "whsec_hunter2"}}'), ('{"sign": {"secret": []}}'),
    ('{"sign": {"secret": ["env:A", 1]}}'), ('{"sign": {"secret": "env:A", "scheme": "hmac"}}'),
    ('{"auth": "basic"}'), ('{"auth": {}}'), ('{"auth": {"type": "digest"}}'), ('{"auth": {"type": "basic", "user": "us"}}'),
    ('{"auth": {"type": "basic", "user": "us", "password": "hunter2"}}'), ('{"auth": {"type": "basic", "password": "env:A"}}'),
    ('{"auth": {"type": "basic", "user": "a\nb", "password": "env:A"}}'), ('{"auth": {"type": "bearer", "token": "env:A=B"}}'),
    ('{"auth": {"type": "bearer", "token": "credential:../x"}}'), ('{"auth": {"type": "bearer", "token": "credential:.."}}'),
    ('{"auth": {"type": "bearer", "token": "file:x"}}'), ('{"auth": {"type": "bearer", "token": {"secret": "x"}}}'),
    ('{"auth": {"type": "bearer", "token": "env:A", "user": "us"}}'), ('{"auth": {"type": "apiKey", "key": "env:A"}}'),
    ('{"auth": {"type": "apiKey", "name": "a b", "key": "env:A"}}'), ('{"auth": {"type": "apiKey", "name": "a", "in": "body", "key": "env:A"}}'),
    ('{"auth": {"type": "awsSigV4", "accessKey": "AKID", "secretKey": "env:S", "region": "r", "service": "s"}}'),
    ('{"auth": {"type": "awsSigV4", "accessKey": "env:A", "secretKey": "env:S", "service": "s"}}'),
    ('{"auth": {"type": "oauth2ClientCredentials", "tokenUrl": "login.example", "clientId": "us", "clientSecret": "env:S"}}'),
    ('{"auth": {"type": "oauth2ClientCredentials", "tokenUrl": "https://login.example", "clientId": "us", "clientSecret": "hunter2"}}'),
    ('{"headers": {"X": {"secret": "hunter2"}}}'), ('{"headers": {"X": {"env": "A"}}}'), ('{"headers": {"X": {}}}')) v(o);
select count(*) from endpoint where name = 'x';
