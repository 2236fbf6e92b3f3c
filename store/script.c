/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts of steps: run at once, in the middle of a batch, by whoever was given with
 * store_worker_scripts(). All scripts of a batch share LIMIT_SCRIPT_MS; then what still needs one
 * waits for another batch. A command that uses all of that by itself is told that its script is
 * slow.
 */
#include "base/build.h"

#include "base/clock.h"
#include "store/batch.h"

#define BUDGET_US (INT64_C(1000) * LIMIT_SCRIPT_MS)
#define URGENT_US (INT64_C(1000) * LIMIT_SCRIPT_URGENT_MS)

static void answer(struct batch *batch, struct fam *fam, struct need *need)
{
    struct store_worker *worker = batch->worker;
    const char *text = "this program has no sandbox for scripts";
    enum store_script_end end = SCRIPT_FAILED;
    int64_t began_us = clock_mono_us();

    int64_t limit_us = need->urgent ? URGENT_US : BUDGET_US;
    if (fam->script_us >= limit_us)
        end = SCRIPT_SLOW;
    else if (worker->script != NULL)
        end = worker->script(worker->script_context, need->request, strlen(need->request), limit_us,
                             batch->arena, &text);
    int64_t took_us = clock_mono_us() - began_us;
    fam->script_us += took_us;
    batch->script_us += took_us;
    need->slow = end == SCRIPT_SLOW;
    if (end == SCRIPT_FAILED) {
        struct value why = {.kind = VALUE_STRING, .u.string = {.text = text, .n = strlen(text)}};
        text = arena_printf(batch->arena, "{\"error\":%s}", value_text(batch->arena, &why, NULL));
    }
    need->result = need->slow ? NULL : text;
    need->result_n = need->slow ? 0 : strlen(text);
}

bool script_answer(struct batch *batch, struct fam *fam)
{
    if (fam->family.n_needs == 0 || fam->family.needs[0].kind != NEED_SCRIPT)
        return false;
    if (batch->script_us >= BUDGET_US && fam->script_us == 0) {
        put_off_from(fam, fam->at);
        return true;
    }
    struct need *need =
        arena_push(batch->arena, fam->answers, fam->n_answers, fam->answers_capacity);
    *need = fam->family.needs[0];
    answer(batch, fam, need);
    return true;
}
