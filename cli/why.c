/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <ctype.h>
#include <jansson.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/moment.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/story.h"
#include "cli/text.h"
#include "cli/why.h"

#define DEPTH_MOST 20    /* of called instances that are told */
#define TOKENS_MOST 10   /* places of one instance that are told */
#define COMMANDS_MOST 12 /* commands that are shown */

struct why {
    struct cli *cli;
    struct client *client;
    struct err *err;
    int64_t now_us;
    int depth;
    json_t *sentences, *commands, *waits;
    /* Of the instance that is being told. */
    const json_t *row, *tokens, *calls, *jobs, *tasks;
};

static void say(struct why *why, const char *sentence)
{
    json_t *text = json_string(sentence);

    json_array_append_new(why->sentences, text != NULL ? text : json_string("(unreadable)"));
}

static void offer(struct why *why, const char *command)
{
    json_array_append_new(why->commands, json_string(command));
}

/* A word that a shell gives on as it is. */
static const char *shell(struct cli *cli, const char *text)
{
    struct buf buf;
    bool plain = *text != '\0';

    for (const char *p = text; *p != '\0' && plain; p++)
        plain = isalnum((unsigned char)*p) || strchr("-_./:@%+,", *p) != NULL;
    if (plain && *text != '-')
        return text;
    buf_init(&buf, 0);
    buf_add_char(&buf, '\'');
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_add_str(&buf, "'\\''");
        else
            buf_add_char(&buf, *text);
    }
    buf_add_char(&buf, '\'');
    const char *quoted = arena_strdup(&cli->arena, buf_str(&buf));
    buf_deinit(&buf);
    return quoted;
}

static const char *since_text(struct why *why, const json_t *row)
{
    int64_t since = row_time(row, "since");

    if (since == MOMENT_NONE)
        return "";
    return arena_printf(&why->cli->arena, ", since %s (%s)",
                        moment_clock(&why->cli->arena, since, why->now_us),
                        moment_relative(&why->cli->arena, since, why->now_us));
}

static const char *due_text(struct why *why, const json_t *row)
{
    int64_t due = row_time(row, "due");

    if (due != MOMENT_NONE && due <= why->now_us)
        return "now";
    return arena_printf(&why->cli->arena, "%s (at %s)",
                        moment_relative(&why->cli->arena, due, why->now_us),
                        moment_clock(&why->cli->arena, due, why->now_us));
}

static bool waits_for(const json_t *token, const char *what)
{
    const char *text = json_string_value(json_object_get(token, "waiting_for"));

    return text != NULL && strcmp(text, what) == 0;
}

/* The row of a list whose field is that id. */
static const json_t *row_by(const json_t *rows, const char *key, const json_t *value)
{
    const json_t *row;
    size_t i;

    json_array_foreach(rows, i, row)
    {
        if (json_equal(json_object_get(row, key), value))
            return row;
    }
    return NULL;
}

/* ---- One kind of wait each ---- */

static const char *people_of(struct why *why, const json_t *task)
{
    struct arena *arena = &why->cli->arena;
    const char *assignee = row_string(why->cli, task, "assignee"), *text = NULL;
    const json_t *item;
    size_t i;

    if (assignee != NULL)
        return assignee;
    json_array_foreach(json_object_get(task, "candidate_users"), i, item)
    {
        text = arena_printf(arena, "%s%s%s", text != NULL ? text : "", text != NULL ? " or " : "",
                            json_string_value(item));
    }
    json_array_foreach(json_object_get(task, "candidate_groups"), i, item)
    {
        text = arena_printf(arena, "%s%ssomebody of group %s", text != NULL ? text : "",
                            text != NULL ? " or " : "", json_string_value(item));
    }
    return text != NULL ? text : "anybody";
}

