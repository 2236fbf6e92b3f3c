/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* A graph as text, for the .graph files: everything that is in it, one line a thing. */
#include "base/buf.h"
#include "parser/parser.h"

static void dump_expr(struct buf *out, const char *name, const struct expr *expr)
{
    if (expr != NULL)
        buf_printf(out, " %s=\"%s\"", name, expr_text(expr));
}

static void dump_text(struct buf *out, const char *name, const char *text)
{
    if (text != NULL)
        buf_printf(out, " %s=\"%s\"", name, text);
}

static void dump_mapping(struct buf *out, const char *what, const struct mapping *m, int depth)
{
    static const char *const kinds[] = {"", " list", " map"};

    buf_printf(out, "%*s%s%s", depth * 4, "", what, kinds[m->kind]);
    dump_text(out, "name", m->name);
    dump_expr(out, "value", m->value);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < m->n_items; i++)
        dump_mapping(out, "item", &m->items[i], depth + 1);
}

static void dump_event(struct buf *out, const struct graph *graph, const struct event_definition *e)
{
    static const char *const kinds[] = {"none", "message", "timer", "error", "terminate"};
    static const char *const timers[] = {"date", "duration", "cycle"};

    if (e->kind != EVENT_NONE)
        buf_printf(out, " %s", kinds[e->kind]);
    if (e->kind == EVENT_TIMER)
        buf_printf(out, " %s", timers[e->timer]);
    dump_expr(out, "message", e->message_name);
    dump_expr(out, "key", e->correlation_key);
    dump_expr(out, "ttl", e->time_to_live);
    dump_expr(out, "time", e->time);
    if (e->zone != NULL)
        dump_text(out, "zone", e->zone->name);
    if (e->catch_up == CATCH_UP_ALL)
        buf_printf(out, " catchUp=all");
    dump_text(out, "error", e->error_code);
    dump_text(out, "errorMessage", e->error_message);
    dump_text(out, "codeVariable", e->error_code_variable);
    dump_text(out, "messageVariable", e->error_message_variable);
    if (e->starts_when_sent >= 0)
        buf_printf(out, " startsWhenSent=%s", graph->nodes[e->starts_when_sent].id);
}

static void dump_external(struct buf *out, const struct external_task *e)
{
    buf_printf(out, "    external");
    if (e->class_name != NULL)
        buf_printf(out, " class \"%s\"", e->class_name);
    dump_expr(out, "topic", e->topic);
    dump_expr(out, "priority", e->priority);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < e->n_errors; i++)
        buf_printf(out, "      error %s when \"%s\"\n", e->errors[i].code,
                   expr_text(e->errors[i].when));
}

static void dump_http(struct buf *out, const struct http_call *h)
{
    buf_printf(out, "    http %s %s", h->mode == HTTP_FIRE ? "fire" : "wait", h->method);
    dump_expr(out, "endpoint", h->endpoint);
    dump_expr(out, "path", h->path);
    dump_expr(out, "body", h->body);
    dump_text(out, "contentType", h->content_type);
    if (h->timeout_us != 0)
        buf_printf(out, " timeout=%lldus", (long long)h->timeout_us);
    if (h->connect_timeout_us != 0)
        buf_printf(out, " connectTimeout=%lldus", (long long)h->connect_timeout_us);
    if (h->deadline_us != 0)
        buf_printf(out, " deadline=%lldus", (long long)h->deadline_us);
    dump_text(out, "deadlineError", h->deadline_error);
    if (h->open_after_us >= 0)
        buf_printf(out, " openAfter=%lldus", (long long)h->open_after_us);
    dump_text(out, "openError", h->open_error);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < h->n_query; i++)
        buf_printf(out, "        query %s=\"%s\"\n", h->query[i].name,
                   expr_text(h->query[i].value));
    for (size_t i = 0; i < h->n_headers; i++)
        buf_printf(out, "        header %s=\"%s\"\n", h->headers[i].name,
                   expr_text(h->headers[i].value));
    for (size_t i = 0; i < h->n_answers; i++) {
        const struct http_answer *a = &h->answers[i];
        buf_printf(out, "        answer");
        dump_expr(out, "when", a->when);
        if (a->then != ANSWER_SUCCEEDS)
            buf_printf(out, " then=%s", a->then == ANSWER_RETRIES ? "retry" : "ignore");
        dump_text(out, "message", a->message);
        dump_text(out, "error", a->error_code);
        dump_expr(out, "errorMessage", a->error_message);
        buf_add_char(out, '\n');
        for (size_t k = 0; k < a->n_outputs; k++)
            dump_mapping(out, "output", &a->outputs[k], 3);
    }
    for (size_t i = 0; i < h->n_outputs; i++)
        dump_mapping(out, "output", &h->outputs[i], 2);
}

