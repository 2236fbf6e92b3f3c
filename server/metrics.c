/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <dirent.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/metrics.h"
#include "server/router.h"

void metrics_page(const struct request *request, struct response *response)
{
    const struct server_options *options = request->options;
    struct buf *text = &response->body;

    response->status = 200;
    response->content_type = "text/plain; version=0.0.4; charset=utf-8";
    metrics_family(text, "pawl_build_info", "gauge", "Always 1; its label is the version.");
    metrics_sample(text, "pawl_build_info", LABELS({"version", options->version}), 1);
    options->metrics(options->context, text);
    process_metrics(text);
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

static void one(struct buf *text, const char *name, const char *type, const char *help,
                double value)
{
    metrics_family(text, name, type, help);
    metrics_sample(text, name, NO_LABELS, value);
}

void process_metrics(struct buf *text)
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
    one(text, "process_cpu_seconds_total", "counter", "CPU time used, in user and system mode.",
        (stat_field(stat, 14) + stat_field(stat, 15)) / ticks);
    one(text, "process_resident_memory_bytes", "gauge", "Memory that is resident.",
        stat_field(stat, 24) * (double)sysconf(_SC_PAGESIZE));
    one(text, "process_virtual_memory_bytes", "gauge", "Address space.", stat_field(stat, 23));
    one(text, "process_threads", "gauge", "Threads.", stat_field(stat, 20));
    one(text, "process_start_time_seconds", "gauge", "When it started, in Unix time.",
        boot_time() + stat_field(stat, 22) / ticks);
    one(text, "process_open_fds", "gauge", "Open files and sockets.", open_files());
    if (getrlimit(RLIMIT_NOFILE, &files) == 0)
        one(text, "process_max_fds", "gauge", "Files and sockets that it may open.",
            (double)files.rlim_cur);
}
