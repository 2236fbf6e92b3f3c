/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/find.h"
#include "cli/outcome.h"
#include "cli/output.h"
#include "cli/session.h"
#include "cli/variables.h"
#include "store/json_text.h"

#define MANY_BYTES (64u << 20)
#define MANY_BATCH 500 /* starts in one transaction */

static enum exit_code wait_for_end(struct cli *cli, struct client *client, json_t *started,
                                   double seconds)
{
    json_auto_t *outcome = NULL;
    struct err err = {0};
    struct uuid id;

    if (!row_uuid(started, "instance_id", &id))
        return cli_refuse(cli, NULL, "the database gave no id for the instance");
    if (outcome_wait(client, &id, seconds, &outcome, &err) < 0)
        return cli_fail(cli, &err);
    const char *state = arena_strdup(&cli->arena, row_text(cli, outcome, "state"));
    json_object_set(started, "state", json_object_get(outcome, "state"));
    json_object_set(started, "detail", json_object_get(outcome, "detail"));
    if (cli->json)
        output_json(started);
    else
        printf("%s %s\n", row_text(cli, started, "instance_id"), state);
    if (strcmp(state, "completed") == 0)
        return EXIT_DONE;
    if (strcmp(state, "refused") == 0)
        return cli_refuse(cli, NULL, "refused, and no instance was made: %s",
                          outcome_reason(cli, outcome));
    char hint[128];
    snprintf(hint, sizeof(hint), "`pawl %s %s` tells more",
             strcmp(state, "pending") == 0 ? "why" : "trace",
             row_text(cli, started, "instance_id"));
    if (strcmp(state, "pending") == 0)
        return cli_refuse(cli, hint, "the instance has not ended within %.3g s", seconds);
    return cli_refuse(cli, hint, "the instance ended: %s", state);
}

/* Its commit is that of the database: what the process demands of a start is judged by an engine,
 * after it, and none may be running. To wait for that is what --wait is for. */
static void note_judged(struct cli *cli, const json_t *row)
{
    if (json_is_true(json_object_get(row, "judged")))
        cli_note(cli,
                 "accepted; its variables are judged when it begins: --wait waits for that, and "
                 "`pawl why ID` says whether it was refused");
}

static enum exit_code start_one(struct cli *cli, struct client *client, const char *variables,
                                int version, double seconds)
{
    struct client_start start = {
        .process = cli->arguments[0],
        .business_key = cli_option(cli, "business-key"),
        .request_key = cli_option(cli, "request-key"),
        .variables = variables,
        .version = version,
    };
    struct err err = {0};
    json_auto_t *started = NULL;

    if (client_start(client, &start, &started, &err) < 0)
        return cli_fail(cli, &err);
    if (json_is_false(json_object_get(started, "created")))
        cli_note(cli, "this request key was used before: it is the same instance");
    if (cli_has(cli, "wait"))
        return wait_for_end(cli, client, started, seconds);
    if (!json_is_false(json_object_get(started, "created")))
        note_judged(cli, started);
    if (cli->json)
        output_json(started);
    else
        printf("%s\n", row_text(cli, started, "instance_id"));
    return EXIT_DONE;
}

/* ---- Many ---- */

static enum exit_code check_item(const struct cli *cli, const char *where, const json_t *item)
{
    const char *key;
    const json_t *value;

    if (!json_is_object(item))
        return cli_refuse(cli,
                          "example: {\"businessKey\": \"17\", \"variables\": {\"amount\": 12}}",
                          "%s is not a JSON object", where);
    for (void *i = json_object_iter((json_t *)(uintptr_t)item); i != NULL;
         i = json_object_iter_next((json_t *)(uintptr_t)item, i)) {
        key = json_object_iter_key(i);
        value = json_object_iter_value(i);
        bool text = strcmp(key, "businessKey") == 0 || strcmp(key, "requestKey") == 0;
        bool right = text ? json_is_string(value) || json_is_null(value)
                          : strcmp(key, "variables") == 0 && json_is_object(value);
        if (!right)
            return cli_refuse(cli, "businessKey and requestKey are texts, variables is an object",
                              "%s: \"%s\" is not possible so", where, key);
    }
    return EXIT_DONE;
}

