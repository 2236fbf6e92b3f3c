/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/hex.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "base/uuid.h"
#include "server/request.h"

static const struct operations *const tables[] = {
    &operations_common,    &operations_pawl,    &operations_control, &operations_services,
    &operations_users,     &operations_camunda, &operations_aws,     &operations_webhooks,
    &operations_callbacks, &operations_sedo,    &operations_events};

const struct operation *operation_at(size_t i)
{
    for (size_t t = 0; t < ARRAY_LEN(tables); t++) {
        if (i < tables[t]->n)
            return &tables[t]->list[i];
        i -= tables[t]->n;
    }
    return NULL;
}

static const char *const methods[] = {
    [METHOD_GET] = "GET",       [METHOD_POST] = "POST",   [METHOD_PUT] = "PUT",
    [METHOD_DELETE] = "DELETE", [METHOD_PATCH] = "PATCH",
};

const char *method_name(enum method method)
{
    return methods[method];
}

/* 0: none that any operation has. */
static enum method method_read(const char *name)
{
    if (strcmp(name, "HEAD") == 0)
        return METHOD_GET;
    for (size_t i = METHOD_GET; i < ARRAY_LEN(methods); i++)
        if (strcmp(methods[i], name) == 0)
            return (enum method)i;
    return 0;
}

/* ---- Decoding ---- */

/* NULL: it is not UTF-8. */
static const char *decode(struct arena *arena, const char *text, size_t n, bool plus)
{
    char *out = arena_alloc(arena, n + 1);
    size_t m = 0;

    for (size_t i = 0; i < n; i++) {
        int byte = hex_escape(text + i, n - i);
        out[m++] = byte >= 0 ? (char)byte : plus && text[i] == '+' ? ' ' : text[i];
        i += byte >= 0 ? 2 : 0;
    }
    return utf8_valid(out, m) ? out : NULL;
}

static int read_query(struct request *request, const char *at)
{
    request->query = arena_array(&request->arena, LIMIT_HTTP_PARAMETERS, sizeof(*request->query));
    while (*at != '\0') {
        size_t n = strcspn(at, "&");
        const char *equals = memchr(at, '=', n);
        size_t name_n = equals != NULL ? (size_t)(equals - at) : n;
        const char *name = decode(&request->arena, at, name_n, true);
        const char *value =
            equals != NULL ? decode(&request->arena, equals + 1, n - name_n - 1, true) : "";
        at += n + (at[n] == '&');
        if (n == 0)
            continue;
        if (name == NULL || value == NULL) {
            response_problem(request, 400, NULL, NULL, "a query parameter is not UTF-8");
            return -1;
        }
        if (request->n_query == LIMIT_HTTP_PARAMETERS) {
            response_problem(request, 400, NULL, NULL,
                             "there are more than %u query parameters (LIMIT_HTTP_PARAMETERS)",
                             LIMIT_HTTP_PARAMETERS);
            return -1;
        }
        if (request_query(request, name) != NULL) {
            response_problem(request, 400, NULL, "Give it once.",
                             "the query parameter \"%s\" is there twice", name);
            return -1;
        }
        request->query[request->n_query++] = (struct pair){name, value};
    }
    return 0;
}

/* ---- Matching ---- */

/* Whether a path is that of a pattern; the values of {names} as they came. */
static bool is_path(const char *pattern, const char *path, size_t n, struct pair *raw,
                    size_t *lengths, size_t *ret_n)
{
    const char *end = path + n;

    *ret_n = 0;
    while (*pattern != '\0') {
        if (*pattern != '{') {
            if (path == end || *path != *pattern)
                return false;
            path++;
            pattern++;
            continue;
        }
        const char *slash = memchr(path, '/', (size_t)(end - path));
        size_t value_n = (size_t)((slash != NULL ? slash : end) - path);
        if (value_n == 0 || *ret_n == PATH_PARAMETERS_MAX)
            return false;
        raw[*ret_n] = (struct pair){pattern + 1, path};
        lengths[(*ret_n)++] = value_n;
        path += value_n;
        pattern = strchr(pattern, '}') + 1;
    }
    return path == end;
}

static bool is_id(const char *name)
{
    return strcmp(name, "id") == 0;
}

