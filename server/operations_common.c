/* SPDX-License-Identifier: Apache-2.0 */
/* What machines ask of the server itself. */
#include "base/build.h"

#include "server/request.h"

static void front_page(struct request *request)
{
    response_text(&request->response, 200,
                  arena_printf(&request->arena,
                               "Pawl %s\n\n"
                               "/openapi.json  what can be asked, all of it\n"
                               "/v1/           processes, instances, tasks, messages, incidents\n"
                               "/engine-rest/  the same in Camunda 7's words, for its editor\n"
                               "/readyz        whether it can work, with ?verbose why not\n"
                               "/metrics       numbers for Prometheus",
                               request->options->version));
    request_finish(request);
}

static const struct operation list[] = {
    {METHOD_GET, "/", RIGHT_NONE, DIALECT_TEXT, "What there is", .handle = front_page},
    {METHOD_GET, "/openapi.json", RIGHT_NONE, DIALECT_PAWL, "All of this, for programs",
     .handle = openapi_page, .answers = "200 This"},
    {METHOD_GET, "/livez", RIGHT_NONE, DIALECT_TEXT, "Whether the process lives",
     .handle = health_live},
    {METHOD_GET, "/healthz", RIGHT_NONE, DIALECT_TEXT, "The same as /livez", .handle = health_live},
    {METHOD_GET, "/readyz", RIGHT_NONE, DIALECT_TEXT,
     "Whether it can work: 503 while the database is away or it is being stopped",
     .handle = health_ready, .parameters = "verbose:string"},
    {METHOD_GET, "/metrics", RIGHT_READ, DIALECT_TEXT,
     "Metrics in Prometheus' text format, for who reads all tenants", .handle = metrics_page},
};

const struct operations operations_common = {list, ARRAY_LEN(list)};
