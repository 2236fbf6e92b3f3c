/* SPDX-License-Identifier: Apache-2.0 */
/* What a request says, as its statement gets it. */
#include "base/build.h"

#include <strings.h>

#include "server/server_internal.h"
#include "store/json_text.h"

static const char *value_of(const struct pair *pairs, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(pairs[i].name, name) == 0)
            return pairs[i].value;
    return NULL;
}

const char *request_path(const struct request *request, const char *name)
{
    return value_of(request->path, request->n_path, name);
}

const char *request_query(const struct request *request, const char *name)
{
    return value_of(request->query, request->n_query, name);
}

/* "application/json", perhaps with a charset that is UTF-8. */
bool request_is_json(const struct request *request)
{
    const char *type = request_header(request, "Content-Type");

    if (type == NULL)
        return false;
    size_t n = strcspn(type, "; \t");
    bool json = (n == 16 && strncasecmp(type, "application/json", n) == 0) ||
                (n > 17 && strncasecmp(type, "application/", 12) == 0 &&
                 strncasecmp(type + n - 5, "+json", 5) == 0);
    const char *charset = strcasestr(type + n, "charset=");
    return json && (charset == NULL || strcasestr(charset, "utf-8") != NULL);
}

bool request_is_zip(const struct request *request)
{
    const char *type = request_header(request, "Content-Type");

    return type != NULL && strcspn(type, "; \t") == 15 &&
           strncasecmp(type, "application/zip", 15) == 0;
}

const char *request_origin(struct request *request)
{
    const char *host = request_header(request, "Host");
    const char *asked_by = request_header(request, "X-Forwarded-Proto"); /* of a proxy in front */
    bool tls =
        request->server->tls != NULL || (asked_by != NULL && strcasecmp(asked_by, "https") == 0);

    return arena_printf(&request->arena, "%s://%s", tls ? "https" : "http",
                        host != NULL ? host : "localhost");
}

bool request_is_foreign(struct request *request)
{
    const char *origin = request_header(request, "Origin"), *host = request_header(request, "Host");
    bool page =
        origin != NULL && (strcmp(origin, "null") == 0 || strncasecmp(origin, "http://", 7) == 0 ||
                           strncasecmp(origin, "https://", 8) == 0);
    const char *site = page ? strstr(origin, "://") : NULL;

    if (!page || request->method == METHOD_GET ||
        (site != NULL && host != NULL && strcasecmp(site + 3, host) == 0))
        return false;
    response_problem(request, 403, "42501",
                     "A proxy in front of this server must leave the header Host as it is.",
                     "a page of another site (%.200s) may not do this", origin);
    return true;
}

static json_t *object_of(const struct pair *pairs, size_t n)
{
    json_t *object = json_object();

    for (size_t i = 0; i < n; i++)
        json_object_set_new(object, pairs[i].name, json_string(pairs[i].value));
    return object;
}

/* Takes the place of the body, so that it is here once, and no more as values. */
static const char *whole(struct request *request)
{
    json_auto_t *object = json_pack("{s:s, s:o, s:o}", "origin", request_origin(request), "path",
                                    object_of(request->path, request->n_path), "query",
                                    object_of(request->query, request->n_query));
    struct buf all;

    if (object == NULL)
        abort(); /* out of memory: the guard and the router have seen to its texts */
    const char *text = json_text_in(&request->arena, object);
    buf_init(&all, 0);
    buf_add(&all, text, strlen(text) - 1);
    buf_add_str(&all, ",\"body\":");
    /* As it came: numbers keep their digits. */
    if (request->json != NULL)
        buf_add(&all, request->body.data, request->body.len);
    else
        buf_add_str(&all, "null");
    buf_add_char(&all, '}');
    buf_deinit(&request->body);
    request->body = all;
    json_decref(request->json);
    request->json = NULL;
    return buf_str(&request->body);
}

static const char *argument(struct request *request, const char *name)
{
    if (strcmp(name, "request") == 0)
        return whole(request);
    if (strcmp(name, "caller.name") == 0)
        return request->principal.name;
    if (strncmp(name, "path.", 5) == 0)
        return request_path(request, name + 5);
    assert(strncmp(name, "query.", 6) == 0); /* the tables are ours */
    return request_query(request, name + 6);
}

size_t request_arguments(struct request *request, const char **ret_arguments)
{
    const char *at = request->operation->arguments;
    size_t count = 0;

    if (at == NULL)
        at = "request";
    while (*(at += strspn(at, " ")) != '\0') {
        size_t n = strcspn(at, " ");
        assert(count < DESK_PARAMS);
        ret_arguments[count++] = argument(request, arena_strndup(&request->arena, at, n));
        at += n;
    }
    return count;
}
