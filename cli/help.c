/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "cli/commands.h"
#include "cli/help.h"
#include "cli/lint.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/text.h"

#define SUMMARY_COLUMN 18

static void heading(struct cli *cli, struct buf *out, const char *text)
{
    colour_begin(cli, out, COLOUR_BOLD);
    buf_add_str(out, text);
    colour_end(cli, out, COLOUR_BOLD);
    buf_add_char(out, '\n');
}

static int help_width(const struct cli *cli)
{
    return cli->width == 0 || cli->width > 100 ? 100 : cli->width;
}

static void summary_line(const struct cli *cli, struct buf *out, const char *left,
                         const char *right)
{
    size_t n = strlen(left) + 2;

    buf_printf(out, "  %s", left);
    text_pad(out, n < SUMMARY_COLUMN ? SUMMARY_COLUMN - (int)n : 2);
    int column = n < SUMMARY_COLUMN ? SUMMARY_COLUMN : (int)n + 2;
    text_wrap(out, right, column, SUMMARY_COLUMN, help_width(cli));
    buf_add_char(out, '\n');
}

/* The heading that stands before this subcommand in the list of all, or NULL. */
static const char *chapter(const struct subcommand *command)
{
    static const struct {
        const struct subcommand *first;
        const char *title;
    } chapters[] = {
        {&command_up, "The engine"},
        {&command_lint, "Processes and deployments"},
        {&command_start, "Instances"},
        {&command_tasks, "Work"},
        {&command_incidents, "What went wrong"},
        {&command_endpoint_list, "Services and delegates"},
        {&command_user_list, "Who may"},
        {&command_version, "This program"},
    };

    for (size_t i = 0; i < ARRAY_LEN(chapters); i++)
        if (chapters[i].first == command)
            return chapters[i].title;
    return NULL;
}

void help_program(struct cli *cli)
{
    struct buf out;

    buf_init(&out, 0);
    buf_add_str(&out, "Pawl runs BPMN 2.0 processes on PostgreSQL.\n\n");
    heading(cli, &out, "Usage");
    buf_add_str(&out, "  pawl SUBCOMMAND [ARGUMENTS] [OPTIONS]\n");
    for (size_t i = 0; commands[i] != NULL; i++) {
        const char *title = chapter(commands[i]);
        if (title != NULL) {
            buf_add_char(&out, '\n');
            heading(cli, &out, title);
        }
        summary_line(cli, &out, commands[i]->name, commands[i]->summary);
    }
    buf_add_char(&out, '\n');
    heading(cli, &out, "Each of them");
    summary_line(cli, &out, "--help, -h", "says what it does, with its options and examples");
    summary_line(cli, &out, "-o json", "prints data as JSON, one object a line");
    buf_add_char(&out, '\n');
    heading(cli, &out, "Environment");
    summary_line(cli, &out, "PAWL_DATABASE", "stands for --database");
    summary_line(cli, &out, "PAWL_SCHEMA", "stands for --schema");
    summary_line(cli, &out, "PAWL_TENANT", "stands for --tenant");
    summary_line(cli, &out, "NO_COLOR", "no colours when it is set");
    buf_add_str(&out, "\nExit codes: 0 done; 1 understood, and refused or failed; 2 wrong usage;\n"
                      "            3 the database cannot be reached.\n");
    buf_add_str(&out,
                "\nFirst steps: pawl up &   pawl deploy FILE.bpmn   pawl start KEY   pawl ps\n");
    output_buf(&out);
    buf_deinit(&out);
}

void help_group(struct cli *cli, const char *word)
{
    struct buf out;
    size_t n = strlen(word);

    buf_init(&out, 0);
    heading(cli, &out, "Usage");
    buf_printf(&out, "  pawl %s SUBCOMMAND [ARGUMENTS] [OPTIONS]\n\n", word);
    heading(cli, &out, "Subcommands");
    for (size_t i = 0; commands[i] != NULL; i++)
        if (strncmp(commands[i]->name, word, n) == 0 && commands[i]->name[n] == ' ')
            summary_line(cli, &out, commands[i]->name, commands[i]->summary);
    output_buf(&out);
    buf_deinit(&out);
}