static void tell_task(struct why *why, const json_t *token)
{
    struct arena *arena = &why->cli->arena;
    const json_t *task = row_by(why->tasks, "task_id", json_object_get(token, "subject"));
    const char *detail = row_string(why->cli, token, "detail");

    if (task == NULL) {
        say(why, arena_printf(
                     arena, "The task %s is %s; an engine goes on from there as soon as it runs.",
                     story_element(why->cli, token), detail != NULL ? detail : "answered"));
        return;
    }
    say(why, arena_printf(arena, "It waits for %s to do the task %s%s.", people_of(why, task),
                          story_element(why->cli, token), since_text(why, token)));
    if (row_time(token, "due") != MOMENT_NONE)
        say(why, arena_printf(arena, "The task is due %s.", due_text(why, token)));
    offer(why, arena_printf(arena, "pawl task complete %s", row_text(why->cli, token, "subject")));
}

/* "message "Paid" with key 17", "the timer "Too late", due in 3 s (at 10:00:03)" */
static const char *event_text(struct why *why, const json_t *token)
{
    struct arena *arena = &why->cli->arena;
    const char *key = row_string(why->cli, token, "key");

    if (waits_for(token, "timer"))
        return arena_printf(arena, "the timer %s, due %s", story_element(why->cli, token),
                            due_text(why, token));
    return arena_printf(arena, "the message \"%s\"%s%s", row_text(why->cli, token, "name"),
                        key != NULL ? " with key " : "", key != NULL ? key : "");
}

static void offer_message(struct why *why, const json_t *token)
{
    if (waits_for(token, "message"))
        offer(why, arena_printf(&why->cli->arena, "pawl message %s --key %s",
                                shell(why->cli, row_text(why->cli, token, "name")),
                                shell(why->cli, row_text(why->cli, token, "key"))));
}

/* Events: of a gateway whichever comes first, or one that is caught. */
static void tell_events(struct why *why, size_t from, size_t to)
{
    struct arena *arena = &why->cli->arena;
    const json_t *first = json_array_get(why->tokens, from);
    const char *text = NULL;

    for (size_t i = from; i < to; i++) {
        const json_t *token = json_array_get(why->tokens, i);
        const char *separator = text == NULL ? "" : i + 1 == to ? " or " : ", ";
        text = arena_printf(arena, "%s%s%s", text != NULL ? text : "", separator,
                            event_text(why, token));
        offer_message(why, token);
    }
    say(why,
        arena_printf(arena, "It waits for %s%s%s.", to - from > 1 ? "whichever comes first: " : "",
                     text, since_text(why, first)));
}

/* Errors end with a full stop or without. */
static const char *sentence_end(struct cli *cli, const char *text)
{
    size_t n = strlen(text);

    return n > 0 && strchr(".!?", text[n - 1]) != NULL ? text
                                                       : arena_printf(&cli->arena, "%s.", text);
}

static void tell_incident(struct why *why, const json_t *token)
{
    struct arena *arena = &why->cli->arena;
    const char *id = row_text(why->cli, token, "subject");
    bool unknown = strcmp(row_text(why->cli, token, "name"), "unknownOutcome") == 0;

    say(why, arena_printf(arena, "It stands still at %s%s: %s", story_element(why->cli, token),
                          since_text(why, token),
                          sentence_end(why->cli, row_text(why->cli, token, "detail"))));
    offer(why, arena_printf(arena, "pawl incidents %s", id)); /* request and answer, details */
    if (unknown) {
        say(why, "Find out at the service whether the request was carried out, then decide.");
        offer(why, arena_printf(arena, "pawl retry %s --unknown repeat", id));
        offer(why, arena_printf(arena, "pawl retry %s --unknown fail", id));
        return;
    }
    say(why, "Nothing happens by itself: somebody mends the cause and tries again, or cancels the "
             "instance.");
    offer(why, arena_printf(arena, "pawl retry %s", id));
    offer(why, arena_printf(arena, "pawl cancel %s", row_text(why->cli, why->row, "instance_id")));
}

