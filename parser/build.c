/* SPDX-License-Identifier: Apache-2.0 */
/* From the tree of a file to its graphs: ids, the order of the nodes, sequence flows. */
#include "base/build.h"

#include "base/limits.h"
#include "parser/build.h"

/* ---- Looking things up ---- */

const char *element_id(const struct xml_element *element)
{
    for (const struct xml_element *e = element; e != NULL; e = e->parent) {
        const char *id = xml_attr(e, "id");
        if (id != NULL && e->space == SPACE_BPMN && strlen(id) <= LIMIT_NAME_BYTES)
            return id;
    }
    return NULL;
}

const char *element_shown(struct file_build *file, const struct xml_element *element)
{
    const char *id = xml_attr(element, "id");

    if (id == NULL)
        return element->name;
    return arena_printf(file->arena, "%s '%.100s'", element->name, id);
}

static int compare_ids(const void *left, const void *right)
{
    const struct identified *a = left;
    const struct identified *b = right;
    int order = strcmp(a->id, b->id);

    return order != 0 ? order : a->element->line - b->element->line;
}

static const struct xml_element *find_id(const struct file_build *file, const char *id)
{
    size_t low = 0;
    size_t high = file->n_ids;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(file->ids[middle].id, id) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    bool found = low < file->n_ids && strcmp(file->ids[low].id, id) == 0;
    return found ? file->ids[low].element : NULL;
}

const struct xml_element *element_by_id(const struct file_build *file, const char *reference)
{
    const struct xml_element *element = find_id(file, reference);
    const char *colon = strchr(reference, ':');

    return element == NULL && colon != NULL ? find_id(file, colon + 1) : element;
}

int element_node(const struct process_build *process, const struct xml_element *element)
{
    int index = element->mark - 1;

    if (index < 0 || (size_t)index >= process->graph->n_nodes)
        return -1;
    return process->sites[index].element == element ? index : -1;
}

const struct xml_element *extensions(const struct xml_element *element)
{
    const struct xml_element *holder = xml_child(element, SPACE_BPMN, "extensionElements");

    return holder != NULL ? holder->first : NULL;
}

const struct xml_element *extension_child(const struct xml_element *element, const char *name)
{
    const struct xml_element *holder = xml_child(element, SPACE_BPMN, "extensionElements");

    return holder != NULL ? xml_child_extension(holder, name) : NULL;
}

/* ---- Ids ---- */

static void collect_ids(struct file_build *file, const struct xml_element *element,
                        size_t *capacity)
{
    const char *id = element->space == SPACE_BPMN ? xml_attr(element, "id") : NULL;

    if (id != NULL && strlen(id) > LIMIT_NAME_BYTES)
        report(file, CODE_NAME_TOO_LONG, element, "The id has %zu bytes; at most %u are taken.",
               strlen(id), LIMIT_NAME_BYTES);
    else if (id != NULL)
        *arena_push(file->arena, file->ids, file->n_ids, *capacity) =
            (struct identified){.id = id, .element = element};
    for (const struct xml_element *c = element->first; c != NULL; c = c->next)
        collect_ids(file, c, capacity);
}

static void index_ids(struct file_build *file)
{
    size_t capacity = 0;

    collect_ids(file, file->root, &capacity);
    if (file->n_ids > 1)
        qsort(file->ids, file->n_ids, sizeof(*file->ids), compare_ids);
    for (size_t i = 1; i < file->n_ids; i++) {
        const struct xml_element *first = file->ids[i - 1].element;
        const struct xml_element *second = file->ids[i].element;
        if (strcmp(file->ids[i - 1].id, file->ids[i].id) != 0)
            continue;
        bool processes =
            xml_is(first, SPACE_BPMN, "process") && xml_is(second, SPACE_BPMN, "process");
        report(
            file, processes ? CODE_DUPLICATE_PROCESS : CODE_DUPLICATE_ID, second,
            "The id '%.100s' of this %s is taken: the %s in line %d has it too. Ids are unique in "
            "a file; rename one, and what refers to it.",
            file->ids[i].id, second->name, first->name, first->line);
    }
}

/* ---- Nodes ---- */

