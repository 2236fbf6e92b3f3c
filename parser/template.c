/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Element templates of an editor can write camunda:property, and no extension elements of ours. So
 * each of our words may be written as a property whose name begins with "pawl:"; here it becomes
 * the attribute or element that it stands for, before anything else is read:
 *
 *     pawl:sql                    the attribute pawl:sql of the element itself
 *     pawl:http.endpoint          the attribute endpoint of the extension element pawl:http
 *     pawl:http.header.Accept     <pawl:header name="Accept"> in it, with the value as its text
 *     pawl:http.body              <pawl:body> in it
 *     pawl:http.result            <pawl:output name="VALUE"> with the answer
 *
 * A property without a value is a field that nobody has filled in: it says nothing.
 */
#include "base/build.h"

#include "base/limits.h"
#include "parser/build.h"

#define PREFIX "pawl:"

/* Parts that are elements: with a name, behind a second dot, or without, or either. */
static const struct {
    const char *name;
    bool named, plain;
} parts[] = {{"query", true, false},  {"header", true, false}, {"input", true, false},
             {"output", true, false}, {"body", false, true},   {"detail", true, true}};

/* What the answer is called in the outputs of each word. */
static const struct {
    const char *word, *answer;
} results[] = {{"http", "${response.body}"},
               {"taskToken", "${callback.output}"},
               {"sql", "${result}"},
               {"delegate", "${result}"}};

static struct xml_element *element_add(struct file_build *file, struct xml_element *parent,
                                       const char *name, const struct xml_element *at)
{
    struct xml_element *e = arena_alloc(file->arena, sizeof(*e));

    *e = (struct xml_element){.space = SPACE_PAWL,
                              .prefix = "pawl",
                              .name = name,
                              .line = at->line,
                              .column = at->column,
                              .parent = parent};
    if (parent->last != NULL)
        parent->last->next = e;
    else
        parent->first = e;
    parent->last = e;
    return e;
}

static void attribute_add(struct file_build *file, struct xml_element *e, enum xml_space space,
                          const char *name, const char *value)
{
    struct xml_attribute *all = arena_array(file->arena, e->n_attributes + 1, sizeof(*all));

    for (size_t i = 0; i < e->n_attributes; i++)
        all[i] = e->attributes[i];
    all[e->n_attributes] = (struct xml_attribute){.space = space,
                                                  .prefix = space == SPACE_PAWL ? "pawl" : NULL,
                                                  .name = name,
                                                  .value = value};
    e->attributes = all;
    e->n_attributes++;
}

static void text_set(struct file_build *file, struct xml_element *e, const char *text)
{
    e->text = arena_strdup(file->arena, text);
    e->text_n = strlen(text);
}

/* The element that an earlier property of this one has made. */
static struct xml_element *element_of(struct file_build *file, struct xml_element *holder,
                                      struct xml_element *made, const char *word,
                                      const struct xml_element *at)
{
    for (struct xml_element *c = made; c != NULL; c = c->next)
        if (xml_is(c, SPACE_PAWL, word))
            return c;
    return element_add(file, holder, word, at);
}

static bool add_result(struct file_build *file, struct xml_element *e, const char *variable,
                       const struct xml_element *at)
{
    for (size_t i = 0; i < ARRAY_LEN(results); i++) {
        if (strcmp(results[i].word, e->name) != 0)
            continue;
        struct xml_element *output = element_add(file, e, "output", at);
        attribute_add(file, output, SPACE_NONE, "name", variable);
        text_set(file, output, results[i].answer);
        return true;
    }
    return false;
}

static bool add_part(struct file_build *file, struct xml_element *e, const char *part,
                     const char *value, const struct xml_element *at)
{
    size_t n = strcspn(part, ".");

    for (size_t i = 0; i < ARRAY_LEN(parts); i++) {
        if (strlen(parts[i].name) != n || strncmp(part, parts[i].name, n) != 0 ||
            !(part[n] == '.' ? parts[i].named : parts[i].plain))
            continue;
        struct xml_element *child = element_add(file, e, parts[i].name, at);
        if (part[n] == '.')
            attribute_add(file, child, SPACE_NONE, "name", part + n + 1);
        text_set(file, child, value);
        return true;
    }
    return false;
}

static void expand(struct file_build *file, struct xml_element *of, struct xml_element *holder,
                   struct xml_element **made, const struct xml_element *property)
{
    const char *name = xml_attr(property, "name") + strlen(PREFIX);
    const char *value = xml_attr(property, "value");
    size_t n = strcspn(name, ".");

    if (value == NULL || xml_blank(value))
        return;
    if (name[n] == '\0') {
        attribute_add(file, of, SPACE_PAWL, name, value);
        return;
    }
    const char *word = arena_strndup(file->arena, name, n), *part = name + n + 1;
    struct xml_element *last = holder->last;
    struct xml_element *e = element_of(file, holder, *made, word, property);
    if (*made == NULL)
        *made = last->next;
    if (strcmp(part, "result") == 0 && add_result(file, e, value, property))
        return;
    if (!add_part(file, e, part, value, property))
        attribute_add(file, e, SPACE_NONE, part, value);
}

static bool is_ours(const struct xml_element *e)
{
    return xml_is(e, SPACE_CAMUNDA, "property") && xml_attr(e, "name") != NULL &&
           strncmp(xml_attr(e, "name"), PREFIX, strlen(PREFIX)) == 0;
}

void expand_properties(struct file_build *file, struct xml_element *element)
{
    struct xml_element *holder = element->space == SPACE_BPMN ? element->first : NULL;
    struct xml_element *made = NULL;
    unsigned n = 0;

    while (holder != NULL && !xml_is(holder, SPACE_BPMN, "extensionElements"))
        holder = holder->next;
    struct xml_element *last = holder != NULL ? holder->last : NULL;
    for (struct xml_element *c = holder != NULL ? holder->first : NULL; c != NULL;
         c = c != last ? c->next : NULL) {
        if (!xml_is(c, SPACE_CAMUNDA, "properties"))
            continue;
        for (struct xml_element *p = c->first; p != NULL; p = p->next)
            if (is_ours(p) && n++ < LIMIT_MAPPINGS)
                expand(file, element, holder, &made, p);
    }
    if (n > LIMIT_MAPPINGS)
        report(file, CODE_TOO_MANY_MAPPINGS, element,
               "%s has more than %u properties that begin with " PREFIX ".",
               element_shown(file, element), LIMIT_MAPPINGS);
    for (struct xml_element *c = element->first; c != NULL; c = c->next)
        if (c != holder && c->space == SPACE_BPMN)
            expand_properties(file, c);
}
