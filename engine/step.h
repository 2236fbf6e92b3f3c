/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Inside of the engine only: one step under way, and what its parts ask of each other. README.md in
 * this folder is the tour.
 *
 * Tokens, waits and scopes are named by their ids, never kept by pointer: arrays move when they
 * grow. Every int function returns 0, or -1 with step->err filled. When family->n_needs > 0 the -1
 * means "load this first": engine_step() turns it into STEP_NEED.
 */
#include "engine/engine.h"

/* The end of the year 9999: no timer is due later. */
#define TIME_LAST_US INT64_C(253402300799999999)

enum move_kind {
    MOVE_ARRIVE, /* at the node: asyncBefore and the step budget come first */
    MOVE_ENTER,  /* the node begins */
    MOVE_LEAVE,  /* the node is done: asyncAfter comes first */
    MOVE_FLOWS,  /* along the outgoing flows */
};

/* A token on its way. Dropped when its token is gone before its turn. */
struct move {
    struct instance *instance;
    uint32_t token;
    int node;
    enum move_kind kind;
};

struct step {
    struct family *family;
    struct arena *arena;
    const struct command *command;
    struct err *err;
    size_t arena_start; /* arena->used when the step began */
    struct move *moves; /* a stack: a token runs until it waits before its siblings start */
    size_t n_moves, moves_capacity;
    uint32_t again;        /* this token's activity is begun anew: it does not start twice */
    bool delivering;       /* a fired call's answer is being delivered … */
    uint32_t delivered_by; /* … which this token had fired */
};

/* What happened to a wait. */
struct trigger {
    struct instance *instance;
    uint32_t token;
    struct wait wait;          /* a copy: the wait may be gone */
    const struct node *node;   /* wait.node */
    const char *name, *detail; /* message name; error code and text */
    const char *body;          /* JSON object of variables, the response object, or NULL */
    size_t body_n;
    struct instance *child; /* WAIT_CHILD */
    bool row_taken;         /* the wait's row is gone: a wait that stays needs a new one */
};

/* Why something is interrupted. */
struct interruption {
    const char *by;     /* element id, or the reason of a cancellation */
    const char *state;  /* of called instances that end by it: "cancelled" or "terminated" */
    const char *reason; /* of called instances; may be NULL */
};

/* ---- state.c: tokens, waits, scopes, as data ---- */

int token_new(struct step *step, struct instance *instance, uint32_t scope,
              uint32_t *ret_id) MUST_CHECK;
void token_remove(struct instance *instance, uint32_t id);
/* On its way or waiting for a job: no place in the document. */
void token_detach(struct instance *instance, uint32_t id);
void token_place(struct step *step, struct instance *instance, uint32_t id, enum token_state state,
                 const struct node *node);
bool scope_has_tokens(const struct instance *instance, uint32_t scope);
/* Where tokens of the scope may begin in instance->tokens. */
size_t scope_first_token(const struct instance *instance, uint32_t scope);
/* May the token be at this node, by the scope that it moves in? */
bool token_fits(const struct instance *instance, const struct token *token,
                const struct node *node);

/* In its place. */
struct wait *wait_add(struct arena *arena, struct instance *instance, const struct wait *wait);
struct wait *wait_new(struct step *step, struct instance *instance, enum wait_kind kind,
                      uint32_t token, const struct node *node);
/* The waits of a token: from instance->waits + *ret_first on. Returns how many. */
size_t waits_of(const struct instance *instance, uint32_t token, size_t *ret_first);
/* Takes it out: a loaded wait goes to `gone`, a fresh one leaves nothing, nor its task or call. */
void wait_remove(struct step *step, struct instance *instance, struct wait *wait);
/* All waits of a token; answers that only they could take become late (fired.c). */
void waits_leave(struct step *step, struct instance *instance, uint32_t token);

struct scope *scope_find(const struct instance *instance, uint32_t id);
uint32_t scope_new(struct step *step, struct instance *instance, uint32_t parent,
                   const struct node *node, uint32_t token);
