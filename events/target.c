/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/isotime.h"
#include "events/target.h"
#include "events/template.h"

/* What a member of a target is. */
enum setting_kind {
    SETTING_TEXT,   /* a template that must become a text */
    SETTING_VALUE,  /* a template of anything */
    SETTING_OBJECT, /* a template that must become an object */
    SETTING_PATH,   /* a path */
    SETTING_FLAG,
    SETTING_COUNT,   /* 1 to 1000 */
    SETTING_RETRIES, /* pauses between attempts, as failedJobRetryTimeCycle has them */
};

struct setting {
    const char *name;
    enum setting_kind kind;
    bool needed;
};

#define SETTINGS_MAX 7

/* The schedule of Standard Webhooks 1.0.0: ten attempts, the last one 75 h 35 min behind the first.
 */
#define EVENT_RETRIES "PT5S,PT5M,PT30M,PT2H,PT5H,PT10H,PT14H,PT20H,PT24H"

static const struct {
    const char *name;
    struct setting settings[SETTINGS_MAX];
} kinds[] = {
    [TARGET_START_PROCESS] = {"startProcess",
                              {{"process", SETTING_TEXT, true},
                               {"businessKey", SETTING_TEXT, false},
                               {"version", SETTING_COUNT, false},
                               {"variables", SETTING_OBJECT, false}}},
    [TARGET_PUBLISH_MESSAGE] = {"publishMessage",
                                {{"message", SETTING_TEXT, true},
                                 {"key", SETTING_TEXT, false},
                                 {"ttl", SETTING_TEXT, false},
                                 {"all", SETTING_FLAG, false},
                                 {"variables", SETTING_OBJECT, false}}},
    [TARGET_CORRELATE_MESSAGE] = {"correlateMessage",
                                  {{"message", SETTING_TEXT, true},
                                   {"key", SETTING_TEXT, true},
                                   {"variables", SETTING_OBJECT, false}}},
    [TARGET_COMPLETE_TASK] = {"completeTask",
                              {{"tokenPath", SETTING_PATH, true},
                               {"outputPath", SETTING_PATH, false},
                               {"output", SETTING_VALUE, false},
                               {"errorPath", SETTING_PATH, false},
                               {"causePath", SETTING_PATH, false}}},
    [TARGET_FAIL_TASK] = {"failTask",
                          {{"tokenPath", SETTING_PATH, true},
                           {"errorPath", SETTING_PATH, false},
                           {"error", SETTING_TEXT, false},
                           {"causePath", SETTING_PATH, false},
                           {"cause", SETTING_TEXT, false}}},
    [TARGET_CALL_ENDPOINT] = {"callEndpoint",
                              {{"endpoint", SETTING_TEXT, true},
                               {"method", SETTING_TEXT, false},
                               {"path", SETTING_TEXT, false},
                               {"headers", SETTING_OBJECT, false},
                               {"body", SETTING_VALUE, false},
                               {"attempts", SETTING_COUNT, false},
                               {"retries", SETTING_RETRIES, false}}},
};

const char *target_kind_name(enum target_kind kind)
{
    return kinds[kind].name;
}

/* ---- Reading ---- */

static const struct value *get(const struct value *object, const char *name)
{
    return value_member(object, name, strlen(name));
}

static bool setting_fits(const struct setting *setting, const struct value *value)
{
    switch (setting->kind) {
    case SETTING_TEXT:
        return value->kind == VALUE_STRING && value->u.string.n != 0;
    case SETTING_VALUE:
        return true;
    case SETTING_OBJECT:
        return value->kind == VALUE_OBJECT || value->kind == VALUE_STRING;
    case SETTING_PATH:
        return value->kind == VALUE_STRING && path_valid(value->u.string.text, value->u.string.n);
    case SETTING_FLAG:
        return value->kind == VALUE_BOOL;
    case SETTING_COUNT:
        return value->kind == VALUE_NUMBER && value->u.number.is_integer &&
               value->u.number.integer >= 1 && value->u.number.integer <= 1000;
    case SETTING_RETRIES:
        return value->kind == VALUE_STRING && value->u.string.n != 0;
    }
    return false;
}

