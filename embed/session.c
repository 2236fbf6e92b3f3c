/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions: the SQL API as C functions. */
#include "base/build.h"

#include <errno.h>
#include <jansson.h>

#include "base/limits.h"
#include "embed/internal.h"
#include "parser/parser.h"
#include "store/client.h"
#include "store/json_text.h"

struct pawl_session {
    struct client *client;
    struct arena arena; /* holds this struct; reset by nobody */
};

int pawl_session_open(struct pawl *pawl, struct pawl_session **ret_session,
                      struct pawl_error *error)
{
    struct client_options options = {.conninfo = pawl->options.conninfo,
                                     .schema = pawl->options.schema};
    struct err err = {0};
    struct client *client;
    struct arena arena;

    if (client_open(&options, &client, &err) < 0)
        return embed_error(error, &err);
    arena_init(&arena, 0);
    struct pawl_session *session = arena_alloc(&arena, sizeof(*session));
    *session = (struct pawl_session){.client = client, .arena = arena};
    *ret_session = session;
    return 0;
}

void pawl_session_close(struct pawl_session *session)
{
    if (session == NULL)
        return;
    client_close(session->client);
    struct arena arena = session->arena;
    arena_deinit(&arena);
}

void pawl_free(char *json)
{
    free(json);
}

/* ---- In and out ---- */

static int read_id(const char *what, const char *text, struct uuid *ret_id, struct err *err)
{
    if (text != NULL && uuid_parse(text, ret_id))
        return 0;
    return err_set(err, ERR_INVALID, "\"%.60s\" is not the id of %s", text != NULL ? text : "",
                   what);
}

static int copy_id(const json_t *row, const char *member, char ret_id[PAWL_ID_BYTES],
                   struct err *err)
{
    const char *id = json_string_value(json_object_get(row, member));

    if (id == NULL || strlen(id) != PAWL_ID_BYTES - 1)
        return err_set(err, ERR_INTERNAL, "the database gave no %s", member);
    memcpy(ret_id, id, PAWL_ID_BYTES);
    return 0;
}

/* On the heap: the caller's program frees it. */
static char *dump(const json_t *json)
{
    struct buf text;

    buf_init(&text, 0);
    json_text(&text, json);
    return text.data;
}

static const char *or_empty(const char *variables)
{
    return variables != NULL ? variables : "{}";
}

/* ---- Deploying ---- */

static int read_file(struct arena *arena, const char *path, const char **ret_text, size_t *ret_n,
                     struct err *err)
{
    FILE *file = fopen(path, "rb");

    if (file == NULL)
        return err_set(err, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    char *text = arena_alloc(arena, LIMIT_XML_BYTES + 1);
    size_t n = fread(text, 1, LIMIT_XML_BYTES + 1, file);
    bool failed = ferror(file) != 0;
    fclose(file);
    if (failed)
        return err_set(err, ERR_IO, "cannot read %s: %s", path, strerror(errno));
    *ret_text = text;
    *ret_n = n;
    return 0;
}

/* What the engine would refuse is said here, with its line. */
static int add_resource(struct arena *arena, const char *path, json_t *resources, struct err *err)
{
    struct parse_result result;
    const char *text, *slash = strrchr(path, '/');
    int rc = 0;
    size_t n;

    if (read_file(arena, path, &text, &n, err) < 0)
        return err_trace(err);
    parser_read(path, text, n, false, &result);
    for (size_t i = 0; i < result.n_findings && rc == 0; i++) {
        const struct finding *finding = &result.findings[i];
        if (finding->severity == FINDING_ERROR)
            rc = err_set(err, ERR_INVALID, "%s:%d: %s", path, finding->line, finding->message);
    }
    parse_result_deinit(&result);
    if (rc < 0)
        return err_trace(err);
    json_t *content = json_stringn(text, n);
    if (content == NULL)
        return err_set(err, ERR_INVALID, "%s is not UTF-8: deploy it with `pawl deploy`", path);
    json_array_append_new(
        resources,
        json_pack("{s:s, s:o}", "name", slash != NULL ? slash + 1 : path, "content", content));
    return 0;
}

static int deploy(struct pawl_session *session, const json_t *resources, int timeout_ms,
                  struct err *err)
{
    json_auto_t *accepted = NULL, *outcome = NULL;
    struct uuid id;

