/* SPDX-License-Identifier: Apache-2.0 */
/* What a case expects, held against what is. */
#include "base/build.h"

#include "simulator/internal.h"

/* Texts that were found, in order. */
struct found {
    const char **texts;
    size_t n, capacity;
};

static void found_add(struct run *run, struct found *found, const char *text)
{
    *arena_push(run->arena, found->texts, found->n, found->capacity) = text;
}

static const char *found_shown(struct run *run, const struct found *found)
{
    const char *text = found->n > 0 ? found->texts[0] : "nothing";

    for (size_t i = 1; i < found->n; i++)
        text = arena_printf(run->arena, "%s, %s", text, found->texts[i]);
    return text;
}

static size_t wanted_n(const struct item *wanted)
{
    return wanted->kind == ITEM_LIST ? wanted->n : 1;
}

static const struct item *wanted_at(const struct item *wanted, size_t i)
{
    return wanted->kind == ITEM_LIST ? wanted->list[i] : wanted;
}

static const char *wanted_shown(struct run *run, const struct item *wanted)
{
    struct found shown = {0};

    for (size_t i = 0; i < wanted_n(wanted); i++) {
        const struct item *item = wanted_at(wanted, i);
        found_add(run, &shown, item->text != NULL ? item->text : run_json(run, item));
    }
    return found_shown(run, &shown);
}

/* ---- Where it is ---- */

static const struct job *job_of(const struct sim *sim, const struct uuid *instance, uint32_t token)
{
    for (size_t i = 0; i < sim->n_jobs; i++)
        if (uuid_equal(&sim->jobs[i].command.instance, instance) &&
            sim->jobs[i].command.token == token)
            return &sim->jobs[i];
    return NULL;
}

static void find_tokens(struct run *run, const struct instance *instance, struct found *ret)
{
    for (size_t i = 0; i < instance->n_tokens; i++) {
        const struct token *token = &instance->tokens[i];
        const struct job *job = job_of(&run->sim, &instance->id, token->id);
        int node = token->state == TOKEN_READY && job != NULL ? job->command.node : token->node;
        if (token->state == TOKEN_SCOPE || node < 0 ||
            wait_find(instance, WAIT_CHILD, token->id, node) != NULL)
            continue; /* what runs inside of it is where it is */
        found_add(run, ret, instance->graph->nodes[node].id);
    }
}

static struct found where(struct run *run)
{
    struct found found = {0};
    struct family family;

    if (simulator_load(&run->sim, &family) < 0) {
        run_stop(run, run->of->line, "%s", run->sim.trouble.text);
        return found;
    }
    for (size_t i = 0; i < family.n_instances; i++)
        find_tokens(run, family.instances[i], &found);
    return found;
}

const char *run_where(struct run *run)
{
    struct found found = where(run);

    return found_shown(run, &found);
}

static void expect_at(struct run *run, const struct item *wanted)
{
    struct found found = where(run);
    bool *taken = arena_array(run->arena, found.n + 1, sizeof(*taken));
    size_t hits = 0;

    for (size_t i = 0; i < wanted_n(wanted); i++)
        for (size_t f = 0; f < found.n; f++)
            if (!taken[f] && strcmp(wanted_at(wanted, i)->text, found.texts[f]) == 0) {
                taken[f] = true;
                hits++;
                break;
            }
    if (hits != found.n || hits != wanted_n(wanted))
        run_note(run, wanted->line, "at: expected %s, found %s", wanted_shown(run, wanted),
                 found_shown(run, &found));
}

/* ---- How it ended ---- */

static const char *member_text(struct run *run, const char *json, const char *name)
{
    struct value value;
    struct err err = {0};

    if (json == NULL || value_read(run->arena, json, strlen(json), &value, &err) < 0)
        return NULL;
    const struct value *member = value_member(&value, name, strlen(name));
    return member != NULL && member->kind == VALUE_STRING ? member->u.string.text : NULL;
}

static void expect_ended(struct run *run, const struct item *wanted)
{
    const struct sim_instance *root = run->sim.n_instances > 0 ? &run->sim.instances[0] : NULL;
    const char *found = "false";

    if (root != NULL && root->ended) {
        const char *state = member_text(run, root->end_state, "state");
        found = state != NULL ? state : "completed";
    }
    bool as_wanted = strcmp(wanted->text, "true") == 0 ? strcmp(found, "false") != 0
                                                       : strcmp(wanted->text, found) == 0;
    if (as_wanted)
        return;
    if (strcmp(found, "false") == 0)
        run_note(run, wanted->line, "ended: expected %s, and it is still at %s", wanted->text,
                 run_where(run));
    else
        run_note(run, wanted->line, "ended: expected %s, found %s", wanted->text, found);
}

