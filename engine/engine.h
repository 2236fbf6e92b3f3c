/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The engine core: step(graph, state, command, now) -> state', effects. Pure: no I/O, clock,
 * random, lock, log, heap or global. Time, entropy and everything that lies outside of the family
 * come in; everything that shall happen outside goes out as data. One thread at a time works on a
 * family.
 *
 * A family is a root instance and all that its call activities started. Its state is one document
 * an instance (tokens, waits, scopes, fired calls) plus the process variables. What waits outside
 * of the document (timers, subscriptions, tasks, calls) are rows that index it: the store writes
 * the difference between the waits that were loaded and those at the end of the batch.
 */
#include "base/map.h"
#include "engine/graph.h"

/* ---- Commands: all that can happen to one instance. Numbers are stored; never renumber. ---- */

enum command_kind {
    COMMAND_START = 1,          /* `instance` begins at `node` of `graph`; body: variables */
    COMMAND_CONTINUE = 2,       /* a READY token goes on at `node` in `phase` */
    COMMAND_TIMER = 3,          /* wait (token, node) is due; node is the timer event's */
    COMMAND_MESSAGE = 4,        /* wait (token, node) got its message `name`; body: variables */
    COMMAND_TASK_COMPLETE = 5,  /* task `subject` is done; body: variables */
    COMMAND_TASK_ERROR = 6,     /* the same, with BPMN error `name` and its text `detail` */
    COMMAND_CALL_SENT = 7,      /* call `subject` left at due_us */
    COMMAND_CALL_RESULT = 8,    /* call `subject` ended; body: the `response` object */
    COMMAND_CANCEL = 9,         /* the whole instance (and what it called); detail: reason */
    COMMAND_SET_VARIABLES = 10, /* body: variables of the process scope */
    /* External task `subject`: what its worker answered; body as external.c says, of ERROR
     * variables.
     */
    COMMAND_EXTERNAL_COMPLETE = 11,
    /*
     * By hand, at the element `name`; detail: why. body: {"token":n,"variables":{…}}, each if
     * given. token, node, phase: of a token whose job waits there; node -1: it is in the document.
     */
    COMMAND_SKIP = 12,             /* the element is left as if it were done */
    COMMAND_MOVE = 13,             /* body also: {"to":element,"after":bool} */
    COMMAND_COMPLETE_ELEMENT = 14, /* body also: {"response":{…}}, what a call is answered */
    COMMAND_EXTERNAL_ERROR = 20,   /* BPMN error `name` and its text `detail` */
    COMMAND_EXTERNAL_FAILURE = 21, /* a try failed; without retries left it is an incident */
    COMMAND_EXTERNAL_OFFER = 22,   /* workers may fetch it again */
    /* Callback `subject`: what callback.c says of the bodies. */
    COMMAND_CALLBACK_SUCCEED = 23,
    COMMAND_CALLBACK_FAIL = 24,  /* with the error `name` and its cause `detail`; may be NULL */
    COMMAND_CALLBACK_TIMER = 25, /* it is late, unless somebody was heard since: heard_us */
    COMMAND_CALLBACK_AGAIN = 26, /* its task is begun anew, with another token */
    COMMAND_LEVEL = 31,          /* (token, node), or with token 0 the instance, lasts too long */
};

/* How what such a command brings to the node must be; NULL: as it likes. */
const struct input *input_of(const struct graph *graph, const struct node *node,
                             enum command_kind kind);

enum command_phase {
    PHASE_BEFORE = 0, /* asyncBefore: the node is entered now */
    PHASE_AFTER = 1,  /* asyncAfter: the node is left now */
    PHASE_CALL = 2,   /* the token waits at `node`; its failed call is sent again */
    PHASE_ENTER = 3,  /* goes on later after a used-up step budget: arrive at `node` afresh */
};

struct command {
    enum command_kind kind;
    struct uuid instance, root;
    uint32_t token;
    int node;
    enum command_phase phase;
    uint32_t tries;            /* failures so far */
    struct uuid subject;       /* task, external task or call */
    const char *name, *detail; /* may be NULL */
    const char *body;          /* JSON text or NULL */
    size_t body_n;
    int64_t due_us;
    int64_t heard_us;  /* COMMAND_CALLBACK_TIMER: the last heartbeat; 0: none yet */
    const char *actor; /* who asked; NULL: the engine */
    /* Set first, seen from where the command acts outward: command_correct(). NULL: none. */
    const char *variables;
    size_t variables_n;
    /* COMMAND_START */
    const struct graph *graph;
    const char *business_key, *tenant;
    /* The store's own: where the command came from. The engine copies it, and never looks. */
    void *origin;
};

