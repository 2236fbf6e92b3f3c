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

/* Columns in front of the text; a narrow terminal only has the time since the start. */
static int columns_of(const struct trace *trace)
{
    return trace->cli->width != 0 && trace->cli->width < 72 ? 9 : 32;
}

/* Returns how many columns they take: more than columns_of() where something took long. */
static int add_columns(const struct trace *trace, struct buf *out, const char *clock,
                       const char *since, const char *span)
{
    const char *text = columns_of(trace) == 9
                           ? arena_printf(&trace->cli->arena, "%9s", since)
                           : arena_printf(&trace->cli->arena, "%-12s %9s %9s", clock, since, span);

    return text_add(out, text, 0);
}

/* The clock, the time since the start, how long it took; then the text, cut to the terminal. */
static void line(const struct trace *trace, int depth, int64_t at_us, const char *span,
                 enum colour colour, const char *text)
{
    struct cli *cli = trace->cli;
    int column = columns_of(trace) + 2 + 2 * depth;
    struct buf out;

    buf_init(&out, 0);
    colour_begin(cli, &out, COLOUR_DIM);
    if (at_us != MOMENT_NONE) {
        const char *exact = moment_exact(&cli->arena, at_us);
        const char *since = moment_span(&cli->arena, at_us - trace->started_us);
        /* "2026-05-01 10:00:00.500": the date stands in the head. */
        column = 2 + 2 * depth +
                 add_columns(trace, &out, strlen(exact) > 11 ? exact + 11 : exact,
                             arena_printf(&cli->arena, "+%s", since), span);
    }
    colour_end(cli, &out, COLOUR_DIM);
    text_pad(&out, at_us != MOMENT_NONE ? 2 + 2 * depth : column);
    colour_begin(cli, &out, colour);
    text_add(&out, text, cli->width == 0 ? 0 : cli->width - column < 10 ? 10 : cli->width - column);
    colour_end(cli, &out, colour);
    buf_add_char(&out, '\n');
    output_buf(&out);
    buf_deinit(&out);
}

static bool is_end(const json_t *event)
{
    return is_kind(event, "activityEnded") || is_kind(event, "activityCancelled");
}

/* The event that ended what this activityStarted began: the next of its token and element. */
static const json_t *end_of(const json_t *events, size_t from)
{
    const json_t *start = json_array_get(events, from);
    int64_t token = row_int(start, "token");
    const json_t *element = json_object_get(start, "element_id");

    for (size_t i = from + 1; i < json_array_size(events); i++) {
        const json_t *event = json_array_get(events, i);
        if (is_end(event) && row_int(event, "token") == token &&
            json_equal(json_object_get(event, "element_id"), element))
            return event;
    }
    return NULL;
}

/* Which ends are told with their starts? Indexed as the events. */
static bool *paired_ends(struct arena *arena, const json_t *events)
{
    bool *paired = arena_array(arena, json_array_size(events) + 1, sizeof(*paired));

    for (size_t i = 0; i < json_array_size(events); i++) {
        if (!is_kind(json_array_get(events, i), "activityStarted"))
            continue;
        const json_t *end = end_of(events, i);
        for (size_t j = i + 1; end != NULL && j < json_array_size(events); j++)
            paired[j] |= json_array_get(events, j) == end;
    }
    return paired;
}

/*
 * What an element did in passing was written before its end: the element is told first. Where it is
 * among the events, 0 if it was told already or waits.
 */
static size_t element_of(const json_t *events, size_t at, const bool *told)
{
    const json_t *event = json_array_get(events, at);

    /* A fired request leaves, and is answered, when its task is long over. */
    if (is_kind(event, "callSent") || is_kind(event, "callAnswered") || is_kind(event, "callLate"))
        return 0;
    for (size_t i = at + 1; i < json_array_size(events); i++) {
        const json_t *end = json_array_get(events, i);
        if (!json_equal(json_object_get(end, "at"), json_object_get(event, "at")))
            return 0;
        if (is_end(end) && !told[i] && row_int(end, "token") == row_int(event, "token") &&
            json_equal(json_object_get(end, "element_id"), json_object_get(event, "element_id")))
            return i;
    }
    return 0;
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

static int print_instance(struct trace *trace, const struct uuid *id, const json_t *outer,
                          int depth);

/* What a call activity started: its own story, further in. */
static int print_called(struct trace *trace, const json_t *start, const json_t *elements, int depth)
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
            result = print_instance(trace, &child, elements, depth);
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
    /* An event after a gateway waited as long as that, which is told already. */
    bool waited = end != event && from != MOMENT_NONE && to > from;
    enum colour colour = end == NULL                         ? COLOUR_CYAN
                         : is_kind(end, "activityCancelled") ? COLOUR_YELLOW
                                                             : COLOUR_NONE;

    line(trace, depth, row_time(event, "at"), waited ? moment_span(arena, to - from) : "", colour,
         element_text(trace, event, end, elements));
    if (strcmp(kind, "call activity") == 0 && is_kind(event, "activityStarted"))
        return print_called(trace, event, elements, depth + 1);
    return 0;
}

