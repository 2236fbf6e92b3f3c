/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <strings.h>
#include <time.h>

#include "base/digest.h"
#include "base/limits.h"
#include "server/sigv4_canon.h"

#define ALGORITHM "AWS4-HMAC-SHA256"
#define SKEW_S ((int64_t)LIMIT_SIGNATURE_SKEW_S)

static int refuse(struct sigv4_refusal *refusal, const char *type, const char *message)
{
    refusal->type = type;
    refusal->message = message;
    return 1;
}

static int invalid(struct sigv4_refusal *refusal, const char *message)
{
    return refuse(refusal, "InvalidSignatureException", message);
}

static int incomplete(struct sigv4_refusal *refusal, const char *message)
{
    return refuse(refusal, "IncompleteSignatureException", message);
}

/* ---- The Authorization header ---- */

/* The value of NAME=value among those that commas part; NULL: it is not there. */
static const char *part(struct arena *arena, const char *text, const char *name)
{
    size_t name_n = strlen(name);

    while (*text != '\0') {
        text += strspn(text, " \t,");
        size_t n = strcspn(text, " \t,");
        if (n > name_n && strncmp(text, name, name_n) == 0 && text[name_n] == '=')
            return arena_strndup(arena, text + name_n + 1, n - name_n - 1);
        text += n;
    }
    return NULL;
}

/* KEY/DATE/REGION/SERVICE/aws4_request; a key may have slashes. */
static bool split_credential(struct arena *arena, const char *credential, struct sigv4_claim *claim,
                             const char **ret_end)
{
    const char **parts[] = {ret_end, &claim->service, &claim->region, &claim->date};
    char *text = arena_strdup(arena, credential);

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        char *slash = strrchr(text, '/');
        if (slash == NULL)
            return false;
        *parts[i] = slash + 1;
        *slash = '\0';
    }
    claim->access_key = text;
    return true;
}

static int read_authorization(struct arena *arena, const char *authorization,
                              struct sigv4_claim *claim, const char **ret_end,
                              struct sigv4_refusal *refusal)
{
    const char *rest = authorization + strlen(ALGORITHM);
    const char *credential = part(arena, rest, "Credential");
    const char *signature = part(arena, rest, "Signature");

    claim->signed_headers = part(arena, rest, "SignedHeaders");
    if (credential == NULL)
        return incomplete(refusal, "Authorization header requires 'Credential' parameter.");
    if (signature == NULL)
        return incomplete(refusal, "Authorization header requires 'Signature' parameter.");
    if (claim->signed_headers == NULL)
        return incomplete(refusal, "Authorization header requires 'SignedHeaders' parameter.");
    if (!split_credential(arena, credential, claim, ret_end))
        return incomplete(refusal, "Credential must have exactly 5 slash-delimited elements, e.g. "
                                   "keyid/date/region/service/term.");
    if (!digest_unhex(signature, strlen(signature), claim->signature, sizeof(claim->signature)))
        return invalid(refusal, "The request signature is not 64 hexadecimal digits.");
    return 0;
}

/* ---- The signed headers ---- */

static bool is_signed(const char *signed_headers, const char *name, size_t n)
{
    while (*signed_headers != '\0') {
        size_t length = strcspn(signed_headers, ";");
        if (length == n && strncasecmp(signed_headers, name, n) == 0)
            return true;
        signed_headers += length + (signed_headers[length] == ';');
    }
    return false;
}

