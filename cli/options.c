/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "cli/options.h"

const struct option common_options[] = {
    {"output", 'o', "FORMAT", "table (the default) or json: one object a line"},
    {"help", 'h', NULL, "this text"},
};
const size_t n_common_options = ARRAY_LEN(common_options);

const struct option database_options[] = {
    {"database", 0, "CONNINFO",
     "the database, as libpq writes it (default: PAWL_DATABASE, else the "
     "private one that `pawl up` keeps)"},
    {"schema", 0, "NAME", "the engine's schema (default: PAWL_SCHEMA, else pawl)"},
    {"data", 0, "DIR",
     "where `pawl up` keeps its private database (default: PAWL_DATA, else ./.pawl)"},
};
const size_t n_database_options = ARRAY_LEN(database_options);

bool options_group(const char *word)
{
    size_t n = strlen(word);

    for (size_t i = 0; commands[i] != NULL; i++)
        if (strncmp(commands[i]->name, word, n) == 0 && commands[i]->name[n] == ' ')
            return true;
    return false;
}

const struct subcommand *options_command(char **words, int n, int *ret_words)
{
    for (size_t i = 0; n > 0 && commands[i] != NULL; i++) {
        const char *name = commands[i]->name;
        const char *space = strchr(name, ' ');
        if (space == NULL && strcmp(name, words[0]) == 0) {
            *ret_words = 1;
            return commands[i];
        }
        if (space != NULL && n > 1 && strncmp(name, words[0], (size_t)(space - name)) == 0 &&
            words[0][space - name] == '\0' && strcmp(space + 1, words[1]) == 0) {
            *ret_words = 2;
            return commands[i];
        }
    }
    return NULL;
}

/* Edits that turn one short word into the other (Levenshtein). */
static size_t distance(const char *a, const char *b)
{
    enum { MOST = 32 };
    size_t row[MOST + 1];
    size_t n = strlen(b);

    if (n > MOST || strlen(a) > MOST)
        return MOST;
    for (size_t j = 0; j <= n; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 1; j <= n; j++) {
            size_t best = diagonal + (a[i] != b[j - 1] ? 1 : 0);
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            diagonal = row[j];
            row[j] = best;
        }
    }
    return row[n];
}

static bool nearer(const char *word, const char *candidate, size_t *best)
{
    size_t d = distance(word, candidate);

    /* A word with most of its letters wrong was not meant. */
    if (d >= *best || d > (strlen(word) + 1) / 2)
        return false;
    *best = d;
    return true;
}

const char *options_nearest_command(const char *word)
{
    const char *found = NULL;
    size_t best = 4;

    for (size_t i = 0; commands[i] != NULL; i++)
        if (nearer(word, commands[i]->name, &best))
            found = commands[i]->name;
    return found;
}

/* Walks through all options of a command. */
static const struct option *option_at(const struct subcommand *command, size_t i)
{
    if (i < command->n_options)
        return &command->options[i];
    i -= command->n_options;
    if (i < n_common_options)
        return &common_options[i];
    i -= n_common_options;
    if (command->database && i < n_database_options)
        return &database_options[i];
    return NULL;
}

static const struct option *find_option(const struct subcommand *command, const char *name,
                                        size_t n, char letter)
{
    const struct option *option;

    for (size_t i = 0; (option = option_at(command, i)) != NULL; i++) {
        if (letter != 0 && option->letter == letter)
            return option;
        if (letter == 0 && strlen(option->name) == n && memcmp(option->name, name, n) == 0)
            return option;
    }
    return NULL;
}

static enum exit_code unknown_option(const struct cli *cli, const char *word, size_t n)
{
    const struct option *option;
    const char *found = NULL;
    size_t best = 4;
    char given[64], hint[128];

    snprintf(given, sizeof(given), "%.*s", (int)n, word);
    const char *bare = given + strspn(given, "-");
    for (size_t i = 0; (option = option_at(cli->command, i)) != NULL; i++)
        if (nearer(bare, option->name, &best))
            found = option->name;
    if (found != NULL)
        snprintf(hint, sizeof(hint), "did you mean --%s?", found);
    else
        snprintf(hint, sizeof(hint), "`pawl %s --help` lists the options", cli->command->name);
    return cli_usage(cli, hint, "there is no option %s", given);
}

static enum exit_code take_output(struct cli *cli, const char *value)
{
    if (strcmp(value, "json") == 0)
        cli->json = true;
    else if (strcmp(value, "table") == 0 || strcmp(value, "text") == 0)
        cli->json = false;
    else
        return cli_usage(cli, "-o json or -o table", "there is no output format %s", value);
    return EXIT_DONE;
}

