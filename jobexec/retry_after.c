/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <curl/curl.h>

#include "base/limits.h"
#include "jobexec/retry_after.h"

static int64_t capped(int64_t ms)
{
    return ms < (int64_t)LIMIT_RETRY_AFTER_S * 1000 ? ms : (int64_t)LIMIT_RETRY_AFTER_S * 1000;
}

/* Digits alone; -1: something else. */
static int64_t seconds_ms(const char *text)
{
    size_t n = strspn(text, "0123456789");

    if (n == 0 || text[n] != '\0')
        return -1;
    return capped(n > 9 ? INT64_MAX : strtoll(text, NULL, 10) * 1000);
}

/* One that is over means now. */
static int64_t until_ms(const char *then, const char *now, int64_t our_s)
{
    time_t then_s = curl_getdate(then, NULL),
           now_s = now != NULL ? curl_getdate(now, NULL) : (time_t)our_s;

    if (then_s == -1 || now_s == -1)
        return -1;
    return then_s > now_s ? capped((int64_t)(then_s - now_s) * 1000) : 0;
}

int64_t retry_after_ms(const char *retry_after, const char *reset, const char *date, int64_t now_s)
{
    if (retry_after != NULL) {
        int64_t ms = seconds_ms(retry_after);
        return ms >= 0 ? ms : until_ms(retry_after, date, now_s);
    }
    return reset != NULL ? seconds_ms(reset) : -1;
}
