/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/uuid.h"

static void test_uuid__v7(void **state UNUSED)
{
    /* The example of RFC 9562, appendix A.6. */
    static const uint8_t entropy[10] = {0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f};
    struct uuid uuid = uuid_v7(INT64_C(0x017f22e279b0), entropy), again;
    char text[UUID_TEXT_BYTES];

    uuid_format(&uuid, text);
    assert_string_equal(text, "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
    assert_true(uuid_parse(text, &again));
    assert_true(uuid_equal(&uuid, &again));
    assert_true(uuid_parse("017F22E2-79B0-7CC3-98C4-DC0C0C07398F", &again));
    assert_true(uuid_equal(&uuid, &again));
    struct uuid later = uuid_v7(INT64_C(0x017f22e279b1), entropy);
    assert_true(uuid_compare(&uuid, &later) < 0);
    assert_false(uuid_is_nil(&uuid));
}

static void test_uuid__refuses(void **state UNUSED)
{
    static const char *const cases[] = {
        "",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398g",
        "017f22e279b07cc398c4dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4_dc0c0c07398f",
        "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
        " 017f22e2-79b0-7cc3-98c4-dc0c0c07398f",
        "017f22e2-79b0-7cc3-98c4-dc0c0c07398f ",
    };
    struct uuid uuid;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        if (uuid_parse(cases[i], &uuid))
            fail_msg("'%s' was taken", cases[i]);
    }
    assert_true(uuid_parse("00000000-0000-0000-0000-000000000000", &uuid));
    assert_true(uuid_is_nil(&uuid));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_uuid__v7),
        cmocka_unit_test(test_uuid__refuses),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
