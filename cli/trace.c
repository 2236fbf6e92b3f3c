/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/story.h"
#include "cli/text.h"
#include "cli/why.h"

#define DEPTH_MOST 100 /* LIMIT_CALL_DEPTH */

struct trace {
    struct cli *cli;
    struct client *client;
    int64_t started_us; /* of the instance that was asked for: times are told from there */
    int64_t now_us;
    struct err *err;
};

static bool is_kind(const json_t *event, const char *kind)
{
    const char *text = json_string_value(json_object_get(event, "kind"));

    return text != NULL && strcmp(text, kind) == 0;
}

/* The clock, the time since the start, how long it took; then the text, cut to the terminal. */
static void line(const struct trace *trace, int depth, int64_t at_us, const char *span,
                 enum colour colour, const char *text)
{
    struct cli *cli = trace->cli;
    struct buf out;
    const int column = 33;

    buf_init(&out, 0);
    colour_begin(cli, &out, COLOUR_DIM);
    if (at_us != MOMENT_NONE) {
        const char *exact = moment_exact(&cli->arena, at_us);
        const char *since = moment_span(&cli->arena, at_us - trace->started_us);
        buf_printf(&out, "%s %9s%s", strlen(exact) > 11 ? exact + 11 : exact,
                   arena_printf(&cli->arena, "+%s", since), "");
        buf_printf(&out, " %9s", span);
    }
    colour_end(cli, &out, COLOUR_DIM);
    if (at_us == MOMENT_NONE)
        text_pad(&out, column - 1);
    text_pad(&out, 2 + 2 * depth);
    colour_begin(cli, &out, colour);
    int room = cli->width == 0 ? 0 : cli->width - column - 1 - 2 * depth;
    text_add(&out, text, cli->width == 0 ? 0 : room < 10 ? 10 : room);
    colour_end(cli, &out, colour);
    buf_add_char(&out, '\n');
    output_buf(&out);
    buf_deinit(&out);
}

/* The event that ended what this activityStarted began: the next of its token and element. */
static const json_t *end_of(const json_t *events, size_t from)
{
    const json_t *start = json_array_get(events, from);
    int64_t token = row_int(start, "token");
    const json_t *element = json_object_get(start, "element_id");

    for (size_t i = from + 1; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        if ((is_kind(event, "activityEnded") || is_kind(event, "activityCancelled")) &&
            row_int(event, "token") == token &&
            json_equal(json_object_get(event, "element_id"), element))
            return event;
    }
    return NULL;
}

/* Was this end told with its start already? */
static bool told(const json_t *events, size_t at)
{
    const json_t *end = json_array_get(events, at);

    for (size_t i = 0; i < at; i++)
        if (is_kind(json_array_get(events, i), "activityStarted") && end_of(events, i) == end)
            return true;
    return false;
}

static const char *element_text(const struct trace *trace, const json_t *event, const json_t *end,
                                const json_t *elements)
{
    struct cli *cli = trace->cli;
    const char *name = row_string(cli, event, "element_name");
    const char *kind = story_kind(elements, row_string(cli, event, "element_id"));
    const json_t *data = json_object_get(end, "data");
    const char *text = name != NULL ? name : row_text(cli, event, "element_id"), *by;

    if (*kind != '\0')
        text = arena_printf(&cli->arena, "%s (%s)", text, kind);
    if (end == NULL)
        return arena_printf(&cli->arena, "%s ... it is here", text);
    if (is_kind(end, "activityCancelled")) {
        by = row_string(cli, data, "by");
        return arena_printf(&cli->arena, "%s -> left%s%s", text, by != NULL ? ", because of " : "",
                            by != NULL ? story_element_by_id(cli, elements, by) : "");
    }
    by = row_string(cli, data, "won");
    if (by != NULL)
        return arena_printf(&cli->arena, "%s -> %s", text, story_element_by_id(cli, elements, by));
    return text;
}

static int print_instance(struct trace *trace, const struct uuid *id, int depth);

