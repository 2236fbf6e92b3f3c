/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "server/sigv4.h"
#include "tests/fuzz/fuzz.h"

/*
 * A signed request of AWS's clients: a line with method and target, lines of headers, an empty
 * line, the body. Each refusal has a name and printable words, a signature that holds does so with
 * no other secret, and not for another body.
 */

#define NOON 1440938160 /* 20150830T123600Z, as in the vectors that AWS has published */
#define SECRET "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

/* A NUL-terminated line; NULL: there is none. */
static const char *line_of(struct arena *arena, const char **at, const char *end, size_t *ret_n)
{
    const char *begin = *at, *stop = memchr(begin, '\n', (size_t)(end - begin));

    if (stop == NULL)
        return NULL;
    *at = stop + 1;
    const char *line = arena_strndup(arena, begin, (size_t)(stop - begin));
    *ret_n = strlen(line);
    return line;
}

static bool request_read(struct arena *arena, const char *text, size_t n,
                         struct sigv4_request *ret_request)
{
    const char *at = text, *end = text + n, *line = line_of(arena, &at, end, &n);
    struct guard_header *headers = arena_array(arena, LIMIT_HTTP_HEADERS, sizeof(*headers));
    size_t n_headers = 0, method_n = line != NULL ? strcspn(line, " ") : 0;

    if (line == NULL || line[method_n] == '\0' || line[method_n + 1] != '/')
        return false;
    *ret_request = (struct sigv4_request){.method = arena_strndup(arena, line, method_n),
                                          .uri = line + method_n + 1,
                                          .headers = headers,
                                          .now_s = NOON};
    while ((line = line_of(arena, &at, end, &n)) != NULL && n > 0 &&
           n_headers < LIMIT_HTTP_HEADERS) {
        size_t name_n = strcspn(line, ":");
        const char *value = line[name_n] == ':' ? line + name_n + 1 : NULL;
        headers[n_headers++] =
            (struct guard_header){line, name_n, value, value != NULL ? strlen(value) : 0};
    }
    ret_request->n_headers = n_headers;
    ret_request->body = at;
    ret_request->body_n = (size_t)(end - at);
    return true;
}

/* The guard has seen it before anybody looks at its signature: names have no bytes beyond ASCII. */
static bool passes(const struct sigv4_request *request)
{
    struct guard_body body;

    return guard_judge(&(struct guard_request){.version = "HTTP/1.1",
                                               .uri = request->uri,
                                               .headers = request->headers,
                                               .n_headers = request->n_headers},
                       &body) == NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sigv4_refusal refusal = {NULL, NULL};
    struct sigv4_request request;
    struct sigv4_claim claim;
    struct arena arena;

    arena_init(&arena, 0);
    if (request_read(&arena, (const char *)data, size, &request) && passes(&request)) {
        if (sigv4_read(&arena, &request, "service", &claim, &refusal) > 0) {
            assert(refusal.type[0] != '\0' && refusal.message[0] != '\0');
            for (const char *c = refusal.message; *c != '\0'; c++)
                assert(*c >= ' ' && *c <= '~');
        } else if (sigv4_verify(&arena, &request, &claim, SECRET)) {
            assert(!sigv4_verify(&arena, &request, &claim, SECRET "x"));
            request.body = "another";
            request.body_n = 7;
            assert(!sigv4_verify(&arena, &request, &claim, SECRET));
        }
    }
    arena_deinit(&arena);
    return 0;
}
