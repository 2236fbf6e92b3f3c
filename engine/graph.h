/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The process graph: one executable process of a BPMN file, immutable, plain data, shared by all
 * threads. The parser makes it; the engine walks it. Everything lives in graph->arena.
 *
 * A node's index is its position among all flow nodes of the process in document order (all levels,
 * an element before its children). It is stored in documents and history: the rule must never
 * change.
 */
#include "base/arena.h"
#include "base/uuid.h"
#include "engine/expr.h"
#include "engine/input.h"
#include "engine/cycle.h"

enum node_kind {
    NODE_START_EVENT,
    NODE_END_EVENT,
    NODE_CATCH_EVENT, /* intermediateCatchEvent */
    NODE_THROW_EVENT, /* intermediateThrowEvent */
    NODE_BOUNDARY_EVENT,
    NODE_TASK, /* task */
    NODE_MANUAL_TASK,
    NODE_SERVICE_TASK,
    NODE_SEND_TASK,
    NODE_RECEIVE_TASK,
    NODE_USER_TASK,
    NODE_EXCLUSIVE_GATEWAY,
    NODE_PARALLEL_GATEWAY,
    NODE_EVENT_GATEWAY,
    NODE_SUB_PROCESS,
    NODE_CALL_ACTIVITY,
    NODE_SCRIPT_TASK,
    NODE_KINDS
};
/* The BPMN name: "startEvent", "serviceTask", … */
const char *node_kind_name(enum node_kind kind);
bool node_is_activity(enum node_kind kind);
struct node;
/* Does a token wait here for the answer of a call: of a service, or of a C delegate? */
bool node_awaits_call(const struct node *node);

enum event_kind {
    EVENT_NONE,
    EVENT_MESSAGE,
    EVENT_TIMER,
    EVENT_ERROR,
    EVENT_TERMINATE,
};

enum timer_kind { TIMER_DATE, TIMER_DURATION, TIMER_CYCLE };

struct event_definition {
    enum event_kind kind;
    /* EVENT_MESSAGE */
    const struct expr *message_name;    /* NULL: a throw event that passes through */
    const struct expr *correlation_key; /* pawl:correlationKey; NULL: the business key */
    const struct expr *time_to_live;    /* pawl:timeToLive of a throw event; NULL: 10 minutes */
    /* EVENT_TIMER */
    enum timer_kind timer;
    const struct expr *time; /* ISO 8601 date, duration or cycle; a cycle may be a cron text */
    const struct zone *zone; /* NULL: UTC */
    enum catch_up catch_up;  /* TIMER_CYCLE */
    int starts_when_sent; /* pawl:startsWhenSent: the node whose call starts the clock; -1: none */
    /* EVENT_ERROR */
    const char *error_code;    /* NULL on a boundary event: catches all */
    const char *error_message; /* thrown: a text; may be NULL */
    /* Caught: where to put them; may be NULL. */
    const char *error_code_variable, *error_message_variable;
};

struct mapping {
    const char *name;         /* target variable */
    const struct expr *value; /* MAPPING_VALUE; NULL: null */
    enum mapping_kind { MAPPING_VALUE, MAPPING_LIST, MAPPING_MAP } kind;
    struct mapping *items; /* MAPPING_LIST: names are NULL; MAPPING_MAP: names are the keys */
    size_t n_items;
};

/* How the delay of a back-off is spread, so that those who failed together do not come together. */
enum retry_jitter { JITTER_NONE, JITTER_EQUAL /* its second half */, JITTER_FULL /* all of it */ };

/* pawl:retry: the delay grows by the factor up to the cap. */
struct retry_backoff {
    uint32_t attempts; /* in all, the first included */
    int64_t base_us, cap_us;
    double factor; /* at least 1 */
    enum retry_jitter jitter;
};
/* The delay after `tries` failures; random: 0 or more. */
int64_t retry_backoff_us(const struct retry_backoff *backoff, uint32_t tries, int64_t random);

/* How often and when what failed is tried again. */
struct retry_policy {
    enum { RETRY_CYCLE, RETRY_EXPRESSION, RETRY_BACKOFF } kind;
    struct retry_cycle cycle;
    const struct expr *expression; /* yields a cycle when something has failed */
    struct retry_backoff backoff;
};

/* What an answer of a remote call comes to, but for a message or an error. */
enum answer_then {
    ANSWER_SUCCEEDS,
    ANSWER_RETRIES, /* a technical failure: by the retry policy */
    ANSWER_IGNORED, /* wait: the task goes on without outputs; fire: nobody hears of it */
};

