-- SPDX-License-Identifier: Apache-2.0
-- One worker's fetch of fifty.
select count(*) from pawl.fetch_and_lock('w' || :client_id, '["bench"]', 50);
