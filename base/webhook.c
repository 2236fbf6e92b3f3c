/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/webhook.h"

#define PREFIX "whsec_"
#define VERSION "v1,"
#define MOST_SIGNATURES 20u /* of one message: so many secrets nobody has in force */

static void sign(struct arena *arena, const struct secret *secret,
                 const struct webhook_message *message, struct digest *ret_digest)
{
    const void *key = secret->text;
    size_t key_n = secret->n;
    const char *before = arena_printf(arena, "%s.%s.", message->id, message->timestamp);
    size_t before_n = strlen(before);
    char *signed_text = arena_alloc(arena, before_n + message->body_n + 1);

    if (strncmp(secret->text, PREFIX, strlen(PREFIX)) == 0) {
        size_t n;
        const uint8_t *bytes =
            digest_unbase64(arena, secret->text + strlen(PREFIX), secret->n - strlen(PREFIX), &n);
        if (bytes != NULL) {
            key = bytes;
            key_n = n;
        }
    }
    memcpy(signed_text, before, before_n);
    if (message->body_n > 0)
        memcpy(signed_text + before_n, message->body, message->body_n);
    digest_hmac(DIGEST_SHA256, key, key_n, signed_text, before_n + message->body_n, ret_digest);
}

const char *webhook_sign(struct arena *arena, const struct secret *secret,
                         const struct webhook_message *message)
{
    struct digest digest;

    sign(arena, secret, message, &digest);
    return arena_printf(arena, VERSION "%s", digest_base64(arena, digest.b, digest.n));
}

/* Up to 18 digits, so that it can be reckoned with. */
static bool read_seconds(const char *text, int64_t *ret_s)
{
    size_t n = strlen(text);

    if (n == 0 || n > 18 || strspn(text, "0123456789") != n)
        return false;
    *ret_s = strtoll(text, NULL, 10);
    return true;
}

/* Whether one of the list is the digest; others than v1 are stepped over. */
static bool is_among(struct arena *arena, const char *signatures, const struct digest *digest)
{
    bool found = false;

    for (size_t i = 0; *signatures != '\0' && i < MOST_SIGNATURES; i++) {
        size_t n = strcspn(signatures, " "), bytes_n = 0;
        if (n > strlen(VERSION) && strncmp(signatures, VERSION, strlen(VERSION)) == 0) {
            const uint8_t *bytes =
                digest_unbase64(arena, signatures + strlen(VERSION), n - strlen(VERSION), &bytes_n);
            if (bytes != NULL && bytes_n == digest->n)
                found |= digest_equal(bytes, digest->b, bytes_n);
        }
        signatures += n + (signatures[n] == ' ');
    }
    return found;
}

enum webhook_verdict webhook_verify(struct arena *arena, const struct secret *secrets,
                                    size_t n_secrets, const struct webhook_message *message,
                                    const char *signatures, int64_t now_s, int64_t tolerance_s)
{
    int64_t then_s;
    bool good = false;

    if (message->id == NULL || message->id[0] == '\0' || message->timestamp == NULL ||
        signatures == NULL || !read_seconds(message->timestamp, &then_s))
        return WEBHOOK_INCOMPLETE;
    if (then_s < now_s - tolerance_s || then_s > now_s + tolerance_s)
        return WEBHOOK_STALE;
    for (size_t i = 0; i < n_secrets; i++) {
        struct digest digest;
        sign(arena, &secrets[i], message, &digest);
        good |= is_among(arena, signatures, &digest);
    }
    return good ? WEBHOOK_GOOD : WEBHOOK_FORGED;
}

enum webhook_verdict webhook_verify_hmac(struct arena *arena, const struct webhook_hmac *how,
                                         const struct secret *secrets, size_t n_secrets,
                                         const void *body, size_t body_n, const char *signature)
{
    size_t prefix_n = strlen(how->prefix);
    uint8_t given[DIGEST_BYTES];
    size_t given_n;
    bool good = false;

    if (signature == NULL || strncmp(signature, how->prefix, prefix_n) != 0)
        return WEBHOOK_INCOMPLETE;
    signature += prefix_n;
    if (how->base64) {
        const uint8_t *bytes = digest_unbase64(arena, signature, strlen(signature), &given_n);
        if (bytes == NULL || given_n > sizeof(given))
            return WEBHOOK_INCOMPLETE;
        memcpy(given, bytes, given_n);
    } else {
        given_n = strlen(signature) / 2;
        if (given_n > sizeof(given) || !digest_unhex(signature, strlen(signature), given, given_n))
            return WEBHOOK_INCOMPLETE;
    }
    for (size_t i = 0; i < n_secrets; i++) {
        struct digest digest;
        digest_hmac(how->kind, secrets[i].text, secrets[i].n, body, body_n, &digest);
        good |= digest.n == given_n && digest_equal(digest.b, given, given_n);
    }
    return good ? WEBHOOK_GOOD : WEBHOOK_FORGED;
}
