/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* PostgreSQL's programs on this machine, and which of its processes run on a cluster. */
#include <sys/types.h>

#include "cli/cli.h"

/* The newest from 15 on, or exactly `version` when it is not 0. */
int postgres_find(struct cli *cli, int version, const char **ret_bin, int *ret_version,
                  struct err *err) MUST_CHECK;
/* The server that runs on this cluster, by its pid file and what that process really is; 0: none.
 */
pid_t postgres_running(struct cli *cli, const char *data);
/* Is that server on its way down? Its pid file says so in its eighth line. */
bool postgres_stopping(struct cli *cli, const char *data);
/* Does any process work in this cluster's directory? */
bool postgres_any_process(const char *data);
