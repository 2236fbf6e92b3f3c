/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <ctype.h>

#include "cli/find.h"
#include "cli/moment.h"
#include "cli/outcome.h"
#include "cli/output.h"

#define CANDIDATES 10

bool find_prefix(const char *text, struct uuid *ret_low, struct uuid *ret_high)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    char low[sizeof(form)], high[sizeof(form)];
    size_t n = strlen(text);

    if (n < 8 || n > sizeof(form) - 1)
        return false;
    for (size_t i = 0; i < sizeof(form) - 1; i++) {
        char c = i < n ? text[i] : form[i];
        if (form[i] == '-' ? c != '-' : i < n && !isxdigit((unsigned char)c))
            return false;
        low[i] = form[i] == 'x' && i >= n ? '0' : c;
        high[i] = form[i] == 'x' && i >= n ? 'f' : c;
    }
    low[sizeof(form) - 1] = high[sizeof(form) - 1] = '\0';
    return uuid_parse(low, ret_low) && uuid_parse(high, ret_high);
}

bool row_uuid(const json_t *row, const char *key, struct uuid *ret_id)
{
    const char *text = json_string_value(json_object_get(row, key));

    return text != NULL && uuid_parse(text, ret_id);
}

/* "0190… order 17, order-delivery, running since 10:00", a line each, on stderr. */
static void list_candidates(struct cli *cli, const json_t *rows, const char *id, const char *extra)
{
    size_t i;
    json_t *row;

    json_array_foreach(rows, i, row)
    {
        if (i == CANDIDATES) {
            fprintf(stderr, "     ... and more\n");
            break;
        }
        cli_note(cli, "  %s  %s  %s  %s", row_text(cli, row, id),
                 row_text(cli, row, "business_key"), row_text(cli, row, "process"),
                 row_text(cli, row, extra));
    }
}

/* Frees an array and forgets it. */
static void drop(json_t **rows)
{
    json_decref(*rows);
    *rows = NULL;
}

/* A business key names a root and what it called: then the one that nobody called is meant. */
static json_t *only_root(struct cli *cli, struct client *client, const json_t *rows)
{
    json_t *found = NULL, *row;
    size_t i;

    if (json_array_size(rows) == 1)
        return json_array_get(rows, 0);
    json_array_foreach(rows, i, row)
    {
        struct uuid id;
        json_t *events = NULL;
        bool called = row_string(cli, row, "parent_id") != NULL;
        if (!called && row_uuid(row, "instance_id", &id) &&
            client_events(client, &id, &events, NULL) == 0) {
            const json_t *data = json_object_get(json_array_get(events, 0), "data");
            called = json_is_string(json_object_get(data, "calledBy"));
        }
        json_decref(events);
        if (called)
            continue;
        if (found != NULL)
            return NULL;
        found = row;
    }
    return found;
}

/* An id that `pawl start` gave, of a start that was refused when its turn came? The words, or NULL.
 */
static const char *why_refused(struct cli *cli, struct client *client, const char *text)
{
    json_auto_t *outcome = NULL;
    struct err err = {0};
    struct uuid id;

    if (!uuid_parse(text, &id) || client_await(client, &id, 0, &outcome, &err) < 0 ||
        strcmp(row_text(cli, outcome, "state"), "refused") != 0)
        return NULL;
    return outcome_reason(cli, outcome);
}

static enum exit_code no_instance(struct cli *cli, struct client *client, const char *text)
{
    const char *refused = why_refused(cli, client, text);
    struct uuid low, high;

    if (refused != NULL)
        return cli_refuse(cli, NULL, "this start was refused, and made no instance: %s", refused);
    if (strlen(text) < 8 && strspn(text, "0123456789abcdefABCDEF") == strlen(text))
        return cli_refuse(cli,
                          "the beginning of an id must have at least 8 characters; `pawl ps --all` "
                          "lists the instances",
                          "there is no instance with the business key \"%s\"", text);
    return cli_refuse(cli, "`pawl ps --all` lists the instances, ended ones too",
                      "there is no instance with the "
                      "%s \"%s\"",
                      find_prefix(text, &low, &high) ? "id or business key" : "business key", text);
}

static enum exit_code several_instances(struct cli *cli, const char *text, const json_t *rows)
{
    cli_note(cli, "\"%s\" may mean one of several instances; name one by its id:", text);
    list_candidates(cli, rows, "instance_id", "state");
    return EXIT_REFUSED;
}

/* By business key first: people choose those, and one may look like an id. */
static int look_up(struct client *client, const char *text, json_t **ret_rows, struct err *err)
{
    struct uuid low, high, id;
    bool prefix = find_prefix(text, &low, &high);

    *ret_rows = NULL;
    if (!uuid_parse(text, &id) &&
        client_instances_by_key(client, text, CANDIDATES + 1, ret_rows, err) < 0)
        return err_trace(err);
    if ((*ret_rows == NULL || json_array_size(*ret_rows) == 0) && prefix) {
        drop(ret_rows);
        if (client_instances_between(client, &low, &high, CANDIDATES + 1, ret_rows, err) < 0)
            return err_trace(err);
    }
    return 0;
}

