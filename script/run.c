/* SPDX-License-Identifier: Apache-2.0 */
#include "script/script.h"

#include <duktape.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Each piece is preceded by its size, so that what a script holds can be counted. */
struct heap {
    size_t used;
};

union piece {
    size_t size;
    max_align_t align;
};

static void *heap_alloc(void *context, duk_size_t n)
{
    struct heap *heap = context;

    if (n == 0 || n > SCRIPT_HEAP_BYTES || heap->used + n > SCRIPT_HEAP_BYTES)
        return NULL;
    union piece *piece = malloc(sizeof(*piece) + n); /* heap: Duktape asks */
    if (piece == NULL)
        return NULL;
    piece->size = n;
    heap->used += n;
    return piece + 1;
}

static void heap_free(void *context, void *pointer)
{
    struct heap *heap = context;
    union piece *piece = pointer;

    if (piece == NULL)
        return;
    heap->used -= piece[-1].size;
    free(&piece[-1]);
}

static void *heap_realloc(void *context, void *pointer, duk_size_t n)
{
    if (pointer == NULL)
        return heap_alloc(context, n);
    const union piece *piece = pointer;
    size_t old = piece[-1].size;
    void *moved = heap_alloc(context, n);
    if (moved != NULL)
        memcpy(moved, pointer, old < n ? old : n);
    if (moved != NULL || n == 0)
        heap_free(context, pointer);
    return moved;
}

/* The heap can not be trusted any more. */
static void fatal(void *context, const char *message)
{
    (void)context;
    (void)message;
    _exit(3);
}

struct call {
    const char *request;
    size_t n;
};

static duk_ret_t call(duk_context *duk, void *context)
{
    const struct call *call = context;

    duk_eval_string(duk, prelude);
    duk_push_lstring(duk, call->request, call->n);
    duk_call(duk, 1);
    return 1;
}

bool script_run(const char *request, size_t n, char **ret_reply, size_t *ret_n)
{
    static const char too_much[] =
        "{\"error\":\"RangeError: the script needs too much memory, or its "
        "result can not be written as JSON\"}";
    struct heap heap = {0};
    struct call arguments = {request, n};
    duk_context *duk = duk_create_heap(heap_alloc, heap_realloc, heap_free, &heap, fatal);

    if (duk == NULL)
        return false;
    const char *reply = too_much;
    duk_size_t length = sizeof(too_much) - 1;
    if (duk_safe_call(duk, call, &arguments, 0, 1) == DUK_EXEC_SUCCESS && duk_is_string(duk, -1))
        reply = duk_get_lstring(duk, -1, &length);
    if (length > SCRIPT_FRAME_BYTES) {
        reply = too_much;
        length = sizeof(too_much) - 1;
    }
    *ret_reply = malloc(length); /* heap: stands alone */
    if (*ret_reply != NULL)
        memcpy(*ret_reply, reply, length);
    *ret_n = length;
    duk_destroy_heap(duk);
    return *ret_reply != NULL;
}
