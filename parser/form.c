/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Forms of Camunda 7 as JSON Schema: camunda:formData, and files of form-js (.form) that
 * camunda:formRef or camunda:formKey names. What a form shows besides goes into the uiSchema, in
 * the words of react-jsonschema-form. A form's rules are for whoever draws it: the engine checks by
 * pawl:inputSchema alone.
 */
#include "base/build.h"

#include "base/limits.h"
#include "parser/build.h"

/* A form on its way to JSON. */
struct form {
    struct process_build *process;
    struct buf properties, required, order, ui;
    size_t n;
};

static void add_text(struct buf *buf, const char *text)
{
    struct value value = {.kind = VALUE_STRING, .u.string = {.text = text, .n = strlen(text)}};

    value_write(&value, buf);
}

static void add_member(struct buf *buf, const char *name, const char *text)
{
    if (text == NULL)
        return;
    buf_printf(buf, ",\"%s\":", name);
    add_text(buf, text);
}

/* Starts a field; its schema's members follow, each after a comma. */
static void field_begin(struct form *form, const char *name, const char *type)
{
    const char *comma = form->n++ > 0 ? "," : "";

    buf_add_str(&form->properties, comma);
    add_text(&form->properties, name);
    buf_printf(&form->properties, ":{\"type\":\"%s\"", type);
    buf_add_str(&form->order, comma);
    add_text(&form->order, name);
}

static void field_end(struct form *form)
{
    buf_add_char(&form->properties, '}');
}

static void field_require(struct form *form, const char *name)
{
    buf_add_str(&form->required, form->required.len > 0 ? "," : "");
    add_text(&form->required, name);
}

/* A hint of one field: its member and its value as JSON. */
static void field_hint(struct form *form, const char *name, const char *json)
{
    buf_add_char(&form->ui, ',');
    add_text(&form->ui, name);
    buf_printf(&form->ui, ":%s", json);
}

static void form_init(struct form *form, struct process_build *process)
{
    *form = (struct form){.process = process};
    buf_init(&form->properties, 0);
    buf_init(&form->required, 0);
    buf_init(&form->order, 0);
    buf_init(&form->ui, 0);
}

/* Writes what came of it, unless the element has a schema of its own, and frees. */
static void form_finish(struct form *form, struct input *input)
{
    struct arena *arena = &form->process->graph->arena;

    if (form->n > 0) {
        if (input->schema_text == NULL)
            input->schema_text =
                arena_printf(arena, "{\"type\":\"object\",\"properties\":{%s},\"required\":[%s]}",
                             buf_str(&form->properties), buf_str(&form->required));
        input->ui_text = arena_printf(arena, "{\"ui:order\":[%s,\"*\"]%s}", buf_str(&form->order),
                                      buf_str(&form->ui));
    }
    buf_deinit(&form->properties);
    buf_deinit(&form->required);
    buf_deinit(&form->order);
    buf_deinit(&form->ui);
}

/* A number as JSON has it. */
static bool is_number(const struct form *form, const char *text)
{
    struct value value;

    return text != NULL &&
           value_read(form->process->file->arena, text, strlen(text), &value, NULL) == 0 &&
           value.kind == VALUE_NUMBER;
}

/* ---- camunda:formData ---- */

static void add_constraint(struct form *form, const char *field, const struct xml_element *e)
{
    static const char *const names[][2] = {{"min", "minimum"},
                                           {"max", "maximum"},
                                           {"minlength", "minLength"},
                                           {"maxlength", "maxLength"}};
    const char *name = xml_attr(e, "name"), *config = xml_attr(e, "config");

    if (name == NULL)
        return;
    if (strcmp(name, "required") == 0)
        field_require(form, field);
    else if (strcmp(name, "readonly") == 0)
        field_hint(form, field, "{\"ui:readonly\":true}");
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcmp(name, names[i][0]) == 0 && is_number(form, config))
            buf_printf(&form->properties, ",\"%s\":%s", names[i][1], config);
}

/* What a field holds before anybody typed; an expression is left to who draws the form. */
static void add_default(struct form *form, const char *type, const char *text)
{
    bool number = strcmp(type, "integer") == 0, boolean = strcmp(type, "boolean") == 0;

    if (text == NULL || strstr(text, "${") != NULL || (number && !is_number(form, text)))
        return;
    if (boolean)
        text = strcmp(text, "true") == 0 ? "true" : "false";
    if (number || boolean)
        buf_printf(&form->properties, ",\"default\":%s", text);
    else
        add_member(&form->properties, "default", text);
}

