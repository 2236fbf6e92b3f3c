/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Whether a request is one, judged before anything else looks at it. Two parsers that see the end
 * of a request in different places can be made to see two requests, the second one of somebody's
 * choice: so nothing that leaves the length in doubt is taken. libmicrohttpd does not look at that
 * by itself. Pure.
 */
#include "base/build.h"

struct guard_header {
    const char *name;
    size_t name_n;
    const char *value; /* may be NULL: none */
    size_t value_n;
};

struct guard_request {
    const char *version; /* "HTTP/1.1" */
    const char *uri;     /* as it came: not decoded; NULL: longer than LIMIT_URL_BYTES */
    const struct guard_header *headers;
    size_t n_headers;
    bool loopback_only; /* Host must name this machine: a page in a browser elsewhere cannot */
};

/* What it says of the body that it brings. */
struct guard_body {
    bool any;
    uint64_t length; /* 0: it will only be known at the end */
};

/* NULL, or what is wrong with it. */
const char *guard_judge(const struct guard_request *request, struct guard_body *ret_body);