/* The work of a program that fetches it: who has it, or who may have it and when. */
static void tell_external(struct why *why, const json_t *token)
{
    struct arena *arena = &why->cli->arena;
    const char *element = story_element(why->cli, token), *since = since_text(why, token);
    const char *topic = row_text(why->cli, token, "name"), *detail;
    int64_t due = row_time(token, "due");

    detail = row_string(why->cli, token, "detail");
    if (detail != NULL && strncmp(detail, "answered by ", 12) == 0) {
        say(why, arena_printf(arena,
                              "The external task %s is %s; an engine goes on from there as soon as "
                              "it runs.",
                              element, detail));
        return;
    }
    if (detail != NULL && strncmp(detail, "locked by ", 10) == 0) {
        say(why, arena_printf(arena, "The external task %s (topic %s) is %s%s.", element, topic,
                              detail, since));
        say(why, arena_printf(arena,
                              due > why->now_us ? "Its lease ends %s, then others may take it."
                                                : "Its lease has ended %s: others may take it.",
                              moment_relative(arena, due, why->now_us)));
        offer(why,
              arena_printf(arena, "pawl external unlock %s", row_text(why->cli, token, "subject")));
        return;
    }
    say(why, arena_printf(arena, "It waits for a worker of topic %s to do the external task %s%s.",
                          topic, element, since));
    if (detail != NULL) {
        say(why, arena_printf(arena, "A try has failed: %s", sentence_end(why->cli, detail)));
        offer(why,
              arena_printf(arena, "pawl external show %s", row_text(why->cli, token, "subject")));
    }
    if (due != MOMENT_NONE && due > why->now_us)
        say(why, arena_printf(arena, "It can be fetched again %s.", due_text(why, token)));
    offer(why, arena_printf(arena, "pawl external work %s -- COMMAND", shell(why->cli, topic)));
}

/* Who has its token answers; what the task asked for itself has been accepted, or not yet. */
static void tell_callback(struct why *why, const json_t *token)
{
    const char *detail = row_text(why->cli, token, "detail");

    if (strncmp(detail, "answered by ", 12) == 0)
        say(why, arena_printf(&why->cli->arena,
                              "%s was %s; an engine goes on from there as soon as it runs.",
                              story_element(why->cli, token), detail));
    else
        say(why, arena_printf(
                     &why->cli->arena, "At %s it waits for its callback%s; its time is over %s.",
                     story_element(why->cli, token), since_text(why, token), due_text(why, token)));
}

static void tell_retry(struct why *why, const json_t *token)
{
    const json_t *job;
    int64_t tries = 0;
    size_t i;

    json_array_foreach(why->jobs, i, job)
    {
        if (row_int(job, "token") == row_int(token, "token") &&
            strcmp(row_text(why->cli, job, "job"), "retry") == 0)
            tries = row_int(job, "tries");
    }
    say(why, arena_printf(&why->cli->arena,
                          "At %s it failed (try %lld): %s It is tried again by itself %s.",
                          story_element(why->cli, token), (long long)tries,
                          sentence_end(why->cli, row_text(why->cli, token, "detail")),
                          due_text(why, token)));
}

static void tell_job(struct why *why, const json_t *token)
{
    say(why, arena_printf(&why->cli->arena,
                          "At %s it goes on as soon as an engine has a moment: if this stays so, "
                          "none is running.",
                          story_element(why->cli, token)));
    offer(why, "pawl up");
}

/* A C delegate that no program has taken yet. */
static void tell_delegate(struct why *why, const json_t *call)
{
    say(why, arena_printf(&why->cli->arena,
                          "It waits, since %s, for a program that has registered the C delegate "
                          "'%s' and has a thread for it: `pawl up` has none.",
                          moment_relative(&why->cli->arena, row_time(call, "asked"), why->now_us),
                          row_text(why->cli, call, "path")));
}

