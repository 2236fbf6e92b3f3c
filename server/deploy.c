/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "archive/archive.h"
#include "base/utf8.h"
#include "server/await.h"
#include "server/deploy.h"
#include "server/server_internal.h"
#include "store/json_text.h"

#define WAIT_US 30000000 /* the judgement takes milliseconds, behind what waits before it */

struct deploying {
    struct uuid deployment;
    judged_fn *judged;
    const char *source;
};

static void decided(struct request *request, const json_t *outcome)
{
    const struct deploying *deploying = request->own;

    deploying->judged(request, &deploying->deployment, outcome, deploying->source);
}

static void accepted(struct request *request, const struct desk_answer *answer)
{
    struct deploying *deploying = request->own;

    if (answer->sqlstate != NULL) {
        response_refused(request, answer);
        request_finish(request);
        return;
    }
    deploying->deployment = answer->subject;
    request_drop_body(request);
    awaits_add(request->server->awaits, request, &deploying->deployment, WAIT_US, decided);
}

void deploy_and_wait(struct request *request, const struct deployment_of *deployment)
{
    struct deploying *deploying = arena_alloc(&request->arena, sizeof(*deploying));
    const char *params[] = {json_text_in(&request->arena, deployment->resources), deployment->name,
                            deployment->filtering ? "true" : "false", deployment->tenant,
                            deployment->parameters};

    json_decref(deployment->resources);
    deploying->judged = deployment->judged;
    deploying->source = deployment->source;
    request->own = deploying;
    request_ask(request, "http_deploy", true, params, ARRAY_LEN(params), accepted);
}

static bool add_resource(struct request *request, json_t *resources, const char *name,
                         const char *text, size_t n)
{
    json_t *resource = json_pack("{s:s, s:s%}", "name", name, "content", text, n);

    if (resource == NULL)
        response_problem(request, 400, "PW003", "Save it as UTF-8.",
                         "the file \"%.200s\" is not UTF-8", name);
    else
        json_array_append_new(resources, resource);
    return resource != NULL;
}

/* All that a zip file has for a deployment. False: the response says why not. */
static bool add_zip(struct request *request, json_t *resources, const char *name, const char *data,
                    size_t n)
{
    struct archive_file *files;
    struct err err = {0};
    size_t n_files;
    bool good = true;

    if (archive_read_files(&request->arena, name, data, n, &files, &n_files, &err) < 0) {
        bool limit = err.code == ERR_LIMIT;
        response_problem(request, limit ? 413 : 400, limit ? "PW006" : "PW003", NULL, "%s",
                         err.text);
        return false;
    }
    if (n_files == 0) {
        response_problem(request, 400, "PW003", "Pack models: .bpmn files.",
                         "%.200s has no file that could be deployed", name);
        return false;
    }
    for (size_t i = 0; good && i < n_files; i++)
        good = add_resource(request, resources, files[i].name, files[i].text, files[i].n);
    return good;
}

json_t *deploy_resources(struct request *request, const struct part *parts, size_t n)
{
    json_t *resources = json_array();
    bool good = true;

    for (size_t i = 0; good && i < n; i++) {
        const char *name = parts[i].filename;
        if (name == NULL)
            continue;
        good = archive_is_zip(name)
                   ? add_zip(request, resources, name, parts[i].data, parts[i].n)
                   : add_resource(request, resources, name, parts[i].data, parts[i].n);
    }
    if (good)
        return resources;
    json_decref(resources);
    return NULL;
}

/* ---- POST /v1/deployments ---- */

static void refused(struct request *request, const char *id, const json_t *detail)
{
    const char *reason = json_string_value(json_object_get(detail, "reason"));
    json_t *findings = json_object_get(detail, "findings");
    const char *shown = reason != NULL ? reason : "the files were refused";
    size_t i;
    json_t *finding;

    json_array_foreach(findings, i, finding)
    {
        const char *severity = json_string_value(json_object_get(finding, "severity"));
        const char *file = json_string_value(json_object_get(finding, "file"));
        const char *message = json_string_value(json_object_get(finding, "message"));
        if (severity == NULL || strcmp(severity, "error") != 0 || message == NULL)
            continue;
        char *text =
            arena_printf(&request->arena, "%s; %s:%lld: %.600s", shown, file != NULL ? file : "",
                         json_integer_value(json_object_get(finding, "line")), message);
        utf8_repair(text); /* it may have been cut inside a character */
        shown = text;
        break;
    }
    response_object(request, 400,
                    json_pack("{s:n, s:s, s:i, s:s, s:s, s:s, s:O*}", "type", "title",
                              "Bad Request", "status", 400, "detail", shown, "code", "PW003",
                              "deploymentId", id, "findings", findings));
    request->response.content_type = "application/problem+json";
}

