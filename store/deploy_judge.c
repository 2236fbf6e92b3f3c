/* SPDX-License-Identifier: Apache-2.0 */
/* Reads and judges the files of a deployment; touches no database. */
#include "base/build.h"

#include "store/deploy.h"

void deploy_found(struct deployment *deployment, enum finding_severity severity, const char *file,
                  int line, const char *element, const char *code, const char *message)
{
    struct deploy_finding *found =
        arena_push(deployment->arena, deployment->findings, deployment->n_findings,
                   deployment->findings_capacity);
    *found = (struct deploy_finding){
        .file = file,
        .finding = {.severity = severity,
                    .line = line,
                    .element = element,
                    .code = code,
                    .message = message},
    };
    deployment->n_errors += severity == FINDING_ERROR;
}

static void refuse(struct deployment *deployment, const char *file, int line, const char *element,
                   const char *code, const char *message)
{
    deploy_found(deployment, FINDING_ERROR, file, line, element, code, message);
}

static bool ends_with(const char *text, const char *end)
{
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static const char *member_text(const struct value *object, const char *name, size_t *ret_n)
{
    const struct value *member = value_member(object, name, strlen(name));

    if (member == NULL || member->kind != VALUE_STRING)
        return NULL;
    *ret_n = member->u.string.n;
    return member->u.string.text;
}

static void read_file(struct deployment *deployment, const struct value *item)
{
    size_t name_n = 0, content_n = 0;
    const char *name = member_text(item, "name", &name_n);
    const char *content = member_text(item, "content", &content_n);

    if (name == NULL || content == NULL) {
        refuse(deployment, "", 0, "", "unreadable-deployment",
               "A file of the deployment has no name or no content.");
        return;
    }
    deployment->files[deployment->n_files++] = (struct deploy_file){
        .name = name,
        .content = content,
        .n = content_n,
        .is_bpmn = ends_with(name, ".bpmn") || ends_with(name, ".xml"),
    };
}

static void read_body(struct deployment *deployment, const char *body, size_t n)
{
    struct value value;
    struct err err = {0};

    if (body == NULL || value_read(deployment->arena, body, n, &value, &err) < 0 ||
        value.kind != VALUE_ARRAY) {
        refuse(deployment, "", 0, "", "unreadable-deployment",
               arena_printf(deployment->arena, "The deployment is no JSON array of files: %s",
                            err.code != ERR_NONE ? err.text : "it is something else"));
        return;
    }
    deployment->files = arena_array(deployment->arena, value.u.array.n, sizeof(*deployment->files));
    for (size_t i = 0; i < value.u.array.n; i++)
        read_file(deployment, &value.u.array.items[i]);
}

static void judge_file(struct deployment *deployment, size_t index)
{
    struct deploy_file *file = &deployment->files[index];

    struct parser_file *others =
        arena_array(deployment->arena, deployment->n_files, sizeof(*others));
    size_t n_others = 0;

    for (size_t i = 0; i < deployment->n_files; i++) {
        const struct deploy_file *other = &deployment->files[i];
        if (!other->is_bpmn)
            others[n_others++] =
                (struct parser_file){.name = other->name, .text = other->content, .n = other->n};
    }
    parser_read_with(file->name, file->content, file->n, true, others, n_others, &file->parsed);
    for (size_t i = 0; i < file->parsed.n_findings; i++) {
        const struct finding *f = &file->parsed.findings[i];
        if (strcmp(f->code, "java-class") == 0)
            continue; /* deploy.c looks whether it is mapped */
        deploy_found(deployment, f->severity, file->name, f->line, f->element, f->code, f->message);
        deployment->findings[deployment->n_findings - 1].finding.column = f->column;
    }
    for (size_t i = 0; i < file->parsed.n_graphs; i++) {
        struct deploy_process *process =
            arena_push(deployment->arena, deployment->processes, deployment->n_processes,
                       deployment->processes_capacity);
        *process = (struct deploy_process){
            .file = file, .file_index = index, .graph = file->parsed.graphs[i]};
    }
}

/* Two processes of the deployment with the same key, or that start with the same message. */
static void judge_pair(struct deployment *deployment, const struct deploy_process *a,
                       const struct deploy_process *b)
{
    struct arena *arena = deployment->arena;

    if (strcmp(a->graph->key, b->graph->key) == 0) {
        refuse(deployment, b->file->name, 0, b->graph->key, "duplicate-process",
               arena_printf(arena, "Process '%s' is also in %s: give one of them another id.",
                            b->graph->key, a->file->name));
        return;
    }
    for (size_t i = 0; i < a->graph->n_event_starts; i++) {
        const struct node *x = &a->graph->nodes[a->graph->event_starts[i]];
        for (size_t j = 0; x->event.kind == EVENT_MESSAGE && j < b->graph->n_event_starts; j++) {
            const struct node *y = &b->graph->nodes[b->graph->event_starts[j]];
            if (y->event.kind != EVENT_MESSAGE ||
                strcmp(expr_text(x->event.message_name), expr_text(y->event.message_name)) != 0)
                continue;
            refuse(deployment, b->file->name, y->line, y->id, "duplicate-message-start",
                   arena_printf(arena,
                                "Process '%s' starts with message '%s', too: only one process may "
                                "start with a message of that name.",
                                a->graph->key, expr_text(x->event.message_name)));
        }
    }
}

void deploy_judge(struct deployment *deployment, const char *body, size_t body_n)
{
    size_t n_bpmn = 0;

    read_body(deployment, body, body_n);
    for (size_t i = 0; i < deployment->n_files; i++) {
        if (!deployment->files[i].is_bpmn)
            continue;
        n_bpmn++;
        judge_file(deployment, i);
    }
    if (n_bpmn == 0 && deployment->n_errors == 0)
        refuse(deployment, deployment->n_files > 0 ? deployment->files[0].name : "", 0, "",
               "no-bpmn-file",
               "There is no BPMN file in the deployment: its name must end with .bpmn or "
               ".xml.");
    for (size_t i = 0; i < deployment->n_processes; i++) {
        for (size_t j = i + 1; j < deployment->n_processes; j++)
            judge_pair(deployment, &deployment->processes[i], &deployment->processes[j]);
    }
}

void deploy_forget(struct deployment *deployment)
{
    result_free(deployment->former);
    for (size_t i = 0; i < deployment->n_files; i++) {
        if (deployment->files[i].is_bpmn)
            parse_result_deinit(&deployment->files[i].parsed);
        deployment->files[i].is_bpmn = false;
    }
}

/* ---- Findings as JSON ---- */

static void add_text(struct arena *arena, struct buf *json, const char *name, const char *text)
{
    struct value value =
        value_string(arena, text != NULL ? text : "", text != NULL ? strlen(text) : 0);

    buf_printf(json, "\"%s\":", name);
    value_write(&value, json);
    buf_add_char(json, ',');
}

const char *deploy_findings_json(const struct deployment *deployment)
{
    struct buf json CLEANUP(buf_deinit);

    buf_init(&json, 0);
    buf_add_char(&json, '[');
    for (size_t i = 0; i < deployment->n_findings; i++) {
        const struct finding *f = &deployment->findings[i].finding;
        buf_add_str(&json, i == 0 ? "{" : ",{");
        add_text(deployment->arena, &json, "file", deployment->findings[i].file);
        buf_printf(&json, "\"line\":%d,\"column\":%d,", f->line, f->column);
        add_text(deployment->arena, &json, "element", f->element);
        add_text(deployment->arena, &json, "code", f->code);
        add_text(deployment->arena, &json, "message", f->message);
        buf_printf(&json, "\"severity\":\"%s\"}",
                   f->severity == FINDING_ERROR ? "error" : "warning");
    }
    buf_add_char(&json, ']');
    return arena_strdup(deployment->arena, buf_str(&json));
}
