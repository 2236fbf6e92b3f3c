/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>

#include "base/digest.h"
#include "base/hex.h"

static const EVP_MD *method(enum digest_kind kind)
{
    switch (kind) {
    case DIGEST_SHA1:
        return EVP_sha1();
    case DIGEST_SHA256:
        return EVP_sha256();
    case DIGEST_SHA384:
        return EVP_sha384();
    case DIGEST_SHA512:
        return EVP_sha512();
    }
    abort();
}

void digest_of(enum digest_kind kind, const void *bytes, size_t n, struct digest *ret_digest)
{
    unsigned made = 0;

    if (EVP_Digest(bytes, n, ret_digest->b, &made, method(kind), NULL) != 1)
        abort();
    ret_digest->n = made;
}

void digest_hmac(enum digest_kind kind, const void *key, size_t key_n, const void *bytes, size_t n,
                 struct digest *ret_digest)
{
    unsigned made = 0;

    /* A NULL key would mean the key before. */
    if (key_n > INT32_MAX || HMAC(method(kind), key_n != 0 ? key : "", (int)key_n, bytes, n,
                                  ret_digest->b, &made) == NULL)
        abort();
    ret_digest->n = made;
}

void digest_pbkdf2(const void *password, size_t password_n, const void *salt, size_t salt_n,
                   unsigned iterations, uint8_t *ret_key)
{
    if (password_n > INT32_MAX || salt_n > INT32_MAX || iterations > INT32_MAX ||
        PKCS5_PBKDF2_HMAC(password, (int)password_n, salt, (int)salt_n, (int)iterations,
                          EVP_sha256(), DIGEST_SHA256_BYTES, ret_key) != 1)
        abort();
}

bool digest_equal(const void *one, const void *other, size_t n)
{
    return CRYPTO_memcmp(one, other, n) == 0;
}

void digest_random(void *bytes, size_t n)
{
    if (n > INT32_MAX || RAND_bytes(bytes, (int)n) != 1)
        abort();
}

const char *digest_hex(struct arena *arena, const void *bytes, size_t n)
{
    static const char digits[] = "0123456789abcdef";
    const uint8_t *from = bytes;
    char *text = arena_alloc(arena, 2 * n + 1);

    for (size_t i = 0; i < n; i++) {
        text[2 * i] = digits[from[i] >> 4];
        text[2 * i + 1] = digits[from[i] & 15];
    }
    return text;
}

bool digest_unhex(const char *text, size_t text_n, uint8_t *ret_bytes, size_t n)
{
    if (text_n != 2 * n)
        return false;
    for (size_t i = 0; i < n; i++) {
        int byte = hex_byte(text + 2 * i, 2);
        if (byte < 0)
            return false;
        ret_bytes[i] = (uint8_t)byte;
    }
    return true;
}

static char *base64(struct arena *arena, const void *bytes, size_t n, const char *letters)
{
    const uint8_t *from = bytes;
    char *text = arena_alloc(arena, (n + 2) / 3 * 4 + 1), *to = text;

    for (size_t i = 0; i < n; i += 3) {
        uint32_t three = 0;
        for (size_t j = 0; j < 3; j++)
            three = three << 8 | (i + j < n ? from[i + j] : 0u);
        for (size_t j = 0; j < 4; j++)
            *to++ = i + j <= n ? letters[three >> (18 - 6 * j) & 63] : '=';
    }
    return text;
}

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"

const char *digest_base64(struct arena *arena, const void *bytes, size_t n)
{
    return base64(arena, bytes, n, LETTERS "+/");
}

const char *digest_base64url(struct arena *arena, const void *bytes, size_t n)
{
    char *text = base64(arena, bytes, n, LETTERS "-_");

    text[strcspn(text, "=")] = '\0';
    return text;
}

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' || c == '-' ? 62 : c == '/' || c == '_' ? 63 : -1;
}

const uint8_t *digest_unbase64(struct arena *arena, const char *text, size_t text_n, size_t *ret_n)
{
    size_t padding = 0;

    while (padding < 2 && text_n > 0 && text[text_n - 1] == '=') {
        text_n--;
        padding++;
    }
    if (text_n % 4 == 1 || (padding != 0 && (text_n + padding) % 4 != 0))
        return NULL;
    uint8_t *bytes = arena_alloc(arena, text_n * 3 / 4 + 1);
    uint32_t bits = 0;
    size_t n = 0;
    for (size_t i = 0; i < text_n; i++) {
        int value = base64_value(text[i]);
        if (value < 0)
            return NULL;
        bits = bits << 6 | (uint32_t)value;
        if (i % 4 != 0)
            bytes[n++] = (uint8_t)(bits >> (6 - 2 * (i % 4)));
    }
    /* What is left over must be nothing: else two texts would be the same bytes. */
    if ((text_n % 4 == 2 && (bits & 15) != 0) || (text_n % 4 == 3 && (bits & 3) != 0))
        return NULL;
    *ret_n = n;
    return bytes;
}