/* Counts the nodes and flows below a container; with `fill` set, enters them in document order. */
static void walk(struct process_build *process, const struct xml_element *container, int scope,
                 bool fill, size_t *n_nodes, size_t *n_flows)
{
    for (struct xml_element *c = container->first; c != NULL; c = c->next) {
        enum node_kind kind;
        const char *remedy;
        enum element_class class = element_classify(c, &kind, &remedy);
        if (class == ELEMENT_FLOW) {
            if (fill)
                process->flow_sites[*n_flows] = c;
            (*n_flows)++;
        }
        if (class != ELEMENT_NODE && class != ELEMENT_REFUSED_NODE)
            continue;
        size_t index = (*n_nodes)++;
        if (fill) {
            c->mark = (int)index + 1;
            process->sites[index] =
                (struct site){.element = c, .refused = class == ELEMENT_REFUSED_NODE};
            process->graph->nodes[index].kind = kind;
            process->graph->nodes[index].scope = scope;
        }
        if (kind == NODE_SUB_PROCESS)
            walk(process, c, (int)index, fill, n_nodes, n_flows);
    }
}

/* Elements inside a node or process that are neither nodes nor flows. */
static void check_children(struct file_build *file, const struct xml_element *element,
                           bool container)
{
    for (const struct xml_element *c = element->first; c != NULL; c = c->next) {
        enum node_kind kind;
        const char *remedy;
        enum element_class class = element_classify(c, &kind, &remedy);
        bool misplaced = !container && (class == ELEMENT_NODE || class == ELEMENT_REFUSED_NODE ||
                                        class == ELEMENT_FLOW);
        if (class == ELEMENT_REFUSED)
            report(file, CODE_UNSUPPORTED_ELEMENT, c, "%s of %s is not executed. %s.", c->name,
                   element_shown(file, element), remedy);
        else if (class == ELEMENT_UNKNOWN || misplaced)
            report(
                file, CODE_UNKNOWN_ELEMENT, c,
                "%s is not an element that BPMN 2.0 has inside %s. Remove it, or check its name.",
                element_shown(file, c), element_shown(file, element));
    }
}

static void read_boundaries(struct process_build *process, struct node *node,
                            const struct xml_element *e)
{
    struct file_build *file = process->file;

    bool before = text_bool(file, e, "asyncBefore", xml_extension(e, "asyncBefore"), false);
    bool async = text_bool(file, e, "async", xml_extension(e, "async"), false);
    bool after = text_bool(file, e, "asyncAfter", xml_extension(e, "asyncAfter"), false);
    bool leave = text_bool(file, e, "asyncLeave", xml_extension(e, "asyncLeave"), false);
    node->async_before = before || async;
    node->async_after = after || leave;
    node->exclusive = text_bool(file, e, "exclusive", xml_extension(e, "exclusive"), true);
    node->priority = text_priority(file, e, process->graph->priority);
    node->retry = read_retry(process, e);
}

static void read_node(struct process_build *process, int index)
{
    struct file_build *file = process->file;
    struct graph *graph = process->graph;
    struct node *node = &graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    enum node_kind kind;
    const char *remedy = NULL;

    node->line = e->line;
    node->name =
        xml_attr(e, "name") != NULL ? arena_strdup(&graph->arena, xml_attr(e, "name")) : NULL;
    node->default_flow = node->attached_to = node->start = node->event.starts_when_sent = -1;
    const char *id = xml_attr(e, "id");
    if (id == NULL || id[0] == '\0')
        report(file, CODE_MISSING_ID, e,
               "This %s has no id. Give it one that is unique in the file.", e->name);
    node->id = arena_strdup(&graph->arena, id != NULL ? id : "");

    if (element_classify(e, &kind, &remedy) == ELEMENT_REFUSED_NODE) {
        report(file, CODE_UNSUPPORTED_ELEMENT, e, "%s is not executed yet. %s.",
               element_shown(file, e), remedy);
        return;
    }
    vocabulary_check(file, e, owner_of_kind(kind));
    check_plain_attributes(file, e);
    check_children(file, e, kind == NODE_SUB_PROCESS);
    read_boundaries(process, node, e);
    read_mappings(process, index);
    read_multi_instance(process, index);
    if (kind <= NODE_BOUNDARY_EVENT)
        read_event(process, index);
    else
        read_activity(process, index);
    read_node_input(process, index);
}

/* ---- Sequence flows ---- */

