/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/utf8.h"
#include "engine/schema_internal.h"

/* URI references and JSON Pointers, as far as $id and $ref need them. */

/* A reference taken apart (RFC 3986, appendix B); what is not there is NULL. */
struct uri {
    const char *scheme, *authority, *path, *query, *fragment;
    size_t scheme_n, authority_n, path_n, query_n;
};

static struct uri split(const char *text)
{
    struct uri uri = {.path = text};
    size_t n = strcspn(text, ":/?#");

    if (n > 0 && text[n] == ':') {
        uri.scheme = text;
        uri.scheme_n = n;
        text += n + 1;
    }
    if (text[0] == '/' && text[1] == '/') {
        uri.authority = text + 2;
        uri.authority_n = strcspn(uri.authority, "/?#");
        text = uri.authority + uri.authority_n;
    }
    uri.path = text;
    uri.path_n = strcspn(text, "?#");
    text += uri.path_n;
    if (*text == '?') {
        uri.query = text + 1;
        uri.query_n = strcspn(uri.query, "#");
        text = uri.query + uri.query_n;
    }
    if (*text == '#' && text[1] != '\0')
        uri.fragment = text + 1;
    return uri;
}

/* Takes "." and ".." out of a path, in place (RFC 3986, 5.2.4). */
static void remove_dots(char *path)
{
    char *to = path;
    const char *from = path;
    bool rooted = *path == '/';

    while (*from != '\0') {
        from += to == path && !rooted && *from == '/';
        size_t n = strcspn(from + (*from == '/'), "/") + (*from == '/');
        const char *name = from + (*from == '/');
        size_t name_n = n - (size_t)(name - from);
        bool last = from[n] == '\0';
        if (name_n == 1 && name[0] == '.') {
            if (last && *from == '/')
                *to++ = '/';
        } else if (name_n == 2 && name[0] == '.' && name[1] == '.') {
            while (to > path && *--to != '/')
                ;
            if (last && *from == '/')
                *to++ = '/';
        } else {
            memmove(to, from, n);
            to += n;
        }
        from += n;
    }
    *to = '\0';
}

static const char *join(struct arena *arena, const struct uri *u)
{
    return arena_printf(
        arena, "%.*s%s%s%.*s%.*s%s%.*s%s%s", (int)u->scheme_n, u->scheme != NULL ? u->scheme : "",
        u->scheme != NULL ? ":" : "", u->authority != NULL ? "//" : "", (int)u->authority_n,
        u->authority != NULL ? u->authority : "", (int)u->path_n, u->path,
        u->query != NULL ? "?" : "", (int)u->query_n, u->query != NULL ? u->query : "",
        u->fragment != NULL ? "#" : "", u->fragment != NULL ? u->fragment : "");
}

const char *uri_resolve(struct arena *arena, const char *base, const char *reference)
{
    struct uri r = split(reference), b = split(base);
    char *path;

    if (r.scheme != NULL)
        return join(arena, &r);
    r.scheme = b.scheme;
    r.scheme_n = b.scheme_n;
    if (r.authority != NULL)
        return join(arena, &r);
    r.authority = b.authority;
    r.authority_n = b.authority_n;
    if (r.path_n == 0) {
        r.path = b.path;
        r.path_n = b.path_n;
        if (r.query == NULL) {
            r.query = b.query;
            r.query_n = b.query_n;
        }
        return join(arena, &r);
    }
    if (r.path[0] == '/') {
        path = arena_strndup(arena, r.path, r.path_n);
    } else {
        size_t keep = b.path_n;
        while (keep > 0 && b.path[keep - 1] != '/')
            keep--;
        path = arena_printf(arena, "%s%.*s%.*s", b.path_n == 0 && b.authority != NULL ? "/" : "",
                            (int)keep, b.path, (int)r.path_n, r.path);
    }
    remove_dots(path);
    r.path = path;
    r.path_n = strlen(path);
    return join(arena, &r);
}

static int hex(char c)
{
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

const char *uri_decode(struct arena *arena, const char *text)
{
    char *copy = arena_strdup(arena, text), *to = copy;

    for (const char *p = text; *p != '\0'; p++) {
        if (*p == '%' && hex(p[1]) >= 0 && hex(p[2]) >= 0) {
            *to++ = (char)(hex(p[1]) * 16 + hex(p[2]));
            p += 2;
        } else {
            *to++ = *p;
        }
    }
    *to = '\0';
    return utf8_valid(copy, (size_t)(to - copy)) ? copy : NULL;
}

const char *pointer_next(struct arena *arena, const char **pointer, size_t *ret_n)
{
    if (**pointer != '/')
        return NULL;
    const char *from = *pointer + 1;
    size_t n = strcspn(from, "/"), to = 0;
    char *step = arena_strndup(arena, from, n);
    for (size_t i = 0; i < n; i++) {
        char c = from[i];
        if (c == '~' && i + 1 < n && (from[i + 1] == '0' || from[i + 1] == '1'))
            c = from[++i] == '0' ? '~' : '/';
        step[to++] = c;
    }
    step[to] = '\0';
    *ret_n = to;
    *pointer = from + n;
    return step;
}
