/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
#include "server/request.h"

/* POST /sedo/tenants/{tenant}/definitions: a list of steps, made into BPMN and deployed. */
void sedo_define(struct request *request);
