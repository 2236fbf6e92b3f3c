/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>
#include <limits.h>
#include <unistd.h>

#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/members.h"
#include "cli/output.h"
#include "cli/session.h"
#include "store/json_text.h"

static const char *circuit(struct cli *cli, const json_t *row, int64_t now_us)
{
    const char *text = row_text(cli, row, "circuit");

    (void)now_us;
    return row_string(cli, row, "held_until") == NULL
               ? text
               : arena_printf(&cli->arena, "%s, waits", text);
}

/* Only a service has one. */
static const char *url(struct cli *cli, const json_t *row, int64_t now_us)
{
    (void)now_us;
    return strcmp(row_text(cli, row, "kind"), "service") == 0 ? row_text(cli, row, "base_url") : "";
}

/* Why nothing leaves where somebody said so, be it the service (410); else what failed last. */
static const char *why(struct cli *cli, const json_t *row, int64_t now_us)
{
    (void)now_us;
    bool by_hand = strstr(row_text(cli, row, "circuit"), "by hand") != NULL;
    return row_text(cli, row, by_hand ? "circuit_why" : "last_error");
}

static const struct table_column endpoint_columns[] = {
    {"ENDPOINT", TABLE_TEXT, 10, 0, .member = "name"},
    {"KIND", TABLE_TEXT, 0, 5, .member = "kind"},
    {"URL", TABLE_TEXT, 16, 0, .cell = url},
    {"CIRCUIT", TABLE_STATE, 6, 0, .cell = circuit},
    {"RATE/S", TABLE_NUMBER, 0, 3, .member = "rate", .otherwise = "no limit"},
    {"QUEUED", TABLE_NUMBER, 0, 4, .member = "queued"},
    {"UNDER WAY", TABLE_NUMBER, 0, 1, .member = "under_way"},
    {"WHY", TABLE_TEXT, 12, 2, .cell = why},
};

static int fetch_all(struct client *client, json_t **ret_rows, struct err *err)
{
    return client_endpoints(client, NULL, ret_rows, err);
}

static enum exit_code run_list(struct cli *cli)
{
    static const struct listing listing = {
        .nothing = "no endpoints; `pawl endpoint set NAME URL` makes one",
        .columns = endpoint_columns,
        .n_columns = ARRAY_LEN(endpoint_columns),
        .fetch_all = fetch_all};

    return listing_run(cli, &listing);
}

const struct subcommand command_endpoint_list = {
    .name = "endpoint list",
    .arguments = "",
    .summary = "list the services that processes call",
    .about =
        "Lists the endpoints: services that processes call, by the name that the model "
        "uses. KIND: `service`; `delegate`, a C function of a program that embeds the engine; "
        "`script`, JavaScript that takes its time. CIRCUIT: `closed`, requests leave; `open`, they "
        "wait because the service fails; "
        "`half-open`, only probes leave; `… by hand`; `…, waits`, the service asked for a pause. "
        "WHY: who opened it by hand, else the last error. "
        "`pawl endpoint show NAME` has all the rest.",
    .examples = "  pawl endpoint list\n  pawl endpoint list -o json\n",
    .database = true,
    .run = run_list,
};

/* ---- set ---- */

static enum exit_code add_number(struct cli *cli, json_t *options, const char *option,
                                 const char *key)
{
    const char *text = cli_option(cli, option);

    if (text == NULL)
        return EXIT_DONE;
    json_t *number = json_loads(text, JSON_DECODE_ANY, NULL);
    if (!json_is_number(number)) {
        json_decref(number);
        return cli_usage(cli, NULL, "--%s must be a number, not \"%s\"", option, text);
    }
    json_object_set_new(options, key, number);
    return EXIT_DONE;
}

/* The engine reads it with each request: what is stored is where it is. */
static json_t *secret_of_file(struct cli *cli, const char *path)
{
    char directory[PATH_MAX];

    if (path[0] != '/' && getcwd(directory, sizeof(directory)) != NULL)
        path = arena_printf(&cli->arena, "%s/%s", directory, path);
    return json_pack("{s:s}", "secret", arena_printf(&cli->arena, "file:%s", path));
}

static enum exit_code add_headers(struct cli *cli, json_t *options)
{
    json_t *headers = json_object();

    for (size_t i = 0; i < cli->n_given; i++) {
        if (strcmp(cli->given[i].option->name, "header") != 0)
            continue;
        const char *given = cli->given[i].value, *colon = strchr(given, ':');
        if (colon == NULL || colon == given) {
            json_decref(headers);
            return cli_usage(cli, "example: --header 'Accept-Language: en'",
                             "--header wants 'NAME: VALUE', not \"%s\"", given);
        }
        const char *value = colon + 1 + strspn(colon + 1, " \t");
        const char *name = arena_strndup(&cli->arena, given, (size_t)(colon - given));
        if (json_object_set_new(headers, name,
                                *value == '@' ? secret_of_file(cli, value + 1)
                                              : json_string(value)) < 0) {
            json_decref(headers);
            return cli_usage(cli, NULL, "the header %s is not UTF-8", name);
        }
    }
    if (json_object_size(headers) > 0)
        json_object_set(options, "headers", headers);
    json_decref(headers);
    return EXIT_DONE;
}

/* --allow NETWORK, as often as there are networks. */
static void add_allowed(struct cli *cli, json_t *options)
{
    json_t *allowed = json_array();

    for (size_t i = 0; i < cli->n_given; i++)
        if (strcmp(cli->given[i].option->name, "allow") == 0)
            json_array_append_new(allowed, output_string(cli->given[i].value));
    if (json_array_size(allowed) > 0)
        json_object_set(options, "allow", allowed);
    json_decref(allowed);
}

