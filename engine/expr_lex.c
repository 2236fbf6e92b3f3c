/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "engine/expr_internal.h"

/* Tokens. Common slips are refused here, where they are still visible, with the way to write it. */

static int refuse(struct expr_source *s, const char *at, const char *what)
{
    return expr_refuse(s->err, ERR_INVALID, s->text, (size_t)(s->end - s->text),
                       (size_t)(at - s->text) + 1, "%s", what);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Names as in Java; beyond ASCII every character counts as a letter. */
static bool starts_name(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '$' ||
           (unsigned char)c >= 0x80;
}

static bool continues_name(char c)
{
    return starts_name(c) || is_digit(c);
}

static bool looking_at(const struct expr_source *s, const char *text)
{
    size_t n = strlen(text);

    return (size_t)(s->end - s->p) >= n && memcmp(s->p, text, n) == 0;
}

/* What word processors and keyboards put in place of quotes and spaces. */
static const char *typographic(const struct expr_source *s)
{
    if (looking_at(s, "\xe2\x80\x98") || looking_at(s, "\xe2\x80\x99") ||
        looking_at(s, "\xe2\x80\x9a") || looking_at(s, "\xe2\x80\x9c") ||
        looking_at(s, "\xe2\x80\x9d") || looking_at(s, "\xe2\x80\x9e"))
        return "this is a typographic quote; write ' or \"";
    if (looking_at(s, "\xc2\xa0"))
        return "this is a no-break space; write an ordinary one";
    return NULL;
}

static const struct word {
    const char *text;
    enum expr_token_kind kind;
    enum expr_op op;
} words[] = {
    {"true", EXPR_TOKEN_TRUE, EXPR_OP_OR},         {"false", EXPR_TOKEN_FALSE, EXPR_OP_OR},
    {"null", EXPR_TOKEN_NULL, EXPR_OP_OR},         {"and", EXPR_TOKEN_OPERATOR, EXPR_OP_AND},
    {"or", EXPR_TOKEN_OPERATOR, EXPR_OP_OR},       {"not", EXPR_TOKEN_OPERATOR, EXPR_OP_NOT},
    {"eq", EXPR_TOKEN_OPERATOR, EXPR_OP_EQ},       {"ne", EXPR_TOKEN_OPERATOR, EXPR_OP_NE},
    {"lt", EXPR_TOKEN_OPERATOR, EXPR_OP_LT},       {"le", EXPR_TOKEN_OPERATOR, EXPR_OP_LE},
    {"gt", EXPR_TOKEN_OPERATOR, EXPR_OP_GT},       {"ge", EXPR_TOKEN_OPERATOR, EXPR_OP_GE},
    {"div", EXPR_TOKEN_OPERATOR, EXPR_OP_DIVIDE},  {"mod", EXPR_TOKEN_OPERATOR, EXPR_OP_MODULO},
    {"empty", EXPR_TOKEN_OPERATOR, EXPR_OP_EMPTY},
};

/* Two characters before one, so that the longest wins. */
static const struct word signs[] = {
    {"&&", EXPR_TOKEN_OPERATOR, EXPR_OP_AND},     {"||", EXPR_TOKEN_OPERATOR, EXPR_OP_OR},
    {"==", EXPR_TOKEN_OPERATOR, EXPR_OP_EQ},      {"!=", EXPR_TOKEN_OPERATOR, EXPR_OP_NE},
    {"<=", EXPR_TOKEN_OPERATOR, EXPR_OP_LE},      {">=", EXPR_TOKEN_OPERATOR, EXPR_OP_GE},
    {"<", EXPR_TOKEN_OPERATOR, EXPR_OP_LT},       {">", EXPR_TOKEN_OPERATOR, EXPR_OP_GT},
    {"!", EXPR_TOKEN_OPERATOR, EXPR_OP_NOT},      {"+", EXPR_TOKEN_OPERATOR, EXPR_OP_ADD},
    {"-", EXPR_TOKEN_OPERATOR, EXPR_OP_SUBTRACT}, {"*", EXPR_TOKEN_OPERATOR, EXPR_OP_MULTIPLY},
    {"/", EXPR_TOKEN_OPERATOR, EXPR_OP_DIVIDE},   {"%", EXPR_TOKEN_OPERATOR, EXPR_OP_MODULO},
};

/* Signs of other languages, longest first. */
static const struct slip {
    const char *text, *what;
} slips[] = {
    {"===", "'===' is JavaScript; write =="},
    {"!==", "'!==' is JavaScript; write !="},
    {"<>", "'<>' is SQL; write !="},
    {"=>", "'=>' is no operator; greater or equal is >="},
    {"=<", "'=<' is no operator; less or equal is <="},
    {"->", "'->' is no operator; a lambda cannot stand here"},
    {"+=", "'+=' is no operator; expressions change nothing, and + joins strings"},
    {"**", "'**' is no operator"},
    {"${", "an expression cannot stand inside an expression; leave this ${ and its } out"},
    {"#{", "an expression cannot stand inside an expression; leave this #{ and its } out"},
};

static const struct slip stray[] = {
    {"=", "'=' assigns, and expressions change nothing; write == to compare"},
    {"&", "a single '&' is no operator; write && or the word and"},
    {"|", "a single '|' is no operator; write || or the word or"},
    {";", "';' cannot stand here; an expression is one value"},
    {"{", "'{' cannot stand here; there are no map or set literals"},
    {"`", "a backtick cannot stand here; write ' or \" around a string"},
    {"\\", "a backslash can stand only inside a string"},
    {"^", "'^' is no operator"},
    {"~", "'~' is no operator"},
    {"@", "'@' cannot stand here"},
    {"#", "'#' cannot stand here; an expression starts with ${"},
};

static const struct word *find_word(const struct expr_token *token)
{
    for (size_t i = 0; i < ARRAY_LEN(words); i++) {
        if (strlen(words[i].text) == token->n && memcmp(words[i].text, token->text, token->n) == 0)
            return &words[i];
    }
    return NULL;
}

static int lex_name(struct expr_source *s, struct expr_token *token)
{
    while (s->p < s->end && continues_name(*s->p)) {
        const char *what = typographic(s);
        if (what != NULL)
            return refuse(s, s->p, what);
        if (looking_at(s, "${"))
            break; /* found as a slip at the next token */
        s->p++;
    }
    token->kind = EXPR_TOKEN_NAME;
    token->n = (size_t)(s->p - token->text);
    const struct word *word = find_word(token);
    if (word != NULL) {
        token->kind = word->kind;
        token->op = word->op;
    } else if (token->n == 10 && memcmp(token->text, "instanceof", 10) == 0) {
        return refuse(s, token->text, "'instanceof' does not exist here; values are JSON");
    }
    return 0;
}

static int lex_number(struct expr_source *s, struct expr_token *token)
{
    while (s->p < s->end && is_digit(*s->p))
        s->p++;
    if (s->p < s->end && *s->p == '.') {
        s->p++;
        while (s->p < s->end && is_digit(*s->p))
            s->p++;
    }
    if (s->p < s->end && (*s->p == 'e' || *s->p == 'E')) {
        s->p++;
        if (s->p < s->end && (*s->p == '+' || *s->p == '-'))
            s->p++;
        if (s->p >= s->end || !is_digit(*s->p))
            return refuse(s, token->text, "the exponent of this number has no digits");
        while (s->p < s->end && is_digit(*s->p))
            s->p++;
    }
    if (s->p < s->end && starts_name(*s->p))
        return refuse(s, s->p,
                      "a letter follows a number; write an operator between them, or ' "
                      "around a string");
    token->kind = EXPR_TOKEN_NUMBER;
    token->n = (size_t)(s->p - token->text);
    return 0;
}

static int lex_string(struct expr_source *s, struct expr_token *token)
{
    char quote = *s->p++, *copy;
    size_t n = 0;
    const char *p = s->p;

    while (p < s->end && *p != quote)
        p += *p == '\\' && s->end - p > 1 ? 2 : 1;
    if (p >= s->end)
        return refuse(s, token->text,
                      quote == '\'' ? "this string is never closed with '"
                                    : "this string is never closed with \"");
    copy = arena_alloc(s->arena, (size_t)(p - s->p) + 1);
    while (*s->p != quote) {
        if (*s->p == '\\') {
            static const char from[] = "\\'\"ntr", to[] = "\\'\"\n\t\r";
            const char *found = strchr(from, s->p[1]);
            if (found == NULL || s->p[1] == '\0')
                return refuse(s, s->p,
                              "this backslash starts no escape (\\\\ \\' \\\" \\n \\t "
                              "\\r); write \\\\ for a backslash");
            copy[n++] = to[found - from];
            s->p += 2;
        } else {
            copy[n++] = *s->p++;
        }
    }
    s->p++;
    token->kind = EXPR_TOKEN_STRING;
    token->n = (size_t)(s->p - token->text);
    token->string = copy;
    token->string_n = n;
    return 0;
}

/* An operator, a bracket, or what looks like one. */
static int lex_sign(struct expr_source *s, struct expr_token *token)
{
    for (size_t i = 0; i < ARRAY_LEN(slips); i++) {
        if (looking_at(s, slips[i].text))
            return refuse(s, s->p, slips[i].what);
    }
    for (size_t i = 0; i < ARRAY_LEN(signs); i++) {
        if (looking_at(s, signs[i].text)) {
            token->kind = signs[i].kind;
            token->op = signs[i].op;
            token->n = strlen(signs[i].text);
            s->p += token->n;
            return 0;
        }
    }
    for (size_t i = 0; i < ARRAY_LEN(stray); i++) {
        if (looking_at(s, stray[i].text))
            return refuse(s, s->p, stray[i].what);
    }
    if (strchr("()[].,?:", *s->p) == NULL)
        return refuse(s, s->p, "this character cannot stand in an expression");
    token->kind = EXPR_TOKEN_PUNCTUATION;
    token->n = 1;
    s->p++;
    return 0;
}

int expr_lex(struct expr_source *s, struct expr_token *ret)
{
    while (s->p < s->end && (*s->p == ' ' || (*s->p >= '\t' && *s->p <= '\r')))
        s->p++;
    *ret = (struct expr_token){.kind = EXPR_TOKEN_END, .text = s->p};
    if (s->p >= s->end)
        return 0;
    if (*s->p == '}') {
        ret->kind = EXPR_TOKEN_CLOSE;
        ret->n = 1;
        s->p++;
        return 0;
    }
    if (is_digit(*s->p) || (*s->p == '.' && s->end - s->p > 1 && is_digit(s->p[1])))
        return lex_number(s, ret);
    if (starts_name(*s->p) && !looking_at(s, "${"))
        return lex_name(s, ret);
    if (*s->p == '\'' || *s->p == '"')
        return lex_string(s, ret);
    return lex_sign(s, ret);
}
