/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* JSON as compact text, with numbers as short as they can be without losing anything. */
#include <jansson.h>

#include "base/buf.h"

void json_text(struct buf *buf, const json_t *value);