static void dump_delegate(struct buf *out, const struct delegate_call *d,
                          const struct http_call *call)
{
    buf_printf(out, "    %s %s", call == NULL ? "sql" : "delegate", d->name);
    if (call != NULL && call->timeout_us != 0)
        buf_printf(out, " timeout=%lldus", (long long)call->timeout_us);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < d->n_inputs; i++)
        dump_mapping(out, "input", &d->inputs[i], 2);
    for (size_t i = 0; i < d->n_outputs; i++)
        dump_mapping(out, "output", &d->outputs[i], 2);
}

static void dump_callback(struct buf *out, const struct callback *c)
{
    buf_add_str(out, "    callback");
    dump_expr(out, "timeout", c->timeout);
    dump_text(out, "or", c->timeout_error);
    dump_expr(out, "heartbeat", c->heartbeat);
    dump_text(out, "or", c->heartbeat_error);
    dump_text(out, "failure", c->failure_error);
    dump_expr(out, "by", c->allowed_caller);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < c->n_outputs; i++)
        dump_mapping(out, "output", &c->outputs[i], 2);
}

static void dump_call_mappings(struct buf *out, const char *what, const struct call_mapping *m,
                               size_t n)
{
    for (size_t i = 0; i < n; i++) {
        buf_printf(out, "        %s%s", what, m[i].kind == CALL_MAP_ALL ? " all" : "");
        dump_text(out, "source", m[i].source);
        dump_expr(out, "expression", m[i].expression);
        dump_text(out, "target", m[i].target);
        buf_printf(out, "%s\n", m[i].local ? " local" : "");
    }
}

static void dump_call(struct buf *out, const struct call_activity *c)
{
    static const char *const bindings[] = {"latest", "deployment", "version"};

    buf_printf(out, "    call %s", bindings[c->binding]);
    dump_expr(out, "element", c->called_element);
    dump_expr(out, "version", c->version);
    dump_expr(out, "businessKey", c->business_key);
    buf_add_char(out, '\n');
    dump_call_mappings(out, "in", c->in, c->n_in);
    dump_call_mappings(out, "out", c->out, c->n_out);
}

static void dump_user_task(struct buf *out, const struct user_task *t)
{
    buf_printf(out, "    task");
    dump_expr(out, "assignee", t->assignee);
    dump_expr(out, "users", t->candidate_users);
    dump_expr(out, "groups", t->candidate_groups);
    dump_expr(out, "priority", t->priority);
    dump_expr(out, "due", t->due_date);
    dump_expr(out, "followUp", t->follow_up_date);
    dump_text(out, "form", t->form_key);
    buf_add_char(out, '\n');
}

static void dump_multi(struct buf *out, const struct multi_instance *m)
{
    buf_printf(out, "    items %s", m->sequential ? "sequential" : "parallel");
    dump_expr(out, "cardinality", m->cardinality);
    dump_text(out, "variable", m->collection_variable);
    dump_expr(out, "collection", m->collection);
    dump_text(out, "element", m->element_variable);
    dump_text(out, "index", m->index_variable);
    dump_expr(out, "until", m->completion);
    buf_printf(out, "%s%s", m->async_before ? " asyncBefore" : "",
               m->async_after ? " asyncAfter" : "");
    if (m->retry != NULL)
        buf_printf(out, " tries=%u", m->retry->cycle.tries);
    buf_add_char(out, '\n');
}

