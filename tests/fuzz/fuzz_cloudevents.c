/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/utf8.h"
#include "server/webhook.h"
#include "tests/fuzz/exchange.h"
#include "tests/fuzz/fuzz.h"

/*
 * CloudEvents over HTTP, structured, as a batch, or binary. Each is refused with words, or becomes
 * JSON that the database reads; in binary mode that JSON has the attributes that came as headers,
 * each of them, and the data that came as the body, and nothing else.
 */

static bool is_whole(const struct message *message)
{
    const char *type = message_header(message, "Content-Type");

    return type != NULL && strncasecmp(type, "application/cloudevents", 23) == 0;
}

static size_t attributes(const struct message *message)
{
    size_t n = 0;

    for (size_t i = 0; i < message->n_headers; i++)
        n += message->headers[i].name_n > 3 && strncasecmp(message->headers[i].name, "ce-", 3) == 0;
    return n;
}

/* A member that is there twice would say two things; those of the data are not ours. */
static json_t *read_event(const struct exchange *exchange, const char *text)
{
    const char *raw = buf_str(&exchange->request.body);
    size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_t *event = json_loads(text, flags, NULL), *data = json_loads(raw, flags, NULL);

    assert(event != NULL || data == NULL);
    if (event == NULL)
        event = json_loads(text, JSON_DECODE_ANY, NULL);
    json_decref(data);
    return event;
}

static void judge_binary(const struct exchange *exchange, const char *text)
{
    const struct message *message = &exchange->message;
    json_t *event = read_event(exchange, text);
    const json_t *data = json_object_get(event, "data");
    const json_t *base64 = json_object_get(event, "data_base64");

    assert(json_is_object(event));
    assert(json_object_size(event) == attributes(message) + (data != NULL) + (base64 != NULL));
    assert((data != NULL) + (base64 != NULL) == (message->body_n > 0));
    if (exchange->request.json != NULL) /* number for number */
        assert(strstr(text, buf_str(&exchange->request.body)) != NULL);
    json_decref(event);
}

static void judge(const struct exchange *exchange)
{
    const struct response *response = &exchange->request.response;

    assert(exchange->answers + exchange->questions == 1);
    if (exchange->answers == 1) {
        assert(response->status >= 400 && response->status < 500 && response->body.len > 0);
        return;
    }
    const char *text = exchange->params[1];
    assert(strcmp(exchange->query, "http_cloudevents") == 0 && exchange->n_params == 2);
    assert(utf8_valid(text, strlen(text)));
    if (!is_whole(&exchange->message))
        judge_binary(exchange, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct exchange exchange;

    if (exchange_begin(&exchange, data, size)) {
        exchange.request.path[0] = (struct pair){"bus", "default"};
        exchange.request.n_path = 1;
        cloudevents_receive(&exchange.request);
        judge(&exchange);
    }
    exchange_end(&exchange);
    return 0;
}
