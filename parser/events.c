/* SPDX-License-Identifier: Apache-2.0 */
/* Events and their definitions: message, timer, error, terminate. */
#include "base/build.h"

#include "base/limits.h"
#include "parser/build.h"

static const struct {
    const char *name, *remedy;
} refused_definitions[] = {
    {"signalEventDefinition", "Use a message event: publish a message to each process that waits"},
    {"escalationEventDefinition",
     "Use an error event where the work stops, or a message event where it goes on"},
    {"compensateEventDefinition", "Undo what was done in the path behind an error boundary event"},
    {"conditionalEventDefinition",
     "Wait for a message, and publish it when the condition becomes true"},
    {"linkEventDefinition", "Connect the two places with a sequence flow"},
    {"cancelEventDefinition", "Use an error end event, and catch it on the sub-process"},
};

/* ---- Messages ---- */

void read_message(struct process_build *process, const struct xml_element *at,
                  const char *reference, struct event_definition *event)
{
    struct file_build *file = process->file;
    const struct xml_element *message = element_by_id(file, reference);

    if (message == NULL || !xml_is(message, SPACE_BPMN, "message")) {
        report(file, CODE_DANGLING_REFERENCE, at,
               "messageRef of %s names '%.100s', which is not a message of the file. Choose the "
               "message again.",
               element_shown(file, at), reference);
        return;
    }
    const char *name = xml_attr(message, "name");
    if (name == NULL || xml_blank(name)) {
        report(file, CODE_MESSAGE_WITHOUT_NAME, message,
               "%s has no name, and messages are matched by name. Give it one.",
               element_shown(file, message));
        return;
    }
    if (text_name(process, message, "The message's name", name) != NULL)
        event->message_name = text_expression(process, message, "The message's name", name);
}

static const char *pawl_value(const struct xml_element *element,
                              const struct xml_element *definition, const char *name)
{
    const char *value = definition != NULL ? xml_value(definition, SPACE_PAWL, name) : NULL;

    return value != NULL ? value : xml_value(element, SPACE_PAWL, name);
}

void read_correlation(struct process_build *process, const struct xml_element *element,
                      const struct xml_element *definition, bool throws,
                      struct event_definition *event)
{
    const char *ttl = pawl_value(element, definition, "timeToLive");

    event->correlation_key = text_optional(process, element, "pawl:correlationKey",
                                           pawl_value(element, definition, "correlationKey"));
    if (ttl == NULL)
        return;
    event->time_to_live = text_optional(process, element, "pawl:timeToLive", ttl);
    check_duration(process, element, "pawl:timeToLive", event->time_to_live);
    /* On the event itself the vocabulary has refused it. */
    if (!throws && definition != NULL && xml_value(definition, SPACE_PAWL, "timeToLive") != NULL)
        report(process->file, CODE_MISPLACED_PAWL_EXTENSION, element,
               "pawl:timeToLive has no effect on %s, which receives. Set it where the message is "
               "sent.",
               element_shown(process->file, element));
}

static void read_message_event(struct process_build *process, int index,
                               const struct xml_element *definition)
{
    struct file_build *file = process->file;
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const char *reference = xml_attr(definition, "messageRef");
    bool throws = node->kind == NODE_THROW_EVENT || node->kind == NODE_END_EVENT;

    node->event.kind = EVENT_MESSAGE;
    vocabulary_check(file, definition, OWNER_MESSAGE_EVENT);
    if (reference != NULL)
        read_message(process, e, reference, &node->event);
    else if (!throws)
        report(file, CODE_DANGLING_REFERENCE, e, "%s names no message. Choose one (messageRef).",
               element_shown(file, e));
    read_correlation(process, e, definition, throws, &node->event);
    if (node->kind == NODE_START_EVENT && node->event.message_name != NULL &&
        !expr_is_literal(node->event.message_name))
        report(
            file, CODE_BAD_EXPRESSION, e,
            "The message of %s is named by an expression, but a process that does not run yet has "
            "no variables. Give it a fixed name.",
            element_shown(file, e));
    if (!throws)
        return;
    const struct xml_element *list = xml_child(definition, SPACE_BPMN, "extensionElements");
    bool inside = xml_extension(definition, "expression") != NULL ||
                  xml_extension(definition, "type") != NULL ||
                  xml_extension(definition, "class") != NULL ||
                  xml_extension(definition, "delegateExpression") != NULL ||
                  xml_value(definition, SPACE_PAWL, "sql") != NULL ||
                  xml_value(definition, SPACE_PAWL, "delegate") != NULL;
    static const char *const names[] = {"http", "sql", "delegate", "event"};
    for (size_t i = 0; list != NULL && i < ARRAY_LEN(names); i++)
        inside |= xml_child(list, SPACE_PAWL, names[i]) != NULL;
    read_service(process, index, inside ? definition : e);
    if (node->service != SERVICE_NONE && reference != NULL)
        report(file, CODE_SEVERAL_IMPLEMENTATIONS, e,
               "%s has both a message and an implementation. Keep the one that it shall do.",
               element_shown(file, e));
}

