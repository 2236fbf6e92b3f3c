/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "server/request.h"
#include "server/users.h"
#include "server/verifier.h"
#include "store/json_text.h"

/* Puts the verifier in the password's place. False: the response says why not. */
static bool hide_password(struct request *request, const char *password)
{
    size_t n = strlen(password);

    if (n < LIMIT_PASSWORD_BYTES_MIN || n > LIMIT_PASSWORD_BYTES) {
        response_problem(request, 400, "PW003",
                         "A long one that is easy to remember is better than a short one that is "
                         "not.",
                         "a password has %u to %u bytes", LIMIT_PASSWORD_BYTES_MIN,
                         LIMIT_PASSWORD_BYTES);
        return false;
    }
    json_object_set_new(request->json, "password",
                        json_string(verifier_make(&request->arena, password)));
    buf_reset(&request->body);
    buf_add_str(&request->body, json_text_in(&request->arena, request->json));
    return true;
}

/* The verifier takes some 50 ms of this thread; administrators alone come here. */
static void keep(struct request *request, const char *query)
{
    const char *password = json_string_value(json_object_get(request->json, "password"));
    const char *arguments[DESK_PARAMS];

    if (password != NULL && !hide_password(request, password)) {
        request_finish(request);
        return;
    }
    size_t n = request_arguments(request, arguments);
    request_ask(request, query, true, arguments, n, NULL);
}

void users_create(struct request *request)
{
    keep(request, "http_create_user");
}

void users_alter(struct request *request)
{
    keep(request, "http_alter_user");
}
