/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/digest.h"
#include "server/verifier.h"

#define SALT_BYTES 16u
#define ITERATIONS_MAX 9999999u

const char *verifier_make(struct arena *arena, const char *password)
{
    uint8_t salt[SALT_BYTES], salted[DIGEST_SHA256_BYTES];
    struct digest key, stored, server;

    digest_random(salt, sizeof(salt));
    digest_pbkdf2(password, strlen(password), salt, sizeof(salt), VERIFIER_ITERATIONS, salted);
    digest_hmac(DIGEST_SHA256, salted, sizeof(salted), "Client Key", 10, &key);
    digest_of(DIGEST_SHA256, key.b, key.n, &stored);
    digest_hmac(DIGEST_SHA256, salted, sizeof(salted), "Server Key", 10, &server);
    return arena_printf(arena, "SCRAM-SHA-256$%u:%s$%s:%s", VERIFIER_ITERATIONS,
                        digest_base64(arena, salt, sizeof(salt)),
                        digest_base64(arena, stored.b, stored.n),
                        digest_base64(arena, server.b, server.n));
}

bool verifier_check(struct arena *arena, const char *verifier, const char *password)
{
    char salt_text[90], stored_text[50];
    unsigned iterations;
    size_t salt_n = 0, stored_n = 0;
    uint8_t salted[DIGEST_SHA256_BYTES];
    struct digest key, stored;

    if (sscanf(verifier, "SCRAM-SHA-256$%7u:%88[^$]$%48[^:]:", &iterations, salt_text,
               stored_text) != 3 ||
        iterations == 0 || iterations > ITERATIONS_MAX)
        return false;
    const uint8_t *salt = digest_unbase64(arena, salt_text, strlen(salt_text), &salt_n);
    const uint8_t *wanted = digest_unbase64(arena, stored_text, strlen(stored_text), &stored_n);
    if (salt == NULL || wanted == NULL || stored_n != DIGEST_SHA256_BYTES)
        return false;
    /* One of fewer rounds, made by SQL, takes as long: time tells nobody whose name there is. */
    if (iterations < VERIFIER_ITERATIONS)
        digest_pbkdf2(password, strlen(password), salt, salt_n, VERIFIER_ITERATIONS - iterations,
                      salted);
    digest_pbkdf2(password, strlen(password), salt, salt_n, iterations, salted);
    digest_hmac(DIGEST_SHA256, salted, sizeof(salted), "Client Key", 10, &key);
    digest_of(DIGEST_SHA256, key.b, key.n, &stored);
    return digest_equal(stored.b, wanted, stored_n);
}
