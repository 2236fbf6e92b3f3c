/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "cli/members.h"
#include "cli/output.h"

/* Sets what "tls.minVersion" says: members within members. */
static int set_member(json_t *options, const char *path, json_t *value)
{
    const char *dot = strchr(path, '.');

    if (dot == NULL)
        return *path != '\0' ? json_object_set(options, path, value) : -1;
    char name[64];
    snprintf(name, sizeof(name), "%.*s", (int)(dot - path), path);
    if (json_object_get(options, name) == NULL)
        json_object_set_new(options, name, json_object());
    json_t *inner = json_object_get(options, name);
    return name[0] != '\0' && json_is_object(inner) ? set_member(inner, dot + 1, value) : -1;
}

/* --default PATH: null, which SQL takes as the default. */
static enum exit_code read_default(struct cli *cli, const char *path, json_t *options)
{
    if (set_member(options, path, json_null()) < 0)
        return cli_usage(cli, "example: --default breaker.open",
                         "--default wants the name of an option, not \"%s\"", path);
    return EXIT_DONE;
}

enum exit_code members_read(struct cli *cli, json_t *options)
{
    for (size_t i = 0; i < cli->n_given; i++) {
        if (strcmp(cli->given[i].option->name, "default") == 0 &&
            read_default(cli, cli->given[i].value, options) != EXIT_DONE)
            return EXIT_USAGE;
        if (strcmp(cli->given[i].option->name, "option") != 0)
            continue;
        const char *given = cli->given[i].value, *equals = strchr(given, '=');
        const char *path =
            equals != NULL ? arena_strndup(&cli->arena, given, (size_t)(equals - given)) : "";
        json_auto_t *value = equals != NULL ? json_loads(equals + 1, JSON_DECODE_ANY, NULL) : NULL;
        /* 1.2 and 2 are versions, not numbers, where a text is wanted. */
        bool version = strcmp(path, "http") == 0 || strcmp(path, "tls.minVersion") == 0;
        if (equals != NULL && (value == NULL || version)) {
            json_decref(value);
            value = json_string(equals + 1);
        }
        if (value == NULL || set_member(options, path, value) < 0)
            return cli_usage(cli, "example: --option tls.minVersion=1.3",
                             "--option wants 'NAME=VALUE', not \"%s\"", given);
    }
    return EXIT_DONE;
}

void members_given(const struct cli *cli, const char *const *names, size_t n, json_t *options)
{
    for (size_t i = 0; i < n; i++)
        if (cli_has(cli, names[i]))
            json_object_set_new(options, names[i], output_string(cli_option(cli, names[i])));
}
