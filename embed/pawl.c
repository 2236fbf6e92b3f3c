/* SPDX-License-Identifier: Apache-2.0 */
/* The engine: opening, delegates, starting and stopping. */
#include "base/build.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/limits.h"
#include "base/log.h"
#include "embed/internal.h"
#include "parser/parser.h"

/* ---- Errors ---- */

int embed_error(struct pawl_error *error, const struct err *err)
{
    static const enum pawl_code codes[] = {
        [ERR_NONE] = PAWL_INTERNAL,     [ERR_INVALID] = PAWL_INVALID,
        [ERR_LIMIT] = PAWL_LIMIT,       [ERR_NOT_FOUND] = PAWL_NOT_FOUND,
        [ERR_CONFLICT] = PAWL_CONFLICT, [ERR_DENIED] = PAWL_DENIED,
        [ERR_DATA] = PAWL_INVALID,      [ERR_LOST] = PAWL_LOST,
        [ERR_IO] = PAWL_INTERNAL,       [ERR_INTERNAL] = PAWL_INTERNAL,
    };

    if (error == NULL)
        return -1;
    error->code = codes[err->code];
    snprintf(error->sqlstate, sizeof(error->sqlstate), "%s", err->sqlstate);
    err_line(err, error->text, sizeof(error->text));
    return -1;
}

/* ---- Opening ---- */

static struct store_options store_options(const struct pawl_options *options)
{
    return (struct store_options){.conninfo = options->conninfo,
                                  .schema = options->schema,
                                  .journal_dir = options->journal,
                                  .keep_functions = true};
}

int pawl_migrate(const struct pawl_options *options, struct pawl_error *error)
{
    struct store_options store = store_options(options);
    struct err err = {0};
    int from, to;

    return store_migrate(&store, &from, &to, &err) < 0 ? embed_error(error, &err) : 0;
}

static int read_node(const char *text, struct uuid *ret_node, struct err *err)
{
    uint8_t entropy[10];

    if (text != NULL)
        return uuid_parse(text, ret_node)
                   ? 0
                   : err_set(err, ERR_INVALID, "the option node is \"%.60s\", which is no UUID",
                             text);
    digest_random(entropy, sizeof(entropy));
    *ret_node = uuid_v7(clock_unix_ms(), entropy);
    return 0;
}

static int set_log(const char *level, struct err *err)
{
    enum log_level parsed;

    if (level == NULL)
        return 0;
    if (!log_level_parse(level, &parsed))
        return err_set(err, ERR_INVALID,
                       "the option log_level is \"%.60s\": write debug, info, warn or error",
                       level);
    log_set_level(parsed);
    return 0;
}

static const char *keep(struct arena *arena, const char *text)
{
    return text != NULL ? arena_strdup(arena, text) : NULL;
}

int pawl_open(const struct pawl_options *options, struct pawl **ret_pawl, struct pawl_error *error)
{
    struct err err = {0};
    struct arena arena;

    parser_init();
    arena_init(&arena, 0);
    struct pawl *pawl = arena_alloc(&arena, sizeof(*pawl));
    pawl->options = *options;
    pawl->options.conninfo = keep(&arena, options->conninfo);
    pawl->options.schema = keep(&arena, options->schema);
    pawl->options.journal = keep(&arena, options->journal);
    pawl->options.node = pawl->options.log_level = NULL;
    pawl->arena = arena;
    struct store_options store = store_options(&pawl->options);
    if (set_log(options->log_level, &err) < 0 || read_node(options->node, &pawl->node, &err) < 0 ||
        store_open(&store, &pawl->store, &err) < 0) {
        pawl_close(pawl);
        return embed_error(error, &err);
    }
    *ret_pawl = pawl;
    return 0;
}

void pawl_close(struct pawl *pawl)
{
    if (pawl == NULL)
        return;
    pawl_stop(pawl);
    store_close(pawl->store);
    struct arena arena = pawl->arena;
    arena_deinit(&arena);
}