/* ---- Timers ---- */

#define ZONE_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-"

static void check_start_timer(struct process_build *process, const struct xml_element *e,
                              const struct expr *time);

static const struct xml_element *only_time(struct file_build *file, const struct xml_element *e,
                                           const struct xml_element *definition,
                                           enum timer_kind *ret_kind)
{
    static const struct {
        const char *name;
        enum timer_kind kind;
    } times[] = {
        {"timeDate", TIMER_DATE}, {"timeDuration", TIMER_DURATION}, {"timeCycle", TIMER_CYCLE}};
    const struct xml_element *found = NULL;

    for (size_t i = 0; i < ARRAY_LEN(times); i++) {
        const struct xml_element *time = xml_child(definition, SPACE_BPMN, times[i].name);
        if (time == NULL)
            continue;
        if (found != NULL)
            report(file, CODE_BAD_TIMER, time, "The timer of %s has both %s and %s. Keep one.",
                   element_shown(file, e), found->name, time->name);
        found = time;
        *ret_kind = times[i].kind;
    }
    return found;
}

/* The graph's zone of that name. */
static const struct zone *zone_named(struct graph *graph, const char *name)
{
    size_t capacity = graph->n_zones;

    for (size_t i = 0; i < graph->n_zones; i++)
        if (strcmp(graph->zones[i]->name, name) == 0)
            return graph->zones[i];
    struct zone *zone = arena_alloc(&graph->arena, sizeof(*zone));
    *zone = (struct zone){.name = arena_strdup(&graph->arena, name)};
    *arena_push(&graph->arena, graph->zones, graph->n_zones, capacity) = zone;
    return zone;
}

/* pawl:timeZone of the timer or of the process, and pawl:catchUp. */
static void read_schedule(struct process_build *process, struct node *node,
                          const struct xml_element *e, const struct xml_element *definition)
{
    struct file_build *file = process->file;
    const char *zone = pawl_value(e, definition, "timeZone");
    const char *catch_up = pawl_value(e, definition, "catchUp");

    if (zone == NULL)
        zone = xml_value(process->element, SPACE_PAWL, "timeZone");
    if (zone != NULL && (zone[0] == '\0' || strlen(zone) > LIMIT_NAME_BYTES ||
                         strspn(zone, ZONE_CHARACTERS) != strlen(zone)))
        report(file, CODE_BAD_TIME_ZONE, e,
               "The time zone \"%.80s\" is not the name of one. Write its place: Europe/Zurich.",
               zone);
    else if (zone != NULL)
        node->event.zone = zone_named(process->graph, zone);
    if (catch_up == NULL || strcmp(catch_up, "once") == 0)
        return;
    node->event.catch_up = CATCH_UP_ALL;
    if (strcmp(catch_up, "all") != 0)
        report(file, CODE_BAD_TIMER, e,
               "pawl:catchUp=\"%.60s\" is not known. Write once (what was missed fires once, and "
               "goes on by its schedule) or all (each time that was missed).",
               catch_up);
    else if (node->event.timer != TIMER_CYCLE)
        report(file, CODE_BAD_TIMER, e,
               "pawl:catchUp has no effect on the timer of %s, which fires once. Remove it.",
               element_shown(file, e));
}

