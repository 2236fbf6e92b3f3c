/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages. The keys of all messages and waits of the batch are locked, sorted, in one statement;
 * only a later statement reads who waits and what is buffered. Whoever comes with the same key
 * waits for our commit and then sees what we have left: so each message meets each wait once, and
 * what is paired here need never be written. A pair becomes a command in ready, because the
 * receiver's family is another one, which we may not lock now.
 */
#include "base/build.h"

#include "store/effects.h"

#define DEFAULT_READ 250 /* waiters and messages of one key */
#define BROADCAST_READ 1000

struct group { /* what has the same tenant, name and key */
    const char *tenant, *name, *key;
    struct group *next_same_hash;
    struct letter **letters;
    size_t n_letters, letters_capacity;
    struct waiter **waiters; /* the oldest first */
    size_t n_waiters, waiters_capacity;
    const struct message_start *start; /* the process that begins with it; NULL: none */
};

struct mail {
    struct map by_hash;
    struct group **groups;
    size_t n_groups, groups_capacity;
    struct letter **addressed; /* to one instance, with any key or one */
    size_t n_addressed, addressed_capacity;
    bool broadcast;
};

/* ---- What the ready row of a paired message carries ---- */

const char *delivery_text(struct arena *arena, const struct delivery *delivery)
{
    char id[UUID_TEXT_BYTES];

    uuid_format(&delivery->message, id);
    return arena_printf(arena, "%lld %lld %d %s %zu %.*s %s", (long long)delivery->expires_us,
                        (long long)delivery->since_us, delivery->mode, id, delivery->tenant_n,
                        (int)delivery->tenant_n, delivery->tenant, delivery->key);
}

bool delivery_read(const char *text, struct delivery *ret_delivery)
{
    long long expires, since;
    char id[UUID_TEXT_BYTES];
    size_t tenant;
    int mode, n = 0;

    if (text == NULL ||
        sscanf(text, "%lld %lld %d %36s %zu%n", &expires, &since, &mode, id, &tenant, &n) != 5 ||
        text[n] != ' ' || strnlen(text + n + 1, tenant + 1) <= tenant ||
        text[(size_t)n + 1 + tenant] != ' ' || !uuid_parse(id, &ret_delivery->message))
        return false;
    ret_delivery->tenant = text + n + 1;
    ret_delivery->tenant_n = tenant;
    ret_delivery->expires_us = expires;
    ret_delivery->since_us = since;
    ret_delivery->mode = mode;
    ret_delivery->key = ret_delivery->tenant + tenant + 1;
    return true;
}

/* ---- Groups ---- */

static uint64_t hash_text(uint64_t h, const char *text)
{
    for (; *text != '\0'; text++)
        h = (h ^ (uint8_t)*text) * UINT64_C(0x100000001b3);
    return (h ^ 0xff) * UINT64_C(0x100000001b3);
}

static struct uuid group_hash(const char *tenant, const char *name, const char *key)
{
    uint64_t h = hash_text(hash_text(hash_text(UINT64_C(0xcbf29ce484222325), tenant), name), key);
    return map_number(h);
}

static struct group *group_find(const struct mail *mail, const char *tenant, const char *name,
                                const char *key)
{
    struct uuid hash = group_hash(tenant, name, key);
    struct group *group = map_get(&mail->by_hash, &hash);

    while (group != NULL && (strcmp(group->key, key) != 0 || strcmp(group->name, name) != 0 ||
                             strcmp(group->tenant, tenant) != 0))
        group = group->next_same_hash;
    return group;
}

static struct group *group_of(struct batch *batch, const char *tenant, const char *name,
                              const char *key)
{
    struct mail *mail = batch->mail;
    struct group *group = group_find(mail, tenant, name, key);

    if (group != NULL)
        return group;
    struct uuid hash = group_hash(tenant, name, key);
    group = arena_alloc(batch->arena, sizeof(*group));
    *group = (struct group){.tenant = tenant,
                            .name = name,
                            .key = key,
                            .next_same_hash = map_get(&mail->by_hash, &hash)};
    map_put(&mail->by_hash, &hash, group);
    *arena_push(batch->arena, mail->groups, mail->n_groups, mail->groups_capacity) = group;
    return group;
}

