/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/clock.h"
#include "cli/find.h"
#include "cli/outcome.h"
#include "cli/output.h"

/* One statement waits no longer than this, so that an idle wait holds back no VACUUM. */
#define SLICE_MS 5000

int outcome_timeout(const struct cli *cli, double *ret_seconds)
{
    return cli_seconds(cli, "timeout", 5, ret_seconds);
}

int outcome_wait(struct client *client, const struct uuid *id, double seconds, json_t **ret_row,
                 struct err *err)
{
    int64_t deadline_us = clock_mono_us() + (int64_t)(seconds * 1e6);

    for (;;) {
        int64_t left_ms = (deadline_us - clock_mono_us()) / 1000;
        int64_t slice_ms = left_ms > SLICE_MS ? SLICE_MS : left_ms > 0 ? left_ms : 0;
        if (client_await(client, id, slice_ms, ret_row, err) < 0) {
            /* Nothing is filed under it any more: it was carried out and left no outcome. */
            if (strcmp(err->sqlstate, "PW001") != 0)
                return err_trace(err);
            *ret_row = json_pack("{s:s, s:n}", "state", "done", "detail");
            return 0;
        }
        const char *state = json_string_value(json_object_get(*ret_row, "state"));
        if (left_ms <= slice_ms || state == NULL || strcmp(state, "pending") != 0)
            return 0;
        json_decref(*ret_row);
    }
}

const char *outcome_reason(struct cli *cli, const json_t *outcome)
{
    static const char *const keys[] = {"reason", "message", "error"};
    const json_t *detail = json_object_get(outcome, "detail");

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        const char *text = row_string(cli, detail, keys[i]);
        if (text != NULL)
            return text;
    }
    const char *whole = row_string(cli, outcome, "detail");
    return whole != NULL ? whole : "no reason was given";
}

enum exit_code outcome_report(struct cli *cli, struct client *client, json_t *accepted,
                              const char *what, double seconds, bool must)
{
    json_auto_t *outcome = NULL;
    struct err err = {0};
    struct uuid id;

    if (!row_uuid(accepted, "command_id", &id))
        return cli_refuse(cli, NULL, "the database gave no id for the command");
    if (outcome_wait(client, &id, seconds, &outcome, &err) < 0)
        return cli_fail(cli, &err);
    const char *state = arena_strdup(&cli->arena, row_text(cli, outcome, "state"));
    const char *reason = outcome_reason(cli, outcome);
    json_object_set(accepted, "state", json_object_get(outcome, "state"));
    json_object_set(accepted, "detail", json_object_get(outcome, "detail"));
    if (cli->json)
        output_json(accepted);
    if (strcmp(state, "refused") == 0)
        return cli_refuse(cli, NULL, "refused: %s", reason);
    if (strcmp(state, "failed") == 0)
        return cli_refuse(cli,
                          "nothing is lost: `pawl incidents` shows it, `pawl retry` tries again",
                          "accepted, but it could not be carried out: %s", reason);
    if (strcmp(state, "pending") == 0) {
        if (must)
            return cli_refuse(
                cli, "is an engine running? `pawl up` starts one; the command stays accepted",
                "accepted, but not carried out within %.3g s", seconds);
        cli_note(cli, "accepted; it is carried out as soon as an engine runs");
        return EXIT_DONE;
    }
    if (!cli->json)
        printf("%s\n", what);
    return EXIT_DONE;
}
