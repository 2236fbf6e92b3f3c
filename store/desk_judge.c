/* SPDX-License-Identifier: Apache-2.0 */
/* Whose input does not pass: what such a request asked for was never accepted. */
#include "base/build.h"

#include "store/desk_internal.h"
#include "store/inputs.h"

/* Of what the request's statement has made, its subject; NULL: it passes. */
static const char *words_for(const struct result *rows, const struct input_refusals *refusals)
{
    if (rows == NULL || result_rows(rows) == 0 || result_columns(rows) < 3)
        return NULL;
    struct uuid subject = result_uuid(rows, 0, 2);
    return inputs_refused(refusals, &subject);
}

int desk_judge(struct conn *conn, struct graphs *graphs, const struct result *inputs,
               struct desk_part *part, bool *ret_refused, struct err *err)
{
    struct arena arena CLEANUP(arena_deinit);
    struct input_refusals refusals;
    size_t n = 0, asked = part->n;

    arena_init(&arena, 0);
    if (inputs_judge(conn, graphs, inputs, &arena, &refusals, err) < 0)
        return err_trace(err);
    for (size_t i = 0; i < asked; i++) {
        const char *words = words_for(part->rows[i], &refusals);
        if (words == NULL) {
            part->requests[n] = part->requests[i];
            part->rows[n++] = part->rows[i];
            continue;
        }
        desk_refuse(part->requests[i], DESK_INPUT, words, NULL);
        result_free(part->rows[i]);
    }
    for (size_t i = n; i < asked; i++)
        part->rows[i] = NULL;
    part->n = n;
    *ret_refused = n < asked;
    if (asked - n < refusals.n)
        return err_set(err, ERR_INTERNAL, "a statement has made a command that is not its subject");
    return 0;
}
