/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "base/limits.h"
#include "server/sigv4.h"

/* The key and the moment of AWS's published vectors (aws-sig-v4-test-suite). */
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
#define NOON 1440938160 /* 20150830T123600Z */
#define CREDENTIAL "Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request"

struct vector {
    const char *name, *method, *uri;
    const char *headers[4]; /* beside Host and X-Amz-Date, "name: value" */
    const char *body;
    const char *signed_headers, *signature;
};

struct made {
    struct arena arena;
    struct guard_header headers[12];
    struct sigv4_request request;
};

static void add_header(struct made *made, const char *name, const char *value)
{
    made->headers[made->request.n_headers++] =
        (struct guard_header){name, strlen(name), value, strlen(value)};
}

static void add_line(struct made *made, const char *line)
{
    const char *colon = strchr(line, ':');

    made->headers[made->request.n_headers++] =
        (struct guard_header){line, (size_t)(colon - line), colon + 1, strlen(colon + 1)};
}

static void make(struct made *made, const struct vector *vector)
{
    arena_init(&made->arena, 0);
    made->request =
        (struct sigv4_request){.method = vector->method,
                               .uri = vector->uri,
                               .headers = made->headers,
                               .body = vector->body,
                               .body_n = vector->body != NULL ? strlen(vector->body) : 0,
                               .now_s = NOON};
    add_header(made, "Host", "example.amazonaws.com");
    for (size_t i = 0; i < ARRAY_LEN(vector->headers) && vector->headers[i] != NULL; i++)
        add_line(made, vector->headers[i]);
    add_header(made, "X-Amz-Date", "20150830T123600Z");
    add_header(made, "Authorization",
               arena_printf(&made->arena,
                            "AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=%s, Signature=%s",
                            vector->signed_headers, vector->signature));
}

