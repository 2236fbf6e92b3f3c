/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * One batch, seen from inside of store/. README.md in this folder draws it statement by statement.
 *
 *   worker.c   the connection, the fence, what became of a lost commit     claim.c   rows to items
 *   load.c     families are locked, then loaded                            run.c     items are
 * stepped message.c  message keys, and who gets what                             effects.c what
 * changed, as columns write.c    one statement a table, counts compared batch.c   all of it, and
 * its failures journal.c  which command killed the process                            notice.c what
 * the log wants to know
 *
 * Everything lives in the worker's arena until the next batch.
 */
#include "base/limits.h"
#include "store/deploy.h"
#include "store/journal.h"
#include "store/lanes.h"
#include "base/map.h"
#include "store/store_internal.h"

/* ---- Where commands come from ---- */

enum item_source {
    FROM_READY = 1,
    FROM_TIMER = 2,
    FROM_INBOX = 3,
    FROM_RESULT = 4,
    FROM_START_TIMER = 5,
};

enum item_state {
    ITEM_RUN = 0, /* to be carried out */
    ITEM_DONE,
    ITEM_DROPPED, /* what it addresses is gone */
    ITEM_FAILED,  /* engine_fail() took its place */
    ITEM_REFUSED, /* nothing could be done with it: an incident, or an outcome that says why */
    ITEM_PARKED,  /* its family is suspended: it waits in `parked` */
    ITEM_PUT_OFF, /* stays where it is, for a later batch */
};

struct item {
    enum item_source source;
    enum item_state state;
    struct item_key key;
    int kind; /* enum command_kind or enum inbox_kind */
    struct command command;
    struct tid tid; /* FROM_READY, FROM_INBOX, FROM_START_TIMER */
    uint32_t made;  /* FROM_READY, FROM_INBOX: the transaction that wrote this version of it */
    int lane;       /* FROM_READY, FROM_INBOX */
    int64_t id;     /* FROM_READY, FROM_INBOX */
    uint64_t xid;   /* FROM_INBOX */
    struct uuid command_id; /* FROM_INBOX: its outcome is filed under it */
    int64_t ttl_us;         /* INBOX_PUBLISH */
    int64_t asked_us;       /* FROM_INBOX: when the caller asked */
    bool retry;             /* FROM_TIMER: a failed command, not a timer event */
    int32_t remaining;      /* FROM_START_TIMER */
    int definition_id;      /* COMMAND_START */
    const char *tenant;
    const struct call_result *result;
    size_t result_index;
    struct uuid incident; /* INBOX_RETRY: the parked command is carried out; its incident goes */
    struct fam *fam;      /* NULL: addresses no instance */
    const char *reason;   /* INBOX_RETRY: why somebody asked; NULL: he did not say */
    int64_t retry_due_us; /* by hand: the row of timer of the job that it takes the place of */
    bool fail;            /* engine_fail() in place of engine_step() */
    bool park;            /* it becomes an incident at once: it has killed a process twice */
    const char *why;      /* fail, REFUSED: the error */
    enum err_code why_code;
    bool present; /* looked for after the lock, and still there */
    bool behind;  /* put off: its family asked for something before it that is not here */
};

/* ---- Families ---- */

struct row {              /* an instance's row */
    struct token *tokens; /* as they were loaded */
    size_t n_tokens;
    struct instance_row instance;
    struct tid tid;
};

/* A task or callback that ended by a command other than its own, or an external task that is
 * offered again. */
struct ended_task {
    struct uuid task;
    enum wait_kind kind;
    struct item *by;
};

/* A callback's row, as it was locked. */
struct callback_seen {
    int64_t heard_us; /* 0: never */
    bool answered;
};

struct fam {
    struct uuid root;
    uint8_t entropy[16];
    bool locked;        /* its root's row is ours */
    bool fresh;         /* a command starts it: there is no row yet */
    bool missing;       /* no row, and nobody starts it: gone */
    bool suspended;     /* by its root's row, as it was locked */
    bool ready;         /* stepped, nothing is asked for any more */
    const char *broken; /* it could not be loaded: why */
    struct item *at;    /* the item under way, or the last one */
    bool delegated;     /* a SQL delegate has run for it in this transaction */
    struct row **rows;
    size_t n_rows, rows_capacity;
    struct item **items; /* in the order in which they are carried out */
    size_t n_items, items_capacity;
    struct need *answers;
    size_t n_answers, answers_capacity;
    int64_t script_us; /* that its scripts took in this batch */
    struct ended_task *ended;
    size_t n_ended, ended_capacity;
    struct family family; /* the last run's */
    bool kept;            /* its effects are written in this batch */
};