static void read_timer_event(struct process_build *process, int index,
                             const struct xml_element *definition)
{
    struct file_build *file = process->file;
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const struct xml_element *time = only_time(file, e, definition, &node->event.timer);

    node->event.kind = EVENT_TIMER;
    vocabulary_check(file, definition, OWNER_TIMER_EVENT);
    read_schedule(process, node, e, definition);
    if (time == NULL || xml_blank(xml_text(time))) {
        report(file, CODE_BAD_TIMER, e,
               "The timer of %s has no time. Set a date, a duration or a cycle.",
               element_shown(file, e));
        return;
    }
    vocabulary_check(file, time, OWNER_TIME);
    const char *what = arena_printf(file->arena, "The %s", time->name);
    const struct expr *expr = text_expression(process, time, what, xml_text(time));
    node->event.time = expr;
    if (node->event.timer == TIMER_DATE)
        check_date(process, time, what, expr, false);
    else if (node->event.timer == TIMER_DURATION)
        check_duration(process, time, what, expr);
    else
        check_cycle(process, time, what, expr);
    if (node->kind == NODE_START_EVENT && expr != NULL)
        check_start_timer(process, e, expr);
    bool once =
        node->kind == NODE_CATCH_EVENT || (node->kind == NODE_BOUNDARY_EVENT && node->interrupting);
    if (once && node->event.timer == TIMER_CYCLE)
        report(file, CODE_CYCLE_ONCE, time,
               "%s fires once, so only the first time of its cycle counts. Use timeDuration.",
               element_shown(file, e));
}

static void note_variable(void *context, const char *name)
{
    const char **first = context;

    if (*first == NULL)
        *first = name;
}

static void check_start_timer(struct process_build *process, const struct xml_element *e,
                              const struct expr *time)
{
    const char *variable = NULL;

    expr_each_variable(time, note_variable, &variable);
    if (variable != NULL)
        report(
            process->file, CODE_BAD_TIMER, e,
            "The timer of %s reads the variable '%.100s', but a process that does not run yet has "
            "no variables. Write a fixed time.",
            element_shown(process->file, e), variable);
}

/* ---- Errors ---- */

void read_error_reference(struct process_build *process, const struct xml_element *e,
                          const struct xml_element *definition, bool throws,
                          struct event_definition *event)
{
    struct file_build *file = process->file;
    const char *reference = xml_attr(definition, "errorRef");

    if (reference == NULL || reference[0] == '\0') {
        if (throws)
            report(file, CODE_ERROR_WITHOUT_CODE, e,
                   "%s does not say which error it throws. Choose an error (errorRef).",
                   element_shown(file, e));
        return;
    }
    const struct xml_element *error = element_by_id(file, reference);
    if (error == NULL || !xml_is(error, SPACE_BPMN, "error")) {
        report(file, CODE_DANGLING_REFERENCE, e,
               "errorRef of %s names '%.100s', which is not an error of the file. Choose the error "
               "again.",
               element_shown(file, e), reference);
        return;
    }
    const char *message = xml_extension(error, "errorMessage");
    event->error_code = text_name(process, error, "The error's code", xml_attr(error, "errorCode"));
    if (message != NULL)
        event->error_message = arena_strdup(&process->graph->arena, message);
    if (xml_attr(error, "errorCode") == NULL || xml_blank(xml_attr(error, "errorCode")))
        report(file, CODE_ERROR_WITHOUT_CODE, e,
               "%s has no errorCode, by which errors are matched. Give it one%s.",
               element_shown(file, error),
               throws ? "" : ", or choose no error to catch all of them");
}

static void read_error_event(struct process_build *process, int index,
                             const struct xml_element *definition)
{
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;

    node->event.kind = EVENT_ERROR;
    vocabulary_check(process->file, definition, OWNER_ERROR_EVENT);
    node->event.error_code_variable =
        text_name(process, e, "errorCodeVariable", xml_extension(definition, "errorCodeVariable"));
    node->event.error_message_variable = text_name(
        process, e, "errorMessageVariable", xml_extension(definition, "errorMessageVariable"));
    read_error_reference(process, e, definition, node->kind == NODE_END_EVENT, &node->event);
}

/* ---- All events ---- */

static bool may_be(enum node_kind kind, enum event_kind event)
{
    switch (event) {
    case EVENT_NONE:
        return kind != NODE_CATCH_EVENT && kind != NODE_BOUNDARY_EVENT;
    case EVENT_MESSAGE:
        return true;
    case EVENT_TIMER:
        return kind != NODE_END_EVENT && kind != NODE_THROW_EVENT;
    case EVENT_ERROR:
        return kind == NODE_END_EVENT || kind == NODE_BOUNDARY_EVENT;
    case EVENT_TERMINATE:
        return kind == NODE_END_EVENT;
    }
    return false;
}

