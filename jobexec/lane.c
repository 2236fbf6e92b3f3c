/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include "base/buf.h"
#include "base/utf8.h"
#include "jobexec/lane.h"

#define HOLD_MAX_MS INT64_C(3600000) /* a service that asks for more gets this */
#define PATIENCE_US INT64_C(5000000) /* for a probe's answer, on top of its timeout */
#define RETRIES_A_SECOND 1.0         /* of each node, whatever the budget says */
#define RETRIES_SAVED 100.0          /* at most */

static bool any_probe(const struct circuit_probes *probes)
{
    return probes->good + probes->failed + probes->back != 0;
}

static bool has_news(const struct lane *lane)
{
    return lane->tripped || lane->gone || any_probe(&lane->probes) || lane->hold_until_us != 0;
}

/* ---- What was seen ---- */

/* Not what the service refuses with good reason: 4xx. */
static bool is_failure(const struct lane_saw *saw)
{
    switch (saw->outcome) {
    case OUTCOME_UNREADABLE:
    case OUTCOME_TIMEOUT:
    case OUTCOME_OFFLINE:
    case OUTCOME_FAILED:
        return true;
    case OUTCOME_STATUS:
        return saw->status >= 500 || saw->status == 429;
    case OUTCOME_ANSWERED:
    case OUTCOME_BPMN_ERROR:
    case OUTCOME_UNKNOWN:
    case OUTCOME_REFUSED:
    case OUTCOMES:
    default:
        return false;
    }
}

static void note(struct lane *lane, const struct lane_saw *saw, bool failed, int64_t now_us)
{
    lane->outcomes[saw->outcome]++;
    if (saw->outcome == OUTCOME_ANSWERED || saw->outcome == OUTCOME_BPMN_ERROR ||
        (saw->outcome == OUTCOME_STATUS && !failed)) {
        lane->last_answer_us = now_us;
        return;
    }
    lane->last_failure_us = now_us;
    if (saw->error[0] != '\0')
        snprintf(lane->last_error, sizeof(lane->last_error), "%s", saw->error);
    else if (saw->status != 0)
        snprintf(lane->last_error, sizeof(lane->last_error), "HTTP status %d", saw->status);
    else
        snprintf(lane->last_error, sizeof(lane->last_error), "%s", outcome_name(saw->outcome));
    /* It may quote the service, and have been cut inside a character: the database takes neither.
     */
    utf8_repair(lane->last_error);
}

void lane_saw(struct lane *lane, const struct lane_saw *saw, int64_t now_us)
{
    bool failed = is_failure(saw);
    bool slow = lane->breaker.slow_us > 0 && saw->duration_us > lane->breaker.slow_us;

    note(lane, saw, failed, now_us);
    if (saw->gone && saw->phase_us == lane->phase_us)
        lane->gone = lane->news = true;
    if (saw->outcome == OUTCOME_REFUSED) { /* by ourselves: it says nothing of the service */
        if (saw->probe)
            lane_probe_back(lane, saw->phase_us);
        return;
    }
    /* A probe that took longer than the others waited for it: the service works all the same. */
    bool late = saw->probe && !failed && !slow && lane->state == CIRCUIT_HALF_OPEN;
    if ((saw->phase_us != lane->phase_us && !late) || !lane->breaker.on)
        return;
    if (saw->probe) {
        if (failed || slow)
            lane->probes.failed++;
        else
            lane->probes.good++;
        lane->news = true;
    } else if (lane->state == CIRCUIT_CLOSED && !lane->tripped) {
        breaker_seen(&lane->window, &lane->breaker, now_us, failed, slow);
        struct breaker_counts counts = breaker_counts(&lane->window, &lane->breaker, now_us);
        lane->tripped = breaker_trips(&lane->breaker, &counts);
        lane->news |= lane->tripped;
    }
}

void lane_probe_back(struct lane *lane, int64_t phase_us)
{
    if (phase_us != lane->phase_us)
        return;
    lane->probes.back++;
    lane->news = true;
}

void lane_hold(struct lane *lane, int64_t now_us, int64_t ms)
{
    int64_t until_us = now_us + (ms < HOLD_MAX_MS ? ms : HOLD_MAX_MS) * 1000;

    if (until_us <= lane->hold_until_us)
        return;
    lane->hold_until_us = until_us;
    lane->news = true;
}

/* ---- What the nodes agree on ---- */

