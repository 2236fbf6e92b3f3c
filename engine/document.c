/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The document of an instance: a compact binary form of its tokens, waits, scopes and fired calls.
 * Format 2: a format byte, then numbers as LEB128 (signed ones zigzag), texts with their length in
 * front, UUIDs as 16 bytes. Format 1 knew no items of multi-instance activities, format 2 neither
 * their results nor what fired calls had seen. What a row says is not trusted: every number is
 * checked against the graph and against the other parts before anybody walks them, so that a
 * document that decodes is a state that step can run. The format byte changes when the meaning
 * does; old formats stay readable.
 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/step.h"

#define DOCUMENT_FORMAT 3u
#define TOKEN_ITEM 8u /* with a token's state: its item number follows */
/* No time is farther from 1970 than 36,000 years, so that sums of two can not overflow. */
#define TIME_FARTHEST_US (INT64_C(1) << 60)

/* ---- Writing ---- */

struct writer {
    struct arena *arena;
    uint8_t *bytes;
    size_t n, capacity;
};

static void put_bytes(struct writer *writer, const void *bytes, size_t n)
{
    if (writer->capacity - writer->n < n) {
        size_t grown = writer->capacity == 0 ? 64 : writer->capacity;
        while (grown - writer->n < n)
            grown *= 2;
        uint8_t *moved = arena_alloc(writer->arena, grown);
        if (writer->n > 0)
            memcpy(moved, writer->bytes, writer->n);
        writer->bytes = moved;
        writer->capacity = grown;
    }
    if (n > 0)
        memcpy(writer->bytes + writer->n, bytes, n);
    writer->n += n;
}

static void put_number(struct writer *writer, uint64_t number)
{
    uint8_t bytes[10];
    size_t n = 0;

    while (number >= 0x80) {
        bytes[n++] = (uint8_t)(number | 0x80);
        number >>= 7;
    }
    bytes[n++] = (uint8_t)number;
    put_bytes(writer, bytes, n);
}

static void put_signed(struct writer *writer, int64_t number)
{
    put_number(writer, ((uint64_t)number << 1) ^ (uint64_t)(number >> 63));
}

static void put_text(struct writer *writer, const char *text, size_t n)
{
    put_number(writer, n);
    put_bytes(writer, text, n);
}

/* Numbers and times by what they differ from the token before: there may be thousands alike. */
static void put_token(struct writer *writer, const struct token *token,
                      const struct token *previous)
{
    put_number(writer, token->id - previous->id);
    put_number(writer, token->state | (token->item != 0 ? TOKEN_ITEM : 0));
    put_number(writer, token->scope);
    if (token->item != 0)
        put_number(writer, token->item);
    if (token->state == TOKEN_READY)
        return; /* its job row knows where it is */
    put_number(writer, (uint64_t)token->node);
    put_signed(writer, token->since_us - previous->since_us);
    put_number(writer, token->local);
    if (token->state == TOKEN_SCOPE)
        put_number(writer, token->child);
}

static void put_wait(struct writer *writer, const struct wait *wait)
{
    put_number(writer, wait->kind);
    put_number(writer, wait->token);
    put_number(writer, (uint64_t)wait->node);
    switch (wait->kind) {
    case WAIT_TIMER:
        put_number(writer, wait->due_us != INT64_MAX); /* 0: not armed */
        if (wait->due_us != INT64_MAX)
            put_signed(writer, wait->due_us);
        put_signed(writer, wait->remaining);
        break;
    case WAIT_LEVEL:
        put_signed(writer, wait->due_us);
        break;
    case WAIT_MESSAGE:
        put_text(writer, wait->name, strlen(wait->name));
        break;
    case WAIT_TASK:
    case WAIT_CALL:
    case WAIT_CHILD:
    case WAIT_EXTERNAL:
        put_bytes(writer, wait->subject.b, sizeof(wait->subject.b));
        break;
    case WAIT_CALLBACK:
        put_bytes(writer, wait->subject.b, sizeof(wait->subject.b));
        put_number(writer, wait->due_us != INT64_MAX); /* 0: it failed */
        if (wait->due_us != INT64_MAX)
            put_signed(writer, wait->due_us);
        put_signed(writer, wait->until_us);
        put_signed(writer, wait->heartbeat_us);
        put_number(writer, wait->attempt);
        break;
    }
}

