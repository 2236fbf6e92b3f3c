/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of scenarios share: one case under way. */
#include "simulator/scenario.h"

/* A request that waits for its answer. */
struct run_answer {
    struct uuid call;
    uint32_t attempt;
    int64_t due_us;       /* INT64_MAX: never */
    const char *response; /* NULL: was given, or never will be */
};

/* A request as expectations see it. */
struct run_request {
    const char *element;
    struct new_call call;
};

struct run_count {
    const char *name;
    size_t n;
};

struct run {
    struct scenario *scenario;
    const struct item *of; /* the case */
    struct scenario_result *result;
    struct arena *arena;
    struct sim sim;
    bool stopped; /* it cannot go on */
    struct run_answer *answers;
    size_t n_answers, answers_capacity;
    struct run_request *requests;
    size_t n_requests, requests_capacity;
    struct run_count *counts; /* how many mocked answers of a name were taken */
    size_t n_counts, counts_capacity;
    size_t n_delivered; /* of sim.messages */
};

void run_note(struct run *run, int line, const char *format, ...) PRINTF_LIKE(3, 4);
/* The same, and the case ends here. */
void run_stop(struct run *run, int line, const char *format, ...) PRINTF_LIKE(3, 4);
/* A JSON text of the item, in the arena. */
const char *run_json(const struct run *run, const struct item *item);
/* "whichAnswer, approve" */
const char *run_where(struct run *run);

/* scenario_mock.c */
void run_settle(struct run *run); /* answers what was asked, delivers what was sent */
int64_t run_next_answer(const struct run *run);
void run_delegate(struct sim *sim, struct need *need);
/* scenario_expect.c */
void run_expect(struct run *run, const struct item *expect);
/* coverage.c */
void coverage_note(struct run *run); /* what the case passed */
