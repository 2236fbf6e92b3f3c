/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* The certificate that new connections get. What was replaced is kept to the end: a handshake may
 * be under way with it. */
#include <gnutls/abstract.h>

#include "base/err.h"

struct tls;

/* Files in PEM; the chain stands behind the certificate. They are read now. */
int tls_new(const char *certificate_file, const char *key_file, struct tls **ret_tls,
            struct err *err) MUST_CHECK;
/* Reads them again. 1: new connections get another certificate; 0: it is the same; -1: they are
 * wrong, and what was there stays. Not by two threads at once. */
int tls_reload(struct tls *tls, struct err *err) MUST_CHECK;
void tls_free(struct tls *tls); /* NULL is allowed */
/* For a handshake; it lives as long as `tls`. */
void tls_certificate(struct tls *tls, gnutls_pcert_st **ret_chain, unsigned *ret_n,
                     gnutls_privkey_t *ret_key);