enum exit_code find_instance(struct cli *cli, struct client *client, const char *text,
                             json_t **ret_row, struct uuid *ret_id)
{
    struct err err = {0};
    json_auto_t *rows = NULL;
    enum exit_code code = EXIT_DONE;

    if (look_up(client, text, &rows, &err) < 0)
        return cli_fail(cli, &err);
    json_t *row = only_root(cli, client, rows);
    if (row != NULL && row_uuid(row, "instance_id", ret_id))
        *ret_row = json_incref(row);
    else if (json_array_size(rows) == 0)
        code = no_instance(cli, client, text);
    else
        code = several_instances(cli, text, rows);
    return code;
}

/* ---- Tasks ---- */

static int look_up_task(struct client *client, const char *text, json_t **ret_rows, struct err *err)
{
    struct uuid low, high;
    bool prefix = find_prefix(text, &low, &high);

    *ret_rows = NULL;
    if (prefix && client_tasks_between(client, &low, &high, CANDIDATES + 1, ret_rows, err) < 0)
        return err_trace(err);
    if (json_array_size(*ret_rows) > 0)
        return 0;
    drop(ret_rows);
    if (client_tasks_by_key(client, text, CANDIDATES + 1, ret_rows, err) < 0)
        return err_trace(err);
    if (json_array_size(*ret_rows) > 0 || !prefix)
        return 0;
    /* The beginning of the id of an instance. */
    json_auto_t *instances = NULL;
    drop(ret_rows);
    if (client_instances_between(client, &low, &high, 2, &instances, err) < 0)
        return err_trace(err);
    struct uuid instance;
    int result = 0;
    struct client_tasks filter = {.instance = &instance, .limit = CANDIDATES + 1};
    if (json_array_size(instances) == 1 &&
        row_uuid(json_array_get(instances, 0), "instance_id", &instance))
        result = client_tasks(client, &filter, ret_rows, err);
    return result;
}

enum exit_code find_task(struct cli *cli, struct client *client, const char *text,
                         struct uuid *ret_id)
{
    struct err err = {0};
    json_auto_t *rows = NULL;
    enum exit_code code = EXIT_DONE;

    /* A whole id goes to the function as it is: it knows why a task is gone. */
    if (uuid_parse(text, ret_id))
        return EXIT_DONE;
    if (look_up_task(client, text, &rows, &err) < 0)
        return cli_fail(cli, &err);
    if (json_array_size(rows) == 1 && row_uuid(json_array_get(rows, 0), "task_id", ret_id))
        return EXIT_DONE;
    if (json_array_size(rows) == 0) {
        code = cli_refuse(
            cli, "`pawl tasks` lists the open ones; `pawl why ID` says what an instance waits for",
            "there is no open task with the id or business key \"%s\"", text);
    } else {
        cli_note(cli, "\"%s\" may mean one of several tasks; name one by its id:", text);
        list_candidates(cli, rows, "task_id", "name");
        code = EXIT_REFUSED;
    }
    return code;
}

/* ---- Incidents ---- */

enum exit_code find_incident(struct cli *cli, struct client *client, const char *text,
                             json_t **ret_row, struct uuid *ret_id)
{
    struct err err = {0};
    struct uuid low, high, instance;
    struct client_incidents filter = {.limit = CANDIDATES + 1};
    json_auto_t *rows = NULL, *row = NULL;
    enum exit_code code = EXIT_DONE;

    if (find_prefix(text, &low, &high)) {
        filter.low = &low;
        filter.high = &high;
        if (client_incidents(client, &filter, &rows, &err) < 0)
            return cli_fail(cli, &err);
        filter.low = filter.high = NULL;
    }
    if (json_array_size(rows) == 0) {
        drop(&rows);
        code = find_instance(cli, client, text, &row, &instance);
        if (code != EXIT_DONE)
            return code;
        filter.instance = &instance;
        if (client_incidents(client, &filter, &rows, &err) < 0)
            return cli_fail(cli, &err);
    }
    if (json_array_size(rows) == 1 && row_uuid(json_array_get(rows, 0), "incident_id", ret_id)) {
        *ret_row = json_incref(json_array_get(rows, 0));
    } else if (json_array_size(rows) == 0) {
        code = cli_refuse(
            cli, "`pawl incidents` lists them; `pawl why ID` says what the instance waits for",
            "\"%s\" has no incident", text);
    } else {
        cli_note(cli, "\"%s\" may mean one of several incidents; name one by its id:", text);
        list_candidates(cli, rows, "incident_id", "message");
        code = EXIT_REFUSED;
    }
    return code;
}

enum exit_code find_deployment(struct cli *cli, struct client *client, const char *text,
                               struct uuid *ret_id)
{
    json_auto_t *rows = NULL;
    struct err err = {0};
    struct uuid low, high;
    bool prefix = find_prefix(text, &low, &high);

    if (uuid_parse(text, ret_id))
        return EXIT_DONE;
    if (client_deployments(client, prefix ? &low : NULL, prefix ? &high : NULL, text, &rows, &err) <
        0)
        return cli_fail(cli, &err);
    if (json_array_size(rows) == 1 && row_uuid(json_array_get(rows, 0), "deployment_id", ret_id))
        return EXIT_DONE;
    return cli_refuse(cli, "`pawl definitions` lists the processes",
                      json_array_size(rows) > 1 ? "\"%s\" may mean several deployments"
                                                : "there is no deployment \"%s\"",
                      text);
}