/* ---- State ---- */

enum token_state {
    TOKEN_READY = 1, /* its job (ready, retry timer or incident) knows where it is */
    TOKEN_WAIT = 2,  /* at `node`, for one of its waits */
    TOKEN_JOIN = 3,  /* arrived at a parallel gateway */
    TOKEN_SCOPE = 4, /* its sub-process runs in scope `child` */
};

struct token {
    uint32_t id;
    uint32_t scope; /* the scope that it moves in */
    enum token_state state;
    int node;         /* -1 while READY */
    uint32_t local;   /* scope with the activity's local variables (inputOutput); 0: none */
    uint32_t child;   /* TOKEN_SCOPE */
    uint32_t item;    /* of a multi-instance activity: its number, from 1; 0: no item */
    int64_t since_us; /* when it came to its node */
};

enum wait_kind {
    WAIT_TIMER = 1,
    WAIT_MESSAGE = 2,
    WAIT_TASK = 3,
    WAIT_CALL = 4,  /* an HTTP call in wait mode */
    WAIT_CHILD = 5, /* a called instance */
    WAIT_EXTERNAL = 6,
    WAIT_CALLBACK = 7, /* somebody has its token */
    WAIT_LEVEL = 8,    /* nobody: when it lasts too long, at due_us. Not of whole instances */
};

struct wait {
    enum wait_kind kind;
    uint32_t token;
    int node; /* the event's own, also of boundary events and gateway targets */
    /* WAIT_TIMER; INT64_MAX: not armed yet (startsWhenSent): has no row. WAIT_CALLBACK: when it is
     * looked at; INT64_MAX: it failed, has no rows any more, and is tried again or an incident. */
    int64_t due_us;
    int32_t remaining;    /* WAIT_TIMER: repetitions left after this one; -1: for ever */
    struct uuid subject;  /* task, external task, call, child instance or callback */
    int64_t until_us;     /* WAIT_CALLBACK: it is late then, whatever is heard of it … */
    int64_t heartbeat_us; /* … and after so long a silence; 0: any */
    uint32_t attempt;     /* WAIT_CALLBACK: 1, 2, … */
    bool rearmed;         /* WAIT_CALLBACK: its timer has no row any more */
    const char *name;     /* WAIT_MESSAGE */
    const char *key;      /* WAIT_MESSAGE: only while `fresh`; its row has it */
    bool fresh;           /* made since the document was loaded: has no row yet */
};

struct variable {
    const char *name;
    const char *text; /* JSON */
    size_t n;
    const struct value *value; /* parsed, or NULL until somebody looks */
};

/* A multi-instance activity under way. Its items are tokens in its scope. */
struct loop {
    uint32_t total, begun, completed;
    /* The collection, a JSON array, while items are still to be made; NULL: by number. */
    const char *items;
    size_t items_n;
    const struct value *values; /* parsed, or NULL until somebody looks */
    /* What items have come to, by their number - 1; text NULL: to nothing. NULL: none has yet. */
    struct loop_result {
        const char *text; /* JSON */
        size_t n;
    } * results;
};

/* Where the variables of a scope are, by their names; made when there are many. */
struct name_index {
    uint32_t *slots; /* 1 + the place; 0: free */
    size_t n_slots;  /* a power of two, at least twice n */
    size_t n;        /* so many are in it, the first ones */
};

struct scope {
    uint32_t id, parent; /* id 0 is the process; its parent is itself */
    int node;            /* sub-process or activity; -1: the process */
    uint32_t token;      /* the token that owns it */
    uint32_t n_tokens;   /* that move in it */
    bool changed;        /* its variables are not as they were loaded; not of the process */
    struct loop *loop;   /* of a multi-instance activity, around its items; else NULL */
    struct variable *variables;
    size_t n_variables, variables_capacity;
    struct name_index index;
};

