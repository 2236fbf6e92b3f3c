/* SPDX-License-Identifier: Apache-2.0 */
/* A file of cases, read and judged: which words may stand where, and what kind of value they have.
 */
#include "base/build.h"

#include "simulator/scenario.h"

#define KIND(kind) (1u << (kind))
#define TEXT (KIND(ITEM_STRING) | KIND(ITEM_NUMBER) | KIND(ITEM_BOOL))
#define MAP KIND(ITEM_MAP)
#define LIST KIND(ITEM_LIST)
#define NUMBER KIND(ITEM_NUMBER)
#define ANY (TEXT | MAP | LIST | KIND(ITEM_NULL))

struct word {
    const char *name;
    unsigned kinds;
};

struct reading {
    struct scenario *scenario;
    struct err *err;
};

static int wrong(const struct reading *reading, int line, const char *text)
{
    reading->err->line = line;
    return err_set(reading->err, ERR_INVALID, "%s:%d: %s", reading->scenario->file, line, text);
}

static const char *kinds_shown(unsigned kinds)
{
    if (kinds & LIST)
        return kinds & MAP ? "a map or a list" : kinds & TEXT ? "a text or a list" : "a list";
    if (kinds & MAP)
        return kinds & TEXT ? "a text or a map" : "a map";
    return kinds == NUMBER ? "a number" : "a text";
}

static int check_words(const struct reading *reading, const struct item *map, const char *what,
                       const struct word *words, size_t n)
{
    struct arena *arena = reading->scenario->arena;

    if (map->kind != ITEM_MAP)
        return wrong(reading, map->line, arena_printf(arena, "%s is a map", what));
    for (size_t i = 0; i < map->n; i++) {
        const struct item *value = map->list[i];
        size_t w = 0;
        while (w < n && strcmp(words[w].name, map->keys[i]) != 0)
            w++;
        if (w == n) {
            const char *list = words[0].name;
            for (size_t k = 1; k < n; k++)
                list = arena_printf(arena, "%s, %s", list, words[k].name);
            return wrong(
                reading, value->line,
                arena_printf(arena, "%s knows no \"%s\": it has %s", what, map->keys[i], list));
        }
        if ((words[w].kinds & KIND(value->kind)) == 0)
            return wrong(
                reading, value->line,
                arena_printf(arena, "\"%s\" is %s", map->keys[i], kinds_shown(words[w].kinds)));
    }
    return 0;
}

static int check_expect(const struct reading *reading, const struct item *expect)
{
    static const struct word words[] = {
        {"at", TEXT | LIST},         {"ended", TEXT},         {"variables", MAP},
        {"requests", NUMBER | LIST}, {"errors", TEXT | LIST}, {"messages", TEXT | LIST},
        {"incidents", TEXT | LIST},  {"passed", TEXT | LIST}, {"never", TEXT | LIST}};
    static const struct word request[] = {
        {"element", TEXT}, {"endpoint", TEXT}, {"method", TEXT}, {"path", TEXT}, {"body", ANY}};

    if (expect == NULL)
        return 0;
    if (check_words(reading, expect, "\"expect\"", words, ARRAY_LEN(words)) < 0)
        return err_trace(reading->err);
    const struct item *requests = item_member(expect, "requests");
    for (size_t i = 0; requests != NULL && i < requests->n; i++)
        if (requests->list[i]->kind == ITEM_MAP &&
            check_words(reading, requests->list[i], "a request", request, ARRAY_LEN(request)) < 0)
            return err_trace(reading->err);
    return 0;
}

static int check_answer(const struct reading *reading, const struct item *answer)
{
    static const struct word words[] = {{"status", NUMBER}, {"body", ANY},     {"headers", MAP},
                                        {"after", TEXT},    {"outcome", TEXT}, {"error", TEXT},
                                        {"message", TEXT},  {"result", ANY}};

    if (answer->kind == ITEM_MAP)
        return check_words(reading, answer, "an answer", words, ARRAY_LEN(words));
    if (answer->kind == ITEM_STRING)
        return 0;
    return wrong(reading, answer->line,
                 "an answer is a map (status, body, …) or a word (timeout, offline, none …)");
}

static int check_answers(const struct reading *reading, const struct item *answers)
{
    for (size_t i = 0; answers != NULL && i < answers->n; i++) {
        const struct item *of = answers->list[i];
        if (of->kind != ITEM_LIST && check_answer(reading, of) < 0)
            return err_trace(reading->err);
        for (size_t n = 0; of->kind == ITEM_LIST && n < of->n; n++)
            if (check_answer(reading, of->list[n]) < 0)
                return err_trace(reading->err);
    }
    return 0;
}