static const char *or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static void add_letter(struct batch *batch, const struct letter *letter)
{
    struct mail *mail = batch->mail;
    struct letter *copy = arena_alloc(batch->arena, sizeof(*copy));

    *copy = *letter;
    mail->broadcast |= letter->mode == LETTER_ALL;
    if (!uuid_is_nil(&letter->instance)) {
        *arena_push(batch->arena, mail->addressed, mail->n_addressed, mail->addressed_capacity) =
            copy;
        return;
    }
    struct group *group = group_of(batch, letter->tenant, letter->name, letter->key);
    *arena_push(batch->arena, group->letters, group->n_letters, group->letters_capacity) = copy;
}

static void add_waiter(struct batch *batch, const struct waiter *waiter)
{
    struct waiter *copy = arena_alloc(batch->arena, sizeof(*copy));
    struct group *group = group_of(batch, waiter->tenant, waiter->name, waiter->key);

    *copy = *waiter;
    *arena_push(batch->arena, group->waiters, group->n_waiters, group->waiters_capacity) = copy;
}

/* ---- What this batch brings ---- */

static void inbox_letter(struct batch *batch, struct item *item)
{
    const struct command *c = &item->command;
    bool correlate = item->kind == INBOX_CORRELATE;
    bool all = c->detail != NULL && strcmp(c->detail, "all") == 0;

    item->state = ITEM_DONE;
    add_letter(batch,
               &(struct letter){
                   .id = item->command_id,
                   .tenant = item->tenant,
                   .name = or_empty(c->name),
                   .key = correlate && !uuid_is_nil(&c->instance) ? c->business_key
                                                                  : or_empty(c->business_key),
                   .body = c->body,
                   .body_n = c->body_n,
                   .expires_us = correlate ? 0 : item->asked_us + item->ttl_us,
                   .lasts = !correlate && item->ttl_us > 0,
                   .mode = correlate ? LETTER_CORRELATE
                           : all     ? LETTER_ALL
                                     : LETTER_ONE,
                   .instance = correlate ? c->instance : (struct uuid){{0}},
               });
}

/* Its receiver had left by another way: it looks for the next one, as long as it is valid. */
static void dropped_letter(struct batch *batch, const struct item *item)
{
    const struct command *c = &item->command;
    struct delivery delivery;

    if (!delivery_read(c->detail, &delivery))
        return;
    const char *tenant = arena_strndup(batch->arena, delivery.tenant, delivery.tenant_n);
    if (delivery.mode == LETTER_CORRELATE) {
        effect_outcome(batch->effects, &delivery.message, tenant, 0, "refused",
                       effect_reason(batch->arena, "its receiver had left before it came"));
        return;
    }
    if (delivery.mode == LETTER_ALL)
        return;
    add_letter(batch, &(struct letter){
                          .id = delivery.message,
                          .tenant = tenant,
                          .name = or_empty(c->name),
                          .key = delivery.key,
                          .body = c->body,
                          .body_n = c->body_n,
                          .expires_us = delivery.expires_us,
                      });
}

static void family_letters(struct batch *batch, const struct fam *fam)
{
    const struct family *family = &fam->family;
    const char *tenant = family->n_instances > 0 ? or_empty(family->instances[0]->tenant) : "";

    for (size_t i = 0; i < family->n_messages; i++) {
        const struct message_out *m = &family->messages[i];
        add_letter(batch, &(struct letter){
                              .tenant = tenant,
                              .name = m->name,
                              .key = or_empty(m->key),
                              .body = m->body,
                              .body_n = m->body != NULL ? strlen(m->body) : 0,
                              .expires_us = batch->now_us + m->ttl_us,
                          });
    }
    for (size_t i = 0; i < family->n_instances; i++) {
        const struct instance *instance = family->instances[i];
        for (size_t j = 0; instance->fate != INSTANCE_ENDED && j < instance->n_waits; j++) {
            const struct wait *wait = &instance->waits[j];
            if (wait->kind != WAIT_MESSAGE || !wait->fresh)
                continue;
            add_waiter(batch, &(struct waiter){
                                  .instance = instance->id,
                                  .root = instance->root,
                                  .token = wait->token,
                                  .node = wait->node,
                                  .item = item_around(instance, wait->token),
                                  .tenant = or_empty(instance->tenant),
                                  .name = wait->name,
                                  .key = or_empty(wait->key),
                                  .since_us = batch->now_us,
                              });
        }
    }
}

/* How many keys a family would add; an upper bound. */
static size_t keys_of(const struct fam *fam)
{
    const struct family *family = &fam->family;
    size_t n = family->n_messages;

    for (size_t i = 0; i < family->n_instances; i++) {
        const struct instance *instance = family->instances[i];
        for (size_t j = 0; j < instance->n_waits; j++)
            n += instance->waits[j].kind == WAIT_MESSAGE && instance->waits[j].fresh;
    }
    for (size_t i = 0; i < fam->n_items; i++)
        n += fam->items[i]->kind == COMMAND_MESSAGE && fam->items[i]->state == ITEM_DROPPED;
    return n;
}

