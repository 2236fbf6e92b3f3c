/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "base/limits.h"
#include "cli/variables.h"

/* ret_object is the caller's to free, whatever comes back. */
static enum exit_code read_object(struct cli *cli, const char *given, json_t **ret_object)
{
    struct err err = {0};
    json_error_t error;
    size_t n = strlen(given);
    const char *text = given;

    if (given[0] == '@' || strcmp(given, "-") == 0) {
        const char *path = given[0] == '@' ? given + 1 : given;
        if (cli_read_file(cli, path, LIMIT_VARIABLES_BYTES, &text, &n, &err) < 0)
            return cli_fail(cli, &err);
    }
    *ret_object = json_loadb(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);
    if (*ret_object == NULL)
        return cli_usage(cli, "example: --variables '{\"amount\": 12}'",
                         "--variables is not JSON: %s (line %d, column %d)", error.text, error.line,
                         error.column);
    if (!json_is_object(*ret_object))
        return cli_usage(cli, "example: --variables '{\"amount\": 12}'",
                         "--variables must be a JSON object of names and values");
    return EXIT_DONE;
}

static enum exit_code add_one(const struct cli *cli, const char *option, json_t *object,
                              const char *given)
{
    const char *equals = strchr(given, '=');

    if (equals == NULL || equals == given)
        return cli_usage(cli, "example: amount=12 or name=Ada", "%s wants NAME=VALUE, not \"%s\"",
                         option, given);
    char name[LIMIT_NAME_BYTES + 1];
    if ((size_t)(equals - given) > LIMIT_NAME_BYTES)
        return cli_usage(cli, NULL, "a name may have %u bytes", LIMIT_NAME_BYTES);
    snprintf(name, sizeof(name), "%.*s", (int)(equals - given), given);
    json_t *value = json_loads(equals + 1, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    if (value == NULL)
        value = json_string(equals + 1);
    if (value == NULL || json_object_set_new(object, name, value) < 0)
        return cli_usage(cli, NULL, "%s %s: the text is not UTF-8", option, name);
    return EXIT_DONE;
}

enum exit_code variables_named(struct cli *cli, const char *option, json_t *object)
{
    enum exit_code code = EXIT_DONE;

    for (size_t i = 0; i < cli->n_given && code == EXIT_DONE; i++)
        if (strcmp(cli->given[i].option->name, option) == 0)
            code = add_one(cli, arena_printf(&cli->arena, "--%s", option), object,
                           cli->given[i].value);
    return code;
}

enum exit_code variables_read(struct cli *cli, const char **ret_json)
{
    const char *whole = cli_option(cli, "variables");
    json_auto_t *object = NULL;
    enum exit_code code = EXIT_DONE;

    if (whole != NULL)
        code = read_object(cli, whole, &object);
    else
        object = json_object();
    if (code != EXIT_DONE)
        return code;
    if (code == EXIT_DONE)
        code = variables_named(cli, "variable", object);
    if (code == EXIT_DONE) {
        char *dump = json_dumps(object, JSON_COMPACT);
        *ret_json = arena_strdup(&cli->arena, dump);
        free(dump);
    }
    return code;
}
