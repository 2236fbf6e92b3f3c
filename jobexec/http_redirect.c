/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Redirects, where an endpoint wants them followed: not by libcurl, which would go to any host.
 * Each hop is a request like the first, past the same egress guard.
 */
#include "base/build.h"

#include <curl/curl.h>

#include "jobexec/http_internal.h"

struct place {
    CURLU *url;
    char *scheme, *host, *port, *text; /* libcurl's memory */
};

static void place_deinit(struct place *place)
{
    curl_free(place->scheme);
    curl_free(place->host);
    curl_free(place->port);
    curl_free(place->text);
    curl_url_cleanup(place->url);
}

/* Without the user and password that a URL may bring: credentials are the endpoint's. */
static bool place_read(struct place *place, const char *text)
{
    *place = (struct place){.url = curl_url()};
    if (place->url == NULL)
        abort(); /* out of memory */
    return curl_url_set(place->url, CURLUPART_URL, text, 0) == CURLUE_OK &&
           curl_url_set(place->url, CURLUPART_USER, NULL, 0) == CURLUE_OK &&
           curl_url_set(place->url, CURLUPART_PASSWORD, NULL, 0) == CURLUE_OK &&
           curl_url_get(place->url, CURLUPART_SCHEME, &place->scheme, 0) == CURLUE_OK &&
           curl_url_get(place->url, CURLUPART_HOST, &place->host, 0) == CURLUE_OK &&
           curl_url_get(place->url, CURLUPART_PORT, &place->port, CURLU_DEFAULT_PORT) ==
               CURLUE_OK &&
           curl_url_get(place->url, CURLUPART_URL, &place->text, 0) == CURLUE_OK;
}

static bool same_host(const struct place *from, const struct place *to)
{
    bool upgrade = strcmp(from->scheme, "http") == 0 && strcmp(to->scheme, "https") == 0;

    return curl_strequal(from->host, to->host) != 0 &&
           (upgrade || strcmp(from->port, to->port) == 0);
}

/* Goes there, or says in exchange->error why not. */
static bool follow(struct http_exchange *exchange, const struct place *from, const struct place *to)
{
    const struct transport *transport = exchange->transport;
    const char *why = NULL;
    bool same = same_host(from, to);

    if (exchange->hops >= transport->redirects.max)
        why = "that is one redirect too many (redirects.max)";
    else if (strcmp(to->scheme, "https") != 0 && strcmp(to->scheme, "http") != 0)
        why = "that is not HTTP";
    else if (strcmp(from->scheme, "https") == 0 && strcmp(to->scheme, "http") == 0)
        why = "that leaves TLS";
    else if (!same && !transport->redirects.other_hosts)
        why = "that is another host (redirects.otherHosts)";
    if (why != NULL) {
        snprintf(exchange->error, sizeof(exchange->error),
                 "HTTP status %d: redirects to %s://%.200s:%s; %s", exchange->status, to->scheme,
                 to->host, to->port, why);
        return false;
    }
    exchange->hops++;
    exchange->foreign |= !same;
    exchange->url = arena_strdup(exchange->arena, to->text);
    bool post = strcmp(exchange->method, "POST") == 0;
    bool head = strcmp(exchange->method, "HEAD") == 0;
    if ((exchange->status == 303 && !head) || (post && exchange->status <= 302)) {
        exchange->method = "GET"; /* what is done is done; now look at it */
        exchange->body = NULL;
        exchange->body_n = 0;
    }
    return true;
}

bool http_redirect(struct http_exchange *exchange)
{
    struct place from, to;
    char *target = NULL;
    bool followed = false;

    if (exchange->transport->redirects.max == 0 || exchange->status < 301 ||
        exchange->status > 308 || exchange->status == 304)
        return false;
    curl_easy_getinfo(exchange->easy, CURLINFO_REDIRECT_URL, &target);
    if (target == NULL)
        return false;
    bool here = place_read(&from, exchange->url), there = place_read(&to, target);
    if (here && there)
        followed = follow(exchange, &from, &to);
    else
        snprintf(exchange->error, sizeof(exchange->error),
                 "HTTP status %d: redirects to what is no URL", exchange->status);
    place_deinit(&from);
    place_deinit(&to);
    return followed;
}
