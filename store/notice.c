/* SPDX-License-Identifier: Apache-2.0 */
/* What somebody who reads the log wants to know of a batch. */
#include "base/build.h"

#include "store/batch.h"
#include "store/effects.h"

#define NOTICES_MAX 100u

static struct store_notice *add(struct batch *batch, size_t *n, struct store_notice *room,
                                enum store_notice_kind kind, const struct instance *of,
                                const struct uuid *instance, int node)
{
    struct store_notice *notice = &room[(*n)++];

    *notice = (struct store_notice){.kind = kind, .instance = *instance};
    if (of == NULL)
        return notice;
    /* Copies: the graph and the rows may be gone when they are read. */
    if (of->business_key != NULL)
        notice->business_key = arena_strdup(batch->arena, of->business_key);
    notice->process = arena_strdup(batch->arena, of->graph->key);
    if (node >= 0 && (size_t)node < of->graph->n_nodes)
        notice->element = arena_strdup(batch->arena, of->graph->nodes[node].id);
    return notice;
}

static void job_notice(struct batch *batch, const struct family *family, const struct job *job,
                       struct store_notice *room, size_t *n)
{
    const struct command *c = &job->command;

    if (job->place == JOB_READY)
        return;
    bool retry = job->place == JOB_RETRY;
    struct store_notice *notice = add(batch, n, room, retry ? NOTICE_RETRY : NOTICE_INCIDENT,
                                      family_instance(family, &c->instance), &c->instance, c->node);
    notice->text = job->error != NULL ? arena_strdup(batch->arena, job->error) : NULL;
    notice->tries = c->tries;
    notice->wait_us = retry && c->due_us > batch->now_us ? c->due_us - batch->now_us : 0;
}

/* What became of a callback; what it brought is nobody's business here. */
static const char *callback_end(enum history_kind kind)
{
    return kind == HISTORY_CALLBACK_SUCCEEDED   ? "succeeded"
           : kind == HISTORY_CALLBACK_FAILED    ? "failed"
           : kind == HISTORY_CALLBACK_TIMED_OUT ? "timed out"
                                                : NULL;
}

static void history_notice(struct batch *batch, const struct history *h, struct store_notice *room,
                           size_t *n)
{
    bool ended = h->kind == HISTORY_INSTANCE_ENDED && h->of != NULL && uuid_is_nil(&h->of->parent);
    const char *callback = callback_end(h->kind);

    if (!ended && callback == NULL && h->kind != HISTORY_CALL_LATE)
        return;
    enum store_notice_kind kind = ended              ? NOTICE_ENDED
                                  : callback != NULL ? NOTICE_CALLBACK
                                                     : NOTICE_LATE;
    struct store_notice *notice = add(batch, n, room, kind, h->of, &h->instance, h->node);
    notice->text = callback != NULL  ? callback
                   : h->data != NULL ? arena_strdup(batch->arena, h->data)
                                     : NULL;
}

static void item_notice(struct batch *batch, const struct item *item, struct store_notice *room,
                        size_t *n)
{
    if (item->state == ITEM_REFUSED) {
        struct store_notice *notice =
            add(batch, n, room, item_needs_somebody(item) ? NOTICE_INCIDENT : NOTICE_REFUSED, NULL,
                &item->command.instance, -1);
        notice->text = arena_strdup(batch->arena, item->why);
    } else if (item->state == ITEM_DROPPED && item->kind == COMMAND_CALL_RESULT &&
               item->fam != NULL && item->fam->missing) {
        add(batch, n, room, NOTICE_LATE, NULL, &item->command.instance, -1);
    }
}

/* There is room for so many: what went wrong comes first. */
void notices_build(struct batch *batch)
{
    struct store_notice *room = arena_array(batch->arena, NOTICES_MAX, sizeof(*room));
    size_t n = 0;

    for (size_t i = 0; i < batch->n_fams; i++) {
        const struct family *family = &batch->fams[i]->family;
        for (size_t j = 0; batch->fams[i]->kept && j < family->n_jobs && n < NOTICES_MAX; j++)
            job_notice(batch, family, &family->jobs[j], room, &n);
    }
    for (size_t i = 0; i < batch->n_items && n < NOTICES_MAX; i++)
        item_notice(batch, batch->items[i], room, &n);
    for (size_t i = 0; i < batch->n_fams; i++) {
        const struct family *family = &batch->fams[i]->family;
        for (size_t j = 0; batch->fams[i]->kept && j < family->n_history && n < NOTICES_MAX; j++)
            history_notice(batch, &family->history[j], room, &n);
    }
    batch->report.notices = room;
    batch->report.n_notices = n;
}

void decided_tell(struct batch *batch)
{
    struct store_worker *worker = batch->worker;
    struct effects *e = batch->effects;
    bool work = false;

    if (worker->committed == NULL)
        return;
    for (size_t i = 0; i < batch->n_fams; i++) {
        const struct family *family = &batch->fams[i]->family;
        work |= batch->fams[i]->kept && family->n_externals + family->n_offers > 0;
        for (size_t j = 0; batch->fams[i]->kept && j < family->n_history; j++)
            if (family->history[j].kind == HISTORY_INSTANCE_ENDED)
                *arena_push(e->arena, e->decided, e->n_decided, e->decided_capacity) =
                    family->history[j].instance;
    }
    if (e->n_decided > 0)
        worker->committed(worker->committed_context, e->decided, e->n_decided);
    if (work)
        worker->committed(worker->committed_context, NULL, 0);
}
