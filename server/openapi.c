/* SPDX-License-Identifier: Apache-2.0 */
/* openapi.json, made of the tables of operations. */
#include "base/build.h"

#include <ctype.h>

#include "base/limits.h"
#include "server/request.h"

/* ---- Fields ---- */

#define TYPE_BYTES 3000u /* a list of values may be long */

/* Of "open|half+open". */
static json_t *choice_schema(const char *type)
{
    json_t *values = json_array();
    char value[100];

    for (size_t n; *type != '\0'; type += n + (type[n] == '|')) {
        n = strcspn(type, "|");
        snprintf(value, sizeof(value), "%.*s", (int)n, type);
        for (char *plus = value; (plus = strchr(plus, '+')) != NULL;)
            *plus = ' ';
        json_array_append_new(values, json_string(value));
    }
    return json_pack("{s:s, s:o}", "type", "string", "enum", values);
}

static json_t *type_schema(const char *type, bool of_query)
{
    static const struct {
        const char *type, *schema;
    } all[] = {
        {"string", "{\"type\": \"string\"}"},
        {"text", "{\"type\": \"string\", \"minLength\": 1}"},
        {"number", "{\"type\": \"number\"}"},
        {"boolean", "{\"type\": \"boolean\"}"},
        {"object", "{\"type\": \"object\"}"},
        {"array", "{\"type\": \"array\", \"items\": {}}"},
        {"uuid", "{\"type\": \"string\", \"format\": \"uuid\"}"},
        {"duration", "{\"type\": \"string\", \"pattern\": \"^[0-9]+(ms|s|m|h)$\"}"},
        {"any", "{}"},
    };
    json_error_t error;

    if (strchr(type, '|') != NULL)
        return choice_schema(type);
    if (strcmp(type, "integer") == 0)
        return of_query ? json_pack("{s:s, s:i, s:i}", "type", "integer", "minimum", 0, "maximum",
                                    999999999)
                        : json_pack("{s:s, s:s}", "type", "integer", "format", "int32");
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if (strcmp(all[i].type, type) == 0)
            return json_loads(all[i].schema, 0, &error);
    return json_object();
}

/* Calls each for every "name:type!" of a table. */
static void each_field(const char *fields, void *context,
                       void (*each)(void *context, const char *name, const char *type,
                                    bool required))
{
    char name[100], type[TYPE_BYTES];

    while (fields != NULL && *(fields += strspn(fields, " ")) != '\0') {
        size_t n = strcspn(fields, " ");
        const char *colon = memchr(fields, ':', n);
        assert(colon != NULL); /* the tables are ours */
        assert(n < sizeof(type));
        bool required = fields[n - 1] == '!';
        snprintf(name, sizeof(name), "%.*s", (int)(colon - fields), fields);
        snprintf(type, sizeof(type), "%.*s", (int)(fields + n - required - colon - 1), colon + 1);
        each(context, name, type, required);
        fields += n;
    }
}

static void add_property(void *context, const char *name, const char *type, bool required)
{
    json_t *schema = context;

    json_t *property = type_schema(type, false);
    json_object_set_new(json_object_get(schema, "properties"), name, property);
    if (!required) {
        if (json_object_get(property, "type") != NULL)
            json_object_set_new(property, "nullable", json_true()); /* as if it were not there */
        if (json_object_get(property, "enum") != NULL)
            json_array_append_new(json_object_get(property, "enum"), json_null());
        return;
    }
    if (json_object_get(schema, "required") == NULL)
        json_object_set_new(schema, "required", json_array());
    json_array_append_new(json_object_get(schema, "required"), json_string(name));
}

static void add_query_parameter(void *context, const char *name, const char *type, bool required)
{
    json_array_append_new(context,
                          json_pack("{s:s, s:s, s:b, s:o}", "name", name, "in", "query", "required",
                                    required, "schema", type_schema(type, true)));
}

/* ---- One operation ---- */

static void add_path_parameters(const struct operation *operation, json_t *parameters)
{
    for (const char *at = operation->path; (at = strchr(at, '{')) != NULL; at++) {
        char name[100];
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(at + 1, "}"), at + 1);
        bool id = operation->dialect == DIALECT_PAWL && strcmp(name, "id") == 0;
        json_array_append_new(parameters, json_pack("{s:s, s:s, s:b, s:o}", "name", name, "in",
                                                    "path", "required", 1, "schema",
                                                    type_schema(id ? "uuid" : "text", false)));
    }
}

