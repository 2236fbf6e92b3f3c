/* SPDX-License-Identifier: Apache-2.0 */
/* What a deployment brings besides its diagrams: schemas, forms, and values of parameters. */
#include "base/build.h"

#include "base/digest.h"
#include "store/deploy.h"

#define PARAMETERS_FILE "parameters.json"

/* ---- Values that were given: by the option, else by the file ---- */

void deploy_options(struct deployment *d, const char *text, size_t n)
{
    struct value options = value_null();
    struct err err = {0};

    d->given_option = d->given_file = value_null();
    if (text != NULL && value_read(d->arena, text, n, &options, &err) < 0)
        deploy_found(d, FINDING_ERROR, "", 0, "", "unreadable-deployment",
                     arena_printf(d->arena, "Its options are no JSON: %s.", err.text));
    const struct value *all = value_member(&options, "all", 3);
    const struct value *given = value_member(&options, "parameters", strlen("parameters"));
    d->all_new = all != NULL && all->kind == VALUE_BOOL && all->u.boolean;
    if (given != NULL)
        d->given_option = *given;
    for (size_t i = 0; i < d->n_files; i++) {
        const struct deploy_file *file = &d->files[i];
        if (strcmp(file->name, PARAMETERS_FILE) != 0)
            continue;
        if (value_read(d->arena, file->content, file->n, &d->given_file, &err) < 0 ||
            d->given_file.kind != VALUE_OBJECT)
            deploy_found(d, FINDING_ERROR, file->name, err.line, "", "bad-parameter",
                         arena_printf(d->arena, "It is no JSON object of values: %s.",
                                      err.code != ERR_NONE ? err.text : "it is something else"));
    }
}

static const struct value *given(const struct deployment *d, const char *name)
{
    const struct value *value = value_member(&d->given_option, name, strlen(name));

    return value != NULL ? value : value_member(&d->given_file, name, strlen(name));
}

static bool declared(const struct deployment *d, const char *name)
{
    for (size_t i = 0; i < d->n_processes; i++) {
        const struct graph *graph = d->processes[i].graph;
        for (size_t k = 0; k < graph->n_parameters; k++)
            if (strcmp(graph->parameters[k].name, name) == 0)
                return true;
    }
    return false;
}

static void judge_given(struct deployment *d, const struct value *values, const char *file)
{
    for (size_t i = 0; values->kind == VALUE_OBJECT && i < values->u.object.n; i++) {
        const char *name = values->u.object.members[i].name;
        if (!declared(d, name))
            deploy_found(d, FINDING_ERROR, file, 0, "", "unknown-parameter",
                         arena_printf(d->arena,
                                      "No process of the deployment declares a parameter '%.100s'. "
                                      "Is it misspelt? A model declares it with pawl:parameter.",
                                      name));
    }
}

/* The row of the process and parameter among those of the latest versions; -1: none. */
static int former(const struct deployment *d, const char *key, const char *name)
{
    for (int r = 0; d->former != NULL && r < result_rows(d->former); r++)
        if (strcmp(result_text(d->former, r, 0), key) == 0 &&
            strcmp(result_text(d->former, r, 1), name) == 0)
            return r;
    return -1;
}

