/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A webhook: its settings are asked for, the body is verified as it came, and only then read and
 * handed to the database, which knows what becomes of it (sql/functions/webhooks.sql).
 */
#include "base/build.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "base/webhook.h"
#include "server/auth.h"
#include "server/webhook.h"
#include "store/json_text.h"

#define SECRETS_MAX 5u

struct webhook {
    const json_t *settings; /* what api_webhook() made; until the message was verified */
    const char *id;         /* of the message; NULL: it has none */
    const char *headers;
};

static void refuse(struct request *request, unsigned status, const char *message)
{
    response_problem(request, status, NULL, NULL, "%s", message);
    request_finish(request);
}

static const char *setting(const struct webhook *webhook, const char *name)
{
    return json_string_value(json_object_get(webhook->settings, name));
}

/* False: one cannot be read; the response is ready. */
static bool read_secrets(struct request *request, const struct webhook *webhook,
                         struct secret *secrets, size_t *ret_n)
{
    const json_t *list = json_object_get(webhook->settings, "secret");
    struct err err = {0};
    char text[1200];

    *ret_n = json_array_size(list) < SECRETS_MAX ? json_array_size(list) : SECRETS_MAX;
    for (size_t i = 0; i < *ret_n; i++) {
        const char *reference = json_string_value(json_array_get(list, i));
        if (secret_read(&request->arena, "secret", reference, &secrets[i], &err) == 0)
            continue;
        log_line(LOG_LEVEL_ERROR, "a webhook's secret cannot be read", "webhook=%s error=%s",
                 request_path(request, "name"), log_quote(err.text, text, sizeof(text)));
        response_problem(request, 500, NULL, "The engine's log says why.",
                         "this webhook's secret cannot be read");
        return false;
    }
    return true;
}

static enum webhook_verdict verify_hmac(struct request *request, const struct webhook *webhook,
                                        const struct secret *secrets, size_t n_secrets)
{
    static const struct {
        const char *name;
        enum digest_kind kind;
    } kinds[] = {{"sha1", DIGEST_SHA1},
                 {"sha256", DIGEST_SHA256},
                 {"sha384", DIGEST_SHA384},
                 {"sha512", DIGEST_SHA512}};
    struct webhook_hmac how = {.kind = DIGEST_SHA256,
                               .base64 = strcmp(setting(webhook, "encoding"), "base64") == 0,
                               .prefix = setting(webhook, "prefix")};

    for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
        if (strcmp(kinds[i].name, setting(webhook, "algorithm")) == 0)
            how.kind = kinds[i].kind;
    return webhook_verify_hmac(&request->arena, &how, secrets, n_secrets, buf_str(&request->body),
                               request->body.len,
                               request_header(request, setting(webhook, "header")));
}

static enum webhook_verdict verify_standard(struct request *request, const struct webhook *webhook,
                                            const struct secret *secrets, size_t n_secrets)
{
    const struct webhook_message message = {
        .id = webhook->id,
        .timestamp = request_header(request, "webhook-timestamp"),
        .body = buf_str(&request->body),
        .body_n = request->body.len,
    };

    return webhook_verify(&request->arena, secrets, n_secrets, &message,
                          request_header(request, "webhook-signature"), clock_unix_s(),
                          json_integer_value(json_object_get(webhook->settings, "toleranceS")));
}

/* What the database wants to see of the headers. */
static const char *read_headers(struct request *request, const struct webhook *webhook)
{
    const json_t *names = json_object_get(webhook->settings, "headers");
    json_auto_t *found = json_object();

    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *name = json_string_value(json_array_get(names, i));
        const char *value = request_header(request, name);
        if (value != NULL) /* one that is not UTF-8 is not there */
            json_object_set_new(found, name, json_string(value));
    }
    return json_text_in(&request->arena, found);
}

static void receive(struct request *request)
{
    struct webhook *webhook = request->own;

    if (!body_read_json(request)) {
        request_finish(request);
        return;
    }
    const char *body = request->json != NULL ? buf_str(&request->body) : "null";
    const char *params[] = {request_path(request, "name"), webhook->id, body, webhook->headers};
    request_ask(request, "http_webhook_receive", true, params, ARRAY_LEN(params), NULL);
}

/* The right that its sender must have himself, where nothing is signed. */
static void identified(struct request *request)
{
    if ((request->principal.rights & RIGHT_START) == 0)
        refuse(request, 403, "the right to start processes is needed");
    else
        receive(request);
}

static void identify(struct request *request)
{
    switch (auth_identify(request, &request->principal)) {
    case AUTH_KNOWN:
        identified(request);
        break;
    case AUTH_ASKS: /* webhook_receive() is called again */
        break;
    case AUTH_REFUSED:
        request->response.authenticate = true;
        refuse(request, 401, "this needs a user who is known here");
    }
}

static void judge(struct request *request, struct webhook *webhook)
{
    static const char *const words[] = {
        [WEBHOOK_INCOMPLETE] = "the signature is missing, or cannot be read",
        [WEBHOOK_STALE] = "the message is too old, or from a clock that is wrong",
        [WEBHOOK_FORGED] = "the signature does not hold",
    };
    const char *scheme = setting(webhook, "scheme"), *id_header = setting(webhook, "idHeader");
    bool standard = strcmp(scheme, "standard") == 0, none = strcmp(scheme, "none") == 0;
    struct secret secrets[SECRETS_MAX];
    size_t n_secrets;

    webhook->headers = read_headers(request, webhook);
    const char *id = standard            ? request_header(request, "webhook-id")
                     : id_header != NULL ? request_header(request, id_header)
                                         : NULL;
    if (id != NULL && (strlen(id) > 255 || !utf8_valid(id, strlen(id)))) {
        refuse(request, 400, "the id of the message is not a text of at most 255 bytes");
        return;
    }
    webhook->id = id;
    if (none) {
        identify(request);
        return;
    }
    if (!read_secrets(request, webhook, secrets, &n_secrets)) {
        request_finish(request);
        return;
    }
    enum webhook_verdict verdict = standard ? verify_standard(request, webhook, secrets, n_secrets)
                                            : verify_hmac(request, webhook, secrets, n_secrets);
    if (verdict != WEBHOOK_GOOD) {
        auth_note_refusal(request, setting(webhook, "name"));
        refuse(request, 401, words[verdict]);
        return;
    }
    request->principal = (struct principal){
        .name = arena_strdup(&request->arena, setting(webhook, "name")),
        .rights = RIGHT_START | RIGHT_WORK,
        .caller = arena_strdup(&request->arena, setting(webhook, "caller")),
    };
    receive(request);
}

static void on_settings(struct request *request, const struct desk_answer *answer)
{
    struct webhook *webhook = request->own;

    if (answer->sqlstate != NULL) {
        response_refused(request, answer);
        request_finish(request);
        return;
    }
    json_auto_t *settings = json_loadb(answer->body, answer->n, 0, NULL);
    webhook->settings = settings; /* nobody looks at them after judge() */
    judge(request, webhook);
}

void webhook_receive(struct request *request)
{
    if (request->own != NULL) { /* auth_identify() has found out who asks */
        identified(request);
        return;
    }
    request->own = arena_alloc(&request->arena, sizeof(struct webhook));
    const char *name = request_path(request, "name");
    request_ask(request, "http_webhook", false, &name, 1, on_settings);
}
