/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Deployments: files are read and judged outside of any transaction (deploy_judge.c); then one
 * transaction of its own makes the new versions, or files the refusal (deploy.c).
 */
#include "parser/parser.h"
#include "store/conn.h"
#include "store/start_timer.h"

struct deploy_file {
    const char *name, *content;
    size_t n;
    bool is_bpmn;
    struct parse_result parsed; /* is_bpmn */
};

struct deploy_process {
    const struct deploy_file *file;
    struct graph *graph;
    size_t file_index;
    int definition_id, version; /* once there */
    bool is_new;                /* not the same as the latest version */
};

struct deploy_finding {
    const char *file;
    struct finding finding;
};

struct deployment {
    struct arena *arena;
    struct uuid id;
    const char *name, *tenant, *actor; /* name may be NULL */
    const char *allowed; /* the processes that he may deploy, a JSON array of patterns; NULL: all */
    bool all_new;        /* a version also of what did not change */
    struct deploy_file *files;
    size_t n_files;
    struct deploy_process *processes;
    size_t n_processes, processes_capacity;
    struct deploy_finding *findings;
    size_t n_findings, findings_capacity;
    size_t n_errors;
    struct value given_option, given_file; /* values of parameters; null: none */
    struct result *former; /* owned: parameters of the latest versions; may be NULL */
};

/* Reads the inbox row's body and judges all files. What is wrong becomes findings. */
void deploy_judge(struct deployment *deployment, const char *body, size_t body_n);
void deploy_forget(struct deployment *deployment); /* what parsing took */
void deploy_found(struct deployment *deployment, enum finding_severity severity, const char *file,
                  int line, const char *element, const char *code, const char *message);
/* As a JSON array of objects: file, line, column, element, code, severity, message. */
const char *deploy_findings_json(const struct deployment *deployment);

/* The start events of processes with is_new take the place of those of other versions. */
int deploy_replace_starts(struct conn *conn, struct deployment *d, int64_t now_us,
                          struct err *err) MUST_CHECK;
int deploy_zones(struct conn *conn, struct deployment *d, struct err *err) MUST_CHECK;

/* deploy_input.c: parameters, schemas, forms, and what makes a version another one. */
/* {"all":true,"parameters":{…}}: what deploy_all() was told. */
void deploy_options(struct deployment *d, const char *text, size_t n);
int deploy_judge_parameters(struct conn *conn, struct deployment *d, struct err *err) MUST_CHECK;
int deploy_insert_parameters(struct conn *conn, struct deployment *d, int64_t now_us,
                             struct err *err) MUST_CHECK;
int deploy_insert_inputs(struct conn *conn, struct deployment *d, const struct deploy_process *p,
                         struct err *err) MUST_CHECK;
const char *deploy_digest(const struct deployment *d, const struct deploy_process *p,
                          const struct result *digests, size_t *ret_n);

struct worker_fence {
    int worker;
    int64_t epoch;
};
/*
 * Begins the transaction that carries out the inbox row of a deployment or a withdrawal, which it
 * takes. Returns 1, or 0 if another worker was faster: no transaction is open then.
 */
int deploy_begin(struct conn *conn, const struct worker_fence *fence, uint64_t xid, int64_t id,
                 struct err *err) MUST_CHECK;
/*
 * Carries out the deployment that waits in the inbox at (xid, id). Harmless if it is not there any
 * more or another worker has it. Not inside of a transaction.
 */
int deploy_run(struct conn *conn, struct arena *arena, const struct worker_fence *fence,
               uint64_t xid, int64_t id, struct uuid *ret_id, struct err *err) MUST_CHECK;

/*
 * withdraw.c: the same for INBOX_WITHDRAW. 1: not now, a caller's open transaction suspends or
 * resumes one of its definitions.
 */
int withdraw_run(struct conn *conn, struct arena *arena, const struct worker_fence *fence,
                 uint64_t xid, int64_t id, struct uuid *ret_id, struct err *err) MUST_CHECK;
