/* SPDX-License-Identifier: Apache-2.0 */
/* What people do by hand to a token: skip, move, complete. */
#include "base/build.h"

#include <jansson.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/outcome.h"
#include "cli/session.h"
#include "cli/variables.h"
#include "store/json_text.h"

enum modification { SKIP, MOVE, COMPLETE };

/* What the functions take as options. variables: also their argument. */
static enum exit_code read_options(struct cli *cli, enum modification what, json_t *options,
                                   const char **ret_variables)
{
    long token;

    enum exit_code code = variables_read(cli, ret_variables);
    if (code != EXIT_DONE)
        return code;
    if (what != COMPLETE)
        json_object_set_new(options, "variables", json_read_text(*ret_variables));
    if (cli_option(cli, "reason") != NULL)
        json_object_set_new(options, "reason", json_string(cli_option(cli, "reason")));
    if (cli_option(cli, "token") != NULL) {
        if (cli_number(cli, "token", 1, INT32_MAX, 1, &token) < 0)
            return EXIT_USAGE;
        json_object_set_new(options, "token", json_integer(token));
    }
    if (what == MOVE && cli_has(cli, "after"))
        json_object_set_new(options, "after", json_true());
    if (what == COMPLETE && cli_option(cli, "response") != NULL) {
        json_t *response = json_read_text(cli_option(cli, "response"));
        if (!json_is_object(response)) {
            json_decref(response);
            return cli_usage(cli, "example: --response '{\"status\": 200, \"body\": {\"id\": 7}}'",
                             "--response must be a JSON object");
        }
        json_object_set_new(options, "response", response);
    }
    return EXIT_DONE;
}

static int ask(struct cli *cli, struct client *client, enum modification what,
               const struct uuid *id, const char *variables, const char *options,
               json_t **ret_accepted, struct err *err)
{
    const char *element = cli->arguments[1];

    switch (what) {
    case SKIP:
        return client_skip(client, id, element, options, ret_accepted, err);
    case MOVE:
        return client_move(client, id, element, cli->arguments[2], options, ret_accepted, err);
    default:
        return client_complete_element(client, id, element, variables, options, ret_accepted, err);
    }
}

static enum exit_code run(struct cli *cli, enum modification what, const char *done)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *options = json_object(), *row = NULL, *accepted = NULL;
    const char *variables;
    struct err err = {0};
    struct uuid id;
    double seconds;

    if (outcome_timeout(cli, &seconds) < 0)
        return EXIT_USAGE;
    enum exit_code code = read_options(cli, what, options, &variables);
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_instance(cli, client, cli->arguments[0], &row, &id);
    if (code != EXIT_DONE)
        return code;
    if (ask(cli, client, what, &id, variables, json_text_in(&cli->arena, options), &accepted,
            &err) < 0)
        return cli_fail(cli, &err);
    return outcome_report(cli, client, accepted, done, seconds, false);
}

static enum exit_code run_skip(struct cli *cli)
{
    return run(cli, SKIP, "skipped");
}

static enum exit_code run_move(struct cli *cli)
{
    return run(cli, MOVE, "moved");
}

static enum exit_code run_complete(struct cli *cli)
{
    return run(cli, COMPLETE, "completed");
}

#define MODIFY_OPTIONS                                                                             \
    {"reason", 'r', "TEXT", "kept in the history"},                                                \
        {"token", 0, "N", "which token, where several are there (see the view tokens)"},           \
        VARIABLE_OPTIONS, OUTCOME_TIMEOUT_OPTION

#define ABOUT_ID                                                                                   \
    "\n\nID is the instance's id, the beginning of it (at least 8 characters), or its business "   \
    "key while that is unique. Elements are named by their id in the BPMN file."

static const struct option skip_options[] = {MODIFY_OPTIONS};

const struct subcommand command_skip = {
    .name = "skip",
    .arguments = "ID ELEMENT",
    .summary = "leave an element as if it were done",
    .about = "The token at the element gives up what it waits for, or its incident, and goes on "
             "along the flows. Outputs of the element are not evaluated; variables can be "
             "given." ABOUT_ID,
    .options = skip_options,
    .n_options = ARRAY_LEN(skip_options),
    .examples = "  pawl skip 4711 check_credit -v credit=ok --reason 'asked by phone'\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .database = true,
    .run = run_skip,
};

static const struct option move_options[] = {
    {"after", 0, NULL, "go on behind the element, not before it"},
    MODIFY_OPTIONS,
};

const struct subcommand command_move = {
    .name = "move",
    .arguments = "ID FROM TO",
    .summary = "let a token go on at another element",
    .about = "Takes the token away from FROM, with all that it does there, and starts before (or "
             "--after) TO: in the same sub-process or one around it. If it was the last one in a "
             "sub-process that it leaves, that is cancelled." ABOUT_ID,
    .options = move_options,
    .n_options = ARRAY_LEN(move_options),
    .examples = "  pawl move 4711 ship check_address --reason 'address was wrong'\n"
                "  pawl move 4711 ship invoice --after\n",
    .min_arguments = 3,
    .max_arguments = 3,
    .database = true,
    .run = run_move,
};

static const struct option complete_options[] = {
    {"response", 0, "JSON",
     "the answer of its remote call, judged as if it had come: {\"status\": 200, \"body\": …}"},
    MODIFY_OPTIONS,
};

const struct subcommand command_complete = {
    .name = "complete",
    .arguments = "ID ELEMENT",
    .summary = "give an element the result that it waits for",
    .about = "Completes a service task, call, external task, message or timer event by hand, "
             "whether it waits or has become an incident: its outputs are evaluated. For tasks of "
             "people there is `pawl task complete`." ABOUT_ID,
    .options = complete_options,
    .n_options = ARRAY_LEN(complete_options),
    .examples = "  pawl complete 4711 charge -v receipt=17 --reason 'paid in cash'\n"
                "  pawl complete 4711 ask --response '{\"status\": 200, \"body\": {\"id\": 7}}'\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .database = true,
    .run = run_complete,
};
