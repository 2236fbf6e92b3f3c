-- SPDX-License-Identifier: Apache-2.0
-- Who did what: out of the history, and what is not in it.

create or replace view audit with (security_barrier) as
select x.at, x.kind, x.actor, x.tenant, x.subject, x.detail, x.address
from audit_entry x
union all
select p.at, 'deployed', p.actor, p.tenant, p.id::text, jsonb_build_object('name', p.name, 'state', p.state), null
from deployment p
union all
select p.ended, 'withdrawn', p.ended_by, p.tenant, p.id::text, jsonb_build_object('name', p.name), null
from deployment p where p.ended is not null
union all
select b.at, 'bulk', b.actor, null, b.id::text, jsonb_build_object('action', b.action, 'filter', b.filter, 'handed', b.handed), null
from bulk b
union all
select e.at, e.kind, e.data ->> 'actor', e.tenant, e.instance_id::text, e.data - 'actor', null
from events e where e.data ? 'actor';
revoke all on audit from public;
comment on view audit is 'Who did what: with instances, deployments, many at once, users, rights and settings; and what was refused to users of the server. Ask for a time (`at`), a name or a subject. What database roles are refused is in PostgreSQL''s log.';
comment on column audit.kind is 'what: of instances as in events; `deployed`, `withdrawn`, `bulk`; `userCreated`, `tokenDropped` and so on; `loginRefused`: wrong credentials; `forbidden`: no right to it';
comment on column audit.actor is 'who; of a refused login the name that was given';
comment on column audit.subject is 'the instance, deployment, user, endpoint …';
comment on column audit.address is 'of a refusal: where it came from';
