/* SPDX-License-Identifier: Apache-2.0 */
/* How often and when what failed is tried again: Camunda's cycle, or pawl:retry. */
#include "base/build.h"

#include "base/limits.h"
#include "parser/build.h"

static bool read_cycle(struct process_build *process, const struct xml_element *at,
                       struct retry_policy *policy)
{
    struct arena *arena = &process->graph->arena;
    const char *text = xml_text(at);
    struct err err = {0};

    if (strstr(text, "${") != NULL || strstr(text, "#{") != NULL) {
        policy->kind = RETRY_EXPRESSION;
        policy->expression = text_expression(process, at, "failedJobRetryTimeCycle", text);
        return policy->expression != NULL;
    }
    policy->kind = RETRY_CYCLE;
    if (retry_cycle_parse(arena, text, &policy->cycle, &err) == 0)
        return true;
    report(process->file, CODE_BAD_RETRY_CYCLE, at,
           "failedJobRetryTimeCycle can not be read: %s. Write R3/PT5M (three tries, five minutes "
           "apart) "
           "or a list of pauses such as PT1S,PT10S,PT1M.",
           err.text);
    return false;
}

/* A number within its limits; `fallback` with a finding, or where there is none. */
static double read_number(struct process_build *process, const struct xml_element *e,
                          const char *name, double fallback, double most, bool whole)
{
    const char *text = xml_attr(e, name);
    char *end = NULL;

    if (text == NULL)
        return fallback;
    double number = strtod(text, &end);
    bool digits = strspn(text, "0123456789.") == strlen(text); /* neither 0x1p3 nor inf */
    if (digits && end != text && *end == '\0' && number >= 1 && number <= most &&
        (!whole || strchr(text, '.') == NULL))
        return number;
    report(process->file, CODE_BAD_RETRY_CYCLE, e,
           "%s=\"%.60s\" of pawl:retry is not %s from 1 to %.0f.", name, text,
           whole ? "a whole number" : "a number", most);
    return fallback;
}

static enum retry_jitter read_jitter(struct process_build *process, const struct xml_element *e)
{
    static const char *const names[] = {
        [JITTER_NONE] = "none", [JITTER_EQUAL] = "equal", [JITTER_FULL] = "full"};
    const char *text = xml_attr(e, "jitter");

    for (size_t i = 0; text != NULL && i < ARRAY_LEN(names); i++)
        if (strcmp(text, names[i]) == 0)
            return (enum retry_jitter)i;
    if (text != NULL)
        report(process->file, CODE_BAD_RETRY_CYCLE, e,
               "jitter=\"%.60s\" is not known. Write none, equal (from half of the delay on) or "
               "full (from nothing on).",
               text);
    return JITTER_EQUAL;
}

static void read_backoff(struct process_build *process, const struct xml_element *e,
                         struct retry_backoff *backoff)
{
    static const char *const attributes[] = {"attempts", "base", "factor", "cap", "jitter"};

    check_attributes(process->file, e, attributes, ARRAY_LEN(attributes));
    *backoff = (struct retry_backoff){
        .attempts = (uint32_t)read_number(process, e, "attempts", 8, LIMIT_RETRY_ATTEMPTS, true),
        .base_us = text_duration_us(process, e, "base", xml_attr(e, "base")),
        .cap_us = text_duration_us(process, e, "cap", xml_attr(e, "cap")),
        .factor = read_number(process, e, "factor", 2, 1000, false),
        .jitter = read_jitter(process, e),
    };
    if (backoff->base_us == 0)
        backoff->base_us = INT64_C(1000000);
    if (backoff->cap_us == 0)
        backoff->cap_us =
            INT64_C(300000000) > backoff->base_us ? INT64_C(300000000) : backoff->base_us;
    if (backoff->cap_us < backoff->base_us)
        report(process->file, CODE_BAD_RETRY_CYCLE, e,
               "The cap of pawl:retry is shorter than its base, so that no delay could be either.");
}

struct retry_policy *read_retry(struct process_build *process, const struct xml_element *e)
{
    const struct xml_element *cycle = extension_child(e, "failedJobRetryTimeCycle");
    const struct xml_element *backoff = NULL;
    struct retry_policy policy = {0};
    bool read = false;

    for (const struct xml_element *c = extensions(e); c != NULL; c = c->next) {
        if (!xml_is(c, SPACE_PAWL, "retry"))
            continue;
        if (backoff != NULL)
            report(process->file, CODE_DUPLICATE_EXTENSION, c, "%s has pawl:retry twice. Keep one.",
                   element_shown(process->file, e));
        backoff = c;
    }
    if (cycle != NULL)
        read = read_cycle(process, cycle, &policy);
    if (backoff != NULL) { /* the cycle beside it is for Camunda */
        policy = (struct retry_policy){.kind = RETRY_BACKOFF};
        read_backoff(process, backoff, &policy.backoff);
        read = true;
    }
    if (!read)
        return NULL;
    struct retry_policy *kept = arena_alloc(&process->graph->arena, sizeof(*kept));
    *kept = policy;
    return kept;
}