static const struct vector vectors[] = {
    {"get-vanilla",
     "GET",
     "/",
     {NULL},
     NULL,
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"post-vanilla",
     "POST",
     "/",
     {NULL},
     NULL,
     "host;x-amz-date",
     "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"get-header-key-duplicate",
     "GET",
     "/",
     {"My-Header1:value2", "My-Header1:value2", "My-Header1:value1"},
     NULL,
     "host;my-header1;x-amz-date",
     "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-trim",
     "GET",
     "/",
     {"My-Header1: value1", "My-Header2: \"a   b   c\""},
     NULL,
     "host;my-header1;my-header2;x-amz-date",
     "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-vanilla-query-order-key-case",
     "GET",
     "/?Param2=value2&Param1=value1",
     {NULL},
     NULL,
     "host;x-amz-date",
     "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-empty-query-key",
     "GET",
     "/?Param1=value1",
     {NULL},
     NULL,
     "host;x-amz-date",
     "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-relative",
     "GET",
     "/example/..",
     {NULL},
     NULL,
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-slash-pointless-dot",
     "GET",
     "/./example",
     {NULL},
     NULL,
     "host;x-amz-date",
     "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
    {"get-slash",
     "GET",
     "//",
     {NULL},
     NULL,
     "host;x-amz-date",
     "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"post-x-www-form-urlencoded",
     "POST",
     "/",
     {"Content-Type:application/x-www-form-urlencoded"},
     "Param1=value1",
     "content-type;host;x-amz-date",
     "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
};

static void test_sigv4__published_vectors(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(vectors); i++) {
        struct made made = {0};
        struct sigv4_claim claim;
        struct sigv4_refusal refusal = {0};

        make(&made, &vectors[i]);
        if (sigv4_read(&made.arena, &made.request, "service", &claim, &refusal) != 0)
            fail_msg("%s: %s", vectors[i].name, refusal.message);
        assert_string_equal(claim.access_key, "AKIDEXAMPLE");
        assert_string_equal(claim.region, "us-east-1");
        if (!sigv4_verify(&made.arena, &made.request, &claim, SECRET))
            fail_msg("%s: the signature is not taken", vectors[i].name);
        assert_false(sigv4_verify(&made.arena, &made.request, &claim, "wJal"));
        /* One bit of the signature, of what is signed, and of the scope. */
        claim.signature[31] ^= 1;
        assert_false(sigv4_verify(&made.arena, &made.request, &claim, SECRET));
        claim.signature[31] ^= 1;
        made.request.body = "x";
        made.request.body_n = 1;
        assert_false(sigv4_verify(&made.arena, &made.request, &claim, SECRET));
        made.request.body = vectors[i].body;
        made.request.body_n = vectors[i].body != NULL ? strlen(vectors[i].body) : 0;
        made.request.method = "PUT";
        assert_false(sigv4_verify(&made.arena, &made.request, &claim, SECRET));
        made.request.method = vectors[i].method;
        claim.region = "us-east-2";
        assert_false(sigv4_verify(&made.arena, &made.request, &claim, SECRET));
        arena_deinit(&made.arena);
    }
}

#define SIGNED "SignedHeaders=host;x-amz-date"
#define SIGNATURE "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
/* What the Authorization header, another header or the clock is, and the refusal. */
static const struct {
    const char *authorization, *other;
    const char *date;
    int64_t later_s;
    const char *type, *message;
} cases[] = {
    {NULL, NULL, NULL, 0, "MissingAuthenticationTokenException", "Missing"},
    {"Bearer x", NULL, NULL, 0, "IncompleteSignatureException", "AWS4-HMAC-SHA256"},
    {"AWS4-HMAC-SHA256 " SIGNED ", " SIGNATURE, NULL, NULL, 0, "IncompleteSignatureException",
     "'Credential'"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNATURE, NULL, NULL, 0, "IncompleteSignatureException",
     "'SignedHeaders'"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED, NULL, NULL, 0, "IncompleteSignatureException",
     "'Signature'"},
    {"AWS4-HMAC-SHA256 Credential=AKID/20150830/service/aws4_request, " SIGNED ", " SIGNATURE, NULL,
     NULL, 0, "IncompleteSignatureException", "5 slash-delimited"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED ", Signature=5fa0", NULL, NULL, 0,
     "InvalidSignatureException", "64 hexadecimal"},
    {"AWS4-HMAC-SHA256 Credential=A/20150830/r/other/aws4_request, " SIGNED ", " SIGNATURE, NULL,
     NULL, 0, "InvalidSignatureException", "correct service: 'service'"},
    {"AWS4-HMAC-SHA256 Credential=A/20150830/r/service/aws3, " SIGNED ", " SIGNATURE, NULL, NULL, 0,
     "InvalidSignatureException", "terminator"},
    {"AWS4-HMAC-SHA256 Credential=A/20150831/r/service/aws4_request, " SIGNED ", " SIGNATURE, NULL,
     NULL, 0, "InvalidSignatureException", "'20150831' != '20150830'"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=x-amz-date, " SIGNATURE, NULL, NULL, 0,
     "InvalidSignatureException", "'Host'"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host, " SIGNATURE, NULL, NULL, 0,
     "InvalidSignatureException", "not signed: X-Amz-Date"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=x-amz-date;host, " SIGNATURE, NULL, NULL, 0,
     "InvalidSignatureException", "sorted"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=Host;x-amz-date, " SIGNATURE, NULL, NULL, 0,
     "InvalidSignatureException", "lower case"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host;host;x-amz-date, " SIGNATURE, NULL, NULL,
     0, "InvalidSignatureException", "twice"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", SignedHeaders=host;my-header;x-amz-date, " SIGNATURE, NULL,
     NULL, 0, "InvalidSignatureException", "'my-header' is missing"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED ", " SIGNATURE, "X-Amz-Target:a.b", NULL, 0,
     "InvalidSignatureException", "not signed: X-Amz-Target"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL
     ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, " SIGNATURE,
     "x-amz-content-sha256:UNSIGNED-PAYLOAD", NULL, 0, "InvalidSignatureException",
     "signed as a whole"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL
     ", SignedHeaders=host;x-amz-content-sha256;x-amz-date, " SIGNATURE,
     "x-amz-content-sha256:00", NULL, 0, "InvalidSignatureException", "does not match"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED ", " SIGNATURE, NULL, "Sun, 30 Aug 2015", 0,
     "IncompleteSignatureException", "ISO-8601"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED ", " SIGNATURE, NULL, "20151330T123600Z", 0,
     "IncompleteSignatureException", "ISO-8601"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED ", " SIGNATURE, NULL, "", 0,
     "IncompleteSignatureException", "'X-Amz-Date'"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED ", " SIGNATURE, NULL, NULL,
     LIMIT_SIGNATURE_SKEW_S + 1, "InvalidSignatureException",
     "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z "
     "(20150830T124101Z - 5 min.)"},
    {"AWS4-HMAC-SHA256 " CREDENTIAL ", " SIGNED ", " SIGNATURE, NULL, NULL,
     -(int64_t)LIMIT_SIGNATURE_SKEW_S - 1, "InvalidSignatureException", "not yet current"},
};

static void test_sigv4__refused(void **state UNUSED)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct made made = {0};
        struct sigv4_claim claim;
        struct sigv4_refusal refusal = {"", ""};

        arena_init(&made.arena, 0);
        made.request = (struct sigv4_request){
            .method = "GET", .uri = "/", .headers = made.headers, .now_s = NOON + cases[i].later_s};
        add_header(&made, "Host", "example.amazonaws.com");
        if (cases[i].date == NULL || cases[i].date[0] != '\0')
            add_header(&made, "X-Amz-Date",
                       cases[i].date != NULL ? cases[i].date : "20150830T123600Z");
        if (cases[i].other != NULL)
            add_line(&made, cases[i].other);
        if (cases[i].authorization != NULL)
            add_header(&made, "authorization", cases[i].authorization);
        if (sigv4_read(&made.arena, &made.request, "service", &claim, &refusal) == 0)
            fail_msg("case %zu is taken", i);
        assert_string_equal(refusal.type, cases[i].type);
        if (strstr(refusal.message, cases[i].message) == NULL)
            fail_msg("case %zu: %s", i, refusal.message);
        arena_deinit(&made.arena);
    }
}

/* At the very end of what is taken, both ways. */
static void test_sigv4__clock(void **state UNUSED)
{
    static const int64_t taken[] = {-(int64_t)LIMIT_SIGNATURE_SKEW_S, 0, LIMIT_SIGNATURE_SKEW_S};

    for (size_t i = 0; i < ARRAY_LEN(taken); i++) {
        struct made made = {0};
        struct sigv4_claim claim;
        struct sigv4_refusal refusal;

        make(&made, &vectors[0]);
        made.request.now_s = NOON + taken[i];
        assert_int_equal(sigv4_read(&made.arena, &made.request, "service", &claim, &refusal), 0);
        arena_deinit(&made.arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sigv4__published_vectors),
        cmocka_unit_test(test_sigv4__refused),
        cmocka_unit_test(test_sigv4__clock),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
