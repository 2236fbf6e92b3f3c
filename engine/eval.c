/* SPDX-License-Identifier: Apache-2.0 */
/* Expressions and mappings, evaluated where they stand: variables from the innermost scope outward.
 */
#include "base/build.h"

#include "engine/step.h"

struct view view_of(struct step *step, struct instance *instance, uint32_t scope,
                    const struct node *node)
{
    return (struct view){.step = step, .instance = instance, .scope = scope, .node = node};
}

struct view view_at(struct step *step, struct instance *instance, uint32_t token,
                    const struct node *node)
{
    struct view view = view_of(step, instance, token_scope(instance, token), node);

    view.token = token;
    return view;
}

struct lookup {
    struct view *view;
    bool failed; /* a variable's text could not be read; step->err says why */
};

/* The settings of the process: what was given, else the model's own. */
static int parameters_get(struct step *step, const struct instance *instance,
                          const struct value **ret)
{
    const struct graph *graph = instance->graph;
    const char *text;
    size_t n;
    struct value given;

    if (need_parameters(step, instance, &text, &n) < 0 ||
        value_read(step->arena, text, n, &given, step->err) < 0)
        return err_trace(step->err);
    struct value_member *members = arena_array(step->arena, graph->n_parameters, sizeof(*members));
    for (size_t i = 0; i < graph->n_parameters; i++) {
        const struct parameter *parameter = &graph->parameters[i];
        size_t name_n = strlen(parameter->name);
        const struct value *value = value_member(&given, parameter->name, name_n);
        members[i] = (struct value_member){.name = parameter->name, .name_n = name_n};
        if (value != NULL)
            members[i].value = *value;
        else if (parameter->fallback != NULL &&
                 value_read(step->arena, parameter->fallback, strlen(parameter->fallback),
                            &members[i].value, step->err) < 0)
            return err_trace(step->err);
    }
    struct value *object = arena_alloc(step->arena, sizeof(*object));
    *object = (struct value){.kind = VALUE_OBJECT,
                             .u.object = {.members = members, .n = graph->n_parameters}};
    *ret = object;
    return 0;
}

static bool look_up(void *context, const char *name, size_t n, struct value *ret_value)
{
    struct lookup *lookup = context;
    struct view *view = lookup->view;
    const struct value *value = NULL;

    if (view->special != NULL && n == strlen(view->special) &&
        memcmp(name, view->special, n) == 0) {
        *ret_value = *view->special_value;
        return true;
    }
    if (n == strlen("callback") && memcmp(name, "callback", n) == 0 &&
        callback_value(view, ret_value))
        return true;
    if (view->locals != NULL)
        value = value_member(view->locals, name, n);
    if (value == NULL &&
        variable_get(view->step, view->instance, view->scope, name, n, &value) < 0) {
        lookup->failed = true;
        return false;
    }
    if (value == NULL && n == strlen("parameters") && memcmp(name, "parameters", n) == 0 &&
        view->instance->graph->n_parameters > 0 &&
        parameters_get(view->step, view->instance, &value) < 0) {
        lookup->failed = true;
        return false;
    }
    if (value == NULL)
        return false;
    *ret_value = *value;
    return true;
}

/* When the token came to the node: it may be on its way in just now. */
static int64_t entered_us(const struct view *view)
{
    const struct scope *scope = scope_find(view->instance, view->scope);
    uint32_t id = view->token != 0 ? view->token : scope != NULL ? scope->token : 0;
    const struct token *token = token_find(view->instance, id);

    if (view->node == NULL)
        return 0;
    if (token != NULL && token->state == TOKEN_WAIT &&
        token->node == node_index(view->instance, view->node))
        return token->since_us;
    return view->step->family->now_us;
}

/* Failed tries before this one, as the command that tries again says. */
static int64_t retry_count(const struct view *view)
{
    const struct command *command = view->step->command;
    bool tries = command->kind == COMMAND_CONTINUE || command->kind == COMMAND_CALLBACK_AGAIN;

    if (!tries || view->node == NULL || command->node != node_index(view->instance, view->node))
        return 0;
    return command->tries;
}

static struct expr_env env_of(struct view *view, struct lookup *lookup)
{
    const struct instance *instance = view->instance;
    struct arena *arena = view->step->arena;