static void put_off_family(struct batch *batch, struct fam *fam)
{
    for (size_t i = 0; i < fam->n_items; i++)
        fam->items[i]->state = ITEM_PUT_OFF;
    fam->kept = false;
    batch->keys_full = true;
}

/* Half of the keys at most, so that callers' messages and processes do not starve each other. */
static void gather_inbox(struct batch *batch)
{
    for (size_t i = 0; i < batch->n_items; i++) {
        struct item *item = batch->items[i];
        if ((item->kind != INBOX_PUBLISH && item->kind != INBOX_CORRELATE) ||
            item->state != ITEM_RUN)
            continue;
        if (batch->mail->n_groups + batch->mail->n_addressed < LIMIT_BATCH_KEYS / 2) {
            inbox_letter(batch, item);
        } else {
            item->state = ITEM_PUT_OFF;
            batch->keys_full = true;
        }
    }
}

void message_gather(struct batch *batch)
{
    batch->mail = arena_alloc(batch->arena, sizeof(*batch->mail));
    map_init(&batch->mail->by_hash, batch->arena);
    gather_inbox(batch);
    for (size_t i = 0; i < batch->n_fams; i++) {
        struct fam *fam = batch->fams[i];
        fam->kept = fam->ready && fam->broken == NULL;
        size_t keys = fam->ready || fam->missing ? keys_of(fam) : 0;
        size_t n = batch->mail->n_groups;
        /* One that is too large for any batch gets one for itself. */
        if (keys > 0 && n > 0 && n + keys > LIMIT_BATCH_KEYS) {
            put_off_family(batch, fam);
            continue;
        }
        if (fam->kept)
            family_letters(batch, fam);
        for (size_t j = 0; j < fam->n_items; j++) {
            if (fam->items[j]->kind == COMMAND_MESSAGE && fam->items[j]->state == ITEM_DROPPED)
                dropped_letter(batch, fam->items[j]);
        }
    }
}

/* ---- Pairing ---- */

static void deliver(struct batch *batch, struct letter *letter, struct waiter *waiter)
{
    char instance[UUID_TEXT_BYTES];
    const struct delivery delivery = {.message = letter->id,
                                      .expires_us = letter->expires_us,
                                      .since_us = waiter->since_us,
                                      .mode = (int)letter->mode,
                                      .tenant = letter->tenant,
                                      .tenant_n = strlen(letter->tenant),
                                      .key = waiter->key};
    const struct command command = {.kind = COMMAND_MESSAGE,
                                    .instance = waiter->instance,
                                    .root = waiter->root,
                                    .token = waiter->token,
                                    .node = waiter->node,
                                    .name = letter->name,
                                    .detail = delivery_text(batch->arena, &delivery),
                                    .body = letter->body,
                                    .body_n = letter->body_n};

    effect_ready(batch->effects, &command, 0, NULL);
    if (waiter->has_row)
        column_tid(col(batch->effects, T_TAKE_SUBSCRIPTIONS, 0), waiter->tid);
    waiter->taken = true;
    uuid_format(&waiter->instance, instance);
    if (letter->receivers++ == 0)
        letter->receiver = arena_strdup(batch->arena, instance);
}

/* The columns of a START in ready: token = definition, name = business key, detail = tenant. */
static void deliver_start(struct batch *batch, struct letter *letter,
                          const struct message_start *start)
{
    char instance[UUID_TEXT_BYTES];
    struct uuid id = batch_uuid(batch);
    const struct command command = {.kind = COMMAND_START,
                                    .instance = id,
                                    .root = id,
                                    .token = (uint32_t)start->definition_id,
                                    .node = start->node,
                                    .name = letter->key[0] != '\0' ? letter->key : NULL,
                                    .detail = start->tenant,
                                    .body = letter->body,
                                    .body_n = letter->body_n};

    effect_ready(batch->effects, &command, 0, NULL);
    uuid_format(&id, instance);
    letter->receivers++;
    letter->receiver = arena_strdup(batch->arena, instance);
}

static struct waiter *first_free(const struct group *group)
{
    for (size_t i = 0; i < group->n_waiters; i++) {
        if (!group->waiters[i]->taken)
            return group->waiters[i];
    }
    return NULL;
}