static const char *setting_wants(enum setting_kind kind)
{
    static const char *const wants[] = {"a text that is not empty",
                                        "any JSON",
                                        "an object, or a path to one: \"<$.detail>\"",
                                        "a path such as \"$.detail.token\"",
                                        "true or false",
                                        "a whole number from 1 to 1000",
                                        "pauses such as \"PT5S,PT5M,PT30M\", or \"R5/PT1M\""};

    return wants[kind];
}

static const struct setting *setting_named(enum target_kind kind, const char *name)
{
    for (size_t i = 0; i < SETTINGS_MAX && kinds[kind].settings[i].name != NULL; i++) {
        if (strcmp(kinds[kind].settings[i].name, name) == 0)
            return &kinds[kind].settings[i];
    }
    return NULL;
}

static int settings_check(struct arena *arena, enum target_kind kind, const struct value *settings,
                          struct err *err)
{
    const char *shown = kinds[kind].name;

    if (settings->kind != VALUE_OBJECT)
        return err_set(err, ERR_INVALID, "%s must be an object, not a JSON %s.", shown,
                       value_kind_name(settings->kind));
    for (size_t i = 0; i < settings->u.object.n; i++) {
        const struct value_member *member = &settings->u.object.members[i];
        const struct setting *setting = setting_named(kind, member->name);
        struct retry_cycle cycle;
        struct err why = {.code = ERR_NONE};
        if (setting == NULL)
            return err_set(err, ERR_INVALID, "There is no \"%.40s\" in %s.", member->name, shown);
        if (!setting_fits(setting, &member->value))
            return err_set(err, ERR_INVALID, "%s of %s must be %s.", setting->name, shown,
                           setting_wants(setting->kind));
        if (setting->kind <= SETTING_OBJECT && template_check(&member->value, &why) < 0)
            return err_set(err, ERR_INVALID, "%s of %s: %s.", setting->name, shown, why.text);
        if (setting->kind == SETTING_RETRIES &&
            retry_cycle_parse(arena, member->value.u.string.text, &cycle, &why) < 0)
            return err_set(err, ERR_INVALID, "%s of %s: %s.", setting->name, shown, why.text);
    }
    for (size_t i = 0; i < SETTINGS_MAX && kinds[kind].settings[i].name != NULL; i++) {
        const struct setting *setting = &kinds[kind].settings[i];
        if (setting->needed && get(settings, setting->name) == NULL)
            return err_set(err, ERR_INVALID, "%s needs %s: %s.", shown, setting->name,
                           setting_wants(setting->kind));
    }
    return 0;
}

static int target_read(struct arena *arena, const struct value *given, size_t place,
                       struct target *ret, struct err *err)
{
    unsigned n_kinds = 0;

    *ret = (struct target){.id = arena_printf(arena, "%zu", place)};
    if (given->kind != VALUE_OBJECT)
        return err_set(err, ERR_INVALID, "it must be an object, not a JSON %s.",
                       value_kind_name(given->kind));
    for (size_t i = 0; i < given->u.object.n; i++) {
        const struct value_member *member = &given->u.object.members[i];
        size_t kind = 0;
        if (strcmp(member->name, "id") == 0) {
            if (member->value.kind != VALUE_STRING || member->value.u.string.n == 0 ||
                member->value.u.string.n > LIMIT_NAME_BYTES)
                return err_set(err, ERR_INVALID, "its id must be a text of 1 to %u bytes.",
                               LIMIT_NAME_BYTES);
            ret->id = member->value.u.string.text;
            continue;
        }
        while (kind < ARRAY_LEN(kinds) && strcmp(kinds[kind].name, member->name) != 0)
            kind++;
        if (kind == ARRAY_LEN(kinds))
            return err_set(err, ERR_INVALID,
                           "there is no \"%.40s\". It may be startProcess, publishMessage, "
                           "correlateMessage, completeTask, failTask or callEndpoint.",
                           member->name);
        ret->kind = (enum target_kind)kind;
        ret->settings = member->value;
        n_kinds++;
    }
    if (n_kinds != 1)
        return err_set(err, ERR_INVALID,
                       "it must have one of startProcess, publishMessage, correlateMessage, "
                       "completeTask, failTask and callEndpoint.");
    return settings_check(arena, ret->kind, &ret->settings, err);
}