static void dump_node(struct buf *out, const struct graph *g, int index)
{
    const struct node *n = &g->nodes[index];

    buf_printf(out, "%d %s %s", index, node_kind_name(n->kind), n->id);
    dump_text(out, "name", n->name);
    buf_printf(out, " line=%d", n->line);
    if (n->scope >= 0)
        buf_printf(out, " in=%s", g->nodes[n->scope].id);
    dump_event(out, g, &n->event);
    if (n->kind == NODE_BOUNDARY_EVENT)
        buf_printf(out, " at=%s%s", g->nodes[n->attached_to].id,
                   n->interrupting ? "" : " non-interrupting");
    buf_printf(out, "%s%s%s", n->async_before ? " asyncBefore" : "",
               n->async_after ? " asyncAfter" : "", n->exclusive ? "" : " not-exclusive");
    if (n->start >= 0)
        buf_printf(out, " start=%s", g->nodes[n->start].id);
    if (n->retry != NULL) {
        const struct retry_cycle *cycle = &n->retry->cycle;
        const struct retry_backoff *backoff = &n->retry->backoff;
        if (n->retry->kind == RETRY_BACKOFF)
            buf_printf(out, " attempts=%u base=%lldus factor=%g cap=%lldus jitter=%d",
                       backoff->attempts, (long long)backoff->base_us, backoff->factor,
                       (long long)backoff->cap_us, (int)backoff->jitter);
        else if (n->retry->kind == RETRY_EXPRESSION)
            dump_expr(out, "tries", n->retry->expression);
        else
            buf_printf(out, " tries=%u", cycle->tries);
        for (uint32_t i = 0; i < cycle->n_delays; i++)
            buf_printf(out, "%s%lldus", i == 0 ? "/" : ",",
                       (long long)iso_duration_us(&cycle->delays[i]));
    }
    buf_add_char(out, '\n');
    if (n->multi != NULL)
        dump_multi(out, n->multi);
    for (size_t i = 0; i < n->n_inputs; i++)
        dump_mapping(out, "input", &n->inputs[i], 1);
    for (size_t i = 0; i < n->n_outputs; i++)
        dump_mapping(out, "output", &n->outputs[i], 1);
    if (n->service == SERVICE_EXPRESSION)
        buf_printf(out, "    expression \"%s\"%s%s\n", expr_text(n->expression),
                   n->result_variable ? " into " : "",
                   n->result_variable ? n->result_variable : "");
    if (n->http != NULL && n->delegate == NULL)
        dump_http(out, n->http);
    if (n->external != NULL)
        dump_external(out, n->external);
    if (n->delegate != NULL)
        dump_delegate(out, n->delegate, n->http);
    if (n->callback != NULL)
        dump_callback(out, n->callback);
    if (n->user_task != NULL)
        dump_user_task(out, n->user_task);
    if (n->call != NULL)
        dump_call(out, n->call);
    for (size_t i = 0; i < n->n_boundary; i++)
        buf_printf(out, "    boundary %s\n", g->nodes[n->boundary[i]].id);
    for (size_t i = 0; i < n->n_out; i++) {
        const struct flow *f = &g->flows[n->out[i]];
        buf_printf(out, "    -> %s by %s%s", g->nodes[f->target].id, f->id,
                   n->out[i] == n->default_flow ? " default" : "");
        dump_text(out, "name", f->name);
        dump_expr(out, "if", f->condition);
        buf_add_char(out, '\n');
    }
}

static void dump_graph(struct buf *out, const struct graph *g)
{
    buf_printf(out, "process %s", g->key);
    dump_text(out, "name", g->name);
    dump_text(out, "versionTag", g->version_tag);
    dump_text(out, "historyTimeToLive", g->history_time_to_live);
    if (g->none_start >= 0)
        buf_printf(out, " start=%s", g->nodes[g->none_start].id);
    for (size_t i = 0; i < g->n_event_starts; i++)
        buf_printf(out, " eventStart=%s", g->nodes[g->event_starts[i]].id);
    buf_add_char(out, '\n');
    for (size_t i = 0; i < g->n_nodes; i++)
        dump_node(out, g, (int)i);
}
