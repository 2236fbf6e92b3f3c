/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Doing to many what retry, cancel, suspend and resume do to one: filters, dry run, pace. */
#include <jansson.h>

#include "cli/cli.h"
#include "store/client.h"

#define BULK_OPTIONS                                                                               \
    {"all", 'a', NULL, "all of them"}, {"process", 'p', "PROCESS", "only of this process"},        \
        {"version", 0, "N", "only of this version of it"},                                         \
        {"key-prefix", 0, "TEXT", "only of instances whose business key begins so"},               \
        {"since", 0, "TIME", "only what came (or was started) then or later"},                     \
        {"until", 0, "TIME", "only what came (or was started) before"},                            \
        {"dry-run", 0, NULL, "count what would be done, and do nothing"},                          \
        {"pace", 0, "N", "how many a second; 0: as fast as the engine takes them"},                \
    {                                                                                              \
        "reason", 'r', "TEXT", "kept with it"                                                      \
    }

/* Is one of the filters given? Then many are meant. */
bool bulk_asked(const struct cli *cli);

/*
 * Begins it, or with --dry-run counts. options: what bulk() takes beside pace and reason; borrowed.
 * Waits up to `seconds` for its end; then says how far it is and that it goes on.
 */
enum exit_code bulk_run(struct cli *cli, struct client *client, const char *action, json_t *options,
                        double seconds);
