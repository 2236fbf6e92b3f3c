/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <strings.h>

#include "base/buf.h"
#include "base/digest.h"
#include "base/hex.h"
#include "server/sigv4_canon.h"

static bool is_plain(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_' || c == '~';
}

/* Codes all but the unreserved characters of RFC 3986. */
static void add_coded(struct buf *to, const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (is_plain(text[i]))
            buf_add_char(to, text[i]);
        else
            buf_printf(to, "%%%02X", (unsigned char)text[i]);
    }
}

/* ---- The path ---- */

/* Without empty segments and ".", and with what ".." takes away gone; each segment coded once more,
 * since it came coded already. */
static void add_path(struct buf *to, struct arena *arena, const char *path, size_t n)
{
    struct segment {
        const char *text;
        size_t n;
    } *segments = arena_array(arena, n + 1, sizeof(*segments));
    size_t n_segments = 0;
    bool folder = true; /* ends with a slash */

    for (size_t i = 0; i < n;) {
        size_t length = 0;
        while (i + length < n && path[i + length] != '/')
            length++;
        const char *text = path + i;
        folder = i + length < n;
        i += length + 1;
        if (length == 0 || (length == 1 && text[0] == '.')) {
            folder = true;
        } else if (length == 2 && text[0] == '.' && text[1] == '.') {
            folder = true;
            if (n_segments > 0)
                n_segments--;
        } else {
            segments[n_segments++] = (struct segment){text, length};
        }
    }
    for (size_t i = 0; i < n_segments; i++) {
        buf_add_char(to, '/');
        add_coded(to, segments[i].text, segments[i].n);
    }
    if (n_segments == 0 || folder)
        buf_add_char(to, '/');
}

/* ---- The query ---- */

struct parameter {
    const char *name, *value; /* coded */
};

static int compare_parameters(const void *one, const void *other)
{
    const struct parameter *a = one, *b = other;
    int names = strcmp(a->name, b->name);

    return names != 0 ? names : strcmp(a->value, b->value);
}

/* Decoded, then coded as it must be. */
static const char *recoded(struct arena *arena, const char *text, size_t n)
{
    struct buf coded;

    buf_init(&coded, 0);
    for (size_t i = 0; i < n; i++) {
        int byte = hex_escape(text + i, n - i);
        char c = byte >= 0 ? (char)byte : text[i];
        add_coded(&coded, &c, 1);
        i += byte >= 0 ? 2 : 0;
    }
    const char *kept = arena_strdup(arena, buf_str(&coded));
    buf_deinit(&coded);
    return kept;
}

static void add_query(struct buf *to, struct arena *arena, const char *query)
{
    struct parameter *parameters = arena_array(arena, strlen(query) + 1, sizeof(*parameters));
    size_t n = 0;

    while (*query != '\0') {
        size_t length = strcspn(query, "&"), name_n = strcspn(query, "=&");
        if (length > 0) {
            size_t value_at = name_n < length ? name_n + 1 : length;
            parameters[n++] =
                (struct parameter){.name = recoded(arena, query, name_n),
                                   .value = recoded(arena, query + value_at, length - value_at)};
        }
        query += length + (query[length] == '&');
    }
    qsort(parameters, n, sizeof(*parameters), compare_parameters);
    for (size_t i = 0; i < n; i++)
        buf_printf(to, "%s%s=%s", i > 0 ? "&" : "", parameters[i].name, parameters[i].value);
}

/* ---- Headers and body ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Without blanks at its ends; several inside are one. */
static void add_value(struct buf *to, const char *value, size_t n)
{
    while (n > 0 && is_blank(value[n - 1]))
        n--;
    for (size_t i = 0, begin = 1; i < n; i++) {
        if (is_blank(value[i]) && (begin || is_blank(value[i - 1])))
            continue;
        buf_add_char(to, is_blank(value[i]) ? ' ' : value[i]);
        begin = 0;
    }
}

const char *sigv4_header(struct arena *arena, const struct sigv4_request *request, const char *name,
                         size_t name_n)
{
    struct buf value;
    bool found = false;

    buf_init(&value, 0);
    for (size_t i = 0; i < request->n_headers; i++) {
        const struct guard_header *header = &request->headers[i];
        if (header->name_n != name_n || strncasecmp(header->name, name, name_n) != 0)
            continue;
        if (found)
            buf_add_char(&value, ',');
        found = true;
        add_value(&value, header->value != NULL ? header->value : "", header->value_n);
    }
    const char *kept = found ? arena_strdup(arena, buf_str(&value)) : NULL;
    buf_deinit(&value);
    return kept;
}

const char *sigv4_body_hash(struct arena *arena, const struct sigv4_request *request)
{
    struct digest digest;

    digest_of(DIGEST_SHA256, request->body, request->body_n, &digest);
    return digest_hex(arena, digest.b, digest.n);
}

const char *sigv4_canonical(struct arena *arena, const struct sigv4_request *request,
                            const char *signed_headers, bool path_as_it_came)
{
    size_t path_n = strcspn(request->uri, "?");
    struct buf text;

    buf_init(&text, 0);
    buf_printf(&text, "%s\n", request->method);
    if (path_as_it_came)
        buf_add(&text, request->uri, path_n);
    else
        add_path(&text, arena, request->uri, path_n);
    buf_add_char(&text, '\n');
    if (request->uri[path_n] == '?')
        add_query(&text, arena, request->uri + path_n + 1);
    buf_add_char(&text, '\n');
    for (const char *name = signed_headers; *name != '\0';) {
        size_t n = strcspn(name, ";");
        const char *value = sigv4_header(arena, request, name, n);
        buf_printf(&text, "%.*s:%s\n", (int)n, name, value != NULL ? value : "");
        name += n + (name[n] == ';');
    }
    buf_printf(&text, "\n%s\n%s", signed_headers, sigv4_body_hash(arena, request));
    const char *kept = arena_strdup(arena, buf_str(&text));
    buf_deinit(&text);
    return kept;
}
