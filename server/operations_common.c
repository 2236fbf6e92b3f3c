/* SPDX-License-Identifier: Apache-2.0 */
/* What machines ask of the server itself. */
#include "base/build.h"

#include "server/request.h"

static const struct operation list[] = {
    {METHOD_GET, "/livez", RIGHT_NONE, DIALECT_TEXT, "Whether the process lives",
     .handle = health_live},
    {METHOD_GET, "/healthz", RIGHT_NONE, DIALECT_TEXT, "The same as /livez", .handle = health_live},
    {METHOD_GET, "/readyz", RIGHT_NONE, DIALECT_TEXT,
     "Whether it can work: 503 while the database is away or it is being stopped",
     .handle = health_ready, .parameters = "verbose:string"},
    {METHOD_GET, "/metrics", RIGHT_NONE, DIALECT_TEXT, "Metrics in Prometheus' text format",
     .handle = metrics_page},
};

const struct operations operations_common = {list, ARRAY_LEN(list)};
