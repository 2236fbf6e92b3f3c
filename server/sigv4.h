/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * AWS Signature Version 4, verified: that a request was signed by who has the secret of an access
 * key, and not changed since. In two steps, since the secret is looked up in between:
 *
 *   sigv4_read()     who says to have signed it, and whether such a signature could hold here
 *   sigv4_verify()   whether it holds with the secret of that access key
 *
 * Refusals are those of AWS, by name and text, since SDKs show them. Pure.
 */
#include "base/arena.h"
#include "server/guard.h"

struct sigv4_request {
    const char *method;
    const char *uri; /* path and query as they came: not decoded */
    const struct guard_header *headers;
    size_t n_headers;
    const void *body; /* whole, raw */
    size_t body_n;
    int64_t now_s; /* the time here, in seconds since 1970 */
};

struct sigv4_refusal {
    const char *type; /* "InvalidSignatureException" */
    const char *message;
};

/* Texts live in the arena. */
struct sigv4_claim {
    const char *access_key;
    const char *date, *region, *service; /* of the scope */
    const char *moment;                  /* x-amz-date */
    const char *signed_headers;          /* as they came: in lower case, sorted, with semicolons */
    uint8_t signature[32];
};

/* Positive: refused. service: what the scope must name. */
int sigv4_read(struct arena *arena, const struct sigv4_request *request, const char *service,
               struct sigv4_claim *ret_claim, struct sigv4_refusal *ret_refusal) MUST_CHECK;
/* Takes the same time wherever the signatures differ. */
bool sigv4_verify(struct arena *arena, const struct sigv4_request *request,
                  const struct sigv4_claim *claim, const char *secret) MUST_CHECK;
