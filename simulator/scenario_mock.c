/* SPDX-License-Identifier: Apache-2.0 */
/* What a case says that services answer, and messages from one part of the process to another. */
#include "base/build.h"

#include "engine/isotime.h"
#include "simulator/internal.h"

#define TIMEOUT_US INT64_C(30000000) /* of calls that say none: the endpoint's, as it comes */

static const struct item *answers_of(const struct run *run, const char *name)
{
    const struct item *found = item_member(item_member(run->of, "answers"), name);

    if (found == NULL)
        found = item_member(item_member(run->scenario->document, "answers"), name);
    return found;
}

static size_t count(struct run *run, const char *name)
{
    for (size_t i = 0; i < run->n_counts; i++)
        if (strcmp(run->counts[i].name, name) == 0)
            return run->counts[i].n++;
    *arena_push(run->arena, run->counts, run->n_counts, run->counts_capacity) =
        (struct run_count){.name = name, .n = 1};
    return 0;
}

/* The next answer for one of the names; NULL: the case has none left, and ends. */
static const struct item *answer_next(struct run *run, const char *element, const char *name,
                                      const char *what)
{
    const struct item *all = answers_of(run, element);
    const char *of = element;

    if (all == NULL) {
        all = answers_of(run, name);
        of = name;
    }
    if (all == NULL) {
        run_stop(run, run->of->line,
                 "%s asks %s: give it something under \"answers\", by %s or %s (\"none\" if it "
                 "shall wait)",
                 element, what, element, name);
        return NULL;
    }
    if (all->kind != ITEM_LIST)
        return all;
    size_t n = count(run, of);
    if (n < all->n)
        return all->list[n];
    run_stop(run, all->line, "%s asks %s: there are %zu answers for %s, and this is request %zu",
             element, what, all->n, of, n + 1);
    return NULL;
}

/* ---- Requests ---- */

struct reply {
    const char *outcome, *error, *status, *headers, *body;
    int64_t after_us;
};

static const char *quoted(struct run *run, const char *text)
{
    struct item item = {.kind = ITEM_STRING, .text = text};

    return text != NULL ? run_json(run, &item) : "null";
}

static bool duration_us(struct run *run, const struct item *text, int64_t *ret_us)
{
    struct iso_duration duration;
    struct err err = {0};

    if (iso_duration_parse(text->text, strlen(text->text), &duration, &err) < 0) {
        run_stop(run, text->line, "after: %s", err.text);
        return false;
    }
    *ret_us = iso_duration_us(&duration);
    return true;
}

static bool is_word(const char *outcome)
{
    static const char *const words[] = {"answered", "status",  "unreadable", "timeout",
                                        "offline",  "refused", "unknown",    "open",
                                        "expired",  "none",    "bpmnError"};

    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcmp(outcome, words[i]) == 0)
            return true;
    return false;
}

static bool reply_read(struct run *run, const struct item *answer, struct reply *ret)
{
    const struct item *status = item_member(answer, "status"), *code = NULL;
    const struct item *body = item_member(answer, "body"), *after = item_member(answer, "after");

    *ret = (struct reply){.outcome = "answered", .status = "null", .headers = "{}", .body = "null"};
    if (answer->kind == ITEM_STRING)
        ret->outcome = answer->text;
    if (body == NULL)
        body = item_member(answer, "result");
    if (body != NULL)
        ret->body = run_json(run, body);
    if (status != NULL) {
        ret->status = status->text;
        ret->outcome = status->text[0] == '2' ? "answered" : "status";
    } else if (answer->kind == ITEM_MAP && item_member(answer, "result") == NULL) {
        ret->status = "200";
    }
    if (item_member(answer, "headers") != NULL)
        ret->headers = run_json(run, item_member(answer, "headers"));
    code = item_member(answer, "error");
    if (code != NULL) {
        ret->error = code->text;
        ret->outcome = status != NULL ? ret->outcome : "offline";
    }
    if (item_member(answer, "outcome") != NULL)
        ret->outcome = item_member(answer, "outcome")->text;
    if (!is_word(ret->outcome)) {
        run_stop(run, answer->line, "no request ends as \"%s\": docs/testing.md has the words",
                 ret->outcome);
        return false;
    }
    ret->after_us = -1;
    return after == NULL || duration_us(run, after, &ret->after_us);
}