static void add_choices(struct form *form, const struct xml_element *field)
{
    size_t n = 0;

    for (const struct xml_element *c = field->first; c != NULL; c = c->next) {
        const char *id = xml_attr(c, "id"), *name = xml_attr(c, "name");
        if (strcmp(c->name, "value") != 0 || id == NULL)
            continue;
        buf_add_str(&form->properties, n++ == 0 ? ",\"oneOf\":[{\"const\":" : ",{\"const\":");
        add_text(&form->properties, id);
        add_member(&form->properties, "title", name);
        buf_add_char(&form->properties, '}');
    }
    if (n > 0)
        buf_add_char(&form->properties, ']');
}

static void read_field(struct form *form, const struct xml_element *e)
{
    static const char *const types[][2] = {
        {"long", "integer"}, {"boolean", "boolean"}, {"string", "string"},
        {"enum", "string"},  {"date", "string"},
    };
    const char *id = xml_attr(e, "id"), *given = xml_attr(e, "type"), *type = "string";

    if (id == NULL || id[0] == '\0')
        return;
    for (size_t i = 0; given != NULL && i < ARRAY_LEN(types); i++)
        if (strcmp(types[i][0], given) == 0)
            type = types[i][1];
    field_begin(form, id, type);
    add_member(&form->properties, "title", xml_attr(e, "label"));
    if (given != NULL && strcmp(given, "date") == 0)
        buf_add_str(&form->properties, ",\"format\":\"date\"");
    if (given != NULL && strcmp(given, "enum") == 0)
        add_choices(form, e);
    add_default(form, type, xml_attr(e, "defaultValue"));
    for (const struct xml_element *c = e->first; c != NULL; c = c->next) {
        for (const struct xml_element *v = c->first; v != NULL; v = v->next)
            if (strcmp(c->name, "validation") == 0 && strcmp(v->name, "constraint") == 0)
                add_constraint(form, id, v);
    }
    field_end(form);
}

/* ---- form-js ---- */

static const struct value *member(const struct value *object, const char *name)
{
    return value_member(object, name, strlen(name));
}

static const char *member_text(const struct value *object, const char *name)
{
    const struct value *value = member(object, name);

    return value != NULL && value->kind == VALUE_STRING ? value->u.string.text : NULL;
}

static bool member_true(const struct value *object, const char *name)
{
    const struct value *value = member(object, name);

    return value != NULL && value->kind == VALUE_BOOL && value->u.boolean;
}

/* Members of a component's `validate` that JSON Schema has under the same name or another. */
static void add_validation(struct form *form, const char *key, const struct value *component)
{
    static const char *const names[][2] = {{"min", "minimum"},
                                           {"max", "maximum"},
                                           {"minLength", "minLength"},
                                           {"maxLength", "maxLength"},
                                           {"pattern", "pattern"}};
    const struct value *validate = member(component, "validate");

    if (validate == NULL || validate->kind != VALUE_OBJECT)
        return;
    if (member_true(validate, "required"))
        field_require(form, key);
    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        const struct value *value = member(validate, names[i][0]);
        if (value == NULL || value->kind != (i == 4 ? VALUE_STRING : VALUE_NUMBER))
            continue;
        buf_printf(&form->properties, ",\"%s\":", names[i][1]);
        value_write(value, &form->properties);
    }
}

static void add_values(struct form *form, const struct value *component)
{
    const struct value *values = member(component, "values");

    if (values == NULL || values->kind != VALUE_ARRAY || values->u.array.n == 0)
        return;
    buf_add_str(&form->properties, ",\"oneOf\":[");
    for (size_t i = 0; i < values->u.array.n; i++) {
        const struct value *item = &values->u.array.items[i];
        const struct value *value = member(item, "value");
        buf_printf(&form->properties, "%s{\"const\":", i > 0 ? "," : "");
        if (value != NULL)
            value_write(value, &form->properties);
        else
            buf_add_str(&form->properties, "null");
        add_member(&form->properties, "title", member_text(item, "label"));
        buf_add_char(&form->properties, '}');
    }
    buf_add_char(&form->properties, ']');
}

static const char *component_type(const struct value *component, const char *type)
{
    const struct value *digits = member(component, "decimalDigits");

    if (strcmp(type, "checkbox") == 0)
        return "boolean";
    if (strcmp(type, "checklist") == 0 || strcmp(type, "taglist") == 0)
        return "array";
    if (strcmp(type, "number") != 0)
        return "string";
    return digits != NULL && digits->kind == VALUE_NUMBER && digits->u.number.is_integer &&
                   digits->u.number.integer == 0
               ? "integer"
               : "number";
}

