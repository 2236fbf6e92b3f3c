/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "base/utf8.h"
#include "server/guard.h"
#include "server/multipart.h"
#include "server/request.h"
#include "tests/fuzz/fuzz.h"
#include "tests/fuzz/message.h"

/*
 * An HTTP request as text: what the guard lets through goes to the router, its parameters and body
 * to the operation's checks, and its body as if it were multipart, too. What is refused says why,
 * and what is accepted is what the database may be given.
 */

static void judge_multipart(struct arena *arena, const struct message *message)
{
    const char *type = message_header(message, "Content-Type");
    struct part *parts;
    size_t n;

    if (type == NULL ||
        multipart_read(arena, type, message->body, message->body_n, &parts, &n) != NULL)
        return;
    for (size_t i = 0; i < n; i++) {
        assert(parts[i].name != NULL && utf8_valid(parts[i].name, strlen(parts[i].name)));
        assert(parts[i].n <= message->body_n && parts[i].data[parts[i].n] == '\0');
        assert(multipart_find(parts, n, parts[i].name) != NULL);
    }
}

static void judge_request(struct request *request, const struct message *message)
{
    const char *allow, *arguments[DESK_PARAMS];
    int found = router_find(request, message->method, &allow);

    if (found != ROUTE_FOUND) {
        assert(found == ROUTE_NOT_FOUND || (found == ROUTE_METHOD && allow != NULL) ||
               (found < 0 && request->response.status >= 400));
        return;
    }
    for (size_t i = 0; i < request->n_path; i++)
        assert(utf8_valid(request->path[i].value, strlen(request->path[i].value)));
    const struct operation *operation = request->operation;
    if (operation->body_kind == BODY_MULTIPART)
        return; /* it looks at the connection */
    if (!body_accept(request)) {
        assert(request->response.status >= 400 && request->response.status < 500);
        assert(request->response.body.len > 0);
        return;
    }
    if (operation->query == NULL || operation->arguments == NULL)
        return;
    size_t n = request_arguments(request, arguments);
    for (size_t i = 0; i < n; i++)
        assert(arguments[i] == NULL || utf8_valid(arguments[i], strlen(arguments[i])));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct request request = {.server = NULL};
    struct message message;
    struct guard_body body;

    arena_init(&request.arena, 0);
    buf_init(&request.body, 0);
    buf_init(&request.response.body, 0);
    if (message_read(arena_strndup(&request.arena, (const char *)data, size), size, &message)) {
        struct guard_request guarded = {message.version, message.uri, message.headers,
                                        message.n_headers, false};
        bool passes = guard_judge(&guarded, &body) == NULL;
        guarded.loopback_only = true;
        assert(passes || guard_judge(&guarded, &body) != NULL); /* it is stricter */
        judge_multipart(&request.arena, &message);
        if (passes) {
            request.target = message.uri;
            request.dialect = DIALECT_PAWL;
            request.principal = (struct principal){.name = "anna"};
            buf_add(&request.body, message.body, message.body_n);
            judge_request(&request, &message);
        }
    }
    json_decref(request.json);
    buf_deinit(&request.body);
    buf_deinit(&request.response.body);
    arena_deinit(&request.arena);
    return 0;
}
