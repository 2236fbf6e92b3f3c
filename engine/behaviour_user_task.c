/* SPDX-License-Identifier: Apache-2.0 */
/* userTask: a person completes it, or fails it with a BPMN error. */
#include "base/build.h"

#include "base/limits.h"
#include "engine/behaviour.h"

static int add_name(struct view *view, const char *text, size_t n, const char ***names,
                    size_t *n_names, size_t *capacity)
{
    struct arena *arena = view->step->arena;

    while (n > 0 && (*text == ' ' || *text == '\t' || *text == '\n' || *text == '\r')) {
        text++;
        n--;
    }
    while (n > 0 && strchr(" \t\r\n", text[n - 1]) != NULL)
        n--;
    if (n == 0)
        return 0;
    if (n > LIMIT_NAME_BYTES)
        return err_set(view->step->err, ERR_LIMIT,
                       "userTask '%s': the name of a user or group is longer than %u bytes.",
                       view->node->id, LIMIT_NAME_BYTES);
    *arena_push(arena, *names, *n_names, *capacity) = arena_strndup(arena, text, n);
    return 0;
}

/* "a, b" or a list of texts. */
static int names_read(struct view *view, const struct expr *expr, const char *what,
                      const char ***ret_names, size_t *ret_n)
{
    struct value value;
    size_t capacity = 0;

    if (expr == NULL)
        return 0;
    if (view_value(view, expr, &value) < 0)
        return err_trace(view->step->err);
    if (value.kind == VALUE_STRING && value.u.string.text[0] == '[' &&
        value_read(view->step->arena, value.u.string.text, value.u.string.n, &value,
                   view->step->err) < 0)
        return err_at_node(view->step, view->node);
    if (value.kind == VALUE_NULL)
        return 0;
    if (value.kind == VALUE_STRING) {
        const char *text = value.u.string.text;
        for (;;) {
            size_t n = strcspn(text, ",");
            if (add_name(view, text, n, ret_names, ret_n, &capacity) < 0)
                return err_trace(view->step->err);
            if (text[n] == '\0')
                return 0;
            text += n + 1;
        }
    }
    for (size_t i = 0; value.kind == VALUE_ARRAY && i < value.u.array.n; i++) {
        const struct value *item = &value.u.array.items[i];
        if (item->kind != VALUE_STRING)
            return err_set(view->step->err, ERR_INVALID,
                           "userTask '%s': its %s have a %s in them; texts are wanted.",
                           view->node->id, what, value_kind_name(item->kind));
        if (add_name(view, item->u.string.text, item->u.string.n, ret_names, ret_n, &capacity) < 0)
            return err_trace(view->step->err);
    }
    if (value.kind != VALUE_ARRAY)
        return err_set(view->step->err, ERR_INVALID,
                       "userTask '%s': its %s are a %s; a text or a list of texts is wanted.",
                       view->node->id, what, value_kind_name(value.kind));
    return 0;
}

static int when_read(struct view *view, const struct expr *expr, const char *what, int64_t *ret_us)
{
    const char *text;

    if (view_string(view, expr, &text) < 0)
        return err_trace(view->step->err);
    return time_of_text(view->step, view->node, what, text, ret_us);
}

static int task_fill(struct view *view, struct new_task *task)
{
    const struct user_task *user = view->node->user_task;
    int64_t priority = task->priority;

    if (user == NULL)
        return 0;
    task->form_key = user->form_key;
    if (view_string(view, user->assignee, &task->assignee) < 0 ||
        names_read(view, user->candidate_users, "candidate users", &task->candidate_users,
                   &task->n_candidate_users) < 0 ||
        names_read(view, user->candidate_groups, "candidate groups", &task->candidate_groups,
                   &task->n_candidate_groups) < 0 ||
        view_integer(view, user->priority, "priority", INT32_MIN, INT32_MAX, &priority) < 0 ||
        when_read(view, user->due_date, "its due date", &task->due_us) < 0 ||
        when_read(view, user->follow_up_date, "its follow-up date", &task->follow_up_us) < 0)
        return err_trace(view->step->err);
    task->priority = (int32_t)priority;
    if (task->assignee != NULL && task->assignee[0] == '\0')
        task->assignee = NULL;
    if (task->assignee != NULL && strlen(task->assignee) > LIMIT_NAME_BYTES)
        return err_set(view->step->err, ERR_LIMIT,
                       "userTask '%s': the name of its assignee is longer than %u bytes.",
                       view->node->id, LIMIT_NAME_BYTES);
    return 0;
}

static int enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    struct family *family = step->family;
    struct new_task task = {.id = family_uuid(family),
                            .instance = instance->id,
                            .token = token,
                            .node = node_index(instance, node),
                            .name = node->name,
                            .priority = 50};

    if (task_fill(&view, &task) < 0)
        return err_trace(step->err);
    *arena_push(family->arena, family->tasks, family->n_tasks, family->tasks_capacity) = task;
    wait_new(step, instance, WAIT_TASK, token, node)->subject = task.id;
    callback_of_task(step, instance, token, node, &task.id);
    activity_wait(step, instance, token, node);
    return 0;
}

static int trigger(struct step *step, const struct trigger *trigger)
{
    const struct command *command = step->command;
    struct instance *instance = trigger->instance;

    if (command->kind == COMMAND_TASK_COMPLETE &&
        input_accept(step, instance->graph, trigger->node, trigger->body, trigger->body_n) < 0)
        return err_trace(step->err);
    if (variables_set(step, instance, token_scope(instance, trigger->token), trigger->body,
                      trigger->body_n) < 0)
        return err_trace(step->err);
    history_add(step, HISTORY_TASK_COMPLETED, instance, trigger->token, trigger->node, 0,
                history_data(step, "us", "task", &trigger->wait.subject, "actor", command->actor));
    if (command->kind == COMMAND_TASK_ERROR)
        return error_throw(step, instance, trigger->token, trigger->node, true, trigger->name,
                           trigger->detail);
    return activity_complete(step, instance, trigger->token, trigger->node);
}

const struct behaviour behaviour_user_task = {.enter = enter, .trigger = trigger};