static void read_component(struct form *form, const struct value *component)
{
    const char *key = member_text(component, "key"), *type = member_text(component, "type");
    const char *subtype = member_text(component, "subtype");
    const struct value *value = member(component, "defaultValue");

    if (key == NULL || key[0] == '\0' || type == NULL)
        return;
    const char *of = component_type(component, type);
    field_begin(form, key, of);
    add_member(&form->properties, "title",
               member_text(component, strcmp(type, "datetime") == 0 ? "dateLabel" : "label"));
    add_member(&form->properties, "description", member_text(component, "description"));
    if (strcmp(type, "datetime") == 0)
        add_member(&form->properties, "format",
                   subtype == NULL || strcmp(subtype, "datetime") == 0 ? "date-time" : subtype);
    if (value != NULL && value->kind != VALUE_NULL) {
        buf_add_str(&form->properties, ",\"default\":");
        value_write(value, &form->properties);
    }
    if (strcmp(of, "array") == 0) {
        buf_add_str(&form->properties, ",\"uniqueItems\":true,\"items\":{\"type\":\"string\"");
        add_values(form, component);
        buf_add_char(&form->properties, '}');
    } else {
        add_values(form, component);
    }
    add_validation(form, key, component);
    field_end(form);
    if (member_true(component, "readonly") || member_true(component, "disabled"))
        field_hint(form, key, "{\"ui:readonly\":true}");
    else if (strcmp(type, "textarea") == 0 || strcmp(type, "radio") == 0)
        field_hint(form, key,
                   type[0] == 't' ? "{\"ui:widget\":\"textarea\"}" : "{\"ui:widget\":\"radio\"}");
}

/* Groups are drawn as one; their fields are those of the form. */
static void read_components(struct form *form, const struct value *object)
{
    const struct value *components = member(object, "components");

    for (size_t i = 0;
         components != NULL && components->kind == VALUE_ARRAY && i < components->u.array.n; i++) {
        const struct value *component = &components->u.array.items[i];
        if (component->kind != VALUE_OBJECT)
            continue;
        read_components(form, component);
        read_component(form, component);
    }
}

/* The file that a formRef or formKey names: "x.form", "camunda-forms:deployment:x.form", or the id
 * that a form has inside of it. */
static const struct parser_file *form_file(struct file_build *file, const char *reference)
{
    const char *colon = strrchr(reference, ':');
    const char *name = colon != NULL ? colon + 1 : reference;
    const struct parser_file *found = find_file(file, name);
    const char *id = arena_printf(file->arena, "\"%s\"", name);

    if (found == NULL)
        found = find_file(file, arena_printf(file->arena, "%s.form", name));
    for (size_t i = 0; found == NULL && i < file->n_files; i++) {
        const struct parser_file *other = &file->files[i];
        size_t n = strlen(other->name);
        if (n > 5 && strcmp(other->name + n - 5, ".form") == 0 &&
            memmem(other->text, other->n, id, strlen(id)) != NULL)
            found = other;
    }
    return found;
}

static void read_form_file(struct form *form, const struct xml_element *e, const char *reference,
                           struct input *input)
{
    struct file_build *file = form->process->file;
    struct arena *arena = &form->process->graph->arena;
    const struct parser_file *found = form_file(file, reference);
    struct value value;
    struct err err = {0};

    if (found == NULL)
        return; /* a form of somebody's own: its key is kept */
    size_t n = strlen(found->name);
    if (n < 6 || strcmp(found->name + n - 5, ".form") != 0)
        return;
    if (found->n > LIMIT_SCHEMA_BYTES ||
        value_read(arena, arena_strndup(arena, found->text, found->n), found->n, &value, &err) <
            0) {
        report(file, CODE_BAD_FORM, e, "The form %.100s cannot be read: %s.", found->name,
               err.code != ERR_NONE ? err.text : "it is too large");
        return;
    }
    form->process->graph->uses_files = true;
    input->form_text = value_text(arena, &value, NULL);
    read_components(form, &value);
}

void read_form(struct process_build *process, const struct xml_element *e, struct input *input)
{
    const struct xml_element *data = extension_child(e, "formData");
    const char *key = xml_extension(e, "formKey"), *reference = xml_extension(e, "formRef");
    struct form form;

    form_init(&form, process);
    if (key != NULL)
        input->form_key = arena_strdup(&process->graph->arena, key);
    else if (reference != NULL)
        input->form_key = arena_strdup(&process->graph->arena, reference);
    if (input->form_key != NULL)
        read_form_file(&form, e, input->form_key, input);
    for (const struct xml_element *f = data != NULL ? data->first : NULL; f != NULL; f = f->next)
        if (strcmp(f->name, "formField") == 0)
            read_field(&form, f);
    form_finish(&form, input);
}
