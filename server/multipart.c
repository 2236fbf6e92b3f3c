/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <strings.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "server/multipart.h"

#define BOUNDARY_MAX 70u /* RFC 2046 */
#define FIELDS_MAX 20u   /* parts that are no files */

/* The end of a text in quotes, in which \" is no end; NULL: it has none. */
static const char *closing_quote(const char *at, const char *end)
{
    while (at < end && *at != '"')
        at += *at == '\\' && at + 1 < end && at[1] == '"' ? 2 : 1;
    return at < end ? at : NULL;
}

static const char *without_escapes(struct arena *arena, const char *from, const char *end)
{
    char *text = arena_strndup(arena, from, (size_t)(end - from)), *to = text;

    for (const char *c = text; *c != '\0'; c++)
        if (*c != '\\' || c[1] != '"')
            *to++ = *c;
    *to = '\0';
    return text;
}

/* The value of name=… or name="…" behind a semicolon; NULL: not there. */
static const char *parameter(struct arena *arena, const char *header, const char *end,
                             const char *name)
{
    size_t n = strlen(name);

    for (const char *at = header; at < end; at++) {
        bool quoted_name = *at == '"'; /* a semicolon in quotes is none */
        if (quoted_name) {
            at = closing_quote(at + 1, end);
            if (at == NULL)
                return NULL;
            continue;
        }
        if (*at != ';')
            continue;
        const char *key = at + 1;
        while (key < end && (*key == ' ' || *key == '\t'))
            key++;
        if ((size_t)(end - key) <= n || strncasecmp(key, name, n) != 0 || key[n] != '=')
            continue;
        const char *value = key + n + 1, *stop = value;
        if (value < end && *value == '"') {
            value++;
            stop = closing_quote(value, end);
            return stop != NULL ? without_escapes(arena, value, stop) : NULL;
        }
        while (stop < end && *stop != ';' && *stop != ' ' && *stop != '\t')
            stop++;
        return arena_strndup(arena, value, (size_t)(stop - value));
    }
    return NULL;
}

/* The headers of a part: up to the empty line. *ret_body: behind it. */
static const char *read_headers(struct arena *arena, const char *at, const char *end,
                                struct part *part, const char **ret_body)
{
    static const char disposition[] = "content-disposition:";

    for (;;) {
        const char *line_end = memmem(at, (size_t)(end - at), "\r\n", 2);
        if (line_end == NULL)
            return "a part has no end of its headers";
        if (line_end == at)
            break;
        if ((size_t)(line_end - at) > strlen(disposition) &&
            strncasecmp(at, disposition, strlen(disposition)) == 0) {
            part->name = parameter(arena, at, line_end, "name");
            part->filename = parameter(arena, at, line_end, "filename");
        }
        at = line_end + 2;
    }
    if (part->name == NULL)
        return "a part has no name";
    if (!utf8_valid(part->name, strlen(part->name)) ||
        (part->filename != NULL && !utf8_valid(part->filename, strlen(part->filename))))
        return "the name of a part is not UTF-8";
    *ret_body = at + 2;
    return NULL;
}

const char *multipart_read(struct arena *arena, const char *content_type, const char *body,
                           size_t n, struct part **ret_parts, size_t *ret_n)
{
    const size_t most = LIMIT_DEPLOYMENT_FILES + FIELDS_MAX;
    const char *boundary =
        parameter(arena, content_type, content_type + strlen(content_type), "boundary");
    struct part *parts = arena_array(arena, most, sizeof(*parts));
    const char *at = body, *end = body + n;

    *ret_n = 0;
    *ret_parts = parts;
    if (boundary == NULL || *boundary == '\0' || strlen(boundary) > BOUNDARY_MAX)
        return "the Content-Type has no boundary";
    const char *mark = arena_printf(arena, "\r\n--%s", boundary);
    size_t mark_n = strlen(mark);
    if (n >= mark_n - 2 && memcmp(body, mark + 2, mark_n - 2) == 0)
        at += mark_n - 2;
    else if ((at = memmem(body, n, mark, mark_n)) != NULL)
        at += mark_n;
    else
        return "the boundary is not in the body";
    while (end - at >= 2 && memcmp(at, "--", 2) != 0) {
        struct part part = {.name = NULL};
        const char *data, *stop;
        while (at < end && (*at == ' ' || *at == '\t'))
            at++;
        if (end - at < 2 || memcmp(at, "\r\n", 2) != 0)
            return "a boundary is not on a line of its own";
        const char *wrong = read_headers(arena, at + 2, end, &part, &data);
        if (wrong != NULL)
            return wrong;
        if (data > end || (stop = memmem(data, (size_t)(end - data), mark, mark_n)) == NULL)
            return "the last part has no end";
        if (*ret_n == most)
            return "there are too many parts (LIMIT_DEPLOYMENT_FILES)";
        part.n = (size_t)(stop - data);
        part.data = arena_strndup(arena, data, part.n);
        parts[(*ret_n)++] = part;
        at = stop + mark_n;
    }
    return end - at >= 2 ? NULL : "the body has no end";
}

const struct part *multipart_find(const struct part *parts, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(parts[i].name, name) == 0)
            return &parts[i];
    return NULL;
}
