/* SPDX-License-Identifier: Apache-2.0 */
/* `pawl user`: who may use the server, and how he identifies himself. */
#include "base/build.h"

#include <jansson.h>

#include "base/limits.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/output.h"
#include "cli/session.h"
#include "server/verifier.h"

/* ---- list ---- */

static const char *login(struct cli *cli, const json_t *row, int64_t now_us)
{
    json_int_t tokens = row_int(row, "tokens");
    bool password = json_is_true(json_object_get(row, "has_password"));

    (void)now_us;
    if (json_is_true(json_object_get(row, "disabled")))
        return "disabled";
    return arena_printf(&cli->arena, "%s%lld token%s", password ? "password, " : "",
                        (long long)tokens, tokens == 1 ? "" : "s");
}

static const struct table_column user_columns[] = {
    {"USER", TABLE_TEXT, 10, 0, .member = "name"},
    {"RIGHTS", TABLE_LIST, 10, 0, .member = "rights"},
    {"TENANTS", TABLE_LIST, 8, 0, .member = "tenants"},
    {"LOGIN", TABLE_TEXT, 0, 2, .cell = login},
    {"MADE BY", TABLE_TEXT, 0, 4, .member = "created_by"},
};

static enum exit_code run_list(struct cli *cli)
{
    static const struct listing listing = {.nothing = "no users; `pawl user add NAME` makes one",
                                           .columns = user_columns,
                                           .n_columns = ARRAY_LEN(user_columns),
                                           .fetch_all = client_users};

    return listing_run(cli, &listing);
}

const struct subcommand command_user_list = {
    .name = "user list",
    .arguments = "",
    .summary = "list who may use the server",
    .about = "Lists the users of the server. Roles of the database are no users: they need none.",
    .examples = "  pawl user list\n  pawl user list -o json\n",
    .database = true,
    .run = run_list,
};

/* ---- add, set, passwd ---- */

/* The first line of --password-file, as a verifier. NULL where none is given and none is needed. */
static enum exit_code read_password(struct cli *cli, const char *fallback, const char **ret)
{
    const char *path = cli_option(cli, "password-file"), *text;
    struct err err = {0};
    size_t n;

    *ret = NULL;
    if (path == NULL)
        path = fallback;
    if (path == NULL)
        return EXIT_DONE;
    if (cli_read_file(cli, path, LIMIT_PASSWORD_BYTES + 2, &text, &n, &err) < 0)
        return cli_fail(cli, &err);
    size_t line = strcspn(text, "\r\n");
    if (line < LIMIT_PASSWORD_BYTES_MIN || line > LIMIT_PASSWORD_BYTES)
        return cli_refuse(cli, "It is the first line of the file.",
                          "a password has %u to %u bytes, this one %zu", LIMIT_PASSWORD_BYTES_MIN,
                          LIMIT_PASSWORD_BYTES, line);
    *ret = verifier_make(&cli->arena, arena_strndup(&cli->arena, text, line));
    return EXIT_DONE;
}

static enum exit_code run_add(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct client_user user = {.name = cli->arguments[0],
                               .rights = cli_option(cli, "rights"),
                               .tenants = cli_option(cli, "tenants"),
                               .technical = cli_has(cli, "technical")};
    json_auto_t *row = NULL;
    struct err err = {0};

    enum exit_code code = read_password(cli, NULL, &user.password);
    if (code != EXIT_DONE || (code = session_open(cli, &client)) != EXIT_DONE)
        return code;
    if (client_user_add(client, &user, &row, &err) < 0)
        return cli_fail(cli, &err);
    if (user.password == NULL && !cli->json)
        cli_note(cli,
                 "no password: `pawl user token %s NAME` makes a token, "
                 "`pawl user passwd %s` sets a password",
                 user.name, user.name);
    return output_done(cli, row, "%s", user.name);
}

static const struct option add_options[] = {
    {"rights", 0, "LIST", "of author, start, work, read, admin (default: start,work,read)"},
    {"tenants", 0, "LIST", "whose data he sees; '*': all (default: the tenant '', of admin all)"},
    {"password-file", 0, "FILE", "its first line is the password; - is stdin"},
    {"technical", 0, NULL, "it is a program"},
};

