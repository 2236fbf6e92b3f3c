/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "convert/convert.h"
#include "server/deploy.h"
#include "server/sedo.h"

static void judged(struct request *request, const struct uuid *deployment, const json_t *outcome,
                   const char *source)
{
    const char *state = json_string_value(json_object_get(outcome, "state"));

    if (state != NULL && strcmp(state, "refused") == 0) {
        deploy_judged(request, deployment, outcome, source);
        return;
    }
    response_object(
        request, state != NULL ? 200 : 202,
        json_pack("{s:s, s:s}", "id", source, "tenantId", request_path(request, "tenant")));
    request_finish(request);
}

/* The body's text: as it came, or JSON whose escapes YAML would not know. */
static const char *text_of(struct request *request, size_t *ret_n)
{
    if (!request_is_json(request)) {
        *ret_n = request->body.len;
        return buf_str(&request->body);
    }
    char *dump = request->json != NULL ? json_dumps(request->json, 0) : NULL;
    const char *text = arena_strdup(&request->arena, dump != NULL ? dump : "");
    free(dump);
    *ret_n = strlen(text);
    return text;
}

void sedo_define(struct request *request)
{
    struct buf bpmn CLEANUP(buf_deinit), id CLEANUP(buf_deinit);
    struct err err = {0};
    size_t n;

    buf_init(&bpmn, LIMIT_XML_BYTES);
    buf_init(&id, 0);
    if (request_is_json(request) && !body_read_json(request)) {
        request_finish(request);
        return;
    }
    const char *text = text_of(request, &n);
    if (convert_steps("definition", text, n, &bpmn, &id, &err) < 0) {
        response_problem(request, 400, "PW003", "docs/steps.md has what a definition may say.",
                         "%s", err.text);
        request_finish(request);
        return;
    }
    const char *key = arena_strdup(&request->arena, buf_str(&id));
    const struct deployment_of deployment = {
        .resources =
            json_pack("[{s:s+, s:s%}]", "name", key, ".bpmn", "content", bpmn.data, bpmn.len),
        .name = key,
        .tenant = request_path(request, "tenant"),
        .source = key,
        .filtering = true,
        .judged = judged};
    deploy_and_wait(request, &deployment);
}