/* What keeps requests to an endpoint back, as the end of a sentence, and what lets them out. */
static const char *what_keeps_back(struct why *why, const json_t *endpoint)
{
    struct cli *cli = why->cli;
    struct arena *arena = &cli->arena;
    const char *name = shell(cli, row_text(cli, endpoint, "name")),
               *circuit = row_text(cli, endpoint, "circuit"),
               *circuit_why = row_text(cli, endpoint, "circuit_why"),
               *hold = row_string(cli, endpoint, "hold_why"),
               *rate = row_string(cli, endpoint, "rate");
    int64_t probe = row_time(endpoint, "next_probe"), held = row_time(endpoint, "held_until");

    if (hold != NULL) {
        offer(why, "pawl release");
        return arena_printf(arena, ", and all requests are held back %s", hold);
    }
    if (strcmp(circuit, "open by hand") == 0) {
        offer(why, arena_printf(arena, "pawl endpoint reset %s", name));
        return arena_printf(arena, ", whose circuit is open by hand, %s", circuit_why);
    }
    if (strcmp(circuit, "open") == 0)
        return arena_printf(
            arena, ", whose circuit is open (%s); it is tried again %s", circuit_why,
            probe > why->now_us ? moment_relative(arena, probe, why->now_us) : "now");
    if (strcmp(circuit, "half-open") == 0)
        return ", whose circuit is half-open: it is being tried whether it answers again";
    if (held != MOMENT_NONE)
        return arena_printf(arena, ", which asked for a pause and is asked again %s",
                            moment_relative(arena, held, why->now_us));
    if (rate != NULL)
        return arena_printf(arena, ", which may be asked %s times a second", rate);
    return "";
}

static int tell_queued(struct why *why, const json_t *call, const char *what)
{
    struct arena *arena = &why->cli->arena;
    json_auto_t *rows = NULL;

    if (client_endpoints(why->client, row_text(why->cli, call, "endpoint"), &rows, why->err) < 0)
        return err_trace(why->err);
    const json_t *endpoint = json_array_get(rows, 0);
    long long queued = row_int(endpoint, "queued");
    say(why,
        arena_printf(arena, "%s: asked %s and not sent yet; %lld request%s for this endpoint%s.",
                     what, moment_relative(arena, row_time(call, "asked"), why->now_us), queued,
                     queued == 1 ? " waits" : "s wait",
                     endpoint != NULL ? what_keeps_back(why, endpoint) : ""));
    return 0;
}

/* A request that is not finished: queued, or under way. */
static int tell_call(struct why *why, const json_t *call, const char *begin)
{
    struct arena *arena = &why->cli->arena;
    const char *state = row_text(why->cli, call, "state"),
               *endpoint = row_text(why->cli, call, "endpoint");
    const char *request =
        story_request(why->cli, arena_printf(arena, "%s %s", row_text(why->cli, call, "method"),
                                             row_text(why->cli, call, "path")));
    const char *what = arena_printf(arena, "%s %s of %s", begin, request, endpoint);

    if (strcmp(state, "queued") == 0 && strcmp(row_text(why->cli, call, "method"), "C") == 0) {
        tell_delegate(why, call);
    } else if (strcmp(state, "sent") == 0) {
        say(why, arena_printf(arena, "%s: sent %s as attempt %lld; it is given up %s.", what,
                              moment_relative(arena, row_time(call, "sent"), why->now_us),
                              (long long)row_int(call, "attempt"),
                              moment_relative(arena, row_time(call, "until"), why->now_us)));
    } else if (strcmp(state, "overdue") == 0) {
        say(why, arena_printf(
                     arena,
                     "%s: sent %s, but the engine that sent it does not answer. The next engine "
                     "that runs settles it.",
                     what, moment_relative(arena, row_time(call, "sent"), why->now_us)));
        offer(why, "pawl up");
    } else if (strcmp(state, "queued") == 0) {
        return tell_queued(why, call, what);
    } else {
        say(why, arena_printf(arena, "%s: answered, and the answer is being carried out.", what));
    }
    return 0;
}

