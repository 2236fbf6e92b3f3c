/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "server/router.h"

static const struct route routes[] = {
    {"/livez", METHOD_GET, health_live},
    {"/healthz", METHOD_GET, health_live},
    {"/readyz", METHOD_GET, health_ready},
    {"/metrics", METHOD_GET, metrics_page},
};

static bool is_method(const struct route *route, const char *method)
{
    return route->method == METHOD_GET &&
           (strcmp(method, "GET") == 0 || strcmp(method, "HEAD") == 0);
}

void response_text(struct response *response, unsigned status, const char *text)
{
    response->status = status;
    response->content_type = "text/plain; charset=utf-8";
    buf_reset(&response->body);
    buf_printf(&response->body, "%s\n", text);
}

void router_answer(const char *method, const char *path, const struct request *request,
                   struct response *response)
{
    for (size_t i = 0; i < ARRAY_LEN(routes); i++) {
        if (strcmp(routes[i].path, path) != 0)
            continue;
        if (is_method(&routes[i], method)) {
            routes[i].handle(request, response);
            return;
        }
        response->allow = "GET, HEAD";
        response_text(response, 405, "this path only answers GET and HEAD");
        return;
    }
    response_text(response, 404, "not found; there are /livez, /readyz and /metrics");
}
