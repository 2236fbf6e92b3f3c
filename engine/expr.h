/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Expressions: the subset of JUEL that models use, in ${…} or #{…}. Compiled once, at deployment,
 * to an immutable tree in the graph's arena; evaluated without side effects. docs/expressions.md is
 * the user's page.
 *
 * Text without ${ is a literal string. Text that is exactly one ${…} has that expression's value
 * and type. Anything else is a string joined from its parts (null joins as "").
 */
#include "base/arena.h"
#include "base/err.h"
#include "engine/value.h"

struct expr; /* immutable; lives in the arena it was compiled into */

/*
 * Compiles text. On failure err->column is the 1-based byte in `text` at which it is wrong (line is
 * 0) and err->text says what was expected there.
 */
int expr_compile(struct arena *arena, const char *text, const struct expr **ret_expr,
                 struct err *err) MUST_CHECK;

/* What an expression can see. All members are borrowed. */
struct expr_env {
    /* Looks a variable up; false if there is none. *ret_value lives as long as the evaluation. */
    bool (*variable)(void *context, const char *name, size_t n, struct value *ret_value);
    void *context;
    /* The `execution` object; NULL texts evaluate to null. */
    const char *process_instance_id;    /* execution.processInstanceId, getProcessInstanceId() */
    const char *business_key;           /* execution.businessKey, getProcessBusinessKey() … */
    const char *process_definition_id;  /* execution.processDefinitionId … */
    const char *process_definition_key; /* execution.processDefinitionKey */
    const char *activity_id;            /* execution.currentActivityId */
    const char *activity_name;          /* execution.currentActivityName */
    const char *tenant_id;              /* execution.tenantId */
    int64_t started_us;  /* execution.startTime: of the instance; 0: null, as the next */
    int64_t entered_us;  /* execution.enteredTime: of the activity */
    int64_t retry_count; /* execution.retryCount: failed tries of the activity before this one */
    int64_t now_us;      /* now(): microseconds since 1970, as an ISO 8601 string in UTC */
};

/*
 * Evaluates. An unknown variable, a missing member of a non-object, a type mismatch or a division
 * by zero is an error that names the expression's text and the column; execution.getVariable('x')
 * of an unknown x is null, as is a missing member of an object; `empty x` is true for an unknown x.
 */
int expr_eval(const struct expr *expr, const struct expr_env *env, struct arena *arena,
              struct value *ret_value, struct err *err) MUST_CHECK;
/* A condition: true, false, and the strings "true" and "false"; anything else is an error. */
int expr_eval_bool(const struct expr *expr, const struct expr_env *env, struct arena *arena,
                   bool *ret_bool, struct err *err) MUST_CHECK;
/* A string; null gives NULL; numbers and booleans as written; arrays and objects as JSON. */
int expr_eval_string(const struct expr *expr, const struct expr_env *env, struct arena *arena,
                     const char **ret_text, struct err *err) MUST_CHECK;

const char *expr_text(const struct expr *expr); /* as it was compiled */
/* A script in an expression's place: only its text is kept here, whoever evaluates it runs it. */
const struct expr *expr_of_script(struct arena *arena, const char *text);
bool expr_is_script(const struct expr *expr);
bool expr_is_literal(const struct expr *expr); /* has no ${: its value is its text */
/* Calls each() for each variable that the expression reads unconditionally by name (not by
 * getVariable, not under `empty`). */
void expr_each_variable(const struct expr *expr, void (*each)(void *context, const char *name),
                        void *context);
