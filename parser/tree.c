/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "parser/xml.h"

bool xml_is(const struct xml_element *element, enum xml_space space, const char *name)
{
    return element->space == space && strcmp(element->name, name) == 0;
}

const struct xml_element *xml_child(const struct xml_element *element, enum xml_space space,
                                    const char *name)
{
    for (const struct xml_element *c = element->first; c != NULL; c = c->next)
        if (xml_is(c, space, name))
            return c;
    return NULL;
}

const struct xml_element *xml_child_extension(const struct xml_element *element, const char *name)
{
    const struct xml_element *child = xml_child(element, SPACE_CAMUNDA, name);

    return child != NULL ? child : xml_child(element, SPACE_FLOWABLE, name);
}

const char *xml_value(const struct xml_element *element, enum xml_space space, const char *name)
{
    for (size_t i = 0; i < element->n_attributes; i++) {
        const struct xml_attribute *a = &element->attributes[i];
        if (a->space == space && strcmp(a->name, name) == 0)
            return a->value;
    }
    return NULL;
}

const char *xml_attr(const struct xml_element *element, const char *name)
{
    return xml_value(element, SPACE_NONE, name);
}

const char *xml_extension(const struct xml_element *element, const char *name)
{
    const char *value = xml_value(element, SPACE_CAMUNDA, name);

    return value != NULL ? value : xml_value(element, SPACE_FLOWABLE, name);
}

const char *xml_text(const struct xml_element *element)
{
    return element->text != NULL ? element->text : "";
}

bool xml_blank(const char *text)
{
    return text[strspn(text, " \t\r\n")] == '\0';
}

const char *xml_shown(struct arena *arena, const char *prefix, const char *name)
{
    return prefix != NULL ? arena_printf(arena, "%s:%s", prefix, name) : name;
}