/* What a call activity started: its own story, further in. */
static int print_called(struct trace *trace, const json_t *start, int depth)
{
    json_auto_t *called = NULL;
    json_t *row;
    struct uuid parent, child;
    int result = 0;
    size_t i;

    if (!row_uuid(start, "instance_id", &parent) || depth > DEPTH_MOST)
        return 0;
    if (client_called(trace->client, &parent, row_time(start, "at"), &called, trace->err) < 0)
        return err_trace(trace->err);
    json_array_foreach(called, i, row)
    {
        const json_t *element = json_object_get(json_object_get(row, "data"), "element");
        if (result == 0 && json_equal(element, json_object_get(start, "element_id")) &&
            row_uuid(row, "instance_id", &child))
            result = print_instance(trace, &child, depth);
    }
    return result;
}

static int print_element(struct trace *trace, const json_t *events, size_t i,
                         const json_t *elements, int depth)
{
    struct arena *arena = &trace->cli->arena;
    const json_t *event = json_array_get(events, i);
    const json_t *end = is_kind(event, "activityStarted") ? end_of(events, i) : event;
    int64_t from = end == event ? row_time(event, "started") : row_time(event, "at");
    int64_t to = end != NULL ? row_time(end, "at") : trace->now_us;
    const char *kind =
        story_kind(elements, json_string_value(json_object_get(event, "element_id")));
    bool waited = from != MOMENT_NONE && to > from;
    enum colour colour = end == NULL                         ? COLOUR_CYAN
                         : is_kind(end, "activityCancelled") ? COLOUR_YELLOW
                                                             : COLOUR_NONE;

    line(trace, depth, row_time(event, "at"), waited ? moment_span(arena, to - from) : "", colour,
         element_text(trace, event, end, elements));
    if (strcmp(kind, "call activity") == 0 && is_kind(event, "activityStarted"))
        return print_called(trace, event, depth + 1);
    return 0;
}

static const char *headline(const struct trace *trace, const json_t *row)
{
    struct cli *cli = trace->cli;
    int64_t started = row_time(row, "started"), ended = row_time(row, "ended");
    const char *reason = row_string(cli, row, "reason"), *state = row_text(cli, row, "state");
    const char *text =
        arena_printf(&cli->arena, "%s version %s, %s: %s", row_text(cli, row, "process"),
                     row_text(cli, row, "version"), row_text(cli, row, "instance_id"), state);

    if (reason != NULL)
        text = arena_printf(&cli->arena, "%s (%s)", text, reason);
    if (ended != MOMENT_NONE && started != MOMENT_NONE)
        return arena_printf(&cli->arena, "%s after %s", text,
                            moment_span(&cli->arena, ended - started));
    return text;
}

static int print_events(struct trace *trace, const json_t *events, const json_t *elements,
                        int depth)
{
    const json_t *event;
    size_t i;

    json_array_foreach(events, i, event)
    {
        bool end = is_kind(event, "activityEnded") || is_kind(event, "activityCancelled");
        if (is_kind(event, "activityStarted") || (end && !told(events, i))) {
            if (print_element(trace, events, i, elements, depth) < 0)
                return err_trace(trace->err);
            continue;
        }
        const char *text = story_event(trace->cli, event, elements, trace->now_us);
        if (text == NULL)
            continue;
        bool bad = is_kind(event, "incident") || is_kind(event, "jobFailed") ||
                   is_kind(event, "errorThrown");
        line(trace, depth + 1, row_time(event, "at"), "", bad ? COLOUR_RED : COLOUR_DIM, text);
    }
    return 0;
}

static int instance_row(struct trace *trace, const struct uuid *id, json_t **ret_row)
{
    json_auto_t *rows = NULL;

    if (client_instances_between(trace->client, id, id, 1, &rows, trace->err) < 0)
        return err_trace(trace->err);
    *ret_row = json_incref(json_array_get(rows, 0));
    return 0;
}

/* A called instance: a line that names it, then its events. */
static int print_instance(struct trace *trace, const struct uuid *id, int depth)
{
    json_t *row = NULL, *events = NULL, *elements = NULL;
    int result = -1;

    if (instance_row(trace, id, &row) < 0 ||
        client_events(trace->client, id, &events, trace->err) < 0 ||
        client_elements(trace->client, id, &elements, trace->err) < 0)
        goto out;
    if (depth > 0 && row != NULL)
        line(trace, depth, MOMENT_NONE, "", COLOUR_BOLD, headline(trace, row));
    result = print_events(trace, events, elements, depth);
out:
    json_decref(row);
    json_decref(events);
    json_decref(elements);
    return result < 0 ? err_trace(trace->err) : 0;
}