/* Those that there are, each with how many are missing before it. */
static void put_results(struct writer *writer, const struct loop *loop)
{
    uint32_t n = 0, next = 0;

    for (uint32_t i = 0; loop->results != NULL && i < loop->total; i++)
        n += loop->results[i].text != NULL;
    put_number(writer, n);
    for (uint32_t i = 0; n > 0 && i < loop->total; i++) {
        if (loop->results[i].text == NULL)
            continue;
        put_number(writer, i - next);
        put_text(writer, loop->results[i].text, loop->results[i].n);
        next = i + 1;
    }
}

static void put_scope(struct writer *writer, const struct scope *scope)
{
    put_number(writer, scope->id);
    put_number(writer, scope->parent);
    put_number(writer, (uint64_t)scope->node);
    put_number(writer, scope->token);
    put_number(writer, scope->n_variables);
    for (size_t i = 0; i < scope->n_variables; i++) {
        const struct variable *variable = &scope->variables[i];
        put_text(writer, variable->name, strlen(variable->name));
        put_text(writer, variable->text, variable->n);
    }
    put_number(writer, scope->loop != NULL);
    if (scope->loop == NULL)
        return;
    put_number(writer, scope->loop->total);
    put_number(writer, scope->loop->begun);
    put_number(writer, scope->loop->completed);
    put_text(writer, scope->loop->items, scope->loop->items != NULL ? scope->loop->items_n : 0);
    put_results(writer, scope->loop);
}

static void put_call(struct writer *writer, const struct fired_call *call)
{
    put_bytes(writer, call->id.b, sizeof(call->id.b));
    put_number(writer, (uint64_t)call->node);
    put_number(writer, call->scope);
    put_number(writer, call->token);
    put_signed(writer, call->sent_us);
    put_text(writer, call->locals, call->locals_n);
    put_number(writer, call->answer_name != NULL);
    if (call->answer_name != NULL) {
        put_text(writer, call->answer_name, strlen(call->answer_name));
        put_text(writer, call->answer_body, strlen(call->answer_body));
    }
}

void instance_encode(struct family *family, const struct instance *instance, const char **ret_doc,
                     size_t *ret_n)
{
    struct writer writer = {.arena = family->arena};
    struct token previous = {0};

    put_number(&writer, DOCUMENT_FORMAT);
    put_number(&writer, instance->depth);
    put_number(&writer, instance->next_id);
    put_number(&writer, instance->n_tokens);
    for (size_t i = 0; i < instance->n_tokens; i++) {
        put_token(&writer, &instance->tokens[i], &previous);
        previous.id = instance->tokens[i].id;
        if (instance->tokens[i].state != TOKEN_READY)
            previous.since_us = instance->tokens[i].since_us;
    }
    put_number(&writer, instance->n_waits);
    for (size_t i = 0; i < instance->n_waits; i++)
        put_wait(&writer, &instance->waits[i]);
    put_number(&writer, instance->n_scopes - 1);
    for (size_t i = 1; i < instance->n_scopes; i++)
        put_scope(&writer, &instance->scopes[i]);
    put_number(&writer, instance->n_calls);
    for (size_t i = 0; i < instance->n_calls; i++)
        put_call(&writer, &instance->calls[i]);
    *ret_doc = (const char *)writer.bytes;
    *ret_n = writer.n;
}

/* ---- Reading ---- */

struct reader {
    struct arena *arena;
    const uint8_t *at, *end;
    uint64_t format;
    const char *bad; /* what was wrong first; NULL: nothing */
};

static void refuse(struct reader *reader, const char *what)
{
    if (reader->bad == NULL)
        reader->bad = what;
    reader->at = reader->end;
}

static uint64_t get_number(struct reader *reader)
{
    uint64_t number = 0;

    for (unsigned shift = 0; shift < 64; shift += 7) {
        if (reader->at == reader->end) {
            refuse(reader, "it is cut off");
            return 0;
        }
        uint8_t byte = *reader->at++;
        if (shift == 63 && byte > 1)
            break;
        number |= (uint64_t)(byte & 0x7f) << shift;
        if ((byte & 0x80) == 0)
            return number;
    }
    refuse(reader, "a number is too long");
    return 0;
}