/* ---- Variables ---- */

static void expect_variables(struct run *run, const struct item *wanted)
{
    const struct sim_instance *root = run->sim.n_instances > 0 ? &run->sim.instances[0] : NULL;
    struct value all = {.kind = VALUE_OBJECT}, expected;
    struct err err = {0};

    if (root != NULL && root->row.variables != NULL && root->row.variables_n > 0 &&
        value_read(run->arena, root->row.variables, root->row.variables_n, &all, &err) < 0)
        run_note(run, wanted->line, "variables: %s", err.text);
    for (size_t i = 0; i < wanted->n; i++) {
        const struct value *found = value_member(&all, wanted->keys[i], strlen(wanted->keys[i]));
        const char *text = run_json(run, wanted->list[i]);
        if (value_read(run->arena, text, strlen(text), &expected, &err) < 0)
            run_note(run, wanted->list[i]->line, "variable %s: %s", wanted->keys[i], err.text);
        else if (found == NULL ? expected.kind != VALUE_NULL : !value_equal(&expected, found))
            run_note(run, wanted->list[i]->line, "variable %s: expected %s, found %s",
                     wanted->keys[i], text,
                     found != NULL ? value_text(run->arena, found, NULL) : "none");
    }
}

/* ---- Requests ---- */

static const char *request_text(struct run *run, const struct run_request *request)
{
    return arena_printf(run->arena, "%s %s", request->call.method,
                        request->call.path != NULL ? request->call.path : "");
}

static bool body_equals(struct run *run, const struct item *wanted, const char *found)
{
    struct value a, b;
    struct err err = {0};
    const char *text = run_json(run, wanted);

    if (found == NULL)
        return wanted->kind == ITEM_NULL;
    if (wanted->kind == ITEM_STRING && strcmp(wanted->text, found) == 0)
        return true;
    return value_read(run->arena, text, strlen(text), &a, &err) == 0 &&
           value_read(run->arena, found, strlen(found), &b, &err) == 0 && value_equal(&a, &b);
}

static bool request_fits(struct run *run, const struct item *wanted,
                         const struct run_request *request)
{
    if (wanted->kind != ITEM_MAP)
        return strcmp(wanted->text != NULL ? wanted->text : "", request_text(run, request)) == 0;
    for (size_t i = 0; i < wanted->n; i++) {
        const char *key = wanted->keys[i];
        const char *found = strcmp(key, "element") == 0    ? request->element
                            : strcmp(key, "endpoint") == 0 ? request->call.endpoint
                            : strcmp(key, "method") == 0   ? request->call.method
                            : strcmp(key, "path") == 0     ? request->call.path
                                                           : request->call.body;
        if (strcmp(key, "body") == 0 ? !body_equals(run, wanted->list[i], found)
                                     : strcmp(wanted->list[i]->text, found != NULL ? found : ""))
            return false;
    }
    return true;
}

static void expect_requests(struct run *run, const struct item *wanted)
{
    struct found found = {0};
    bool as_wanted;

    for (size_t i = 0; i < run->n_requests; i++) {
        const struct run_request *request = &run->requests[i];
        found_add(run, &found,
                  arena_printf(run->arena, "%s by %s%s%s", request_text(run, request),
                               request->element, request->call.body != NULL ? " with " : "",
                               request->call.body != NULL ? request->call.body : ""));
    }
    if (wanted->kind == ITEM_NUMBER) {
        as_wanted = strtoul(wanted->text, NULL, 10) == run->n_requests;
    } else {
        as_wanted = wanted->n == run->n_requests;
        for (size_t i = 0; as_wanted && i < wanted->n; i++)
            as_wanted = request_fits(run, wanted->list[i], &run->requests[i]);
    }
    if (!as_wanted)
        run_note(run, wanted->line, "requests: expected %s, found %s", wanted_shown(run, wanted),
                 found_shown(run, &found));
}

/* ---- Errors, messages, incidents, in their order ---- */