static int tell_instance(struct why *why, const json_t *row);

static int tell_called(struct why *why, const json_t *token)
{
    const char *key = row_string(why->cli, token, "key");
    json_auto_t *rows = NULL;
    struct uuid child;
    int result = 0;

    say(why, arena_printf(&why->cli->arena,
                          "At %s it waits for the process %s that it called (%s%s%s)%s.",
                          story_element(why->cli, token), row_text(why->cli, token, "name"),
                          row_text(why->cli, token, "subject"), key != NULL ? ", " : "",
                          key != NULL ? key : "", since_text(why, token)));
    if (why->depth >= DEPTH_MOST || !row_uuid(token, "subject", &child))
        return 0;
    if (client_instances_between(why->client, &child, &child, 1, &rows, why->err) < 0)
        return err_trace(why->err);
    if (json_array_size(rows) == 1) {
        say(why, "Of that one:");
        struct why inner = *why;
        inner.depth++;
        result = tell_instance(&inner, json_array_get(rows, 0));
    }
    return result;
}

/* ---- One token: what it waits for first, then what may come before that ---- */

static int rank(const json_t *token)
{
    static const char *const order[] = {"incident", "retry",         "called instance", "task",
                                        "call",     "external task", "callback",        "job",
                                        "message",  "timer"};

    for (size_t i = 0; i < ARRAY_LEN(order); i++)
        if (waits_for(token, order[i]))
            return (int)i;
    return (int)ARRAY_LEN(order);
}

static int tell_main(struct why *why, const json_t *token)
{
    const json_t *call;

    switch (rank(token)) {
    case 0:
        tell_incident(why, token);
        return 0;
    case 1:
        tell_retry(why, token);
        return 0;
    case 2:
        return tell_called(why, token);
    case 3:
        tell_task(why, token);
        return 0;
    case 4:
        call = row_by(why->calls, "call_id", json_object_get(token, "subject"));
        if (call != NULL)
            return tell_call(why, call,
                             arena_printf(&why->cli->arena, "At %s it waits for the answer to",
                                          story_element(why->cli, token)));
        return 0;
    case 5:
        tell_external(why, token);
        return 0;
    case 6:
        tell_callback(why, token);
        return 0;
    default:
        if (waits_for(token, "suspended"))
            say(why, arena_printf(&why->cli->arena, "At %s something has come that waits for that.",
                                  story_element(why->cli, token)));
        else
            tell_job(why, token);
        return 0;
    }
}

static int tell_token(struct why *why, size_t from, size_t to)
{
    size_t main = from;

    for (size_t i = from; i < to; i++)
        if (rank(json_array_get(why->tokens, i)) < rank(json_array_get(why->tokens, main)))
            main = i;
    const json_t *token = json_array_get(why->tokens, main);
    if (waits_for(token, "message") || waits_for(token, "timer")) {
        tell_events(why, from, to);
        return 0;
    }
    if (tell_main(why, token) < 0)
        return err_trace(why->err);
    for (size_t i = from; i < to; i++) {
        const json_t *other = json_array_get(why->tokens, i);
        if (waits_for(other, "message") || waits_for(other, "timer")) {
            say(why,
                arena_printf(&why->cli->arena, "Meanwhile %s may come.", event_text(why, other)));
            offer_message(why, other);
        }
    }
    return 0;
}

/* Whatever is left waits in joins: nothing can come there any more. */
static int tell_without_tokens(struct why *why)
{
    struct arena *arena = &why->cli->arena;
    json_auto_t *rows = NULL;
    const json_t *row;
    struct uuid id;
    size_t i;

    if (row_uuid(why->row, "instance_id", &id) &&
        client_joined(why->client, &id, &rows, why->err) < 0)
        return err_trace(why->err);
    json_array_foreach(rows, i, row)
    {
        say(why, arena_printf(arena,
                              "At the parallel gateway %s it waits for another branch%s, but no "
                              "branch is left that could come: the process has fewer branches "
                              "than flows that lead there.",
                              story_element(why->cli, row), since_text(why, row)));
    }
    if (i > 0)
        offer(why,
              arena_printf(arena, "pawl cancel %s", row_text(why->cli, why->row, "instance_id")));
    else
        say(why, "Nothing keeps it: it is being worked on at this moment, or a command for it is "
                 "on its way.");
    return 0;
}

