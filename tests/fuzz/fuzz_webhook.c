/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/webhook.h"
#include "tests/fuzz/fuzz.h"

/*
 * A webhook as lines: the secret, its id, its time, its signatures, then the body. Whatever is
 * forged is refused, and what we sign ourselves with that secret is taken, in both ways of signing.
 */

#define NOW 1700000000

struct given {
    struct secret secret;
    struct webhook_message message;
    const char *signatures;
};

static const char *line_of(struct arena *arena, const char **at, const char *end)
{
    const char *begin = *at, *stop = memchr(begin, '\n', (size_t)(end - begin));

    *at = stop != NULL ? stop + 1 : end;
    return arena_strndup(arena, begin, (size_t)((stop != NULL ? stop : end) - begin));
}

static void standard(struct arena *arena, const struct given *given)
{
    struct webhook_message ours = given->message;
    enum webhook_verdict verdict =
        webhook_verify(arena, &given->secret, 1, &given->message, given->signatures, NOW, 300);

    if (verdict == WEBHOOK_GOOD) /* the body is signed, and so is the id */
        assert(strstr(given->signatures, "v1,") != NULL);
    assert(webhook_verify(arena, &given->secret, 0, &given->message, given->signatures, NOW, 300) !=
           WEBHOOK_GOOD);
    ours.timestamp = "1700000299";
    if (ours.id[0] == '\0')
        ours.id = "1";
    const char *signature = webhook_sign(arena, &given->secret, &ours);
    const char *list = arena_printf(arena, "v1a,x %s", signature);
    assert(webhook_verify(arena, &given->secret, 1, &ours, list, NOW, 300) == WEBHOOK_GOOD);
    assert(webhook_verify(arena, &given->secret, 1, &ours, list, NOW, 298) == WEBHOOK_STALE);
    ours.id = arena_printf(arena, "%sx", ours.id);
    assert(webhook_verify(arena, &given->secret, 1, &ours, list, NOW, 300) == WEBHOOK_FORGED);
}

static void hmac(struct arena *arena, const struct given *given)
{
    static const enum digest_kind kinds[] = {DIGEST_SHA1, DIGEST_SHA256, DIGEST_SHA384,
                                             DIGEST_SHA512};
    const struct webhook_message *message = &given->message;

    for (size_t i = 0; i < 2 * ARRAY_LEN(kinds); i++) {
        struct webhook_hmac how = {kinds[i / 2], i % 2 != 0, "sig="};
        struct digest digest;
        enum webhook_verdict verdict = webhook_verify_hmac(
            arena, &how, &given->secret, 1, message->body, message->body_n, given->signatures);
        digest_hmac(how.kind, given->secret.text, given->secret.n, message->body, message->body_n,
                    &digest);
        const char *right = arena_printf(arena, "sig=%s",
                                         how.base64 ? digest_base64(arena, digest.b, digest.n)
                                                    : digest_hex(arena, digest.b, digest.n));
        assert(webhook_verify_hmac(arena, &how, &given->secret, 1, message->body, message->body_n,
                                   right) == WEBHOOK_GOOD);
        assert(verdict != WEBHOOK_GOOD || strlen(given->signatures) == strlen(right));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *at = (const char *)data, *end = at + size;
    struct given given = {.signatures = NULL};
    struct arena arena;

    arena_init(&arena, 0);
    if (size > 0) {
        const char *secret = line_of(&arena, &at, end);
        given.secret = (struct secret){.text = secret, .n = strlen(secret)};
        given.message.id = line_of(&arena, &at, end);
        given.message.timestamp = line_of(&arena, &at, end);
        given.signatures = line_of(&arena, &at, end);
        given.message.body = at;
        given.message.body_n = (size_t)(end - at);
        standard(&arena, &given);
        hmac(&arena, &given);
    }
    arena_deinit(&arena);
    return 0;
}