/* A definition that is not executed yet, or that this kind of event can not have. */
static void refuse_definition(struct process_build *process, int index,
                              const struct xml_element *definition)
{
    struct file_build *file = process->file;
    const struct xml_element *e = process->sites[index].element;

    int scope = process->graph->nodes[index].scope;
    bool of_refused = process->graph->nodes[index].kind == NODE_START_EVENT && scope >= 0 &&
                      process->sites[scope].refused;

    process->sites[index].refused = true;
    if (of_refused)
        return; /* the event sub-process around it has been refused: that is enough */
    for (size_t i = 0; i < ARRAY_LEN(refused_definitions); i++) {
        if (strcmp(refused_definitions[i].name, definition->name) != 0)
            continue;
        report(file, CODE_UNSUPPORTED_ELEMENT, definition, "%s of %s is not executed yet. %s.",
               definition->name, element_shown(file, e), refused_definitions[i].remedy);
        return;
    }
    if (process->graph->nodes[index].kind == NODE_START_EVENT)
        report(file, CODE_UNSUPPORTED_ELEMENT, definition,
               "%s can only start an event sub-process, and those are not executed yet. Use a "
               "boundary "
               "event on a sub-process.",
               element_shown(file, e));
    else
        report(file, CODE_UNKNOWN_ELEMENT, definition, "BPMN 2.0 has no %s with %s.", e->name,
               definition->name);
}

static void read_definition(struct process_build *process, int index,
                            const struct xml_element *definition)
{
    static const struct {
        const char *name;
        enum event_kind kind;
        void (*read)(struct process_build *, int, const struct xml_element *);
    } definitions[] = {
        {"messageEventDefinition", EVENT_MESSAGE, read_message_event},
        {"timerEventDefinition", EVENT_TIMER, read_timer_event},
        {"errorEventDefinition", EVENT_ERROR, read_error_event},
        {"terminateEventDefinition", EVENT_TERMINATE, NULL},
    };
    struct node *node = &process->graph->nodes[index];

    for (size_t i = 0; i < ARRAY_LEN(definitions); i++) {
        if (strcmp(definitions[i].name, definition->name) != 0)
            continue;
        if (!may_be(node->kind, definitions[i].kind))
            break;
        node->event.kind = definitions[i].kind;
        if (definitions[i].read != NULL)
            definitions[i].read(process, index, definition);
        else
            vocabulary_check(process->file, definition, OWNER_OTHER_EVENT);
        return;
    }
    refuse_definition(process, index, definition);
}

/* The first event definition; the second one is refused. */
static const struct xml_element *only_definition(struct process_build *process, int index)
{
    static const char suffix[] = "EventDefinition";
    struct file_build *file = process->file;
    const struct xml_element *e = process->sites[index].element;
    const struct xml_element *found = NULL;

    for (const struct xml_element *c = e->first; c != NULL; c = c->next) {
        size_t n = strlen(c->name);
        if (xml_is(c, SPACE_BPMN, "eventDefinitionRef"))
            report(file, CODE_UNSUPPORTED_ELEMENT, c,
                   "%s refers to an event definition elsewhere, which is not supported. Put the "
                   "definition into the event.",
                   element_shown(file, e));
        if (c->space != SPACE_BPMN || n < sizeof(suffix) ||
            strcmp(c->name + n - (sizeof(suffix) - 1), suffix) != 0)
            continue;
        if (found != NULL)
            report(file, CODE_SEVERAL_DEFINITIONS, c,
                   "%s has more than one event definition. Use one event for each.",
                   element_shown(file, e));
        else
            found = c;
    }
    return found;
}

static void read_start(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct graph *graph = process->graph;
    struct node *node = &graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;

    if (process->sites[index].refused)
        return;
    if (node->scope >= 0) {
        if (node->event.kind != EVENT_NONE && !process->sites[node->scope].refused)
            report(
                file, CODE_START_IN_SUB_PROCESS, e,
                "%s begins a sub-process, which starts when the flow arrives: make it a none start "
                "event.",
                element_shown(file, e));
        return;
    }
    if (node->event.kind != EVENT_NONE) {
        if (graph->event_starts == NULL)
            graph->event_starts =
                arena_array(&graph->arena, graph->n_nodes, sizeof(*graph->event_starts));
        graph->event_starts[graph->n_event_starts++] = index;
    } else if (graph->none_start < 0) {
        graph->none_start = index;
    } else {
        report(
            file, CODE_SEVERAL_START_EVENTS, e,
            "%s is the second none start event of the process: at which one would it begin? Keep "
            "one, or make the other one a message start event.",
            element_shown(file, e));
    }
}