static size_t count_free(const struct group *group)
{
    size_t n = 0;

    for (size_t i = 0; i < group->n_waiters; i++)
        n += !group->waiters[i]->taken;
    return n;
}

static void correlate(struct batch *batch, struct group *group, struct letter *letter)
{
    size_t n = count_free(group);

    if (n == 1)
        deliver(batch, letter, first_free(group));
    else if (n == 0 && group->start != NULL)
        deliver_start(batch, letter, group->start);
    else
        letter->receivers = (unsigned)n; /* none, or several: refused */
}

static void pair_letter(struct batch *batch, struct group *group, struct letter *letter)
{
    struct waiter *waiter;

    if (letter->mode == LETTER_CORRELATE) {
        correlate(batch, group, letter);
        return;
    }
    while ((waiter = first_free(group)) != NULL) {
        deliver(batch, letter, waiter);
        if (letter->mode == LETTER_ONE)
            return;
    }
    letter->cut = letter->mode == LETTER_ALL && letter->receivers >= BROADCAST_READ;
    if (letter->receivers == 0 && group->start != NULL)
        deliver_start(batch, letter, group->start);
}

/* One instance: exactly one of its waits with that name (and key). */
static void pair_addressed(struct batch *batch, struct letter *letter)
{
    struct mail *mail = batch->mail;
    struct waiter *found = NULL;
    unsigned n = 0;

    for (size_t i = 0; i < mail->n_groups; i++) {
        const struct group *group = mail->groups[i];
        if (strcmp(group->name, letter->name) != 0 ||
            (letter->key != NULL && strcmp(group->key, letter->key) != 0))
            continue;
        for (size_t j = 0; j < group->n_waiters; j++) {
            struct waiter *waiter = group->waiters[j];
            if (waiter->taken || !uuid_equal(&waiter->instance, &letter->instance))
                continue;
            found = waiter;
            n++;
        }
    }
    if (n == 1)
        deliver(batch, letter, found);
    else
        letter->receivers = n;
}

/* ---- What is left ---- */

static void tell(struct batch *batch, const struct letter *letter)
{
    struct arena *arena = batch->arena;

    if (letter->receiver != NULL)
        effect_outcome(batch->effects, &letter->id, letter->tenant, 0, "done",
                       arena_printf(arena, "{\"receivers\":%u,\"instance\":\"%s\"}",
                                    letter->receivers, letter->receiver));
    else if (letter->mode == LETTER_CORRELATE)
        effect_outcome(
            batch->effects, &letter->id, letter->tenant, 0, "refused",
            effect_reason(arena, letter->receivers == 0
                                     ? "nobody waits for this message"
                                     : arena_printf(arena,
                                                    "%u wait for this message, and it must "
                                                    "go to exactly one",
                                                    letter->receivers)));
    else if (letter->expires_us <= batch->now_us)
        effect_outcome(batch->effects, &letter->id, letter->tenant, 0, "expired",
                       effect_reason(arena, "nobody took it in its time to live"));
}

static void settle_letter(struct batch *batch, const struct letter *letter)
{
    struct effects *e = batch->effects;
    bool kept = letter->mode != LETTER_CORRELATE && (letter->receiver == NULL || letter->cut) &&
                letter->expires_us > batch->now_us;

    /* Its time was over before the engine came to it: housekeeping makes a dead letter of it. */
    if (letter->lasts && letter->receiver == NULL)
        kept = true;
    if (letter->row != 0 && !kept)
        column_int(col(e, T_DELETE_MESSAGES, 0), letter->row);
    if (letter->row == 0 && kept) {
        column_uuid(col(e, T_INSERT_MESSAGES, 0), &letter->id);
        column_text(col(e, T_INSERT_MESSAGES, 1), letter->tenant);
        column_text(col(e, T_INSERT_MESSAGES, 2), letter->name);
        column_text(col(e, T_INSERT_MESSAGES, 3), letter->key);
        column_int(col(e, T_INSERT_MESSAGES, 4), letter->mode);
        column_time(col(e, T_INSERT_MESSAGES, 5), letter->expires_us);
        column_bytes(col(e, T_INSERT_MESSAGES, 6), letter->body, letter->body_n);
    }
    if (!kept || letter->receiver != NULL)
        tell(batch, letter);
}