/* ---- Delegates ---- */

struct registered {
    pawl_delegate *function;
    void *context;
};

struct pawl_job {
    const struct delegate_job *job;
    struct delegate_reply *reply;
    char id[PAWL_ID_BYTES], instance[PAWL_ID_BYTES];
};

static void run(void *context, const struct delegate_job *delegate_job,
                struct delegate_reply *reply)
{
    const struct registered *registered = context;
    struct pawl_job job = {.job = delegate_job, .reply = reply};

    uuid_format(&delegate_job->id, job.id);
    uuid_format(&delegate_job->instance, job.instance);
    registered->function(&job, registered->context);
}

static int add(struct pawl *pawl, const char *name, pawl_delegate *function, void *context,
               struct err *err)
{
    if (pawl->jobexec != NULL)
        return err_set(err, ERR_CONFLICT,
                       "the engine runs already: register delegates before pawl_start()");
    if (name == NULL || name[0] == '\0' || strlen(name) > LIMIT_DELEGATE_NAME_BYTES ||
        function == NULL)
        return err_set(err, ERR_INVALID, "a delegate needs a function and a name of 1 to %u bytes",
                       LIMIT_DELEGATE_NAME_BYTES);
    for (size_t i = 0; i < pawl->n_delegates; i++)
        if (strcmp(pawl->delegates[i].name, name) == 0)
            return err_set(err, ERR_CONFLICT, "a delegate \"%s\" is registered already", name);
    struct registered *registered = arena_alloc(&pawl->arena, sizeof(*registered));
    *registered = (struct registered){.function = function, .context = context};
    *arena_push(&pawl->arena, pawl->delegates, pawl->n_delegates, pawl->delegates_capacity) =
        (struct jobexec_delegate){
            .name = arena_strdup(&pawl->arena, name), .run = run, .context = registered};
    return 0;
}

int pawl_register(struct pawl *pawl, const char *name, pawl_delegate *function, void *context,
                  struct pawl_error *error)
{
    struct err err = {0};

    return add(pawl, name, function, context, &err) < 0 ? embed_error(error, &err) : 0;
}

const char *pawl_job_id(const struct pawl_job *job)
{
    return job->id;
}

const char *pawl_job_instance(const struct pawl_job *job)
{
    return job->instance;
}

const char *pawl_job_business_key(const struct pawl_job *job)
{
    return job->job->business_key;
}

unsigned pawl_job_attempt(const struct pawl_job *job)
{
    return job->job->attempt;
}

const char *pawl_job_arguments(const struct pawl_job *job)
{
    return job->job->arguments;
}

void pawl_job_succeed(struct pawl_job *job, const char *result)
{
    delegate_succeed(job->reply, result);
}

void pawl_job_throw(struct pawl_job *job, const char *code, const char *message)
{
    delegate_throw(job->reply, code, message);
}

void pawl_job_fail(struct pawl_job *job, const char *message)
{
    delegate_fail(job->reply, message != NULL ? message : "the delegate does not say why");
}

/* ---- Running ---- */

int pawl_start(struct pawl *pawl, struct pawl_error *error)
{
    struct jobexec_options options = {.node = pawl->node,
                                      .workers = pawl->options.workers,
                                      .drain_ms = pawl->options.drain_ms,
                                      .delegates = pawl->delegates,
                                      .n_delegates = pawl->n_delegates,
                                      .delegate_threads = pawl->options.delegate_threads};
    struct err err = {0};

    if (pawl->jobexec != NULL)
        return 0;
    return jobexec_start(pawl->store, &options, &pawl->jobexec, &err) < 0 ? embed_error(error, &err)
                                                                          : 0;
}

void pawl_stop(struct pawl *pawl)
{
    jobexec_stop(pawl->jobexec);
    pawl->jobexec = NULL;
}
