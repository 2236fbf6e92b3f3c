/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process is given: pawl:inputSchema (JSON Schema, here or in a file of the deployment),
 * forms, pawl:parameter, and whether people may start it.
 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/schema.h"
#include "parser/build.h"

static const char *const schema_attributes[] = {"resource", "formats"};
static const char *const parameter_attributes[] = {"name", "default", "description"};

const struct parser_file *find_file(const struct file_build *file, const char *name)
{
    for (size_t i = 0; i < file->n_files; i++)
        if (strcmp(file->files[i].name, name) == 0)
            return &file->files[i];
    return NULL;
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);

    return n >= m && strcmp(text + n - m, end) == 0;
}

/* The other files that a $ref may name: JSON that can be read. */
static struct schema_document *documents_of(struct process_build *process,
                                            const struct parser_file *but, size_t *ret_n)
{
    struct arena *arena = &process->graph->arena;
    const struct file_build *file = process->file;
    struct schema_document *documents = arena_array(arena, file->n_files + 1, sizeof(*documents));

    *ret_n = 1; /* the schema itself comes first */
    for (size_t i = 0; i < file->n_files; i++) {
        const struct parser_file *other = &file->files[i];
        struct value *value = arena_alloc(arena, sizeof(*value));
        if (other == but || !ends_with(other->name, ".json") || other->n > LIMIT_SCHEMA_BYTES)
            continue;
        const char *text = arena_strndup(arena, other->text, other->n);
        if (value_read(arena, text, other->n, value, NULL) == 0 && value->kind == VALUE_OBJECT)
            documents[(*ret_n)++] =
                (struct schema_document){.uri = arena_strdup(arena, other->name), .value = value};
    }
    return documents;
}

static struct value text_value(struct arena *arena, const char *text)
{
    return value_string(arena, text, strlen(text));
}

/* The text of the schema: of the element, or of the file that it names. NULL with a finding. */
static const char *schema_source(struct process_build *process, const struct xml_element *e,
                                 const struct parser_file **ret_file)
{
    struct file_build *file = process->file;
    const char *resource = xml_attr(e, "resource"), *text = xml_text(e);

    *ret_file = NULL;
    if (resource == NULL && text[0] == '\0') {
        report(file, CODE_BAD_SCHEMA, e,
               "pawl:inputSchema is empty. Write a JSON Schema into it, or name a file of the "
               "deployment with resource=\"….json\".");
        return NULL;
    }
    if (resource == NULL)
        return text;
    if (text[0] != '\0')
        report(file, CODE_BAD_SCHEMA, e,
               "pawl:inputSchema has both a text and resource=\"%.100s\". Keep one.", resource);
    *ret_file = find_file(file, resource);
    if (*ret_file != NULL)
        return arena_strndup(file->arena, (*ret_file)->text, (*ret_file)->n);
    if (!file->files_unknown)
        report(file, CODE_BAD_SCHEMA, e,
               "resource=\"%.100s\" of pawl:inputSchema is no file of this deployment. Deploy it "
               "together with the model.",
               resource);
    return NULL;
}

static void read_schema(struct process_build *process, const struct xml_element *e,
                        struct input *input)
{
    struct file_build *file = process->file;
    struct arena *arena = &process->graph->arena;
    struct schema_options options;
    const struct parser_file *from;
    struct value *value = arena_alloc(arena, sizeof(*value));
    struct err err = {0};
    size_t n_documents;

    check_attributes(file, e, schema_attributes, ARRAY_LEN(schema_attributes));
    options.ignore_formats = !text_bool(file, e, "formats", xml_attr(e, "formats"), true);
    const char *text = schema_source(process, e, &from);
    if (text == NULL)
        return;
    size_t n = strlen(text);
    if (n > LIMIT_SCHEMA_BYTES) {
        report(file, CODE_BAD_SCHEMA, e, "The schema has %zu bytes; at most %u are taken.", n,
               LIMIT_SCHEMA_BYTES);
        return;
    }
    struct schema_document *documents = documents_of(process, from, &n_documents);
    if (strstr(text, "\"$ref\"") == NULL)
        n_documents = 1;
    documents[0] = (struct schema_document){
        .uri = from != NULL ? arena_strdup(arena, from->name) : "", .value = value};
    if (value_read(arena, arena_strndup(arena, text, n), n, value, &err) < 0 ||
        schema_compile(arena, documents, n_documents, &options, &input->schema, &err) < 0) {
        report(file, CODE_BAD_SCHEMA, e, "The inputSchema%s%.100s cannot be used: %s.",
               from != NULL ? " in " : "", from != NULL ? from->name : "", err.text);
        return;
    }
    process->graph->uses_files |= from != NULL || n_documents > 1;
    input->schema_text = schema_bundle(arena, documents, n_documents);
}

/* The one pawl:inputSchema of the element; NULL: there is none. */
static const struct xml_element *schema_element(struct file_build *file,
                                                const struct xml_element *e)
{
    const struct xml_element *first = NULL;

    for (const struct xml_element *c = extensions(e); c != NULL; c = c->next) {
        if (!xml_is(c, SPACE_PAWL, "inputSchema"))
            continue;
        if (first != NULL)
            report(file, CODE_DUPLICATE_EXTENSION, c, "%s has inputSchema twice. Keep one.",
                   element_shown(file, e));
        else
            first = c;
    }
    return first;
}