static void settle_waiter(struct effects *e, const struct waiter *waiter)
{
    if (waiter->has_row || waiter->taken)
        return;
    column_uuid(col(e, T_INSERT_SUBSCRIPTIONS, 0), &waiter->instance);
    column_int(col(e, T_INSERT_SUBSCRIPTIONS, 1), waiter->token);
    column_int(col(e, T_INSERT_SUBSCRIPTIONS, 2), waiter->node);
    column_uuid(col(e, T_INSERT_SUBSCRIPTIONS, 3), &waiter->root);
    column_text(col(e, T_INSERT_SUBSCRIPTIONS, 4), waiter->tenant);
    column_text(col(e, T_INSERT_SUBSCRIPTIONS, 5), waiter->name);
    column_text(col(e, T_INSERT_SUBSCRIPTIONS, 6), waiter->key);
    column_counter(col(e, T_INSERT_SUBSCRIPTIONS, 7), waiter->item);
}

static void pair_all(struct batch *batch)
{
    struct mail *mail = batch->mail;

    for (size_t i = 0; i < mail->n_addressed; i++)
        pair_addressed(batch, mail->addressed[i]);
    for (size_t i = 0; i < mail->n_groups; i++) {
        struct group *group = mail->groups[i];
        for (size_t j = 0; j < group->n_letters; j++)
            pair_letter(batch, group, group->letters[j]);
    }
    for (size_t i = 0; i < mail->n_addressed; i++)
        settle_letter(batch, mail->addressed[i]);
    for (size_t i = 0; i < mail->n_groups; i++) {
        const struct group *group = mail->groups[i];
        for (size_t j = 0; j < group->n_letters; j++)
            settle_letter(batch, group->letters[j]);
        for (size_t j = 0; j < group->n_waiters; j++)
            settle_waiter(batch->effects, group->waiters[j]);
    }
}

/* ---- The round trip ---- */

static int send_reads(struct batch *batch, struct err *err)
{
    struct mail *mail = batch->mail;
    struct conn *conn = batch->conn;
    struct column tenant, name, key, to, to_name, to_key;
    int32_t most = mail->broadcast ? BROADCAST_READ : DEFAULT_READ;

    column_init(&tenant, batch->arena, COLUMN_TEXT);
    column_init(&name, batch->arena, COLUMN_TEXT);
    column_init(&key, batch->arena, COLUMN_TEXT);
    for (size_t i = 0; i < mail->n_groups; i++) {
        column_text(&tenant, mail->groups[i]->tenant);
        column_text(&name, mail->groups[i]->name);
        column_text(&key, mail->groups[i]->key);
    }
    column_init(&to, batch->arena, COLUMN_UUID);
    column_init(&to_name, batch->arena, COLUMN_TEXT);
    column_init(&to_key, batch->arena, COLUMN_TEXT);
    for (size_t i = 0; i < mail->n_addressed; i++) {
        column_uuid(&to, &mail->addressed[i]->instance);
        column_text(&to_name, mail->addressed[i]->name);
        column_text(&to_key, mail->addressed[i]->key);
    }
    if (conn_send(conn, "lock_keys", PARAMS(p_column(&tenant), p_column(&name), p_column(&key)),
                  err) < 0 ||
        table_send(batch, T_DELETE_SUBSCRIPTIONS, err) < 0 ||
        conn_send(conn, "waiters_by_key",
                  PARAMS(p_column(&tenant), p_column(&name), p_column(&key), p_int4(most)),
                  err) < 0 ||
        conn_send(conn, "waiters_by_instance",
                  PARAMS(p_column(&to), p_column(&to_name), p_column(&to_key)), err) < 0 ||
        conn_send(conn, "messages_by_key",
                  PARAMS(p_column(&tenant), p_column(&name), p_column(&key), p_int4(DEFAULT_READ),
                         p_time(batch->now_us)),
                  err) < 0 ||
        conn_send(conn, "message_starts", PARAMS(p_column(&tenant), p_column(&name)), err) < 0)
        return err_trace(err);
    return conn_sync(conn, err);
}

static void add_stored_waiters(struct batch *batch, const struct result *rows)
{
    for (int i = 0; i < result_rows(rows); i++) {
        struct waiter waiter = {
            .tid = result_tid(rows, i, 0),
            .instance = result_uuid(rows, i, 1),
            .token = (uint32_t)result_int(rows, i, 2),
            .node = (int)result_int(rows, i, 3),
            .root = result_uuid(rows, i, 4),
            .tenant = result_text(rows, i, 5),
            .name = result_text(rows, i, 6),
            .key = result_text(rows, i, 7),
            .since_us = result_time(rows, i, 8),
            .has_row = true,
        };
        add_waiter(batch, &waiter);
    }
}

