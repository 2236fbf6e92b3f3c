/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the connector found, judged and written as the `response` object that processes see
 * (jobexec/README.md lists its members). Pure; any thread.
 */
#include "jobexec/http.h"

enum outcome {
    OUTCOME_ANSWERED = 1, /* 2xx and readable */
    OUTCOME_STATUS,       /* any other HTTP status */
    OUTCOME_UNREADABLE,   /* connected, but nothing that can be read came back whole */
    OUTCOME_TIMEOUT,      /* no connection or no whole answer in time */
    OUTCOME_OFFLINE,      /* no connection could be made */
    OUTCOME_UNKNOWN,      /* it left, and what became of it is not known */
    OUTCOME_REFUSED,      /* the egress guard did not let it leave */
    OUTCOME_FAILED,       /* a C delegate said so */
    OUTCOME_BPMN_ERROR,   /* a C delegate threw one */
    OUTCOMES
};
const char *outcome_name(enum outcome outcome);

struct response {
    enum outcome outcome;
    bool ok;
    int64_t retry_after_ms; /* of a 429 or 503; -1: it does not say */
    const char *text; /* JSON object, NUL-terminated; its last members are attempt, ms, fromCache */
    size_t n;
};

/* readable: the body of a whole answer is. */
enum outcome outcome_of(const struct http_exchange *exchange, bool readable);

/*
 * endpoint: its name, for the error text. The exchange's result is any but HTTP_NOT_SENT and
 * HTTP_GIVEN_UP. Memory of the arena.
 */
void response_build(struct arena *arena, const char *endpoint, uint32_t attempt,
                    const struct http_exchange *exchange, struct response *ret_response);
