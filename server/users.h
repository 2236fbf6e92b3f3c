/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* Users over HTTP: a password that comes is kept as its verifier, and never reaches SQL. */

struct request;

void users_create(struct request *request);
void users_alter(struct request *request);
