/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/limits.h"
#include "engine/value.h"
#include "jobexec/transport.h"

/* What is being read. SQL has judged it already; what is wrong all the same is an error, too. */
struct reader {
    struct arena *arena;
    struct transport *transport;
    struct err *err;
};

static const struct value *member(const struct value *object, const char *name)
{
    const struct value *value = NULL;

    if (object != NULL && object->kind == VALUE_OBJECT)
        value = value_member(object, name, strlen(name));
    return value != NULL && value->kind != VALUE_NULL ? value : NULL;
}

static const char *text_of(const struct value *object, const char *name)
{
    const struct value *value = member(object, name);

    return value != NULL && value->kind == VALUE_STRING ? value->u.string.text : NULL;
}

static bool flag_of(const struct value *object, const char *name, bool otherwise)
{
    const struct value *value = member(object, name);

    return value != NULL && value->kind == VALUE_BOOL ? value->u.boolean : otherwise;
}

static int64_t number_of(const struct value *object, const char *name, int64_t most)
{
    const struct value *value = member(object, name);

    if (value == NULL || value->kind != VALUE_NUMBER || !value->u.number.is_integer ||
        value->u.number.integer < 0)
        return 0;
    return value->u.number.integer < most ? value->u.number.integer : most;
}

static bool is(const char *text, const char *other)
{
    return text != NULL && strcmp(text, other) == 0;
}

void transport_hide(struct arena *arena, struct transport *transport, const struct secret *secret)
{
    struct secret *grown = arena_array(arena, transport->n_secrets + 1, sizeof(*grown));

    if (transport->n_secrets != 0)
        memcpy(grown, transport->secrets, transport->n_secrets * sizeof(*grown));
    grown[transport->n_secrets++] = *secret;
    transport->secrets = grown;
}

/* Reads the secret that a member names; none if there is no such member. option: "tls.ca". */
static int secret_of(struct reader *reader, const struct value *object, const char *option,
                     struct secret *ret_secret)
{
    const char *reference = text_of(object, strchr(option, '.') + 1);

    if (reference == NULL)
        return 0;
    if (secret_read(reader->arena, option, reference, ret_secret, reader->err) < 0)
        return err_trace(reader->err);
    return 0;
}

/* One that is needed, and must not be seen. */
static int hidden_of(struct reader *reader, const struct value *object, const char *option,
                     struct secret *ret_secret)
{
    if (secret_of(reader, object, option, ret_secret) < 0)
        return err_trace(reader->err);
    if (ret_secret->text == NULL)
        return err_set(reader->err, ERR_INVALID, "%s is missing", option);
    if (strpbrk(ret_secret->text, "\r\n") != NULL)
        return err_set(reader->err, ERR_INVALID, "%s has more than one line", option);
    transport_hide(reader->arena, reader->transport, ret_secret);
    return 0;
}

static int read_tls(struct reader *reader, const struct value *tls)
{
    struct transport *transport = reader->transport;

    transport->tls.unverified = !flag_of(tls, "verify", true);
    transport->tls.only_1_3 = is(text_of(tls, "minVersion"), "1.3");
    if (secret_of(reader, tls, "tls.ca", &transport->tls.ca) < 0 ||
        secret_of(reader, tls, "tls.certificate", &transport->tls.certificate) < 0 ||
        secret_of(reader, tls, "tls.key", &transport->tls.key) < 0 ||
        secret_of(reader, tls, "tls.keyPassword", &transport->tls.key_password) < 0)
        return err_trace(reader->err);
    return 0;
}

static int read_proxy(struct reader *reader, const struct value *proxy)
{
    struct transport *transport = reader->transport;

    transport->proxy.url = text_of(proxy, "url");
    transport->proxy.user = text_of(proxy, "user");
    if (transport->proxy.user != NULL &&
        hidden_of(reader, proxy, "proxy.password", &transport->proxy.password) < 0)
        return err_trace(reader->err);
    return 0;
}

static int read_allow(struct reader *reader, const struct value *allow)
{
    size_t n = allow != NULL && allow->kind == VALUE_ARRAY ? allow->u.array.n : 0;

    if (n > LIMIT_EGRESS_RULES)
        return err_set(reader->err, ERR_LIMIT, "allow has more than %u networks",
                       LIMIT_EGRESS_RULES);
    struct egress_rule *rules = arena_array(reader->arena, n, sizeof(*rules));
    for (size_t i = 0; i < n; i++) {
        const struct value *item = &allow->u.array.items[i];
        if (egress_rule_read(item->kind == VALUE_STRING ? item->u.string.text : "", &rules[i],
                             reader->err) < 0)
            return err_trace(reader->err);
    }
    reader->transport->allow = rules;
    reader->transport->n_allow = n;
    return 0;
}