/* A request that was fired and whose answer is still expected. */
struct fired_call {
    struct uuid id;
    int node; /* the service task */
    uint32_t scope;
    uint32_t token;  /* that fired it: its own waits come first */
    int64_t sent_us; /* 0: still queued */
    bool fresh;
    /* The activity's own variables, an object: its scope may be gone when the answer comes. NULL:
     * it had none. */
    const char *locals;
    size_t locals_n;
    /* An answer that came before anybody waited for it; NULL: none. */
    const char *answer_name, *answer_body;
};

enum instance_fate {
    INSTANCE_LOADED, /* its row exists and stays */
    INSTANCE_NEW,    /* made in this batch */
    INSTANCE_ENDED,  /* its row (if it had one: !born) goes */
};

struct instance {
    struct uuid id, root, parent; /* parent nil for a root */
    uint32_t parent_token;
    int definition_id;
    const struct graph *graph;
    const char *business_key, *tenant; /* business_key may be NULL */
    int64_t started_us;
    enum instance_fate fate;
    bool born;        /* made in this batch */
    uint32_t next_id; /* tokens and scopes */
    struct token *tokens;
    size_t n_tokens, tokens_capacity;
    struct wait *waits; /* by token, and of one in the order in which they were made */
    size_t n_waits, waits_capacity;
    struct map subjects; /* of the waits as loaded: their tokens; made when it pays */
    struct wait *gone;   /* loaded waits that ended: their rows go */
    size_t n_gone, gone_capacity;
    struct scope *scopes; /* scopes[0] is the process */
    size_t n_scopes, scopes_capacity;
    struct fired_call *calls;
    size_t n_calls, calls_capacity;
    struct uuid *calls_gone; /* fired calls that nobody waits for any more: rows go */
    size_t n_calls_gone, calls_gone_capacity;
    bool variables_changed;
    bool locals_changed; /* variables of scopes inside of the process */
    /* Of all scopes, items' results and fired calls, but for variables_text. */
    size_t variable_bytes;
    uint32_t depth; /* call activities above it */
    /* The process variables as loaded, until somebody looks at them; then NULL. */
    const char *variables_text;
    size_t variables_n;
    const char *doc; /* as loaded, to see whether it changed */
    size_t doc_n;
    void *row; /* the store's own */
};

/* ---- Effects ---- */

enum job_place { JOB_READY, JOB_RETRY, JOB_INCIDENT };

/* A command to carry out later: as soon as possible, at due_us, or after somebody looked. */
struct job {
    enum job_place place;
    struct command command; /* its due_us: JOB_RETRY */
    const char *error;      /* what went wrong; NULL for a plain continuation */
    const char *reason;     /* JOB_INCIDENT: "failedJob", "unknownOutcome", "unexpectedAnswer" */
};

struct new_task {
    struct uuid id, instance;
    uint32_t token;
    int node;
    const char *name, *assignee, *form_key; /* each may be NULL */
    const char **candidate_users, **candidate_groups;
    size_t n_candidate_users, n_candidate_groups;
    int32_t priority;             /* 50 unless told */
    int64_t due_us, follow_up_us; /* 0: none */
};

/* Work for programs that fetch it by topic. */
struct new_external {
    struct uuid id, instance;
    uint32_t token;
    int node;
    const char *topic; /* or the Java class (or delegate expression) that is mapped to one */
    bool topic_is_class;
    int64_t priority;
};

struct external_offer {
    struct uuid task, instance;
};

/* Somebody outside may end the task: callback.c. */
struct new_callback {
    struct uuid id, instance;
    uint32_t token;
    int node;
    uint32_t attempt;
    int64_t until_us, heartbeat_us; /* as of its wait */
    const char *allowed_caller;     /* NULL: whoever has the token */
    struct uuid task;               /* the user task that it ends; nil: none */
};

/* A C delegate is a call of this method, with limits of its own as this endpoint and its name. */
#define DELEGATE_METHOD "C"
#define DELEGATE_ENDPOINT "delegate:"
/* A script that takes its time is a call of this method, to this delegate; it may be repeated. */
#define SCRIPT_METHOD "SCRIPT"
#define SCRIPT_DELEGATE "javascript"

struct new_call {
    struct uuid id, instance; /* the id is the Idempotency-Key: the same for each attempt */
    uint32_t token;
    int node;
    uint32_t attempt; /* 1, 2, … of the same call in wait mode */
    const char *endpoint, *method;
    const char *path;    /* with its query, encoded; added to the endpoint's base URL */
    const char *headers; /* JSON object of strings */
    const char *body;    /* NULL: none */
    size_t body_n;
    int64_t connect_timeout_us, timeout_us; /* 0: the endpoint's */
    int64_t open_after_us; /* how long it waits for an open circuit; -1: as long as that takes */
    int64_t deadline_us;   /* no attempt begins later, none lasts longer; 0: none */
    bool report_sent;      /* COMMAND_CALL_SENT is wanted */
};

