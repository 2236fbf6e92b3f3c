/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Cases that run a process in memory: docs/testing.md has the language. One thread uses a scenario;
 * no I/O: whoever reads the file gives the processes that it names.
 */
#include "convert/item.h"
#include "simulator/simulator.h"

struct scenario_note {
    int line; /* 0: of the whole case */
    const char *text;
};

struct scenario_result {
    const char *name;
    int line;
    bool ok;
    struct scenario_note *notes; /* what was expected and not found; then what helps to see why */
    size_t n_notes, notes_capacity;
    const char **path; /* ids of the elements that it came to, in order */
    size_t n_path, path_capacity;
};

struct scenario_process {
    const char *file;
    struct graph *graph;
    bool *passed; /* by node: in any case */
};

struct scenario {
    struct arena *arena;
    const char *file;
    const struct item *document;
    const char **bpmn; /* the files of processes that it names, relative to its own */
    size_t n_bpmn, bpmn_capacity;
    const struct item *cases;
    /* As in struct sim. */
    const char *(*script)(void *context, struct arena *arena, const char *request);
    void *script_context;
    struct scenario_process *processes;
    size_t n_processes, processes_capacity;
};

/* Reads and judges the text; what it gives lives in the arena. */
int scenario_read(struct arena *arena, const char *file, const char *text, size_t n,
                  struct scenario *ret, struct err *err) MUST_CHECK;
/* The graph stays the caller's. */
void scenario_add_process(struct scenario *scenario, const char *file, struct graph *graph);
/* Case i of scenario->cases->n; batch: an arena for what a step needs. */
void scenario_run(struct scenario *scenario, size_t i, struct arena *batch,
                  struct scenario_result *ret);