const struct subcommand command_user_add = {
    .name = "user add",
    .arguments = "NAME",
    .summary = "make a user of the server",
    .about = "Makes a user: a person with a password, or a program with tokens (`pawl user "
             "token`). A password is never an argument, which others could see: it comes from a "
             "file or stdin, and only its verifier reaches the database.",
    .options = add_options,
    .n_options = ARRAY_LEN(add_options),
    .examples = "  pawl user add root --rights admin --password-file -\n"
                "  pawl user add shop --rights start,read --tenants north --technical\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_add,
};

static enum exit_code run_set(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct client_user user = {.name = cli->arguments[0],
                               .rights = cli_option(cli, "rights"),
                               .tenants = cli_option(cli, "tenants"),
                               .disabled = cli_has(cli, "disable")  ? "true"
                                           : cli_has(cli, "enable") ? "false"
                                                                    : NULL};
    json_auto_t *row = NULL;
    struct err err = {0};

    if (user.rights == NULL && user.tenants == NULL && user.disabled == NULL)
        return cli_usage(cli, NULL, "say what is to change");
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_user_set(client, &user, &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "%s", user.name);
}

static const struct option set_options[] = {
    {"rights", 0, "LIST", "of author, start, work, read, admin"},
    {"tenants", 0, "LIST", "whose data he sees; '*': all"},
    {"disable", 0, NULL, "he is not let in any more, nor are his tokens"},
    {"enable", 0, NULL, "he is again"},
};

const struct subcommand command_user_set = {
    .name = "user set",
    .arguments = "NAME",
    .summary = "change what a user may",
    .about = "Changes a user; what is not named stays as it is. It counts within two seconds.",
    .options = set_options,
    .n_options = ARRAY_LEN(set_options),
    .examples = "  pawl user set anna --rights start,work,read,author\n"
                "  pawl user set anna --disable\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_set,
};

static enum exit_code run_passwd(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct client_user user = {.name = cli->arguments[0]};
    json_auto_t *row = NULL;
    struct err err = {0};

    enum exit_code code = read_password(cli, "-", &user.password);
    if (code != EXIT_DONE || (code = session_open(cli, &client)) != EXIT_DONE)
        return code;
    if (client_user_set(client, &user, &row, &err) < 0)
        return cli_fail(cli, &err);
    return output_done(cli, row, "%s", user.name);
}

static const struct option passwd_options[] = {
    {"password-file", 0, "FILE", "its first line is the password (default: -, stdin)"},
};

const struct subcommand command_user_passwd = {
    .name = "user passwd",
    .arguments = "NAME",
    .summary = "set a user's password",
    .about = "Sets the password of a user. It counts within two seconds.",
    .options = passwd_options,
    .n_options = ARRAY_LEN(passwd_options),
    .examples = "  pawl user passwd anna < secret.txt\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_passwd,
};

/* ---- drop, token, key ---- */

static enum exit_code run_drop(struct cli *cli)
{
    return session_drop(cli, client_user_drop);
}

const struct subcommand command_user_drop = {
    .name = "user drop",
    .arguments = "NAME",
    .summary = "remove a user, with his tokens",
    .about = "Removes a user. What he did stays recorded under his name.",
    .examples = "  pawl user drop anna\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_drop,
};

static enum exit_code run_token(struct cli *cli)
{
    const char *user = cli->arguments[0], *name = cli->arguments[1];
    const char *lifetime = cli_option(cli, "lifetime");
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *row = NULL;

    if (lifetime == NULL)
        lifetime = "365 days";
    else if (strcmp(lifetime, "forever") == 0)
        lifetime = NULL;
    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (cli_has(cli, "drop")) {
        if (client_user_token_drop(client, user, name, &row, &err) < 0)
            return cli_fail(cli, &err);
        return output_done(cli, row, "%s of %s dropped", name, user);
    }
    if (client_user_token(client, user, name, lifetime, &row, &err) < 0)
        return cli_fail(cli, &err);
    if (!cli->json)
        cli_note(cli, "this is the only time that it is shown");
    return output_done(cli, row, "%s", row_text(cli, row, "token"));
}