static int check_step(const struct reading *reading, const struct item *step)
{
    static const struct word words[] = {{"advance", TEXT},  {"complete", TEXT},  {"fail", TEXT},
                                        {"message", TEXT},  {"retry", TEXT},     {"expect", MAP},
                                        {"variables", MAP}, {"output", ANY},     {"error", TEXT},
                                        {"cause", TEXT},    {"retries", NUMBER}, {"key", TEXT},
                                        {"times", NUMBER}};
    size_t n = 0;

    if (check_words(reading, step, "a step", words, ARRAY_LEN(words)) < 0)
        return err_trace(reading->err);
    for (size_t i = 0; i < step->n; i++)
        for (size_t w = 0; w < 6; w++)
            n += strcmp(step->keys[i], words[w].name) == 0;
    if (n != 1)
        return wrong(reading, step->line,
                     "a step is one of advance, complete, fail, message, retry, expect");
    return check_expect(reading, item_member(step, "expect"));
}

static int check_case(const struct reading *reading, const struct item *one)
{
    static const struct word words[] = {{"name", TEXT},   {"start", TEXT}, {"at", TEXT},
                                        {"key", TEXT},    {"now", TEXT},   {"variables", MAP},
                                        {"answers", MAP}, {"steps", LIST}, {"expect", MAP}};

    if (check_words(reading, one, "a case", words, ARRAY_LEN(words)) < 0)
        return err_trace(reading->err);
    if (item_member(one, "start") == NULL &&
        item_member(reading->scenario->document, "start") == NULL)
        return wrong(reading, one->line, "a case says with \"start\" which process it runs");
    const struct item *steps = item_member(one, "steps");
    for (size_t i = 0; steps != NULL && i < steps->n; i++)
        if (check_step(reading, steps->list[i]) < 0)
            return err_trace(reading->err);
    if (check_answers(reading, item_member(one, "answers")) < 0)
        return err_trace(reading->err);
    return check_expect(reading, item_member(one, "expect"));
}

static int read_files(const struct reading *reading, const struct item *files)
{
    struct scenario *scenario = reading->scenario;

    if (files == NULL)
        return wrong(reading, scenario->document->line,
                     "\"files\" names the .bpmn files of the processes");
    size_t n = files->kind == ITEM_LIST ? files->n : 1;
    for (size_t i = 0; i < n; i++) {
        const struct item *file = files->kind == ITEM_LIST ? files->list[i] : files;
        if (file->text == NULL)
            return wrong(reading, file->line, "a file is named by a text");
        *arena_push(scenario->arena, scenario->bpmn, scenario->n_bpmn, scenario->bpmn_capacity) =
            file->text;
    }
    return 0;
}

int scenario_read(struct arena *arena, const char *file, const char *text, size_t n,
                  struct scenario *ret, struct err *err)
{
    static const struct word words[] = {
        {"files", TEXT | LIST}, {"start", TEXT}, {"answers", MAP}, {"cases", LIST}};
    struct reading reading = {.scenario = ret, .err = err};
    struct item *document = NULL;

    *ret = (struct scenario){.arena = arena, .file = file};
    if (yaml_read(arena, file, text, n, &document, err) < 0)
        return err_trace(err);
    ret->document = document;
    if (check_words(&reading, document, "a file of cases", words, ARRAY_LEN(words)) < 0 ||
        read_files(&reading, item_member(document, "files")) < 0 ||
        check_answers(&reading, item_member(document, "answers")) < 0)
        return err_trace(err);
    ret->cases = item_member(document, "cases");
    if (ret->cases == NULL || ret->cases->n == 0)
        return wrong(&reading, document->line, "there are no \"cases\" in it");
    for (size_t i = 0; i < ret->cases->n; i++)
        if (check_case(&reading, ret->cases->list[i]) < 0)
            return err_trace(err);
    return 0;
}

void scenario_add_process(struct scenario *scenario, const char *file, struct graph *graph)
{
    *arena_push(scenario->arena, scenario->processes, scenario->n_processes,
                scenario->processes_capacity) = (struct scenario_process){
        .file = file,
        .graph = graph,
        .passed = arena_array(scenario->arena, graph->n_nodes, sizeof(bool)),
    };
    graph->definition_id = (int)scenario->n_processes;
}
