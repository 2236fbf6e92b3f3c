/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Secrets by reference: "file:/path", "env:NAME", "credential:NAME" (systemd's LoadCredential).
 * Read each time one is needed, so that a changed file counts from the next request on. A secret
 * lives in the arena of its request and nowhere else; what a service echoes of it is blotted out
 * before anybody sees the answer.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct secret {
    const char *text; /* NUL-terminated, without the line break at its end */
    size_t n;
};

/*
 * Reads what the reference names. Refuses what is missing, empty, larger than LIMIT_SECRET_BYTES or
 * has NUL bytes; the error names the reference, never what is there. `what` is the option, for the
 * error.
 */
int secret_read(struct arena *arena, const char *what, const char *reference,
                struct secret *ret_secret, struct err *err) MUST_CHECK;

/* Puts asterisks where one of the secrets stands, if it is long enough to be told from chance. */
void secrets_blot(char *bytes, size_t n, const struct secret *secrets, size_t n_secrets);

/* How a secret is written in a URL. */
const char *secret_percent(struct arena *arena, const char *text);