/* ---- Messages ---- */

enum letter_mode { LETTER_ONE = 0, LETTER_ALL = 1, LETTER_CORRELATE = 2 };

/* A message that looks for a receiver in this batch. */
struct letter {
    struct uuid id;                  /* nil: a process sent it */
    const char *tenant, *name, *key; /* key NULL: any (correlate to an instance) */
    const char *body;
    size_t body_n;
    int64_t expires_us;
    enum letter_mode mode;
    struct uuid instance; /* only to this one; nil: any */
    int64_t row;          /* its row in message; 0: it has none */
    const char *receiver; /* who got it first; NULL: nobody yet */
    unsigned receivers;
    bool cut;   /* LETTER_ALL: there are more receivers than were read */
    bool lasts; /* it was to be kept for a time, be that over by now */
};

/* A row of subscription, or one that this batch makes. */
struct waiter {
    struct uuid instance, root;
    uint32_t token;
    uint32_t item; /* item_around() */
    int node;
    const char *tenant, *name, *key;
    int64_t since_us;
    struct tid tid;
    bool has_row;
    bool taken;
};

struct message_start {
    const char *tenant, *name;
    int definition_id, node;
};

/* What the engine is told of a paired message, in the ready row's detail. */
struct delivery {
    struct uuid message;
    int64_t expires_us, since_us;
    int mode;
    const char *tenant; /* not ended by a NUL */
    size_t tenant_n;
    const char *key;
};
const char *delivery_text(struct arena *arena, const struct delivery *delivery);
bool delivery_read(const char *text, struct delivery *ret_delivery);

/* ---- The batch ---- */

struct graph_ref {
    int definition_id;
    const struct graph *graph;
};

/* Where the next claim begins: worked out while a batch runs, taken over when it has ended well. */
struct claim_next {
    struct ready_read {
        bool asked;
        unsigned most, n; /* rows asked for, and read */
        int64_t last;     /* the last id */
        int64_t first;    /* the first that was to be seen behind the low mark */
    } ready[LANES];
    int64_t ready_end; /* no id is higher */
    bool deployed;     /* lanes became known: the next batch looks at them */
    struct inbox_read {
        bool asked;
        unsigned most, n;
        uint64_t last_xid; /* the last row that was read */
        int64_t last_id;
        uint64_t first; /* of the rows that were to be seen before that; UINT64_MAX: none */
        int64_t first_id;
    } inbox[LANE_SHARES];
    uint64_t inbox_xmax; /* of the snapshot before the inbox was read */
    const int64_t *inbox_flying;
    size_t n_inbox_flying;
    int64_t timer_last_us, timer_seen_us;
    bool inbox_behind; /* more wait where the next claim begins */
    bool lows;         /* ready_read.first is known */
    bool ready_limit, inbox_limit, timer_limit, starts_limit; /* there may be more */
    unsigned n_timer;
};

struct batch {
    bool locked_out; /* a family was somebody else's */
    struct store_worker *worker;
    struct conn *conn;
    struct arena *arena;
    int64_t now_us;
    int64_t number; /* of the worker: the fence's answer */
    struct item **items;
    size_t n_items, items_capacity;
    struct fam **fams;
    size_t n_fams, fams_capacity;
    struct map fams_by_root; /* -> struct fam */
    struct map graphs;       /* definition id -> struct graph_ref */
    struct graph_ref **refs;
    size_t n_refs, refs_capacity;
    struct result **results; /* freed at the end */
    size_t n_results, results_capacity;
    struct mail *mail;         /* message.c */
    int64_t script_us;         /* that scripts took so far */
    struct map tasks_answered; /* by a command of this batch, and locked: to anything */
    struct map callbacks;      /* that were locked before their family was stepped: callback_seen */
    struct map tasks_locked;   /* nobody has answered them, and nobody can now: to anything */
    struct claim_next next;
    bool keys_full; /* something was put off because of LIMIT_BATCH_KEYS */
    struct effects *effects;
    struct store_batch_report report;
};

