/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "server/request.h"

/* Lives whoever answers: it is asked when to kill, so nothing outside of the process counts. */
void health_live(struct request *request)
{
    response_text(&request->response, 200, "ok");
    request_finish(request);
}

/* One line a check with ?verbose, or when something is wrong. */
void health_ready(struct request *request)
{
    struct response *response = &request->response;
    const struct server_options *options = request->options;
    struct buf lines CLEANUP(buf_deinit);
    bool ready = true;

    buf_init(&lines, 0);
    for (size_t i = 0; i < options->n_checks; i++) {
        char why[300] = "";
        bool well = options->checks[i].run(options->context, why, sizeof(why));
        ready &= well;
        buf_printf(&lines, "[%c] %s%s%s\n", well ? '+' : '-', options->checks[i].name,
                   well ? " ok" : " failed: ", well ? "" : why);
    }
    if (request_query(request, "verbose") != NULL || !ready)
        buf_printf(&lines, "%s\n", ready ? "ready" : "not ready");
    else
        buf_reset(&lines);
    response_text(response, ready ? 200 : 503, "ok");
    if (lines.len > 0) {
        buf_reset(&response->body);
        buf_add(&response->body, lines.data, lines.len);
    }
    request_finish(request);
}
