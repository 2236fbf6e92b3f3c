/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Task tokens: an activity with pawl:taskToken is done when somebody who has its token says so, not
 * when its request was taken. The token exists before the request is built, and its row is written
 * in the same commit, so that an answer can not come too early. Each attempt has a token of its
 * own.
 *
 * The token is the callback's id and an HMAC of it: nothing of it is stored. A timer of its own
 * looks at it when it would be late; heartbeats only write their time into its row, and the store
 * tells us the last one.
 *
 * The body of COMMAND_CALLBACK_SUCCEED is {"output":…,"logs":[…]}, of COMMAND_CALLBACK_FAIL
 * {"logs":[…]}; "logs" may be missing.
 */
#include "base/build.h"

#include "base/digest.h"
#include "base/limits.h"
#include "engine/behaviour.h"

#define TOKEN_PREFIX "pawl_"
#define TOKEN_DIGITS 64u  /* behind it */
#define OUTPUT_SHOWN 500u /* bytes of an output that the history keeps */

static struct wait *callback_find(const struct instance *instance, uint32_t token,
                                  const struct node *node)
{
    return wait_find(instance, WAIT_CALLBACK, token, node_index(instance, node));
}

/* ---- Beginning ---- */

static uint32_t attempt_of(const struct step *step, uint32_t token)
{
    const struct command *command = step->command;

    if (command->kind != COMMAND_CALLBACK_AGAIN || step->again != token)
        return 1;
    return command->tries < UINT32_MAX ? command->tries + 1 : command->tries;
}

void callback_begin(struct step *step, struct instance *instance, uint32_t token,
                    const struct node *node)
{
    struct wait *wait = wait_new(step, instance, WAIT_CALLBACK, token, node);

    wait->subject = family_uuid(step->family);
    wait->attempt = attempt_of(step, token);
    wait->due_us = INT64_MAX;
}

static int silence_read(struct view *view, int64_t *ret_us)
{
    struct step *step = view->step;
    struct iso_duration duration;
    const char *text;

    *ret_us = 0;
    if (view_string(view, view->node->callback->heartbeat, &text) < 0)
        return err_trace(step->err);
    if (text == NULL || text[0] == '\0')
        return 0;
    if (iso_duration_parse(text, strlen(text), &duration, step->err) < 0)
        return err_at_node(step, view->node);
    *ret_us = iso_duration_us(&duration);
    if (*ret_us <= 0)
        return err_set(step->err, ERR_INVALID,
                       "%s '%s': its heartbeat '%.60s' is no duration above zero.",
                       node_kind_name(view->node->kind), view->node->id, text);
    return 0;
}

static int until_read(struct view *view, const struct installation *installation, int64_t *ret_us)
{
    struct step *step = view->step;
    const char *text;

    if (view_string(view, view->node->callback->timeout, &text) < 0 ||
        time_of_text(step, view->node, "its timeout", text, ret_us) < 0)
        return err_trace(step->err);
    int64_t longest_us = step->family->now_us + installation->callback_life_us;
    if (*ret_us == 0 || *ret_us > longest_us)
        *ret_us = longest_us;
    return 0;
}

static int64_t due_of(const struct wait *wait, int64_t heard_us)
{
    if (wait->heartbeat_us == 0 || heard_us > wait->until_us - wait->heartbeat_us)
        return wait->until_us;
    return heard_us + wait->heartbeat_us;
}

static int allowed_read(struct view *view, const char **ret)
{
    struct step *step = view->step;
    const struct expr *allowed = view->node->callback->allowed_caller;

    *ret = NULL;
    if (allowed == NULL)
        return 0;
    if (view_string(view, allowed, ret) < 0)
        return err_trace(step->err);
    if (*ret == NULL || (*ret)[0] == '\0' || strlen(*ret) > LIMIT_NAME_BYTES)
        return err_set(step->err, ERR_INVALID,
                       "%s '%s': its allowedCaller is %s, so nobody could answer. A name of 1 to "
                       "%u bytes is wanted.",
                       node_kind_name(view->node->kind), view->node->id,
                       *ret == NULL || (*ret)[0] == '\0' ? "empty" : "too long", LIMIT_NAME_BYTES);
    return 0;
}

