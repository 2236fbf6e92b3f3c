/* SPDX-License-Identifier: Apache-2.0 */
/* A family in memory: loading, new instances, ids, and what a step asks the store for. */
#include "base/build.h"

#include "engine/step.h"

void family_init(struct family *family, struct arena *arena, const struct uuid *root,
                 int64_t now_us, const uint8_t entropy[16])
{
    *family = (struct family){.arena = arena, .root = *root, .now_us = now_us};
    memcpy(family->entropy, entropy, sizeof(family->entropy));
}

/* splitmix64: spreads the counter over all bits. */
static uint64_t mix(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

struct uuid family_uuid(struct family *family)
{
    uint64_t seed[2];
    uint8_t entropy[10];

    memcpy(seed, family->entropy, sizeof(seed));
    family->n_ids++;
    uint64_t a = mix(seed[0] + family->n_ids * UINT64_C(0x632be59bd9b4e019));
    uint64_t b = mix(seed[1] ^ a);
    memcpy(entropy, &a, 8);
    memcpy(entropy + 8, &b, 2);
    return uuid_v7(family->now_us / 1000, entropy);
}

struct instance *family_instance(const struct family *family, const struct uuid *id)
{
    for (size_t i = 0; i < family->n_instances; i++)
        if (uuid_equal(&family->instances[i]->id, id))
            return family->instances[i];
    return NULL;
}

struct instance *instance_new(struct family *family, const struct uuid *id,
                              const struct graph *graph)
{
    struct instance *instance = arena_alloc(family->arena, sizeof(*instance));

    instance->id = *id;
    instance->root = family->root;
    instance->graph = graph;
    instance->definition_id = graph->definition_id;
    instance->started_us = family->now_us;
    instance->next_id = 1;
    *arena_push(family->arena, instance->scopes, instance->n_scopes, instance->scopes_capacity) =
        (struct scope){.node = -1};
    *arena_push(family->arena, family->instances, family->n_instances, family->instances_capacity) =
        instance;
    return instance;
}

int family_load(struct family *family, const struct instance_row *row, struct err *err)
{
    char id[UUID_TEXT_BYTES];

    uuid_format(&row->id, id);
    if (row->graph == NULL)
        return err_set(err, ERR_INVALID,
                       "Instance %s names process definition %d, which is missing.", id,
                       row->definition_id);
    if (family_instance(family, &row->id) != NULL)
        return err_set(err, ERR_CONFLICT, "Instance %s was loaded twice.", id);
    struct instance *instance = instance_new(family, &row->id, row->graph);
    instance->root = row->root;
    instance->parent = row->parent;
    instance->parent_token = row->parent_token;
    instance->definition_id = row->definition_id;
    instance->business_key = row->business_key;
    instance->tenant = row->tenant;
    instance->started_us = row->started_us;
    instance->fate = INSTANCE_LOADED;
    instance->doc = row->doc;
    instance->doc_n = row->doc_n;
    instance->row = row->row;
    if (row->variables != NULL && row->variables_n > 0) {
        instance->variables_text = row->variables;
        instance->variables_n = row->variables_n;
    }
    if (document_decode(family->arena, instance, row->doc, row->doc_n, err) < 0) {
        family->n_instances--;
        char reason[sizeof(err->text)];
        snprintf(reason, sizeof(reason), "%s", err->text);
        return err_set(err, ERR_INVALID, "The state of instance %s can not be read: %s", id,
                       reason);
    }
    return 0;
}

int need_instance(struct step *step, const struct uuid *id, struct instance **ret)
{
    struct family *family = step->family;

    *ret = family_instance(family, id);
    if (*ret != NULL)
        return 0;
    for (size_t i = 0; i < family->n_answers; i++) {
        const struct need *answer = &family->answers[i];
        if (answer->kind == NEED_INSTANCE && uuid_equal(&answer->instance, id)) {
            char text[UUID_TEXT_BYTES];
            uuid_format(id, text);
            family->n_needs = 0;
            return err_set(step->err, ERR_NOT_FOUND,
                           "Instance %s belongs to this family, but it does not exist.", text);
        }
    }
    for (size_t i = 0; i < family->n_needs; i++)
        if (family->needs[i].kind == NEED_INSTANCE && uuid_equal(&family->needs[i].instance, id))
            return -1;
    *arena_push(family->arena, family->needs, family->n_needs, family->needs_capacity) =
        (struct need){.kind = NEED_INSTANCE, .instance = *id};
    return err_set(step->err, ERR_NOT_FOUND, "Another instance of the family is needed.");
}

static bool text_equal(const char *a, const char *b)
{
    return strcmp(a != NULL ? a : "", b != NULL ? b : "") == 0;
}

int need_definition(struct step *step, const struct need *question, const struct need **ret_answer)
{
    struct family *family = step->family;

    for (size_t i = 0; i < family->n_answers; i++) {
        const struct need *answer = &family->answers[i];
        if (answer->kind == NEED_DEFINITION && text_equal(answer->key, question->key) &&
            text_equal(answer->tenant, question->tenant) && answer->binding == question->binding &&
            answer->version == question->version &&
            answer->caller_definition_id == question->caller_definition_id) {
            *ret_answer = answer;
            return 0;
        }
    }
    *arena_push(family->arena, family->needs, family->n_needs, family->needs_capacity) = *question;
    return err_set(step->err, ERR_NOT_FOUND, "The definition of process '%s' is needed.",
                   question->key);
}

int need_sql(struct step *step, const struct node *node, const char *arguments,
             const struct need **ret_answer)
{
    const char *delegate = node->delegate->name;
    struct family *family = step->family;
    uint32_t n = ++family->n_sql;

    for (size_t i = 0; i < family->n_answers; i++) {
        const struct need *answer = &family->answers[i];
        if (answer->kind != NEED_SQL || answer->n != n)
            continue;
        if (strcmp(answer->delegate, delegate) != 0 || strcmp(answer->arguments, arguments) != 0)
            return err_set(step->err, ERR_INTERNAL,
                           "SQL delegate '%s' was asked another question when the step was run "
                           "again.",
                           delegate);
        *ret_answer = answer;
        return 0;
    }
    *arena_push(family->arena, family->needs, family->n_needs, family->needs_capacity) =
        (struct need){
            .kind = NEED_SQL, .n = n, .of = node, .delegate = delegate, .arguments = arguments};
    return err_set(step->err, ERR_NOT_FOUND, "SQL delegate '%s' must be run.", delegate);
}

int need_script(struct step *step, const char *request, bool urgent, const struct need **ret_answer)
{
    struct family *family = step->family;
    uint32_t n = ++family->n_scripts;

    for (size_t i = 0; i < family->n_answers; i++) {
        const struct need *answer = &family->answers[i];
        if (answer->kind != NEED_SCRIPT || answer->n != n)
            continue;
        if (strcmp(answer->request, request) != 0)
            return err_set(step->err, ERR_INTERNAL,
                           "A script was asked another question when the step was run again.");
        *ret_answer = answer;
        return 0;
    }
    *arena_push(family->arena, family->needs, family->n_needs, family->needs_capacity) =
        (struct need){.kind = NEED_SCRIPT, .n = n, .request = request, .urgent = urgent};
    return err_set(step->err, ERR_NOT_FOUND, "A script must be run.");
}

int need_parameters(struct step *step, const struct instance *instance, const char **ret_text,
                    size_t *ret_n)
{
    struct family *family = step->family;
    int definition_id = instance->graph->definition_id;

    for (size_t i = 0; i < family->n_answers; i++) {
        const struct need *answer = &family->answers[i];
        if (answer->kind == NEED_PARAMETERS && answer->definition_id == definition_id) {
            *ret_text = answer->result;
            *ret_n = answer->result_n;
            return 0;
        }
    }
    *arena_push(family->arena, family->needs, family->n_needs, family->needs_capacity) =
        (struct need){.kind = NEED_PARAMETERS, .definition_id = definition_id};
    return err_set(step->err, ERR_NOT_FOUND, "The parameters of process '%s' are needed.",
                   instance->graph->key);
}

void effect_remove_task(struct family *family, const struct uuid *id)
{
    for (size_t i = family->n_tasks; i-- > 0;) {
        if (!uuid_equal(&family->tasks[i].id, id))
            continue;
        memmove(&family->tasks[i], &family->tasks[i + 1],
                (family->n_tasks - i - 1) * sizeof(*family->tasks));
        family->n_tasks--;
        return;
    }
}

void effect_remove_external(struct family *family, const struct uuid *id)
{
    for (size_t i = family->n_externals; i-- > 0;) {
        if (!uuid_equal(&family->externals[i].id, id))
            continue;
        memmove(&family->externals[i], &family->externals[i + 1],
                (family->n_externals - i - 1) * sizeof(*family->externals));
        family->n_externals--;
    }
    for (size_t i = family->n_offers; i-- > 0;) {
        if (!uuid_equal(&family->offers[i].task, id))
            continue;
        memmove(&family->offers[i], &family->offers[i + 1],
                (family->n_offers - i - 1) * sizeof(*family->offers));
        family->n_offers--;
    }
}

void effect_remove_callback(struct family *family, const struct uuid *id)
{
    for (size_t i = family->n_callbacks; i-- > 0;) {
        if (!uuid_equal(&family->callbacks[i].id, id))
            continue;
        memmove(&family->callbacks[i], &family->callbacks[i + 1],
                (family->n_callbacks - i - 1) * sizeof(*family->callbacks));
        family->n_callbacks--;
    }
    for (size_t i = family->n_accepted; i-- > 0;) {
        if (!uuid_equal(&family->accepted[i], id))
            continue;
        memmove(&family->accepted[i], &family->accepted[i + 1],
                (family->n_accepted - i - 1) * sizeof(*family->accepted));
        family->n_accepted--;
    }
}

void effect_remove_call(struct family *family, const struct uuid *id)
{
    for (size_t i = family->n_calls; i-- > 0;) {
        if (!uuid_equal(&family->calls[i].id, id))
            continue;
        memmove(&family->calls[i], &family->calls[i + 1],
                (family->n_calls - i - 1) * sizeof(*family->calls));
        family->n_calls--;
    }
}

void effect_remove_jobs(struct family *family, const struct uuid *instance, uint32_t token)
{
    for (size_t i = family->n_jobs; i-- > 0;) {
        const struct command *command = &family->jobs[i].command;
        if (command->token != token || !uuid_equal(&command->instance, instance))
            continue;
        memmove(&family->jobs[i], &family->jobs[i + 1],
                (family->n_jobs - i - 1) * sizeof(*family->jobs));
        family->n_jobs--;
    }
}

void job_add(struct step *step, const struct job *job)
{
    struct family *family = step->family;

    *arena_push(family->arena, family->jobs, family->n_jobs, family->jobs_capacity) = *job;
}