/* How an answer of a remote call is judged; the first whose condition holds decides. */
struct http_answer {
    const struct expr *when; /* NULL: always; sees `response` besides the variables */
    enum answer_then then;
    const char *message;              /* fire: name of the message correlated to the instance */
    const char *error_code;           /* wait: throws this BPMN error; else NULL */
    const struct expr *error_message; /* its text; may be NULL. Sees `response`, as do these: */
    struct mapping *outputs;
    size_t n_outputs;
};

struct http_field {
    const char *name;
    const struct expr *value;
};

enum http_mode {
    HTTP_WAIT, /* the task waits for the answer */
    HTTP_FIRE, /* the task fires the request and is done; the answer is a message to the instance */
};

struct http_call {
    enum http_mode mode;
    const struct expr *endpoint; /* name of a configured endpoint */
    const struct expr *path;     /* added to the endpoint's base URL; may be NULL */
    const char *method;          /* upper case */
    struct http_field *query, *headers;
    size_t n_query, n_headers;
    const struct expr *body;  /* NULL: none; a string is sent as it is, anything else as JSON */
    const char *content_type; /* NULL: application/json where there is a body */
    int64_t connect_timeout_us, timeout_us; /* 0: the endpoint's */
    int64_t deadline_us;                    /* of all attempts, from the task's start; 0: none */
    const char *deadline_error;             /* wait: the BPMN error then; NULL: an incident */
    int64_t open_after_us;  /* how long an open circuit is waited for; -1: as long as it takes */
    const char *open_error; /* wait: the BPMN error then; NULL: as it waits */
    struct http_answer *answers;
    size_t n_answers;
    struct mapping *outputs; /* wait: on success, if no answer element holds */
    size_t n_outputs;
};

enum service_kind {
    SERVICE_NONE,       /* a send task or message event without connector */
    SERVICE_EXPRESSION, /* camunda:expression [+ resultVariable] */
    SERVICE_HTTP,
    SERVICE_EXTERNAL,
    SERVICE_SQL,      /* pawl:sql: a statement in the engine's own transaction */
    SERVICE_DELEGATE, /* pawl:delegate: a C function of the program that embeds the engine */
    SERVICE_EVENT,    /* pawl:event: an event for a bus, in the same commit */
};

/* camunda:errorEventDefinition of an external task: judged when its worker has answered. */
struct external_error {
    const struct expr *when; /* sees externalTask besides the variables */
    const char *code, *message;
};

struct external_task {
    const struct expr *topic;
    const char *class_name; /* a Java class or delegate expression, mapped to a topic; else NULL */
    const struct expr *priority; /* NULL: 0 */
    struct external_error *errors;
    size_t n_errors;
};

/* What a task asks a SQL or C delegate. The outputs see what it gave as `result`. */
struct delegate_call {
    const char *name;
    struct mapping *inputs; /* its arguments; none: its input parameters, or all that it sees */
    struct mapping *outputs;
    size_t n_inputs, n_outputs;
};

/* pawl:taskToken: the task is done when somebody who has its token says so. */
struct callback {
    const struct expr *timeout;        /* a duration; NULL: the longest life of the installation */
    const struct expr *heartbeat;      /* the longest silence, a duration; NULL: any */
    const struct expr *allowed_caller; /* the only one who may answer; NULL: who has the token */
    /* BPMN errors; what nobody catches is tried again by the retry policy, or an incident. */
    const char *timeout_error, *heartbeat_error;
    const char *failure_error; /* of a failure that names none */
    struct mapping *outputs;   /* they see callback.output; none: an object's members are set */
    size_t n_outputs;
};

/* An event that a task puts on a bus. Expressions may be NULL. */
struct event_put {
    const struct expr *bus, *source, *detail_type;
    const struct expr *detail; /* the whole … */
    struct mapping *details;   /* … or member by member; neither: the input parameters */
    size_t n_details;
};

/* pawl:serviceLevel: how long it may last before somebody is told. */
struct service_level {
    struct iso_duration within;
    const char *text; /* the duration as written */
    const char *name; /* NULL: it has none */
};

struct user_task {
    const struct expr *assignee, *candidate_users, *candidate_groups;
    const struct expr *priority, *due_date, *follow_up_date;
    const char *form_key; /* kept and shown */
};

enum call_binding { BINDING_LATEST, BINDING_DEPLOYMENT, BINDING_VERSION };

struct call_mapping {
    enum { CALL_MAP_ALL, CALL_MAP_SOURCE, CALL_MAP_EXPRESSION } kind;
    const char *source; /* variable */
    const struct expr *expression;
    const char *target;
    bool local; /* only the innermost scope */
};