struct message_out {
    const char *name, *key;
    int64_t ttl_us;
    const char *body; /* JSON object */
};

/* What a process puts on a bus. */
struct event_out {
    struct uuid id, instance;
    const char *bus, *source, *detail_type;
    const char *detail; /* JSON object */
};

/*
 * Stored; never renumber. What a row's data is, as JSON. Of a multi-instance activity that of kinds
 * 3, 4, 5 and 16 begins with "loopCounter" for an item, and for the whole with "nrOfInstances" and
 * "nrOfCompletedInstances".
 */
enum history_kind {
    HISTORY_INSTANCE_STARTED = 1,   /* called: {"calledBy":instance,"element":…} */
    HISTORY_INSTANCE_ENDED = 2,     /* {"state":"cancelled|terminated","reason":…} or none */
    HISTORY_ACTIVITY_STARTED = 3,   /* written when the node waits */
    HISTORY_ACTIVITY_ENDED = 4,     /* the only row of a node that began and ended in one step */
    HISTORY_ACTIVITY_CANCELLED = 5, /* {"by":element or reason} */
    HISTORY_ERROR_THROWN = 6,       /* {"code":…,"message":…,"caught":element or null} */
    HISTORY_JOB_FAILED = 7,         /* {"error":…,"tries":n,"next":time or null} */
    HISTORY_CALL_REQUESTED = 8,     /* {"call":id,"endpoint":…,"request":"GET /…"} */
    HISTORY_CALL_SENT = 9,          /* {"call":id,"attempt":n} */
    HISTORY_CALL_ANSWERED = 10,     /* {"call":id,"outcome":…,"status":…}, and what came back */
    HISTORY_CALL_LATE = 11,         /* an answer whose wait was left; data as above */
    HISTORY_MESSAGE_RECEIVED = 12,  /* {"name":…} */
    HISTORY_MESSAGE_SENT = 13,      /* {"name":…,"key":…} */
    HISTORY_TASK_COMPLETED = 14,    /* {"task":id,"actor":…} */
    HISTORY_VARIABLES_SET = 15,     /* by an API call: {"names":[…],"actor":…} */
    HISTORY_INCIDENT = 16,          /* {"reason":…,"error":…} */
    HISTORY_SKIPPED = 20,           /* by hand: {"actor":…,"reason":…} */
    HISTORY_MOVED = 21, /* {"to":element,"at":"before|after","actor":…,"reason":…} */
    HISTORY_COMPLETED_BY_HAND = 22,  /* {"actor":…,"reason":…} */
    HISTORY_EXTERNAL_FAILED = 17,    /* {"task":id,"error":…,"retries":n,"actor":…} */
    HISTORY_CALLBACK_OPENED = 31,    /* {"callback":id,"until":time,"attempt":n} */
    HISTORY_CALLBACK_ACCEPTED = 32,  /* what was asked for has begun: {"callback":id} */
    HISTORY_CALLBACK_SUCCEEDED = 33, /* {"callback":id,"actor":…,"output":…,"logs":[…]} */
    HISTORY_CALLBACK_FAILED = 34, /* {"callback":id,"actor":…,"error":…,"cause":…,"logs":[…]} */
    HISTORY_CALLBACK_TIMED_OUT = 35, /* {"callback":id,"error":…,"heard":time} */
    HISTORY_CALLBACK_REFUSED = 36,   /* by the store: {"callback":id,"actor":…} */
    HISTORY_DELEGATE_RAN = 25, /* SQL: {"delegate":…,"result":…} or {"delegate":…,"error":code} */
    HISTORY_EVENT_PUT = 38,    /* {"event":id,"bus":…,"source":…,"detailType":…} */
    HISTORY_LEVEL_MISSED = 43, /* {"name":…,"within":…}; without an element: of the instance */
    /* 100 and up are written by the store: claims, retries by hand, deployments. */
};

