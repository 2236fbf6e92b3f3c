/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Handlers of operations_camunda.c that are not statements. */
#include "server/request.h"

/* The release whose API is spoken: the last one that Camunda Modeler offers. */
#define CAMUNDA_VERSION "7.24.0"

void camunda_version(struct request *request);
void camunda_engines(struct request *request);
void camunda_webapps(struct request *request);
void camunda_deploy(struct request *request);
