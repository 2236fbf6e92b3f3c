/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Deployments: files in, and the answer once the engine has judged them. */
#include "server/multipart.h"
#include "server/request.h"

/* POST /v1/deployments. */
void deploy_files(struct request *request);
/* GET /v1/deployments/{id}/zip. */
void deploy_zip(struct request *request);

/* Called when the engine has judged them; outcome: {"state","detail"}; NULL: nothing is known after
 * a while. Sees to the answer. */
typedef void judged_fn(struct request *request, const struct uuid *deployment,
                       const json_t *outcome, const char *source);

struct deployment_of {
    json_t *resources;                  /* [{"name","content"}]; its reference is taken over */
    const char *name, *tenant, *source; /* may be NULL; they live as long as the request */
    const char *parameters;             /* a JSON object, or NULL */
    bool filtering;                     /* what has not changed makes no new version */
    judged_fn *judged;
};
/* Deploys and waits for the judgement. What the database refuses is answered already. */
void deploy_and_wait(struct request *request, const struct deployment_of *deployment);
/* The answer of POST /v1/deployments; a judged_fn. */
void deploy_judged(struct request *request, const struct uuid *deployment, const json_t *outcome,
                   const char *source);
/* The parts that are files, as resources. NULL: one is not UTF-8; the response says so. */
json_t *deploy_resources(struct request *request, const struct part *parts, size_t n);