void scope_remove(struct instance *instance, uint32_t id);
/* Is one of them the other, or does one lie in the other? */
bool scopes_related(const struct instance *instance, uint32_t a, uint32_t b);

int node_index(const struct instance *instance, const struct node *node);
/* The node, or NULL if the number is out of range. */
const struct node *node_at(const struct instance *instance, int node);
/* The sub-process that the scope belongs to; -1: the process. */
int scope_place(const struct instance *instance, uint32_t scope);

/* ---- family.c ---- */

struct uuid family_uuid(struct family *family);
/* Makes an instance with its empty process scope. */
struct instance *instance_new(struct family *family, const struct uuid *id,
                              const struct graph *graph);
/* The instance, loaded if need be. */
int need_instance(struct step *step, const struct uuid *id, struct instance **ret) MUST_CHECK;
int need_definition(struct step *step, const struct need *question,
                    const struct need **ret_answer) MUST_CHECK;
/* The parameters that were given to the instance's definition: a JSON object. */
int need_parameters(struct step *step, const struct instance *instance, const char **ret_text,
                    size_t *ret_n) MUST_CHECK;
int need_sql(struct step *step, const struct node *node, const char *arguments,
             const struct need **ret_answer) MUST_CHECK;

int need_script(struct step *step, const char *request, bool urgent,
                const struct need **ret_answer) MUST_CHECK;

/* ---- script.c ---- */

struct view;

/* The value of a script that stands in an expression's place. */
int script_value(struct view *view, const struct expr *expr, struct value *ret) MUST_CHECK;
int script_enter(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node) MUST_CHECK;
/* The call of a script that took too long within its step, and what came of it. */
int script_request(struct view *view, struct new_call *call) MUST_CHECK;
int script_answered(struct step *step, const struct trigger *trigger,
                    const struct value *response) MUST_CHECK;

/* ---- document.c ---- */

int document_decode(struct arena *arena, struct instance *instance, const char *doc, size_t n,
                    struct err *err) MUST_CHECK;

/* ---- scope.c: variables ---- */

/* The variable as seen from the scope outward; *ret is NULL if there is none. */
int variable_get(struct step *step, struct instance *instance, uint32_t scope, const char *name,
                 size_t name_n, const struct value **ret) MUST_CHECK;
/* Sets where it exists, seen from the scope outward; else in the process. */
int variable_set(struct step *step, struct instance *instance, uint32_t scope, const char *name,
                 const struct value *value) MUST_CHECK;
int variable_set_local(struct step *step, struct instance *instance, uint32_t scope,
                       const char *name, const struct value *value) MUST_CHECK;
/* Each member of a JSON object (NULL: none), set as by variable_set(). */
int variables_set(struct step *step, struct instance *instance, uint32_t scope, const char *text,
                  size_t n) MUST_CHECK;
/* The same, all or none: false and nothing set where one is refused, or they would be too large. */
bool variables_try(struct step *step, struct instance *instance, uint32_t scope, const char *text,
                   size_t n);
/* The names of the members of a JSON object that was set, as a JSON array. */
const char *variables_names(struct step *step, const char *text, size_t n);
/* Calls each() for all variables seen from the scope; only those of the scope itself if `local`. */
int variables_each(struct step *step, struct instance *instance, uint32_t scope, bool local,
                   int (*each)(void *context, const struct variable *variable),
                   void *context) MUST_CHECK;
/* Sets one by its JSON text, unparsed, in the scope itself. */
int variable_set_text(struct step *step, struct instance *instance, uint32_t scope,
                      const struct variable *variable) MUST_CHECK;
/* The variables of one scope as a JSON object; the process scope must have been looked at. */
const char *scope_object(struct arena *arena, const struct scope *scope, size_t *ret_n);
/* What a variable adds to their limit. */
size_t variable_bytes(const struct variable *variable);
/* The limits on the variables of all instances that the step may have changed. */
int variables_check(struct step *step) MUST_CHECK;
/* Where the token sees variables: its local scope, or the one that it moves in. */
uint32_t token_scope(const struct instance *instance, uint32_t token);

/* ---- eval.c: expressions and mappings ---- */