static const struct expr *read_condition(struct process_build *process,
                                         const struct xml_element *flow)
{
    const struct xml_element *c = xml_child(flow, SPACE_BPMN, "conditionExpression");

    if (c == NULL)
        return NULL;
    struct file_build *file = process->file;
    const char *type = xml_value(c, SPACE_XSI, "type");
    const char *colon = type != NULL ? strchr(type, ':') : NULL;
    const char *language = xml_attr(c, "language");
    vocabulary_check(file, c, OWNER_CONDITION);
    if (type != NULL && strcmp(colon != NULL ? colon + 1 : type, "tFormalExpression") != 0)
        report(file, CODE_BAD_CONDITION, c,
               "The condition's xsi:type is \"%.60s\"; only tFormalExpression is taken.", type);
    if (language != NULL && script_is_javascript(language))
        return read_script(process, c, "The condition", language);
    if (language != NULL && strcasecmp(language, "juel") != 0 && strcasecmp(language, "uel") != 0 &&
        strstr(language, "://") == NULL) {
        report(file, CODE_BAD_CONDITION, c,
               "The condition is written in \"%.60s\", which is not executed. Write it as ${…}, or "
               "in JavaScript.",
               language);
        return NULL;
    }
    if (xml_blank(xml_text(c))) {
        report(file, CODE_BAD_CONDITION, c,
               "The condition is empty. Write ${…}, or remove conditionExpression.");
        return NULL;
    }
    const struct expr *condition = text_expression(process, c, "The condition", xml_text(c));
    if (condition != NULL && expr_is_literal(condition) &&
        strcmp(expr_text(condition), "true") != 0 && strcmp(expr_text(condition), "false") != 0)
        report(file, CODE_BAD_CONDITION, c,
               "The condition \"%.120s\" is a plain text. Write it as an expression: ${…}.",
               xml_text(c));
    return condition;
}

/* The node at one end of a flow, or -1 with a finding. */
static int flow_end(struct process_build *process, const struct xml_element *flow,
                    const char *attribute)
{
    struct file_build *file = process->file;
    const char *reference = xml_attr(flow, attribute);

    if (reference == NULL) {
        report(file, CODE_DANGLING_REFERENCE, flow, "%s has no %s. Connect it in the editor.",
               element_shown(file, flow), attribute);
        return -1;
    }
    const struct xml_element *end = element_by_id(file, reference);
    int node = end != NULL ? element_node(process, end) : -1;
    if (end == NULL)
        report(
            file, CODE_DANGLING_REFERENCE, flow,
            "%s of %s names '%.100s', which is not in the file. Connect the flow again, or remove "
            "it.",
            attribute, element_shown(file, flow), reference);
    else if (node < 0)
        report(file, CODE_DANGLING_REFERENCE, flow,
               "%s of %s names '%.100s': that is a %s, not a flow node of this process.", attribute,
               element_shown(file, flow), reference, end->name);
    return node;
}

static void read_flow(struct process_build *process, size_t index)
{
    struct file_build *file = process->file;
    struct graph *graph = process->graph;
    struct flow *flow = &graph->flows[index];
    const struct xml_element *e = process->flow_sites[index];
    const char *id = xml_attr(e, "id");
    const char *name = xml_attr(e, "name");

    vocabulary_check(file, e, OWNER_FLOW);
    flow->source = flow_end(process, e, "sourceRef");
    flow->target = flow_end(process, e, "targetRef");
    flow->condition = read_condition(process, e);
    flow->name = name != NULL ? arena_strdup(&graph->arena, name) : NULL;
    /* Flows need no id in BPMN; a name made of its ends is good enough for messages. */
    flow->id = id != NULL ? arena_strdup(&graph->arena, id)
                          : arena_printf(&graph->arena, "%s->%s",
                                         xml_attr(e, "sourceRef") ? xml_attr(e, "sourceRef") : "",
                                         xml_attr(e, "targetRef") ? xml_attr(e, "targetRef") : "");
    if (flow->source < 0 || flow->target < 0)
        return;
    if (graph->nodes[flow->source].scope != graph->nodes[flow->target].scope)
        report(
            file, CODE_FLOW_CROSSES_SCOPE, e,
            "%s leads from '%s' to '%s' across the border of a sub-process. End inside, and go on "
            "from the sub-process itself.",
            element_shown(file, e), graph->nodes[flow->source].id, graph->nodes[flow->target].id);
}

static void connect_flows(struct graph *graph)
{
    for (size_t i = 0; i < graph->n_flows; i++) {
        if (graph->flows[i].source >= 0)
            graph->nodes[graph->flows[i].source].n_out++;
        if (graph->flows[i].target >= 0)
            graph->nodes[graph->flows[i].target].n_in++;
    }
    for (size_t i = 0; i < graph->n_nodes; i++) {
        struct node *node = &graph->nodes[i];
        node->out = arena_array(&graph->arena, node->n_out, sizeof(*node->out));
        node->in = arena_array(&graph->arena, node->n_in, sizeof(*node->in));
        node->n_out = node->n_in = 0;
    }
    for (size_t i = 0; i < graph->n_flows; i++) {
        const struct flow *flow = &graph->flows[i];
        if (flow->source >= 0) {
            struct node *node = &graph->nodes[flow->source];
            node->out[node->n_out++] = (int)i;
        }
        if (flow->target >= 0) {
            struct node *node = &graph->nodes[flow->target];
            node->in[node->n_in++] = (int)i;
        }
    }
}

