/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/metrics.h"
#include "server/await.h"
#include "server/fetch.h"
#include "server/server_internal.h"

/* Of each operation that was asked for. */
static void count_requests(struct server *server, struct buf *text)
{
    static const char *const classes[] = {"0xx", "1xx", "2xx", "3xx", "4xx", "5xx"};

    metrics_family(text, "pawl_http_requests_total", "counter",
                   "Requests by operation and class of the answer.");
    for (size_t i = 0; i <= server->n_operations; i++) {
        const struct operation *operation = operation_at(i);
        for (size_t c = 0; c < ARRAY_LEN(classes); c++) {
            uint64_t n = atomic_load(&server->counts[i].classes[c]);
            if (n > 0)
                metrics_sample(
                    text, "pawl_http_requests_total",
                    LABELS({"method", operation != NULL ? method_name(operation->method) : "other"},
                           {"path", operation != NULL ? operation->path : "other"},
                           {"status", classes[c]}),
                    (double)n);
        }
    }
}

void server_count_callback(struct server *server, unsigned status)
{
    static const struct {
        unsigned status;
        enum callback_result result;
    } all[] = {{200, CALLBACK_TAKEN},
               {403, CALLBACK_FORBIDDEN},
               {404, CALLBACK_FORGED},
               {409, CALLBACK_DIFFERENT},
               {410, CALLBACK_LATE}};
    enum callback_result result = CALLBACK_FAILED;

    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (all[i].status == status)
            result = all[i].result;
    atomic_fetch_add(&server->callbacks[result], 1);
}

static void count_callbacks(struct server *server, struct buf *text)
{
    static const char *const results[CALLBACK_RESULTS] = {"taken",     "forged", "forbidden",
                                                          "different", "late",   "failed"};

    metrics_family(text, "pawl_callbacks_total", "counter",
                   "Answers and heartbeats of callbacks over HTTP by what became of them.");
    for (size_t i = 0; i < CALLBACK_RESULTS; i++)
        metrics_sample(text, "pawl_callbacks_total", LABELS({"result", results[i]}),
                       (double)atomic_load(&server->callbacks[i]));
}

/* Of this server's requests. */
static void server_metrics(struct server *server, struct buf *text)
{
    struct desk_stats desk;

    count_requests(server, text);
    count_callbacks(server, text);
    pthread_mutex_lock(&server->lock);
    struct histogram seconds = server->seconds;
    unsigned connections = server->n_peers;
    pthread_mutex_unlock(&server->lock);
    metrics_family(text, "pawl_http_request_seconds", "histogram",
                   "How long requests took, from their first line to their answer.");
    metrics_histogram(text, "pawl_http_request_seconds", NO_LABELS, &seconds, &histogram_seconds);
    metrics_single(text, "pawl_http_connections", "gauge", "Open connections.", connections);
    metrics_single(text, "pawl_http_waiting", "gauge",
                   "Requests that wait for an outcome or for work.",
                   awaits_open(server->awaits) + fetches_open(server->fetches));
    metrics_single(text, "pawl_http_body_bytes", "gauge",
                   "Bodies of requests that are large, in memory.",
                   (double)atomic_load(&server->body_bytes));
    desk_stats(server->desk, &desk);
    metrics_single(text, "pawl_http_desk_waiting", "gauge",
                   "Statements of requests that wait their turn.", desk.waiting);
    metrics_single(text, "pawl_http_writes_total", "counter", "Statements of requests that write.",
                   (double)desk.writes);
    metrics_single(text, "pawl_http_commits_total", "counter", "Transactions that they shared.",
                   (double)desk.commits);
    metrics_single(text, "pawl_http_reads_total", "counter", "Statements of requests that read.",
                   (double)desk.reads);
}

/* ---- The process ---- */

/* Field n (from 1) of /proc/self/stat. */
static double stat_field(const char *stat, int n)
{
    /* The second one is a name that may have blanks and brackets. */
    const char *at = strrchr(stat, ')');

    for (int i = 2; at != NULL && i < n; i++) {
        at = strchr(at, ' ');
        at = at != NULL ? at + 1 : NULL;
    }
    return at != NULL ? strtod(at, NULL) : 0;
}

static double boot_time(void)
{
    FILE *file = fopen("/proc/stat", "re");
    char line[256];
    double seconds = 0;

    if (file == NULL)
        return 0;
    while (seconds == 0 && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, "btime ", 6) == 0)
            seconds = strtod(line + 6, NULL);
    fclose(file);
    return seconds;
}

static double open_files(void)
{
    DIR *files = opendir("/proc/self/fd");
    double n = 0;

    if (files == NULL)
        return 0;
    while (readdir(files) != NULL)
        n++;
    closedir(files);
    return n - 3; /* two dots, and this one */
}

/* Of this process, from /proc. */
static void process_metrics(struct buf *text)
{
    FILE *file = fopen("/proc/self/stat", "re");
    double ticks = (double)sysconf(_SC_CLK_TCK);
    struct rlimit files = {.rlim_cur = 0};
    char stat[1024] = "";

    if (file == NULL)
        return;
    size_t n = fread(stat, 1, sizeof(stat) - 1, file);
    stat[n] = '\0';
    fclose(file);
    metrics_single(text, "process_cpu_seconds_total", "counter",
                   "CPU time used, in user and system mode.",
                   (stat_field(stat, 14) + stat_field(stat, 15)) / ticks);
    metrics_single(text, "process_resident_memory_bytes", "gauge", "Memory that is resident.",
                   stat_field(stat, 24) * (double)sysconf(_SC_PAGESIZE));
    metrics_single(text, "process_virtual_memory_bytes", "gauge", "Address space.",
                   stat_field(stat, 23));
    metrics_single(text, "process_threads", "gauge", "Threads.", stat_field(stat, 20));
    metrics_single(text, "process_start_time_seconds", "gauge", "When it started, in Unix time.",
                   boot_time() + stat_field(stat, 22) / ticks);
    metrics_single(text, "process_open_fds", "gauge", "Open files and sockets.", open_files());
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        metrics_single(text, "process_max_fds", "gauge", "Files and sockets that it may open.",
                       (double)files.rlim_cur);
}

/* ---- The page ---- */

static bool of_all_tenants(const struct principal *principal)
{
    json_auto_t *caller = json_loads(principal->caller, 0, NULL);

    return json_is_null(json_object_get(caller, "tenants"));
}

/* Its numbers are those of all tenants, and name their endpoints. */
void metrics_page(struct request *request)
{
    const struct server_options *options = request->options;
    struct response *response = &request->response;
    struct buf *text = &response->body;

    if (!of_all_tenants(&request->principal)) {
        response_problem(request, 403, "42501", "Give the watcher the tenants {*}.",
                         "metrics are for those who read all tenants");
        request_finish(request);
        return;
    }
    response->status = 200;
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_family(text, "pawl_build_info", "gauge", "Always 1; its label is the version.");
    metrics_sample(text, "pawl_build_info", LABELS({"version", options->version}), 1);
    options->metrics(options->context, text);
    server_metrics(request->server, text);
    process_metrics(text);
    request_finish(request);
}