    char *text = dump(resources);
    int rc = client_deploy(session->client, text, NULL, "{}", &accepted, err);
    free(text);
    if (rc < 0)
        return err_trace(err);
    const char *deployment = json_string_value(json_object_get(accepted, "deployment_id"));
    if (read_id("a deployment", deployment, &id, err) < 0 ||
        client_await(session->client, &id, timeout_ms, &outcome, err) < 0)
        return err_trace(err);
    const char *state = json_string_value(json_object_get(outcome, "state"));
    if (state != NULL && strcmp(state, "active") == 0)
        return 0;
    if (state != NULL && strcmp(state, "pending") == 0)
        return err_set(err, ERR_CONFLICT,
                       "the deployment was accepted, but no engine took it up within %d ms",
                       timeout_ms);
    char *detail = dump(json_object_get(outcome, "detail"));
    err_set(err, ERR_INVALID, "the engine refused the deployment: %s", detail);
    free(detail);
    return -1;
}

int pawl_deploy(struct pawl_session *session, const char *const *files, size_t n, int timeout_ms,
                struct pawl_error *error)
{
    json_auto_t *resources = json_array();
    struct err err = {0};
    struct arena arena;
    int rc = 0;

    arena_init(&arena, 0);
    for (size_t i = 0; i < n && rc == 0; i++)
        rc = add_resource(&arena, files[i], resources, &err);
    arena_deinit(&arena);
    if (rc == 0)
        rc = deploy(session, resources, timeout_ms, &err);
    return rc < 0 ? embed_error(error, &err) : 0;
}

/* ---- Instances, messages, tasks ---- */

int pawl_start_instance(struct pawl_session *session, const char *process, const char *business_key,
                        const char *variables, char ret_instance[PAWL_ID_BYTES],
                        struct pawl_error *error)
{
    struct client_start start = {
        .process = process, .business_key = business_key, .variables = or_empty(variables)};
    json_auto_t *row = NULL;
    struct err err = {0};

    if (client_start(session->client, &start, &row, &err) < 0 ||
        copy_id(row, "instance_id", ret_instance, &err) < 0)
        return embed_error(error, &err);
    return 0;
}

int pawl_correlate(struct pawl_session *session, const char *message, const char *key,
                   const char *variables, char ret_command[PAWL_ID_BYTES], struct pawl_error *error)
{
    json_auto_t *row = NULL;
    struct err err = {0};

    if (client_correlate(session->client, message, key, or_empty(variables), NULL, &row, &err) <
            0 ||
        copy_id(row, "command_id", ret_command, &err) < 0)
        return embed_error(error, &err);
    return 0;
}

int pawl_publish(struct pawl_session *session, const char *message, const char *key,
                 const char *variables, struct pawl_error *error)
{
    json_auto_t *row = NULL;
    struct err err = {0};

    return client_publish(session->client, message, key, or_empty(variables), NULL, false, &row,
                          &err) < 0
               ? embed_error(error, &err)
               : 0;
}

int pawl_complete(struct pawl_session *session, const char *task, const char *variables,
                  char ret_command[PAWL_ID_BYTES], struct pawl_error *error)
{
    json_auto_t *row = NULL;
    struct err err = {0};
    struct uuid id;

    if (read_id("a task", task, &id, &err) < 0 ||
        client_complete(session->client, &id, or_empty(variables), &row, &err) < 0 ||
        copy_id(row, "command_id", ret_command, &err) < 0)
        return embed_error(error, &err);
    return 0;
}

int pawl_await(struct pawl_session *session, const char *id, int timeout_ms, char **ret_json,
               struct pawl_error *error)
{
    json_auto_t *row = NULL;
    struct err err = {0};
    struct uuid uuid;

    if (read_id("an instance or a command", id, &uuid, &err) < 0 ||
        client_await(session->client, &uuid, timeout_ms, &row, &err) < 0)
        return embed_error(error, &err);
    *ret_json = dump(row);
    return 0;
}

int pawl_tasks(struct pawl_session *session, const char *instance, char **ret_json,
               struct pawl_error *error)
{
    struct client_tasks filter = {.limit = 1000};
    json_auto_t *rows = NULL;
    struct err err = {0};
    struct uuid id;

    if (instance != NULL && read_id("an instance", instance, &id, &err) < 0)
        return embed_error(error, &err);
    filter.instance = instance != NULL ? &id : NULL;
    if (client_tasks(session->client, &filter, &rows, &err) < 0)
        return embed_error(error, &err);
    *ret_json = dump(rows);
    return 0;
}

int pawl_variables(struct pawl_session *session, const char *instance, char **ret_json,
                   struct pawl_error *error)
{
    json_auto_t *rows = NULL, *object = json_object();
    struct err err = {0};
    struct uuid id;
    size_t i;
    json_t *row;

    if (read_id("an instance", instance, &id, &err) < 0 ||
        client_variables(session->client, &id, &rows, &err) < 0)
        return embed_error(error, &err);
    json_array_foreach(rows, i, row) json_object_set(
        object, json_string_value(json_object_get(row, "name")), json_object_get(row, "value"));
    *ret_json = dump(object);
    return 0;
}
