/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/expr_internal.h"
#include "engine/value_internal.h"

/*
 * Recursive descent, one token ahead. Operators of one precedence become one chain and the steps of
 * a path one node, so that the tree is as deep as the text is nested, and never as deep as it is
 * long.
 */
struct parser {
    struct expr_source *source;
    const char *open;        /* where the ${ stands */
    struct expr_token token; /* the next one */
    unsigned depth;
};

static const struct expr_node *parse_choice(struct parser *p);

static uint32_t column_of(const struct parser *p, const char *at)
{
    return (uint32_t)(at - p->source->text) + 1;
}

#define refuse(p, at, ...)                                                                         \
    expr_refuse((p)->source->err, ERR_INVALID, (p)->source->text,                                  \
                (size_t)((p)->source->end - (p)->source->text), column_of((p), (at)), __VA_ARGS__)

static int advance(struct parser *p)
{
    return expr_lex(p->source, &p->token);
}

static bool at_sign(const struct parser *p, char c)
{
    return p->token.kind == EXPR_TOKEN_PUNCTUATION && *p->token.text == c;
}

static bool at_op(const struct parser *p, enum expr_op op)
{
    return p->token.kind == EXPR_TOKEN_OPERATOR && p->token.op == op;
}

/* Refuses the token: something else was expected. Always NULL, as the parse functions want it. */
static const struct expr_node *unexpected(struct parser *p, const char *wanted)
{
    if (p->token.kind == EXPR_TOKEN_END)
        refuse(p, p->open, "this %.2s is never closed with }", p->open);
    else if (p->token.kind == EXPR_TOKEN_CLOSE)
        refuse(p, p->token.text, "expected %s before the closing }", wanted);
    else
        refuse(p, p->token.text, "expected %s, found %.*s", wanted,
               p->token.n > 40 ? 40 : (int)p->token.n, p->token.text);
    return NULL;
}

static struct expr_node *node_new(struct parser *p, enum expr_node_kind kind, const char *at)
{
    struct expr_node *node = arena_alloc(p->source->arena, sizeof(*node));

    node->kind = kind;
    node->column = column_of(p, at);
    return node;
}

static const struct expr_node *literal(struct parser *p, const char *at, struct value value)
{
    struct expr_node *node = node_new(p, EXPR_NODE_LITERAL, at);
    struct value *copy = arena_alloc(p->source->arena, sizeof(*copy));

    *copy = value;
    node->u.literal = copy;
    return node;
}

/* A number token, with the sign that may stand before it. */
static const struct expr_node *parse_number(struct parser *p, const char *at, bool negative)
{
    struct value value;
    const char *text = arena_printf(p->source->arena, "%s%.*s", negative ? "-" : "",
                                    (int)p->token.n, p->token.text);

    if (!expr_number(p->source->arena, text, strlen(text), &value)) {
        refuse(p, at, "the number is too large or too precise");
        return NULL;
    }
    return advance(p) < 0 ? NULL : literal(p, at, value);
}

static const struct expr_node *parse_constant(struct parser *p)
{
    const char *at = p->token.text;
    struct value value;

    switch (p->token.kind) {
    case EXPR_TOKEN_NUMBER:
        return parse_number(p, at, false);
    case EXPR_TOKEN_STRING:
        value = (struct value){.kind = VALUE_STRING};
        value.u.string.text = p->token.string;
        value.u.string.n = p->token.string_n;
        break;
    case EXPR_TOKEN_NULL:
        value = value_null();
        break;
    default:
        value = value_bool(p->token.kind == EXPR_TOKEN_TRUE);
        break;
    }
    return advance(p) < 0 ? NULL : literal(p, at, value);
}

/*
 * The arguments of a call; the token is the (. At most two are kept, *n counts all: whether there
 * are too many is the caller's to say.
 */