/* Where an expression is evaluated. */
struct view {
    struct step *step;
    struct instance *instance;
    uint32_t scope;
    const struct node *node; /* execution.currentActivityId; may be NULL */
    uint32_t token; /* whose `callback` it sees; 0: of the token that the scope belongs to */
    /* A name that hides variables: `response` of a call, `result` of a delegate, `externalTask`;
     * NULL: none. */
    const char *special;
    const struct value *special_value;
    /* Variables of an activity that may be gone, an object: they hide those of the scope; NULL. */
    const struct value *locals;
    const char *process_id, *definition_id; /* filled by eval.c */
};
struct view view_of(struct step *step, struct instance *instance, uint32_t scope,
                    const struct node *node);
/* From the activity at which the token is. */
struct view view_at(struct step *step, struct instance *instance, uint32_t token,
                    const struct node *node);
int view_value(struct view *view, const struct expr *expr, struct value *ret) MUST_CHECK;
int view_bool(struct view *view, const struct expr *expr, bool *ret) MUST_CHECK;
/* NULL for null; *ret is NULL too if expr is NULL. */
int view_string(struct view *view, const struct expr *expr, const char **ret) MUST_CHECK;
/* A whole number, the bounds inside of int64's own; *ret stays for null or an empty text. */
int view_integer(struct view *view, const struct expr *expr, const char *what, int64_t least,
                 int64_t most, int64_t *ret) MUST_CHECK;
/* The variables that it sees, and its special name, as one object; `local`: of its own scope alone.
 */
int view_object(struct view *view, bool local, struct value *ret) MUST_CHECK;
/* The error in step->err, with the element in front; returns -1. */
int err_at_node(struct step *step, const struct node *node);
int mapping_eval(struct view *view, const struct mapping *mapping, struct value *ret) MUST_CHECK;
/* The mappings as one JSON object. */
int mappings_object(struct view *view, const struct mapping *mappings, size_t n,
                    const char **ret_text) MUST_CHECK;
/* Evaluates each in the view and sets it by variable_set() from `target` outward. */
int mappings_apply(struct view *view, const struct mapping *mappings, size_t n,
                   uint32_t target) MUST_CHECK;

/* ---- history.c ---- */

void history_add(struct step *step, enum history_kind kind, const struct instance *instance,
                 uint32_t token, const struct node *node, int64_t started_us, const char *data);
/*
 * A small JSON object for history rows. format has one letter a member, each taking a name and
 * then: s text (NULL: null), i int64, n int64 left out when 0, t time as ISO 8601 (0: null), u
 * uuid, r raw JSON text.
 */
const char *history_data(struct step *step, const char *format, ...);
/* At most `most` bytes of the text, cut between characters. */
const char *text_cut(struct arena *arena, const char *text, size_t most);
void job_add(struct step *step, const struct job *job);

/* ---- flow.c: moving tokens ---- */

void move_push(struct step *step, struct instance *instance, uint32_t token,
               const struct node *node, enum move_kind kind);
/* Runs all moves. */
int moves_run(struct step *step) MUST_CHECK;
/* The token leaves its scope's flow; the last one ends the scope. */
int token_end(struct step *step, struct instance *instance, uint32_t token) MUST_CHECK;
int instance_end(struct step *step, struct instance *instance, const char *state,
                 const char *reason) MUST_CHECK;
/* A READY token with its job. */
void token_ready(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node, enum command_phase phase);
/* Which flow an exclusive gateway takes. */
int flow_choose(struct step *step, struct instance *instance, uint32_t token,
                const struct node *node, int *ret_flow) MUST_CHECK;

/* ---- activity.c: the life cycle that all nodes share ---- */

/* Inputs, local scope, boundary waits; before the behaviour begins. */
int activity_begin(struct step *step, struct instance *instance, uint32_t token,
                   const struct node *node) MUST_CHECK;
/* It waits: the token's place and the history row. */
void activity_wait(struct step *step, struct instance *instance, uint32_t token,
                   const struct node *node);
