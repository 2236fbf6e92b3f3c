/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "cli/serve.h"

static bool check_database(void *context, char *why, size_t why_bytes)
{
    struct serve *serve = context;

    return gauges_ready(serve->gauges, why, why_bytes);
}

static bool check_draining(void *context, char *why, size_t why_bytes)
{
    struct serve *serve = context;

    if (!atomic_load(&serve->draining))
        return true;
    snprintf(why, why_bytes, "it was told to stop and takes no more work");
    return false;
}

static const struct server_check checks[] = {
    {"database", check_database},
    {"running", check_draining},
};

static void metrics(void *context, struct buf *text)
{
    struct serve *serve = context;

    jobexec_metrics(serve->jobexec, text);
    gauges_metrics(serve->gauges, text);
}

static void committed(void *context)
{
    struct serve *serve = context;

    jobexec_wake(serve->jobexec);
}

void serve_committed(void *context, const struct uuid *ids, size_t n)
{
    struct serve *serve = context;

    server_committed(atomic_load(&serve->server), ids, n);
}

int serve_start(struct serve *serve, const struct serve_where *where, struct jobexec *jobexec,
                const struct store_options *options, struct err *err)
{
    struct server_options how = {.listen = where->listen,
                                 .tls_cert = where->tls_cert,
                                 .tls_key = where->tls_key,
                                 .trusted_proxies = where->trusted_proxies,
                                 .forwarded_header = where->forwarded_header,
                                 .request_s = where->request_s,
                                 .open = where->open,
                                 .version = PAWL_VERSION,
                                 .context = serve,
                                 .checks = checks,
                                 .n_checks = ARRAY_LEN(checks),
                                 .metrics = metrics,
                                 .committed = committed,
                                 .conninfo = options->conninfo,
                                 .schema = options->schema};

    serve->jobexec = jobexec;
    serve->gauges = gauges_new(options);
    struct server *server;
    if (server_start(&how, &server, err) == 0) {
        atomic_store(&serve->server, server);
        return 0;
    }
    gauges_free(serve->gauges);
    serve->gauges = NULL;
    return err_trace(err);
}

void serve_reload(struct serve *serve)
{
    server_reload(serve->server);
}

void serve_draining(struct serve *serve)
{
    atomic_store(&serve->draining, true);
    server_drain(serve->server);
}

void serve_stop(struct serve *serve)
{
    server_stop(serve->server);
    gauges_free(serve->gauges);
    serve->server = NULL;
    serve->gauges = NULL;
}
