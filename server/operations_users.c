/* SPDX-License-Identifier: Apache-2.0 */
/* Users of the server, who did what, and what concerns the whole installation: docs/security.md. */
#include "base/build.h"

#include "server/operation.h"
#include "server/users.h"

#define USERS(method, path, right) METHOD_##method, "/v1" path, RIGHT_##right, DIALECT_PAWL

/* As the view audit has them: of instances as the view events has, then the others. */
#define AUDIT_KINDS                                                                                \
    "instanceStarted|instanceEnded|activityStarted|activityEnded|activityCancelled|"               \
    "errorThrown|jobFailed|callRequested|callSent|callAnswered|callLate|messageReceived|"          \
    "messageSent|taskCompleted|variablesSet|incident|externalTaskFailed|elementSkipped|"           \
    "tokenMoved|elementCompleted|delegateRan|callbackOpened|callbackAccepted|"                     \
    "callbackSucceeded|callbackFailed|callbackTimedOut|callbackRefused|eventPut|"                  \
    "serviceLevelMissed|taskClaimed|taskReleased|incidentRetried|instanceSuspended|"               \
    "instanceResumed|other|deployed|withdrawn|bulk|loginRefused|forbidden|accessKeyCreated|"       \
    "accessKeyDropped|alertsMuted|alertsUnmuted|callbackKeyRotated|callsHeld|"                     \
    "callsReleased|circuitSet|classMapped|classUnmapped|concurrencySet|endpointDropped|"           \
    "endpointSet|eventBusDropped|eventBusSet|eventRuleDropped|eventRuleSet|"                       \
    "eventsReplayed|externalTaskPrioritySet|externalTaskRetriesSet|historyHeld|"                   \
    "historyReleased|installationSet|parameterSet|processGranted|processRevoked|"                  \
    "retentionSet|roleTenantsSet|sqlDelegateDropped|sqlDelegateSet|tokenCreated|"                  \
    "tokenDropped|userAltered|userCreated|userDropped|webhookDropped|webhookSet"

static const struct operation list[] = {
    {USERS(GET, "/me", ANY), "Who asks, and what he may", .query = "http_me",
     .answers = "200 His name, rights and tenants; limits: rights for some processes only"},
    {USERS(GET, "/users", ADMIN), "The users of the server", .query = "http_user_list",
     .answers = "200 The users"},
    {USERS(POST, "/users", ADMIN), "Makes a user, with a password or for tokens",
     .handle = users_create, .body_kind = BODY_JSON,
     .fields = "name:text! rights:array tenants:array password:text technical:boolean",
     .answers = "201 His name"},
    {USERS(GET, "/users/{name}", ADMIN), "A user, his tokens, keys and grants without secrets",
     .query = "http_user", .arguments = "path.name", .answers = "200 The user"},
    {USERS(PATCH, "/users/{name}", ADMIN),
     "Changes a user; a password of null takes his password away", .handle = users_alter,
     .body_kind = BODY_JSON,
     .fields = "rights:array tenants:array password:text disabled:boolean technical:boolean",
     .answers = "200 His name"},
    {USERS(DELETE, "/users/{name}", ADMIN), "Removes a user, with his tokens, keys and grants",
     .query = "http_drop_user", .writes = true, .arguments = "path.name",
     .answers = "200 His name"},
    {USERS(POST, "/users/{name}/tokens", ADMIN),
     "Makes a bearer token for a user, good for a year unless told; it is shown this once",
     .query = "http_create_token", .writes = true, .body_kind = BODY_JSON,
     .fields = "name:text! lifetime:text forever:boolean", .answers = "201 The token"},
    {USERS(DELETE, "/users/{name}/tokens/{token}", ADMIN), "Revokes a token, by its name",
     .query = "http_drop_token", .writes = true, .arguments = "path.name path.token",
     .answers = "200 Its name"},
    {USERS(POST, "/users/{name}/keys", ADMIN),
     "Makes an access key, with which a user signs as AWS's clients do; it is shown this once",
     .query = "http_create_key", .writes = true, .body_kind = BODY_JSON,
     .fields = "note:string life:text", .answers = "201 The key's id and secret"},
    {USERS(DELETE, "/users/{name}/keys/{key}", ADMIN), "Ends an access key, by its id",
     .query = "http_drop_key", .writes = true, .arguments = "path.name path.key",
     .answers = "200 Its id"},
    {USERS(POST, "/users/{name}/grants", ADMIN),
     "Limits a right of a user to some processes: to those that are granted", .query = "http_grant",
     .writes = true, .body_kind = BODY_JSON,
     .fields = "right:author|start|work|read|admin! process:text!", .answers = "200 The grant"},
    {USERS(DELETE, "/users/{name}/grants/{right}/{process}", ADMIN), "Takes a grant back",
     .query = "http_revoke", .writes = true, .arguments = "path.name path.right path.process",
     .answers = "200 The grant"},
    {USERS(GET, "/audit", ADMIN), "Who did what, the newest first: of the last day unless told",
     .query = "http_audit",
     .arguments = "query.from query.until query.kind query.actor query.subject query.limit",
     .parameters = "from:text until:text actor:string subject:string limit:integer "
                   "kind:" AUDIT_KINDS,
     .answers = "200 The entries"},
    {USERS(GET, "/settings", READ), "What the whole installation shares", .query = "http_settings",
     .answers = "200 The settings"},
    {USERS(PATCH, "/settings", ADMIN), "Changes what the whole installation shares",
     .query = "http_set_installation", .writes = true, .body_kind = BODY_JSON,
     .fields = "publicUrl:string callbackLife:text alertInterval:text",
     .answers = "200 What was changed"},
    {USERS(PATCH, "/settings/retention", ADMIN),
     "Sets how long things are kept; a history of null for ever", .query = "http_set_retention",
     .writes = true, .body_kind = BODY_JSON,
     .fields = "history:text outcomes:text requestKeys:text deadLetters:text events:text "
               "eventKeys:text audit:text callbackAnswers:text",
     .answers = "200 What was changed"},
};

const struct operations operations_users = {list, ARRAY_LEN(list)};