static int parse_arguments(struct parser *p, const struct expr_node *args[2], unsigned *n)
{
    *n = 0;
    if (advance(p) < 0)
        return -1;
    if (at_sign(p, ')'))
        return advance(p);
    for (;;) {
        const struct expr_node *arg = parse_choice(p);
        if (arg == NULL)
            return -1;
        if (*n < 2)
            args[*n] = arg;
        (*n)++;
        if (at_sign(p, ')'))
            return advance(p);
        if (!at_sign(p, ',')) {
            unexpected(p, "',' or ')'");
            return -1;
        }
        if (advance(p) < 0)
            return -1;
    }
}

/* What to say of a method that does not exist. */
static const char *method_hint(const char *name, size_t n)
{
    static const struct {
        const char *name, *hint;
    } hints[] = {
        {"prop", "values are JSON here; write customer.name in place of "
                 "customer.prop('name').stringValue()"},
        {"stringValue", "values are JSON here; leave .stringValue() out"},
        {"numberValue", "values are JSON here; leave .numberValue() out"},
        {"boolValue", "values are JSON here; leave .boolValue() out"},
        {"value", "values are JSON here; leave .value() out"},
        {"elements", "values are JSON here; leave .elements() out"},
        {"hasProp", "values are JSON here; write containsKey('name') or !empty customer.name"},
        {"put", "expressions change nothing; set variables with output mappings"},
        {"add", "expressions change nothing; set variables with output mappings"},
        {"set", "expressions change nothing; set variables with output mappings"},
        {"count", "write size()"},
    };

    for (size_t i = 0; i < ARRAY_LEN(hints); i++) {
        if (strlen(hints[i].name) == n && memcmp(hints[i].name, name, n) == 0)
            return hints[i].hint;
    }
    return "Java beans do not exist here; use an HTTP call (pawl:http) for what the bean did, or a "
           "method that values have, such as size(), length(), contains(x), get(x) or toString()";
}

static int parse_member(struct parser *p, struct expr_step *step)
{
    if (advance(p) < 0)
        return -1;
    /* Words of the language are names behind a point: response.body.empty. */
    bool word =
        p->token.kind == EXPR_TOKEN_OPERATOR && p->token.text[0] >= 'a' && p->token.text[0] <= 'z';
    if (p->token.kind != EXPR_TOKEN_NAME && p->token.kind != EXPR_TOKEN_TRUE &&
        p->token.kind != EXPR_TOKEN_FALSE && p->token.kind != EXPR_TOKEN_NULL && !word) {
        unexpected(p, "a name after the point (other names go in brackets: a['the name'])");
        return -1;
    }
    const char *at = p->token.text;
    *step = (struct expr_step){.kind = EXPR_STEP_MEMBER, .column = column_of(p, at)};
    step->name_n = p->token.n;
    step->name = arena_strndup(p->source->arena, at, step->name_n);
    if (advance(p) < 0)
        return -1;
    if (!at_sign(p, '('))
        return 0;
    step->kind = EXPR_STEP_METHOD;
    step->method = expr_method_find(step->name, step->name_n);
    if (step->method == NULL)
        return refuse(p, at, "there is no method %s(): %s", step->name,
                      method_hint(step->name, step->name_n));
    if (parse_arguments(p, step->args, &step->n_args) < 0)
        return -1;
    const char *wants = expr_method_wants(step->method, step->n_args);
    if (wants != NULL)
        return refuse(p, at, "%s() takes %s, not %u", step->name, wants, step->n_args);
    return 0;
}

static int parse_index(struct parser *p, struct expr_step *step)
{
    *step = (struct expr_step){.kind = EXPR_STEP_INDEX, .column = column_of(p, p->token.text)};
    if (advance(p) < 0)
        return -1;
    step->args[0] = parse_choice(p);
    step->n_args = 1;
    if (step->args[0] == NULL)
        return -1;
    if (!at_sign(p, ']')) {
        unexpected(p, "']'");
        return -1;
    }
    return advance(p);
}

