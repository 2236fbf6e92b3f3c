/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Waiting for what became of a command that was accepted. */
#include <jansson.h>

#include "base/uuid.h"
#include "cli/cli.h"
#include "store/client.h"

/* How long a subcommand waits for the engine, and what reads it. */
#define OUTCOME_TIMEOUT_OPTION                                                                     \
    {                                                                                              \
        "timeout", 0, "SECONDS",                                                                   \
            "how long to wait for the engine to carry it out (default: 5; 0: not at all)"          \
    }
int outcome_timeout(const struct cli *cli, double *ret_seconds) MUST_CHECK;
/* Of what takes a moment to be in force everywhere. */
#define OUTCOME_IN_FORCE_OPTION                                                                    \
    {                                                                                              \
        "timeout", 0, "SECONDS", "how long to wait until it is in force (default: 10)"             \
    }

/*
 * Waits up to `seconds`. ret_row: {"state","detail"}, state "pending" when nothing is known yet;
 * the caller frees it.
 */
int outcome_wait(struct client *client, const struct uuid *id, double seconds, json_t **ret_row,
                 struct err *err) MUST_CHECK;
/* The text that a refusal came with: "reason", "message", "error" or the whole detail. */
const char *outcome_reason(struct cli *cli, const json_t *outcome);

/*
 * For a command whose acceptance is all that its caller needs: waits a moment and prints one line,
 * `what` being "cancelled", or with -o json {"command_id",…,"state","detail"}, which `accepted`
 * is then. Refused: EXIT_REFUSED.
 * Pending is a note and EXIT_DONE unless `must` is set.
 */
enum exit_code outcome_report(struct cli *cli, struct client *client, json_t *accepted,
                              const char *what, double seconds, bool must);
