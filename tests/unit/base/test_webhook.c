/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/webhook.h"

/* The example that Standard Webhooks' libraries are tested with. */
#define KEY "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
#define ID "msg_p5jXN8AQM9LWM0D4loKWxJek"
#define BODY "{\"test\": 2432232314}"
#define THEN 1614265330
#define GOOD "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="

static const struct secret key = {KEY, sizeof(KEY) - 1};
static const struct secret other = {"whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 38};

static void test_webhook__signs(void **state UNUSED)
{
    const struct webhook_message message = {ID, "1614265330", BODY, strlen(BODY)};
    struct arena arena;

    arena_init(&arena, 0);
    assert_string_equal(webhook_sign(&arena, &key, &message), GOOD);
    arena_deinit(&arena);
}

static void test_webhook__verifies(void **state UNUSED)
{
    static const struct {
        const char *id, *timestamp, *body, *signatures;
        int64_t now_s;
        enum webhook_verdict want;
    } cases[] = {
        {ID, "1614265330", BODY, GOOD, THEN, WEBHOOK_GOOD},
        {ID, "1614265330", BODY, GOOD, THEN + 300, WEBHOOK_GOOD},
        {ID, "1614265330", BODY, GOOD, THEN + 301, WEBHOOK_STALE},
        {ID, "1614265330", BODY, GOOD, THEN - 301, WEBHOOK_STALE},
        {ID, "1614265330", BODY, "v1a,x v1,AAAA " GOOD, THEN, WEBHOOK_GOOD}, /* several */
        {ID, "1614265330", BODY, "v1,AAAA v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", THEN,
         WEBHOOK_FORGED},
        {ID "x", "1614265330", BODY, GOOD, THEN, WEBHOOK_FORGED},
        {ID, "1614265331", BODY, GOOD, THEN, WEBHOOK_FORGED},
        {ID, "1614265330", BODY " ", GOOD, THEN, WEBHOOK_FORGED},
        {ID, "1614265330", BODY, "", THEN, WEBHOOK_FORGED},
        {ID, "1614265330", BODY, NULL, THEN, WEBHOOK_INCOMPLETE},
        {NULL, "1614265330", BODY, GOOD, THEN, WEBHOOK_INCOMPLETE},
        {"", "1614265330", BODY, GOOD, THEN, WEBHOOK_INCOMPLETE},
        {ID, NULL, BODY, GOOD, THEN, WEBHOOK_INCOMPLETE},
        {ID, "now", BODY, GOOD, THEN, WEBHOOK_INCOMPLETE},
        {ID, "-1614265330", BODY, GOOD, THEN, WEBHOOK_INCOMPLETE},
        {ID, "9999999999999999999", BODY, GOOD, THEN, WEBHOOK_INCOMPLETE},
    };
    const struct secret both[] = {other, key};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct arena arena;
        arena_init(&arena, 0);
        const struct webhook_message message = {cases[i].id, cases[i].timestamp, cases[i].body,
                                                strlen(cases[i].body)};
        if (webhook_verify(&arena, both, 2, &message, cases[i].signatures, cases[i].now_s, 300) !=
            cases[i].want)
            fail_msg("case %zu", i);
        /* Without the secret that made it, nothing is good. */
        if (webhook_verify(&arena, both, 1, &message, cases[i].signatures, cases[i].now_s, 300) ==
            WEBHOOK_GOOD)
            fail_msg("case %zu with another secret", i);
        arena_deinit(&arena);
    }
}

/* GitHub's documented example: the secret, the body and X-Hub-Signature-256. */
static void test_webhook__hmac(void **state UNUSED)
{
    static const struct secret github = {"It's a Secret to Everybody", 26};
    static const char good[] =
        "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    const struct webhook_hmac hex = {DIGEST_SHA256, false, "sha256="},
                              base64 = {DIGEST_SHA256, true, ""},
                              sha1 = {DIGEST_SHA1, false, "sha256="};
    const struct secret both[] = {other, github};
    struct arena arena;

    arena_init(&arena, 0);
    assert_int_equal(webhook_verify_hmac(&arena, &hex, both, 2, "Hello, World!", 13, good), 0);
    assert_int_equal(webhook_verify_hmac(&arena, &hex, both, 1, "Hello, World!", 13, good),
                     WEBHOOK_FORGED);
    assert_int_equal(webhook_verify_hmac(&arena, &hex, both, 2, "Hello, World?", 13, good),
                     WEBHOOK_FORGED);
    assert_int_equal(webhook_verify_hmac(&arena, &sha1, both, 2, "Hello, World!", 13, good),
                     WEBHOOK_FORGED);
    assert_int_equal(webhook_verify_hmac(&arena, &hex, both, 2, "Hello, World!", 13, good + 1),
                     WEBHOOK_INCOMPLETE);
    assert_int_equal(webhook_verify_hmac(&arena, &hex, both, 2, "Hello, World!", 13, "sha256=xy"),
                     WEBHOOK_INCOMPLETE);
    assert_int_equal(webhook_verify_hmac(&arena, &hex, both, 2, "Hello, World!", 13, NULL),
                     WEBHOOK_INCOMPLETE);
    assert_int_equal(webhook_verify_hmac(&arena, &base64, both, 2, "Hello, World!", 13,
                                         "dXEH6g6yUJ/CESIczphLijdXC211hsIsRvQ3nIsEPhc="),
                     WEBHOOK_GOOD);
    assert_int_equal(webhook_verify_hmac(&arena, &hex, both, 2, "Hello, World!", 13, "sha256="),
                     WEBHOOK_FORGED);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_webhook__signs),
        cmocka_unit_test(test_webhook__verifies),
        cmocka_unit_test(test_webhook__hmac),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
