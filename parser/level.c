/* SPDX-License-Identifier: Apache-2.0 */
/* pawl:serviceLevel: how long an activity or a process may last before somebody is told. */
#include "base/build.h"

#include "parser/build.h"

static const char *const attributes[] = {"within", "name"};

struct service_level *read_level(struct process_build *process, const struct xml_element *of)
{
    const struct xml_element *holder = xml_child(of, SPACE_BPMN, "extensionElements");
    const struct xml_element *e =
        holder != NULL ? xml_child(holder, SPACE_PAWL, "serviceLevel") : NULL;
    struct err err = {0};

    if (e == NULL)
        return NULL;
    check_attributes(process->file, e, attributes, ARRAY_LEN(attributes));
    for (const struct xml_element *c = e->next; c != NULL; c = c->next)
        if (xml_is(c, SPACE_PAWL, "serviceLevel"))
            report(process->file, CODE_DUPLICATE_EXTENSION, c,
                   "%s has pawl:serviceLevel twice. Keep one.", element_shown(process->file, of));
    struct service_level *level = arena_alloc(&process->graph->arena, sizeof(*level));
    const char *within = xml_attr(e, "within");
    level->name = text_name(process, e, "name", xml_attr(e, "name"));
    level->text = arena_strdup(&process->graph->arena, within != NULL ? within : "");
    if (within == NULL || iso_duration_parse(within, strlen(within), &level->within, &err) < 0 ||
        iso_duration_us(&level->within) <= 0)
        report(process->file, CODE_BAD_DURATION, e,
               "pawl:serviceLevel needs within with a duration above zero, such as "
               "within=\"PT2H\"; \"%s\" is none.",
               level->text);
    return level;
}