int callback_arm(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);
    struct family *family = step->family;
    struct wait *wait = callback_find(instance, token, node);
    struct new_callback callback = {.id = wait->subject,
                                    .instance = instance->id,
                                    .token = token,
                                    .node = wait->node,
                                    .attempt = wait->attempt};

    if (family->installation == NULL)
        return err_set(step->err, ERR_INTERNAL,
                       "%s '%s' waits for a callback, and nobody said how tokens are signed.",
                       node_kind_name(node->kind), node->id);
    if (until_read(&view, family->installation, &callback.until_us) < 0 ||
        silence_read(&view, &callback.heartbeat_us) < 0 ||
        allowed_read(&view, &callback.allowed_caller) < 0)
        return err_trace(step->err);
    wait->until_us = callback.until_us;
    wait->heartbeat_us = callback.heartbeat_us;
    wait->due_us = due_of(wait, family->now_us);
    *arena_push(family->arena, family->callbacks, family->n_callbacks, family->callbacks_capacity) =
        callback;
    history_add(step, HISTORY_CALLBACK_OPENED, instance, token, node, 0,
                history_data(step, "utn", "callback", &wait->subject, "until", wait->until_us,
                             "attempt", (int64_t)(wait->attempt > 1 ? wait->attempt : 0)));
    return 0;
}

void callback_of_task(struct step *step, struct instance *instance, uint32_t token,
                      const struct node *node, const struct uuid *task)
{
    const struct wait *wait = callback_find(instance, token, node);
    struct family *family = step->family;

    for (size_t i = 0; wait != NULL && i < family->n_callbacks; i++)
        if (uuid_equal(&family->callbacks[i].id, &wait->subject))
            family->callbacks[i].task = *task;
}

/* ---- What expressions see ---- */

/* tests/sql/cases/callbacks.sql holds this against api_callback_token(). */
static const char *token_text(struct step *step, const struct uuid *id)
{
    const struct installation *installation = step->family->installation;
    uint8_t bytes[sizeof(id->b) + DIGEST_SHA256_BYTES];
    struct digest mac;

    digest_hmac(DIGEST_SHA256, installation->key, sizeof(installation->key), id->b, sizeof(id->b),
                &mac);
    memcpy(bytes, id->b, sizeof(id->b));
    memcpy(bytes + sizeof(id->b), mac.b, DIGEST_SHA256_BYTES);
    return arena_printf(step->arena, TOKEN_PREFIX "%s",
                        digest_base64url(step->arena, bytes, sizeof(bytes)));
}

const char *callback_mask(struct arena *arena, const char *text)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const size_t prefix_n = strlen(TOKEN_PREFIX);
    const char *found = strstr(text, TOKEN_PREFIX);
    char *masked;

    if (found == NULL)
        return text;
    masked = arena_strdup(arena, text);
    for (char *at = masked; (at = strstr(at, TOKEN_PREFIX)) != NULL;) {
        at += prefix_n;
        size_t n = strspn(at, alphabet);
        if (n < TOKEN_DIGITS)
            continue;
        memcpy(at, "***", 3);
        memmove(at + 3, at + n, strlen(at + n) + 1);
    }
    return masked;
}

static struct value_member text_member(struct step *step, const char *name, const char *text)
{
    return (struct value_member){.name = name,
                                 .name_n = strlen(name),
                                 .value = value_string(step->arena, text, strlen(text))};
}

bool callback_value(struct view *view, struct value *ret)
{
    struct step *step = view->step;
    const struct installation *installation = step->family->installation;
    const struct scope *scope = scope_find(view->instance, view->scope);
    uint32_t token = view->token != 0 ? view->token : scope != NULL ? scope->token : 0;
    char id[UUID_TEXT_BYTES];
    size_t n = 0;

    if (view->node == NULL || view->node->callback == NULL || installation == NULL)
        return false;
    const struct wait *wait = callback_find(view->instance, token, view->node);
    if (wait == NULL)
        return false;
    struct value_member *members = arena_array(step->arena, 4, sizeof(*members));
    const char *text = token_text(step, &wait->subject);
    uuid_format(&wait->subject, id);
    members[n++] = text_member(step, "id", arena_strdup(step->arena, id));
    members[n++] = text_member(step, "token", text);
    if (installation->public_url != NULL)
        members[n++] = text_member(
            step, "url",
            arena_printf(step->arena, "%s/callbacks/%s", installation->public_url, text));
    members[n++] = (struct value_member){.name = "attempt",
                                         .name_n = strlen("attempt"),
                                         .value = value_integer(step->arena, wait->attempt)};
    *ret = (struct value){.kind = VALUE_OBJECT, .u.object = {.members = members, .n = n}};
    return true;
}

/* ---- The request was taken ---- */