/* It is done: outputs, history, its waits; the token leaves. */
int activity_complete(struct step *step, struct instance *instance, uint32_t token,
                      const struct node *node) MUST_CHECK;
/* Its inputs and its callback; anew when it is tried again. */
int activity_prepare(struct step *step, struct instance *instance, uint32_t token,
                     const struct node *node) MUST_CHECK;
/* A trigger for whoever waits for an event here or behind an event-based gateway. */
int event_happened(struct step *step, const struct trigger *trigger) MUST_CHECK;
/* The waits of the boundary events of an activity. */
/* level.c: when it lasts too long. */
void level_arm(struct step *step, struct instance *instance, uint32_t token,
               const struct node *node);
int command_level(struct step *step, struct instance *instance);
int boundary_arm(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node) MUST_CHECK;
bool node_takes_message(const struct node *node);

/* ---- multi_instance.c: an activity for each item ---- */

/* The token of the whole comes to the activity: its items begin. */
int multi_begin(struct step *step, struct instance *instance, uint32_t token,
                const struct node *node) MUST_CHECK;
/* An item comes to the activity, before it is entered: the next one follows, if it is parallel. */
int item_arrive(struct step *step, struct instance *instance, uint32_t token,
                const struct node *node) MUST_CHECK;
/* Its number and its element, as variables of the scope. */
int item_variables(struct step *step, struct instance *instance, uint32_t token,
                   uint32_t scope) MUST_CHECK;
/* What an item comes to, as seen from the scope, before its own variables go. */
int item_result(struct step *step, struct instance *instance, uint32_t token,
                const struct node *node, uint32_t scope) MUST_CHECK;
/* An item is done. The last one ends the whole. */
int item_end(struct step *step, struct instance *instance, uint32_t token) MUST_CHECK;
/* An item has gone: the next one begins, or the whole ends. */
int item_gone(struct step *step, struct instance *instance, uint32_t scope,
              uint32_t item) MUST_CHECK;
/* Of its results. */
size_t loop_bytes(const struct loop *loop);
/* Would nothing be left of the multi-instance activity without this one item? */
bool item_is_last(const struct scope *scope);

/* ---- interrupt.c ---- */

/* Takes the activity away from the token, which stays and is then on its way. */
int activity_interrupt(struct step *step, struct instance *instance, uint32_t token,
                       const struct interruption *why) MUST_CHECK;
/* Removes all tokens of a scope but one (0: all). The scope stays. */
int scope_interrupt(struct step *step, struct instance *instance, uint32_t scope, uint32_t but,
                    const struct interruption *why) MUST_CHECK;
/* Ends the instance, with all that it called, without telling its parent. */
int instance_interrupt(struct step *step, struct instance *instance,
                       const struct interruption *why) MUST_CHECK;

/* ---- bpmn_error.c ---- */

/*
 * Throws a BPMN error. activity: the token is at an activity that throws it (its own boundary
 * events may catch); else at an end event, whose scope throws. Uncaught, the token ends there.
 */
int error_throw(struct step *step, struct instance *instance, uint32_t token,
                const struct node *node, bool activity, const char *code,
                const char *message) MUST_CHECK;

/* Would somebody catch it? */
int error_is_caught(struct step *step, struct instance *instance, uint32_t token,
                    const struct node *node, const char *code, bool *ret) MUST_CHECK;

/* ---- timer.c ---- */

/* Makes the wait of a timer event for the token. */
int timer_wait(struct step *step, struct instance *instance, uint32_t token,
               const struct node *node) MUST_CHECK;
/* After a non-interrupting timer fired: the next repetition, or the end of the wait. */
int timer_next(struct step *step, const struct trigger *trigger) MUST_CHECK;
/* Starts the clocks that wait for this node's call to be sent. */
int timers_arm(struct step *step, struct instance *instance, int call_node,
               int64_t sent_us) MUST_CHECK;
/* A date or a duration from now, as user tasks have them; 0 for null. */
int time_of_text(struct step *step, const struct node *node, const char *what, const char *text,
                 int64_t *ret_us) MUST_CHECK;

/* ---- input.c ---- */

