/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Signatures of webhooks, made and verified.
 *
 *   standard   Standard Webhooks 1.0.0: webhook-id, webhook-timestamp and webhook-signature, which
 *              is a list of "v1,BASE64": HMAC-SHA256 of ID.TIMESTAMP.BODY with each secret in force
 *   hmac       one header with the HMAC of the body, as many services do: a prefix, and hexadecimal
 *              digits or base64
 *
 * Pure. A body counts as it came, byte for byte.
 */
#include "base/digest.h"
#include "base/secret.h"

struct webhook_message {
    const char *id;
    const char *timestamp; /* seconds since 1970 */
    const void *body;
    size_t body_n;
};

/* Of one secret: "v1,…". A secret is "whsec_" and base64, or else the bytes of its text. */
const char *webhook_sign(struct arena *arena, const struct secret *secret,
                         const struct webhook_message *message);

enum webhook_verdict {
    WEBHOOK_GOOD = 0,
    WEBHOOK_INCOMPLETE, /* id, timestamp or signature is missing or malformed */
    WEBHOOK_STALE,      /* the timestamp is more than tolerance_s from now_s, either way */
    WEBHOOK_FORGED,     /* no signature holds with any secret */
};

/* signatures: the header's value, or NULL, like the message's id and timestamp. */
enum webhook_verdict webhook_verify(struct arena *arena, const struct secret *secrets,
                                    size_t n_secrets, const struct webhook_message *message,
                                    const char *signatures, int64_t now_s, int64_t tolerance_s);

struct webhook_hmac {
    enum digest_kind kind;
    bool base64;        /* else hexadecimal digits */
    const char *prefix; /* "sha256=" */
};

enum webhook_verdict webhook_verify_hmac(struct arena *arena, const struct webhook_hmac *how,
                                         const struct secret *secrets, size_t n_secrets,
                                         const void *body, size_t body_n, const char *signature);
