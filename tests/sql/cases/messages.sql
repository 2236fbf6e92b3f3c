-- SPDX-License-Identifier: Apache-2.0
set search_path = pawl;
\set show 'select kind, name, key, detail, body, ttl_us, root_id is not null as rooted, instance_id is not null as one, actor from inbox order by id;'
select message_id is not null from publish('paid');
select message_id is not null from publish(message => 'paid', key => 'A-3', variables => '{"sum": 3}', ttl => '1.5 s', options => '{"all": true}');
select message_id is not null from publish('paid', null, null, '0', '{"all": false}');
select message_id is not null from publish('paid', options => '{"all": null}'); -- as by default
select command_id is not null from correlate('paid', 'A-3');
select command_id is not null from correlate(message => 'paid', instance_id => id(3), variables => '{"x": null}');
:show
\echo -- refused
select refused($$ select publish('') $$);
select refused($$ select publish(null) $$);
select refused($$ select publish(repeat('m', 256)) $$);
select refused($$ select publish('paid', repeat('k', 256)) $$);
select refused($$ select publish('paid', variables => '[]') $$);
select refused($$ select publish('paid', ttl => '-1 s') $$);
select refused($$ select publish('paid', ttl => '170000000 years') $$);
select refused($$ select publish('paid', options => '{"all": 1}') $$);
select refused($$ select publish('paid', options => '{"every": true}') $$);
select refused($$ select correlate('paid') $$);
select refused($$ select correlate(null, 'A-3') $$);
select refused($$ select correlate('paid', 'A-3', '7') $$);
select refused($$ select correlate('paid', instance_id => id(99)) $$);
select refused($$ select correlate('paid', instance_id => id(8)) $$);
\echo -- to an instance that this transaction starts
begin;
select instance_id from start('order') \gset
select command_id is not null from correlate('paid', instance_id => :'instance_id');
commit;
select count(*) from inbox where instance_id = :'instance_id' and coalesce(root_id, instance_id) = instance_id;