struct item *batch_item(struct batch *batch, enum item_source source);
struct fam *batch_fam(struct batch *batch, const struct uuid *root); /* found or made */
void batch_keep(struct batch *batch, struct result *result);
/* The graph of a definition that batch_graphs() has loaded, or NULL. */
const struct graph *batch_graph(const struct batch *batch, int definition_id);
int batch_graphs(struct batch *batch, const int *ids, size_t n, struct err *err) MUST_CHECK;
void item_refuse(struct item *item, enum err_code code, const char *why);
/* Refused, it becomes an incident: nobody reads what became of it, or can ask for it again. */
bool item_needs_somebody(const struct item *item);
bool item_alive(const struct item *item); /* RUN, or carried out: not put off, dropped or refused */

/* ---- peek.c ---- */

/* What is looked for, or where, is no longer what it was: the next look reads everything. */
void peek_forget(struct store_worker *worker);

/* ---- claim.c ---- */

/* Sends begin, fence and the claims; what is claimed becomes items. ERR_CONFLICT: fenced off. */
int claim(struct batch *batch, const struct call_result *results, size_t n_results,
          struct err *err) MUST_CHECK;

/* The same of one command, by its key: no range is locked, so nobody is held up by it. */
int claim_one(struct batch *batch, const struct item_key *key, const struct call_result *results,
              size_t n_results, struct err *err) MUST_CHECK;

/* claim_items.c: rows of the claims' queries. */
void ready_item(struct batch *batch, const struct result *rows, int row);
void timer_item(struct batch *batch, const struct result *rows, int row);
void inbox_item(struct batch *batch, const struct result *rows, int row);
void start_item(struct batch *batch, const struct result *rows, int row);
void result_item(struct batch *batch, const struct call_result *result, size_t index);
/* The next answer of the claim, kept with the batch; the answers of begin and the fence. */
int claim_rows(struct batch *batch, struct result **ret_rows, struct err *err) MUST_CHECK;
int claim_fence(struct batch *batch, struct err *err) MUST_CHECK;
/* What is known of a command from earlier runs of this batch, or from the process before. */
void claim_judge(const struct store_worker *worker, struct item *item);

/* After the batch has ended well: moves the worker's cursors on, and says whether there is more. */
void claim_settle(struct batch *batch);

/* The lanes of ready that somebody may have put a row into, a bit each; and those of the inbox. */
uint64_t claim_ready_lanes(const struct store_worker *worker);
uint64_t claim_inbox_lanes(const struct store_worker *worker);
/* The lanes of ready that are looked at, and their low marks, as columns. */
void claim_lanes(const struct store_worker *worker, struct arena *arena, struct column *ret_lanes,
                 struct column *ret_lows);
/* The transactions that were open when the marks of the inbox were set. */
struct column claim_flying(const struct store_worker *worker, struct arena *arena);

/* ---- load.c ---- */

/* Locks the families of the items, loads what they address, and looks whether claimed rows are
 * still there. */
int load(struct batch *batch, struct err *err) MUST_CHECK;
int load_instances(struct batch *batch, const struct uuid *ids, size_t n,
                   struct err *err) MUST_CHECK;
/* Answers NEED_PARAMETERS. */
int load_parameters(struct batch *batch, struct need *need, struct err *err) MUST_CHECK;
int load_definitions(struct batch *batch, struct need **needs, size_t n,
                     struct err *err) MUST_CHECK;

/* ---- park.c ---- */

/* Which items wait until their family is resumed. */
void park(struct batch *batch);

/* ---- modify.c ---- */

/* Where tokens are that are modified by hand and whose job waits. */
int modify_places(struct batch *batch, struct err *err) MUST_CHECK;

/* ---- run.c ---- */

int run(struct batch *batch, struct err *err) MUST_CHECK;
void put_off_from(struct fam *fam, const struct item *item);

/* ---- script.c ---- */

/* Answers what the family asked for, or puts its command off; false: it asked for no script. */
bool script_answer(struct batch *batch, struct fam *fam);

/* ---- message.c ---- */

/* Which families fit under LIMIT_BATCH_KEYS; letters and waiters of those; the others are put off.
 */