    if (view->process_id == NULL) {
        char id[UUID_TEXT_BYTES];
        uuid_format(&instance->id, id);
        view->process_id = arena_strdup(arena, id);
        view->definition_id = arena_printf(arena, "%d", instance->definition_id);
    }
    return (struct expr_env){
        .variable = look_up,
        .context = lookup,
        .process_instance_id = view->process_id,
        .business_key = instance->business_key,
        .process_definition_id = view->definition_id,
        .process_definition_key = instance->graph->key,
        .activity_id = view->node != NULL ? view->node->id : NULL,
        .activity_name = view->node != NULL ? view->node->name : NULL,
        .tenant_id = instance->tenant,
        .started_us = instance->started_us,
        .entered_us = entered_us(view),
        .retry_count = retry_count(view),
        .now_us = view->step->family->now_us,
    };
}

int err_at_node(struct step *step, const struct node *node)
{
    struct err *err = step->err;
    char text[sizeof(err->text)];

    if (node == NULL)
        return err_trace(err);
    snprintf(text, sizeof(text), "%s", err->text);
    return err_set(err, err->code, "%s '%s': %s", node_kind_name(node->kind), node->id, text);
}

/* A caller that gets no address would never call back, and nobody would know why. */
static int address_check(const struct view *view, const struct expr *expr)
{
    const struct installation *installation = view->step->family->installation;

    if (view->node == NULL || view->node->callback == NULL || installation == NULL ||
        installation->public_url != NULL || strstr(expr_text(expr), "callback.url") == NULL)
        return 0;
    return err_set(view->step->err, ERR_INVALID,
                   "%s '%s' reads callback.url, but nobody has said at which address callers reach "
                   "this installation. Start the engine with --public-url, or call "
                   "set_installation().",
                   node_kind_name(view->node->kind), view->node->id);
}

/* Its place in error messages and limits is the node's, like an expression's. */
int view_value(struct view *view, const struct expr *expr, struct value *ret)
{
    if (expr_is_script(expr))
        return script_value(view, expr, ret);
    struct lookup lookup = {.view = view};
    struct expr_env env = env_of(view, &lookup);

    if (address_check(view, expr) < 0)
        return err_trace(view->step->err);
    if (expr_eval(expr, &env, view->step->arena, ret, view->step->err) < 0)
        return err_at_node(view->step, view->node);
    return lookup.failed ? err_trace(view->step->err) : 0;
}

static int script_bool(struct view *view, const struct expr *expr, bool *ret)
{
    struct value value;

    if (script_value(view, expr, &value) < 0)
        return err_trace(view->step->err);
    if (value.kind != VALUE_BOOL) {
        err_set(view->step->err, ERR_INVALID,
                "the script of a condition must give true or false, and gave %.100s.",
                value_text(view->step->arena, &value, NULL));
        return err_at_node(view->step, view->node);
    }
    *ret = value.u.boolean;
    return 0;
}

int view_bool(struct view *view, const struct expr *expr, bool *ret)
{
    if (expr_is_script(expr))
        return script_bool(view, expr, ret);
    struct lookup lookup = {.view = view};
    struct expr_env env = env_of(view, &lookup);

    if (expr_eval_bool(expr, &env, view->step->arena, ret, view->step->err) < 0)
        return err_at_node(view->step, view->node);
    return lookup.failed ? err_trace(view->step->err) : 0;
}

int view_string(struct view *view, const struct expr *expr, const char **ret)
{
    struct lookup lookup = {.view = view};

    *ret = NULL;
    if (expr == NULL)
        return 0;
    if (expr_is_literal(expr)) {
        *ret = expr_text(expr);
        return 0;
    }
    struct expr_env env = env_of(view, &lookup);
    if (address_check(view, expr) < 0)
        return err_trace(view->step->err);
    if (expr_eval_string(expr, &env, view->step->arena, ret, view->step->err) < 0)
        return err_at_node(view->step, view->node);
    return lookup.failed ? err_trace(view->step->err) : 0;
}

int view_integer(struct view *view, const struct expr *expr, const char *what, int64_t least,
                 int64_t most, int64_t *ret)
{
    const struct node *node = view->node;
    const char *text;
    char *end;

    if (view_string(view, expr, &text) < 0)
        return err_trace(view->step->err);
    if (text == NULL || text[0] == '\0')
        return 0;
    long long number = strtoll(text, &end, 10); /* at its own limits where it is out of range */
    if (*end != '\0' || number < least || number > most)
        return err_set(view->step->err, ERR_INVALID,
                       "%s '%s': its %s '%.40s' is not a whole number%s.",
                       node_kind_name(node->kind), node->id, what, text,
                       *end == '\0' ? " within the limits" : "");
    *ret = number;
    return 0;
}