static json_t *body_of(const struct operation *operation)
{
    json_t *schema = json_pack("{s:s, s:{}}", "type", "object", "properties");
    json_t *content = json_object();

    if (operation->fields == NULL) {
        json_decref(schema);
        schema = json_object();
    } else {
        each_field(operation->fields, schema, add_property);
        if (operation->dialect == DIALECT_PAWL)
            json_object_set_new(schema, "additionalProperties", json_false());
    }
    bool required = json_object_get(schema, "required") != NULL;
    if (operation->body_kind == BODY_JSON ||
        (operation->body_kind == BODY_MULTIPART && operation->fields != NULL))
        json_object_set_new(content, "application/json", json_pack("{s:O}", "schema", schema));
    if (operation->body_kind == BODY_MULTIPART)
        json_object_set_new(content, "multipart/form-data",
                            json_pack("{s:{s:s, s:{s:s, s:s}}}", "schema", "type", "object",
                                      "additionalProperties", "type", "string", "format",
                                      "binary"));
    if (operation->body_kind == BODY_MULTIPART && operation->fields != NULL)
        json_object_set_new(
            content, "application/zip",
            json_pack("{s:{s:s, s:s}}", "schema", "type", "string", "format", "binary"));
    if (operation->body_kind == BODY_RAW)
        json_object_set_new(content, "*/*", json_pack("{s:{}}", "schema"));
    json_decref(schema);
    return json_pack("{s:b, s:o}", "required", required, "content", content);
}

/* Adds what `types` names, separated by blanks, to the content of a response. */
static void add_content(json_t *content, const char *types, json_t *schema)
{
    char type[100];

    for (size_t n; *(types += strspn(types, " ")) != '\0'; types += n) {
        n = strcspn(types, " ");
        snprintf(type, sizeof(type), "%.*s", (int)n, types);
        json_object_set_new(content, type, json_pack("{s:O}", "schema", schema));
    }
    json_decref(schema);
}

static const struct {
    const char *good, *bad, *schema;
} answers_of[] = {
    [DIALECT_PAWL] = {"application/json", "application/problem+json", "Problem"},
    [DIALECT_CAMUNDA] = {"application/json", "application/json", "Exception"},
    [DIALECT_TEXT] = {"text/plain", "text/plain", "Any"},
    [DIALECT_OWN] = {"application/x-amz-json-1.0 application/x-amz-json-1.1",
                     "application/x-amz-json-1.0 application/x-amz-json-1.1", "Any"},
};

/* The guard answers before anybody knows which operation is meant: a line of text. */
static json_t *refusal(const struct operation *operation)
{
    json_t *content = json_object();
    char schema[60];

    snprintf(schema, sizeof(schema), "#/components/schemas/%s",
             answers_of[operation->dialect].schema);
    add_content(content, answers_of[operation->dialect].bad, json_pack("{s:s}", "$ref", schema));
    if (operation->dialect != DIALECT_TEXT)
        add_content(content, "text/plain", json_pack("{s:s}", "type", "string"));
    return content;
}

static json_t *good_content(const struct operation *operation)
{
    json_t *content = json_object();

    add_content(content,
                operation->media != NULL ? operation->media : answers_of[operation->dialect].good,
                json_object());
    return content;
}

/* "201 The instance; 200 It was there before": one response each, and how all others look. */
static json_t *responses_of(const struct operation *operation)
{
    const char *at = operation->answers != NULL ? operation->answers : "200 Done";
    json_t *responses = json_object();
    char status[4], text[200];

    for (const char *end; at != NULL; at = end != NULL ? end + 2 : NULL) {
        end = strstr(at, "; ");
        snprintf(status, sizeof(status), "%.3s", at);
        snprintf(text, sizeof(text), "%.*s",
                 end != NULL ? (int)(end - at) - 4 : (int)strlen(at) - 4, at + 4);
        json_t *response = json_pack("{s:s}", "description", text);
        if (strcmp(status, "204") != 0) /* that has no content */
            json_object_set_new(response, "content",
                                status[0] < '4' ? good_content(operation) : refusal(operation));
        json_object_set_new(responses, status, response);
    }
    json_object_set_new(
        responses, "default",
        json_pack("{s:s, s:o}", "description", "Why not", "content", refusal(operation)));
    return responses;
}

/* "get_v1_instances_id_history" */
static void name_of(const struct operation *operation, char *room, size_t n)
{
    size_t length = (size_t)snprintf(room, n, "%s_", method_name(operation->method));

    for (const char *at = operation->path; *at != '\0' && length + 2 < n; at++) {
        bool letter = isalnum((unsigned char)*at) != 0;
        if (letter || room[length - 1] != '_')
            room[length++] = letter ? *at : '_';
    }
    while (length > 0 && room[length - 1] == '_')
        length--;
    room[length] = '\0';
    for (char *at = room; *at != '\0'; at++)
        *at = (char)tolower((unsigned char)*at);
}

/* Who watches from this machine needs no user (auth.c). */
static bool is_local(const struct operation *operation)
{
    return operation->dialect == DIALECT_TEXT && (operation->rights & RIGHT_ANY) != 0;
}

