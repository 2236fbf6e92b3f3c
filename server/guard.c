/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <strings.h>

#include "base/hex.h"
#include "base/limits.h"
#include "server/guard.h"

/* tchar of RFC 9110. */
static bool is_token(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || strchr("!#$%&'*+-.^_`|~", c) == NULL))
            return false;
    }
    return n > 0;
}

static bool is_field_value(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];
        if ((c < 0x20 && c != '\t') || c == 0x7f)
            return false;
    }
    return true;
}

/* ASCII without blanks: it becomes part of addresses that we tell. */
static bool is_visible(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] <= 0x20 || (unsigned char)text[i] >= 0x7f)
            return false;
    return true;
}

static bool is_named(const struct guard_header *header, const char *name)
{
    return header->name_n == strlen(name) && strncasecmp(header->name, name, header->name_n) == 0;
}

static bool is_length(const char *text, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (text[i] < '0' || text[i] > '9')
            return false;
    return n > 0 && n <= 18;
}

/* The path as it came: visible characters, whole escapes, none of a control character. */
static const char *judge_uri(const char *uri)
{
    if (uri == NULL || strlen(uri) > LIMIT_URL_BYTES)
        return "the path is too long";
    if (*uri != '/')
        return "the request's target must be a path";
    for (const char *c = uri; *c != '\0'; c++) {
        if ((unsigned char)*c <= 0x20 || (unsigned char)*c >= 0x7f)
            return "the path has a character that must be escaped";
        if (*c != '%')
            continue;
        int byte = hex_escape(c, 3);
        if (byte < 0)
            return "the path has an incomplete escape";
        if (byte < 0x20 || byte == 0x7f)
            return "the path has an escaped control character";
    }
    return NULL;
}

/* localhost, 127.x.x.x or [::1], perhaps with a port. */
static bool is_this_machine(const char *host, size_t n)
{
    static const char *const names[] = {"localhost", "[::1]"};
    const char *bracket = memchr(host, ']', n);
    const char *colon = memchr(bracket != NULL ? bracket : host, ':',
                               n - (size_t)((bracket != NULL ? bracket : host) - host));
    size_t name_n = colon != NULL ? (size_t)(colon - host) : n;

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (name_n == strlen(names[i]) && strncasecmp(host, names[i], name_n) == 0)
            return true;
    if (name_n < 5 || strncmp(host, "127.", 4) != 0)
        return false;
    for (size_t i = 4; i < name_n; i++)
        if (host[i] != '.' && (host[i] < '0' || host[i] > '9'))
            return false;
    return true;
}

struct counts {
    unsigned lengths, codings, hosts;
    bool chunked, here;
    uint64_t length;
};

static const char *judge_header(const struct guard_header *header, struct counts *counts)
{
    const char *value = header->value != NULL ? header->value : "";

    if (!is_token(header->name, header->name_n))
        return "a header's name has a character that it may not have";
    if (!is_field_value(value, header->value_n))
        return "a header's value has a control character";
    if (is_named(header, "Content-Length")) {
        counts->lengths++;
        if (!is_length(value, header->value_n))
            return "Content-Length is not a number";
        counts->length = strtoull(value, NULL, 10);
    } else if (is_named(header, "Transfer-Encoding")) {
        counts->codings++;
        counts->chunked = header->value_n == 7 && strncasecmp(value, "chunked", 7) == 0;
    } else if (is_named(header, "Host")) {
        if (!is_visible(value, header->value_n))
            return "Host has a character that it may not have";
        counts->hosts++;
        counts->here = is_this_machine(value, header->value_n);
    }
    return NULL;
}

const char *guard_judge(const struct guard_request *request, struct guard_body *ret_body)
{
    struct counts counts = {.lengths = 0};
    const char *wrong = judge_uri(request->uri);

    *ret_body = (struct guard_body){.any = false};
    if (wrong != NULL)
        return wrong;
    bool old = strcmp(request->version, "HTTP/1.0") == 0;
    if (!old && strcmp(request->version, "HTTP/1.1") != 0)
        return "the version must be HTTP/1.1 or HTTP/1.0";
    if (request->n_headers > LIMIT_HTTP_HEADERS)
        return "there are too many headers";
    for (size_t i = 0; i < request->n_headers; i++)
        if ((wrong = judge_header(&request->headers[i], &counts)) != NULL)
            return wrong;
    if (counts.lengths > 1)
        return "Content-Length is there twice";
    if (counts.codings > 0 && (counts.lengths > 0 || old))
        return "Transfer-Encoding leaves the request's length in doubt";
    if (counts.codings > 1 || (counts.codings == 1 && !counts.chunked))
        return "the only Transfer-Encoding is chunked";
    if (counts.hosts != 1 && !(old && counts.hosts == 0))
        return "there must be one Host";
    if (request->loopback_only && counts.hosts == 1 && !counts.here)
        return "Host must be localhost, 127.0.0.1 or [::1]: this server is for its own machine";
    *ret_body = (struct guard_body){counts.codings > 0 || counts.length > 0, counts.length};
    return NULL;
}
