/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the files of the expression language share: the tree, and the functions between
 *   expr_lex.c     text -> tokens
 *   expr_parse.c   tokens -> tree
 *   expr_eval.c    tree -> value
 *   expr_ops.c     operators and coercions
 *   expr_method.c  methods of values, and the names that `execution` has
 *   expr.c         the public face
 * Pure.
 */
#include "base/arena.h"
#include "base/err.h"
#include "engine/expr.h"
#include "engine/value.h"

enum expr_op {
    EXPR_OP_OR,
    EXPR_OP_AND,
    EXPR_OP_EQ,
    EXPR_OP_NE,
    EXPR_OP_LT,
    EXPR_OP_LE,
    EXPR_OP_GT,
    EXPR_OP_GE,
    EXPR_OP_ADD,
    EXPR_OP_SUBTRACT,
    EXPR_OP_MULTIPLY,
    EXPR_OP_DIVIDE,
    EXPR_OP_MODULO,
    EXPR_OP_NOT,
    EXPR_OP_NEGATE,
    EXPR_OP_EMPTY,
};

enum expr_node_kind {
    EXPR_NODE_LITERAL,
    EXPR_NODE_VARIABLE,
    EXPR_NODE_PROPERTY, /* of `execution` */
    EXPR_NODE_LOOKUP,   /* execution.getVariable(x), execution.hasVariable(x) */
    EXPR_NODE_NOW,
    EXPR_NODE_UNARY,
    EXPR_NODE_CHAIN, /* a op b op c … of one precedence, from the left */
    EXPR_NODE_CHOICE,
    EXPR_NODE_PATH, /* a.b[c].d() */
    EXPR_NODE_JOIN, /* text with ${…} in it */
};

enum expr_property {
    EXPR_PROPERTY_INSTANCE_ID,
    EXPR_PROPERTY_BUSINESS_KEY,
    EXPR_PROPERTY_DEFINITION_ID,
    EXPR_PROPERTY_DEFINITION_KEY,
    EXPR_PROPERTY_ACTIVITY_ID,
    EXPR_PROPERTY_ACTIVITY_NAME,
    EXPR_PROPERTY_TENANT_ID,
    EXPR_PROPERTY_START_TIME,
    EXPR_PROPERTY_ENTERED_TIME,
    EXPR_PROPERTY_RETRY_COUNT,
};

struct expr_node;

/* One more operand of a chain. */
struct expr_term {
    enum expr_op op;
    uint32_t column; /* of the operator */
    const struct expr_node *operand;
};

enum expr_step_kind { EXPR_STEP_MEMBER, EXPR_STEP_INDEX, EXPR_STEP_METHOD };

struct expr_method;

/* One step of a path. */
struct expr_step {
    enum expr_step_kind kind;
    uint32_t column;  /* of the name or bracket */
    const char *name; /* member: NUL-terminated */
    size_t name_n;
    const struct expr_method *method;
    const struct expr_node *args[2]; /* of a method; args[0] is the index */
    unsigned n_args;
};

struct expr_node {
    enum expr_node_kind kind;
    uint32_t column; /* 1-based, in the whole text */
    union {
        const struct value *literal;
        struct {
            const char *name; /* NUL-terminated */
            size_t n;
        } variable;
        enum expr_property property;
        struct {
            const struct expr_node *name;
            bool has; /* whether there is one, not what it is */
        } lookup;
        struct {
            enum expr_op op;
            const struct expr_node *operand;
        } unary;
        struct {
            const struct expr_node *first;
            const struct expr_term *terms;
            size_t n;
        } chain;
        struct {
            const struct expr_node *condition, *yes, *no;
        } choice;
        struct {
            const struct expr_node *base;
            const struct expr_step *steps;
            size_t n;
        } path;
        struct {
            const struct expr_node **parts;
            size_t n;
        } join;
    } u;
};

struct expr {
    const char *text; /* as it was compiled, NUL-terminated */
    size_t n;
    bool literal;
    const struct expr_node *root; /* NULL: a script */
};