static int64_t get_signed(struct reader *reader)
{
    uint64_t number = get_number(reader);

    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

static uint32_t get_u32(struct reader *reader)
{
    uint64_t number = get_number(reader);

    if (number > UINT32_MAX) {
        refuse(reader, "a number is too large");
        return 0;
    }
    return (uint32_t)number;
}

/* A number of items: each takes at least one byte, so a row can not ask for more memory than it is
 * worth. */
static size_t get_count(struct reader *reader)
{
    uint64_t number = get_number(reader);

    if (number > (uint64_t)(reader->end - reader->at)) {
        refuse(reader, "it is cut off");
        return 0;
    }
    return (size_t)number;
}

static int get_node(struct reader *reader, const struct instance *instance)
{
    uint64_t number = get_number(reader);

    if (number >= instance->graph->n_nodes) {
        refuse(reader, "it names an element that the process does not have");
        return 0;
    }
    return (int)number;
}

static int64_t get_time(struct reader *reader)
{
    int64_t us = get_signed(reader);

    if (us < -TIME_FARTHEST_US || us > TIME_FARTHEST_US)
        refuse(reader, "a time is out of range");
    return us;
}

static const char *get_text(struct reader *reader, size_t *ret_n)
{
    size_t n = get_count(reader);
    const char *text = arena_strndup(reader->arena, (const char *)reader->at, n);

    reader->at += n;
    if (memchr(text, '\0', n) != NULL)
        refuse(reader, "a text has a zero byte");
    if (ret_n != NULL)
        *ret_n = n;
    return text;
}

static struct uuid get_uuid(struct reader *reader)
{
    struct uuid uuid = {0};

    if ((size_t)(reader->end - reader->at) < sizeof(uuid.b)) {
        refuse(reader, "it is cut off");
        return uuid;
    }
    memcpy(uuid.b, reader->at, sizeof(uuid.b));
    reader->at += sizeof(uuid.b);
    return uuid;
}

/* Time of a token; from format 2 on by what it differs from the one before. */
static int64_t get_since(struct reader *reader, int64_t previous)
{
    int64_t us = get_time(reader) + (reader->format >= 2 ? previous : 0);

    if (us < -TIME_FARTHEST_US || us > TIME_FARTHEST_US)
        refuse(reader, "a time is out of range");
    return us;
}

static void get_tokens(struct reader *reader, struct instance *instance)
{
    size_t n = get_count(reader);
    uint64_t id = 0;
    int64_t since_us = 0;

    if (n > LIMIT_TOKENS) {
        refuse(reader, "it has too many tokens");
        return;
    }
    for (size_t i = 0; i < n && reader->bad == NULL; i++) {
        struct token token = {.node = -1};
        uint32_t step = get_u32(reader);
        id += step;
        if (step == 0 || id >= instance->next_id) {
            refuse(reader, "its token numbers are out of order");
            return;
        }
        token.id = (uint32_t)id;
        uint32_t state = get_u32(reader);
        token.state = (enum token_state)(state & ~TOKEN_ITEM);
        token.scope = get_u32(reader);
        if ((state & TOKEN_ITEM) != 0)
            token.item = get_u32(reader);
        if (token.state < TOKEN_READY || token.state > TOKEN_SCOPE) {
            refuse(reader, "a token has an unknown state");
            return;
        }
        if (token.state != TOKEN_READY) {
            token.node = get_node(reader, instance);
            token.since_us = since_us = get_since(reader, since_us);
            token.local = get_u32(reader);
        }
        if (token.state == TOKEN_SCOPE)
            token.child = get_u32(reader);
        *arena_push(reader->arena, instance->tokens, instance->n_tokens,
                    instance->tokens_capacity) = token;
    }
}

static void get_waits(struct reader *reader, struct instance *instance)
{
    size_t n = get_count(reader);

    for (size_t i = 0; i < n && reader->bad == NULL; i++) {
        struct wait wait = {.kind = (enum wait_kind)get_u32(reader)};
        wait.token = get_u32(reader);
        wait.node = get_node(reader, instance);
        switch (wait.kind) {
        case WAIT_TIMER: {
            wait.due_us = get_number(reader) != 0 ? get_time(reader) : INT64_MAX;
            int64_t remaining = get_signed(reader);
            if (remaining < -1 || remaining > INT32_MAX)
                refuse(reader, "a timer has an impossible number of repetitions");
            wait.remaining = (int32_t)remaining;
            break;
        }
        case WAIT_LEVEL:
            wait.due_us = get_time(reader);
            break;
        case WAIT_MESSAGE:
            wait.name = get_text(reader, NULL);
            break;
        case WAIT_TASK:
        case WAIT_CALL:
        case WAIT_CHILD:
        case WAIT_EXTERNAL:
            wait.subject = get_uuid(reader);
            break;
        case WAIT_CALLBACK:
            wait.subject = get_uuid(reader);
            wait.due_us = get_number(reader) != 0 ? get_time(reader) : INT64_MAX;
            wait.until_us = get_time(reader);
            wait.heartbeat_us = get_time(reader);
            wait.attempt = get_u32(reader);
            break;
        default:
            refuse(reader, "a wait has an unknown kind");
            return;
        }
        wait_add(reader->arena, instance, &wait);
    }
}

static void get_results(struct reader *reader, struct instance *instance, struct loop *loop)
{
    size_t n = get_count(reader);
    uint64_t at = 0;

    if (n > 0 && reader->bad == NULL)
        loop->results = arena_array(reader->arena, loop->total, sizeof(*loop->results));
    for (size_t i = 0; i < n && reader->bad == NULL; i++, at++) {
        at += get_u32(reader);
        if (at >= loop->total) {
            refuse(reader, "a result belongs to no item");
            return;
        }
        loop->results[at].text = get_text(reader, &loop->results[at].n);
        instance->variable_bytes += loop->results[at].n;
    }
}

static struct loop *get_loop(struct reader *reader, struct instance *instance)
{
    struct loop *loop = arena_alloc(reader->arena, sizeof(*loop));

    loop->total = get_u32(reader);
    loop->begun = get_u32(reader);
    loop->completed = get_u32(reader);
    loop->items = get_text(reader, &loop->items_n);
    if (loop->items_n == 0)
        loop->items = NULL;
    if (loop->total > LIMIT_ITEMS || loop->begun == 0 || loop->begun > loop->total ||
        loop->completed > loop->begun)
        refuse(reader, "a multi-instance activity counts wrong");
    else if (reader->format >= 3)
        get_results(reader, instance, loop);
    return loop;
}

static void get_scopes(struct reader *reader, struct instance *instance)
{
    size_t n = get_count(reader);

    for (size_t i = 0; i < n && reader->bad == NULL; i++) {
        struct scope scope = {.id = get_u32(reader)};
        scope.parent = get_u32(reader);
        scope.node = get_node(reader, instance);
        scope.token = get_u32(reader);
        size_t n_variables = get_count(reader);
        for (size_t v = 0; v < n_variables && reader->bad == NULL; v++) {
            struct variable variable = {.name = get_text(reader, NULL)};
            variable.text = get_text(reader, &variable.n);
            *arena_push(reader->arena, scope.variables, scope.n_variables,
                        scope.variables_capacity) = variable;
            instance->variable_bytes += variable_bytes(&variable);
        }
        if (reader->format >= 2 && get_number(reader) != 0)
            scope.loop = get_loop(reader, instance);
        /* Ascending, and a parent before its children, so that there is no circle. */
        if (scope.id <= instance->scopes[instance->n_scopes - 1].id ||
            scope.id >= instance->next_id || scope_find(instance, scope.parent) == NULL) {
            refuse(reader, "its scopes do not fit together");
            return;
        }
        *arena_push(reader->arena, instance->scopes, instance->n_scopes,
                    instance->scopes_capacity) = scope;
    }
}

static void get_calls(struct reader *reader, struct instance *instance)
{
    size_t n = get_count(reader);

    for (size_t i = 0; i < n && reader->bad == NULL; i++) {
        struct fired_call call = {.id = get_uuid(reader)};
        call.node = get_node(reader, instance);
        call.scope = get_u32(reader);
        call.token = get_u32(reader);
        call.sent_us = get_time(reader);
        if (reader->format >= 3)
            call.locals = get_text(reader, &call.locals_n);
        if (call.locals_n == 0)
            call.locals = NULL;
        instance->variable_bytes += call.locals_n;
        uint64_t answered = get_number(reader);
        if (answered == 1) {
            call.answer_name = get_text(reader, NULL);
            call.answer_body = get_text(reader, NULL);
        }
        const struct http_call *http = instance->graph->nodes[call.node].http;
        if (answered > 1 || http == NULL || http->mode != HTTP_FIRE ||
            scope_find(instance, call.scope) == NULL)
            refuse(reader, "a call in it does not fit the process");
        *arena_push(reader->arena, instance->calls, instance->n_calls, instance->calls_capacity) =
            call;
    }
}

/* ---- Do the parts fit each other and the graph? ---- */

static bool token_may_wait(const struct node *node)
{
    switch (node->kind) {
    case NODE_CATCH_EVENT:
    case NODE_RECEIVE_TASK:
    case NODE_USER_TASK:
    case NODE_EVENT_GATEWAY:
        return true;
    case NODE_CALL_ACTIVITY:
        return node->call != NULL;
    default:
        return node->service == SERVICE_EXTERNAL || node->callback != NULL ||
               node_awaits_call(node);
    }
}

static const char *token_check(const struct instance *instance, const struct token *token)
{
    const struct scope *scope = scope_find(instance, token->scope);
    if (scope == NULL)
        return "a token moves in a scope that it does not have";
    if (scope->loop == NULL && scope->id != 0 &&
        instance->graph->nodes[scope->node].kind != NODE_SUB_PROCESS)
        return "a token moves in the scope of an activity";
    if ((scope->loop != NULL) != (token->item != 0) ||
        (scope->loop != NULL && token->item > scope->loop->begun))
        return "a token is an item of nothing";
    if (token->state == TOKEN_READY)
        return NULL;
    const struct node *node = &instance->graph->nodes[token->node];
    if (!token_fits(instance, token, node))
        return "a token is at an element of another scope";
    if (token->local != 0) {
        const struct scope *local = scope_find(instance, token->local);
        if (local == NULL || local->token != token->id || local->node != token->node ||
            node->kind == NODE_SUB_PROCESS || local->loop != NULL)
            return "the local variables of a token are missing";
    }
    bool whole = node->multi != NULL && token->item == 0;
    if (token->state == TOKEN_WAIT && !whole)
        return token_may_wait(node) ? NULL : "a token waits at an element that never waits";
    if (token->state == TOKEN_JOIN)
        return node->kind == NODE_PARALLEL_GATEWAY ? NULL : "a token joins at no gateway";
    const struct scope *child = scope_find(instance, token->child);
    if (token->state != TOKEN_SCOPE || (node->kind != NODE_SUB_PROCESS && !whole) ||
        child == NULL || child->id == 0 || child->token != token->id ||
        child->node != token->node || child->parent != token->scope ||
        (child->loop != NULL) != whole)
        return "the scope of a sub-process is missing";
    return NULL;
}

static const char *scope_check(const struct instance *instance, const struct scope *scope)
{
    const struct token *token = token_find(instance, scope->token);

    if (scope->loop != NULL && instance->graph->nodes[scope->node].multi == NULL)
        return "an activity that is no multi-instance has items";
    if (token == NULL || token->scope != scope->parent)
        return "a scope belongs to no token";
    if (token->state == TOKEN_READY || token->node != scope->node)
        return "a scope belongs to no token";
    if (token->local != scope->id && token->child != scope->id)
        return "a scope belongs to no token";
    return NULL;
}

static bool wait_fits_node(const struct wait *wait, const struct node *node)
{
    bool event = node->kind == NODE_CATCH_EVENT || node->kind == NODE_BOUNDARY_EVENT;

    switch (wait->kind) {
    case WAIT_TIMER:
        return event && node->event.kind == EVENT_TIMER;
    case WAIT_LEVEL:
        return node->level != NULL;
    case WAIT_MESSAGE:
        return node_takes_message(node);
    case WAIT_TASK:
        return node->kind == NODE_USER_TASK;
    case WAIT_CALL:
        return node_awaits_call(node);
    case WAIT_CHILD:
        return node->kind == NODE_CALL_ACTIVITY && node->call != NULL;
    case WAIT_EXTERNAL:
        return node->service == SERVICE_EXTERNAL;
    case WAIT_CALLBACK:
        return node->callback != NULL;
    }
    return false;
}

static const char *wait_check(const struct instance *instance, const struct wait *wait)
{
    const struct token *token = token_find(instance, wait->token);
    const struct node *node = &instance->graph->nodes[wait->node];

    if (token == NULL || token->state == TOKEN_READY || token->state == TOKEN_JOIN)
        return "something waits for a token that it does not have";
    if (!wait_fits_node(wait, node))
        return "a wait does not fit its element";
    if (node->kind == NODE_BOUNDARY_EVENT)
        return node->attached_to == token->node && token->item == 0
                   ? NULL
                   : "a boundary event waits at another activity";
    if (wait->kind == WAIT_LEVEL)
        return token->node == wait->node && token->item == 0
                   ? NULL
                   : "a service level belongs to another activity";
    if (token->state != TOKEN_WAIT)
        return "a wait does not fit its element";
    if (token->node == wait->node)
        return NULL;
    const struct node *gateway = &instance->graph->nodes[token->node];
    if (gateway->kind == NODE_EVENT_GATEWAY)
        for (size_t i = 0; i < gateway->n_out; i++)
            if (instance->graph->flows[gateway->out[i]].target == wait->node)
                return NULL;
    return "a wait belongs to another element than its token";
}

/* ---- What is kept beside, and not written ---- */

static void tokens_count(struct instance *instance)
{
    for (size_t i = 0; i < instance->n_tokens; i++) {
        struct scope *scope = scope_find(instance, instance->tokens[i].scope);
        if (scope != NULL)
            scope->n_tokens++;
    }
}

#define INDEX_FROM 16 /* waits: below, looking through them is as fast */

static void subjects_index(struct arena *arena, struct instance *instance)
{
    map_init(&instance->subjects, arena);
    for (size_t i = 0; instance->n_waits >= INDEX_FROM && i < instance->n_waits; i++) {
        const struct wait *wait = &instance->waits[i];
        /* NOLINTNEXTLINE(performance-no-int-to-ptr): a number in a map of pointers */
        void *token = (void *)(uintptr_t)wait->token;
        if (!uuid_is_nil(&wait->subject) && token != NULL)
            map_put(&instance->subjects, &wait->subject, token);
    }
}

int document_decode(struct arena *arena, struct instance *instance, const char *doc, size_t n,
                    struct err *err)
{
    struct reader reader = {
        .arena = arena, .at = (const uint8_t *)doc, .end = (const uint8_t *)doc + n};

    reader.format = n > 0 ? get_number(&reader) : 0;
    if (n > 0 && (reader.format == 0 || reader.format > DOCUMENT_FORMAT))
        return err_set(
            err, ERR_INVALID,
            "it has format %llu, and this program knows formats up to %u. Was it written by "
            "a newer version?",
            (unsigned long long)reader.format, DOCUMENT_FORMAT);
    instance->depth = get_u32(&reader);
    instance->next_id = get_u32(&reader);
    get_tokens(&reader, instance);
    get_waits(&reader, instance);
    get_scopes(&reader, instance);
    get_calls(&reader, instance);
    if (reader.bad == NULL && reader.at != reader.end)
        refuse(&reader, "it is too long");
    if (instance->next_id == 0)
        refuse(&reader, "its counter is wrong");
    if (reader.bad == NULL)
        tokens_count(instance);
    for (size_t i = 1; i < instance->n_scopes && reader.bad == NULL; i++)
        reader.bad = scope_check(instance, &instance->scopes[i]);
    for (size_t i = 0; i < instance->n_tokens && reader.bad == NULL; i++)
        reader.bad = token_check(instance, &instance->tokens[i]);
    for (size_t i = 0; i < instance->n_waits && reader.bad == NULL; i++)
        reader.bad = wait_check(instance, &instance->waits[i]);
    if (reader.bad != NULL)
        return err_set(err, ERR_INVALID, "%s.", reader.bad);
    subjects_index(arena, instance);
    return 0;
}
