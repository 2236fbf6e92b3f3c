/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What the files of the parser share while one BPMN file is turned into graphs. One thread reads
 * one file; nothing here outlives parser_read() but the findings and the graphs.
 *
 *   build.c       the file, its processes, the order of the nodes, sequence flows
 *   activities.c  tasks, sub-processes, call activities     events.c   events and their definitions
 *   http.c        pawl:http                                  mapping.c  inputOutput, in, out
 *   external.c    external tasks, Java classes mapped to topics
 *   delegate.c    pawl:sql, pawl:delegate                   callback.c pawl:taskToken
 *   level.c       pawl:serviceLevel
 *   event_put.c   pawl:event
 *   multi_instance.c   an activity for each item
 *   input.c       pawl:inputSchema, pawl:parameter, startableBy     form.c    forms
 *   template.c    our words as properties, as element templates write them
 *   text.c        texts with a meaning: expressions, durations, dates, names, booleans
 *   elements.c    every BPMN element that is known        vocabulary.c   every attribute and
 * extension check*.c      rules of the finished graph                lint*.c    advice
 */
#include "parser/findings.h"
#include "parser/xml.h"

/* An element with an id, sorted by it. */
struct identified {
    const char *id;
    const struct xml_element *element;
};

/* Foreign namespaces are mentioned once each. */
struct foreign {
    const char *uri, *prefix;
    int line;
    unsigned n;
};

/* A call activity whose process is named in the file, sorted by that name. */
struct caller {
    const char *key;
    size_t process; /* where it stands */
    const struct graph *graph;
    const struct node *node;
};

struct file_build {
    const char *name;
    struct arena *arena; /* the tree's: gone when the file has been read */
    struct findings findings;
    const struct parser_file *files; /* of the deployment */
    size_t n_files;
    bool files_unknown; /* there may be others */
    struct xml_element *root;
    struct identified *ids;
    size_t n_ids;
    struct foreign *foreign;
    size_t n_foreign, foreign_capacity;
    struct process_build *processes;
    size_t n_processes;
    struct caller *callers;
    size_t n_callers;
    /* For following errors through the callers; one of each for each process. */
    unsigned *error_seen, error_rounds;
    size_t *error_queue;
    size_t error_steps;
};

/* What the parser knows of a node besides its graph. */
struct site {
    const struct xml_element *element;
    bool refused; /* not executed, said so already: later rules leave it alone */
};

/* A process under construction. */
struct process_build {
    struct file_build *file;
    struct graph *graph;
    const struct xml_element *element;
    struct site *sites;                    /* one for each node */
    const struct xml_element **flow_sites; /* one for each flow */
};

/* Adds a finding about an element; the nearest id is looked up. */
#define report(file, code, at, ...)                                                                \
    findings_add(&(file)->findings, (code), (at)->line, (at)->column, element_id(at), __VA_ARGS__)

/* Id of the element, or of the nearest one around it; NULL if there is none. */
const char *element_id(const struct xml_element *element);
/* "serviceTask 'charge'" for messages. */
const char *element_shown(struct file_build *file, const struct xml_element *element);
/* The element with that id (a QName: its prefix is dropped if need be), or NULL. */
const struct xml_element *element_by_id(const struct file_build *file, const char *reference);
/* Its node in this process, or -1. */
int element_node(const struct process_build *process, const struct xml_element *element);
/* Children of extensionElements: for (c = extensions(e); c != NULL; c = c->next) */
const struct xml_element *extensions(const struct xml_element *element);
const struct xml_element *extension_child(const struct xml_element *element, const char *name);

/* ---- text.c ---- */

/* Compiles; NULL with a finding. what: "attribute camunda:assignee", for the message. */
const struct expr *text_expression(struct process_build *process, const struct xml_element *at,
                                   const char *what, const char *text);
/* The same for an attribute that may be missing (NULL). */
const struct expr *text_optional(struct process_build *process, const struct xml_element *at,
                                 const char *what, const char *text);
