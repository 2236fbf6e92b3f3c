/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One attempt of a remote call, from the commit of its attempt row to the commit of its answer. It
 * has one owner at a time: the dispatcher, the connector, the queue of answers, a worker
 * (jobexec/README.md).
 */
#include "jobexec/http.h"
#include "jobexec/jobexec.h"
#include "jobexec/response.h"
#include "store/call.h"
#include "store/store.h"

struct lane;

/* What the function of a C delegate gave. In the flight's arena. */
struct delegate_answer {
    enum delegate_outcome outcome;
    const char *result;         /* DELEGATE_SUCCEEDED: JSON; NULL: null */
    const char *code, *message; /* DELEGATE_BPMN_ERROR; message also DELEGATE_FAILED */
};

struct flight {
    struct arena arena;          /* holds this struct and all its texts */
    struct call_request request; /* with texts of its own */
    const char *endpoint;
    struct transport transport;
    struct http_exchange exchange;   /* its owner is the flight */
    struct delegate_answer delegate; /* outcome 0: it was HTTP */
    bool unsendable;                 /* exchange.error says why; it never goes to the connector */
    struct call_result result;       /* response is NULL until flight_judge() */
    enum outcome outcome;            /* after flight_judge() */
    int64_t retry_after_ms;          /* after flight_judge(); -1: the service does not say */
    bool seen;                       /* the dispatcher knows what became of it */
    int64_t not_before_us;           /* clock_mono_us(): put off by a batch until then */
    unsigned put_offs;
    struct lane *lane;   /* the dispatcher's */
    void *owner;         /* the executor */
    struct flight *next; /* in the list that has it */
};

/*
 * Copies the request and makes its HTTP from it: URL, headers, Idempotency-Key. What cannot be sent
 * is `unsendable`. boot_us: when its attempt was made, by clock_boot_us().
 */
struct flight *flight_new(const struct call_request *request, const char *endpoint,
                          int64_t boot_us);
void flight_free(struct flight *flight);
/* Fills `result` from the exchange. */
void flight_judge(struct flight *flight);
