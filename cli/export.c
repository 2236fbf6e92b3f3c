/* SPDX-License-Identifier: Apache-2.0 */
/* `pawl export`: a deployment as it was deployed, as a folder or a zip file. */
#include "base/build.h"

#include <errno.h>
#include <jansson.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "cli/commands.h"
#include "cli/find.h"
#include "cli/output.h"
#include "cli/session.h"

/* Nothing that is there is written over. */
static enum exit_code write_file(struct cli *cli, const char *path, const char *bytes, size_t n)
{
    bool out = strcmp(path, "-") == 0;
    FILE *file = out ? stdout : fopen(path, "wxe");

    if (file == NULL)
        return cli_refuse(cli, errno == EEXIST ? "choose another name, or remove it first" : NULL,
                          "cannot write %s: %s", path, strerror(errno));
    bool good = fwrite(bytes, 1, n, file) == n && fflush(file) == 0;
    int why = errno;
    if (!out && fclose(file) != 0 && good) {
        good = false;
        why = errno;
    }
    return good ? EXIT_DONE : cli_refuse(cli, NULL, "cannot write %s: %s", path, strerror(why));
}

static enum exit_code make_folder(struct cli *cli, const char *path)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return EXIT_DONE;
    return cli_refuse(cli, NULL, "cannot make the folder %s: %s", path, strerror(errno));
}

static enum exit_code write_folder(struct cli *cli, const char *folder,
                                   const struct archive_file *files, size_t n)
{
    enum exit_code code = make_folder(cli, folder);

    for (size_t i = 0; i < n && code == EXIT_DONE; i++) {
        const char *name = archive_name(&cli->arena, files[i].name);
        for (const char *slash = strchr(name, '/'); slash != NULL && code == EXIT_DONE;
             slash = strchr(slash + 1, '/'))
            code = make_folder(
                cli, arena_printf(&cli->arena, "%s/%.*s", folder, (int)(slash - name), name));
        if (code == EXIT_DONE)
            code = write_file(cli, arena_printf(&cli->arena, "%s/%s", folder, name), files[i].text,
                              files[i].n);
    }
    return code;
}

static enum exit_code write_zip(struct cli *cli, const char *path, const struct archive_file *files,
                                size_t n)
{
    struct buf zip CLEANUP(buf_deinit);
    struct err err = {0};

    buf_init(&zip, 0);
    if (archive_write_files(&cli->arena, files, n, &zip, &err) < 0)
        return cli_fail(cli, &err);
    return write_file(cli, path, zip.data, zip.len);
}

static enum exit_code run(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    const char *path = cli->arguments[1];
    json_auto_t *rows = NULL;
    struct err err = {0};
    struct uuid id;
    json_t *row;
    size_t i;

    enum exit_code code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_deployment(cli, client, cli->arguments[0], &id);
    if (code != EXIT_DONE)
        return code;
    if (client_export(client, &id, &rows, &err) < 0)
        return cli_fail(cli, &err);
    size_t n = json_array_size(rows);
    struct archive_file *files = arena_array(&cli->arena, n, sizeof(*files));
    json_array_foreach(rows, i, row)
    {
        json_t *content = json_object_get(row, "content");
        files[i] = (struct archive_file){.name = row_text(cli, row, "name"),
                                         .text = json_string_value(content),
                                         .n = json_string_length(content)};
    }
    bool zip = archive_is_zip(path) || strcmp(path, "-") == 0;
    code = zip ? write_zip(cli, path, files, n) : write_folder(cli, path, files, n);
    if (code == EXIT_DONE && strcmp(path, "-") != 0)
        cli_note(cli, "%zu file%s in %s", n, n == 1 ? "" : "s", path);
    return code;
}

const struct subcommand command_export = {
    .name = "export",
    .arguments = "DEPLOYMENT | PROCESS[:VERSION] PATH",
    .summary = "write the files of a deployment",
    .about = "Writes the models, schemas and forms of a deployment as they came, and the values of "
             "parameters that it brought as parameters.json: what `pawl deploy PATH` takes again, "
             "and finds nothing new in.\n"
             "\n"
             "PATH is a folder, which is made, or a file that ends with .zip; - is a zip file on "
             "stdout. Files that are there already are not written over.\n"
             "\n"
             "DEPLOYMENT is its id, or the beginning of it (at least 8 characters); PROCESS stands "
             "for the deployment of its latest version.",
    .examples = "  pawl export order-delivery order-delivery/\n"
                "  pawl export order-delivery:3 order-3.zip\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .database = true,
    .run = run,
};