/* A literal that stays a text; NULL stays NULL. Checks its length. */
const char *text_name(struct process_build *process, const struct xml_element *at, const char *what,
                      const char *text);
/* camunda:jobPriority: a whole number, and which of the three it comes to is all that counts. */
int text_priority(struct file_build *file, const struct xml_element *at, int fallback);
/* An attribute that is true or false. */
bool text_bool(struct file_build *file, const struct xml_element *at, const char *what,
               const char *text, bool fallback);
/* Refuses attributes that are not in the list: a word of our own that is not known is a slip. */
void check_attributes(struct file_build *file, const struct xml_element *e,
                      const char *const *names, size_t n);
/* A duration in microseconds, literal only; 0 with a finding. */
int64_t text_duration_us(struct process_build *process, const struct xml_element *at,
                         const char *what, const char *text);
/* Sorts names, and finds one among sorted ones. */
void names_sort(const char **names, size_t n);
bool names_have(const char *const *names, size_t n, const char *name);
/* Judges what is literal, and trusts what is not until it is evaluated. */
void check_duration(struct process_build *process, const struct xml_element *at, const char *what,
                    const struct expr *expr);
void check_date(struct process_build *process, const struct xml_element *at, const char *what,
                const struct expr *expr, bool duration_too);
void check_cycle(struct process_build *process, const struct xml_element *at, const char *what,
                 const struct expr *expr);
void check_integer(struct process_build *process, const struct xml_element *at, const char *what,
                   const struct expr *expr);

/* ---- vocabulary.c ---- */

/* What an element stands for, as far as the vocabulary cares: a bit of `enum owner`. */
unsigned owner_of_kind(enum node_kind kind);
/* Owners that are no nodes. */
enum owner {
    OWNER_PROCESS = 1u << NODE_KINDS,
    OWNER_FLOW = 1u << (NODE_KINDS + 1),
    OWNER_MESSAGE_EVENT = 1u << (NODE_KINDS + 2),
    OWNER_TIMER_EVENT = 1u << (NODE_KINDS + 3),
    OWNER_ERROR_EVENT = 1u << (NODE_KINDS + 4),
    OWNER_OTHER_EVENT = 1u << (NODE_KINDS + 5),
    OWNER_ERROR = 1u << (NODE_KINDS + 6),
    OWNER_MESSAGE = 1u << (NODE_KINDS + 7),
    OWNER_DEFINITIONS = 1u << (NODE_KINDS + 8),
    OWNER_CONDITION = 1u << (NODE_KINDS + 9),
    OWNER_TIME = 1u << (NODE_KINDS + 10), /* timeDate, timeDuration, timeCycle */
    OWNER_LOOP = 1u << (NODE_KINDS + 11), /* multiInstanceLoopCharacteristics */
};

/* Looks through the attributes and extension elements of one element; reports what is not executed.
 */
void vocabulary_check(struct file_build *file, const struct xml_element *element, unsigned owner);
void vocabulary_finish(struct file_build *file);

/* ---- elements.c: what a BPMN element is to us ---- */
enum element_class {
    ELEMENT_NODE,         /* executed; *ret_kind says what */
    ELEMENT_REFUSED_NODE, /* a flow node that is not executed; its remedy is given */
    ELEMENT_FLOW,
    ELEMENT_HARMLESS, /* says nothing about execution */
    ELEMENT_REFUSED,  /* changes execution, and is not executed */
    ELEMENT_UNKNOWN,
};
enum element_class element_classify(const struct xml_element *element, enum node_kind *ret_kind,
                                    const char **ret_remedy);
/* Refuses plain attributes of a node that change execution and are not executed. */
void check_plain_attributes(struct file_build *file, const struct xml_element *element);

/* ---- activities.c, events.c, http.c, mapping.c, retry.c ---- */