int targets_read(struct arena *arena, const char *text, size_t n, struct target **ret_targets,
                 size_t *ret_n, struct err *err)
{
    struct err why = {.code = ERR_NONE};
    struct value list;

    if (value_read(arena, text, n, &list, &why) < 0)
        return err_set(err, ERR_INVALID, "The targets are no JSON: %s", why.text);
    if (list.kind != VALUE_ARRAY)
        return err_set(err, ERR_INVALID, "The targets must be an array, not a JSON %s.",
                       value_kind_name(list.kind));
    *ret_n = list.u.array.n;
    if (*ret_n > LIMIT_RULE_TARGETS)
        return err_set(err, ERR_LIMIT,
                       "There are %zu targets, the limit is %u (LIMIT_RULE_TARGETS).", *ret_n,
                       LIMIT_RULE_TARGETS);
    *ret_targets = arena_array(arena, *ret_n, sizeof(**ret_targets));
    for (size_t i = 0; i < *ret_n; i++) {
        struct target *target = &(*ret_targets)[i];
        if (target_read(arena, &list.u.array.items[i], i + 1, target, &why) < 0)
            return err_set(err, ERR_INVALID, "Target %zu: %s", i + 1, why.text);
        for (size_t j = 0; j < i; j++) {
            if (strcmp((*ret_targets)[j].id, target->id) == 0)
                return err_set(err, ERR_INVALID, "Two targets have the id \"%.100s\".", target->id);
        }
    }
    return 0;
}

/* ---- Filling ---- */

struct filler {
    struct arena *arena;
    const struct value *settings, *event;
    struct value_member members[SETTINGS_MAX + 1];
    size_t n;
    const char *why;
};

static void put(struct filler *filler, const char *name, struct value value)
{
    filler->members[filler->n++] =
        (struct value_member){.name = name, .name_n = strlen(name), .value = value};
}

static bool has(const struct filler *filler, const char *name)
{
    for (size_t i = 0; i < filler->n; i++) {
        if (strcmp(filler->members[i].name, name) == 0)
            return true;
    }
    return false;
}

/* Of a number or the like: as it would be written into a text. */
static struct value as_text(struct filler *filler, const struct value *value)
{
    if (value->kind == VALUE_STRING || value->kind == VALUE_NULL)
        return *value;
    const char *text = value_text(filler->arena, value, NULL);
    return value_string(filler->arena, text, strlen(text));
}

static void put_filled(struct filler *filler, const struct setting *setting)
{
    const struct value *given = get(filler->settings, setting->name);

    if (given == NULL || has(filler, setting->name))
        return;
    struct value value = setting->kind <= SETTING_OBJECT
                             ? template_fill(given, filler->event, filler->arena)
                             : *given;
    if (setting->kind == SETTING_TEXT)
        value = as_text(filler, &value);
    bool empty = value.kind == VALUE_NULL || (value.kind == VALUE_STRING && value.u.string.n == 0);
    if (setting->needed && empty)
        filler->why = arena_printf(filler->arena, "%s: there is nothing at %s in the event",
                                   setting->name, value_text(filler->arena, given, NULL));
    else if (setting->kind == SETTING_OBJECT && value.kind != VALUE_OBJECT)
        filler->why = arena_printf(filler->arena, "%s: at %s there is no object in the event",
                                   setting->name, value_text(filler->arena, given, NULL));
    else
        put(filler, setting->name, value);
}

/* What is found at a path that a setting names; NULL: nothing, or there is no such setting. */
static const struct value *at_path(const struct filler *filler, const char *name)
{
    const struct value *path = get(filler->settings, name);

    return path != NULL ? path_value(filler->event, path->u.string.text, path->u.string.n) : NULL;
}

