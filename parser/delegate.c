/* SPDX-License-Identifier: Apache-2.0 */
/* pawl:sql and pawl:delegate: work done by a statement of the database or a function in C. */
#include "base/build.h"

#include "base/limits.h"
#include "parser/build.h"

static const char *const sql_attributes[] = {"delegate"};
static const char *const delegate_attributes[] = {"name",          "timeout",  "deadline",
                                                  "deadlineError", "whenOpen", "openError"};

static void read_parts(struct process_build *process, const struct xml_element *e,
                       struct delegate_call *delegate)
{
    size_t inputs = 0, outputs = 0;

    for (const struct xml_element *c = e->first; c != NULL; c = c->next) {
        if (xml_is(c, SPACE_PAWL, "input"))
            read_named_mapping(process, c, &delegate->inputs, &delegate->n_inputs, &inputs);
        else if (xml_is(c, SPACE_PAWL, "output"))
            read_named_mapping(process, c, &delegate->outputs, &delegate->n_outputs, &outputs);
        else
            report(process->file, CODE_UNKNOWN_PAWL_EXTENSION, c,
                   "pawl:%s holds input and output, not %s.", e->name, c->name);
    }
}

/* The one name that its attribute and its element agree on. */
static const char *read_name(struct process_build *process, int index, const char *attribute,
                             const struct xml_element *e)
{
    struct file_build *file = process->file;
    const struct xml_element *at = e != NULL ? e : process->sites[index].element;
    bool sql = process->graph->nodes[index].service == SERVICE_SQL;
    const char *inside = e != NULL ? xml_attr(e, sql ? "delegate" : "name") : NULL;
    const char *name = inside != NULL ? inside : attribute;

    if (name == NULL || xml_blank(name)) {
        report(file, CODE_BAD_DELEGATE, at,
               "%s names no delegate. Write pawl:%s=\"NAME\" on it, or %s=\"NAME\" in its pawl:%s.",
               element_shown(file, process->sites[index].element), sql ? "sql" : "delegate",
               sql ? "delegate" : "name", sql ? "sql" : "delegate");
        return "";
    }
    if (inside != NULL && attribute != NULL && strcmp(inside, attribute) != 0)
        report(file, CODE_BAD_DELEGATE, at,
               "%s names two delegates, '%.100s' and '%.100s'. Keep one.",
               element_shown(file, process->sites[index].element), attribute, inside);
    if (strstr(name, "${") != NULL)
        report(file, CODE_BAD_DELEGATE, at,
               "The delegate '%.100s' is named by an expression. What a task may run is fixed in "
               "the model: give it a plain name.",
               name);
    if (strlen(name) > LIMIT_DELEGATE_NAME_BYTES)
        report(file, CODE_NAME_TOO_LONG, at, "The name of a delegate is longer than %u bytes.",
               LIMIT_DELEGATE_NAME_BYTES);
    return arena_strdup(&process->graph->arena, name);
}

void read_delegate(struct process_build *process, int index, const char *name,
                   const struct xml_element *e)
{
    struct node *node = &process->graph->nodes[index];
    struct delegate_call *delegate = arena_alloc(&process->graph->arena, sizeof(*delegate));
    bool sql = node->service == SERVICE_SQL;

    node->delegate = delegate;
    delegate->name = read_name(process, index, name, e);
    if (!sql) {
        node->http = arena_alloc(&process->graph->arena, sizeof(*node->http));
        *node->http = (struct http_call){.mode = HTTP_WAIT, .open_after_us = -1};
    }
    if (e == NULL)
        return;
    check_attributes(process->file, e, sql ? sql_attributes : delegate_attributes,
                     sql ? ARRAY_LEN(sql_attributes) : ARRAY_LEN(delegate_attributes));
    if (!sql)
        read_call_times(process, e, node->http);
    read_parts(process, e, delegate);
}
