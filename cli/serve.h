/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What `pawl up --listen` serves: the server's questions, answered by the executor and the
 * database. */
#include <stdatomic.h>

#include "jobexec/jobexec.h"
#include "server/server.h"
#include "store/gauges.h"

struct serve {
    struct jobexec *jobexec; /* immutable while it serves */
    struct gauges *gauges;
    struct server *_Atomic server;
    atomic_bool draining; /* it takes no more work: not ready */
};

/* As of server_options. */
struct serve_where {
    const char *listen, *tls_cert, *tls_key, *trusted_proxies, *forwarded_header;
    double request_s;
    bool open;
};

/* jobexec_options.committed; context: the struct serve, which may not serve yet. */
void serve_committed(void *context, const struct uuid *ids, size_t n);
int serve_start(struct serve *serve, const struct serve_where *where, struct jobexec *jobexec,
                const struct store_options *options, struct err *err) MUST_CHECK;
void serve_reload(struct serve *serve); /* the files of TLS */
void serve_draining(struct serve *serve);
void serve_stop(struct serve *serve); /* also of one that was never started */