void read_activity(struct process_build *process, int index);
void read_event(struct process_build *process, int index);
/* Its items, if it has multiInstanceLoopCharacteristics. */
void read_multi_instance(struct process_build *process, int index);
/* startsWhenSent, attachedToRef: once all nodes are read. */
void link_event(struct process_build *process, int index);
/* The message of an event, send or receive task: its name by reference. */
void read_message(struct process_build *process, const struct xml_element *at,
                  const char *reference, struct event_definition *event);
/* pawl:correlationKey and pawl:timeToLive, on the definition or on what it belongs to. */
void read_correlation(struct process_build *process, const struct xml_element *element,
                      const struct xml_element *definition, bool throws,
                      struct event_definition *event);
/* What a service or send task or a message throw event does: expression, delegate or pawl:http. */
void read_service(struct process_build *process, int index, const struct xml_element *holder);
/* The external task that the element is; false: it is none. */
bool read_external(struct process_build *process, int index, const struct xml_element *holder);
/* errorRef: the code and message of the error that it names. */
void read_error_reference(struct process_build *process, const struct xml_element *e,
                          const struct xml_element *definition, bool throws,
                          struct event_definition *event);
void read_http(struct process_build *process, int index, const struct xml_element *http);
/* pawl:serviceLevel of an activity or process; NULL: it has none. */
struct service_level *read_level(struct process_build *process, const struct xml_element *of);
/* pawl:taskToken, if the element has one: before what it does is read. */
void read_callback(struct process_build *process, int index);
void read_result_variable(struct process_build *process, int index,
                          const struct xml_element *holder);

bool script_is_javascript(const char *format);
/* The text of the element, as a script in an expression's place; format NULL: it says none. */
const struct expr *read_script(struct process_build *process, const struct xml_element *at,
                               const char *what, const char *format);
void read_script_task(struct process_build *process, int index);

/* pawl:event */
void read_event_put(struct process_build *process, int index, const struct xml_element *e);
/* Of a SQL or C delegate: the attribute that names it, or its element; one of them may be NULL. */
void read_delegate(struct process_build *process, int index, const char *name,
                   const struct xml_element *e);
/* timeout, deadline, whenOpen and their errors, of a call. */
void read_call_times(struct process_build *process, const struct xml_element *e,
                     struct http_call *http);
/* pawl:input, pawl:output: a variable and its value. */
void read_named_mapping(struct process_build *process, const struct xml_element *e,
                        struct mapping **items, size_t *n, size_t *capacity);
void read_mappings(struct process_build *process, int index);
/* camunda:failedJobRetryTimeCycle or pawl:retry; NULL: neither. */
struct retry_policy *read_retry(struct process_build *process, const struct xml_element *e);
void read_call_mappings(struct process_build *process, int index);
/* camunda:list, camunda:map or text, for inputParameter and outputParameter. */
void read_mapping_value(struct process_build *process, const struct xml_element *at,
                        const char *what, struct mapping *ret_mapping);

/* ---- input.c, form.c ---- */

const struct parser_file *find_file(const struct file_build *file, const char *name);
void read_node_input(struct process_build *process, int index);
void read_process_input(struct process_build *process);
void check_only_called(struct process_build *process);
void read_form(struct process_build *process, const struct xml_element *e, struct input *input);

/* ---- template.c ---- */

/* What element templates write as properties becomes our attributes and elements, all the way down.
 */
void expand_properties(struct file_build *file, struct xml_element *element);

/* ---- check.c, lint.c ---- */

void check_process(struct process_build *process);
/* The same message at two start events of the file. */
void check_start_messages(struct file_build *file);
/* Advice; only for a file without errors. */
void lint_file(struct file_build *file);
void lint_errors(struct process_build *process);
void lint_variables(struct process_build *process);

/* The call activities of the file that call this process. */
const struct caller *lint_callers(const struct file_build *file, const char *key, size_t *ret_n);
/* Does the node catch or wait for a message? */
bool lint_waits_for_message(const struct node *node);