/* What the activity itself waits for, but for the callback. */
static void work_leave(struct step *step, struct instance *instance, uint32_t token, int node)
{
    for (size_t i = instance->n_waits; i-- > 0;) {
        struct wait *wait = &instance->waits[i];
        if (wait->token == token && wait->node == node && wait->kind != WAIT_CALLBACK)
            wait_remove(step, instance, wait);
    }
}

int activity_work_done(struct step *step, struct instance *instance, uint32_t token,
                       const struct node *node)
{
    struct family *family = step->family;
    const struct wait *wait = node->callback != NULL ? callback_find(instance, token, node) : NULL;

    if (wait == NULL)
        return activity_complete(step, instance, token, node);
    struct uuid id = wait->subject;
    if (token_find(instance, token)->state == TOKEN_READY)
        activity_wait(step, instance, token, node);
    work_leave(step, instance, token, node_index(instance, node));
    *arena_push(family->arena, family->accepted, family->n_accepted, family->accepted_capacity) =
        id;
    history_add(step, HISTORY_CALLBACK_ACCEPTED, instance, token, node, 0,
                history_data(step, "u", "callback", &id));
    return 0;
}

/* ---- Answers ---- */

struct answer {
    struct arena *arena;
    const char *output, *logs; /* JSON; output may be NULL */
    size_t output_n;
};

static void answer_member(void *context, const char *name, const char *raw, size_t n)
{
    struct answer *answer = context;

    if (strcmp(name, "output") == 0) {
        answer->output = arena_strndup(answer->arena, raw, n);
        answer->output_n = n;
    } else if (strcmp(name, "logs") == 0) {
        answer->logs = arena_strndup(answer->arena, raw, n);
    }
}

static int answer_read(struct step *step, const struct trigger *trigger, struct answer *ret)
{
    *ret = (struct answer){.arena = step->arena, .logs = "null"};
    if (trigger->body == NULL)
        return 0;
    return value_split(step->arena, trigger->body, trigger->body_n, answer_member, ret, step->err);
}

/* Whoever retries an answer by hand may have corrected what it brought. */
static int output_corrected(struct step *step, struct answer *answer)
{
    const struct command *command = step->command;

    if (command->variables == NULL || answer->output == NULL || answer->output[0] != '{')
        return 0;
    return variables_merge(step->arena, &answer->output, &answer->output_n, command->variables,
                           command->variables_n, step->err);
}

static int output_mapped(struct step *step, const struct trigger *trigger,
                         const struct answer *answer)
{
    const struct node *node = trigger->node;
    struct instance *instance = trigger->instance;
    struct view view = view_of(step, instance, token_scope(instance, trigger->token), node);
    struct value output = value_null();

    if (answer->output != NULL &&
        value_read(step->arena, answer->output, answer->output_n, &output, step->err) < 0)
        return err_at_node(step, node);
    if (node->callback->n_outputs == 0)
        return output.kind == VALUE_OBJECT
                   ? variables_set(step, instance, view.scope, answer->output, answer->output_n)
                   : 0;
    struct value_member member = {.name = "output", .name_n = strlen("output"), .value = output};
    struct value seen = {.kind = VALUE_OBJECT, .u.object = {.members = &member, .n = 1}};
    view.special = "callback";
    view.special_value = &seen;
    return mappings_apply(&view, node->callback->outputs, node->callback->n_outputs, view.scope);
}

static int succeeded(struct step *step, const struct trigger *trigger)
{
    struct instance *instance = trigger->instance;
    struct answer answer;

    if (answer_read(step, trigger, &answer) < 0 || output_corrected(step, &answer) < 0 ||
        input_accept(step, instance->graph, trigger->node, answer.output, answer.output_n) < 0)
        return err_trace(step->err);
    const char *shown =
        answer.output != NULL ? text_cut(step->arena, answer.output, OUTPUT_SHOWN) : NULL;
    history_add(step, HISTORY_CALLBACK_SUCCEEDED, instance, trigger->token, trigger->node, 0,
                history_data(step, "ussr", "callback", &trigger->wait.subject, "actor",
                             step->command->actor, "output", shown, "logs", answer.logs));
    if (output_mapped(step, trigger, &answer) < 0)
        return err_trace(step->err);
    fired_close_of(step, instance, trigger->token, trigger->wait.node);
    return activity_complete(step, instance, trigger->token, trigger->node);
}

/* Its rows go; the wait stays, so that the task can be tried again. */
static void callback_close(struct step *step, struct instance *instance, struct wait *wait)
{
    if (!wait->fresh)
        *arena_push(step->arena, instance->gone, instance->n_gone, instance->gone_capacity) = *wait;
    effect_remove_callback(step->family, &wait->subject);
    wait->fresh = wait->rearmed = false;
    wait->due_us = INT64_MAX;
}

