/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * pawl-script: the program that runs JavaScript for the engine, one script after the other, in a
 * sandbox of its own. It reads requests from stdin and writes replies to stdout, each a length of
 * four bytes (of this machine's order) and as many bytes of JSON:
 *
 *   request  {"script": text, "variables": {…}, "execution": {…}}
 *   reply    {"result": …, "set": {…}}, {"error": text} or {"bpmnError": {"code", "message"}}
 *
 * A reply of no bytes says at first that it is ready. It ends with its stdin. It does not watch the
 * clock: who asked kills it when a script takes too long (jobexec/scripts.c), so what it holds must
 * be worth nothing.
 *
 *   main.c      requests and replies
 *   run.c       one script in a fresh heap of Duktape, with bounded memory
 *   prelude.c   what a script finds there: variables, execution, BpmnError
 *   sandbox.c   no files, no network, no processes, little memory
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCRIPT_FRAME_BYTES (8u << 20)  /* a request or reply; as jobexec/scripts.c has it */
#define SCRIPT_HEAP_BYTES (48u << 20)  /* of one script */
#define SCRIPT_SPACE_BYTES (96u << 20) /* addresses of the process */

/* From here on, what is not arithmetic or stdin and stdout kills the process. NULL, or why not. */
const char *sandbox_enter(void);

/* Runs one request; *ret_reply is to be freed. false: no memory for a reply, the process is spent.
 */
bool script_run(const char *request, size_t n, char **ret_reply, size_t *ret_n);

extern const char prelude[];
