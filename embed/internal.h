/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of the library share. */
#include "base/err.h"
#include "embed/pawl.h"
#include "jobexec/jobexec.h"
#include "store/store.h"

struct pawl {
    struct arena arena;          /* holds this struct and the texts */
    struct pawl_options options; /* with texts of its own */
    struct uuid node;
    struct store *store;
    struct jobexec *jobexec; /* NULL: not started */
    struct jobexec_delegate *delegates;
    size_t n_delegates, delegates_capacity;
};

/* Tells `error` (which may be NULL) what went wrong; returns -1. */
int embed_error(struct pawl_error *error, const struct err *err);
