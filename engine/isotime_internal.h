/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/* What the files of isotime share. Pure. */
#include "base/err.h"

/* Takes the spaces of XML off both ends. */
void iso_text_trim(const char **text, size_t *n);
/* Refuses text because of what stands at `at`; returns -1. */
int iso_refuse(struct err *err, const char *text, size_t n, const char *at, const char *what);

/* Days since 1970-01-01 of a date, and back. */
int64_t iso_days_of_date(int64_t year, int month, int day);
void iso_date_of_days(int64_t days, int64_t *ret_year, int *ret_month, int *ret_day);
int iso_days_of_month(int64_t year, int month);
/* The day that a time falls on, and the microseconds since its midnight. */
int64_t iso_day_of_us(int64_t us, int64_t *ret_time);
