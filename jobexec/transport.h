/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * How requests to an endpoint travel: the JSON that the SQL function api_transport() made
 * (sql/functions/endpoint_transport.sql has its members and judges them), with its secrets read.
 * One for each request, in the request's arena.
 */
#include "jobexec/egress.h"
#include "base/secret.h"

enum transport_http {
    TRANSPORT_HTTP_2 = 0, /* where TLS agrees on it, else 1.1 */
    TRANSPORT_HTTP_1_1,
    TRANSPORT_HTTP_2_PRIOR_KNOWLEDGE, /* without asking, without TLS too */
};

enum transport_auth {
    AUTH_NONE = 0,
    AUTH_BASIC,
    AUTH_BEARER,
    AUTH_API_KEY,
    AUTH_AWS_SIGV4,
    AUTH_OAUTH2_CLIENT_CREDENTIALS,
};

struct transport {
    struct {
        bool unverified;
        bool only_1_3;
        struct secret ca, certificate, key, key_password; /* PEM; text NULL: none */
    } tls;
    struct {
        const char *url; /* NULL: none */
        const char *user;
        struct secret password;
    } proxy;
    struct {
        unsigned max; /* 0: a redirect is an answer like others */
        bool other_hosts;
    } redirects;
    enum transport_http http;
    const struct egress_rule *allow;
    size_t n_allow;
    size_t max_response;   /* 0: LIMIT_RESPONSE_BYTES */
    int64_t idle_s, age_s; /* of a kept connection; 0: libcurl's 118 s, no limit */
    struct {
        enum transport_auth type;
        const char *user;             /* basic */
        struct secret secret;         /* password, token or key */
        const char *name;             /* apiKey: the header or parameter */
        bool in_query;                /* apiKey */
        const char *region, *service; /* awsSigV4 */
        struct secret access_key, session_token;
        const char *token_url, *client_id, *scope; /* oauth2ClientCredentials */
    } auth;
    const struct secret *sign; /* Standard Webhooks: with each of them */
    size_t n_sign;
    /* All that must not be seen in an answer. */
    const struct secret *secrets;
    size_t n_secrets;
};

/* json: NULL or a JSON object. The error names the option, and never a secret. */
int transport_read(struct arena *arena, const char *json, struct transport *ret_transport,
                   struct err *err) MUST_CHECK;
/* One more that must not be seen. */
void transport_hide(struct arena *arena, struct transport *transport, const struct secret *secret);
