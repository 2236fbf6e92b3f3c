/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small orchestrator's API: definitions as lists of steps, by tenant, and their executions. An
 * execution is an instance whose business key is TENANT:DEFINITION:8 DIGITS.
 */
#include "base/build.h"

#include "base/limits.h"
#include "server/operation.h"
#include "server/sedo.h"

#define SEDO(method, path, right)                                                                  \
    METHOD_##method, "/sedo/tenants/{tenant}" path, RIGHT_##right, DIALECT_PAWL

static const struct operation list[] = {
    {SEDO(POST, "/definitions", AUTHOR), "Deploys a list of steps, in JSON or YAML",
     .handle = sedo_define, .body_kind = BODY_RAW, .most = LIMIT_STEPS_BYTES,
     .answers = "200 Its id"},
    {SEDO(GET, "/definitions", READ), "The definitions of a tenant", .query = "sedo_definitions",
     .arguments = "path.tenant", .answers = "200 The definitions"},
    {SEDO(GET, "/definitions/{definition}", READ), "A definition of a tenant",
     .query = "sedo_definition", .arguments = "path.tenant path.definition",
     .answers = "200 The definition"},
    {SEDO(POST, "/definitions/{definition}/execute", START), "Executes a definition",
     .query = "sedo_execute", .writes = true, .body_kind = BODY_JSON, .fields = "input:object",
     .answers = "200 The execution"},
    {SEDO(GET, "/executions", READ), "The executions of a tenant, the newest first",
     .query = "sedo_executions", .arguments = "path.tenant query.limit",
     .parameters = "limit:integer", .answers = "200 The executions"},
    {SEDO(GET, "/executions/{execution}", READ), "An execution: its state and step",
     .query = "sedo_execution", .arguments = "path.tenant path.execution",
     .answers = "200 The execution"},
    {SEDO(GET, "/executions/{execution}/history", READ), "The steps of an execution, in order",
     .query = "sedo_history", .arguments = "path.tenant path.execution",
     .answers = "200 The steps, each with its start and end"},
    {SEDO(POST, "/executions/{execution}/retry", ADMIN), "Tries again what failed in an execution",
     .query = "sedo_retry", .writes = true, .body_kind = BODY_JSON, .fields = "variables:object",
     .answers = "202 It will be done; how many incidents it had"},
    {SEDO(POST, "/executions/{execution}/cancel", ADMIN), "Ends an execution",
     .query = "sedo_cancel", .writes = true, .body_kind = BODY_JSON, .fields = "reason:string",
     .answers = "202 It will be done"},
};

const struct operations operations_sedo = {list, ARRAY_LEN(list)};