void lane_adopt(struct lane *lane, const struct call_endpoint *endpoint)
{
    lane->breaker = endpoint->breaker;
    if (endpoint->circuit.since_us != lane->phase_us || endpoint->circuit.state != lane->state) {
        lane->state = endpoint->circuit.state;
        lane->phase_us = endpoint->circuit.since_us;
        lane->window = (struct breaker_window){.size = 0};
        lane->tripped = false;
        lane->probes = (struct circuit_probes){0};
    }
    if (lane->n_doubt != 0 && lane->doubt_us == lane->phase_us)
        lane->probes.back += lane->n_doubt;
    lane->n_doubt = 0;
    lane->news = has_news(lane);
}

void lane_doubt(struct lane *lane, const struct call_endpoint *endpoint)
{
    if (!endpoint->probing)
        return;
    lane->doubt_us = endpoint->next_circuit.since_us;
    lane->n_doubt = endpoint->probes;
}

void lane_keep_back(const struct lane *lane, struct call_endpoint *endpoint, int64_t now_us,
                    int64_t read_us)
{
    int64_t until_us = now_us + (lane->hold_until_us - read_us);

    if (lane->hold_until_us != 0 && until_us > endpoint->held_us)
        endpoint->held_us = until_us;
}

void lane_wish(struct lane *lane, struct call_endpoint *endpoint, int64_t now_us, int64_t read_us,
               double chance)
{
    const struct circuit *circuit = &endpoint->circuit;

    endpoint->change = false;
    lane->wished = (struct circuit_probes){0};
    if (circuit->forced || !endpoint->configured || !endpoint->breaker.on) {
        lane->tripped = false;
        lane->probes = (struct circuit_probes){0};
    }
    if (!endpoint->configured || lane->hold_until_us <= read_us)
        lane->hold_until_us = 0;
    if (lane->hold_until_us != 0)
        endpoint->hold_us = now_us + (lane->hold_until_us - read_us);
    if (circuit->forced || !endpoint->configured) {
        lane->gone = false;
        return;
    }
    if (lane->gone) { /* Standard Webhooks: nothing is sent until somebody says so */
        endpoint->change = true;
        endpoint->next_circuit = *circuit;
        endpoint->next_circuit.state = CIRCUIT_OPEN;
        endpoint->next_circuit.forced = true;
        endpoint->next_circuit.since_us = endpoint->next_circuit.broken_us = now_us;
        endpoint->why = "410 Gone: the receiver wants no more webhooks";
    } else if (circuit->state == CIRCUIT_CLOSED && lane->tripped) {
        endpoint->change = true;
        endpoint->next_circuit = circuit_trip(circuit, &endpoint->breaker, now_us, chance);
        endpoint->why = "too many calls failed";
        struct breaker_counts counts = breaker_counts(&lane->window, &lane->breaker, read_us);
        if (counts.failed < endpoint->breaker.failures * counts.n)
            endpoint->why = "too many calls were slow";
    } else if (circuit->state == CIRCUIT_HALF_OPEN && any_probe(&lane->probes)) {
        endpoint->change = true;
        lane->wished = lane->probes;
        endpoint->next_circuit =
            circuit_report(circuit, &endpoint->breaker, &lane->probes, now_us, chance);
        if (endpoint->next_circuit.state == CIRCUIT_OPEN)
            endpoint->why = "a probe failed";
        else if (endpoint->next_circuit.state == CIRCUIT_CLOSED)
            endpoint->why = "the probes were answered";
    }
}

void lane_agreed(struct lane *lane, const struct call_endpoint *endpoint, int64_t now_us,
                 int64_t read_us)
{
    if (endpoint->kept && endpoint->hold_us == now_us + (lane->hold_until_us - read_us))
        lane->hold_until_us = 0;
    if (endpoint->changed && endpoint->circuit.forced)
        lane->gone = false;
    if (endpoint->changed) { /* probes that ended meanwhile are told next */
        lane->probes.good -= lane->wished.good;
        lane->probes.failed -= lane->wished.failed;
        lane->probes.back -= lane->wished.back;
    }
    lane->news = has_news(lane);
    lane_adopt(lane, endpoint);
}

/* ---- What people want to know ---- */

bool lane_tell(struct lane *lane, struct arena *arena, int64_t now_us, struct call_seen *ret_seen)
{
    struct buf text CLEANUP(buf_deinit);
    struct breaker_counts counts = breaker_counts(&lane->window, &lane->breaker, now_us);
    bool any = memcmp(&counts, &lane->told, sizeof(counts)) != 0;

    buf_init(&text, 0);
    for (size_t i = 1; i < OUTCOMES; i++) {
        if (lane->outcomes[i] == 0)
            continue;
        buf_printf(&text, "%s\"%s\":%u", text.len == 0 ? "{" : ",", outcome_name((enum outcome)i),
                   lane->outcomes[i]);
        lane->outcomes[i] = 0;
        any = true;
    }
    if (!any)
        return false;
    buf_add_str(&text, text.len == 0 ? "{}" : "}");
    bool answer = lane->last_answer_us != 0, failure = lane->last_failure_us != 0;
    *ret_seen = (struct call_seen){
        .name = lane->name,
        .outcomes = arena_strdup(arena, buf_str(&text)),
        .recent = counts,
        .answer_age_us = answer ? now_us - lane->last_answer_us : -1,
        .failure_age_us = failure ? now_us - lane->last_failure_us : -1,
        .last_error = failure ? arena_strdup(arena, lane->last_error) : NULL,
    };
    lane->told = counts;
    lane->last_answer_us = lane->last_failure_us = 0;
    return true;
}

