/* SPDX-License-Identifier: Apache-2.0 */
/* What is JSON goes on as it came: numbers keep their digits. */
#include "base/build.h"

#include <jansson.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "cli/variables.h"
#include "engine/value.h"
#include "store/json_text.h"

/* Whether it is an object, by jansson, which refuses what is there twice. */
static enum exit_code judge(struct cli *cli, const char *text, size_t n, bool *ret_empty)
{
    json_error_t error;
    json_auto_t *object = json_read(text, n, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &error);

    if (object == NULL)
        return cli_usage(cli, "example: --variables '{\"amount\": 12}'",
                         "--variables is not JSON: %s (line %d, column %d)", error.text, error.line,
                         error.column);
    if (!json_is_object(object))
        return cli_usage(cli, "example: --variables '{\"amount\": 12}'",
                         "--variables must be a JSON object of names and values");
    *ret_empty = json_object_size(object) == 0;
    return EXIT_DONE;
}

/* The members of --variables, without the brackets around them. */
static enum exit_code add_whole(struct cli *cli, const char *given, struct buf *members)
{
    struct err err = {0};
    size_t n = strlen(given);
    const char *text = given;
    bool empty = false;

    if (given[0] == '@' || strcmp(given, "-") == 0) {
        const char *path = given[0] == '@' ? given + 1 : given;
        if (cli_read_file(cli, path, LIMIT_VARIABLES_BYTES, &text, &n, &err) < 0)
            return cli_fail(cli, &err);
    }
    enum exit_code code = judge(cli, text, n, &empty);
    if (code != EXIT_DONE || empty)
        return code;
    const char *open = memchr(text, '{', n), *close = memrchr(text, '}', n);
    buf_add(members, open + 1, (size_t)(close - open - 1));
    return EXIT_DONE;
}

const char *variables_value(struct cli *cli, const char *text)
{
    size_t n = strlen(text);
    struct value value;

    if (value_read(&cli->arena, text, n, &value, NULL) == 0)
        return text;
    if (!utf8_valid(text, n))
        return NULL;
    value = value_string(&cli->arena, text, n);
    return value_text(&cli->arena, &value, NULL);
}

/* Of two with one name the last counts. */
static enum exit_code add_one(struct cli *cli, const char *option, const char *given,
                              struct buf *members)
{
    const char *equals = strchr(given, '=');

    if (equals == NULL || equals == given)
        return cli_usage(cli, "example: amount=12 or name=Ada", "%s wants NAME=VALUE, not \"%s\"",
                         option, given);
    size_t n = (size_t)(equals - given);
    if (n > LIMIT_NAME_BYTES)
        return cli_usage(cli, NULL, "a name may have %u bytes", LIMIT_NAME_BYTES);
    const char *text = variables_value(cli, equals + 1);
    if (text == NULL || !utf8_valid(given, n))
        return cli_usage(cli, NULL, "%s %.*s: the text is not UTF-8", option, (int)n, given);
    struct value name = value_string(&cli->arena, given, n);
    buf_printf(members, "%s%s:%s", members->len > 0 ? "," : "",
               value_text(&cli->arena, &name, NULL), text);
    return EXIT_DONE;
}

static enum exit_code add_named(struct cli *cli, const char *option, struct buf *members)
{
    enum exit_code code = EXIT_DONE;

    for (size_t i = 0; i < cli->n_given && code == EXIT_DONE; i++)
        if (strcmp(cli->given[i].option->name, option) == 0)
            code = add_one(cli, arena_printf(&cli->arena, "--%s", option), cli->given[i].value,
                           members);
    return code;
}

static const char *object_of(struct cli *cli, const struct buf *members)
{
    return arena_printf(&cli->arena, "{%s}", buf_str(members));
}

enum exit_code variables_named(struct cli *cli, const char *option, const char **ret_json)
{
    struct buf members CLEANUP(buf_deinit);

    buf_init(&members, 0);
    enum exit_code code = add_named(cli, option, &members);
    *ret_json = object_of(cli, &members);
    return code;
}

enum exit_code variables_read(struct cli *cli, const char **ret_json)
{
    struct buf members CLEANUP(buf_deinit);
    const char *whole = cli_option(cli, "variables");
    enum exit_code code = EXIT_DONE;

    buf_init(&members, 0);
    if (whole != NULL)
        code = add_whole(cli, whole, &members);
    if (code == EXIT_DONE)
        code = add_named(cli, "variable", &members);
    *ret_json = object_of(cli, &members);
    return code;
}