static void read_default_flow(struct process_build *process, int index)
{
    struct graph *graph = process->graph;
    struct node *node = &graph->nodes[index];
    const struct xml_element *e = process->sites[index].element;
    const char *reference = xml_attr(e, "default");

    if (reference == NULL || reference[0] == '\0')
        return;
    const struct xml_element *named = element_by_id(process->file, reference);
    for (size_t i = 0; i < node->n_out && named != NULL; i++)
        if (process->flow_sites[node->out[i]] == named)
            node->default_flow = node->out[i];
    if (node->default_flow >= 0)
        return;
    if (named == NULL)
        report(process->file, CODE_DANGLING_REFERENCE, e,
               "default of %s names '%.100s', which is not in the file. Choose the default flow "
               "again.",
               element_shown(process->file, e), reference);
    else
        report(process->file, CODE_DEFAULT_NOT_OUTGOING, e,
               "default of %s names '%.100s', which is not one of its outgoing flows. Choose it "
               "again.",
               element_shown(process->file, e), reference);
}

/* ---- Processes ---- */

static struct graph *graph_start(struct file_build *file, const struct xml_element *e)
{
    struct graph *graph = graph_new(0);

    graph->file = arena_strdup(&graph->arena, file->name);
    const char *id = xml_attr(e, "id");
    const char *name = xml_attr(e, "name");
    const char *tag = xml_extension(e, "versionTag");
    const char *history = xml_extension(e, "historyTimeToLive");

    graph->priority = text_priority(file, e, 0);
    graph->key = arena_strdup(&graph->arena, id != NULL ? id : "");
    graph->name = name != NULL ? arena_strdup(&graph->arena, name) : NULL;
    graph->version_tag = tag != NULL ? arena_strdup(&graph->arena, tag) : NULL;
    graph->history_time_to_live = history != NULL ? arena_strdup(&graph->arena, history) : NULL;
    return graph;
}

static void read_process_nodes(struct process_build *process)
{
    struct graph *graph = process->graph;
    struct arena *arena = process->file->arena;
    size_t n_nodes = 0;
    size_t n_flows = 0;

    walk(process, process->element, -1, false, &n_nodes, &n_flows);
    if (n_nodes > LIMIT_GRAPH_NODES) {
        report(
            process->file, CODE_TOO_MANY_NODES, process->element,
            "%s has %zu flow nodes; at most %u are taken. Move parts into processes of their own "
            "and call them.",
            element_shown(process->file, process->element), n_nodes, LIMIT_GRAPH_NODES);
        return;
    }
    graph->nodes = arena_array(&graph->arena, n_nodes, sizeof(*graph->nodes));
    graph->flows = arena_array(&graph->arena, n_flows, sizeof(*graph->flows));
    process->sites = arena_array(arena, n_nodes, sizeof(*process->sites));
    /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
    process->flow_sites = arena_array(arena, n_flows, sizeof(*process->flow_sites));
    walk(process, process->element, -1, true, &graph->n_nodes, &graph->n_flows);

    for (size_t i = 0; i < graph->n_nodes; i++)
        read_node(process, (int)i);
    for (size_t i = 0; i < graph->n_flows; i++)
        read_flow(process, i);
    connect_flows(graph);
    for (size_t i = 0; i < graph->n_nodes; i++) {
        read_default_flow(process, (int)i);
        link_event(process, (int)i);
    }
    check_process(process);
}

static void read_process(struct process_build *process)
{
    struct file_build *file = process->file;
    const struct xml_element *e = process->element;

    if (xml_attr(e, "id") == NULL || xml_attr(e, "id")[0] == '\0')
        report(file, CODE_MISSING_ID, e,
               "The process has no id: it is the key by which it is started.");
    process->graph = graph_start(file, e);
    vocabulary_check(file, e, OWNER_PROCESS);
    check_children(file, e, true);
    read_process_input(process);
    process->graph->level = read_level(process, e);
    read_process_nodes(process);
    check_only_called(process);
}