void deploy_judged(struct request *request, const struct uuid *deployment, const json_t *outcome,
                   const char *source UNUSED)
{
    const char *state = json_string_value(json_object_get(outcome, "state"));
    const json_t *detail = json_object_get(outcome, "detail");
    char id[UUID_TEXT_BYTES];

    uuid_format(deployment, id);
    if (state != NULL && strcmp(state, "refused") == 0) {
        refused(request, id, detail);
    } else {
        response_object(request, state != NULL ? 201 : 202,
                        json_pack("{s:s, s:s, s:O*, s:O*}", "deploymentId", id, "state",
                                  state != NULL ? state : "accepted", "definitions",
                                  json_object_get(detail, "definitions"), "findings",
                                  json_object_get(detail, "findings")));
    }
    request_finish(request);
}

static const char *text_part(const struct part *parts, size_t n, const char *name)
{
    const struct part *part = multipart_find(parts, n, name);

    return part != NULL && utf8_valid(part->data, part->n) ? part->data : NULL;
}

/* multipart/form-data; false: the response is ready. */
static bool read_form(struct request *request, const char *type, struct deployment_of *deployment)
{
    struct part *parts;
    size_t n;
    const char *wrong = multipart_read(&request->arena, type, buf_str(&request->body),
                                       request->body.len, &parts, &n);

    if (wrong != NULL) {
        response_problem(request, 400, "PW003", NULL, "the body is no form: %s", wrong);
        return false;
    }
    deployment->resources = deploy_resources(request, parts, n);
    deployment->name = text_part(parts, n, "name");
    deployment->tenant = text_part(parts, n, "tenant");
    deployment->parameters = text_part(parts, n, "parameters");
    const char *given = text_part(parts, n, "duplicateFiltering");
    deployment->filtering = given == NULL || strcmp(given, "false") != 0;
    return deployment->resources != NULL;
}

/* The body is the zip file; what else there is to say is in the query. */
static bool read_zip(struct request *request, struct deployment_of *deployment)
{
    const char *given = request_query(request, "duplicateFiltering");
    json_t *resources = json_array();

    deployment->name = request_query(request, "name");
    deployment->tenant = request_query(request, "tenant");
    deployment->filtering = given == NULL || strcmp(given, "false") != 0;
    if (add_zip(request, resources, "the zip file", buf_str(&request->body), request->body.len)) {
        deployment->resources = resources;
        return true;
    }
    json_decref(resources);
    return false;
}

static bool read_json(struct request *request, struct deployment_of *deployment)
{
    const json_t *given = json_object_get(request->json, "duplicateFiltering");
    size_t n;

    if (json_is_object(json_object_get(request->json, "parameters")) &&
        (deployment->parameters = body_member(request, "parameters", &n)) == NULL)
        return false;
    deployment->resources = json_incref(json_object_get(request->json, "resources"));
    deployment->name = json_string_value(json_object_get(request->json, "name"));
    deployment->tenant = json_string_value(json_object_get(request->json, "tenant"));
    deployment->filtering = !json_is_false(given);
    return true;
}

void deploy_files(struct request *request)
{
    struct deployment_of deployment = {.judged = deploy_judged};
    const char *type = request_header(request, "Content-Type");
    bool good;

    if (request->json != NULL)
        good = read_json(request, &deployment);
    else if (request_is_zip(request))
        good = read_zip(request, &deployment);
    else
        good = read_form(request, type != NULL ? type : "", &deployment);
    if (good)
        deploy_and_wait(request, &deployment);
    else
        request_finish(request);
}

/* ---- GET /v1/deployments/{id}/zip ---- */

static void pack(struct request *request, const json_t *resources)
{
    size_t n = json_array_size(resources), i;
    struct archive_file *files = arena_array(&request->arena, n, sizeof(*files));
    struct response *response = &request->response;
    struct err err = {0};
    json_t *one;

    json_array_foreach(resources, i, one)
    {
        json_t *content = json_object_get(one, "content");
        files[i] = (struct archive_file){.name = json_string_value(json_object_get(one, "name")),
                                         .text = json_string_value(content),
                                         .n = json_string_length(content)};
    }
    if (archive_write_files(&request->arena, files, n, &response->body, &err) < 0) {
        buf_reset(&response->body);
        response_problem(request, 409, "PW002", "Ask for files in place of zip.", "%s", err.text);
        return;
    }
    response->status = 200;
    response->content_type = "application/zip";
    response_header(request, "Content-Disposition",
                    arena_printf(&request->arena, "attachment; filename=\"%s.zip\"",
                                 request_path(request, "id")));
}

static void exported(struct request *request, const struct desk_answer *answer)
{
    if (answer->sqlstate != NULL || answer->status != 200) {
        request_answer(request, answer);
    } else {
        json_t *deployment = json_loadb(answer->body, answer->n, 0, NULL);
        pack(request, json_object_get(deployment, "resources"));
        json_decref(deployment);
    }
    request_finish(request);
}

void deploy_zip(struct request *request)
{
    const char *params[] = {request_path(request, "id")};

    request_ask(request, "http_export", false, params, ARRAY_LEN(params), exported);
}
