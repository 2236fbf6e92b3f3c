/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/mask.h"

static void test_mask__names(void **state UNUSED)
{
    static const char *const secret[] = {"Authorization", "X-Api-Key",    "set-cookie",
                                         "TOKEN",         "sig",          "X-Amz-Signature",
                                         "passwort",      "client_secret"};
    static const char *const plain[] = {"", "Accept", "q", "design", "User-Agent", "signal"};

    for (size_t i = 0; i < ARRAY_LEN(secret); i++)
        assert_true(mask_is_secret(secret[i], strlen(secret[i])));
    for (size_t i = 0; i < ARRAY_LEN(plain); i++)
        assert_false(mask_is_secret(plain[i], strlen(plain[i])));
    assert_false(mask_is_secret("token", 3));
}

static void test_mask__query(void **state UNUSED)
{
    static const char *const cases[][2] = {
        {"GET /a", "GET /a"},
        {"GET /a?", "GET /a?"},
        {"GET /a?q=1&token=x&b=2", "GET /a?q=1&token=***&b=2"},
        {"GET /token=x?sig=x", "GET /token=x?sig=***"},
        {"GET /a?token&key=&key=x=y", "GET /a?token&key=***&key=***"},
        {"GET /a?q=token?&q=2", "GET /a?q=token?&q=2"},
    };
    struct arena arena;

    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_string_equal(mask_query(&arena, cases[i][0]), cases[i][1]);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mask__names),
        cmocka_unit_test(test_mask__query),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