/* multiInstanceLoopCharacteristics: the activity is carried out once for each item. */
struct multi_instance {
    bool sequential;
    const struct expr *cardinality;    /* how many; NULL: one for each item of the collection */
    const char *collection_variable;   /* the collection: a variable by its name … */
    const struct expr *collection;     /* … or an expression */
    const char *element_variable;      /* of each: its item; NULL: none */
    const char *index_variable;        /* of each: its number, besides loopCounter; NULL: none */
    const char *output_collection;     /* gets what they come to, as a list; NULL: nothing does */
    const struct expr *output_element; /* what each comes to */
    const char *output_variable;       /* … which is this one of its own; NULL: it is computed */
    const struct expr *completion;     /* ends it before all are done; NULL: none */
    bool async_before, async_after;    /* of each */
    struct retry_policy *retry;        /* of the jobs of each; NULL: the activity's */
};

struct call_activity {
    const struct expr *called_element;
    enum call_binding binding;
    const struct expr *version;      /* BINDING_VERSION */
    const struct expr *business_key; /* NULL: none */
    struct call_mapping *in, *out;
    size_t n_in, n_out;
};

/* pawl:parameter: a setting that the process is deployed with, and that may be changed later. */
struct parameter {
    const char *name, *description; /* description may be NULL */
    const char *fallback;           /* JSON; NULL: it must be given */
    int line;
};

struct flow {
    const char *id, *name;
    int source, target;           /* nodes */
    const struct expr *condition; /* NULL: none */
};

struct node {
    const char *id, *name; /* name may be NULL */
    int line;
    enum node_kind kind;
    int scope;     /* the sub-process it lies in; -1: the process */
    int *out, *in; /* flows, in document order */
    size_t n_out, n_in;
    int default_flow; /* -1: none */
    bool async_before, async_after;
    int priority;               /* of its jobs: above 0 before others, below 0 behind them */
    bool exclusive;             /* accepted; changes nothing */
    struct retry_policy *retry; /* NULL: 3 tries without delay */
    struct mapping *inputs, *outputs;
    size_t n_inputs, n_outputs;

    struct event_definition event; /* events; a receive task's or send task's message */
    /* NODE_BOUNDARY_EVENT */
    int attached_to;
    bool interrupting;
    int *boundary; /* activities: boundary events attached, in document order */
    size_t n_boundary;
    struct multi_instance *multi; /* activities; NULL: once */
    struct service_level *level;  /* activities; NULL: none */
    /* NODE_SERVICE_TASK, NODE_SEND_TASK, message throw and end events */
    enum service_kind service;
    const struct expr *expression;
    const char *result_variable;
    struct http_call *http; /* SERVICE_HTTP; of SERVICE_DELEGATE its times, and what they come to */
    struct delegate_call *delegate; /* SERVICE_SQL, SERVICE_DELEGATE */
    struct event_put *put;          /* SERVICE_EVENT */
    struct external_task *external;
    struct callback *callback; /* also of receive and user tasks; NULL: none */
    const char *script; /* NODE_SCRIPT_TASK: JavaScript; its http has the times of a long run */
    /* NODE_USER_TASK, NODE_CALL_ACTIVITY */
    struct user_task *user_task;
    struct call_activity *call;
    /* NODE_SUB_PROCESS: its none start event */
    int start;
    /* Start events of the process, tasks that are answered, message events; NULL: none. */
    const struct input *input;
};

struct graph {
    struct arena arena; /* owns everything below, and this struct too */
    int refs;           /* guarded by the owner of the cache */
    const char *key, *name, *version_tag;
    const char *file;                 /* resource name, for messages */
    const char *history_time_to_live; /* as written; may be NULL */
    int priority;                     /* of nodes that say nothing else, and of starts */
    struct service_level *level;      /* of the whole; NULL: none */
    struct node *nodes;
    struct flow *flows;
    size_t n_nodes, n_flows;
    int none_start;    /* -1: none */
    int *event_starts; /* message and timer start events of the process */
    size_t n_event_starts;
    struct zone **zones; /* that its timers name; the store gives them their rules */
    size_t n_zones;
    const struct input *input; /* of starts whose event says nothing else; NULL: none */
    struct parameter *parameters;
    size_t n_parameters;
    bool uses_files;   /* schemas or forms in other files of its deployment */
    bool only_called;  /* pawl:startableBy="process" */
    int definition_id; /* set by the store once it has one, like the next */
    int lane;          /* of its jobs: store/lanes.h */
};

/* An empty graph: itself the first piece of its own arena (cap: see arena_init). */
struct graph *graph_new(size_t cap);
/* The node of that element id, or -1. */
int graph_find(const struct graph *graph, const char *id);
void graph_free(struct graph *graph); /* NULL is a no-op; the struct lies in its own arena */