/*
 * A BPMN error where somebody catches it. Else a failed try: by the task's retry policy, if the
 * model has one, with another token, or an incident.
 */
static int callback_failed(struct step *step, const struct trigger *trigger, const char *code,
                           const char *message, const char *reason)
{
    struct instance *instance = trigger->instance;
    const struct node *node = trigger->node;
    bool caught;

    if (error_is_caught(step, instance, trigger->token, node, code, &caught) < 0)
        return err_trace(step->err);
    fired_close_of(step, instance, trigger->token, trigger->wait.node);
    if (caught)
        return error_throw(step, instance, trigger->token, node, true, code, message);
    struct command again = {.kind = COMMAND_CALLBACK_AGAIN,
                            .instance = instance->id,
                            .root = instance->root,
                            .token = trigger->token,
                            .node = trigger->wait.node,
                            .tries = trigger->wait.attempt - 1,
                            .subject = trigger->wait.subject,
                            .origin = step->command->origin};
    struct failure failure = {
        .reason = reason,
        .error = arena_printf(step->arena, "%s '%s': %s: %s", node_kind_name(node->kind), node->id,
                              code, message != NULL ? message : "no cause was given"),
        .plain_tries = 1};
    if (node->kind == NODE_SERVICE_TASK || node->kind == NODE_SEND_TASK)
        work_leave(step, instance, trigger->token, trigger->wait.node);
    callback_close(step, instance, callback_find(instance, trigger->token, node));
    failure_file(step, instance, &again, &failure);
    return 0;
}

static int failed(struct step *step, const struct trigger *trigger)
{
    const char *code = trigger->name != NULL && trigger->name[0] != '\0'
                           ? trigger->name
                           : trigger->node->callback->failure_error;
    struct answer answer;

    if (answer_read(step, trigger, &answer) < 0)
        return err_trace(step->err);
    history_add(step, HISTORY_CALLBACK_FAILED, trigger->instance, trigger->token, trigger->node, 0,
                history_data(step, "usssr", "callback", &trigger->wait.subject, "actor",
                             step->command->actor, "error", code, "cause",
                             trigger->detail != NULL
                                 ? text_cut(step->arena, trigger->detail, OUTPUT_SHOWN)
                                 : NULL,
                             "logs", answer.logs));
    return callback_failed(step, trigger, code, trigger->detail, "failedCallback");
}

static int timer_rang(struct step *step, const struct trigger *trigger)
{
    const struct callback *callback = trigger->node->callback;
    struct instance *instance = trigger->instance;
    struct wait *wait = callback_find(instance, trigger->token, trigger->node);
    int64_t heard_us = step->command->heard_us;
    int64_t due_us = heard_us != 0 ? due_of(wait, heard_us) : wait->due_us;
    char at[28];

    if (due_us > step->family->now_us) {
        wait->due_us = due_us;
        wait->rearmed = true;
        return 0;
    }
    bool over = wait->until_us <= step->family->now_us;
    const char *code = over ? callback->timeout_error : callback->heartbeat_error;
    history_add(
        step, HISTORY_CALLBACK_TIMED_OUT, instance, trigger->token, trigger->node, 0,
        history_data(step, "ust", "callback", &wait->subject, "error", code, "heard", heard_us));
    iso_date_format(due_us, at);
    const char *message = arena_printf(
        step->arena, over ? "nobody answered until %s" : "nothing was heard until %s", at);
    return callback_failed(step, trigger, code, message, "callbackTimeout");
}

int callback_answered(struct step *step, const struct trigger *trigger)
{
    switch (step->command->kind) {
    case COMMAND_CALLBACK_SUCCEED:
        return succeeded(step, trigger);
    case COMMAND_CALLBACK_FAIL:
        return failed(step, trigger);
    default: /* COMMAND_CALLBACK_TIMER */
        return timer_rang(step, trigger);
    }
}

/* ---- Once more ---- */

/* Its boundary events wait on: the task began when it did. */
int callback_again(struct step *step, struct instance *instance, const struct wait *old)
{
    const struct node *node = &instance->graph->nodes[old->node];
    uint32_t id = old->token;
    int index = old->node;

    work_leave(step, instance, id, index);
    wait_remove(step, instance, wait_find(instance, WAIT_CALLBACK, id, index));
    step->again = id;
    if (activity_prepare(step, instance, id, node) < 0 ||
        behaviour_of(node)->enter(step, instance, id, node) < 0)
        return err_trace(step->err);
    step->again = 0;
    return 0;
}