#define EXECUTION_HAS                                                                              \
    "processInstanceId, id, businessKey, processBusinessKey, processDefinitionId, "                \
    "processDefinitionKey, currentActivityId, currentActivityName, tenantId, startTime, "          \
    "enteredTime and retryCount"

static bool same(const char *text, size_t n, const char *name)
{
    return strlen(name) == n && memcmp(text, name, n) == 0;
}

/* execution.name(args) */
static const struct expr_node *parse_execution_call(struct parser *p, const char *execution,
                                                    const char *name, size_t n)
{
    const struct expr_node *args[2] = {NULL, NULL};
    char property_name[40];
    enum expr_property property;
    unsigned n_args;

    if (parse_arguments(p, args, &n_args) < 0)
        return NULL;
    bool has = same(name, n, "hasVariable") || same(name, n, "hasVariableLocal");
    if (has || same(name, n, "getVariable") || same(name, n, "getVariableLocal")) {
        if (n_args != 1) {
            refuse(p, name, "%.*s() takes one argument, the variable's name, not %u", (int)n, name,
                   n_args);
            return NULL;
        }
        struct expr_node *node = node_new(p, EXPR_NODE_LOOKUP, execution);
        node->u.lookup.name = args[0];
        node->u.lookup.has = has;
        return node;
    }
    if (n > 3 && n < sizeof(property_name) && memcmp(name, "get", 3) == 0) {
        memcpy(property_name, name + 3, n - 3);
        if (property_name[0] >= 'A' && property_name[0] <= 'Z') {
            property_name[0] = (char)(property_name[0] - 'A' + 'a');
            if (expr_property_find(property_name, n - 3, &property)) {
                if (n_args != 0) {
                    refuse(p, name, "%.*s() takes no argument", (int)n, name);
                    return NULL;
                }
                struct expr_node *node = node_new(p, EXPR_NODE_PROPERTY, execution);
                node->u.property = property;
                return node;
            }
        }
    }
    if ((n > 3 && memcmp(name, "set", 3) == 0) || (n > 6 && memcmp(name, "remove", 6) == 0))
        refuse(p, name,
               "execution.%.*s() does not exist: expressions change nothing; set "
               "variables with output mappings or a result variable",
               (int)n, name);
    else
        refuse(p, name,
               "execution.%.*s() does not exist; there are getVariable(name), "
               "hasVariable(name), and a getter for each of " EXECUTION_HAS,
               (int)n, name);
    return NULL;
}

/* execution.x or execution.x(…); the token is behind `execution`. */
static const struct expr_node *parse_execution(struct parser *p, const char *execution)
{
    enum expr_property property;

    if (!at_sign(p, '.')) {
        refuse(p, execution,
               "execution is no value of its own; write execution.businessKey, "
               "execution.getVariable('x') …");
        return NULL;
    }
    if (advance(p) < 0)
        return NULL;
    if (p->token.kind != EXPR_TOKEN_NAME)
        return unexpected(p, "a name after the point");
    const char *name = p->token.text;
    size_t n = p->token.n;
    if (advance(p) < 0)
        return NULL;
    if (at_sign(p, '('))
        return parse_execution_call(p, execution, name, n);
    if (!expr_property_find(name, n, &property)) {
        refuse(p, name, "execution has no property '%.*s'; it has " EXECUTION_HAS, (int)n, name);
        return NULL;
    }
    struct expr_node *node = node_new(p, EXPR_NODE_PROPERTY, execution);
    node->u.property = property;
    return node;
}

/* A function: a name and its (. */
static const struct expr_node *parse_function(struct parser *p, const char *name, size_t n)
{
    const struct expr_node *args[2];
    unsigned n_args;

    if (same(name, n, "S") || same(name, n, "JSON") || same(name, n, "XML")) {
        refuse(p, name,
               "there is no function %.*s(): values are JSON already; write x.name in "
               "place of %.*s(x).prop('name')",
               (int)n, name, (int)n, name);
        return NULL;
    }
    if (!same(name, n, "now")) {
        refuse(p, name, "there is no function %.*s(); the only one is now()", n > 60 ? 60 : (int)n,
               name);
        return NULL;
    }
    if (parse_arguments(p, args, &n_args) < 0)
        return NULL;
    if (n_args != 0) {
        refuse(p, name, "now() takes no argument");
        return NULL;
    }
    return node_new(p, EXPR_NODE_NOW, name);
}