void message_gather(struct batch *batch);
/* Locks the keys, reads who waits and what is buffered, and pairs. */
int message_pair(struct batch *batch, struct err *err) MUST_CHECK;

/* ---- effects.c, write.c ---- */

void effects_build(struct batch *batch);
int write_all(struct batch *batch, struct err *err) MUST_CHECK;

/* ---- notice.c ---- */

void notices_build(struct batch *batch);
/* Tells whoever listens of what was decided: store_worker_listen(). */
void decided_tell(struct batch *batch);

/* ---- The worker ---- */

/* What was found out about a command that the database refused for its data. */
struct verdict {
    struct item_key key;
    int level; /* 1: engine_fail(); 2: nothing is kept of it but why */
    const char *why;
};

#define ALONE_MAX 32u /* commands that run alone after one batch */

struct ready_lane {
    int64_t cursor;        /* the next claim begins behind it */
    int64_t lap_end;       /* the last id when the lap began */
    int64_t low, low_next; /* no unprocessed id is at or below, but for late commits */
};

struct inbox_lane {
    uint64_t mark;      /* transactions below have been read, but for inbox_flying … */
    int64_t mark_id;    /* and of this one the rows below */
    uint64_t after_xid; /* where the next claim begins, since more wait there; 0: at the mark */
    int64_t after_id;
    unsigned ahead; /* claims that did not begin at the mark, though nothing was put off */
};

/* What the last look saw, when it found nothing to do: see peek.c. */
struct quiet {
    char snapshot[256]; /* empty: nothing is known */
    bool twice;         /* the look before had the same one */
    uint64_t lanes;     /* that it looked at */
};

struct store_worker {
    struct store *store;
    struct conn *conn; /* NULL: lost */
    struct uuid node;
    int slot;
    struct worker_fence fence;
    int64_t number;     /* of the last batch that was fenced */
    struct arena arena; /* of the batch; reset at the beginning of the next */
    struct arena own;   /* owns this struct */
    struct journal *journal;
    store_committed_fn *committed; /* NULL: nobody listens */
    void *committed_context;
    store_script_fn *script; /* NULL: scripts can not be run here */
    void *script_context;
    /* The claims' cursors: see README.md. */
    struct ready_lane ready[LANES];
    int64_t lows_at_us; /* when low_next was seen */
    struct inbox_lane inbox[LANE_SHARES];
    int64_t *inbox_flying; /* open when the marks were set; lives in `marks` */
    size_t n_inbox_flying;
    struct arena marks;
    unsigned ready_found[LANES], inbox_found[LANE_SHARES]; /* by the last claim */
    int32_t range_key;      /* of the locks on ranges of ready and inbox */
    int64_t timer_low_us;   /* nothing is due before, but for late commits */
    bool timer_full;        /* the next claim of timers reads everything */
    int64_t timer_after_us; /* due times up to here were put off, and more wait behind them */
    unsigned most;          /* commands of the next batch: pace.h */
    bool more;              /* the last batch left something: peek.work without a look */
    unsigned n_timer;       /* found by the last claim: its share of the next */
    uint64_t deploy_xid;    /* a deployment that waits for a batch of its own */
    int64_t deploy_id;
    bool deploy_waits, withdraw; /* what waits is a withdrawal */
    /* While a batch is run again: only these, NULL = all; and what is known of some. */
    const struct item_key *only;
    size_t n_only;
    bool by_name;       /* `only` is one, and is claimed by its key */
    bool alone, guilty; /* `only` is a suspect; it becomes an incident */
    struct verdict *verdicts;
    size_t n_verdicts, verdicts_capacity;
    int64_t now_us, due_us; /* at the last look: the database's clock, when the next timer is due */
    struct quiet quiet;
    struct installation installation;
    int64_t installation_read_us; /* clock_mono_us(); 0: never */
    struct arena installation_arena;
    /* Commands that need a SQL delegate: each is claimed by name, and runs alone, next. */
    struct item_key alone_next[ALONE_MAX];
    size_t n_alone_next;
    bool delegating;            /* holds a place: see delegate.h */
    unsigned delegate_tries;    /* of the one command, when the server asks to try again */
    struct place_limit *limits; /* places.h; live in limits_arena */
    size_t n_limits;
    struct arena limits_arena;
    int64_t limits_read_us; /* clock_mono_us(); 0: never */
};