/* What the element is given: schema and form; NULL: nothing is said. */
static const struct input *read_input(struct process_build *process, const struct xml_element *e)
{
    const struct xml_element *schema = schema_element(process->file, e);
    struct input input = {.schema = NULL};

    if (schema != NULL)
        read_schema(process, schema, &input);
    read_form(process, e, &input);
    if (schema == NULL && input.schema_text == NULL && input.form_key == NULL)
        return NULL;
    struct input *kept = arena_alloc(&process->graph->arena, sizeof(*kept));
    *kept = input;
    return kept;
}

void read_node_input(struct process_build *process, int index)
{
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    struct file_build *file = process->file;

    node->input = read_input(process, e);
    if (node->input == NULL || schema_element(file, e) == NULL)
        return;
    bool message = node->event.kind == EVENT_MESSAGE &&
                   (node->kind == NODE_CATCH_EVENT || node->kind == NODE_BOUNDARY_EVENT);
    bool start =
        node->kind == NODE_START_EVENT && node->scope < 0 && node->event.kind != EVENT_TIMER;
    bool answered = node->kind == NODE_USER_TASK || node->kind == NODE_RECEIVE_TASK ||
                    node->service == SERVICE_EXTERNAL || node->callback != NULL;
    if (!message && !start && !answered)
        report(file, CODE_BAD_SCHEMA, schema_element(file, e),
               "Nobody brings variables to %s, so its inputSchema would never be looked at. It "
               "belongs to a process, its start, a user, external or receive task, one that waits "
               "for its token, or an event that takes a message.",
               element_shown(file, e));
}

/* ---- Parameters ---- */

static void read_parameter(struct process_build *process, const struct xml_element *e,
                           size_t *capacity)
{
    struct file_build *file = process->file;
    struct graph *graph = process->graph;
    struct arena *arena = &graph->arena;
    const char *name = xml_attr(e, "name"), *fallback = xml_attr(e, "default");
    struct value value;

    check_attributes(file, e, parameter_attributes, ARRAY_LEN(parameter_attributes));
    struct parameter parameter = {.name = text_name(process, e, "The name", name), .line = e->line};
    if (parameter.name == NULL) {
        report(file, CODE_BAD_PARAMETER, e,
               "pawl:parameter has no name. Expressions read it as "
               "${parameters.NAME}.");
        return;
    }
    if (xml_attr(e, "description") != NULL)
        parameter.description = arena_strdup(arena, xml_attr(e, "description"));
    if (fallback != NULL) {
        /* JSON where it is JSON, else a text: as on the command line. */
        const char *copy = arena_strdup(arena, fallback);
        if (value_read(arena, copy, strlen(copy), &value, NULL) < 0)
            value = text_value(arena, fallback);
        parameter.fallback = value_text(arena, &value, NULL);
    }
    for (size_t i = 0; i < graph->n_parameters; i++)
        if (strcmp(graph->parameters[i].name, parameter.name) == 0)
            report(file, CODE_BAD_PARAMETER, e, "There are two parameters '%.100s'. Keep one.",
                   parameter.name);
    if (graph->n_parameters == LIMIT_PARAMETERS)
        report(file, CODE_BAD_PARAMETER, e, "More than %u parameters. Put several into one object.",
               LIMIT_PARAMETERS);
    if (graph->n_parameters < LIMIT_PARAMETERS)
        *arena_push(arena, graph->parameters, graph->n_parameters, *capacity) = parameter;
}

static void read_parameters(struct process_build *process)
{
    size_t capacity = 0;

    for (const struct xml_element *e = extensions(process->element); e != NULL; e = e->next) {
        if (xml_is(e, SPACE_PAWL, "parameter"))
            read_parameter(process, e, &capacity);
    }
}

void read_process_input(struct process_build *process)
{
    struct graph *graph = process->graph;
    const struct xml_element *e = process->element;
    const char *by = xml_value(e, SPACE_PAWL, "startableBy");

    graph->input = read_input(process, e);
    read_parameters(process);
    if (by == NULL || strcmp(by, "anybody") == 0)
        return;
    graph->only_called = strcmp(by, "process") == 0;
    if (!graph->only_called)
        report(process->file, CODE_BAD_VALUE, e,
               "startableBy is \"%.60s\"; write \"process\" (only call activities start it) or "
               "\"anybody\".",
               by);
}

/* Once the nodes are read. */
void check_only_called(struct process_build *process)
{
    const struct graph *graph = process->graph;

    for (size_t i = 0; graph->only_called && i < graph->n_nodes; i++) {
        const struct node *node = &graph->nodes[i];
        if (node->kind == NODE_START_EVENT && node->scope < 0 && node->event.kind != EVENT_NONE)
            report(process->file, CODE_BAD_VALUE, process->sites[i].element,
                   "%s would start the process, which only other processes may start "
                   "(startableBy=\"process\"). Remove one of the two.",
                   element_shown(process->file, process->sites[i].element));
    }
}