enum expr_token_kind {
    EXPR_TOKEN_CLOSE, /* the } that ends the expression */
    EXPR_TOKEN_END,   /* the text ends */
    EXPR_TOKEN_NUMBER,
    EXPR_TOKEN_STRING,
    EXPR_TOKEN_NAME,
    EXPR_TOKEN_TRUE,
    EXPR_TOKEN_FALSE,
    EXPR_TOKEN_NULL,
    EXPR_TOKEN_OPERATOR,    /* op says which; NOT and EMPTY too; SUBTRACT is also the sign */
    EXPR_TOKEN_PUNCTUATION, /* *text says which: ( ) [ ] . , ? : */
};

struct expr_token {
    enum expr_token_kind kind;
    enum expr_op op;
    const char *text; /* where it stands in the expression's text */
    size_t n;
    const char *string; /* of a string: its value, NUL-terminated */
    size_t string_n;
};

/* A text that is being compiled. */
struct expr_source {
    const char *text, *end, *p;
    struct arena *arena;
    struct err *err;
};

/* Reads the next token of an expression. */
int expr_lex(struct expr_source *source, struct expr_token *ret) MUST_CHECK;
/* Reads one expression behind its ${ up to and with its }. `open` is where the ${ stands. */
int expr_parse(struct expr_source *source, const char *open,
               const struct expr_node **ret) MUST_CHECK;
/* Fills err with the text around the column, and what is wrong there; returns -1. */
int expr_refuse(struct err *err, enum err_code code, const char *text, size_t text_n, size_t column,
                const char *format, ...) PRINTF_LIKE(6, 7);

/* One evaluation. */
struct expr_run {
    const struct expr *expr;
    const struct expr_env *env;
    struct arena *arena;
    struct err *err;
    size_t made; /* bytes of text that it has produced */
};

/* Always -1; the compiler shall know that. */
#define expr_fail(run, column, ...)                                                                \
    (expr_refuse((run)->err, ERR_INVALID, (run)->expr->text, (run)->expr->n, (column),             \
                 __VA_ARGS__),                                                                     \
     -1)

int expr_node_eval(struct expr_run *run, const struct expr_node *node,
                   struct value *ret) MUST_CHECK;
/* Counts n bytes of text that the evaluation makes; an error when it is too much. */
int expr_made(struct expr_run *run, uint32_t column, size_t n) MUST_CHECK;
/* Room for n bytes of text and a NUL, counted; NULL, with the error set, when it is too much. */
char *expr_room(struct expr_run *run, uint32_t column, size_t n);

/* Operators. */
int expr_op_arithmetic(struct expr_run *run, uint32_t column, enum expr_op op,
                       const struct value *a, const struct value *b, struct value *ret) MUST_CHECK;
int expr_op_negate(struct expr_run *run, uint32_t column, const struct value *a,
                   struct value *ret) MUST_CHECK;
/* ==, !=, <, <=, > and >=. */
int expr_op_compare(struct expr_run *run, uint32_t column, enum expr_op op, const struct value *a,
                    const struct value *b, bool *ret) MUST_CHECK;
int expr_to_bool(struct expr_run *run, uint32_t column, const char *who, const struct value *value,
                 bool *ret) MUST_CHECK;
/* The text that a value has in a string: null is "", arrays and objects are JSON. Borrowed or in
 * the arena, not always NUL-terminated. */
int expr_text_of(struct expr_run *run, uint32_t column, const struct value *value,
                 const char **ret_text, size_t *ret_n) MUST_CHECK;
/* The number that a text is in its whole length, as JUEL reads it; false if it is none. */
bool expr_number(struct arena *arena, const char *text, size_t n, struct value *ret);
const char *expr_op_name(enum expr_op op);

/* Methods. */
const struct expr_method *expr_method_find(const char *name, size_t n);
/* How many arguments it takes, in words; NULL if n_args is right. */
const char *expr_method_wants(const struct expr_method *method, unsigned n_args);
int expr_method_call(struct expr_run *run, const struct expr_step *step, const struct value *self,
                     const struct value *args, struct value *ret) MUST_CHECK;
bool expr_property_find(const char *name, size_t n, enum expr_property *ret);