/* Whether what the command brings to the node passes its schema; the error names the node. */
int input_accept(struct step *step, const struct graph *graph, const struct node *node,
                 const char *text, size_t n) MUST_CHECK;

/* ---- message.c ---- */

int message_wait(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node) MUST_CHECK;
/* Publishes the node's message, if it has one. */
int message_publish(struct step *step, struct instance *instance, uint32_t token,
                    const struct node *node) MUST_CHECK;
/* Carries a trigger to the behaviour of the node that waited. */
int wait_trigger(struct step *step, const struct trigger *trigger) MUST_CHECK;

/* ---- http_request.c, http_result.c, fired.c: remote calls ---- */

/* Builds the request of the view's node and token, and files it as an effect. */
int call_request(struct view *view, const struct uuid *id, uint32_t attempt) MUST_CHECK;
/* Until when attempts of the call may begin; 0: for ever. */
int64_t call_deadline(const struct step *step, const struct http_call *http, const struct uuid *id);
/* What failed, as far as its response says how it may go on. */
struct failure call_failure(struct step *step, const struct node *node, const struct uuid *id,
                            const struct value *response);
/* The command that sends it again; its failed attempts: those before this response. */
struct command call_repeat(struct step *step, const struct instance *instance, uint32_t token,
                           int node, const struct uuid *id, const struct value *response);
/* Does a timer of the graph wait for this node's call to be sent? */
bool call_reports_sent(const struct instance *instance, int node);
/* Judges the answer of a call in wait mode. */
int call_answered(struct step *step, const struct trigger *trigger) MUST_CHECK;
/* The first answer element that holds; -1: none. */
int answer_judge(struct view *view, const struct http_call *http, int *ret_answer) MUST_CHECK;
/* Reads the response object. */
int response_read(struct step *step, const char *body, size_t n, struct value *ret) MUST_CHECK;
const char *response_history(struct step *step, const struct uuid *call,
                             const struct value *response);
/* The call is sent again, later or when somebody says so. */
int call_failed(struct step *step, const struct trigger *trigger,
                const struct value *response) MUST_CHECK;

/* ---- delegate.c: SQL and C delegates ---- */

/* Runs the node's SQL delegate in this transaction: the activity is done, or has thrown. */
int delegate_sql(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node) MUST_CHECK;
/* What the call of a C delegate says that a request's does, too: see call_request(). */
int delegate_request(struct view *view, struct new_call *call) MUST_CHECK;
/* Judges what a C delegate gave. */
int delegate_answered(struct step *step, const struct trigger *trigger,
                      const struct value *response) MUST_CHECK;

/* ---- fired.c ---- */

/* Fires the node's call: it is done at once. */
int fired_new(struct step *step, struct instance *instance, uint32_t token,
              const struct node *node) MUST_CHECK;
/* As its activity saw things when it was fired. */
int fired_view(struct step *step, struct instance *instance, const struct fired_call *call,
               struct view *ret) MUST_CHECK;
int fired_answered(struct step *step, struct instance *instance,
                   struct fired_call *call) MUST_CHECK;
/* Hands answers that were kept to a token that just began to wait. */
int fired_deliver_kept(struct step *step, struct instance *instance, uint32_t token) MUST_CHECK;
/* The node fires again in the scope: what it fired there before is closed. */
void fired_again(struct step *step, struct instance *instance, int node, uint32_t scope);
/* Message waits of a token were left: what only they could take is late. */
void fired_left(struct step *step, struct instance *instance, uint32_t token, uint32_t scope,
                const char *const *names, size_t n);
/* The scope went: its calls end with it, or pass to the parent scope. */
void fired_scope_ended(struct step *step, struct instance *instance, uint32_t scope,
                       bool interrupted);
void fired_close_all(struct step *step, struct instance *instance);
/* Those that this token fired there: nobody needs their answer any more. */
void fired_close_of(struct step *step, struct instance *instance, uint32_t token, int node);
/* Remove the effects of a call, task, external task or token that are not wanted any more. */
void effect_remove_call(struct family *family, const struct uuid *id);
void effect_remove_task(struct family *family, const struct uuid *id);
void effect_remove_external(struct family *family, const struct uuid *id);
void effect_remove_callback(struct family *family, const struct uuid *id);
void effect_remove_jobs(struct family *family, const struct uuid *instance, uint32_t token);

