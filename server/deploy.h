/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Deployments: files in, and the answer once the engine has judged them. */
#include "server/multipart.h"
#include "server/request.h"

/* POST /v1/deployments. */
void deploy_files(struct request *request);

/*
 * Deploys resources (JSON: [{"name","content"}], its reference is taken over) and waits for the
 * judgement. judged: outcome is {"state","detail"}; NULL: nothing is known after a while. What the
 * database refuses is answered already. filtering: what has not changed makes no new version.
 */
void deploy_and_wait(struct request *request, json_t *resources, const char *name, bool filtering,
                     void (*judged)(struct request *request, const struct uuid *deployment,
                                    const json_t *outcome));
/* The parts that are files, as resources. NULL: one is not UTF-8; the response says so. */
json_t *deploy_resources(struct request *request, const struct part *parts, size_t n);