static const struct expr_node *parse_name(struct parser *p)
{
    const char *at = p->token.text;
    size_t n = p->token.n;

    if (advance(p) < 0)
        return NULL;
    if (at_sign(p, '('))
        return parse_function(p, at, n);
    if (same(at, n, "execution"))
        return parse_execution(p, at);
    struct expr_node *node = node_new(p, EXPR_NODE_VARIABLE, at);
    node->u.variable.name = arena_strndup(p->source->arena, at, n);
    node->u.variable.n = n;
    return node;
}

static const struct expr_node *parse_primary(struct parser *p)
{
    const struct expr_node *inner;

    switch (p->token.kind) {
    case EXPR_TOKEN_NUMBER:
    case EXPR_TOKEN_STRING:
    case EXPR_TOKEN_TRUE:
    case EXPR_TOKEN_FALSE:
    case EXPR_TOKEN_NULL:
        return parse_constant(p);
    case EXPR_TOKEN_NAME:
        return parse_name(p);
    default:
        break;
    }
    if (!at_sign(p, '('))
        return unexpected(p, "a value (a name, a number, a string in quotes …)");
    if (advance(p) < 0)
        return NULL;
    inner = parse_choice(p);
    if (inner == NULL)
        return NULL;
    if (!at_sign(p, ')'))
        return unexpected(p, "an operator or ')'");
    return advance(p) < 0 ? NULL : inner;
}

static const struct expr_node *parse_path(struct parser *p)
{
    const char *at = p->token.text;
    const struct expr_node *base = parse_primary(p);
    struct expr_step *steps = NULL, step;
    size_t n = 0, capacity = 0;

    if (base == NULL)
        return NULL;
    while (at_sign(p, '.') || at_sign(p, '[')) {
        if ((at_sign(p, '.') ? parse_member(p, &step) : parse_index(p, &step)) < 0)
            return NULL;
        *arena_push(p->source->arena, steps, n, capacity) = step;
    }
    if (n == 0)
        return base;
    struct expr_node *node = node_new(p, EXPR_NODE_PATH, at);
    node->u.path.base = base;
    node->u.path.steps = steps;
    node->u.path.n = n;
    return node;
}

static const struct expr_node *too_deep(struct parser *p)
{
    expr_refuse(p->source->err, ERR_LIMIT, p->source->text,
                (size_t)(p->source->end - p->source->text), column_of(p, p->token.text),
                "nested deeper than %u levels; put a part into a variable of its own",
                LIMIT_EXPR_DEPTH);
    return NULL;
}

static const struct expr_node *parse_unary(struct parser *p)
{
    const char *at = p->token.text;
    enum expr_op op;

    if (at_op(p, EXPR_OP_NOT))
        op = EXPR_OP_NOT;
    else if (at_op(p, EXPR_OP_EMPTY))
        op = EXPR_OP_EMPTY;
    else if (at_op(p, EXPR_OP_SUBTRACT))
        op = EXPR_OP_NEGATE;
    else
        return parse_path(p);
    if (++p->depth > LIMIT_EXPR_DEPTH)
        return too_deep(p);
    if (advance(p) < 0)
        return NULL;
    const struct expr_node *operand;
    bool signed_number = op == EXPR_OP_NEGATE && p->token.kind == EXPR_TOKEN_NUMBER;
    operand = signed_number ? parse_number(p, at, true) : parse_unary(p);
    p->depth--;
    if (operand == NULL || signed_number)
        return operand;
    struct expr_node *node = node_new(p, EXPR_NODE_UNARY, at);
    node->u.unary.op = op;
    node->u.unary.operand = operand;
    return node;
}

