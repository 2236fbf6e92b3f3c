/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The data directory of one installation:
 *   lock      held by the `pawl up` that uses it
 *   node      the installation's id
 *   conninfo  how to reach its private PostgreSQL
 *   postgres/ that PostgreSQL (cli/postgres.h); `home` names its place where it lies elsewhere
 */
#include "base/err.h"
#include "base/uuid.h"
#include "cli/cli.h"

#define DATADIR_DEFAULT ".pawl"

/* Makes the directory where it is missing; its absolute path. */
int datadir_make(struct cli *cli, const char *directory, const char **ret_path,
                 struct err *err) MUST_CHECK;
/* Holds the directory until the program ends. ERR_CONFLICT when another one does. */
int datadir_lock(struct cli *cli, const char *path, int *ret_fd, struct err *err) MUST_CHECK;
/* The installation's id, made at the first call. */
int datadir_node(struct cli *cli, const char *path, struct uuid *ret_node,
                 struct err *err) MUST_CHECK;

/* One line of a small file there: *ret_text is NULL when there is none. */
int datadir_read(struct cli *cli, const char *path, const char *name, const char **ret_text,
                 struct err *err) MUST_CHECK;
/* Replaces the file as a whole: no reader ever sees a part of it. */
int datadir_write(struct cli *cli, const char *path, const char *name, const char *text,
                  struct err *err) MUST_CHECK;