static void read_processes(struct file_build *file)
{
    size_t capacity = 0;
    size_t n_all = 0;

    for (const struct xml_element *e = file->root->first; e != NULL; e = e->next) {
        if (!xml_is(e, SPACE_BPMN, "process"))
            continue;
        n_all++;
        if (file->n_processes >= LIMIT_PROCESSES) {
            report(file, CODE_TOO_MANY_PROCESSES, e,
                   "The file has more than %u executable processes. Split it into several files.",
                   LIMIT_PROCESSES);
            break;
        }
        if (text_bool(file, e, "isExecutable", xml_attr(e, "isExecutable"), false))
            *arena_push(file->arena, file->processes, file->n_processes, capacity) =
                (struct process_build){.file = file, .element = e};
        else
            report(
                file, CODE_NOT_EXECUTABLE, e,
                "%s is skipped: it is not marked as executable. Set isExecutable=\"true\" (in the "
                "editor: Executable) if it shall run.",
                element_shown(file, e));
    }
    if (n_all == 0)
        report(file, CODE_NO_PROCESS, file->root, "The file has no process.");
    else if (file->n_processes == 0)
        report(file, CODE_NO_EXECUTABLE_PROCESS, file->root,
               "No process of the file is marked as executable, so there is nothing to deploy. Set "
               "isExecutable=\"true\" (in the editor: Executable).");
    for (size_t i = 0; i < file->n_processes; i++)
        read_process(&file->processes[i]);
    check_start_messages(file);
}

static void read_file(struct file_build *file)
{
    const struct xml_element *root = file->root;

    if (!xml_is(root, SPACE_BPMN, "definitions")) {
        report(
            file, CODE_NOT_BPMN, root,
            "This is not BPMN 2.0: the root element is \"%.100s\"%s%.200s%s. Export the model as "
            "BPMN 2.0 XML.",
            root->name, root->uri != NULL ? " of the namespace " : " without namespace",
            root->uri != NULL ? root->uri : "",
            strcmp(root->name, "definitions") == 0
                ? ", not definitions of http://www.omg.org/spec/BPMN/20100524/MODEL"
                : "");
        return;
    }
    expand_properties(file, file->root);
    index_ids(file);
    vocabulary_check(file, root, OWNER_DEFINITIONS);
    for (const struct xml_element *e = root->first; e != NULL; e = e->next) {
        if (xml_is(e, SPACE_BPMN, "message"))
            vocabulary_check(file, e, OWNER_MESSAGE);
        else if (xml_is(e, SPACE_BPMN, "error"))
            vocabulary_check(file, e, OWNER_ERROR);
    }
    read_processes(file);
    if (file->findings.n_errors == 0)
        lint_file(file);
    vocabulary_finish(file);
}

/* ---- The public face ---- */

void parser_init(void)
{
    xml_init();
}

void parser_deinit(void)
{
    xml_deinit();
}

static void read_all(struct file_build file, const char *text, size_t n, bool decoded,
                     struct parse_result *ret_result)
{
    struct xml_document document;

    *ret_result = (struct parse_result){0};
    arena_init(&ret_result->arena, 0);
    file.findings.arena = &ret_result->arena;
    if (xml_read(&document, text, n, decoded, &file.findings)) {
        file.arena = &document.arena;
        file.root = document.root;
        read_file(&file);
    }
    findings_finish(&file.findings);
    ret_result->findings = file.findings.items;
    ret_result->n_findings = file.findings.n;
    ret_result->n_errors = file.findings.n_errors;
    if (file.findings.n_errors == 0) {
        struct graph **graphs;
        /* NOLINTNEXTLINE(bugprone-sizeof-expression): an array of pointers */
        graphs = arena_array(&ret_result->arena, file.n_processes, sizeof(*graphs));
        ret_result->graphs = graphs;
        ret_result->n_graphs = file.n_processes;
    }
    for (size_t i = 0; i < file.n_processes; i++) {
        if (ret_result->n_graphs > 0)
            ret_result->graphs[i] = file.processes[i].graph;
        else
            graph_free(file.processes[i].graph);
    }
    xml_document_deinit(&document);
}

void parser_read(const char *file, const char *text, size_t n, bool decoded,
                 struct parse_result *ret_result)
{
    read_all((struct file_build){.name = file != NULL ? file : "", .files_unknown = true}, text, n,
             decoded, ret_result);
}

void parser_read_with(const char *file, const char *text, size_t n, bool decoded,
                      const struct parser_file *files, size_t n_files,
                      struct parse_result *ret_result)
{
    read_all(
        (struct file_build){.name = file != NULL ? file : "", .files = files, .n_files = n_files},
        text, n, decoded, ret_result);
}

void parse_result_deinit(struct parse_result *result)
{
    for (size_t i = 0; i < result->n_graphs; i++)
        graph_free(result->graphs[i]);
    arena_deinit(&result->arena);
    *result = (struct parse_result){0};
}
