/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/utf8.h"
#include "server/camunda.h"
#include "server/deploy.h"

/* Takes the object over. */
static void answer(struct request *request, unsigned status, json_t *object)
{
    response_object(request, status, object);
    request_finish(request);
}

void camunda_version(struct request *request)
{
    answer(request, 200, json_pack("{s:s}", "version", CAMUNDA_VERSION));
}

void camunda_engines(struct request *request)
{
    answer(request, 200, json_pack("[{s:s}]", "name", "default"));
}

/* The editor links to an instance behind cockpitUrl. */
void camunda_webapps(struct request *request)
{
    const char *page = arena_printf(&request->arena, "%s/", request_origin(request));

    answer(request, 200,
           json_pack("{s:s, s:s, s:s}", "adminUrl", page, "cockpitUrl", page, "tasklistUrl", page));
}

/* ---- POST /deployment/create ---- */

/* What was found, as that engine's parser says it: the editor knows its first words. */
static void refused(struct request *request, const json_t *detail)
{
    json_t *findings = json_object_get(detail, "findings");
    json_t *details = json_object();
    const char *text = "";
    json_t *finding;
    size_t i;

    json_array_foreach(findings, i, finding)
    {
        const char *file = json_string_value(json_object_get(finding, "file"));
        const char *severity = json_string_value(json_object_get(finding, "severity"));
        const char *element = json_string_value(json_object_get(finding, "element"));
        const char *message = json_string_value(json_object_get(finding, "message"));
        json_int_t line = json_integer_value(json_object_get(finding, "line"));
        json_int_t column = json_integer_value(json_object_get(finding, "column"));
        bool error = severity == NULL || strcmp(severity, "error") == 0;
        if (file == NULL || message == NULL)
            continue;
        json_t *of_file = json_object_get(details, file);
        if (of_file == NULL) {
            of_file = json_pack("{s:[], s:[]}", "errors", "warnings");
            json_object_set_new(details, file, of_file);
        }
        json_t *ids = json_array();
        if (element != NULL && *element != '\0')
            json_array_append_new(ids, json_string(element));
        /* The second elementIds begins with U+0435: so it is in that engine's answers. */
        json_array_append_new(json_object_get(of_file, error ? "errors" : "warnings"),
                              json_pack("{s:s, s:I, s:I, s:s?, s:O, s:o}", "message", message,
                                        "line", line, "column", column, "mainElementId",
                                        json_array_size(ids) > 0 ? element : NULL, "elementIds",
                                        ids, "\xd0\xb5lementIds", ids));
        if (error)
            text = arena_printf(&request->arena, "%s\n* %s | resource %s | line %lld | column %lld",
                                text, message, file, (long long)line, (long long)column);
    }
    answer(request, 400,
           json_pack("{s:s, s:s+, s:i, s:o}", "type", "ParseException", "message",
                     "ENGINE-09005 Could not parse BPMN process. Errors: ", text, "code", 0,
                     "details", details));
}

static void judged(struct request *request, const struct uuid *deployment, const json_t *outcome,
                   const char *source)
{
    const char *state = json_string_value(json_object_get(outcome, "state"));
    char *id = arena_alloc(&request->arena, UUID_TEXT_BYTES);

    uuid_format(deployment, id);
    if (state == NULL) {
        request->response.retry_after = 5;
        response_problem(request, 503, NULL, NULL,
                         "the deployment was accepted, but nobody has judged it yet");
        request_finish(request);
    } else if (strcmp(state, "refused") == 0) {
        refused(request, json_object_get(outcome, "detail"));
    } else {
        const char *params[] = {id, source, request_origin(request)};
        request_ask(request, "camunda_deployed", false, params, ARRAY_LEN(params), NULL);
    }
}

static const char *text_part(const struct part *parts, size_t n, const char *name)
{
    const struct part *part = multipart_find(parts, n, name);

    return part != NULL && part->n > 0 && utf8_valid(part->data, part->n) ? part->data : NULL;
}

static bool is_true(const char *text)
{
    return text != NULL && strcmp(text, "true") == 0;
}

/* Each part is a file, but for these. False: the response says what is wrong. */
static bool judge_parts(struct request *request, struct part *parts, size_t n)
{
    static const char *const reserved[] = {
        "deployment-name",     "deployment-source",          "enable-duplicate-filtering",
        "deploy-changed-only", "deployment-activation-time", "tenant-id"};

    for (size_t i = 0; i < n; i++) {
        bool file = true;
        for (size_t r = 0; r < ARRAY_LEN(reserved); r++)
            file = file && strcmp(parts[i].name, reserved[r]) != 0;
        if (!file) {
            parts[i].filename = NULL;
        } else if (parts[i].filename == NULL) {
            response_problem(request, 400, "PW003", "Send it as a file: -F data=@order.bpmn.",
                             "No file name found in the deployment resource described by form "
                             "parameter '%.100s'.",
                             parts[i].name);
            return false;
        }
    }
    if (text_part(parts, n, "deployment-activation-time") == NULL)
        return true;
    response_problem(request, 400, "PW003", "Deploy when its definitions may be used.",
                     "deployment-activation-time is not supported: a deployment counts at once");
    return false;
}

void camunda_deploy(struct request *request)
{
    const char *type = request_header(request, "Content-Type");
    struct part *parts;
    size_t n;
    const char *wrong = multipart_read(&request->arena, type != NULL ? type : "",
                                       buf_str(&request->body), request->body.len, &parts, &n);
    bool good = wrong == NULL && judge_parts(request, parts, n);
    json_t *resources = good ? deploy_resources(request, parts, n) : NULL;

    if (wrong != NULL)
        response_problem(request, 400, "PW003", NULL, "the body is no form: %s", wrong);
    else if (json_array_size(resources) == 0 && resources != NULL)
        response_problem(request, 400, "PW003", NULL,
                         "No deployment resources contained in the form upload.");
    if (json_array_size(resources) == 0) {
        json_decref(resources);
        request_finish(request);
        return;
    }
    /* Both make no new version of what has not changed: here a process is the unit of either. */
    bool filtering = is_true(text_part(parts, n, "enable-duplicate-filtering")) ||
                     is_true(text_part(parts, n, "deploy-changed-only"));
    const struct deployment_of deployment = {
        .resources = resources,
        .name = text_part(parts, n, "deployment-name"),
        .tenant = text_part(parts, n, "tenant-id"),
        .source = text_part(parts, n, "deployment-source"),
        .filtering = filtering,
        .judged = judged,
    };
    deploy_and_wait(request, &deployment);
}
