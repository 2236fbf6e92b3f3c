/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CloudEvents 1.0 over HTTP: structured (the body is the event), as a batch, or binary (the
 * attributes are headers ce-…, the body is the data).
 */
#include "base/build.h"

#include <strings.h>

#include "base/digest.h"
#include "base/hex.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "server/guard.h"
#include "server/request.h"
#include "server/webhook.h"
#include "store/json_text.h"

static bool is_type(const char *type, const char *wanted)
{
    size_t n = strlen(wanted);

    return type != NULL && strncasecmp(type, wanted, n) == 0 && strchr("; \t", type[n]) != NULL;
}

static bool is_json(const char *type)
{
    size_t n = type != NULL ? strcspn(type, "; \t") : 0;

    return is_type(type, "application/json") ||
           (n > 5 && strncasecmp(type + n - 5, "+json", 5) == 0);
}

/* A value of a header: percent codes stand for what HTTP does not take. NULL: it is not UTF-8. */
static const char *decoded(struct arena *arena, const char *value, size_t n)
{
    char *text = arena_alloc(arena, n + 1), *to = text;

    for (size_t i = 0; i < n; i++) {
        int byte = hex_escape(value + i, n - i);
        *to++ = byte >= 0 ? (char)byte : value[i];
        i += byte >= 0 ? 2 : 0;
    }
    return utf8_valid(text, (size_t)(to - text)) ? text : NULL;
}

/* Letters and digits, and what is no attribute has no header. */
static bool is_attribute(const char *name)
{
    return name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789")] == '\0' &&
           strcmp(name, "data") != 0;
}

/* The attributes; false: the response is ready. */
static bool read_attributes(struct request *request, json_t *event)
{
    struct guard_header headers[LIMIT_HTTP_HEADERS];
    size_t n = request_headers(request, headers, ARRAY_LEN(headers));
    char name[64];

    for (size_t i = 0; i < n; i++) {
        if (headers[i].name_n < 4 || strncasecmp(headers[i].name, "ce-", 3) != 0)
            continue;
        snprintf(name, sizeof(name), "%.*s", (int)headers[i].name_n - 3, headers[i].name + 3);
        for (char *c = name; *c != '\0'; c++)
            *c = (char)(*c >= 'A' && *c <= 'Z' ? *c + 32 : *c);
        bool fits = headers[i].name_n - 3 < sizeof(name) && is_attribute(name);
        if (!fits || json_object_get(event, name) != NULL) {
            response_problem(request, 400, "PW003",
                             "The name of an attribute has letters and digits; data is the body.",
                             fits ? "the header ce-%s is there twice"
                                  : "the header ce-%s is no attribute of a CloudEvent",
                             name);
            return false;
        }
        const char *value = decoded(&request->arena, headers[i].value, headers[i].value_n);
        if (value == NULL || json_object_set_new(event, name, json_string(value)) < 0) {
            response_problem(request, 400, "PW003", NULL, "the header ce-%s is not UTF-8", name);
            return false;
        }
    }
    if (json_object_size(event) > 0)
        return true;
    response_problem(request, 415, "PW003",
                     "Say Content-Type: application/cloudevents+json, or send headers ce-id, ….",
                     "this is no CloudEvent");
    return false;
}

/* The data goes along as it came, number for number: it is put into the text, not read and written.
 * NULL: the response is ready. */
static const char *binary_event(struct request *request, const char *type)
{
    struct arena *arena = &request->arena;
    json_auto_t *event = json_object();
    const char *data = buf_str(&request->body);
    size_t n = request->body.len;
    bool json = is_json(type);

    if (!read_attributes(request, event) || (json && !body_read_json(request)))
        return NULL;
    if (n > 0 && !json && utf8_valid(data, n))
        json_object_set_new(event, "data", json_stringn(data, n));
    else if (n > 0 && !json)
        json_object_set_new(event, "data_base64", json_string(digest_base64(arena, data, n)));
    const char *text = json_text_in(arena, event);
    if (request->json == NULL)
        return text;
    /* There is an attribute before it. */
    return arena_printf(arena, "%.*s,\"data\":%s}", (int)strlen(text) - 1, text, data);
}

void cloudevents_receive(struct request *request)
{
    const char *type = request_header(request, "Content-Type");
    bool whole = is_type(type, "application/cloudevents+json") ||
                 is_type(type, "application/cloudevents-batch+json");
    const char *event = NULL;

    if (!whole)
        event = binary_event(request, type);
    else if (body_read_json(request))
        event = buf_str(&request->body);
    if (event == NULL) {
        request_finish(request);
    } else if (whole && request->json == NULL) {
        response_problem(request, 400, "PW003", NULL, "the body is empty");
        request_finish(request);
    } else {
        const char *params[] = {request_path(request, "bus"), event};
        request_ask(request, "http_cloudevents", true, params, ARRAY_LEN(params), NULL);
    }
}