int deploy_judge_parameters(struct conn *conn, struct deployment *d, struct err *err)
{
    struct column keys;
    size_t n = 0;

    judge_given(d, &d->given_option, "");
    judge_given(d, &d->given_file, PARAMETERS_FILE);
    column_init(&keys, d->arena, COLUMN_TEXT);
    for (size_t i = 0; i < d->n_processes; i++) {
        n += d->processes[i].graph->n_parameters;
        column_text(&keys, d->processes[i].graph->key);
    }
    if (n == 0)
        return 0;
    if (conn_query(conn, "deploy_former_parameters", PARAMS(p_text(d->tenant), p_column(&keys)),
                   &d->former, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < d->n_processes; i++) {
        const struct deploy_process *p = &d->processes[i];
        for (size_t k = 0; k < p->graph->n_parameters; k++) {
            const struct parameter *parameter = &p->graph->parameters[k];
            if (parameter->fallback == NULL && given(d, parameter->name) == NULL &&
                former(d, p->graph->key, parameter->name) < 0)
                deploy_found(
                    d, FINDING_ERROR, p->file->name, parameter->line, p->graph->key,
                    "missing-parameter",
                    arena_printf(
                        d->arena,
                        "The parameter '%s' has no default: give it a value with "
                        "--parameter '%s=VALUE', the option parameters or a file " PARAMETERS_FILE
                        ".",
                        parameter->name, parameter->name));
        }
    }
    return 0;
}

/* ---- Writing them ---- */

struct parameter_columns {
    struct column definition, name, value, fallback, description, set_by, set_at;
    struct column changed, changed_name, changed_value;
};

static void columns_init(struct parameter_columns *c, struct arena *arena)
{
    struct column *texts[] = {&c->name,   &c->value,  &c->fallback,     &c->description,
                              &c->set_by, &c->set_at, &c->changed_name, &c->changed_value};

    column_init(&c->definition, arena, COLUMN_INT4);
    column_init(&c->changed, arena, COLUMN_INT4);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        column_init(texts[i], arena, COLUMN_TEXT);
}

/* A version that is there already keeps what nobody gave a value. */
static void add_parameter(struct deployment *d, struct parameter_columns *c,
                          const struct deploy_process *p, const struct parameter *parameter,
                          const char *now)
{
    const struct value *value = given(d, parameter->name);
    int row = former(d, p->graph->key, parameter->name);
    const char *text = value != NULL ? value_text(d->arena, value, NULL) : NULL;

    if (text == NULL && !p->is_new)
        return;
    bool kept = text == NULL && row >= 0;
    column_int(&c->definition, p->definition_id);
    column_text(&c->name, parameter->name);
    column_text(&c->value, kept ? result_text(d->former, row, 2) : text);
    column_text(&c->fallback, parameter->fallback);
    column_text(&c->description, parameter->description);
    column_text(&c->set_by, kept ? result_text(d->former, row, 3) : text != NULL ? d->actor : NULL);
    column_text(&c->set_at, kept ? result_text(d->former, row, 4) : text != NULL ? now : NULL);
    if (text == NULL)
        return;
    column_int(&c->changed, p->definition_id);
    column_text(&c->changed_name, parameter->name);
    column_text(&c->changed_value, text);
}

int deploy_insert_parameters(struct conn *conn, struct deployment *d, int64_t now_us,
                             struct err *err)
{
    struct parameter_columns c;
    char now[28];

    columns_init(&c, d->arena);
    iso_date_format(now_us, now);
    for (size_t i = 0; i < d->n_processes; i++) {
        const struct deploy_process *p = &d->processes[i];
        for (size_t k = 0; k < p->graph->n_parameters; k++)
            add_parameter(d, &c, p, &p->graph->parameters[k], now);
    }
    if (c.definition.rows == 0)
        return 0;
    if (conn_query(conn, "deploy_parameters",
                   PARAMS(p_column(&c.definition), p_column(&c.name), p_column(&c.value),
                          p_column(&c.fallback), p_column(&c.description), p_column(&c.set_by),
                          p_column(&c.set_at)),
                   NULL, err) < 0 ||
        conn_query(conn, "deploy_parameter_changes",
                   PARAMS(p_column(&c.changed), p_column(&c.changed_name),
                          p_column(&c.changed_value), p_text(d->actor), p_time(now_us),
                          p_uuid(&d->id)),
                   NULL, err) < 0)
        return err_trace(err);
    return 0;
}

/* ---- Schemas and forms ---- */

struct input_columns {
    struct column node, start, checked, schema, ui, form_key, form;
};

static void add_input(struct input_columns *c, const struct input *input, int node, bool start)
{
    if (input == NULL)
        return;
    column_int(&c->node, node);
    column_bool(&c->start, start);
    column_bool(&c->checked, input->schema != NULL);
    column_text(&c->schema, input->schema_text);
    column_text(&c->ui, input->ui_text);
    column_text(&c->form_key, input->form_key);
    column_text(&c->form, input->form_text);
}

int deploy_insert_inputs(struct conn *conn, struct deployment *d, const struct deploy_process *p,
                         struct err *err)
{
    const struct graph *graph = p->graph;
    struct input_columns c;
    struct column *texts[] = {&c.schema, &c.ui, &c.form_key, &c.form};

    column_init(&c.node, d->arena, COLUMN_INT4);
    column_init(&c.start, d->arena, COLUMN_BOOL);
    column_init(&c.checked, d->arena, COLUMN_BOOL);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        column_init(texts[i], d->arena, COLUMN_TEXT);
    add_input(&c, graph->input, -1, true);
    for (size_t i = 0; i < graph->n_nodes; i++)
        add_input(&c, graph->nodes[i].input, (int)i, (int)i == graph->none_start);
    if (c.node.rows == 0)
        return 0;
    return conn_query(conn, "deploy_inputs",
                      PARAMS(p_int4(p->definition_id), p_column(&c.node), p_column(&c.start),
                             p_column(&c.checked), p_column(&c.schema), p_column(&c.ui),
                             p_column(&c.form_key), p_column(&c.form)),
                      NULL, err);
}

/* A model that uses other files is another one when they change. */
static int by_name(const void *a, const void *b)
{
    return strcmp((*(const struct deploy_file *const *)a)->name,
                  (*(const struct deploy_file *const *)b)->name);
}

/* Schemas and forms, whatever order they came in. */
static const struct deploy_file **files_beside(const struct deployment *d, size_t *ret_n)
{
    const struct deploy_file **files = arena_array(d->arena, d->n_files, sizeof(*files));
    size_t n = 0;

    for (size_t i = 0; i < d->n_files; i++)
        if (!d->files[i].is_bpmn && strcmp(d->files[i].name, PARAMETERS_FILE) != 0)
            files[n++] = &d->files[i];
    if (n > 0)
        qsort(files, n, sizeof(*files), by_name);
    *ret_n = n;
    return files;
}

const char *deploy_digest(const struct deployment *d, const struct deploy_process *p,
                          const struct result *digests, size_t *ret_n)
{
    struct buf buf CLEANUP(buf_deinit);
    struct digest digest;
    size_t n_beside;

    buf_init(&buf, 0);
    *ret_n = result_length(digests, (int)p->file_index, 0);
    if (!p->graph->uses_files)
        return result_text(digests, (int)p->file_index, 0);
    buf_add(&buf, result_text(digests, (int)p->file_index, 0), *ret_n);
    const struct deploy_file **beside = files_beside(d, &n_beside);
    for (size_t i = 0; i < n_beside; i++) {
        int row = (int)(beside[i] - d->files);
        buf_add(&buf, beside[i]->name, strlen(beside[i]->name) + 1);
        buf_add(&buf, result_text(digests, row, 0), result_length(digests, row, 0));
    }
    digest_of(DIGEST_SHA256, buf.data, buf.len, &digest);
    *ret_n = digest.n;
    char *copy = arena_alloc(d->arena, digest.n);
    memcpy(copy, digest.b, digest.n);
    return copy;
}