/* How tightly a binary operator binds; -1: it is none. */
static int level_of(const struct expr_token *token)
{
    if (token->kind != EXPR_TOKEN_OPERATOR)
        return -1;
    switch (token->op) {
    case EXPR_OP_OR:
        return 0;
    case EXPR_OP_AND:
        return 1;
    case EXPR_OP_EQ:
    case EXPR_OP_NE:
        return 2;
    case EXPR_OP_LT:
    case EXPR_OP_LE:
    case EXPR_OP_GT:
    case EXPR_OP_GE:
        return 3;
    case EXPR_OP_ADD:
    case EXPR_OP_SUBTRACT:
        return 4;
    case EXPR_OP_MULTIPLY:
    case EXPR_OP_DIVIDE:
    case EXPR_OP_MODULO:
        return 5;
    case EXPR_OP_NOT:
    case EXPR_OP_NEGATE:
    case EXPR_OP_EMPTY:
        break;
    }
    return -1;
}

static const struct expr_node *parse_chain(struct parser *p, int level)
{
    const char *at = p->token.text;
    const struct expr_node *first = level < 5 ? parse_chain(p, level + 1) : parse_unary(p);
    struct expr_term *terms = NULL, term;
    size_t n = 0, capacity = 0;

    if (first == NULL)
        return NULL;
    while (level_of(&p->token) == level) {
        term.op = p->token.op;
        term.column = column_of(p, p->token.text);
        if (advance(p) < 0)
            return NULL;
        term.operand = level < 5 ? parse_chain(p, level + 1) : parse_unary(p);
        if (term.operand == NULL)
            return NULL;
        *arena_push(p->source->arena, terms, n, capacity) = term;
    }
    if (n == 0)
        return first;
    struct expr_node *node = node_new(p, EXPR_NODE_CHAIN, at);
    node->u.chain.first = first;
    node->u.chain.terms = terms;
    node->u.chain.n = n;
    return node;
}

static const struct expr_node *parse_choice(struct parser *p)
{
    const char *at = p->token.text;

    if (++p->depth > LIMIT_EXPR_DEPTH)
        return too_deep(p);
    const struct expr_node *condition = parse_chain(p, 0);
    if (condition == NULL || !at_sign(p, '?')) {
        p->depth--;
        return condition;
    }
    struct expr_node *node = node_new(p, EXPR_NODE_CHOICE, at);
    node->u.choice.condition = condition;
    if (advance(p) < 0)
        return NULL;
    node->u.choice.yes = parse_choice(p);
    if (node->u.choice.yes == NULL)
        return NULL;
    if (!at_sign(p, ':'))
        return unexpected(p, "':' and what holds otherwise");
    if (advance(p) < 0)
        return NULL;
    node->u.choice.no = parse_choice(p);
    p->depth--;
    return node->u.choice.no == NULL ? NULL : node;
}

int expr_parse(struct expr_source *source, const char *open, const struct expr_node **ret)
{
    struct parser p = {.source = source, .open = open};

    if (advance(&p) < 0)
        return -1;
    if (p.token.kind == EXPR_TOKEN_CLOSE)
        return refuse(&p, open, "nothing stands between %.2s and }", open);
    const struct expr_node *node = parse_choice(&p);
    if (node == NULL)
        return -1;
    if (p.token.kind != EXPR_TOKEN_CLOSE) {
        unexpected(&p, "an operator or the closing }");
        return -1;
    }
    if ((size_t)(source->p - open) > LIMIT_EXPR_BYTES)
        return expr_refuse(source->err, ERR_LIMIT, source->text,
                           (size_t)(source->end - source->text), column_of(&p, open),
                           "the expression is longer than %u bytes; put a part into a variable "
                           "of its own",
                           LIMIT_EXPR_BYTES);
    *ret = node;
    return 0;
}
