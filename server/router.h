/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Which handler has a path. */
#include "server/server.h"

enum method { METHOD_GET = 1 };

/* A request that the guard has let through. HEAD comes as GET; its body is left out later. */
struct request {
    const struct server_options *options;
    bool verbose; /* ?verbose */
};

struct response {
    unsigned status;
    const char *content_type;
    const char *allow; /* 405 */
    struct buf body;
};

struct route {
    const char *path;
    enum method method;
    void (*handle)(const struct request *request, struct response *response);
};

/* Fills the response, also for what does not exist. method: as it came. */
void router_answer(const char *method, const char *path, const struct request *request,
                   struct response *response);
/* A few words as the whole answer. */
void response_text(struct response *response, unsigned status, const char *text);

/* ---- The handlers ---- */

void health_live(const struct request *request, struct response *response);
void health_ready(const struct request *request, struct response *response);
void metrics_page(const struct request *request, struct response *response);
/* process_*: of this process, from /proc. */
void process_metrics(struct buf *text);
