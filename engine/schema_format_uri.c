/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/schema_internal.h"

/* The formats of URIs (RFC 3986), IRIs (RFC 3987: what is not ASCII counts as a letter) and
 * templates. */

static bool hex(char c)
{
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/* Whether the n bytes are unreserved, sub-delims, %XX, or one of `more`. */
static bool made_of(const char *p, size_t n, const char *more, bool international)
{
    static const char always[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                 "-._~!$&'()*+,;=";

    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)p[i];
        if (c >= 0x80 ? international : strchr(always, c) != NULL || strchr(more, c) != NULL)
            continue;
        if (c != '%' || n - i < 3 || !hex(p[i + 1]) || !hex(p[i + 2]))
            return false;
        i += 2;
    }
    return true;
}

static bool authority(const char *p, size_t n, bool international)
{
    const char *at = n > 0 ? memrchr(p, '@', n) : NULL;

    if (at != NULL) {
        if (!made_of(p, (size_t)(at - p), ":", international))
            return false;
        n -= (size_t)(at + 1 - p);
        p = at + 1;
    }
    size_t host = n;
    while (host > 0 && p[host - 1] >= '0' && p[host - 1] <= '9')
        host--;
    host = host > 0 && p[host - 1] == ':' ? host - 1 : n; /* without its port */
    if (host > 1 && p[0] == '[' && p[host - 1] == ']') {
        if (p[1] == 'v' || p[1] == 'V') {
            size_t digits = 2;
            while (hex(p[digits]))
                digits++;
            return digits > 2 && p[digits] == '.' && host - digits > 2 &&
                   made_of(p + digits + 1, host - digits - 2, ":", false);
        }
        return format_is_ipv6(p + 1, host - 2);
    }
    return made_of(p, host, "", international);
}

static bool reference(const char *text, bool international, bool absolute)
{
    static const char scheme[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.";
    size_t n = strcspn(text, ":/?#");
    const char *p = text;

    if (text[n] == ':') {
        if (n == 0 || strspn(text, scheme) != n || strchr("0123456789+-.", text[0]) != NULL)
            return false;
        p += n + 1;
    } else if (absolute) {
        return false;
    }
    if (p[0] == '/' && p[1] == '/') {
        n = strcspn(p + 2, "/?#");
        if (!authority(p + 2, n, international))
            return false;
        p += n + 2;
    }
    n = strcspn(p, "?#");
    if (!made_of(p, n, ":@/", international))
        return false;
    p += n;
    if (*p == '?') {
        n = strcspn(++p, "#");
        if (!made_of(p, n, ":@/?", international))
            return false;
        p += n;
    }
    return *p == '\0' || made_of(p + 1, strlen(p + 1), ":@/?", international);
}

bool format_uri(const char *text, size_t n, struct arena *arena)
{
    (void)n;
    (void)arena;
    return reference(text, false, true);
}

bool format_uri_reference(const char *text, size_t n, struct arena *arena)
{
    (void)n;
    (void)arena;
    return reference(text, false, false);
}

bool format_iri(const char *text, size_t n, struct arena *arena)
{
    (void)n;
    (void)arena;
    return reference(text, true, true);
}

bool format_iri_reference(const char *text, size_t n, struct arena *arena)
{
    (void)n;
    (void)arena;
    return reference(text, true, false);
}

/* One variable of a template: its name, and how much of it. Returns what follows; NULL: wrong. */
static const char *variable(const char *p)
{
    const char *from = p;

    for (;; p++) {
        if (*p == '%' && hex(p[1]) && hex(p[2]))
            p += 2;
        else if (*p == '\0' || (strchr("_.", *p) == NULL && !(*p >= '0' && *p <= '9') &&
                                !(*p >= 'a' && *p <= 'z') && !(*p >= 'A' && *p <= 'Z')))
            break;
    }
    if (p == from || *from == '.' || p[-1] == '.')
        return NULL;
    if (*p == '*')
        return p + 1;
    if (*p != ':')
        return p;
    size_t digits = strspn(++p, "0123456789");
    return digits >= 1 && digits <= 4 && *p != '0' ? p + digits : NULL;
}

/* RFC 6570 */
bool format_uri_template(const char *text, size_t n, struct arena *arena)
{
    (void)n;
    (void)arena;
    for (const char *p = text; *p != '\0'; p++) {
        unsigned char c = (unsigned char)*p;
        if (c == '%' && hex(p[1]) && hex(p[2]))
            continue;
        if (c <= 0x20 || c == 0x7f || strchr("\"'%<>\\^`|}", c) != NULL)
            return false;
        if (c != '{')
            continue;
        p += 1 + (p[1] != '\0' && strchr("+#./;?&=,!@|", p[1]) != NULL);
        while ((p = variable(p)) != NULL && *p == ',')
            p++;
        if (p == NULL || *p != '}')
            return false;
    }
    return true;
}
