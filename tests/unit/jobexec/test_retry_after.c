/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "jobexec/retry_after.h"

#define DATE "Sun, 06 Nov 1994 08:49:37 GMT"

static void test_retry_after__table(void **state UNUSED)
{
    static const struct {
        const char *after, *reset, *date;
        int64_t ms;
    } table[] = {
        {NULL, NULL, NULL, -1},
        {"0", NULL, NULL, 0},
        {"1", NULL, DATE, 1000},
        {"120", "5", DATE, 120000},
        {NULL, "5", DATE, 5000},
        {NULL, "soon", DATE, -1},
        {"86400", NULL, NULL, 1000 * (int64_t)LIMIT_RETRY_AFTER_S},
        {"86401", NULL, NULL, 1000 * (int64_t)LIMIT_RETRY_AFTER_S},
        {"99999999999999999999999", NULL, NULL, 1000 * (int64_t)LIMIT_RETRY_AFTER_S},
        {"-1", NULL, NULL, -1},
        {"1.5", NULL, NULL, -1},
        {"", NULL, NULL, -1},
        {"soon", NULL, DATE, -1},
        {"Sun, 06 Nov 1994 08:49:47 GMT", NULL, DATE, 10000},
        {"Sunday, 06-Nov-94 08:49:47 GMT", NULL, DATE, 10000}, /* RFC 850 */
        {"Sun Nov  6 08:49:47 1994", NULL, DATE, 10000},       /* asctime() */
        {"Sun, 06 Nov 1994 08:49:27 GMT", NULL, DATE, 0},
        {"Mon, 06 Nov 2094 08:49:37 GMT", NULL, DATE, 1000 * (int64_t)LIMIT_RETRY_AFTER_S},
        {"Sun, 06 Nov 1994 08:49:47 GMT", NULL, NULL, 9000},
        {"Sun, 06 Nov 1994 08:49:47 GMT", NULL, "today", -1},
    };

    for (size_t i = 0; i < ARRAY_LEN(table); i++) {
        int64_t ms = retry_after_ms(table[i].after, table[i].reset, table[i].date, 784111778);
        if (ms != table[i].ms)
            fail_msg("%s: %lld", table[i].after, (long long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_retry_after__table)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