/* "completed after 3 s, order version 1, 0199…" */
static const char *headline(const struct trace *trace, const json_t *row)
{
    struct arena *arena = &trace->cli->arena;
    int64_t started = row_time(row, "started"), ended = row_time(row, "ended");
    const char *reason = row_string(trace->cli, row, "reason");
    const char *text = row_text(trace->cli, row, "state");

    if (reason != NULL)
        text = arena_printf(arena, "%s (%s)", text, reason);
    if (ended != MOMENT_NONE && started != MOMENT_NONE)
        text = arena_printf(arena, "%s after %s", text, moment_span(arena, ended - started));
    return arena_printf(arena, "%s, %s version %s, %s", text, row_text(trace->cli, row, "process"),
                        row_text(trace->cli, row, "version"),
                        row_text(trace->cli, row, "instance_id"));
}

/* A late answer is told of the element that asked: that is all that is left of its place. */
static const json_t *asker_of(const json_t *events, const json_t *event)
{
    const json_t *call = json_object_get(json_object_get(event, "data"), "call"), *other;
    size_t i;

    json_array_foreach(events, i, other)
    {
        if (is_kind(event, "callLate") && is_kind(other, "callRequested") &&
            json_equal(json_object_get(json_object_get(other, "data"), "call"), call))
            return other;
    }
    return event;
}

/* last: the element that was told last; of another one the name is told. */
static void print_event(struct trace *trace, const json_t *events, const json_t *event,
                        const json_t *last, const json_t *elements, int depth)
{
    const char *text = story_event(trace->cli, event, elements, trace->now_us);
    const json_t *place = asker_of(events, event);
    bool bad =
        is_kind(event, "incident") || is_kind(event, "jobFailed") || is_kind(event, "errorThrown");
    bool same =
        json_equal(json_object_get(last, "element_id"), json_object_get(place, "element_id"));

    if (text == NULL)
        return;
    if (!same && row_string(trace->cli, place, "element_id") != NULL)
        text = arena_printf(&trace->cli->arena, "%s: %s", story_element(trace->cli, place), text);
    line(trace, depth + 1, row_time(event, "at"), "", bad ? COLOUR_RED : COLOUR_DIM, text);
}

static int print_events(struct trace *trace, const json_t *events, const json_t *elements,
                        int depth)
{
    bool *told = paired_ends(&trace->cli->arena, events);
    const json_t *event, *last = NULL; /* the element told last */
    size_t i, element;

    json_array_foreach(events, i, event)
    {
        element = i;
        if (!is_kind(event, "activityStarted") && (!is_end(event) || told[i]))
            element = is_end(event) ? 0 : element_of(events, i, told);
        if (element != 0 || is_kind(event, "activityStarted")) {
            last = json_array_get(events, element);
            told[element] = true;
            if (print_element(trace, events, element, elements, depth) < 0)
                return err_trace(trace->err);
        }
        if (element != i)
            print_event(trace, events, event, last, elements, depth);
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
static int print_instance(struct trace *trace, const struct uuid *id, const json_t *outer,
                          int depth)
{
    json_t *row = NULL, *events = NULL, *elements = NULL;
    int result = -1;

    if (instance_row(trace, id, &row) < 0 ||
        client_events(trace->client, id, &events, trace->err) < 0 ||
        client_elements(trace->client, id, &elements, trace->err) < 0)
        goto out;
    if (depth > 0 && row != NULL)
        line(trace, depth, MOMENT_NONE, "", COLOUR_BOLD, headline(trace, row));
    /* What it throws may be caught further out. */
    if (outer != NULL)
        json_array_extend(elements, (json_t *)(uintptr_t)outer);
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
    buf_add_char(&out, '\n');
    const char *times = moment_exact(&cli->arena, row_time(row, "started"));
    if (row_time(row, "ended") != MOMENT_NONE)
        times = arena_printf(&cli->arena, "%s, ended %s", times,
                             moment_exact(&cli->arena, row_time(row, "ended")));
    text_wrap(&out, arena_printf(&cli->arena, "started %s", times), 0, 0, cli->width);
    buf_add_char(&out, '\n');
    colour_begin(cli, &out, COLOUR_DIM);
    add_columns(trace, &out, "at", "since", "took");
    buf_add_str(&out, "  what");
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
    if (print_instance(trace, id, NULL, 0) < 0)
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
