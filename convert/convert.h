/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Processes that are written as a list of steps, made into BPMN: with a diagram, so that the editor
 * shows it and BPMN is the source from then on. docs/steps.md has the language.
 *
 *   yaml.c     text to a tree of items, each with its line; the only user of libyaml
 *   steps.c    the tree to steps and the flows between them, judged
 *   layout.c   where each shape lies, and how flows run
 *   bpmn.c     all of that as BPMN 2.0 XML
 *
 * Pure but for libyaml's heap: no I/O, no global. Any thread.
 */
#include "base/buf.h"
#include "base/err.h"

/*
 * text: YAML 1.1, which JSON is, too; `file` is for messages. Adds the BPMN to ret_bpmn and, if
 * asked, gives the id of the process. ERR_INVALID, ERR_LIMIT: what is wrong, with the line.
 */
int convert_steps(const char *file, const char *text, size_t n, struct buf *ret_bpmn,
                  struct buf *ret_id, struct err *err) MUST_CHECK;