static void expect_in_order(struct run *run, const char *what, const struct item *wanted,
                            const struct found *found)
{
    bool as_wanted = wanted_n(wanted) == found->n;

    for (size_t i = 0; as_wanted && i < found->n; i++) {
        const char *text = wanted_at(wanted, i)->text;
        size_t n = text != NULL ? strlen(text) : 0;
        /* "CODE" is enough where "CODE -> catcher" was found */
        as_wanted = text != NULL && (strcmp(text, found->texts[i]) == 0 ||
                                     (strncmp(text, found->texts[i], n) == 0 &&
                                      strncmp(found->texts[i] + n, " -> ", 4) == 0));
    }
    if (!as_wanted)
        run_note(run, wanted->line, "%s: expected %s, found %s", what, wanted_shown(run, wanted),
                 found_shown(run, found));
}

static void expect_errors(struct run *run, const struct item *wanted)
{
    struct found found = {0};

    for (size_t i = 0; i < run->sim.n_history; i++) {
        const struct history *row = &run->sim.history[i];
        if (row->kind != HISTORY_ERROR_THROWN)
            continue;
        const char *code = member_text(run, row->data, "code");
        const char *caught = member_text(run, row->data, "caught");
        found_add(run, &found,
                  arena_printf(run->arena, "%s -> %s", code != NULL ? code : "",
                               caught != NULL ? caught : "nobody"));
    }
    expect_in_order(run, "errors", wanted, &found);
}

static void expect_messages(struct run *run, const struct item *wanted)
{
    struct found found = {0};

    for (size_t i = 0; i < run->sim.n_messages; i++)
        found_add(run, &found, run->sim.messages[i].name);
    expect_in_order(run, "messages", wanted, &found);
}

static void expect_incidents(struct run *run, const struct item *wanted)
{
    struct found found = {0};

    for (size_t i = 0; i < run->sim.n_jobs; i++) {
        const struct job *job = &run->sim.jobs[i];
        if (job->place == JOB_INCIDENT)
            found_add(run, &found,
                      simulator_element(&run->sim, &job->command.instance, job->command.node));
    }
    expect_in_order(run, "incidents", wanted, &found);
}

/* ---- What it passed ---- */

static bool passed(const struct run *run, const char *element)
{
    for (size_t i = 0; i < run->sim.n_history; i++) {
        enum history_kind kind = run->sim.history[i].kind;
        if ((kind == HISTORY_ACTIVITY_ENDED || kind == HISTORY_ACTIVITY_STARTED ||
             kind == HISTORY_ERROR_THROWN) &&
            strcmp(run->sim.history_elements[i], element) == 0)
            return true;
    }
    return false;
}

static bool is_known(const struct run *run, const char *element)
{
    for (size_t i = 0; i < run->scenario->n_processes; i++)
        if (graph_find(run->scenario->processes[i].graph, element) >= 0)
            return true;
    return false;
}

static void expect_passed(struct run *run, const struct item *wanted, bool yes)
{
    for (size_t i = 0; i < wanted_n(wanted); i++) {
        const struct item *item = wanted_at(wanted, i);
        if (item->text == NULL || !is_known(run, item->text))
            run_note(run, item->line, "no process has an element %s",
                     item->text != NULL ? item->text : "of that kind");
        else if (passed(run, item->text) != yes)
            run_note(run, item->line, yes ? "it never came to %s" : "it came to %s", item->text);
    }
}

void run_expect(struct run *run, const struct item *expect)
{
    for (size_t i = 0; i < expect->n && !run->stopped; i++) {
        const struct item *wanted = expect->list[i];
        const char *key = expect->keys[i];
        if (strcmp(key, "at") == 0)
            expect_at(run, wanted);
        else if (strcmp(key, "ended") == 0)
            expect_ended(run, wanted);
        else if (strcmp(key, "variables") == 0)
            expect_variables(run, wanted);
        else if (strcmp(key, "requests") == 0)
            expect_requests(run, wanted);
        else if (strcmp(key, "errors") == 0)
            expect_errors(run, wanted);
        else if (strcmp(key, "messages") == 0)
            expect_messages(run, wanted);
        else if (strcmp(key, "incidents") == 0)
            expect_incidents(run, wanted);
        else if (strcmp(key, "passed") == 0 || strcmp(key, "never") == 0)
            expect_passed(run, wanted, key[0] == 'p');
    }
}