static void answer_call(struct run *run, const struct new_call *call, const char *element)
{
    const char *what = arena_printf(run->arena, "%s for %s %s", call->endpoint, call->method,
                                    call->path != NULL ? call->path : "");
    bool delegate = strcmp(call->method, DELEGATE_METHOD) == 0;
    const struct item *answer =
        answer_next(run, element, delegate ? call->path : call->endpoint, what);
    struct run_answer next = {.call = call->id, .attempt = call->attempt, .due_us = INT64_MAX};
    struct reply reply;

    if (answer == NULL || !reply_read(run, answer, &reply))
        return;
    bool timeout = strcmp(reply.outcome, "timeout") == 0;
    if (reply.after_us < 0)
        reply.after_us = !timeout ? 0 : call->timeout_us > 0 ? call->timeout_us : TIMEOUT_US;
    const char *code = "null";
    if (delegate && reply.error != NULL) {
        code = quoted(run, reply.error);
        reply.outcome = "bpmnError";
        const struct item *text = item_member(answer, "message");
        reply.error = text != NULL ? text->text : NULL;
    }
    if (strcmp(reply.outcome, "none") != 0) {
        bool ok = strcmp(reply.outcome, "answered") == 0;
        if (reply.error == NULL && !ok)
            reply.error = arena_printf(run->arena, "%s: %s", call->endpoint, reply.outcome);
        next.due_us = run->sim.now_us + reply.after_us;
        next.response = arena_printf(
            run->arena,
            "{\"outcome\":%s,\"ok\":%s,\"status\":%s,\"headers\":%s,\"body\":%s,\"error\":%s,"
            "\"errorCode\":%s,\"retryAfterMs\":null,\"attempt\":%u,\"ms\":%lld,\"fromCache\":"
            "false}",
            quoted(run, reply.outcome), ok ? "true" : "false", reply.status, reply.headers,
            reply.body, quoted(run, reply.error), code, call->attempt,
            (long long)(reply.after_us / 1000));
    }
    *arena_push(run->arena, run->answers, run->n_answers, run->answers_capacity) = next;
}

static bool is_answered(const struct run *run, const struct new_call *call)
{
    for (size_t i = 0; i < run->n_answers; i++)
        if (uuid_equal(&run->answers[i].call, &call->id) &&
            run->answers[i].attempt == call->attempt)
            return true;
    return false;
}

static struct command call_command(const struct run *run, enum command_kind kind,
                                   const struct new_call *call)
{
    return (struct command){.kind = kind,
                            .instance = call->instance,
                            .root = run->sim.root,
                            .token = call->token,
                            .node = call->node,
                            .subject = call->id,
                            .tries = call->attempt,
                            .due_us = run->sim.now_us};
}

static void carry_out(struct run *run, const struct command *command)
{
    if (simulator_run_all(&run->sim, command) < 0)
        run_stop(run, run->of->line, "%s", run->sim.trouble.text);
}

/* A request that nobody has looked at yet leaves now; false: there is none. */
static bool send_one(struct run *run)
{
    for (size_t i = 0; i < run->sim.n_calls && !run->stopped; i++) {
        struct new_call call = run->sim.calls[i].call;
        if (is_answered(run, &call))
            continue;
        const char *element = simulator_element(&run->sim, &call.instance, call.node);
        *arena_push(run->arena, run->requests, run->n_requests, run->requests_capacity) =
            (struct run_request){.element = element, .call = call};
        answer_call(run, &call, element);
        struct command sent = call_command(run, COMMAND_CALL_SENT, &call);
        if (call.report_sent && !run->stopped)
            carry_out(run, &sent);
        return true;
    }
    return false;
}

static bool deliver_one(struct run *run)
{
    while (run->n_delivered < run->sim.n_messages) {
        const struct message_out *message = &run->sim.messages[run->n_delivered++];
        struct command command;
        if (simulator_take_message(&run->sim, message->name, message->key, message->body,
                                   &command)) {
            carry_out(run, &command);
            return true;
        }
    }
    return false;
}

static bool answer_one(struct run *run)
{
    for (size_t i = 0; i < run->n_answers; i++) {
        struct run_answer *answer = &run->answers[i];
        if (answer->response == NULL || answer->due_us > run->sim.now_us)
            continue;
        for (size_t c = 0; c < run->sim.n_calls; c++) {
            const struct new_call call = run->sim.calls[c].call;
            if (!uuid_equal(&call.id, &answer->call) || call.attempt != answer->attempt)
                continue;
            struct command command = call_command(run, COMMAND_CALL_RESULT, &call);
            command.body = answer->response;
            command.body_n = strlen(answer->response);
            answer->response = NULL;
            run->sim.calls[c] = run->sim.calls[--run->sim.n_calls];
            carry_out(run, &command);
            return true;
        }
        answer->response = NULL; /* nobody waits for it any more */
        return true;
    }
    return false;
}

void run_settle(struct run *run)
{
    while (!run->stopped && (send_one(run) || deliver_one(run) || answer_one(run)))
        ;
}

int64_t run_next_answer(const struct run *run)
{
    int64_t due_us = INT64_MAX;

    for (size_t i = 0; i < run->n_answers; i++)
        if (run->answers[i].response != NULL && run->answers[i].due_us < due_us)
            due_us = run->answers[i].due_us;
    return due_us;
}

/* ---- SQL delegates ---- */

void run_delegate(struct sim *sim, struct need *need)
{
    struct run *run = sim->context;
    const char *element = need->of != NULL ? need->of->id : need->delegate;

    if (run->stopped)
        return;
    const struct item *answer = answer_next(run, element, need->delegate, need->delegate);
    if (answer == NULL)
        return;
    const struct item *result = item_member(answer, "result"), *code = item_member(answer, "error");
    const struct item *message = item_member(answer, "message");
    if (result != NULL)
        need->result = run_json(run, result);
    if (code != NULL) {
        need->error_code = code->text;
        need->error_message = message != NULL ? message->text : NULL;
    }
}
