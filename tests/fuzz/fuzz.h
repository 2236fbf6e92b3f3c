/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What libFuzzer calls; driver.c calls it too. */
#include "base/build.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
