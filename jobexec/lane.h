/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * An endpoint as this node sees it: what is under way, what became of the last calls, what of the
 * rate is ours. Lives as long as the executor; only configured endpoints have one.
 *
 * What the connector's and the workers' threads write is guarded by the dispatcher's lock; the rest
 * belongs to the dispatcher's thread. Times are clock_mono_us() where nothing else is said.
 */
#include "jobexec/response.h"
#include "store/call.h"
#include "store/permit.h"

struct lane {
    const char *name;  /* immutable */
    struct lane *next; /* dispatcher's */

    /* The dispatcher's. */
    bool left_alone; /* of a C delegate that is not registered here: said once */
    int64_t paced_until_us;
    struct lease lease; /* the database's time */
    double rate;        /* that it is a lease of */
    int burst;
    double retries; /* that may leave now (retry budget) */
    int64_t retries_at_us;
    struct breaker_counts told; /* with the lock, like the next */
    struct circuit_probes wished;
    /* Probes that a lost connection left in doubt, and their phase: none of them left. */
    unsigned n_doubt;
    int64_t doubt_us;

    /* Guarded by the dispatcher's lock. */
    unsigned in_flight;       /* with the connector */
    struct breaker breaker;   /* as last read */
    enum circuit_state state; /* as last read */
    int64_t phase_us;         /* the circuit's, as last read: what follows is of this phase */
    struct breaker_window window;
    bool tripped;
    bool gone; /* it wants no more webhooks */
    struct circuit_probes probes;
    int64_t hold_until_us;                   /* the service asked for it; 0: no */
    bool news;                               /* something that the other nodes do not know */
    unsigned outcomes[OUTCOMES];             /* since last told */
    int64_t last_answer_us, last_failure_us; /* 0: none since last told */
    char last_error[200];
};

/* What became of one attempt. Called once for each, with the lock. */
struct lane_saw {
    enum outcome outcome;
    int status;
    int64_t duration_us, phase_us;
    bool probe;
    bool gone; /* 410 to a signed webhook */
    const char *error;
};
void lane_saw(struct lane *lane, const struct lane_saw *saw, int64_t now_us);
/* A probe said nothing of the service: it never left. With the lock. */
void lane_probe_back(struct lane *lane, int64_t phase_us);
/* The service wants to be left alone. With the lock. */
void lane_hold(struct lane *lane, int64_t now_us, int64_t ms);

/* ---- With the lock, on the dispatcher's thread. now_us: the database's, read at read_us ---- */

/* Takes over what was read. */
void lane_adopt(struct lane *lane, const struct call_endpoint *endpoint);
/* The connection was lost: what was planned did not happen, or was undone. */
void lane_doubt(struct lane *lane, const struct call_endpoint *endpoint);
/* A wait that the others do not know yet counts here at once. */
void lane_keep_back(const struct lane *lane, struct call_endpoint *endpoint, int64_t now_us,
                    int64_t read_us);
/* Sets the endpoint's wishes for call_agree() from the news. */
void lane_wish(struct lane *lane, struct call_endpoint *endpoint, int64_t now_us, int64_t read_us,
               double chance);
/* After call_agree(): what was written is no news any more. */
void lane_agreed(struct lane *lane, const struct call_endpoint *endpoint, int64_t now_us,
                 int64_t read_us);
/* What people want to know of it, by clock_mono_us(); false: nothing new. It is told once. */
bool lane_tell(struct lane *lane, struct arena *arena, int64_t now_us, struct call_seen *ret_seen);

/* ---- The dispatcher's own, without the lock ---- */

/*
 * What its circuit and a wait that the service asked for let leave. Sets endpoint->probing and the
 * wish that goes with it. *due_us is lowered (the database's time) to when it is worth a look.
 */
unsigned lane_admit(struct call_endpoint *endpoint, unsigned want, int64_t now_us, int64_t *due_us);
/* No more than so many leave: the probes and the lease that they do not need are not wished for. */
void lane_narrow(struct call_endpoint *endpoint, unsigned want);
/* What the rate lets leave; sets the wish for a lease. */
unsigned lane_permits(struct lane *lane, struct call_endpoint *endpoint, unsigned want,
                      int64_t now_us, int64_t *due_us);
/* Sets endpoint->retries. */
void lane_budget(struct lane *lane, struct call_endpoint *endpoint, int64_t read_us);
/* After call_take(). True: it wishes to give back what it has leased and does not need. */
bool lane_took(struct lane *lane, struct call_endpoint *endpoint, int64_t now_us);
