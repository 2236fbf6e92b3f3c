/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/digest.h"

/* FIPS 180-4's examples, RFC 4231 case 2, RFC 2202 case 2. */
static void test_digest__known(void **state UNUSED)
{
    struct arena arena;
    struct digest digest;

    arena_init(&arena, 0);
    digest_of(DIGEST_SHA256, "abc", 3, &digest);
    assert_string_equal(digest_hex(&arena, digest.b, digest.n),
                        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    digest_of(DIGEST_SHA256, NULL, 0, &digest);
    assert_string_equal(digest_hex(&arena, digest.b, digest.n),
                        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    digest_hmac(DIGEST_SHA256, "Jefe", 4, "what do ya want for nothing?", 28, &digest);
    assert_string_equal(digest_hex(&arena, digest.b, digest.n),
                        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    digest_hmac(DIGEST_SHA1, "Jefe", 4, "what do ya want for nothing?", 28, &digest);
    assert_string_equal(digest_hex(&arena, digest.b, digest.n),
                        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
    digest_hmac(DIGEST_SHA512, "Jefe", 4, "what do ya want for nothing?", 28, &digest);
    assert_int_equal(digest.n, 64);
    /* One without a key does not take the key before. */
    digest_hmac(DIGEST_SHA256, NULL, 0, "", 0, &digest);
    assert_string_equal(digest_hex(&arena, digest.b, digest.n),
                        "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    assert_true(digest_equal("abc", "abd", 2));
    assert_false(digest_equal("abc", "abd", 3));
    arena_deinit(&arena);
}

static void test_digest__hex(void **state UNUSED)
{
    uint8_t bytes[2];

    assert_true(digest_unhex("00fF", 4, bytes, 2));
    assert_int_equal(bytes[0], 0);
    assert_int_equal(bytes[1], 255);
    assert_false(digest_unhex("00f", 3, bytes, 2));
    assert_false(digest_unhex("00fg", 4, bytes, 2));
    assert_false(digest_unhex("00f\xc6", 4, bytes, 2));
}

/* RFC 4648, 10; and what is none. */
static void test_digest__base64(void **state UNUSED)
{
    static const char *const pairs[][2] = {{"", ""},
                                           {"f", "Zg=="},
                                           {"fo", "Zm8="},
                                           {"foo", "Zm9v"},
                                           {"foob", "Zm9vYg=="},
                                           {"fooba", "Zm9vYmE="},
                                           {"foobar", "Zm9vYmFy"}};
    static const char *const wrong[] = {
        "Z", "Zg=", "Zh==", "Zm9=", "Z===", "Zm9v=", "Zm 8=", "====", "Zm\xc3\xa4v"};
    struct arena arena;
    size_t n;

    arena_init(&arena, 0);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
        const char *plain = pairs[i][0], *coded = pairs[i][1];
        assert_string_equal(digest_base64(&arena, plain, strlen(plain)), coded);
        const uint8_t *back = digest_unbase64(&arena, coded, strlen(coded), &n);
        assert_non_null(back);
        assert_int_equal(n, strlen(plain));
        assert_memory_equal(back, plain, n);
        back = digest_unbase64(&arena, coded, strcspn(coded, "="), &n);
        assert_non_null(back);
        assert_int_equal(n, strlen(plain));
    }
    const uint8_t *both = digest_unbase64(&arena, "-_+/", 4, &n);
    assert_memory_equal(both, "\xfb\xff\xbf", 3);
    assert_string_equal(digest_base64url(&arena, "\xfb\xff\xbf\xfb", 4), "-_-_-w");
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
        assert_null(digest_unbase64(&arena, wrong[i], strlen(wrong[i]), &n));
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_digest__known),
        cmocka_unit_test(test_digest__hex),
        cmocka_unit_test(test_digest__base64),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
