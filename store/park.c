/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Suspended families. The root's row says so, and is read with its lock: what is then claimed for
 * the family leaves the queue for the table `parked`, once, and comes back when it is resumed.
 * Timers that are not due and waits for messages stay where they are; what becomes of them is
 * parked when it comes.
 */
#include "base/build.h"

#include "store/effects.h"

/* What administrators do also to what is suspended. */
static bool goes_on(const struct item *item)
{
    switch (item->kind) {
    case COMMAND_START:
    case COMMAND_CANCEL:
    case COMMAND_SET_VARIABLES:
    case COMMAND_SKIP:
    case COMMAND_MOVE:
    case COMMAND_COMPLETE_ELEMENT:
        return true;
    default:
        return item->source == FROM_RESULT && !item->present; /* late: nothing goes on by it */
    }
}

static void park_item(struct batch *batch, struct item *item)
{
    struct command *c = &item->command;

    if (!uuid_is_nil(&item->incident)) {
        item->kind = INBOX_RETRY; /* the incident stays */
        item_refuse(item, ERR_CONFLICT, "the instance is suspended: resume it first");
        return;
    }
    item->state = ITEM_PARKED;
    if (item->source == FROM_TIMER && !item->retry && item->kind == COMMAND_TIMER)
        c->detail = arena_printf(batch->arena, "%lld", (long long)item->id);
}

void park(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_fams; i++) {
        struct fam *fam = batch->fams[i];
        bool suspended = fam->suspended;
        for (size_t j = 0; fam->locked && j < fam->n_items; j++) {
            struct item *item = fam->items[j];
            if (item->state != ITEM_RUN)
                continue;
            if (item->kind == INBOX_SUSPEND || item->kind == INBOX_RESUME)
                suspended = item->kind == INBOX_SUSPEND;
            else if (suspended && !goes_on(item))
                park_item(batch, item);
        }
    }
}

/* ---- As rows ---- */

static void parked_row(struct effects *e, const struct item *item)
{
    const struct command *c = &item->command;
    bool asked = item->source == FROM_INBOX;

    column_uuid(col(e, T_INSERT_PARKED, 0), &c->root);
    column_uuid(col(e, T_INSERT_PARKED, 1), &c->instance);
    effect_command(e, T_INSERT_PARKED, 2, c);
    column_uuid(col(e, T_INSERT_PARKED, 11),
                &item->command_id); /* nil, so NULL, but of the inbox */
    column_text(col(e, T_INSERT_PARKED, 12), asked ? c->business_key : NULL);
    column_text(col(e, T_INSERT_PARKED, 13), asked ? c->actor : NULL);
    /* It is answered: nobody shall think that it is still under way. */
    if (item->kind == COMMAND_CALL_RESULT)
        column_uuid(col(e, T_DELETE_ATTEMPTS, 0), &c->subject);
}

static bool root_ended(const struct fam *fam)
{
    const struct instance *root = family_instance(&fam->family, &fam->root);

    return fam->kept && root != NULL && root->fate == INSTANCE_ENDED;
}

/*
 * What is parked comes back as soon as the family is not suspended: also what was parked between a
 * suspension and its end in the same batch, and what is left of a family that ended, so that who
 * asked is told, and messages find another receiver.
 */
void park_effects(struct batch *batch, struct fam *fam)
{
    struct effects *e = batch->effects;
    bool was = fam->suspended, is = was, parked = was;

    for (size_t i = 0; i < fam->n_items; i++) {
        struct item *item = fam->items[i];
        if (item->state == ITEM_PARKED) {
            parked_row(e, item);
            parked = true;
        }
        if ((item->kind != INBOX_SUSPEND && item->kind != INBOX_RESUME) || item->state != ITEM_DONE)
            continue;
        is = item->kind == INBOX_SUSPEND;
        effect_audit(batch, &fam->root, is ? HISTORY_INSTANCE_SUSPENDED : HISTORY_INSTANCE_RESUMED,
                     item);
    }
    bool ended = root_ended(fam);
    if (was != is && !ended) {
        column_uuid(col(e, T_SUSPEND, 0), &fam->root);
        column_bool(col(e, T_SUSPEND, 1), is);
    }
    if (parked && (!is || ended))
        column_uuid(col(e, T_UNPARK, 0), &fam->root);
}