static void option_line(const struct cli *cli, struct buf *out, const struct option *option)
{
    char left[64], letter[8] = "    ";
    const int column = 31;

    if (option->letter != 0)
        snprintf(letter, sizeof(letter), "-%c, ", option->letter);
    snprintf(left, sizeof(left), "  %s--%s%s%s", letter, option->name,
             option->value != NULL ? " " : "", option->value != NULL ? option->value : "");
    buf_add_str(out, left);
    int n = (int)strlen(left);
    if (n > column - 2) {
        buf_add_char(out, '\n');
        n = 0;
    }
    text_pad(out, column - n);
    text_wrap(out, option->help, column, column, help_width(cli));
    buf_add_char(out, '\n');
}

/* Paragraphs are lines of their own in `about`; one that begins with a space is printed as it is.
 */
static void paragraphs(const struct cli *cli, struct buf *out, const char *about)
{
    while (*about != '\0') {
        size_t n = strcspn(about, "\n");
        char line[2048];
        snprintf(line, sizeof(line), "%.*s", (int)n, about);
        if (line[0] == ' ')
            buf_add_str(out, line);
        else
            text_wrap(out, line, 0, 0, help_width(cli));
        buf_add_char(out, '\n');
        about += n + (about[n] != '\0' ? 1 : 0);
    }
}

void help_command(struct cli *cli, const struct subcommand *command)
{
    struct buf out;

    buf_init(&out, 0);
    heading(cli, &out, "Usage");
    buf_printf(&out, "  pawl %s%s%s\n\n", command->name, *command->arguments != '\0' ? " " : "",
               command->arguments);
    paragraphs(cli, &out, command->about);
    buf_add_char(&out, '\n');
    heading(cli, &out, "Options");
    for (size_t i = 0; i < command->n_options; i++)
        option_line(cli, &out, &command->options[i]);
    for (size_t i = 0; command->database && i < n_database_options; i++)
        option_line(cli, &out, &database_options[i]);
    for (size_t i = 0; i < n_common_options; i++)
        option_line(cli, &out, &common_options[i]);
    if (command->examples != NULL) {
        buf_add_char(&out, '\n');
        heading(cli, &out, "Examples");
        buf_add_str(&out, command->examples);
    }
    output_buf(&out);
    buf_deinit(&out);
}

static enum exit_code run_help(struct cli *cli)
{
    char *words[2] = {0};
    int n = 0, taken = 0;

    if (cli->n_arguments == 0) {
        help_program(cli);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < cli->n_arguments && i < 2; i++)
        words[n++] = arena_strdup(&cli->arena, cli->arguments[i]);
    const struct subcommand *command = options_command(words, n, &taken);
    if (command != NULL && taken == n) {
        help_command(cli, command);
        return EXIT_DONE;
    }
    if (command == NULL && n == 1 && options_group(words[0])) {
        help_group(cli, words[0]);
        return EXIT_DONE;
    }
    const char *hint = "`pawl help` lists the subcommands";
    if (options_group(words[0]))
        hint = arena_printf(&cli->arena, "`pawl help %s` lists what there is", words[0]);
    return cli_usage(cli, hint, "there is no subcommand \"%s%s%s\"", words[0], n > 1 ? " " : "",
                     n > 1 ? words[1] : "");
}

const struct subcommand command_help = {
    .name = "help",
    .arguments = "[SUBCOMMAND]",
    .summary = "what there is, or the help of one subcommand",
    .about =
        "Lists the subcommands, or prints the help of one: the same text as SUBCOMMAND --help.",
    .examples = "  pawl help\n  pawl help task complete\n",
    .max_arguments = 2,
    .run = run_help,
};

static enum exit_code run_version(struct cli *cli)
{
    if (cli->json)
        printf("{\"version\":\"%s\",\"faults\":%s}\n", PAWL_VERSION,
#ifdef PAWL_FAULTS
               "true"
#else
               "false"
#endif
        );
    else
        printf("pawl %s\n", PAWL_VERSION);
    return EXIT_DONE;
}

const struct subcommand command_version = {
    .name = "version",
    .arguments = "",
    .summary = "the version of this program",
    .about = "Prints the version of this program.",
    .examples = "  pawl version\n  pawl version -o json\n",
    .run = run_version,
};
