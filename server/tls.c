/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <gnutls/x509.h>
#include <stdatomic.h>

#include "base/arena.h"
#include "base/digest.h"
#include "base/limits.h"
#include "server/tls.h"

#define CHAIN_MAX 16u

struct certificate {
    struct arena arena; /* holds this struct and the files' texts */
    struct certificate *former;
    uint8_t digest[DIGEST_SHA256_BYTES]; /* of both files */
    gnutls_pcert_st chain[CHAIN_MAX];
    unsigned n; /* of the chain */
    gnutls_privkey_t key;
};

struct tls {
    struct arena arena; /* holds this struct */
    const char *certificate_file, *key_file;
    struct certificate *_Atomic now;
};

/* ---- Files ---- */

static int read_pem(struct arena *arena, const char *path, gnutls_datum_t *ret_pem, struct err *err)
{
    FILE *file = fopen(path, "re");

    if (file == NULL)
        return err_set(err, ERR_INVALID, "cannot open %s: %s", path, strerror(errno));
    ret_pem->data = arena_alloc(arena, LIMIT_SECRET_BYTES + 1);
    ret_pem->size = (unsigned)fread(ret_pem->data, 1, LIMIT_SECRET_BYTES + 1, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed || ret_pem->size > LIMIT_SECRET_BYTES)
        return err_set(err, ERR_INVALID, "%s: not readable, or over %u bytes (LIMIT_SECRET_BYTES)",
                       path, LIMIT_SECRET_BYTES);
    return 0;
}

static void digest_both(const gnutls_datum_t *certificate, const gnutls_datum_t *key,
                        uint8_t *ret_digest)
{
    struct digest one;
    uint8_t both[2 * DIGEST_SHA256_BYTES];

    digest_of(DIGEST_SHA256, certificate->data, certificate->size, &one);
    memcpy(both, one.b, DIGEST_SHA256_BYTES);
    digest_of(DIGEST_SHA256, key->data, key->size, &one);
    memcpy(both + DIGEST_SHA256_BYTES, one.b, DIGEST_SHA256_BYTES);
    digest_of(DIGEST_SHA256, both, sizeof(both), &one);
    memcpy(ret_digest, one.b, DIGEST_SHA256_BYTES);
}

/* ---- One certificate ---- */

static void certificate_free(struct certificate *certificate)
{
    for (unsigned i = 0; i < certificate->n; i++)
        gnutls_pcert_deinit(&certificate->chain[i]);
    if (certificate->key != NULL)
        gnutls_privkey_deinit(certificate->key);
    struct arena arena = certificate->arena;
    arena_deinit(&arena);
}

/* Whether a signature of the key is one of the certificate. */
static bool belong_together(const struct certificate *certificate)
{
    uint8_t ids[2][64];
    size_t n[2] = {sizeof(ids[0]), sizeof(ids[1])};
    gnutls_pubkey_t public;

    if (gnutls_pubkey_init(&public) < 0)
        return false;
    bool known = gnutls_pubkey_import_privkey(public, certificate->key, 0, 0) == 0 &&
                 gnutls_pubkey_get_key_id(public, GNUTLS_KEYID_USE_SHA256, ids[0], &n[0]) == 0 &&
                 gnutls_pubkey_get_key_id(certificate->chain[0].pubkey, GNUTLS_KEYID_USE_SHA256,
                                          ids[1], &n[1]) == 0;
    gnutls_pubkey_deinit(public);
    return known && n[0] == n[1] && memcmp(ids[0], ids[1], n[0]) == 0;
}

static int understand(const struct tls *tls, struct certificate *certificate,
                      const gnutls_datum_t *chain, const gnutls_datum_t *key, struct err *err)
{
    unsigned n = CHAIN_MAX;
    int rc = gnutls_pcert_list_import_x509_raw(certificate->chain, &n, chain, GNUTLS_X509_FMT_PEM,
                                               GNUTLS_X509_CRT_LIST_IMPORT_FAIL_IF_EXCEED);

    if (rc < 0)
        return err_set(err, ERR_INVALID, "%s holds no certificate in PEM, or more than %u: %s",
                       tls->certificate_file, CHAIN_MAX, gnutls_strerror(rc));
    certificate->n = n;
    if ((rc = gnutls_privkey_init(&certificate->key)) < 0 ||
        (rc = gnutls_privkey_import_x509_raw(certificate->key, key, GNUTLS_X509_FMT_PEM, NULL, 0)) <
            0)
        return err_set(err, ERR_INVALID, "%s holds no private key in PEM: %s", tls->key_file,
                       gnutls_strerror(rc));
    if (!belong_together(certificate))
        return err_set(err, ERR_INVALID,
                       "%s and %s: do the certificate and the key belong together?",
                       tls->certificate_file, tls->key_file);
    return 0;
}

static int certificate_read(const struct tls *tls, struct certificate **ret_certificate,
                            struct err *err)
{
    gnutls_datum_t chain, key;
    struct arena arena;

    arena_init(&arena, 0);
    struct certificate *certificate = arena_alloc(&arena, sizeof(*certificate));
    int rc = read_pem(&arena, tls->certificate_file, &chain, err);
    if (rc == 0)
        rc = read_pem(&arena, tls->key_file, &key, err);
    if (rc == 0) {
        digest_both(&chain, &key, certificate->digest);
        rc = understand(tls, certificate, &chain, &key, err);
    }
    certificate->arena = arena;
    if (rc == 0)
        *ret_certificate = certificate;
    else
        certificate_free(certificate);
    return rc < 0 ? err_trace(err) : 0;
}

/* ---- The one that counts ---- */

int tls_new(const char *certificate_file, const char *key_file, struct tls **ret_tls,
            struct err *err)
{
    struct certificate *first;
    struct arena arena;

    arena_init(&arena, 0);
    struct tls *tls = arena_alloc(&arena, sizeof(*tls));
    tls->certificate_file = arena_strdup(&arena, certificate_file);
    tls->key_file = arena_strdup(&arena, key_file);
    tls->arena = arena;
    if (certificate_read(tls, &first, err) < 0) {
        arena_deinit(&arena);
        return err_trace(err);
    }
    atomic_init(&tls->now, first);
    *ret_tls = tls;
    return 0;
}

int tls_reload(struct tls *tls, struct err *err)
{
    struct certificate *now = atomic_load(&tls->now), *next;

    if (certificate_read(tls, &next, err) < 0)
        return err_trace(err);
    if (memcmp(now->digest, next->digest, sizeof(now->digest)) == 0) {
        certificate_free(next);
        return 0;
    }
    next->former = now;
    atomic_store(&tls->now, next);
    return 1;
}

void tls_free(struct tls *tls)
{
    if (tls == NULL)
        return;
    for (struct certificate *one = atomic_load(&tls->now), *former; one != NULL; one = former) {
        former = one->former;
        certificate_free(one);
    }
    struct arena arena = tls->arena;
    arena_deinit(&arena);
}

void tls_certificate(struct tls *tls, gnutls_pcert_st **ret_chain, unsigned *ret_n,
                     gnutls_privkey_t *ret_key)
{
    struct certificate *now = atomic_load(&tls->now);

    *ret_chain = now->chain;
    *ret_n = now->n;
    *ret_key = now->key;
}
