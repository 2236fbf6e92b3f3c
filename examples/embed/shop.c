/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A shop with the process engine inside of it. An order charges a card with the C function below
 * and waits for somebody to pack it. README.md in this folder goes through it.
 *
 *     example_embed CONNINFO order.bpmn [ORDERS]
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pawl.h"

/* What the function works on. It is called on several threads at a time, hence the lock. */
struct bank {
    pthread_mutex_t lock;
    unsigned charged, declined, failed; /* guarded by lock */
};

/*
 * The delegate. A real bank would be given pawl_job_id() as its idempotency key, so that a second
 * attempt does not charge twice.
 */
static void charge(struct pawl_job *job, void *context)
{
    struct bank *bank = context;
    const char *arguments = pawl_job_arguments(job); /* {"order": "…", "cents": …} */
    const char *cents = strstr(arguments, "\"cents\":");
    long amount = cents != NULL ? strtol(cents + strlen("\"cents\":"), NULL, 10) : 0;
    char receipt[200];

    pthread_mutex_lock(&bank->lock);
    if (amount > 100000)
        bank->declined++;
    else if (pawl_job_attempt(job) == 1 && amount % 2 != 0)
        bank->failed++; /* this bank is away now and then: the next attempt works */
    else
        bank->charged++;
    pthread_mutex_unlock(&bank->lock);
    if (amount > 100000) {
        pawl_job_throw(job, "DECLINED", "this is more than the card allows");
    } else if (pawl_job_attempt(job) == 1 && amount % 2 != 0) {
        pawl_job_fail(job, "the bank does not answer");
    } else {
        snprintf(receipt, sizeof(receipt), "{\"receipt\": \"R-%.8s\", \"attempt\": %u}",
                 pawl_job_id(job), pawl_job_attempt(job));
        pawl_job_succeed(job, receipt);
    }
}

static int say(const char *what, const struct pawl_error *error)
{
    fprintf(stderr, "%s: %s\n", what, error->text);
    return -1;
}

/* The id behind "task_id": in the JSON of a task. A program would use its JSON library. */
static const char *find_task(const char *tasks, char id[PAWL_ID_BYTES])
{
    const char *at = strstr(tasks, "\"task_id\":\"");

    if (at == NULL)
        return NULL;
    snprintf(id, PAWL_ID_BYTES, "%s", at + strlen("\"task_id\":\""));
    return id;
}

/* Packs the order, if it came so far, and waits for its end. */
static int finish(struct pawl_session *session, const char *instance, struct pawl_error *error)
{
    char task[PAWL_ID_BYTES], command[PAWL_ID_BYTES];
    char *json;

    for (int i = 0; i < 600; i++) {
        if (pawl_tasks(session, instance, &json, error) < 0)
            return -1;
        const char *found = find_task(json, task);
        pawl_free(json);
        if (found != NULL && pawl_complete(session, task, "{\"packed\": true}", command, error) < 0)
            return -1;
        if (pawl_await(session, instance, found != NULL ? 5000 : 50, &json, error) < 0)
            return -1;
        int ended = strstr(json, "\"state\":\"completed\"") != NULL;
        pawl_free(json);
        if (ended)
            return 0;
    }
    snprintf(error->text, sizeof(error->text), "order %s does not end", instance);
    return -1;
}

static int run_orders(struct pawl *pawl, const char *model, int n, struct pawl_error *error)
{
    char(*orders)[PAWL_ID_BYTES] = calloc((size_t)n, sizeof(*orders));
    struct pawl_session *session = NULL;
    char key[40], variables[80];
    int rc = orders == NULL ? -1 : pawl_session_open(pawl, &session, error);

    if (rc == 0)
        rc = pawl_deploy(session, &model, 1, 10000, error);
    for (int i = 0; rc == 0 && i < n; i++) {
        snprintf(key, sizeof(key), "order-%d", i + 1);
        snprintf(variables, sizeof(variables), "{\"cents\": %d}", i == 0 ? 250000 : 1000 + i);
        rc = pawl_start_instance(session, "embedded-order", key, variables, orders[i], error);
    }
    for (int i = 0; rc == 0 && i < n; i++)
        rc = finish(session, orders[i], error);
    pawl_session_close(session);
    free(orders);
    return rc;
}

int main(int argc, char **argv)
{
    struct bank bank = {.charged = 0};
    struct pawl_error error = {.text = ""};
    struct pawl *pawl;
    int n = argc > 3 ? atoi(argv[3]) : 10;

    if (argc < 3 || n < 1) {
        fprintf(stderr, "usage: %s CONNINFO order.bpmn [ORDERS]\n", argv[0]);
        return 2;
    }
    struct pawl_options options = {
        .conninfo = argv[1], .schema = getenv("PAWL_SCHEMA"), .log_level = "warn"};
    pthread_mutex_init(&bank.lock, NULL);
    if (pawl_migrate(&options, &error) < 0 || pawl_open(&options, &pawl, &error) < 0)
        return say("cannot open the engine", &error) < 0;
    int rc = pawl_register(pawl, "charge", charge, &bank, &error);
    if (rc == 0)
        rc = pawl_start(pawl, &error);
    if (rc == 0)
        rc = run_orders(pawl, argv[2], n, &error);
    pawl_close(pawl);
    if (rc < 0)
        return say("it did not work", &error) < 0;
    printf("%d orders: %u charged, %u declined; the bank was away %u times\n", n, bank.charged,
           bank.declined, bank.failed);
    pthread_mutex_destroy(&bank.lock);
    return 0;
}