/* ---- event_put.c ---- */

int event_put(struct step *step, struct instance *instance, uint32_t token,
              const struct node *node) MUST_CHECK;

/* ---- external.c ---- */

/* Offers the node's work to the workers of its topic, and waits. */
int external_enter(struct step *step, struct instance *instance, uint32_t token,
                   const struct node *node) MUST_CHECK;
/* What a worker answered, or somebody decided. */
int external_answered(struct step *step, const struct trigger *trigger) MUST_CHECK;

/* ---- callback.c: task tokens ---- */

/* Makes the token, so that the inputs may name it; then says until when it counts. */
void callback_begin(struct step *step, struct instance *instance, uint32_t token,
                    const struct node *node);
int callback_arm(struct step *step, struct instance *instance, uint32_t token,
                 const struct node *node) MUST_CHECK;
/* The user task that ends with it. */
void callback_of_task(struct step *step, struct instance *instance, uint32_t token,
                      const struct node *node, const struct uuid *task);
/* The text without tokens: for what people look at. */
const char *callback_mask(struct arena *arena, const char *text);
/* What expressions of the node see as `callback`; false: it has none. */
bool callback_value(struct view *view, struct value *ret);
/* The activity did its own work: it is done, unless it waits for its callback. */
int activity_work_done(struct step *step, struct instance *instance, uint32_t token,
                       const struct node *node) MUST_CHECK;
/* What somebody answered, or that nobody did. */
int callback_answered(struct step *step, const struct trigger *trigger) MUST_CHECK;
/* COMMAND_CALLBACK_AGAIN. */
int callback_again(struct step *step, struct instance *instance,
                   const struct wait *wait) MUST_CHECK;

/* ---- parked.c: commands that are carried out again ---- */

/* Fills in the token and node that the command is about; false: they are gone. */
bool command_locate(const struct instance *instance, struct command *command);
/* Sets the variables that the command comes with; STEP_DROPPED: what it addresses is gone. */
int command_variables(struct step *step, struct instance *instance) MUST_CHECK;
/* The same after the command failed: what it came with holds, unless that was what failed. */
void command_variables_keep(struct step *step, struct instance *instance);
/* Makes one object of *text (NULL: {}) and `over`, whose members win. */
int variables_merge(struct arena *arena, const char **text, size_t *n, const char *over,
                    size_t over_n, struct err *err) MUST_CHECK;

/* ---- retry.c, fail.c: what becomes of a command that failed ---- */

struct failure {
    const char *reason, *error; /* of the incident, if it comes to that */
    uint32_t plain_tries;       /* where the node has no retry policy; without delay */
    int64_t not_before_us;      /* the other side asked for that */
    int64_t deadline_us;        /* no try begins later; 0: none */
    bool hopeless;              /* it would fail again */
};
/* Camunda's: three tries without delay where the model says nothing. */
#define DEFAULT_TRIES 3u

struct retry {
    enum { RETRY_USED_UP, RETRY_TOO_LATE, RETRY_AT } verdict;
    int64_t due_us;   /* RETRY_AT */
    const char *note; /* what is wrong with the policy; NULL: nothing */
};
/* By the policy of the command's node, after command->tries failures. */
struct retry retry_next(struct step *step, struct instance *instance, const struct command *command,
                        const struct failure *failure);
/* Files a command that failed (its `tries`: the failures before) as a retry or an incident. */
void failure_file(struct step *step, struct instance *instance, const struct command *command,
                  const struct failure *failure);
/* The same, with its tries counted and judged. */
void failure_place(struct step *step, struct instance *instance, const struct command *failed,
                   const struct failure *failure, const struct retry *retry);

/* ---- modify.c ---- */

/* COMMAND_SKIP, _MOVE, _COMPLETE_ELEMENT. */
int command_modify(struct step *step, struct instance *instance) MUST_CHECK;
