/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* An HTTP request as text: "POST /path HTTP/1.1", lines of headers, an empty line, the body. */
#include <strings.h>

#include "server/guard.h"

#define MESSAGE_HEADERS_MAX 120u

struct message {
    const char *method, *uri, *version;
    struct guard_header headers[MESSAGE_HEADERS_MAX];
    size_t n_headers;
    const char *body;
    size_t body_n;
};

/* Up to the mark, which is taken away; NULL: it is not there. */
static inline char *message_cut(char **at, char *end, char mark)
{
    char *begin = *at, *found = memchr(begin, mark, (size_t)(end - begin));

    if (found == NULL)
        return NULL;
    *found = '\0';
    *at = found + 1;
    return begin;
}

/* Cuts the text in place. */
static inline bool message_read(char *text, size_t n, struct message *ret)
{
    char *at = text, *end = text + n, *line;

    *ret = (struct message){.n_headers = 0};
    ret->method = message_cut(&at, end, ' ');
    ret->uri = ret->method != NULL ? message_cut(&at, end, ' ') : NULL;
    ret->version = ret->uri != NULL ? message_cut(&at, end, '\n') : NULL;
    if (ret->version == NULL)
        return false;
    while ((line = message_cut(&at, end, '\n')) != NULL && line < at - 1 &&
           ret->n_headers < MESSAGE_HEADERS_MAX) {
        size_t line_n = (size_t)(at - line) - 1;
        char *colon = memchr(line, ':', line_n);
        struct guard_header *header = &ret->headers[ret->n_headers++];
        *header = (struct guard_header){.name = line, .name_n = line_n};
        if (colon == NULL)
            continue;
        header->name_n = (size_t)(colon - line);
        header->value = colon + 1 + strspn(colon + 1, " \t");
        header->value_n = (size_t)(at - 1 - header->value);
    }
    ret->body = at;
    ret->body_n = (size_t)(end - at);
    return true;
}

static inline const char *message_header(const struct message *message, const char *name)
{
    for (size_t i = 0; i < message->n_headers; i++)
        if (message->headers[i].name_n == strlen(name) && message->headers[i].value != NULL &&
            strncasecmp(message->headers[i].name, name, strlen(name)) == 0)
            return message->headers[i].value;
    return NULL;
}