static const struct option token_options[] = {
    {"lifetime", 0, "INTERVAL", "such as '90 days', or forever (default: 365 days)"},
    {"drop", 0, NULL, "revoke the token of this name"},
};

const struct subcommand command_user_token = {
    .name = "user token",
    .arguments = "USER NAME",
    .summary = "make a bearer token for a user, or revoke it",
    .about = "Prints a token for `Authorization: Bearer …`. NAME says what it is for. Only its "
             "digest is kept.",
    .options = token_options,
    .n_options = ARRAY_LEN(token_options),
    .examples =
        "  pawl user token shop checkout > token.txt\n  pawl user token shop checkout --drop\n",
    .min_arguments = 2,
    .max_arguments = 2,
    .database = true,
    .run = run_token,
};

static enum exit_code run_key(struct cli *cli)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *row = NULL;
    bool drop = cli_has(cli, "drop");

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_user_key(client, drop, cli->arguments[0], &row, &err) < 0)
        return cli_fail(cli, &err);
    if (drop)
        return output_done(cli, row, "%s dropped", cli->arguments[0]);
    return output_done(cli, row, "AWS_ACCESS_KEY_ID=%s\nAWS_SECRET_ACCESS_KEY=%s",
                       row_text(cli, row, "access_key_id"),
                       row_text(cli, row, "secret_access_key"));
}

static const struct option key_options[] = {
    {"drop", 0, NULL, "revoke this key: KEY in place of USER"},
};

const struct subcommand command_user_key = {
    .name = "user key",
    .arguments = "USER",
    .summary = "make a key for AWS's clients, or revoke it",
    .about = "Prints what clients of AWS sign their requests with, as variables of the "
             "environment. The secret is shown this once.",
    .options = key_options,
    .n_options = ARRAY_LEN(key_options),
    .examples = "  pawl user key shop\n  pawl user key PAWL0123456789ABCDEF --drop\n",
    .min_arguments = 1,
    .max_arguments = 1,
    .database = true,
    .run = run_key,
};

/* ---- grant, revoke ---- */

static enum exit_code grant(struct cli *cli, bool revoke)
{
    struct client *client CLEANUP(client_closep) = NULL;
    struct err err = {0};
    json_auto_t *row = NULL;

    enum exit_code code = session_open(cli, &client);
    if (code != EXIT_DONE)
        return code;
    if (client_user_grant(client, revoke, cli->arguments, cli_has(cli, "role"), &row, &err) < 0)
        return cli_fail(cli, &err);
    if (revoke && !json_is_true(json_object_get(row, "revoked")))
        return cli_refuse(cli, NULL, "%s was not granted %s of %s", cli->arguments[0],
                          cli->arguments[1], cli->arguments[2]);
    return output_done(cli, row, "%s", cli->arguments[0]);
}

static enum exit_code run_grant(struct cli *cli)
{
    return grant(cli, false);
}

static enum exit_code run_revoke(struct cli *cli)
{
    return grant(cli, true);
}

static const struct option grant_options[] = {
    {"role", 0, NULL, "NAME is a role of the database"},
};

const struct subcommand command_user_grant = {
    .name = "user grant",
    .arguments = "NAME RIGHT PROCESS",
    .summary = "limit a right of somebody to some processes",
    .about = "From the first grant on, NAME has RIGHT (author, start, work, read, admin) for "
             "those processes only that were granted. PROCESS is the id of a process; * stands "
             "for any text. It gives no right that NAME has not.",
    .options = grant_options,
    .n_options = ARRAY_LEN(grant_options),
    .examples =
        "  pawl user grant anna start 'order-*'\n  pawl user grant shop_app work pick --role\n",
    .min_arguments = 3,
    .max_arguments = 3,
    .database = true,
    .run = run_grant,
};

const struct subcommand command_user_revoke = {
    .name = "user revoke",
    .arguments = "NAME RIGHT PROCESS",
    .summary = "take back `pawl user grant`",
    .about = "When the last grant of a right is gone, it holds for all processes again.",
    .options = grant_options,
    .n_options = ARRAY_LEN(grant_options),
    .examples = "  pawl user revoke anna start 'order-*'\n",
    .min_arguments = 3,
    .max_arguments = 3,
    .database = true,
    .run = run_revoke,
};
