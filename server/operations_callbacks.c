/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task tokens: whoever has one answers, with no credentials but the token. Where credentials come
 * along they are looked at, and the process may want them (allowedCaller).
 */
#include "base/build.h"

#include "base/limits.h"
#include "server/operation.h"

/* JSON may write a character as six. */
#define BODY_BYTES (6 * (LIMIT_CALLBACK_OUTPUT_BYTES + LIMIT_CALLBACK_LOGS_BYTES))

#define CALLBACK(place, text)                                                                      \
    METHOD_POST, "/callbacks" place, RIGHT_TOKEN, DIALECT_PAWL, text,                              \
        .writes = true, .body_kind = BODY_JSON, .most = BODY_BYTES,                                \
        .answers = "200 It is taken; 409 Another answer was first; 410 The task has gone on"

static const struct operation list[] = {
    {CALLBACK("/{token}/succeed", "Ends the task that waits for this token"),
     .query = "http_callback_succeed"},
    {CALLBACK("/{token}/fail", "Fails the task that waits for this token"),
     .query = "http_callback_fail"},
    {CALLBACK("/{token}/heartbeat", "Says that the work for this token goes on"),
     .query = "http_callback_heartbeat"},
    {CALLBACK("", "Ends or fails the task whose token, or callback id, is in the body"),
     .query = "http_callback_answer"},
};

const struct operations operations_callbacks = {list, ARRAY_LEN(list)};
