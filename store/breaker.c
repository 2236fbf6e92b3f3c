/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "store/breaker.h"

#define CALL_FAILED 1u
#define CALL_SLOW 2u
/* Of the time that a circuit is open: nodes and endpoints shall not go in step. */
#define JITTER 0.2

/* ---- What one node saw ---- */

static void count(struct breaker_counts *counts, unsigned call)
{
    counts->n++;
    counts->failed += (call & CALL_FAILED) != 0;
    counts->slow += (call & CALL_SLOW) != 0;
}

static void seen_in_calls(struct breaker_window *window, unsigned size, unsigned call)
{
    if (size > LIMIT_BREAKER_WINDOW)
        size = LIMIT_BREAKER_WINDOW;
    if (window->size != size) { /* the setting changed: begin anew */
        window->counts = (struct breaker_counts){0};
        window->at = 0;
        window->size = size;
    }
    if (window->counts.n == size) {
        unsigned old = window->calls[window->at];
        window->counts.n--;
        window->counts.failed -= (old & CALL_FAILED) != 0;
        window->counts.slow -= (old & CALL_SLOW) != 0;
    }
    window->calls[window->at] = (uint8_t)call;
    window->at = (window->at + 1) % size;
    count(&window->counts, call);
}

static int64_t slice_number(const struct breaker *breaker, int64_t now_us)
{
    int64_t length_us = breaker->window_us / BREAKER_SLICES;

    return now_us / (length_us > 0 ? length_us : 1);
}

void breaker_seen(struct breaker_window *window, const struct breaker *breaker, int64_t now_us,
                  bool failed, bool slow)
{
    unsigned call = (failed ? CALL_FAILED : 0) | (slow ? CALL_SLOW : 0);

    if (breaker->window_calls != 0) {
        seen_in_calls(window, breaker->window_calls, call);
        return;
    }
    int64_t number = slice_number(breaker, now_us);
    size_t i = (size_t)((uint64_t)number % BREAKER_SLICES);
    if (window->slices[i].number != number) {
        window->slices[i].number = number;
        window->slices[i].counts = (struct breaker_counts){0};
    }
    count(&window->slices[i].counts, call);
}

struct breaker_counts breaker_counts(const struct breaker_window *window,
                                     const struct breaker *breaker, int64_t now_us)
{
    struct breaker_counts sum = {0};

    if (breaker->window_calls != 0)
        return window->counts;
    int64_t number = slice_number(breaker, now_us);
    for (size_t i = 0; i < BREAKER_SLICES; i++) {
        if (window->slices[i].number <= number - (int64_t)BREAKER_SLICES ||
            window->slices[i].number > number)
            continue;
        sum.n += window->slices[i].counts.n;
        sum.failed += window->slices[i].counts.failed;
        sum.slow += window->slices[i].counts.slow;
    }
    return sum;
}

bool breaker_trips(const struct breaker *breaker, const struct breaker_counts *counts)
{
    /* A window of fewer calls than the minimum is full before it. */
    unsigned minimum = breaker->minimum;
    if (breaker->window_calls != 0 && breaker->window_calls < minimum)
        minimum = breaker->window_calls;
    if (!breaker->on || counts->n == 0 || counts->n < minimum)
        return false;
    return counts->failed >= breaker->failures * counts->n ||
           (breaker->slow_us > 0 && counts->slow >= breaker->slow_rate * counts->n);
}

/* ---- What all nodes agree on ---- */

static struct circuit opened(const struct circuit *circuit, const struct breaker *breaker,
                             int64_t now_us, double chance)
{
    struct circuit next = *circuit;
    int64_t open_us = breaker->open_us;

    for (unsigned i = 0; i < circuit->openings && open_us < breaker->max_open_us; i++)
        open_us *= 2;
    if (open_us > breaker->max_open_us)
        open_us = breaker->max_open_us;
    next.state = CIRCUIT_OPEN;
    next.since_us = now_us;
    next.until_us = now_us + open_us + (int64_t)(JITTER * chance * (double)open_us);
    next.openings++;
    next.probes = next.good = 0;
    return next;
}

struct circuit circuit_trip(const struct circuit *circuit, const struct breaker *breaker,
                            int64_t now_us, double chance)
{
    struct circuit next = opened(circuit, breaker, now_us, chance);

    next.broken_us = now_us;
    return next;
}

unsigned circuit_probe(const struct circuit *circuit, const struct breaker *breaker, int64_t now_us,
                       unsigned want, int64_t patience_us, struct circuit *ret_next)
{
    struct circuit next = *circuit;

    if (circuit->forced || circuit->state == CIRCUIT_CLOSED || want == 0)
        return 0;
    if (circuit->until_us <= now_us) { /* whoever had the probes of the last phase is gone */
        next.state = CIRCUIT_HALF_OPEN;
        next.since_us = now_us;
        next.probes = next.good = 0;
    } else if (circuit->state == CIRCUIT_OPEN) {
        return 0;
    }
    unsigned left = breaker->probes > next.probes ? breaker->probes - next.probes : 0;
    unsigned granted = want < left ? want : left;
    if (granted == 0)
        return 0;
    next.probes += granted;
    next.until_us = now_us + patience_us;
    *ret_next = next;
    return granted;
}

struct circuit circuit_report(const struct circuit *circuit, const struct breaker *breaker,
                              const struct circuit_probes *probes, int64_t now_us, double chance)
{
    struct circuit next = *circuit;

    if (probes->failed != 0)
        return opened(circuit, breaker, now_us, chance);
    next.good += probes->good;
    next.probes -= probes->back < next.probes ? probes->back : next.probes;
    return next.good >= breaker->probes ? circuit_close(&next, now_us) : next;
}

struct circuit circuit_close(const struct circuit *circuit, int64_t now_us)
{
    return (struct circuit){.version = circuit->version,
                            .state = CIRCUIT_CLOSED,
                            .since_us = now_us,
                            .broken_us = circuit->broken_us,
                            .until_us = INT64_MIN};
}
