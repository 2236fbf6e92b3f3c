/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "cli/find.h"
#include "cli/listing.h"
#include "cli/options.h"
#include "cli/output.h"
#include "cli/session.h"

enum exit_code listing_show(struct cli *cli, struct client *client, const struct listing *listing,
                            json_t *rows)
{
    bool more = listing->limit > 0 && json_array_size(rows) > (size_t)listing->limit;
    json_auto_t *now = NULL;
    struct err err = {0};

    if (more)
        json_array_remove(rows, (size_t)listing->limit);
    if (cli->json) {
        output_json_lines(rows);
    } else if (json_array_size(rows) == 0) {
        cli_note(cli, "%s", listing->nothing);
    } else {
        if (client_clock(client, &now, &err) < 0)
            return cli_fail(cli, &err);
        table_print(cli, listing->columns, listing->n_columns, rows, row_time(now, "now"));
    }
    if (more)
        cli_note(cli, "there are more than %ld; --limit N shows more", listing->limit);
    return EXIT_DONE;
}

static enum exit_code find_of(struct cli *cli, struct client *client, struct listing *listing)
{
    const char *text = options_has(cli->command, "instance") ? cli_option(cli, "instance") : NULL;
    json_auto_t *row = NULL;

    if (text == NULL)
        return EXIT_DONE;
    listing->instance = &listing->id;
    return find_instance(cli, client, text, &row, &listing->id);
}

static enum exit_code read_limit(const struct cli *cli, struct listing *listing)
{
    if (!options_has(cli->command, "limit"))
        return EXIT_DONE;
    long most = listing->limit_most != 0 ? listing->limit_most : 100000;
    if (cli_number(cli, "limit", 1, most, 50, &listing->limit) < 0)
        return EXIT_USAGE;
    listing->most = (int)listing->limit + 1;
    return EXIT_DONE;
}

enum exit_code listing_run(struct cli *cli, const struct listing *listing)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct listing own = *listing;
    json_auto_t *rows = NULL;
    struct err err = {0};

    enum exit_code code = read_limit(cli, &own);
    if (code == EXIT_DONE)
        code = session_open(cli, &client);
    if (code == EXIT_DONE)
        code = find_of(cli, client, &own);
    if (code != EXIT_DONE)
        return code;
    if ((own.fetch_all != NULL ? own.fetch_all(client, &rows, &err)
                               : own.fetch(cli, client, &own, &rows, &err)) < 0)
        return cli_fail(cli, &err);
    return listing_show(cli, client, &own, rows);
}