void read_event(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct node *node = &process->graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const struct xml_element *definition = only_definition(process, index);

    if (node->kind == NODE_BOUNDARY_EVENT)
        node->interrupting =
            text_bool(file, e, "cancelActivity", xml_attr(e, "cancelActivity"), true);
    if (definition != NULL)
        read_definition(process, index, definition);
    else if (!may_be(node->kind, EVENT_NONE) &&
             xml_child(e, SPACE_BPMN, "eventDefinitionRef") == NULL)
        report(file, CODE_EVENT_WITHOUT_DEFINITION, e,
               "%s does not say what it waits for. Make it a message or timer event.",
               element_shown(file, e));
    if (node->kind == NODE_START_EVENT)
        read_start(process, index);
    if (node->kind == NODE_BOUNDARY_EVENT && node->event.kind == EVENT_ERROR && !node->interrupting)
        report(
            file, CODE_ERROR_NOT_INTERRUPTING, e,
            "%s catches an error, which always ends its activity. Remove cancelActivity=\"false\".",
            element_shown(file, e));
}

/* ---- References between nodes ---- */

static void attach(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct graph *graph = process->graph;
    struct node *node = &graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const char *reference = xml_attr(e, "attachedToRef");
    const struct xml_element *host = reference != NULL ? element_by_id(file, reference) : NULL;
    int to = host != NULL ? element_node(process, host) : -1;

    if (to < 0) {
        report(file, CODE_DANGLING_REFERENCE, e,
               "%s is attached to '%.100s', which is not an activity of this process. Attach it "
               "again.",
               element_shown(file, e), reference != NULL ? reference : "");
    } else if (!node_is_activity(graph->nodes[to].kind) && !process->sites[to].refused) {
        report(file, CODE_BOUNDARY_MISPLACED, e,
               "%s is attached to %s; boundary events belong on tasks, sub-processes and call "
               "activities.",
               element_shown(file, e), element_shown(file, host));
    } else if (graph->nodes[to].scope != node->scope) {
        report(
            file, CODE_BOUNDARY_MISPLACED, e,
            "%s lies in another sub-process than %s, to which it is attached. Move it next to it.",
            element_shown(file, e), element_shown(file, host));
    } else {
        node->attached_to = to;
        graph->nodes[to].n_boundary++; /* the array follows in check_process() */
    }
}

static void link_timer(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct graph *graph = process->graph;
    struct node *node = &graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const struct xml_element *definition = xml_child(e, SPACE_BPMN, "timerEventDefinition");
    const char *reference = definition != NULL ? pawl_value(e, definition, "startsWhenSent") : NULL;

    if (reference == NULL)
        return;
    const struct xml_element *task = element_by_id(file, reference);
    int sender = task != NULL ? element_node(process, task) : -1;
    const struct node *s = sender >= 0 ? &graph->nodes[sender] : NULL;
    if (s == NULL || s->service != SERVICE_HTTP || s->http == NULL || s->http->mode != HTTP_FIRE)
        report(file, CODE_BAD_STARTS_WHEN_SENT, e,
               "pawl:startsWhenSent of %s names '%.100s', which is not a task of this process with "
               "pawl:http in mode=\"fire\". Name the task whose request starts the clock.",
               element_shown(file, e), reference);
    else if (node->event.timer != TIMER_DURATION || node->kind == NODE_START_EVENT)
        report(file, CODE_BAD_STARTS_WHEN_SENT, e,
               "pawl:startsWhenSent of %s needs a timeDuration on a waiting event: the time is "
               "counted "
               "from the moment when the request left.",
               element_shown(file, e));
    else
        node->event.starts_when_sent = sender;
}

void link_event(struct process_build *process, int index)
{
    const struct node *node = &process->graph->nodes[index];

    if (node->kind == NODE_BOUNDARY_EVENT)
        attach(process, index);
    if (node->event.kind == EVENT_TIMER)
        link_timer(process, index);
}