struct history {
    enum history_kind kind;
    struct uuid instance;
    const struct instance *of;
    uint32_t token;
    int node;           /* -1: none */
    int64_t started_us; /* 0: none */
    const char *data;   /* JSON or NULL */
};

/* ---- What a step may ask for ---- */

enum need_kind { NEED_INSTANCE, NEED_DEFINITION, NEED_SQL, NEED_SCRIPT, NEED_PARAMETERS };

struct need {
    enum need_kind kind;
    struct uuid instance;     /* NEED_INSTANCE: of the same family */
    const char *key, *tenant; /* NEED_DEFINITION */
    enum call_binding binding;
    int version;              /* BINDING_VERSION */
    int caller_definition_id; /* BINDING_DEPLOYMENT: from the same deployment as this one */
    /* The answer to NEED_DEFINITION, filled by the store. */
    int definition_id; /* 0: there is none */
    const struct graph *graph;
    bool suspended;
    /* NEED_SQL: run this delegate in the transaction of this batch. */
    uint32_t n; /* 1, 2, …: which of the family's in this batch */
    const char *delegate;
    const char *arguments; /* JSON object */
    const struct node *of; /* that asks */
    /* NEED_PARAMETERS: those that were given to definition_id; its answer is an object. */
    /* Its answer: what it gave, as JSON, or the BPMN error that it raised. */
    const char *result;
    size_t result_n;
    const char *error_code, *error_message; /* error_code NULL: none */
    /*
     * NEED_SCRIPT: run the JavaScript of this request (script.c), by `n` as above. The answer is in
     * `result`, or it took longer than LIMIT_SCRIPT_MS (`urgent`: LIMIT_SCRIPT_URGENT_MS). Nothing
     * else happens by it: the command may share its batch with others.
     */
    const char *request;
    bool urgent; /* it has no place to wait */
    bool slow;
};

/* What all families of a database share. */
#define CALLBACK_KEY_BYTES 32u
struct installation {
    uint8_t key[CALLBACK_KEY_BYTES]; /* signs the tokens of callbacks */
    const char *public_url;   /* where callers reach us, without a `/` behind; NULL: not said */
    int64_t callback_life_us; /* the longest wait for a callback */
};

struct family {
    struct arena *arena;                     /* the batch's; everything below lives there */
    const struct installation *installation; /* NULL: no task can wait for a callback */
    struct uuid root;
    int64_t now_us;      /* the database's clock, read after the lock */
    uint8_t entropy[16]; /* ids are derived from it and a counter */
    uint32_t n_ids;
    uint32_t n_sql;     /* NEED_SQL so far */
    uint32_t n_scripts; /* NEED_SCRIPT so far */
    uint32_t moves;     /* of the step under way */
    bool suspended;     /* tokens that a step moves stop before the next node: a job waits there */
    struct instance **instances;
    size_t n_instances, instances_capacity;
    struct need *answers; /* kept over reruns */
    size_t n_answers, answers_capacity;
    struct need *needs; /* what the last step asked for */
    size_t n_needs, needs_capacity;
    struct job *jobs;
    size_t n_jobs, jobs_capacity;
    struct new_task *tasks;
    size_t n_tasks, tasks_capacity;
    struct new_external *externals;
    size_t n_externals, externals_capacity;
    struct external_offer *offers; /* that workers may fetch again */
    size_t n_offers, offers_capacity;
    struct new_callback *callbacks;
    size_t n_callbacks, callbacks_capacity;
    struct uuid *accepted; /* callbacks whose request has been taken */
    size_t n_accepted, accepted_capacity;
    struct new_call *calls;
    size_t n_calls, calls_capacity;
    struct message_out *messages;
    size_t n_messages, messages_capacity;
    struct event_out *events;
    size_t n_events, events_capacity;
    struct history *history;
    size_t n_history, history_capacity;
};

/*
 * What the store does with a family after its last command; simulator/ is a store in memory
 * that shows it.
 *
 * A NEED_SQL has effects of its own in the transaction, so its command runs alone there, and a
 * STEP_FAILED after it means: roll back, and run engine_fail() in another transaction.
 *
 * Rows of `gone` waits are deleted before those of `fresh` waits are inserted: a loop comes back to
 * the same (token, node). A command's own row (timer, subscription, ready) is taken when it is
 * claimed, so a `gone` wait may have none any more; a wait whose row was taken and which stays is
 * `fresh` again.
 *
 * Tasks, calls and jobs are inserted, rows of calls_gone deleted and history written whatever each
 * step returned: STEP_DROPPED may have told of a late answer. The document is written where it
 * differs from `doc`, the variables where variables_changed.
 *
 * Retrying an incident by hand keeps the parked command's `tries` (of PHASE_CALL it is the number
 * of attempts). One with the reason "unknownOutcome" holds the COMMAND_CALL_RESULT: with `detail`
 * "repeat" it sends again, with "fail" it counts as a failed attempt. COMMAND_CALL_SENT carries the
 * attempt in `tries`.
 */
