/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The circuit breaker of an endpoint. Pure: times are given, chance too.
 *
 * Each node counts what it sees in a window of its own; when that trips, it opens the circuit for
 * all. The state is one for all nodes: a row of endpoint_state, which changes by compare and set.
 * So each function below says what the state should be next, and whoever asked learns later whether
 * it was first.
 *
 *   closed ── a window trips ──▶ open ── its time is over, a call waits ──▶ half-open
 *     ▲                           ▲                                           │   │
 *     │                           └── a probe failed: open twice as long ─────┘   │
 *     └────────────────────────────── all probes answered ────────────────────────┘
 */
#include "base/build.h"
#include "base/limits.h"

struct breaker { /* settings; sql/functions/endpoints.sql has the defaults */
    bool on;
    unsigned window_calls; /* the last calls that count; 0: window_us says */
    int64_t window_us;
    unsigned minimum;    /* with fewer calls in the window nothing happens */
    double failures;     /* share of failed calls that opens the circuit */
    int64_t slow_us;     /* a call that takes longer is slow; 0: none is */
    double slow_rate;    /* share of slow calls that opens the circuit */
    int64_t open_us;     /* at first; twice as long after each opening in a row */
    int64_t max_open_us; /* at most */
    unsigned probes;     /* calls that must be answered to close it */
};

/* ---- What one node saw ---- */

#define BREAKER_SLICES                                                                             \
    10u /* of a window of time: what is seen goes out of sight slice by slice                      \
         */

struct breaker_counts {
    unsigned n, failed, slow;
};

struct breaker_window {
    struct breaker_counts counts; /* of the calls in `calls` */
    unsigned at;                  /* where the next one goes: the oldest of a full window */
    unsigned size;                /* that `calls` was filled for */
    uint8_t calls[LIMIT_BREAKER_WINDOW];
    struct {
        int64_t number; /* time / length of a slice */
        struct breaker_counts counts;
    } slices[BREAKER_SLICES];
};

/* All zero: empty. */
void breaker_seen(struct breaker_window *window, const struct breaker *breaker, int64_t now_us,
                  bool failed, bool slow);
struct breaker_counts breaker_counts(const struct breaker_window *window,
                                     const struct breaker *breaker, int64_t now_us);
bool breaker_trips(const struct breaker *breaker, const struct breaker_counts *counts);

/* ---- What all nodes agree on ---- */

enum circuit_state { CIRCUIT_CLOSED = 0, CIRCUIT_OPEN = 1, CIRCUIT_HALF_OPEN = 2 }; /* stored */

struct circuit {
    int64_t version; /* for compare and set */
    enum circuit_state state;
    bool forced;       /* by hand, or 410: nothing here changes it */
    int64_t since_us;  /* of this phase; names it */
    int64_t broken_us; /* since when it is not closed */
    int64_t until_us;  /* open: the next probe; half-open: probes without an answer are given up */
    unsigned openings; /* in a row */
    unsigned probes;   /* half-open: that went out in this phase */
    unsigned good;     /* of them answered */
};

/* What this node's probes of a phase came to. */
struct circuit_probes {
    unsigned good, failed;
    unsigned back; /* never left, or said nothing of the service */
};

/* The window tripped. chance: 0 to 1; the time open is up to a fifth longer by it. */
struct circuit circuit_trip(const struct circuit *circuit, const struct breaker *breaker,
                            int64_t now_us, double chance);
/*
 * How many of `want` calls may leave as probes, and the state that takes them into account; 0: none
 * now. patience_us: how long they may take to answer.
 */
unsigned circuit_probe(const struct circuit *circuit, const struct breaker *breaker, int64_t now_us,
                       unsigned want, int64_t patience_us, struct circuit *ret_next);
/* Probes of this phase ended. */
struct circuit circuit_report(const struct circuit *circuit, const struct breaker *breaker,
                              const struct circuit_probes *probes, int64_t now_us, double chance);
/* Closed, because there is no breaker any more. */
struct circuit circuit_close(const struct circuit *circuit, int64_t now_us);
