/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "parser/parser.h"
#include "store/graphs.h"
#include "store/zones.h"

struct graphs_entry {
    int definition_id;
    struct graph *graph; /* its refs are guarded by the cache's lock */
    uint64_t used;
};

void graphs_init(struct graphs *graphs)
{
    *graphs = (struct graphs){0};
    pthread_mutex_init(&graphs->lock, NULL);
    arena_init(&graphs->arena, 0);
}

void graphs_deinit(struct graphs *graphs)
{
    for (size_t i = 0; i < graphs->n; i++)
        graph_free(graphs->entries[i].graph);
    arena_deinit(&graphs->arena);
    pthread_mutex_destroy(&graphs->lock);
}

/* The first entry that is not below the id. */
static size_t position(const struct graphs *graphs, int definition_id)
{
    size_t low = 0, high = graphs->n;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (graphs->entries[middle].definition_id < definition_id)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct graphs_entry *find(struct graphs *graphs, int definition_id)
{
    size_t i = position(graphs, definition_id);

    if (i == graphs->n || graphs->entries[i].definition_id != definition_id)
        return NULL;
    return &graphs->entries[i];
}

const struct graph *graphs_get(struct graphs *graphs, int definition_id)
{
    struct graph *graph = NULL;

    pthread_mutex_lock(&graphs->lock);
    struct graphs_entry *entry = find(graphs, definition_id);
    if (entry != NULL) {
        graph = entry->graph;
        graph->refs++;
        entry->used = ++graphs->uses;
    }
    pthread_mutex_unlock(&graphs->lock);
    return graph;
}

void graphs_put(struct graphs *graphs, const struct graph *graph)
{
    if (graph == NULL)
        return;
    pthread_mutex_lock(&graphs->lock);
    struct graphs_entry *entry = find(graphs, graph->definition_id);
    assert(entry != NULL && entry->graph == graph);
    entry->graph->refs--;
    pthread_mutex_unlock(&graphs->lock);
}

/* Takes the one out that was not used for the longest time; NULL: all are in use. */
static struct graph *evict(struct graphs *graphs)
{
    size_t oldest = graphs->n;

    for (size_t i = 0; i < graphs->n; i++) {
        if (graphs->entries[i].graph->refs == 0 &&
            (oldest == graphs->n || graphs->entries[i].used < graphs->entries[oldest].used))
            oldest = i;
    }
    if (oldest == graphs->n)
        return NULL;
    struct graph *graph = graphs->entries[oldest].graph;
    memmove(&graphs->entries[oldest], &graphs->entries[oldest + 1],
            (graphs->n - oldest - 1) * sizeof(*graphs->entries));
    graphs->n--;
    return graph;
}

/* Takes ownership. Of two threads that parsed the same one, the second throws its own away. */
static void add(struct graphs *graphs, struct graph *graph)
{
    struct graph *unwanted = NULL;

    pthread_mutex_lock(&graphs->lock);
    if (find(graphs, graph->definition_id) != NULL) {
        unwanted = graph;
    } else {
        if (graphs->n >= GRAPHS_MAX)
            unwanted = evict(graphs);
        size_t at = position(graphs, graph->definition_id);
        (void)arena_push(&graphs->arena, graphs->entries, graphs->n, graphs->capacity);
        memmove(&graphs->entries[at + 1], &graphs->entries[at],
                (graphs->n - 1 - at) * sizeof(*graphs->entries));
        graphs->entries[at] = (struct graphs_entry){
            .definition_id = graph->definition_id, .graph = graph, .used = ++graphs->uses};
    }
    pthread_mutex_unlock(&graphs->lock);
    graph_free(unwanted);
}

/* [{"name","content"}]: the files beside a model, in the arena; none where it uses none. */
static struct parser_file *read_files(struct arena *arena, const char *text, size_t n,
                                      size_t *ret_n)
{
    struct value list;

    *ret_n = 0;
    if (text == NULL || value_read(arena, text, n, &list, NULL) < 0 || list.kind != VALUE_ARRAY)
        return NULL;
    struct parser_file *files = arena_array(arena, list.u.array.n, sizeof(*files));
    for (size_t i = 0; i < list.u.array.n; i++) {
        const struct value *name = value_member(&list.u.array.items[i], "name", 4);
        const struct value *content = value_member(&list.u.array.items[i], "content", 7);
        if (name != NULL && content != NULL && name->kind == VALUE_STRING &&
            content->kind == VALUE_STRING)
            files[(*ret_n)++] = (struct parser_file){.name = name->u.string.text,
                                                     .text = content->u.string.text,
                                                     .n = content->u.string.n};
    }
    return files;
}

/* columns: definition id, process key, resource name, content, lane, files. */
static struct graph *parse_row(struct arena *arena, const struct result *rows, int row)
{
    struct parse_result parsed;
    int id = (int)result_int(rows, row, 0);
    const char *key = result_text(rows, row, 1), *file = result_text(rows, row, 2);

    size_t n_files;
    struct parser_file *files =
        read_files(arena, result_text(rows, row, 5), result_length(rows, row, 5), &n_files);

    parser_read_with(file, result_text(rows, row, 3), result_length(rows, row, 3), true, files,
                     n_files, &parsed);
    struct graph *graph = NULL;
    for (size_t i = 0; i < parsed.n_graphs; i++) {
        if (strcmp(parsed.graphs[i]->key, key) != 0)
            continue;
        graph = parsed.graphs[i];
        parsed.graphs[i] = NULL;
        break;
    }
    if (graph != NULL) {
        graph->definition_id = id;
        graph->lane = (int)result_int(rows, row, 4);
        graph->refs = 0;
    }
    parse_result_deinit(&parsed);
    return graph;
}

int graphs_load(struct graphs *graphs, struct conn *conn, struct arena *arena, const int *ids,
                size_t n, struct err *err)
{
    struct result *rows CLEANUP(result_freep) = NULL;
    struct column wanted;

    column_init(&wanted, arena, COLUMN_INT4);
    pthread_mutex_lock(&graphs->lock);
    for (size_t i = 0; i < n; i++) {
        if (find(graphs, ids[i]) == NULL)
            column_int(&wanted, ids[i]);
    }
    pthread_mutex_unlock(&graphs->lock);
    if (wanted.rows == 0)
        return 0;
    if (conn_query(conn, "definition_files", PARAMS(p_column(&wanted)), &rows, err) < 0)
        return err_trace(err);
    struct graph **parsed = arena_array(arena, (size_t)result_rows(rows), sizeof(*parsed));
    size_t n_parsed = 0;
    for (int i = 0; i < result_rows(rows); i++) {
        parsed[n_parsed] = parse_row(arena, rows, i);
        n_parsed += parsed[n_parsed] != NULL;
    }
    int result = zones_fill(conn, arena, parsed, n_parsed, err);
    for (size_t i = 0; i < n_parsed; i++) {
        if (result < 0)
            graph_free(parsed[i]);
        else
            add(graphs, parsed[i]);
    }
    return result;
}
