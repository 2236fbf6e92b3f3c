/* SPDX-License-Identifier: Apache-2.0 */
/* What a case passed: its path through the diagram, and what all cases together came to. */
#include "base/build.h"

#include "simulator/internal.h"

#define PATH_MOST 1000 /* elements of one path; a loop may go on for long */

/* A node that waits has a row when it begins, and another when it ends. */
static bool began_before(const struct sim *sim, size_t row)
{
    const struct history *ended = &sim->history[row];

    for (size_t i = row; i-- > 0;) {
        const struct history *other = &sim->history[i];
        bool bound =
            other->kind == HISTORY_ACTIVITY_STARTED || other->kind == HISTORY_ACTIVITY_ENDED;
        if (bound && other->node == ended->node && other->token == ended->token &&
            uuid_equal(&other->instance, &ended->instance))
            return other->kind == HISTORY_ACTIVITY_STARTED;
    }
    return false;
}

static bool comes_to(const struct sim *sim, size_t row)
{
    const struct history *history = &sim->history[row];

    return history->node >= 0 &&
           (history->kind == HISTORY_ACTIVITY_STARTED ||
            (history->kind == HISTORY_ACTIVITY_ENDED && !began_before(sim, row)));
}

static void note_path(struct run *run)
{
    struct scenario_result *result = run->result;

    for (size_t i = 0; i < run->sim.n_history && result->n_path < PATH_MOST; i++)
        if (comes_to(&run->sim, i))
            *arena_push(run->arena, result->path, result->n_path, result->path_capacity) =
                run->sim.history_elements[i];
}

static void note_passed(struct run *run)
{
    const struct sim *sim = &run->sim;

    for (size_t i = 0; i < sim->n_history; i++) {
        const struct history *row = &sim->history[i];
        const struct sim_instance *instance = simulator_instance(sim, &row->instance);
        bool passed = row->kind == HISTORY_ACTIVITY_ENDED || row->kind == HISTORY_ERROR_THROWN ||
                      row->kind == HISTORY_ACTIVITY_STARTED;
        if (!passed || row->node < 0)
            continue;
        for (size_t p = 0; p < run->scenario->n_processes; p++) {
            struct scenario_process *process = &run->scenario->processes[p];
            if (instance != NULL
                    ? process->graph == instance->row.graph
                    : graph_find(process->graph, sim->history_elements[i]) == row->node)
                process->passed[row->node] = true;
        }
    }
}

void coverage_note(struct run *run)
{
    note_path(run);
    note_passed(run);
}