static int tell_tokens(struct why *why)
{
    size_t n = json_array_size(why->tokens), told = 0;

    for (size_t from = 0, to; from < n; from = to) {
        int64_t token = row_int(json_array_get(why->tokens, from), "token");
        for (to = from + 1; to < n && row_int(json_array_get(why->tokens, to), "token") == token;)
            to++;
        if (told++ == TOKENS_MOST) {
            say(why, "It waits in more places than are told here; -o json has all of them.");
            return 0;
        }
        if (told > 1)
            say(why, "At the same time:");
        if (tell_token(why, from, to) < 0)
            return err_trace(why->err);
    }
    return n == 0 ? tell_without_tokens(why) : 0;
}

/* Requests that were fired and whose answers come as messages. */
static int tell_fired(struct why *why)
{
    const json_t *call;
    size_t i;

    json_array_foreach(why->calls, i, call)
    {
        const json_t *token = row_by(why->tokens, "subject", json_object_get(call, "call_id"));
        if (token == NULL && strcmp(row_text(why->cli, call, "state"), "answered") != 0 &&
            tell_call(why, call, "It expects the answer to") < 0)
            return err_trace(why->err);
    }
    return 0;
}

/* ---- Instances ---- */

static void tell_ended(struct why *why, const json_t *row)
{
    struct arena *arena = &why->cli->arena;
    int64_t started = row_time(row, "started"), ended = row_time(row, "ended");
    const char *reason = row_string(why->cli, row, "reason"),
               *state = row_text(why->cli, row, "state");

    say(why, arena_printf(arena, "It waits for nothing: it %s%s %s (at %s)%s%s%s.",
                          strcmp(state, "completed") == 0 ? "" : "was ", state,
                          moment_relative(arena, ended, why->now_us),
                          moment_clock(arena, ended, why->now_us),
                          started != MOMENT_NONE ? arena_printf(arena, ", after %s",
                                                                moment_span(arena, ended - started))
                                                 : "",
                          reason != NULL ? ": " : "", reason != NULL ? reason : ""));
    offer(why, arena_printf(arena, "pawl trace %s", row_text(why->cli, row, "instance_id")));
}

static int tell_running(struct why *why, const struct uuid *id)
{
    json_t *tokens = NULL, *calls = NULL, *jobs = NULL, *tasks = NULL;
    struct client_tasks filter = {.instance = id, .limit = 1000};
    int result = -1;

    if (client_tokens(why->client, id, &tokens, why->err) < 0 ||
        client_calls(why->client, id, &calls, why->err) < 0 ||
        client_jobs(why->client, id, &jobs, why->err) < 0 ||
        client_tasks(why->client, &filter, &tasks, why->err) < 0)
        goto out;
    why->tokens = tokens;
    why->calls = calls;
    why->jobs = jobs;
    why->tasks = tasks;
    json_array_extend(why->waits, tokens);
    if (tell_tokens(why) == 0 && tell_fired(why) == 0)
        result = 0;
out:
    json_decref(tokens);
    json_decref(calls);
    json_decref(jobs);
    json_decref(tasks);
    return result < 0 ? err_trace(why->err) : 0;
}

