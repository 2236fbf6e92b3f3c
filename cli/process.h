/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Other programs, run to their end, if need be as another user. */
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

struct user {
    uid_t uid;
    gid_t gid;
    char name[64];
    bool other; /* not who we are: become him first */
};

/*
 * Runs argv[0] with a small environment of its own, in directory `cwd`, text `input` on stdin (may
 * be NULL). What it prints is added to `output`. Fails when it cannot be run; else *ret_status is
 * its exit code, 128 + signal when it was killed.
 */
int process_run(const struct user *user, const char *cwd, const char *const *argv,
                const char *input, struct buf *output, int *ret_status, struct err *err) MUST_CHECK;

/* May the user go into this directory? */
bool process_may_enter(const struct user *user, const char *directory);
