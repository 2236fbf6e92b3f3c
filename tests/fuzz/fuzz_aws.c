/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/utf8.h"
#include "server/aws.h"
#include "tests/fuzz/exchange.h"
#include "tests/fuzz/fuzz.h"

/*
 * A request of AWS's clients: what it asks, and its body. Each is answered in AWS's words, at once
 * or by what the database says, whatever that is. (fuzz_sigv4 has the signatures.)
 */

static void judge_answer(const struct exchange *exchange)
{
    const struct response *response = &exchange->request.response;
    json_error_t error;
    json_t *body = json_loadb(buf_str(&response->body), response->body.len, 0, &error);

    assert(exchange->answers == 1 && json_is_object(body));
    assert(strncmp(response->content_type, "application/x-amz-json-1.", 25) == 0);
    assert(response->n_extra > 0 && response->n_extra <= RESPONSE_EXTRA_MAX);
    if (response->status != 200) {
        const char *type = json_string_value(json_object_get(body, "__type"));
        assert(response->status >= 400 && type != NULL && type[0] != '\0');
        assert(json_is_string(json_object_get(body, "message")));
        assert(strcmp(response->extra[response->n_extra - 1].value, type) == 0);
    }
    json_decref(body);
}

/* The statement gets the body as it came, which is a JSON object. */
static void judge_question(const struct exchange *exchange)
{
    const struct request *request = &exchange->request;

    assert(exchange->n_params == 1);
    if (strcmp(exchange->query, "http_access_key") == 0)
        return;
    assert(strcmp(exchange->params[0], buf_str(&request->body)) == 0);
    assert(json_is_object(request->json) &&
           utf8_valid(exchange->params[0], strlen(exchange->params[0])));
}

static void answer(struct exchange *exchange, uint8_t which)
{
    static const struct desk_answer all[] = {
        {.status = 200, .body = "{}", .n = 2},
        {.sqlstate = "PW001", .message = "there is none"},
        {.sqlstate = "PW003", .message = "that cannot be", .hint = "so it can"},
        {.sqlstate = "42501", .message = "he may not"},
        {.sqlstate = "22P02", .message = "no JSON"},
        {.sqlstate = DESK_AWAY, .message = "away"},
        {.sqlstate = "XX000", .message = "a bug"},
    };

    exchange->then(&exchange->request, &all[which % ARRAY_LEN(all)]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct operation operation = {.dialect = DIALECT_OWN, .problem = aws_problem};
    struct exchange exchange;

    if (exchange_begin(&exchange, data, size)) {
        exchange.request.dialect = DIALECT_OWN;
        exchange.request.operation = &operation;
        aws_handle(&exchange.request);
        assert(exchange.answers + exchange.questions == 1);
        if (exchange.questions == 1) {
            judge_question(&exchange);
            answer(&exchange, data[size - 1]);
        }
        judge_answer(&exchange);
    }
    exchange_end(&exchange);
    return 0;
}