static int items_eval(struct view *view, const struct mapping *mapping, struct value *ret)
{
    struct arena *arena = view->step->arena;
    struct value *items = arena_array(arena, mapping->n_items, sizeof(*items));

    for (size_t i = 0; i < mapping->n_items; i++)
        if (mapping_eval(view, &mapping->items[i], &items[i]) < 0)
            return err_trace(view->step->err);
    *ret = (struct value){.kind = VALUE_ARRAY, .u.array = {.items = items, .n = mapping->n_items}};
    return 0;
}

static int members_eval(struct view *view, const struct mapping *mappings, size_t n,
                        struct value *ret)
{
    struct value_member *members = arena_array(view->step->arena, n, sizeof(*members));

    for (size_t i = 0; i < n; i++) {
        members[i].name = mappings[i].name;
        members[i].name_n = strlen(mappings[i].name);
        if (mapping_eval(view, &mappings[i], &members[i].value) < 0)
            return err_trace(view->step->err);
    }
    *ret = (struct value){.kind = VALUE_OBJECT, .u.object = {.members = members, .n = n}};
    return 0;
}

/* Lists and maps nest as deep as the file does, which the parser limits. */
int mapping_eval(struct view *view, const struct mapping *mapping, struct value *ret)
{
    switch (mapping->kind) {
    case MAPPING_LIST:
        return items_eval(view, mapping, ret);
    case MAPPING_MAP:
        return members_eval(view, mapping->items, mapping->n_items, ret);
    case MAPPING_VALUE:
        break;
    }
    if (mapping->value == NULL) {
        *ret = value_null();
        return 0;
    }
    return view_value(view, mapping->value, ret);
}

int mappings_object(struct view *view, const struct mapping *mappings, size_t n,
                    const char **ret_text)
{
    struct value object;

    if (members_eval(view, mappings, n, &object) < 0)
        return err_trace(view->step->err);
    *ret_text = value_text(view->step->arena, &object, NULL);
    return 0;
}

int mappings_apply(struct view *view, const struct mapping *mappings, size_t n, uint32_t target)
{
    struct value value;

    for (size_t i = 0; i < n; i++) {
        if (mapping_eval(view, &mappings[i], &value) < 0)
            return err_trace(view->step->err);
        if (variable_set(view->step, view->instance, target, mappings[i].name, &value) < 0)
            return err_trace(view->step->err);
    }
    return 0;
}

/* ---- All that is seen ---- */

struct gathered {
    struct step *step;
    const struct value *locals; /* hide the others; NULL: there are none */
    struct value_member *members;
    size_t n, capacity;
};

static int gather(void *context, const struct variable *variable)
{
    struct gathered *gathered = context;
    struct step *step = gathered->step;
    struct value value;

    if (gathered->locals != NULL &&
        value_member(gathered->locals, variable->name, strlen(variable->name)) != NULL)
        return 0;
    if (variable->value != NULL)
        value = *variable->value;
    else if (value_read(step->arena, variable->text, variable->n, &value, step->err) < 0)
        return err_trace(step->err);
    *arena_push(step->arena, gathered->members, gathered->n, gathered->capacity) =
        (struct value_member){
            .name = variable->name, .name_n = strlen(variable->name), .value = value};
    return 0;
}

int view_object(struct view *view, bool local, struct value *ret)
{
    struct gathered gathered = {.step = view->step, .locals = view->locals};

    for (size_t i = 0; view->locals != NULL && i < view->locals->u.object.n; i++)
        *arena_push(view->step->arena, gathered.members, gathered.n, gathered.capacity) =
            view->locals->u.object.members[i];
    if (variables_each(view->step, view->instance, view->scope, local, gather, &gathered) < 0)
        return err_trace(view->step->err);
    if (view->special != NULL)
        *arena_push(view->step->arena, gathered.members, gathered.n,
                    gathered.capacity) = (struct value_member){
            .name = view->special, .name_n = strlen(view->special), .value = *view->special_value};
    *ret = (struct value){.kind = VALUE_OBJECT,
                          .u.object = {.members = gathered.members, .n = gathered.n}};
    return 0;
}
