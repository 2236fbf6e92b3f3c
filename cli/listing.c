/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "cli/find.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/session.h"

enum exit_code listing_options(struct cli *cli, struct listing *listing)
{
    return cli_number(cli, "limit", 1, 100000, 50, &listing->limit) < 0 ? EXIT_USAGE : EXIT_DONE;
}

enum exit_code listing_instance(struct cli *cli, struct client *client, struct listing *listing)
{
    const char *text = cli_option(cli, "instance");
    json_auto_t *row = NULL;

    if (text == NULL)
        return EXIT_DONE;
    listing->instance = &listing->id;
    return find_instance(cli, client, text, &row, &listing->id);
}

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

enum exit_code listing_all(struct cli *cli, const struct listing *listing,
                           int (*fetch)(struct client *client, json_t **ret_rows, struct err *err))
{
    struct client *client CLEANUP(client_closep) = NULL;
    json_auto_t *rows = NULL;
    struct err err = {0};

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (fetch(client, &rows, &err) < 0)
        return cli_fail(cli, &err);
    return listing_show(cli, client, listing, rows);
}
