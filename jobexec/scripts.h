/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The sandboxes in which scripts run: processes of the program pawl-script (script/), each used by
 * one thread. Started when first needed, killed when a script takes too long, and replaced after a
 * number of scripts.
 */
#include "jobexec/jobexec.h"
#include "store/store.h"

struct sandbox {
    const char *program; /* path of pawl-script; NULL: there is none */
    int pid;             /* 0: none runs */
    int to, from;        /* pipes */
    unsigned n_scripts;  /* that it ran */
};

void sandbox_init(struct sandbox *sandbox, const char *program);
void sandbox_end(struct sandbox *sandbox);
/* A store_script_fn; context: a struct sandbox of this thread. */
enum store_script_end sandbox_run(void *context, const char *request, size_t n, int64_t limit_us,
                                  struct arena *arena, const char **ret_text);

/* The delegate that runs scripts of tasks outside of a transaction; context: the program's path. */
void scripts_delegate(void *context, const struct delegate_job *job, struct delegate_reply *reply);