static enum exit_code read_lines(struct cli *cli, const char *file, const char *text, size_t n,
                                 json_t *items)
{
    const char *end = text + n, *next;
    json_error_t error;

    for (size_t line = 1; text < end; line++, text = next) {
        const char *newline = memchr(text, '\n', (size_t)(end - text));
        size_t length = newline != NULL ? (size_t)(newline - text) : (size_t)(end - text);
        next = text + length + 1;
        if (strspn(text, " \t\r") >= length)
            continue;
        const char *where = arena_printf(&cli->arena, "%s:%zu", file, line);
        json_t *item = json_loadb(text, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
        if (item == NULL)
            return cli_refuse(cli, NULL, "%s is not JSON: %s", where, error.text);
        enum exit_code code = check_item(cli, where, item);
        json_array_append_new(items, item);
        if (code != EXIT_DONE)
            return code;
    }
    return EXIT_DONE;
}

/* One array, or an object on each line. */
static enum exit_code read_items(struct cli *cli, const char *file, const char *text, size_t n,
                                 json_t **ret_items)
{
    json_error_t error;
    const json_t *item;
    enum exit_code code = EXIT_DONE;
    size_t i;

    if (text[strspn(text, " \t\r\n")] != '[') {
        *ret_items = json_array();
        return read_lines(cli, file, text, n, *ret_items);
    }
    *ret_items = json_loadb(text, n, JSON_REJECT_DUPLICATES, &error);
    if (*ret_items == NULL)
        return cli_refuse(cli, NULL, "%s:%d:%d: not JSON: %s", file, error.line, error.column,
                          error.text);
    json_array_foreach(*ret_items, i, item)
    {
        if (code == EXIT_DONE)
            code = check_item(cli, arena_printf(&cli->arena, "%s, item %zu", file, i + 1), item);
    }
    return code;
}

static int send_batch(struct cli *cli, struct client *client, const json_t *items, size_t from,
                      int version, size_t *n_started, struct err *err)
{
    json_auto_t *batch = json_array(), *rows = NULL;
    json_t *row;
    size_t i;

    for (i = from; i < from + MANY_BATCH && i < json_array_size(items); i++)
        json_array_append(batch, json_array_get(items, i));
    struct buf text CLEANUP(buf_deinit);
    buf_init(&text, 0);
    json_text(&text, batch);
    if (client_start_many(client, cli->arguments[0], buf_str(&text), version, &rows, err) < 0)
        return err_trace(err);
    if (from == 0)
        note_judged(cli, json_array_get(rows, 0));
    json_array_foreach(rows, i, row)
    {
        *n_started += json_is_true(json_object_get(row, "created")) ? 1 : 0;
        json_object_del(row, "n");
        if (cli->json)
            output_json(row);
        else
            printf("%s%s%s\n", row_text(cli, row, "instance_id"),
                   row_string(cli, row, "business_key") != NULL ? " " : "",
                   row_text(cli, row, "business_key"));
    }
    return 0;
}

static enum exit_code start_many(struct cli *cli, struct client *client, const char *file,
                                 int version)
{
    struct err err = {0};
    json_auto_t *items = NULL;
    const char *text;
    size_t n, n_started = 0;

    if (cli_read_file(cli, file, MANY_BYTES, &text, &n, &err) < 0)
        return cli_fail(cli, &err);
    enum exit_code code = read_items(cli, file, text, n, &items);
    for (size_t i = 0; code == EXIT_DONE && i < json_array_size(items); i += MANY_BATCH) {
        if (send_batch(cli, client, items, i, version, &n_started, &err) == 0)
            continue;
        code = cli_fail(cli, &err);
        cli_note(cli, "%zu were started; item %zu and those after it were not", n_started, i + 1);
    }
    if (code == EXIT_DONE)
        cli_note(cli, "%zu started", n_started);
    return code;
}

static enum exit_code run_start(struct cli *cli)
{
    static const char *const single[] = {"business-key", "request-key", "variables", "variable",
                                         "wait"};
    struct client *client CLEANUP(client_closep) = NULL;
    const char *many = cli_option(cli, "many"), *variables;
    long version;
    double seconds;

    if (cli_number(cli, "version", 1, INT32_MAX, 0, &version) < 0 ||
        cli_seconds(cli, "timeout", 60, &seconds) < 0)
        return EXIT_USAGE;
    for (size_t i = 0; many != NULL && i < ARRAY_LEN(single); i++)
        if (cli_has(cli, single[i]))
            return cli_usage(cli, "each item of the file has its own",
                             "--many and --%s do not go together", single[i]);
    enum exit_code code = variables_read(cli, &variables);
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    return many != NULL ? start_many(cli, client, many, (int)version)
                        : start_one(cli, client, variables, (int)version, seconds);
}

static const struct option start_options[] = {
    {"business-key", 'k', "KEY", "what your people call this case, such as an order number"},
    VARIABLE_OPTIONS,
    {"request-key", 0, "KEY",
     "makes the call safe to repeat: the same key gives the same instance"},
    {"version", 0, "N", "of the process (default: the latest)"},
    {"tenant", 0, "NAME",
     "for whom, whose process it is (default: PAWL_TENANT, else your first tenant)"},
    {"wait", 0, NULL, "wait until the instance has ended; exit code 0 only if it completed"},
    {"timeout", 0, "SECONDS", "how long --wait waits (default: 60)"},
    {"many", 0, "FILE",
     "start an instance for each object of a JSON array, or on each line, with businessKey, "
     "variables and requestKey (all optional); - is stdin"},
};

const struct subcommand command_start = {
    .name = "start",
    .arguments = "PROCESS",
    .summary = "start a process",
    .about = "Starts an instance of PROCESS (the id of the process in its BPMN file) and prints "
             "its id, which "
             "is valid at once for trace, why, message and cancel. It is accepted then, and exit "
             "code 0 says no more: an engine carries it out, and one with an inputSchema may "
             "still be refused. --wait tells, and `pawl why` later.\n"
             "\n"
             "With --many a file says what to start, 500 in a transaction; prints id and business "
             "key of each. "
             "Give each a requestKey to make the whole safe to repeat.",
    .options = start_options,
    .n_options = ARRAY_LEN(start_options),
    .examples =
        "  pawl start order-delivery -k 4711 -v amount=12 -v 'customer={\"name\": \"Ada\"}'\n"
        "  pawl start order-delivery --variables @order.json --wait\n"
        "  pawl start order-delivery --many orders.jsonl\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_start,
};
