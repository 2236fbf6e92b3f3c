-- SPDX-License-Identifier: Apache-2.0
-- Definitions: store/graphs.c and store/deploy.c.
-- name: definition_files
select d.id, d.key, r.name, r.content
from definition d join resource r on r.deployment_id = d.deployment_id and r.name = d.resource
where d.id = any($1)