static void fill_failure(struct filler *filler)
{
    const struct value *error = at_path(filler, "errorPath"), *cause = at_path(filler, "causePath");
    const struct value *given_error = get(filler->settings, "error");
    const struct value *given_cause = get(filler->settings, "cause");

    if (error != NULL && error->kind != VALUE_NULL)
        put(filler, "error", as_text(filler, error));
    else if (given_error != NULL)
        put(filler, "error", template_fill(given_error, filler->event, filler->arena));
    if (cause != NULL && cause->kind != VALUE_NULL)
        put(filler, "cause", as_text(filler, cause));
    else if (given_cause != NULL)
        put(filler, "cause", template_fill(given_cause, filler->event, filler->arena));
}

/* As many attempts as the pauses allow, if `attempts` does not end them earlier. */
static void fill_retries(struct filler *filler)
{
    const struct value *given = get(filler->settings, "retries");
    const struct value *most = get(filler->settings, "attempts");
    const char *retries = given != NULL ? given->u.string.text : EVENT_RETRIES;
    struct retry_cycle cycle;
    struct err why = {.code = ERR_NONE};

    if (retry_cycle_parse(filler->arena, retries, &cycle, &why) <
        0) { /* was judged with the rule */
        filler->why = arena_strdup(filler->arena, why.text);
        return;
    }
    int64_t attempts = cycle.tries;
    if (most != NULL && most->u.number.integer < attempts)
        attempts = most->u.number.integer;
    put(filler, "retries", value_string(filler->arena, retries, strlen(retries)));
    put(filler, "attempts", value_integer(filler->arena, attempts));
}

/* completeTask with an errorPath at which the event has something is a failure. */
static void fill_answer(struct filler *filler, enum target_kind *kind)
{
    const struct value *token = at_path(filler, "tokenPath");
    const struct value *error = at_path(filler, "errorPath");
    const struct value *output = get(filler->settings, "output");

    if (token == NULL || token->kind != VALUE_STRING || token->u.string.n == 0) {
        filler->why = arena_printf(filler->arena, "there is no task token at %s in the event",
                                   get(filler->settings, "tokenPath")->u.string.text);
        return;
    }
    put(filler, "token", *token);
    if (error != NULL && error->kind != VALUE_NULL)
        *kind = TARGET_FAIL_TASK;
    if (*kind == TARGET_FAIL_TASK) {
        fill_failure(filler);
    } else if (output != NULL) {
        put(filler, "output", template_fill(output, filler->event, filler->arena));
    } else if (get(filler->settings, "outputPath") != NULL) {
        const struct value *found = at_path(filler, "outputPath");
        put(filler, "output", found != NULL ? *found : value_null());
    } else {
        put(filler, "output", *filler->event);
    }
}

struct target_order target_fill(const struct target *target, const struct value *event,
                                struct arena *arena)
{
    struct filler filler = {.arena = arena, .settings = &target->settings, .event = event};
    struct target_order order = {.kind = target->kind};
    struct value_member whole = {.name = "event", .name_n = 5, .value = *event};
    struct value object = {.kind = VALUE_OBJECT};

    if (target->kind == TARGET_COMPLETE_TASK || target->kind == TARGET_FAIL_TASK) {
        fill_answer(&filler, &order.kind);
    } else {
        if (target->kind == TARGET_CALL_ENDPOINT)
            fill_retries(&filler);
        for (size_t i = 0; i < SETTINGS_MAX && kinds[target->kind].settings[i].name != NULL; i++)
            put_filled(&filler, &kinds[target->kind].settings[i]);
        if (target->kind == TARGET_CALL_ENDPOINT && !has(&filler, "body"))
            put(&filler, "body", *event);
        if (target->kind != TARGET_CALL_ENDPOINT && !has(&filler, "variables")) {
            object.u.object.members = &whole;
            object.u.object.n = 1;
            put(&filler, "variables", object);
        }
    }
    order.why = filler.why;
    object.u.object.members = filler.members;
    object.u.object.n = filler.n;
    order.arguments = value_text(arena, &object, NULL);
    return order;
}
