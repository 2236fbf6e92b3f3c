-- SPDX-License-Identifier: Apache-2.0
-- Login roles of the kinds of callers; made by the superuser, granted by the installer in fixtures.sql.
create role starter login;
create role worker login;
create role reader login;
create role administrator login;
create role nobody login;
create role web login; -- becomes others by SET ROLE, as PostgREST does
create role clerk; -- as whom a delegate runs
grant starter, worker to web;
grant clerk to pawl with admin option;