/* ---- What may leave ---- */

static void sooner(int64_t *due_us, int64_t us)
{
    if (us < *due_us)
        *due_us = us;
}

unsigned lane_admit(struct call_endpoint *endpoint, unsigned want, int64_t now_us, int64_t *due_us)
{
    const struct circuit *circuit = &endpoint->circuit;

    if (endpoint->held || want == 0)
        return 0;
    if (endpoint->held_us > now_us) {
        sooner(due_us, endpoint->held_us);
        return 0;
    }
    if (circuit->state == CIRCUIT_CLOSED)
        return want;
    unsigned n = circuit_probe(circuit, &endpoint->breaker, now_us, want,
                               endpoint->timeout_us + PATIENCE_US, &endpoint->next_circuit);
    endpoint->change = endpoint->probing = n != 0;
    endpoint->probes = n;
    if (circuit->state == CIRCUIT_OPEN)
        endpoint->why = "probing";
    if (n == 0 && !circuit->forced && circuit->until_us > now_us)
        sooner(due_us, circuit->until_us);
    return n;
}

void lane_narrow(struct call_endpoint *endpoint, unsigned want)
{
    endpoint->want = want;
    if (endpoint->probing)
        endpoint->next_circuit.probes -= endpoint->probes - want;
    endpoint->probes = endpoint->probing ? want : 0;
    if (want != 0)
        return;
    endpoint->change = endpoint->probing = false;
    endpoint->lease_end_us = INT64_MIN;
}

unsigned lane_permits(struct lane *lane, struct call_endpoint *endpoint, unsigned want,
                      int64_t now_us, int64_t *due_us)
{
    if (endpoint->rate <= 0 || want == 0)
        return want;
    if (lane->rate != endpoint->rate || lane->burst != endpoint->burst) { /* it was changed */
        lane->rate = endpoint->rate;
        lane->burst = endpoint->burst;
        lane->lease = (struct lease){.next_us = INT64_MIN, .end_us = INT64_MIN};
    }
    struct lease lease = lane->lease;
    bool fresh = !lease_left(&lease, lane->rate, now_us);
    if (fresh)
        lease = lease_next(lane->rate, lane->burst, &lane->lease, endpoint->next_us, now_us,
                           endpoint->queued);
    struct permits permits = permits_now(lane->rate, lane->burst, &lease, now_us, want);
    if (permits.n == 0)
        sooner(due_us, permits.due_us);
    else if (fresh)
        endpoint->lease_end_us = lease.end_us;
    endpoint->lease_from_us = lease.next_us;
    return permits.n;
}

void lane_budget(struct lane *lane, struct call_endpoint *endpoint, int64_t read_us)
{
    double passed_s = (double)(read_us - lane->retries_at_us) / 1e6;

    endpoint->retries = -1;
    if (endpoint->retry_budget < 0)
        return;
    lane->retries_at_us = read_us;
    lane->retries += RETRIES_A_SECOND * (passed_s < RETRIES_SAVED ? passed_s : RETRIES_SAVED);
    if (lane->retries > RETRIES_SAVED)
        lane->retries = RETRIES_SAVED;
    endpoint->retries = lane->retries < 1 ? 0 : (int)lane->retries;
}

bool lane_took(struct lane *lane, struct call_endpoint *endpoint, int64_t now_us)
{
    if (endpoint->retry_budget >= 0)
        lane->retries += endpoint->retry_budget * (endpoint->taken - endpoint->retried) -
                         (double)endpoint->retried;
    if (endpoint->rate <= 0 || endpoint->want == 0)
        return false;
    permits_used(&lane->lease, lane->rate, now_us, endpoint->taken);
    /* The queue is empty: others may have the rest. */
    if (endpoint->taken == endpoint->want || endpoint->retries >= 0 ||
        !lease_left(&lane->lease, lane->rate, now_us))
        return false;
    endpoint->next_us = lane->lease.end_us;
    endpoint->lease_end_us = lane->lease.next_us > now_us ? lane->lease.next_us : now_us;
    lane->lease.end_us = lane->lease.next_us;
    return true;
}
