/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <strings.h>

#include "server/proxies.h"

/* ---- The configuration ---- */

int proxies_read(const char *list, const char *header, struct arena *arena,
                 struct proxies *ret_proxies, struct err *err)
{
    static const char between[] = ", \t";
    struct proxies proxies = {.header = header != NULL ? header : FORWARDED_HEADER};
    size_t capacity = 0;

    if (strcasecmp(proxies.header, FORWARDED_HEADER) != 0 &&
        strcasecmp(proxies.header, "Forwarded") != 0)
        return err_set(err, ERR_INVALID,
                       "the header of proxies is X-Forwarded-For or Forwarded, not \"%.60s\"",
                       proxies.header);
    for (size_t n; list != NULL && *(list += strspn(list, between)) != '\0'; list += n) {
        n = strcspn(list, between);
        const char *one = arena_strndup(arena, list, n);
        if (strcmp(one, "unix") == 0) {
            proxies.unix_sockets = true;
            continue;
        }
        struct network network;
        if (network_read(one, &network, err) < 0)
            return err_trace(err);
        *arena_push(arena, proxies.networks, proxies.n, capacity) = network;
    }
    *ret_proxies = proxies;
    return 0;
}

static bool believed(const struct proxies *proxies, const struct address *address)
{
    if (address->family == 0)
        return proxies->unix_sockets;
    for (size_t i = 0; i < proxies->n; i++)
        if (network_has(&proxies->networks[i], address))
            return true;
    return false;
}

/* ---- The header, from its end ---- */

/* What has not been read yet: headers of the name, the last one of them up to `n`. */
struct entries {
    const struct guard_header *headers;
    size_t n_headers;
    const char *name;
    const char *value; /* NULL: the next header is the one before */
    size_t n;
};

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* The part behind the last comma, which is taken off. A quote that is open on the left of it opens
 * nothing here: only what stands on the right was written by somebody who is believed. */
static void last_part(struct entries *entries, const char **ret_part, size_t *ret_n)
{
    size_t from = entries->n, end = entries->n;
    bool quoted = false;

    for (; from > 0 && (quoted || entries->value[from - 1] != ','); from--)
        quoted ^= entries->value[from - 1] == '"';
    const char *part = entries->value + from;
    size_t n = end - from;
    if (from > 0)
        entries->n = from - 1;
    else
        entries->value = NULL;
    for (; n > 0 && is_blank(*part); part++)
        n--;
    while (n > 0 && is_blank(part[n - 1]))
        n--;
    *ret_part = part;
    *ret_n = n;
}

/* The next entry, from the right; an empty one does not count. False: there is none. */
static bool next_entry(struct entries *entries, const char **ret_part, size_t *ret_n)
{
    for (;;) {
        if (entries->value == NULL) {
            if (entries->n_headers == 0)
                return false;
            const struct guard_header *header = &entries->headers[--entries->n_headers];
            if (header->value == NULL || header->name_n != strlen(entries->name) ||
                strncasecmp(header->name, entries->name, header->name_n) != 0)
                continue;
            entries->value = header->value;
            entries->n = header->value_n;
        }
        last_part(entries, ret_part, ret_n);
        if (*ret_n > 0)
            return true;
    }
}

/* The value of for= in one element of RFC 7239: for="[2001:db8::1]:4711";proto=https. */
static bool node_of(const char **part, size_t *n)
{
    const char *at = *part, *end = *part + *n, *found = NULL;
    size_t found_n = 0;

    while (at < end) {
        const char *semicolon = memchr(at, ';', (size_t)(end - at));
        const char *stop = semicolon != NULL ? semicolon : end;
        while (at < stop && is_blank(*at))
            at++;
        if (stop - at > 4 && strncasecmp(at, "for=", 4) == 0) {
            if (found != NULL)
                return false;
            found = at + 4;
            found_n = (size_t)(stop - found);
        }
        at = stop + 1;
    }
    while (found_n > 0 && is_blank(found[found_n - 1]))
        found_n--;
    if (found_n > 1 && found[0] == '"' && found[found_n - 1] == '"') {
        found++;
        found_n -= 2;
    }
    *part = found;
    *n = found_n;
    return found_n > 0;
}

/* "192.0.2.1", "192.0.2.1:4711", "2001:db8::1", "[2001:db8::1]:4711". */
static bool read_node(const char *node, size_t n, struct address *ret_address)
{
    char text[ADDRESS_TEXT_BYTES];
    struct address address;

    if (n >= sizeof(text))
        return false;
    memcpy(text, node, n);
    text[n] = '\0';
    if (strlen(text) != n)
        return false;
    char *port = strrchr(text, ':');
    /* One colon behind an address of version 4, or one behind brackets. */
    if (port != NULL && (port == strchr(text, ':') || (port > text && port[-1] == ']')))
        *port = '\0';
    if (!address_of_text(text, &address))
        return false;
    *ret_address = address;
    return true;
}

enum proxied proxies_client(const struct proxies *proxies, const struct guard_header *headers,
                            size_t n_headers, struct address *address)
{
    struct entries entries = {.headers = headers, .n_headers = n_headers, .name = proxies->header};
    bool rfc7239 = strcasecmp(proxies->header, "Forwarded") == 0;
    enum proxied proxied = PROXIED_DIRECT;
    const char *part;
    size_t n;

    while (believed(proxies, address) && next_entry(&entries, &part, &n)) {
        if ((rfc7239 && !node_of(&part, &n)) || !read_node(part, n, address))
            return PROXIED_UNKNOWN;
        proxied = PROXIED_KNOWN;
    }
    return proxied;
}
