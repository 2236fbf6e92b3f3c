/* SPDX-License-Identifier: Apache-2.0 */
/* pawl:event: what goes to which bus. */
#include "base/build.h"

#include "parser/build.h"

static const char *const attributes[] = {"bus", "source", "detailType"};

void read_event_put(struct process_build *process, int index, const struct xml_element *e)
{
    struct event_put *put = arena_alloc(&process->graph->arena, sizeof(*put));
    const char *type = xml_attr(e, "detailType");
    size_t capacity = 0;

    process->graph->nodes[index].put = put;
    check_attributes(process->file, e, attributes, ARRAY_LEN(attributes));
    put->bus = text_optional(process, e, "bus", xml_attr(e, "bus"));
    put->source = text_optional(process, e, "source", xml_attr(e, "source"));
    put->detail_type = text_optional(process, e, "detailType", type);
    if (type == NULL || xml_blank(type))
        report(process->file, CODE_BAD_EVENT, e,
               "The pawl:event of %s has no detailType. Say what has happened: "
               "detailType=\"order.paid\".",
               element_shown(process->file, process->sites[index].element));
    for (const struct xml_element *c = e->first; c != NULL; c = c->next) {
        if (!xml_is(c, SPACE_PAWL, "detail")) {
            report(process->file, CODE_UNKNOWN_PAWL_EXTENSION, c,
                   "pawl:event holds detail, not %s.", c->name);
        } else if (xml_attr(c, "name") != NULL) {
            read_named_mapping(process, c, &put->details, &put->n_details, &capacity);
        } else {
            if (put->detail != NULL)
                report(process->file, CODE_BAD_EVENT, c,
                       "There is a second pawl:detail without a name. Keep one, or name them.");
            put->detail = text_expression(process, c, "pawl:detail", xml_text(c));
        }
    }
    if (put->detail != NULL && put->n_details != 0)
        report(process->file, CODE_BAD_EVENT, e,
               "A pawl:detail without a name is the whole detail. Remove it, or the others.");
}