static int read_path(struct request *request, const struct pair *raw, const size_t *lengths)
{
    struct arena *arena = &request->arena;

    for (size_t i = 0; i < request->n_path; i++) {
        struct uuid ignored;
        const char *name = arena_strndup(arena, raw[i].name, strcspn(raw[i].name, "}"));
        const char *value = decode(arena, raw[i].value, lengths[i], false);
        if (value == NULL) {
            response_problem(request, 400, NULL, NULL, "the path is not UTF-8");
            return -1;
        }
        if (is_id(name) && request->dialect == DIALECT_PAWL && !uuid_parse(value, &ignored)) {
            response_problem(request, 404, "PW001", "An id is a UUID, as the lists show it.",
                             "there is nothing with the id \"%.100s\"", value);
            return -1;
        }
        request->path[i] = (struct pair){name, value};
    }
    return 0;
}

static const char *add_allowed(struct request *request, const char *allowed, enum method method)
{
    const char *name = method == METHOD_GET ? "GET, HEAD" : methods[method];

    if (allowed == NULL)
        return name;
    return strstr(allowed, name) != NULL ? allowed
                                         : arena_printf(&request->arena, "%s, %s", allowed, name);
}

/* A literal segment goes before a {name}: the more literal characters, the better. */
static size_t literal(const char *pattern)
{
    size_t n = 0;

    for (; *pattern != '\0'; pattern++)
        if (*pattern == '{')
            pattern = strchr(pattern, '}');
        else
            n++;
    return n;
}

/*
 * Camunda's paths are also there behind /engine/NAME. False: that is no engine here; the response
 * says so.
 */
static bool strip_engine(struct request *request, const char **path, size_t *n)
{
    static const char root[] = "/engine-rest", prefix[] = "/engine-rest/engine/";
    const size_t root_n = sizeof(root) - 1, prefix_n = sizeof(prefix) - 1;

    if (*n < root_n || memcmp(*path, root, root_n) != 0)
        return true;
    request->dialect = DIALECT_CAMUNDA;
    if (*n <= prefix_n || memcmp(*path, prefix, prefix_n) != 0)
        return true;
    const char *name = *path + prefix_n;
    const char *slash = memchr(name, '/', *n - prefix_n);
    size_t name_n = slash != NULL ? (size_t)(slash - name) : *n - prefix_n;
    if (name_n != 7 || memcmp(name, "default", 7) != 0) {
        response_problem(request, 404, NULL, "There is one engine, named default.",
                         "Process engine %.*s not available", (int)(name_n < 100 ? name_n : 100),
                         name);
        return false;
    }
    size_t rest_n = *n - prefix_n - name_n;
    *path = arena_printf(&request->arena, "%s%.*s", root, (int)rest_n, name + name_n);
    *n = root_n + rest_n;
    return true;
}

int router_find(struct request *request, const char *method_text, const char **ret_allow)
{
    enum method method = method_read(method_text);
    struct pair raw[PATH_PARAMETERS_MAX], best_raw[PATH_PARAMETERS_MAX];
    size_t lengths[PATH_PARAMETERS_MAX], best_lengths[PATH_PARAMETERS_MAX], n, best = 0;
    const struct operation *operation;

    request->path_n = strcspn(request->target, "?");
    const char *path = request->target;
    size_t path_n = request->path_n;
    if (!strip_engine(request, &path, &path_n))
        return -1;
    *ret_allow = NULL;
    for (size_t i = 0; (operation = operation_at(i)) != NULL; i++) {
        size_t n_literal = literal(operation->path);
        if (n_literal < best || !is_path(operation->path, path, path_n, raw, lengths, &n))
            continue;
        if (n_literal > best) { /* whatever methods other paths have */
            best = n_literal;
            request->operation = NULL;
            *ret_allow = NULL;
        }
        request->dialect = operation->dialect;
        if (operation->method != method) {
            *ret_allow = add_allowed(request, *ret_allow, operation->method);
        } else {
            request->operation = operation;
            request->n_path = n;
            memcpy(best_raw, raw, sizeof(raw));
            memcpy(best_lengths, lengths, sizeof(lengths));
        }
    }
    request->method = method;
    if (request->operation == NULL)
        return *ret_allow != NULL ? ROUTE_METHOD : ROUTE_NOT_FOUND;
    request->dialect = request->operation->dialect;
    const char *query = request->target + request->path_n;
    if (read_path(request, best_raw, best_lengths) < 0 ||
        (*query == '?' && read_query(request, query + 1) < 0))
        return -1;
    return ROUTE_FOUND;
}