/* In lower case, sorted, none twice, all there; Host and all x-amz-… among them. */
static int check_signed(struct arena *arena, const struct sigv4_request *request,
                        const char *signed_headers, struct sigv4_refusal *refusal)
{
    const char *before = "";

    for (const char *name = signed_headers; *name != '\0';) {
        size_t n = strcspn(name, ";");
        const char *text = arena_strndup(arena, name, n);
        for (const char *c = text; *c != '\0'; c++)
            if (*c >= 'A' && *c <= 'Z')
                return invalid(refusal, "The SignedHeaders must be in lower case.");
        if (n == 0 || strcmp(before, text) >= 0)
            return invalid(refusal, "The SignedHeaders must be sorted, and none is there twice.");
        if (sigv4_header(arena, request, name, n) == NULL)
            return invalid(refusal,
                           arena_printf(arena, "The signed header '%s' is missing.", text));
        before = text;
        name += n + (name[n] == ';');
    }
    if (!is_signed(signed_headers, "host", 4))
        return invalid(refusal, "'Host' or ':authority' must be a 'SignedHeader' in the AWS "
                                "Authorization.");
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct guard_header *header = &request->headers[i];
        if (header->name_n > 6 && strncasecmp(header->name, "x-amz-", 6) == 0 &&
            !is_signed(signed_headers, header->name, header->name_n))
            return invalid(refusal,
                           arena_printf(arena,
                                        "There were headers present in the request which were not "
                                        "signed: %.*s",
                                        (int)header->name_n, header->name));
    }
    return 0;
}

/* ---- When ---- */

/* YYYYMMDDTHHMMSSZ. */
static bool read_moment(const char *text, int64_t *ret_s)
{
    struct tm tm = {0};

    if (strlen(text) != 16 || strspn(text, "0123456789TZ") != 16)
        return false;
    const char *end = strptime(text, "%Y%m%dT%H%M%SZ", &tm);
    if (end == NULL || *end != '\0')
        return false;
    *ret_s = timegm(&tm);
    return true;
}

static const char *write_moment(struct arena *arena, int64_t s)
{
    time_t time = s;
    struct tm tm;
    char text[32];

    if (gmtime_r(&time, &tm) == NULL || strftime(text, sizeof(text), "%Y%m%dT%H%M%SZ", &tm) == 0)
        return "?";
    return arena_strdup(arena, text);
}

static int check_moment(struct arena *arena, const struct sigv4_request *request,
                        const struct sigv4_claim *claim, struct sigv4_refusal *refusal)
{
    int64_t moment_s;

    if (!read_moment(claim->moment, &moment_s))
        return incomplete(refusal, "Date must be in ISO-8601 'basic format': "
                                   "x-amz-date: YYYYMMDDTHHMMSSZ.");
    if (strncmp(claim->moment, claim->date, 8) != 0 || strlen(claim->date) != 8)
        return invalid(
            refusal,
            arena_printf(arena,
                         "Date in Credential scope does not match YYYYMMDD from ISO-8601 version "
                         "of date from HTTP: '%.16s' != '%.8s', from '%.16s'.",
                         claim->date, claim->moment, claim->moment));
    const char *now = write_moment(arena, request->now_s);
    if (moment_s < request->now_s - SKEW_S)
        return invalid(refusal,
                       arena_printf(arena,
                                    "Signature expired: %s is now earlier than %s (%s - %d min.)",
                                    claim->moment, write_moment(arena, request->now_s - SKEW_S),
                                    now, (int)(SKEW_S / 60)));
    if (moment_s > request->now_s + SKEW_S)
        return invalid(refusal,
                       arena_printf(arena,
                                    "Signature not yet current: %s is still later than %s (%s + %d "
                                    "min.)",
                                    claim->moment, write_moment(arena, request->now_s + SKEW_S),
                                    now, (int)(SKEW_S / 60)));
    return 0;
}

/* A body that the signature does not cover could be anybody's, so its hash is never taken on
 * trust. */
static int check_body_hash(struct arena *arena, const struct sigv4_request *request,
                           struct sigv4_refusal *refusal)
{
    static const char name[] = "x-amz-content-sha256";
    const char *given = sigv4_header(arena, request, name, strlen(name));

    if (given == NULL || strcasecmp(given, sigv4_body_hash(arena, request)) == 0)
        return 0;
    if (strcmp(given, "UNSIGNED-PAYLOAD") == 0 || strncmp(given, "STREAMING-", 10) == 0)
        return invalid(refusal, "The body must be signed as a whole: x-amz-content-sha256 must be "
                                "its SHA-256.");
    return invalid(refusal, "The provided 'x-amz-content-sha256' header does not match what was "
                            "computed.");
}

