/* SPDX-License-Identifier: Apache-2.0 */
/* What `pawl user` and `pawl audit` ask. */
#include "base/build.h"

#include "store/client_internal.h"

int client_users(struct client *client, json_t **ret_rows, struct err *err)
{
    return client_query_rows(client, "client_users", NO_PARAMS, ret_rows, err);
}

int client_user_add(struct client *client, const struct client_user *user, json_t **ret_row,
                    struct err *err)
{
    return client_query_row(client, "client_user_add",
                            PARAMS(p_text(user->name), p_text(user->rights), p_text(user->tenants),
                                   p_text(user->password), p_text(user->technical ? "true" : "")),
                            ret_row, err);
}

int client_user_set(struct client *client, const struct client_user *user, json_t **ret_row,
                    struct err *err)
{
    return client_query_row(client, "client_user_set",
                            PARAMS(p_text(user->name), p_text(user->rights), p_text(user->tenants),
                                   p_text(user->password), p_text(user->disabled)),
                            ret_row, err);
}

int client_user_drop(struct client *client, const char *name, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_user_drop", PARAMS(p_text(name)), ret_row, err);
}

int client_user_token(struct client *client, const char *user, const char *name,
                      const char *lifetime, json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_user_token",
                            PARAMS(p_text(user), p_text(name), p_text(lifetime)), ret_row, err);
}

int client_user_token_drop(struct client *client, const char *user, const char *name,
                           json_t **ret_row, struct err *err)
{
    return client_query_row(client, "client_user_token_drop", PARAMS(p_text(user), p_text(name)),
                            ret_row, err);
}

int client_user_grant(struct client *client, bool revoke, const char *const words[3], bool role,
                      json_t **ret_row, struct err *err)
{
    return client_query_row(
        client, revoke ? "client_user_revoke" : "client_user_grant",
        PARAMS(p_text(words[0]), p_text(words[1]), p_text(words[2]), p_text(role ? "true" : "")),
        ret_row, err);
}

int client_user_key(struct client *client, bool drop, const char *name, json_t **ret_row,
                    struct err *err)
{
    return client_query_row(client, drop ? "client_user_key_drop" : "client_user_key",
                            PARAMS(p_text(name)), ret_row, err);
}

int client_audit(struct client *client, const struct client_audit *filter, json_t **ret_rows,
                 struct err *err)
{
    return client_query_rows(client, "client_audit",
                             PARAMS(p_text(filter->since), p_text(filter->until),
                                    p_text(filter->kind), p_text(filter->actor),
                                    p_text(filter->subject), p_int4(filter->limit)),
                             ret_rows, err);
}