static const char *rights_of(const struct operation *operation, char *room, size_t n)
{
    static const struct {
        unsigned right;
        const char *name;
    } all[] = {{RIGHT_AUTHOR, "author"},
               {RIGHT_START, "start"},
               {RIGHT_WORK, "work"},
               {RIGHT_READ, "read"},
               {RIGHT_ADMIN, "admin"}};

    if (operation->rights == RIGHT_NONE)
        return "Anybody.";
    if (operation->rights == RIGHT_OWN)
        return "The request itself says who it is: a signature, a token.";
    if (operation->rights == RIGHT_TOKEN)
        return "Whoever has the token; the process may want to know who it is besides.";
    if (operation->rights == RIGHT_ANY)
        return "Whoever is known.";
    snprintf(room, n, "Right:");
    for (size_t i = 0; i < ARRAY_LEN(all); i++)
        if ((operation->rights & all[i].right) != 0)
            snprintf(room + strlen(room), n - strlen(room), "%s %s",
                     room[strlen(room) - 1] != ':' ? " or" : "", all[i].name);
    if (is_local(operation))
        snprintf(room + strlen(room), n - strlen(room), "; none from this machine");
    return room;
}

static json_t *describe(const struct operation *operation)
{
    static const char *const tags[] = {[DIALECT_PAWL] = "pawl",
                                       [DIALECT_CAMUNDA] = "camunda",
                                       [DIALECT_TEXT] = "server",
                                       [DIALECT_OWN] = "other"};
    json_t *parameters = json_array();
    char name[300], rights[100];

    name_of(operation, name, sizeof(name));
    add_path_parameters(operation, parameters);
    each_field(operation->parameters, parameters, add_query_parameter);
    json_t *it = json_pack(
        "{s:s, s:s, s:s, s:[s], s:o, s:o}", "operationId", name, "summary", operation->summary,
        "description", rights_of(operation, rights, sizeof(rights)), "tags",
        tags[operation->dialect], "parameters", parameters, "responses", responses_of(operation));
    if (operation->body_kind != BODY_NONE)
        json_object_set_new(it, "requestBody", body_of(operation));
    if ((operation->rights & RIGHT_ANY) == 0)
        json_object_set_new(it, "security", json_array());
    else if (is_local(operation))
        json_object_set_new(it, "security", json_pack("[{}, {s:[]}, {s:[]}]", "token", "password"));
    return it;
}

/* ---- All of it ---- */

static const char components[] =
    "{\"schemas\": {\"Any\": {},"
    " \"Problem\": {\"type\": \"object\", \"required\": [\"status\", \"title\", \"detail\"],"
    "  \"description\": \"RFC 9457\", \"properties\": {"
    "   \"type\": {\"type\": \"string\", \"nullable\": true}, \"title\": {\"type\": \"string\"},"
    "   \"status\": {\"type\": \"integer\"}, \"detail\": {\"type\": \"string\"},"
    "   \"hint\": {\"type\": \"string\"}, \"code\": {\"type\": \"string\"}}},"
    " \"Exception\": {\"type\": \"object\", \"required\": [\"type\", \"message\"],"
    "  \"properties\": {\"type\": {\"type\": \"string\"}, \"message\": {\"type\": \"string\"},"
    "   \"code\": {\"type\": \"integer\", \"nullable\": true}}}},"
    " \"securitySchemes\": {\"token\": {\"type\": \"http\", \"scheme\": \"bearer\"},"
    "  \"password\": {\"type\": \"http\", \"scheme\": \"basic\"}}}";

void openapi_write(struct buf *text, const char *version)
{
    const struct operation *operation;
    json_t *paths = json_object();
    json_error_t error;

    for (size_t i = 0; (operation = operation_at(i)) != NULL; i++) {
        json_t *path = json_object_get(paths, operation->path);
        char method[8];
        if (path == NULL) {
            path = json_object();
            json_object_set_new(paths, operation->path, path);
        }
        snprintf(method, sizeof(method), "%s", method_name(operation->method));
        for (char *at = method; *at != '\0'; at++)
            *at = (char)tolower((unsigned char)*at);
        json_object_set_new(path, method, describe(operation));
    }
    json_t *all = json_pack(
        "{s:s, s:{s:s, s:s, s:s, s:{s:s, s:s}}, s:[{s:[]}, {s:[]}], s:o, s:o}", "openapi", "3.0.3",
        "info", "title", "Pawl", "version", version, "description",
        "A BPMN 2.0 engine on PostgreSQL. docs/http.md tells how to call it.", "license", "name",
        "Apache-2.0", "url", "https://www.apache.org/licenses/LICENSE-2.0", "security", "token",
        "password", "paths", paths, "components", json_loads(components, 0, &error));
    char *dump = json_dumps(all, JSON_INDENT(1));
    if (dump != NULL)
        buf_add_str(text, dump);
    free(dump);
    json_decref(all);
}

void openapi_page(struct request *request)
{
    response_json(&request->response, 200, "", 0);
    openapi_write(&request->response.body, request->options->version);
    request_finish(request);
}