static void print_head(const struct trace *trace, const json_t *row)
{
    struct cli *cli = trace->cli;
    const char *key = row_string(cli, row, "business_key");
    struct buf out;

    buf_init(&out, 0);
    colour_begin(cli, &out, COLOUR_BOLD);
    text_add(&out,
             arena_printf(&cli->arena, "%s%s%s", key != NULL ? key : "", key != NULL ? ": " : "",
                          headline(trace, row)),
             cli->width);
    colour_end(cli, &out, COLOUR_BOLD);
    buf_printf(&out, "\nstarted %s", moment_exact(&cli->arena, row_time(row, "started")));
    if (row_time(row, "ended") != MOMENT_NONE)
        buf_printf(&out, ", ended %s", moment_exact(&cli->arena, row_time(row, "ended")));
    buf_add_str(&out, "\n");
    colour_begin(cli, &out, COLOUR_DIM);
    buf_printf(&out, "%-12s %9s %9s  %s", "at", "since", "took", "what");
    colour_end(cli, &out, COLOUR_DIM);
    buf_add_char(&out, '\n');
    output_buf(&out);
    buf_deinit(&out);
}

/* With -o json: the events as they were written, those of called instances after those of the
 * caller. */
static int json_events(struct trace *trace, const struct uuid *id, int depth)
{
    json_auto_t *events = NULL;
    json_t *event;
    size_t i;
    int result = 0;

    if (client_events(trace->client, id, &events, trace->err) < 0)
        return err_trace(trace->err);
    json_array_foreach(events, i, event)
    {
        json_object_set_new(event, "depth", json_integer(depth));
        output_json(event);
    }
    json_array_foreach(events, i, event)
    {
        json_t *called = NULL, *row;
        struct uuid child;
        size_t j;
        if (result < 0 || depth > DEPTH_MOST || !is_kind(event, "activityStarted"))
            continue;
        result = client_called(trace->client, id, row_time(event, "at"), &called, trace->err);
        json_array_foreach(called, j, row)
        {
            const json_t *element = json_object_get(json_object_get(row, "data"), "element");
            if (result == 0 && json_equal(element, json_object_get(event, "element_id")) &&
                row_uuid(row, "instance_id", &child))
                result = json_events(trace, &child, depth + 1);
        }
        json_decref(called);
    }
    return result < 0 ? err_trace(trace->err) : 0;
}

static int print_story(struct trace *trace, const json_t *row, const struct uuid *id)
{
    json_auto_t *now = NULL;

    if (client_clock(trace->client, &now, trace->err) < 0)
        return err_trace(trace->err);
    trace->now_us = row_time(now, "now");
    trace->started_us = row_time(row, "started");
    print_head(trace, row);
    if (print_instance(trace, id, 0) < 0)
        return err_trace(trace->err);
    if (row_time(row, "ended") != MOMENT_NONE)
        return 0;
    putchar('\n');
    return why_print(trace->cli, trace->client, row, trace->err) < 0 ? err_trace(trace->err) : 0;
}

static enum exit_code run_trace(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    struct trace trace = {.cli = cli, .err = &err};
    json_auto_t *row = NULL;
    struct uuid id;

    enum exit_code code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_instance(cli, client, cli->arguments[0], &row, &id);
    if (code != EXIT_DONE)
        return code;
    trace.client = client;
    int result = cli->json ? json_events(&trace, &id, 0) : print_story(&trace, row, &id);
    return result < 0 ? cli_fail(cli, &err) : EXIT_DONE;
}

const struct subcommand command_trace = {
    .name = "trace",
    .arguments = "ID",
    .summary = "the story of one instance",
    .about =
        "Tells what happened to an instance, in the order in which it happened: each element with "
        "the time, "
        "how long after the start, and how long the process waited in it; requests to services "
        "with their "
        "attempts and what came back; errors and who caught them; messages, retries, tasks and who "
        "did them; "
        "answers that came too late. What a call activity started is told below it, further in. Of "
        "an "
        "instance that runs, the last lines say what it waits for.\n"
        "\n"
        "With -o json each event is an object: at, kind, element_id, token, started, data, depth.\n"
        "\n"
        "ID is the instance's id, the beginning of it (at least 8 characters), or its business key "
        "while "
        "that is unique.",
    .examples = "  pawl trace 4711\n  pawl trace 01998e3a-7c2e-7d -o json | jq -r .kind\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_trace,
};