static enum exit_code read_options(struct cli *cli, json_t *options)
{
    static const char *const texts[][2] = {{"timeout", "timeout"},
                                           {"connect-timeout", "connectTimeout"},
                                           {"cache", "cache"},
                                           {"unknown", "unknown"}};
    enum exit_code code = add_number(cli, options, "rate", "rate");

    if (code == EXIT_DONE)
        code = add_number(cli, options, "burst", "burst");
    if (code == EXIT_DONE)
        code = add_number(cli, options, "max-in-flight", "maxInFlight");
    if (code == EXIT_DONE)
        code = add_headers(cli, options);
    if (code == EXIT_DONE)
        code = members_read(cli, options);
    add_allowed(cli, options);
    for (size_t i = 0; i < ARRAY_LEN(texts); i++)
        if (cli_has(cli, texts[i][0]))
            json_object_set_new(options, texts[i][1], output_string(cli_option(cli, texts[i][0])));
    if (cli_has(cli, "replace"))
        json_object_set_new(options, "replace", json_true());
    return code;
}

/* A value for people: null is the default. */
static const char *setting(struct cli *cli, const json_t *change, const char *key)
{
    const char *text = row_text(cli, change, key);

    return *text != '\0' ? text : "default";
}

static void show_changes(struct cli *cli, const json_t *row)
{
    json_t *changed = json_object_get(row, "changed"), *change;
    bool created = json_is_true(json_object_get(row, "created"));
    const char *name;

    printf("%s: %s\n", cli->arguments[0],
           created                          ? "created"
           : json_object_size(changed) == 0 ? "nothing changed, it is so already"
                                            : "changed");
    json_object_foreach(changed, name, change)
    {
        if (created)
            printf("  %-22s %s\n", name, setting(cli, change, "to"));
        else
            printf("  %-22s %s -> %s\n", name, setting(cli, change, "from"),
                   setting(cli, change, "to"));
    }
}

static enum exit_code run_set(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *options = json_object(), *row = NULL, *rows = NULL;
    struct err err = {0};

    enum exit_code code = read_options(cli, options);
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_set_endpoint(client, cli->arguments[0],
                            cli->n_arguments > 1 ? cli->arguments[1] : NULL,
                            json_text_in(&cli->arena, options), &row, &err) < 0)
        return cli_fail(cli, &err);
    if (!cli->json) {
        show_changes(cli, row);
        return EXIT_DONE;
    }
    if (client_endpoints(client, cli->arguments[0], &rows, &err) < 0)
        return cli_fail(cli, &err);
    json_object_update_missing(json_array_get(rows, 0), row);
    output_json_lines(rows);
    return EXIT_DONE;
}

static const struct option set_options[] = {
    {"rate", 0, "N", "requests a second, for all engines together (default: no limit)"},
    {"burst", 0, "N", "how many may leave at once within the rate (default: 1)"},
    {"max-in-flight", 0, "N", "requests under way at a time (default: 100)"},
    {"timeout", 0, "DURATION",
     "of a whole request, without the wait for the rate (default: PT30S)"},
    {"connect-timeout", 0, "DURATION", "until the connection stands (default: PT5S)"},
    {"cache", 0, "DURATION", "use the answer to a GET again for so long (default: never)"},
    {"unknown", 0, "repeat|fail|ask",
     "what becomes of what was under way when an engine died (default: GET, HEAD, OPTIONS, PUT and "
     "DELETE are repeated, a person is asked for others)"},
    {"header", 0, "'NAME: VALUE'",
     "sent with each request; several are possible; 'NAME: @FILE': the engine reads the value from "
     "that file"},
    {"allow", 0, "NETWORK",
     "let requests go to loopback, private, or a network like 10.1.0.0/16; several are possible"},
    {"option", 0, "NAME=VALUE",
     "any option of set_endpoint() (docs/endpoints.md), like tls.ca=file:/etc/our-ca.pem; several "
     "are possible"},
    {"default", 0, "NAME",
     "back to its default, by its name in docs/endpoints.md, like breaker.open or headers.X-Key; "
     "several are possible"},
    {"replace", 0, NULL, "all that is not named goes back to its default"},
};

const struct subcommand command_endpoint_set = {
    .name = "endpoint set",
    .arguments = "NAME [URL]",
    .summary = "make an endpoint, or change what is named of one",
    .about = "Defines a service that processes call, or changes what is named: all else stays as "
             "it is, and what changed is told. A new one needs its URL. NAME is what the model "
             "says in `endpoint`; the path of a request is added to URL. DURATION is ISO 8601 "
             "(PT10S) or like '250 ms'. `pawl endpoint show NAME` tells how it is set.",
    .options = set_options,
    .n_options = ARRAY_LEN(set_options),
    .examples = "  pawl endpoint set geocoder https://nominatim.example --rate 1 --cache P1D "
                "--timeout PT10S\n"
                "  pawl endpoint set billing http://127.0.0.1:8080/v1 --allow loopback "
                "--option auth.type=bearer --option auth.token=file:/etc/pawl/billing\n"
                "  pawl endpoint set billing --rate 5 --default timeout\n",
    .min_arguments = 1,
    .max_arguments = 2,
    .database = true,
    .run = run_set,
};

/* ---- drop ---- */

static enum exit_code run_drop(struct cli *cli)
{
    return session_drop(cli, client_drop_endpoint);
}

const struct subcommand command_endpoint_drop = {
    .name = "endpoint drop",
    .arguments = "NAME",
    .summary = "remove an endpoint",
    .about = "Removes an endpoint. Refused while calls to it are not finished.",
    .examples = "  pawl endpoint drop geocoder\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_drop,
};