static int read_auth(struct reader *reader, const struct value *auth)
{
    struct transport *transport = reader->transport;
    const char *type = text_of(auth, "type");
    int result = 0;

    transport->auth.user = text_of(auth, "user");
    transport->auth.name = text_of(auth, "name");
    transport->auth.in_query = is(text_of(auth, "in"), "query");
    transport->auth.region = text_of(auth, "region");
    transport->auth.service = text_of(auth, "service");
    transport->auth.token_url = text_of(auth, "tokenUrl");
    transport->auth.client_id = text_of(auth, "clientId");
    transport->auth.scope = text_of(auth, "scope");
    if (auth == NULL)
        return 0;
    if (is(type, "basic") && transport->auth.user != NULL) {
        transport->auth.type = AUTH_BASIC;
        result = hidden_of(reader, auth, "auth.password", &transport->auth.secret);
    } else if (is(type, "bearer")) {
        transport->auth.type = AUTH_BEARER;
        result = hidden_of(reader, auth, "auth.token", &transport->auth.secret);
    } else if (is(type, "apiKey") && transport->auth.name != NULL) {
        transport->auth.type = AUTH_API_KEY;
        result = hidden_of(reader, auth, "auth.key", &transport->auth.secret);
    } else if (is(type, "awsSigV4") && transport->auth.region != NULL &&
               transport->auth.service != NULL) {
        transport->auth.type = AUTH_AWS_SIGV4;
        result = hidden_of(reader, auth, "auth.secretKey", &transport->auth.secret);
        if (result == 0)
            result = hidden_of(reader, auth, "auth.accessKey", &transport->auth.access_key);
        if (result == 0 && member(auth, "sessionToken") != NULL)
            result = hidden_of(reader, auth, "auth.sessionToken", &transport->auth.session_token);
    } else if (is(type, "oauth2ClientCredentials") && transport->auth.token_url != NULL &&
               transport->auth.client_id != NULL) {
        transport->auth.type = AUTH_OAUTH2_CLIENT_CREDENTIALS;
        result = hidden_of(reader, auth, "auth.clientSecret", &transport->auth.secret);
    } else {
        return err_set(reader->err, ERR_INVALID, "auth.type is unknown or lacks its members");
    }
    return result < 0 ? err_trace(reader->err) : 0;
}

static int read_sign(struct reader *reader, const struct value *sign)
{
    const struct value *list = member(sign, "secret");
    size_t n = list != NULL && list->kind == VALUE_ARRAY ? list->u.array.n : 0;
    struct secret *secrets = arena_array(reader->arena, n, sizeof(*secrets));

    for (size_t i = 0; i < n; i++) {
        const struct value *item = &list->u.array.items[i];
        const char *reference = item->kind == VALUE_STRING ? item->u.string.text : "";
        if (secret_read(reader->arena, "sign.secret", reference, &secrets[i], reader->err) < 0)
            return err_trace(reader->err);
        transport_hide(reader->arena, reader->transport, &secrets[i]);
    }
    reader->transport->sign = secrets;
    reader->transport->n_sign = n;
    return 0;
}

int transport_read(struct arena *arena, const char *json, struct transport *ret_transport,
                   struct err *err)
{
    struct transport transport = {0};
    struct reader reader = {.arena = arena, .transport = &transport, .err = err};
    struct value options;

    if (json == NULL) {
        *ret_transport = transport;
        return 0;
    }
    if (value_read(arena, json, strlen(json), &options, err) < 0)
        return err_trace(err);
    const char *http = text_of(&options, "http");
    transport.http = is(http, "1.1")                 ? TRANSPORT_HTTP_1_1
                     : is(http, "2-prior-knowledge") ? TRANSPORT_HTTP_2_PRIOR_KNOWLEDGE
                                                     : TRANSPORT_HTTP_2;
    const struct value *redirects = member(&options, "redirects");
    transport.redirects.max = (unsigned)number_of(redirects, "max", LIMIT_REDIRECTS);
    transport.redirects.other_hosts = flag_of(redirects, "otherHosts", false);
    transport.max_response = (size_t)number_of(&options, "maxResponse", LIMIT_RESPONSE_BYTES);
    const struct value *connections = member(&options, "connections");
    transport.idle_s = number_of(connections, "idle", INT32_MAX);
    transport.age_s = number_of(connections, "age", INT32_MAX);
    if (read_tls(&reader, member(&options, "tls")) < 0 ||
        read_proxy(&reader, member(&options, "proxy")) < 0 ||
        read_allow(&reader, member(&options, "allow")) < 0 ||
        read_auth(&reader, member(&options, "auth")) < 0 ||
        read_sign(&reader, member(&options, "sign")) < 0)
        return err_trace(err);
    *ret_transport = transport;
    return 0;
}