/* Waiters of the database are older than those of this batch: they come first. */
static int oldest_first(const void *a, const void *b)
{
    const struct waiter *x = *(struct waiter *const *)a, *y = *(struct waiter *const *)b;

    if (x->has_row != y->has_row)
        return x->has_row ? -1 : 1;
    if (x->since_us != y->since_us)
        return x->since_us < y->since_us ? -1 : 1;
    int c = uuid_compare(&x->instance, &y->instance);
    if (c != 0)
        return c;
    return x->token != y->token ? (x->token < y->token ? -1 : 1) : x->node - y->node;
}

/* The same row may come by its key and by its instance: once is enough. */
static void sort_waiters(struct group *group)
{
    size_t n = 0;

    if (group->n_waiters > 1)
        qsort(group->waiters, group->n_waiters, sizeof(*group->waiters), oldest_first);
    for (size_t i = 0; i < group->n_waiters; i++) {
        if (n == 0 || oldest_first(&group->waiters[n - 1], &group->waiters[i]) != 0)
            group->waiters[n++] = group->waiters[i];
    }
    group->n_waiters = n;
}

/* Buffered ones are older than those that this batch brings. */
static void add_buffered(struct batch *batch, const struct result *rows)
{
    struct mail *mail = batch->mail;
    size_t n = (size_t)result_rows(rows);

    for (size_t i = 0; i < n; i++) {
        int r = (int)i;
        add_letter(batch, &(struct letter){
                              .row = result_int(rows, r, 0),
                              .id = result_uuid(rows, r, 1),
                              .tenant = result_text(rows, r, 2),
                              .name = result_text(rows, r, 3),
                              .key = result_text(rows, r, 4),
                              .mode = (enum letter_mode)result_int(rows, r, 5),
                              .expires_us = result_time(rows, r, 6),
                              .body = result_text(rows, r, 7),
                              .body_n = result_length(rows, r, 7),
                          });
    }
    for (size_t i = 0; n > 0 && i < mail->n_groups; i++) {
        struct group *group = mail->groups[i];
        struct letter **sorted = arena_array(batch->arena, group->n_letters, sizeof(*sorted));
        size_t m = 0;
        for (size_t j = 0; j < group->n_letters; j++) {
            if (group->letters[j]->row != 0)
                sorted[m++] = group->letters[j];
        }
        for (size_t j = 0; j < group->n_letters; j++) {
            if (group->letters[j]->row == 0)
                sorted[m++] = group->letters[j];
        }
        group->letters = sorted;
        group->letters_capacity = group->n_letters;
    }
}

static void add_starts(struct batch *batch, const struct result *rows)
{
    struct mail *mail = batch->mail;

    for (int i = 0; i < result_rows(rows); i++) {
        struct message_start *start = arena_alloc(batch->arena, sizeof(*start));
        *start = (struct message_start){
            .tenant = result_text(rows, i, 0),
            .name = result_text(rows, i, 1),
            .definition_id = (int)result_int(rows, i, 2),
            .node = (int)result_int(rows, i, 3),
        };
        for (size_t j = 0; j < mail->n_groups; j++) {
            struct group *group = mail->groups[j];
            if (strcmp(group->name, start->name) == 0 && strcmp(group->tenant, start->tenant) == 0)
                group->start = start;
        }
    }
}

static int read_reads(struct batch *batch, struct err *err)
{
    struct result *rows[4];

    if (conn_next(batch->conn, NULL, err) < 0 || table_done(batch, T_DELETE_SUBSCRIPTIONS, err) < 0)
        return err_trace(err);
    batch->effects->tables[T_DELETE_SUBSCRIPTIONS].sent = true;
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        if (conn_next(batch->conn, &rows[i], err) < 0)
            return err_trace(err);
        batch_keep(batch, rows[i]);
    }
    add_stored_waiters(batch, rows[0]);
    add_stored_waiters(batch, rows[1]);
    for (size_t i = 0; i < batch->mail->n_groups; i++)
        sort_waiters(batch->mail->groups[i]);
    add_buffered(batch, rows[2]);
    add_starts(batch, rows[3]);
    return 0;
}

int message_pair(struct batch *batch, struct err *err)
{
    if (batch->mail->n_groups == 0 && batch->mail->n_addressed == 0)
        return 0;
    if (send_reads(batch, err) < 0 || read_reads(batch, err) < 0)
        return err_trace(err);
    pair_all(batch);
    return 0;
}