/* One option at words[*i]; moves *i over its value. */
static enum exit_code take_option(struct cli *cli, char **words, int n, int *i)
{
    const char *word = words[*i], *value = NULL;
    const struct option *option;
    size_t length = strlen(word);

    if (word[1] == '-') {
        const char *equals = strchr(word, '=');
        if (equals != NULL) {
            length = (size_t)(equals - word);
            value = equals + 1;
        }
        option = find_option(cli->command, word + 2, length - 2, 0);
    } else {
        option = find_option(cli->command, NULL, 0, word[1]);
        if (word[2] != '\0')
            value = word + 2 + (word[2] == '=' ? 1 : 0);
    }
    if (option == NULL)
        return unknown_option(cli, word, length);
    if (option->value == NULL && value != NULL)
        return cli_usage(cli, NULL, "--%s takes no value", option->name);
    if (option->value != NULL && value == NULL) {
        if (*i + 1 >= n)
            return cli_usage(cli, NULL, "--%s needs a value: --%s %s", option->name, option->name,
                             option->value);
        value = words[++*i];
    }
    if (strcmp(option->name, "help") == 0)
        cli->help = true;
    if (strcmp(option->name, "output") == 0)
        return take_output(cli, value);
    *arena_push(&cli->arena, cli->given, cli->n_given, cli->given_capacity) =
        (struct given){option, value != NULL ? value : ""};
    return EXIT_DONE;
}

static enum exit_code check_count(const struct cli *cli)
{
    const struct subcommand *command = cli->command;
    int n = (int)cli->n_arguments;
    char hint[256];

    snprintf(hint, sizeof(hint), "usage: pawl %s%s%s", command->name,
             command->arguments[0] != '\0' ? " " : "", command->arguments);
    if (n < command->min_arguments)
        return cli_usage(cli, hint, "%s is missing", n == 0 ? "an argument" : "another argument");
    if (command->max_arguments >= 0 && n > command->max_arguments)
        return cli_usage(cli, hint, "\"%s\" is one argument too many",
                         cli->arguments[command->max_arguments]);
    return EXIT_DONE;
}

static enum exit_code no_command(struct cli *cli, char **words, int n)
{
    char hint[128];

    if (options_group(words[0])) {
        if (n == 1 || strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0) {
            cli->help = true;
            *arena_push(&cli->arena, cli->arguments, cli->n_arguments, cli->arguments_capacity) =
                words[0];
            return n == 1 ? EXIT_USAGE : EXIT_DONE;
        }
        snprintf(hint, sizeof(hint), "`pawl %s --help` lists what there is", words[0]);
        return cli_usage(cli, hint, "there is no subcommand \"%s %s\"", words[0], words[1]);
    }
    const char *nearest = options_nearest_command(words[0]);
    if (nearest != NULL)
        snprintf(hint, sizeof(hint), "did you mean `pawl %s`?", nearest);
    else
        snprintf(hint, sizeof(hint), "`pawl help` lists the subcommands");
    return cli_usage(cli, hint,
                     words[0][0] == '-' ? "there is no option %s before the subcommand"
                                        : "there is no subcommand \"%s\"",
                     words[0]);
}

enum exit_code options_read(struct cli *cli, int argc, char **argv)
{
    char **words = argv + 1;
    int n = argc - 1, taken = 0;
    bool only_arguments = false;

    if (n == 0 || strcmp(words[0], "--help") == 0 || strcmp(words[0], "-h") == 0) {
        cli->help = true;
        return n == 0 ? EXIT_USAGE : EXIT_DONE;
    }
    static char version[] = "version";
    if (strcmp(words[0], "--version") == 0 || strcmp(words[0], "-V") == 0)
        words[0] = version;
    cli->command = options_command(words, n, &taken);
    if (cli->command == NULL)
        return no_command(cli, words, n);
    for (int i = taken; i < n; i++) {
        if (!only_arguments && strcmp(words[i], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && words[i][0] == '-' && words[i][1] != '\0') {
            enum exit_code code = take_option(cli, words, n, &i);
            if (code != EXIT_DONE)
                return code;
        } else {
            *arena_push(&cli->arena, cli->arguments, cli->n_arguments, cli->arguments_capacity) =
                words[i];
        }
    }
    return cli->help ? EXIT_DONE : check_count(cli);
}

bool options_has(const struct subcommand *command, const char *name)
{
    return find_option(command, name, strlen(name), 0) != NULL;
}

const char *cli_option(const struct cli *cli, const char *name)
{
    const char *value = NULL;

    assert(options_has(cli->command, name));
    for (size_t i = 0; i < cli->n_given; i++)
        if (strcmp(cli->given[i].option->name, name) == 0)
            value = cli->given[i].value;
    return value;
}

bool cli_has(const struct cli *cli, const char *name)
{
    return cli_option(cli, name) != NULL;
}