static int tell_instance(struct why *why, const json_t *row)
{
    const char *state = row_text(why->cli, row, "state");
    struct uuid id;

    why->row = row;
    if (row_time(row, "ended") != MOMENT_NONE) {
        tell_ended(why, row);
        return 0;
    }
    if (strcmp(state, "accepted") == 0) {
        say(why,
            arena_printf(&why->cli->arena,
                         "Its start was accepted %s, and it begins as soon as an engine runs.",
                         moment_relative(&why->cli->arena, row_time(row, "started"), why->now_us)));
        offer(why, "pawl up");
        return 0;
    }
    if (strcmp(state, "suspended") == 0 && why->depth == 0) {
        say(why, "It is suspended: nothing of it goes on until somebody resumes it.");
        offer(why,
              arena_printf(&why->cli->arena, "pawl resume %s", row_text(why->cli, row, "root_id")));
    }
    return row_uuid(row, "instance_id", &id) ? tell_running(why, &id) : 0;
}

static int why_tell(struct why *why, const json_t *row)
{
    json_auto_t *now = NULL;

    why->sentences = json_array();
    why->commands = json_array();
    why->waits = json_array();
    if (client_clock(why->client, &now, why->err) < 0)
        return err_trace(why->err);
    why->now_us = row_time(now, "now");
    return tell_instance(why, row) < 0 ? err_trace(why->err) : 0;
}

static void why_deinit(struct why *why)
{
    json_decref(why->sentences);
    json_decref(why->commands);
    json_decref(why->waits);
}

static void print_text(struct why *why)
{
    struct cli *cli = why->cli;
    struct buf out, text;
    const json_t *item;
    size_t i;

    buf_init(&out, 0);
    buf_init(&text, 0);
    json_array_foreach(why->sentences, i, item)
    {
        buf_printf(&text, "%s%s", i == 0 ? "" : " ", json_string_value(item));
    }
    text_wrap(&out, buf_str(&text), 0, 0, cli->width);
    buf_add_char(&out, '\n');
    json_array_foreach(why->commands, i, item)
    {
        if (i == COMMANDS_MOST)
            break;
        buf_add_str(&out, "  -> ");
        colour_begin(cli, &out, COLOUR_BOLD);
        text_add(&out, json_string_value(item), 0);
        colour_end(cli, &out, COLOUR_BOLD);
        buf_add_char(&out, '\n');
    }
    output_buf(&out);
    buf_deinit(&text);
    buf_deinit(&out);
}

int why_print(struct cli *cli, struct client *client, const json_t *row, struct err *err)
{
    struct why why = {.cli = cli, .client = client, .err = err};
    int result = why_tell(&why, row);

    if (result == 0 && cli->json) {
        json_t *line =
            json_pack("{s:O, s:O, s:O, s:O, s:O}", "instance_id",
                      json_object_get(row, "instance_id"), "state", json_object_get(row, "state"),
                      "sentences", why.sentences, "commands", why.commands, "waits", why.waits);
        output_json(line);
        json_decref(line);
    } else if (result == 0) {
        print_text(&why);
    }
    why_deinit(&why);
    return result < 0 ? err_trace(err) : 0;
}

static enum exit_code run_why(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *row = NULL;
    struct uuid id;

    enum exit_code code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_instance(cli, client, cli->arguments[0], &row, &id);
    if (code != EXIT_DONE)
        return code;
    int result = why_print(cli, client, row, &err);
    return result < 0 ? cli_fail(cli, &err) : EXIT_DONE;
}

const struct subcommand command_why = {
    .name = "why",
    .arguments = "ID",
    .summary = "what an instance waits for, and who can unblock it",
    .about = "Says in a sentence or two what an instance waits for, since when, what happens next "
             "and when, and "
             "below that the commands by which somebody can move it: the task to complete, the "
             "message to send, "
             "the incident to try again. Where it waits for a process that it called, says it of "
             "that one, too.\n"
             "\n"
             "With -o json: instance_id, state, sentences, commands, and waits (rows of the view "
             "tokens).\n"
             "\n"
             "ID is the instance's id, the beginning of it (at least 8 characters), or its "
             "business key while "
             "that is unique.",
    .examples = "  pawl why 4711\n  pawl why 01998e3a-7c2e-7d -o json\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_why,
};
