/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What Retry-After and its like say (RFC 9110, 10.2.3). Pure. */
#include "base/build.h"

/*
 * Milliseconds, LIMIT_RETRY_AFTER_S at most; -1: nothing that can be read. Each text may be NULL.
 * retry_after: seconds, or a date, which is compared with the answer's own `date`, so that the
 * clocks of two machines need not agree, or with now_s where there is none; reset:
 * RateLimit-Reset's seconds, if there is no Retry-After.
 */
int64_t retry_after_ms(const char *retry_after, const char *reset, const char *date, int64_t now_s);
