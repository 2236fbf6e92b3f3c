/* SPDX-License-Identifier: Apache-2.0 */
/* Pawl's own operations, under /v1: statements of sql/queries/http.sql over the SQL API. */
#include "base/build.h"

#include "server/operation.h"

#define PAWL(method, path, right) METHOD_##method, "/v1" path, RIGHT_##right, DIALECT_PAWL

static const struct operation list[] = {
    {PAWL(POST, "/processes/{key}/start", START), "Starts an instance of a process",
     .query = "http_start", .writes = true, .body_kind = BODY_JSON,
     .fields = "businessKey:string variables:object requestKey:text version:integer",
     .parameters = "await:duration", .awaits = true,
     .answers = "201 The instance; 200 when the request key was there before"},
    {PAWL(POST, "/messages", START),
     "Publishes a message: to who waits for it, or to who comes to wait", .query = "http_publish",
     .writes = true, .body_kind = BODY_JSON,
     .fields = "message:text! key:string variables:object ttl:string all:boolean",
     .parameters = "await:duration", .awaits = true,
     .answers = "202 Its id: GET /v1/outcomes/{id} says what became of it"},
    {PAWL(GET, "/outcomes/{id}", ANY),
     "What became of a command, a message, a deployment or an instance", .query = "http_outcome",
     .parameters = "wait:duration", .awaits = true, .answers = "200 Its state"},
};

const struct operations operations_pawl = {list, ARRAY_LEN(list)};
