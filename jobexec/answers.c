/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "jobexec/answers.h"

#define PUT_OFF_US 1000 /* at first: a batch takes a few milliseconds */
#define PUT_OFF_MAX_US 50000

void answers_init(struct answers *answers)
{
    *answers = (struct answers){.last = NULL};
    answers->last = &answers->first;
    pthread_mutex_init(&answers->lock, NULL);
}

void answers_deinit(struct answers *answers)
{
    for (struct flight *flight = answers->first, *next; flight != NULL; flight = next) {
        next = flight->next;
        flight_free(flight);
    }
    pthread_mutex_destroy(&answers->lock);
}

/* With the lock. */
static void append(struct answers *answers, struct flight *flight)
{
    flight->next = NULL;
    *answers->last = flight;
    answers->last = &flight->next;
    answers->n_waiting++;
}

void answers_add(struct answers *answers, struct flight *flight)
{
    pthread_mutex_lock(&answers->lock);
    append(answers, flight);
    answers->n_open++;
    pthread_mutex_unlock(&answers->lock);
}

size_t answers_take(struct answers *answers, int64_t now_us, struct flight **ret_flights,
                    size_t max, int64_t *ret_next_us)
{
    size_t n = 0;
    int64_t next_us = INT64_MAX;

    pthread_mutex_lock(&answers->lock);
    struct flight **link = &answers->first;
    while (*link != NULL && n < max) {
        struct flight *flight = *link;
        if (flight->not_before_us > now_us) {
            if (flight->not_before_us < next_us)
                next_us = flight->not_before_us;
            link = &flight->next;
            continue;
        }
        *link = flight->next;
        if (answers->last == &flight->next)
            answers->last = link;
        flight->next = NULL;
        answers->n_waiting--;
        ret_flights[n++] = flight;
    }
    pthread_mutex_unlock(&answers->lock);
    *ret_next_us = next_us;
    return n;
}

void answers_put_off(struct answers *answers, struct flight *flight, int64_t now_us)
{
    int64_t wait_us = PUT_OFF_US << (flight->put_offs < 6 ? flight->put_offs : 6);

    flight->put_offs++;
    flight->not_before_us = now_us + (wait_us < PUT_OFF_MAX_US ? wait_us : PUT_OFF_MAX_US);
    pthread_mutex_lock(&answers->lock);
    append(answers, flight);
    pthread_mutex_unlock(&answers->lock);
}

void answers_done(struct answers *answers, struct flight *flight)
{
    pthread_mutex_lock(&answers->lock);
    answers->n_open--;
    pthread_mutex_unlock(&answers->lock);
    flight_free(flight);
}

size_t answers_open(struct answers *answers)
{
    pthread_mutex_lock(&answers->lock);
    size_t n = answers->n_open;
    pthread_mutex_unlock(&answers->lock);
    return n;
}
