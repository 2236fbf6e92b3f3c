/* SPDX-License-Identifier: Apache-2.0 */
/* JavaScript: script tasks, and scripts in the place of expressions. It is not read here: whether
 * it is right is seen when it runs. */
#include "base/build.h"

#include <strings.h>

#include "base/limits.h"
#include "parser/build.h"

bool script_is_javascript(const char *format)
{
    static const char *const names[] = {"javascript",      "js",
                                        "ecmascript",      "text/javascript",
                                        "text/ecmascript", "application/javascript"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(format, names[i]) == 0)
            return true;
    return false;
}

/* The script's text, copied; NULL with a finding. */
static const char *read_text(struct process_build *process, const struct xml_element *at,
                             const char *what, const char *format)
{
    struct file_build *file = process->file;

    if (format == NULL || !script_is_javascript(format)) {
        report(file, CODE_BAD_SCRIPT, at,
               "%s: its script is written in \"%.60s\". Write it in JavaScript (ES5), with the "
               "format \"javascript\".",
               what, format != NULL ? format : "");
        return NULL;
    }
    if (xml_blank(xml_text(at))) {
        report(
            file, CODE_BAD_SCRIPT, at,
            "%s: its script is empty. Write it into the element; one in a file of its own is not "
            "read.",
            what);
        return NULL;
    }
    if (strlen(xml_text(at)) > LIMIT_SCRIPT_BYTES) {
        report(
            file, CODE_BAD_SCRIPT, at,
            "%s: its script has more than %u bytes (LIMIT_SCRIPT_BYTES). Move it into a service.",
            what, LIMIT_SCRIPT_BYTES);
        return NULL;
    }
    return arena_strdup(&process->graph->arena, xml_text(at));
}

const struct expr *read_script(struct process_build *process, const struct xml_element *at,
                               const char *what, const char *format)
{
    const char *text = read_text(process, at, what, format);

    return text != NULL ? expr_of_script(&process->graph->arena, text) : NULL;
}

void read_script_task(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const struct xml_element *script = xml_child(e, SPACE_BPMN, "script");
    const char *what = element_shown(file, e);

    if (script == NULL) {
        report(file, CODE_BAD_SCRIPT, e, "%s has no script. Add a script element with its text.",
               what);
        return;
    }
    node->script = read_text(process, script, what, xml_attr(e, "scriptFormat"));
    if (node->script == NULL)
        return;
    node->http = arena_alloc(&process->graph->arena, sizeof(*node->http));
    *node->http = (struct http_call){.mode = HTTP_WAIT, .open_after_us = -1};
    read_result_variable(process, index, e);
}