void family_init(struct family *family, struct arena *arena, const struct uuid *root,
                 int64_t now_us, const uint8_t entropy[16]);

/* A row of the store, for family_load(). All borrowed: must live as long as the family. */
struct instance_row {
    struct uuid id, root, parent;
    uint32_t parent_token;
    int definition_id;
    const struct graph *graph;
    const char *business_key, *tenant;
    int64_t started_us;
    const char *doc;
    size_t doc_n;
    const char *variables; /* JSON object text; NULL or "" = none */
    size_t variables_n;
    void *row;
};
/* Decodes an instance into the family. Fails on a document it does not understand. */
int family_load(struct family *family, const struct instance_row *row, struct err *err) MUST_CHECK;

enum step_result {
    STEP_DONE = 0,
    STEP_NEED = 1,    /* load family->needs, answer them, run the family again from its documents */
    STEP_FAILED = 2,  /* err says why; run the family again with engine_fail() for this command */
    STEP_DROPPED = 3, /* what the command addresses is gone: late. The state did not change */
    STEP_REFUSED = 4, /* a start whose variables its schema does not take: err says why. As above */
};

/*
 * Carries out one command and runs every token until it waits, ends, or needs a boundary. A result
 * other than DONE and DROPPED leaves the family in no defined state: load it again.
 */
int engine_step(struct family *family, const struct command *command, struct err *err) MUST_CHECK;

/*
 * In place of engine_step() for a command that failed: the instance stays where it was; the command
 * becomes a retry or an incident, by the node's retry cycle. A failed start makes the instance and
 * parks it at its start event. It may have needs, too: for a retry cycle that reads parameters.
 * What was asked for by hand becomes neither: command_is_by_hand().
 */
void engine_fail(struct family *family, const struct command *command, const struct err *why);

/* A person asked for it, and is told when it is refused: nothing is tried again. */
bool command_is_by_hand(enum command_kind kind);

/*
 * A parked command is tried again with other variables (a JSON object). They hold whatever becomes
 * of it, and win over those that the command itself brings: of a completion, a message, a start.
 */
int command_correct(struct arena *arena, struct command *command, const char *variables, size_t n,
                    struct err *err) MUST_CHECK;

/* When it lasts too long by its process; INT64_MAX: it may. The store keeps its row. */
int64_t instance_level_us(const struct instance *instance);

/* The document; compare with instance->doc to see whether it must be written. Arena memory. */
void instance_encode(struct family *family, const struct instance *instance, const char **ret_doc,
                     size_t *ret_n);
/* The process variables as one JSON object. Arena memory. */
void instance_variables(struct family *family, const struct instance *instance,
                        const char **ret_text, size_t *ret_n);

/*
 * The variables that a token sees inside of the process scope (its activity's and sub-processes'),
 * as one JSON object; NULL: none. Workers are given them, so the store keeps them beside the
 * external task: of fresh waits, and of those that see others than were loaded. Arena memory.
 */
const char *instance_locals(struct family *family, const struct instance *instance, uint32_t token);
/* Are they not as they were loaded? */
bool instance_locals_changed(const struct instance *instance, uint32_t token);
/* The number of the item that the token is, or moves in: the innermost; 0: of none. */
uint32_t item_around(const struct instance *instance, uint32_t token);

/* The loaded or new instance, or NULL. */
struct instance *family_instance(const struct family *family, const struct uuid *id);
/* What is in an instance; NULL: it is gone. */
struct token *token_find(const struct instance *instance, uint32_t id);
struct wait *wait_find(const struct instance *instance, enum wait_kind kind, uint32_t token,
                       int node);
struct wait *wait_find_subject(const struct instance *instance, enum wait_kind kind,
                               const struct uuid *subject);
struct fired_call *fired_find(const struct instance *instance, const struct uuid *id);