static bool printable(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < 0x20 || (unsigned char)*text > 0x7e)
            return false;
    return true;
}

int sigv4_read(struct arena *arena, const struct sigv4_request *request, const char *service,
               struct sigv4_claim *ret_claim, struct sigv4_refusal *ret_refusal)
{
    const char *authorization = sigv4_header(arena, request, "authorization", 13), *end;

    *ret_claim = (struct sigv4_claim){0};
    if (authorization == NULL || *authorization == '\0')
        return refuse(ret_refusal, "MissingAuthenticationTokenException",
                      "Missing Authentication Token");
    if (strncmp(authorization, ALGORITHM " ", strlen(ALGORITHM) + 1) != 0)
        return incomplete(ret_refusal, "The Authorization header must begin with '" ALGORITHM "'.");
    if (!printable(authorization)) /* parts of it are told back */
        return incomplete(ret_refusal, "The Authorization header has characters beyond ASCII.");
    if (read_authorization(arena, authorization, ret_claim, &end, ret_refusal) > 0)
        return 1;
    ret_claim->moment = sigv4_header(arena, request, "x-amz-date", 10);
    if (ret_claim->moment == NULL)
        return incomplete(ret_refusal,
                          "Authorization header requires existence of a 'X-Amz-Date' header.");
    if (strcmp(end, "aws4_request") != 0)
        return invalid(ret_refusal,
                       arena_printf(arena,
                                    "Credential should be scoped with a valid terminator: "
                                    "'aws4_request', not '%.40s'.",
                                    end));
    if (strcmp(ret_claim->service, service) != 0)
        return invalid(
            ret_refusal,
            arena_printf(arena, "Credential should be scoped to correct service: '%s'.", service));
    if (check_signed(arena, request, ret_claim->signed_headers, ret_refusal) > 0 ||
        check_moment(arena, request, ret_claim, ret_refusal) > 0)
        return 1;
    return check_body_hash(arena, request, ret_refusal);
}

/* ---- The signature ---- */

static void derive(const struct sigv4_claim *claim, const char *prefixed, struct digest *key)
{
    const char *const steps[] = {claim->date, claim->region, claim->service, "aws4_request"};
    const void *with = prefixed;
    size_t with_n = strlen(prefixed);
    struct digest next;

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        digest_hmac(DIGEST_SHA256, with, with_n, steps[i], strlen(steps[i]), &next);
        *key = next;
        with = key->b;
        with_n = key->n;
    }
}

static bool holds(struct arena *arena, const struct sigv4_request *request,
                  const struct sigv4_claim *claim, const struct digest *key, bool path_as_it_came)
{
    const char *canonical = sigv4_canonical(arena, request, claim->signed_headers, path_as_it_came);
    struct digest digest;

    digest_of(DIGEST_SHA256, canonical, strlen(canonical), &digest);
    const char *to_sign =
        arena_printf(arena, ALGORITHM "\n%s\n%s/%s/%s/aws4_request\n%s", claim->moment, claim->date,
                     claim->region, claim->service, digest_hex(arena, digest.b, digest.n));
    digest_hmac(DIGEST_SHA256, key->b, key->n, to_sign, strlen(to_sign), &digest);
    return digest_equal(digest.b, claim->signature, sizeof(claim->signature));
}

bool sigv4_verify(struct arena *arena, const struct sigv4_request *request,
                  const struct sigv4_claim *claim, const char *secret)
{
    struct digest key;

    derive(claim, arena_printf(arena, "AWS4%s", secret), &key);
    /* libcurl signs a path as it sends it, AWS's own SDKs tidied up. Both name the same bytes. */
    bool tidy = holds(arena, request, claim, &key, false);
    bool plain = holds(arena, request, claim, &key, true);
    return tidy || plain;
}
