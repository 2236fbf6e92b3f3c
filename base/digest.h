/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Digests, and the two texts that they are written in. Thin over libcrypto, which nobody else uses.
 * Pure but for the one way that libcrypto can fail, which aborts: no memory.
 */
#include "base/arena.h"

#define DIGEST_SHA256_BYTES 32u
#define DIGEST_BYTES 64u /* of the longest */

enum digest_kind {
    DIGEST_SHA1,
    DIGEST_SHA256,
    DIGEST_SHA384,
    DIGEST_SHA512,
};

struct digest {
    uint8_t b[DIGEST_BYTES];
    size_t n;
};

void digest_of(enum digest_kind kind, const void *bytes, size_t n, struct digest *ret_digest);
/* HMAC (RFC 2104). */
void digest_hmac(enum digest_kind kind, const void *key, size_t key_n, const void *bytes, size_t n,
                 struct digest *ret_digest);
/* PBKDF2 with HMAC-SHA-256 (RFC 8018): slow by intention, DIGEST_SHA256_BYTES. */
void digest_pbkdf2(const void *password, size_t password_n, const void *salt, size_t salt_n,
                   unsigned iterations, uint8_t *ret_key);
/* Whether n bytes are the same, in a time that does not tell where they differ. */
bool digest_equal(const void *one, const void *other, size_t n) MUST_CHECK;
/* n random bytes that nobody can guess. */
void digest_random(void *bytes, size_t n);

/* In lower case. */
const char *digest_hex(struct arena *arena, const void *bytes, size_t n);
/* Two digits a byte, any case: whether the text is n bytes. */
bool digest_unhex(const char *text, size_t text_n, uint8_t *ret_bytes, size_t n) MUST_CHECK;
/* base64 (RFC 4648, 4) with its padding. */
const char *digest_base64(struct arena *arena, const void *bytes, size_t n);
/* With the alphabet for URLs and file names (RFC 4648, 5), without padding. */
const char *digest_base64url(struct arena *arena, const void *bytes, size_t n);
/* Either alphabet of base64, with or without padding. NULL: it is none. */
const uint8_t *digest_unbase64(struct arena *arena, const char *text, size_t text_n, size_t *ret_n);
