/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/lint.h"
#include "cli/output.h"
#include "convert/convert.h"

/* A process to begin with: the file's name is its id. */
static const char *starter(struct cli *cli, const char *file)
{
    const char *slash = strrchr(file, '/');
    const char *name = slash != NULL ? slash + 1 : file;
    size_t n = strlen(name);

    if (n > 5 && strcmp(name + n - 5, ".bpmn") == 0)
        n -= 5;
    return arena_printf(&cli->arena,
                        "id: %.*s\nsteps:\n- id: look-at-it\n  type: task\n  name: Look at it\n"
                        "  end: true\n",
                        (int)n, name);
}

/* A file that exists is somebody's work. */
static int write_new(const char *path, const struct buf *text, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);

    if (fd < 0)
        return err_set(err, errno == EEXIST ? ERR_CONFLICT : ERR_IO, "cannot write %s: %s", path,
                       errno == EEXIST ? "it exists already; choose another name, or remove it"
                                       : strerror(errno));
    FILE *stream = fdopen(fd, "w");
    bool written = stream != NULL && fwrite(text->data, 1, text->len, stream) == text->len;
    if (stream == NULL)
        close(fd);
    else
        written = fclose(stream) == 0 && written;
    return written ? 0 : err_set(err, ERR_IO, "cannot write %s: %s", path, strerror(errno));
}

/* What a deployment would say of it. */
static bool judge(struct cli *cli, const char *file, const struct buf *bpmn)
{
    struct parse_result result;

    parser_init();
    parser_read(file, bpmn->data, bpmn->len, false, &result);
    bool deployable = result.n_errors == 0;
    lint_print(cli, stderr, file, &result);
    parse_result_deinit(&result);
    parser_deinit();
    return deployable;
}

static enum exit_code run_new(struct cli *cli)
{
    const char *from = cli_option(cli, "from");
    const char *to = cli->n_arguments > 0 ? cli->arguments[0] : NULL;
    const char *text = NULL;
    struct buf bpmn CLEANUP(buf_deinit);
    struct err err = {0};
    size_t n = 0;

    buf_init(&bpmn, LIMIT_XML_BYTES);
    if (from == NULL && to == NULL)
        return cli_usage(cli, "Name the file to be made, or --from a list of steps.",
                         "nothing is named");
    if (from != NULL) {
        if (cli_read_file(cli, from, LIMIT_STEPS_BYTES + 1, &text, &n, &err) < 0)
            return cli_fail(cli, &err);
    } else {
        text = starter(cli, to);
        n = strlen(text);
    }
    if (convert_steps(from != NULL ? from : to, text, n, &bpmn, NULL, &err) < 0)
        return cli_fail(cli, &err);
    if (to == NULL)
        fwrite(bpmn.data, 1, bpmn.len, stdout);
    else if (write_new(to, &bpmn, &err) < 0)
        return cli_fail(cli, &err);
    bool deployable = judge(cli, to != NULL ? to : "(stdout)", &bpmn);
    if (to != NULL)
        cli_note(cli, "%s is written: open it in the editor, or deploy it", to);
    return deployable ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option options[] = {
    {"from", 'f', "STEPS", "a list of steps in YAML or JSON; - is stdin"},
};

const struct subcommand command_new = {
    .name = "new",
    .arguments = "[FILE]",
    .summary = "make a BPMN file, from a list of steps or to begin with",
    .about =
        "Makes BPMN 2.0 with a diagram, so that the editor shows it; from then on the BPMN file is "
        "the source.\n"
        "\n"
        "--from reads a process that is written as a list of steps (docs/steps.md): echo, wait, "
        "set, "
        "http, event, task, process, choice, fail. Without it, FILE becomes a process with one "
        "task, to "
        "begin with.\n"
        "\n"
        "Writes FILE, which must not exist yet, or to stdout, and says on stderr what `pawl lint` "
        "says of it. Exit code 0: it can be deployed; 1: not.",
    .options = options,
    .n_options = ARRAY_LEN(options),
    .examples =
        "  pawl new approval.bpmn\n  pawl new --from order.yaml order.bpmn\n  pawl new --from "
        "order.yaml | pawl deploy -\n",
    .min_arguments = 0,
    .max_arguments = 1,
    .run = run_new,
};
