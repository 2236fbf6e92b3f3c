/* SPDX-License-Identifier: Apache-2.0 */
/* Builds the request of a remote call. What comes from variables can not change its shape. */
#include "base/build.h"

#include "base/limits.h"
#include "base/mask.h"
#include "engine/step.h"

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
#define PATH_PLAIN UNRESERVED "!$&'()*+,;=:@/"
/* A path written in the model may have its own query and escapes. */
#define PATH_WRITTEN PATH_PLAIN "?%[]"

static void add_encoded(struct buf *buf, const char *text, const char *plain)
{
    for (const char *c = text; *c != '\0'; c++) {
        if (strchr(plain, *c) != NULL)
            buf_add_char(buf, *c);
        else
            buf_printf(buf, "%%%02X", (unsigned)(unsigned char)*c);
    }
}

/* Would the path climb out of the place that the model meant? */
static bool has_dot_segment(const char *path)
{
    while (*path != '\0') {
        size_t n = strcspn(path, "/");
        if ((n == 1 && path[0] == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
            return true;
        path += n;
        path += *path == '/';
    }
    return false;
}

static int add_path(struct view *view, const struct http_call *http, struct buf *buf)
{
    const struct node *node = view->node;
    const char *path;

    if (view_string(view, http->path, &path) < 0)
        return err_trace(view->step->err);
    if (path == NULL || path[0] == '\0')
        return 0;
    if (path[0] != '/' && path[0] != '?')
        buf_add_char(buf, '/');
    if (expr_is_literal(http->path)) {
        add_encoded(buf, path, PATH_WRITTEN);
        return 0;
    }
    if (has_dot_segment(path))
        return err_set(view->step->err, ERR_INVALID,
                       "%s '%s': the path '%.200s' has a segment '.' or '..', which would lead to "
                       "another place of the endpoint.",
                       node_kind_name(node->kind), node->id, path);
    add_encoded(buf, path, PATH_PLAIN);
    return 0;
}

static int add_query(struct view *view, const struct http_call *http, struct buf *buf)
{
    char separator = buf->len > 0 && strchr(buf->data, '?') != NULL ? '&' : '?';

    for (size_t i = 0; i < http->n_query; i++) {
        const char *text;
        if (view_string(view, http->query[i].value, &text) < 0)
            return err_trace(view->step->err);
        if (text == NULL)
            continue;
        buf_add_char(buf, separator);
        separator = '&';
        add_encoded(buf, http->query[i].name, UNRESERVED);
        buf_add_char(buf, '=');
        add_encoded(buf, text, UNRESERVED);
    }
    return 0;
}

static int url_build(struct view *view, const struct http_call *http, const char **ret)
{
    const struct node *node = view->node;
    CLEANUP(buf_deinit) struct buf buf;

    buf_init(&buf, LIMIT_URL_BYTES);
    if (add_path(view, http, &buf) < 0 || add_query(view, http, &buf) < 0)
        return err_trace(view->step->err);
    if (buf.overflow)
        return err_set(view->step->err, ERR_LIMIT,
                       "%s '%s': the path and query of the request are longer than %u bytes. Send "
                       "large data in the body.",
                       node_kind_name(node->kind), node->id, LIMIT_URL_BYTES);
    *ret = arena_strndup(view->step->arena, buf_str(&buf), buf.len);
    return 0;
}

static bool name_equal(const char *a, const char *b)
{
    for (; *a != '\0' && *b != '\0'; a++, b++) {
        char lower_a = *a >= 'A' && *a <= 'Z' ? (char)(*a + 32) : *a;
        char lower_b = *b >= 'A' && *b <= 'Z' ? (char)(*b + 32) : *b;
        if (lower_a != lower_b)
            return false;
    }
    return *a == *b;
}

static bool has_control(const char *text)
{
    for (const char *c = text; *c != '\0'; c++)
        if (((unsigned char)*c < 0x20 && *c != '\t') || *c == 0x7f)
            return true;
    return false;
}

static int headers_build(struct view *view, const struct http_call *http, const char *content_type,
                         const char **ret)
{
    struct arena *arena = view->step->arena;
    struct value_member *members = arena_array(arena, http->n_headers + 1, sizeof(*members));
    size_t n = 0, bytes = 0;

    for (size_t i = 0; i < http->n_headers; i++) {
        const struct http_field *field = &http->headers[i];
        const char *text;
        if (view_string(view, field->value, &text) < 0)
            return err_trace(view->step->err);
        if (text == NULL)
            continue;
        if (has_control(text))
            return err_set(view->step->err, ERR_INVALID,
                           "%s '%s': the value of header '%s' has a line break or another control "
                           "character.",
                           node_kind_name(view->node->kind), view->node->id, field->name);
        if (name_equal(field->name, "content-type"))
            content_type = NULL;
        bytes += strlen(field->name) + strlen(text);
        members[n++] = (struct value_member){.name = field->name,
                                             .name_n = strlen(field->name),
                                             .value = value_string(arena, text, strlen(text))};
    }
    if (bytes > LIMIT_RESPONSE_HEADER_BYTES)
        return err_set(view->step->err, ERR_LIMIT,
                       "%s '%s': the headers of the request are longer than %u bytes.",
                       node_kind_name(view->node->kind), view->node->id,
                       LIMIT_RESPONSE_HEADER_BYTES);
    if (content_type != NULL)
        members[n++] =
            (struct value_member){.name = "Content-Type",
                                  .name_n = strlen("Content-Type"),
                                  .value = value_string(arena, content_type, strlen(content_type))};
    struct value object = {.kind = VALUE_OBJECT, .u.object = {.members = members, .n = n}};
    *ret = value_text(arena, &object, NULL);
    return 0;
}

static int body_build(struct view *view, const struct http_call *http, struct new_call *call)
{
    struct value value;

    if (http->body == NULL)
        return 0;
    if (view_value(view, http->body, &value) < 0)
        return err_trace(view->step->err);
    if (value.kind == VALUE_NULL)
        return 0;
    if (value.kind == VALUE_STRING) {
        call->body = value.u.string.text;
        call->body_n = value.u.string.n;
    } else {
        call->body = value_text(view->step->arena, &value, &call->body_n);
    }
    if (call->body_n > LIMIT_REQUEST_BYTES)
        return err_set(view->step->err, ERR_LIMIT,
                       "%s '%s': the body of the request would be %zu bytes long, and the limit is "
                       "%u.",
                       node_kind_name(view->node->kind), view->node->id, call->body_n,
                       LIMIT_REQUEST_BYTES);
    return 0;
}

bool call_reports_sent(const struct instance *instance, int node)
{
    const struct graph *graph = instance->graph;

    for (size_t i = 0; i < graph->n_nodes; i++)
        if (graph->nodes[i].event.kind == EVENT_TIMER &&
            graph->nodes[i].event.starts_when_sent == node)
            return true;
    return false;
}

int64_t call_deadline(const struct step *step, const struct http_call *http, const struct uuid *id)
{
    int64_t now_us = step->family->now_us;
    /* Somebody who tries it again by hand gives it as much time once more. */
    int64_t began_us = step->command->actor != NULL ? now_us : uuid_v7_ms(id) * 1000;

    if (http->deadline_us == 0)
        return 0;
    return began_us < TIME_LAST_US - http->deadline_us ? began_us + http->deadline_us
                                                       : TIME_LAST_US;
}

static int request_build(struct view *view, const struct http_call *http, struct new_call *call)
{
    struct step *step = view->step;
    const struct node *node = view->node;

    call->method = http->method;
    call->connect_timeout_us = http->connect_timeout_us;
    if (view_string(view, http->endpoint, &call->endpoint) < 0)
        return err_trace(step->err);
    if (call->endpoint == NULL || call->endpoint[0] == '\0')
        return err_set(step->err, ERR_INVALID, "%s '%s': the name of its endpoint is empty.",
                       node_kind_name(node->kind), node->id);
    if (strlen(call->endpoint) > LIMIT_NAME_BYTES)
        return err_set(step->err, ERR_LIMIT,
                       "%s '%s': the name of its endpoint is longer than %u bytes.",
                       node_kind_name(node->kind), node->id, LIMIT_NAME_BYTES);
    if (url_build(view, http, &call->path) < 0 || body_build(view, http, call) < 0)
        return err_trace(step->err);
    const char *content_type = http->content_type != NULL ? http->content_type : "application/json";
    return headers_build(view, http, call->body != NULL ? content_type : NULL, &call->headers);
}

int call_request(struct view *view, const struct uuid *id, uint32_t attempt)
{
    struct step *step = view->step;
    struct instance *instance = view->instance;
    const struct node *node = view->node;
    const struct http_call *http = node->http;
    struct family *family = step->family;
    struct new_call call = {.id = *id,
                            .instance = instance->id,
                            .token = view->token,
                            .node = node_index(instance, node),
                            .attempt = attempt,
                            .timeout_us = http->timeout_us,
                            .open_after_us = http->open_after_us,
                            .deadline_us = call_deadline(step, http, id)};

    int built = node->script != NULL                ? script_request(view, &call)
                : node->service == SERVICE_DELEGATE ? delegate_request(view, &call)
                                                    : request_build(view, http, &call);
    if (built < 0)
        return err_trace(step->err);
    call.report_sent = call_reports_sent(instance, call.node);
    effect_remove_call(family, id);
    *arena_push(family->arena, family->calls, family->n_calls, family->calls_capacity) = call;
    const char *request =
        mask_query(step->arena, arena_printf(step->arena, "%s %s", call.method, call.path));
    history_add(step, HISTORY_CALL_REQUESTED, instance, view->token, node, 0,
                history_data(step, "ussn", "call", id, "endpoint", call.endpoint, "request",
                             text_cut(step->arena, callback_mask(step->arena, request), 300),
                             "attempt", (int64_t)(attempt > 1 ? attempt : 0)));
    return 0;
}
