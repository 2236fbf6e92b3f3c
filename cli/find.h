/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What a person calls an instance, task or incident: its id, the beginning of its id (at least 8
 * characters, while only one begins so), or the business key of the instance (while it is unique).
 * What is not found or not unique is said, with the candidates; the exit code is then not
 * EXIT_DONE.
 */
#include <jansson.h>

#include "base/uuid.h"
#include "cli/cli.h"
#include "store/client.h"

/* ret_row: of the view instances; the caller frees it. */
enum exit_code find_instance(struct cli *cli, struct client *client, const char *text,
                             json_t **ret_row, struct uuid *ret_id);
enum exit_code find_task(struct cli *cli, struct client *client, const char *text,
                         struct uuid *ret_id);
/* Incident, or instance or business key with one incident. ret_row: of the view incidents. */
enum exit_code find_incident(struct cli *cli, struct client *client, const char *text,
                             json_t **ret_row, struct uuid *ret_id);

/* Deployment, or process or process:version that came with it. */
enum exit_code find_deployment(struct cli *cli, struct client *client, const char *text,
                               struct uuid *ret_id);

/* Is it the beginning of an id? The range of all ids that begin so. */
bool find_prefix(const char *text, struct uuid *ret_low, struct uuid *ret_high);
/* The id in a field of a row; false when it is null. */
bool row_uuid(const json_t *row, const char *key, struct uuid *ret_id);
