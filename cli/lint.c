/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <jansson.h>

#include "base/limits.h"
#include "cli/lint.h"
#include "cli/output.h"
#include "cli/text.h"

static const char *severity_name(enum finding_severity severity)
{
    return severity == FINDING_ERROR ? "error" : "warning";
}

static void print_json(const char *file, const struct finding *finding)
{
    json_t *line =
        json_pack("{s:o, s:i, s:i, s:o, s:s, s:s, s:o}", "file", output_string(file), "line",
                  finding->line, "column", finding->column, "element",
                  output_string(finding->element), "code", finding->code, "severity",
                  severity_name(finding->severity), "message", output_string(finding->message));

    output_json(line);
    json_decref(line);
}

/* file:line:column: severity code element: message. Editors jump to such a place. */
static void print_text(const struct cli *cli, FILE *stream, const char *file,
                       const struct finding *finding)
{
    struct buf line;
    enum colour colour = colour_of_state(severity_name(finding->severity));

    buf_init(&line, 0);
    text_add(&line, file, 0);
    buf_printf(&line, ":%d:", finding->line);
    if (finding->column > 0)
        buf_printf(&line, "%d:", finding->column);
    buf_add_char(&line, ' ');
    if (stream == stdout)
        colour_begin(cli, &line, colour);
    buf_add_str(&line, severity_name(finding->severity));
    if (stream == stdout)
        colour_end(cli, &line, colour);
    buf_add_char(&line, ' ');
    text_add(&line, finding->code, 0);
    if (*finding->element != '\0') {
        buf_add_char(&line, ' ');
        text_add(&line, finding->element, 0);
    }
    buf_add_str(&line, ": ");
    text_add(&line, finding->message, 0);
    buf_add_char(&line, '\n');
    fputs(buf_str(&line), stream);
    buf_deinit(&line);
}

void lint_print(struct cli *cli, FILE *stream, const char *file, const struct parse_result *result)
{
    for (size_t i = 0; i < result->n_findings; i++) {
        if (cli->json && stream == stdout)
            print_json(file, &result->findings[i]);
        else
            print_text(cli, stream, file, &result->findings[i]);
    }
}

static void print_unreadable(struct cli *cli, const char *file, const struct err *err)
{
    struct finding finding = {
        .severity = FINDING_ERROR, .element = "", .code = "unreadable-file", .message = err->text};

    if (cli->json)
        print_json(file, &finding);
    else
        print_text(cli, stdout, file, &finding);
}

static enum exit_code run_lint(struct cli *cli)
{
    size_t n_errors = 0, n_warnings = 0;

    parser_init();
    for (size_t i = 0; i < cli->n_arguments; i++) {
        const char *file = cli->arguments[i], *text;
        struct err err = {0};
        size_t n;
        if (cli_read_file(cli, file, LIMIT_XML_BYTES + 1, &text, &n, &err) < 0) {
            print_unreadable(cli, file, &err);
            n_errors++;
            continue;
        }
        struct parse_result result;
        parser_read(file, text, n, false, &result);
        lint_print(cli, stdout, file, &result);
        n_errors += result.n_errors;
        n_warnings += result.n_findings - result.n_errors;
        parse_result_deinit(&result);
    }
    parser_deinit();
    if (!cli->json)
        fprintf(stderr, "%zu file%s, %zu error%s, %zu warning%s: %s\n", cli->n_arguments,
                cli->n_arguments == 1 ? "" : "s", n_errors, n_errors == 1 ? "" : "s", n_warnings,
                n_warnings == 1 ? "" : "s", n_errors == 0 ? "deployable" : "not deployable");
    return n_errors == 0 ? EXIT_DONE : EXIT_REFUSED;
}

const struct subcommand command_lint = {
    .name = "lint",
    .arguments = "FILE...",
    .summary = "judge BPMN files as a deployment would, without a database",
    .about =
        "Reads BPMN 2.0 files from any editor and says everything that is wrong with them at once, "
        "each "
        "finding as file:line:column: severity code element: message.\n"
        "\n"
        "Errors keep a file from being deployed: what is not BPMN, refers to nothing, or is a "
        "construct "
        "that would change what the process does and is not executed yet. Warnings do not: a wait "
        "without a timeout, an error code that nobody catches, an element that cannot be reached, "
        "a "
        "transaction boundary that the model does not show.\n"
        "\n"
        "With -o json each finding is one object: file, line, column, element, code, severity, "
        "message.\n"
        "\n"
        "Exit code 0: deployable; 1: not.",
    .examples = "  pawl lint order.bpmn\n  pawl lint -o json processes/*.bpmn | jq -r .code | sort "
                "| uniq -c\n",
    .min_arguments = 1,
    .max_arguments = -1,
    .run = run_lint,
};
