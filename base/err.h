/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Errors. A function that can fail returns int and takes `struct err *err` last:
 *   0    done
 *   < 0  fatal for this operation: err is filled; pass it up with `return err_trace(err)`
 *   > 0  a documented result of this one function (its own enum); the caller handles it and never
 *        passes it up
 * A *BPMN error* is data in the effects and an *incident* is a row; neither is a C error.
 * base, engine, parser and store do not log: they return. Whoever stops an error logs it, once.
 */
#include "base/build.h"

enum err_code {
    ERR_NONE = 0,
    ERR_INVALID,   /* what came from outside is wrong; the text says what and what to do */
    ERR_LIMIT,     /* a named limit was reached */
    ERR_NOT_FOUND, /* what was named does not exist */
    ERR_CONFLICT,  /* the state does not allow it */
    ERR_DENIED,    /* the database refused for lack of rights */
    ERR_DATA,      /* the database refused the data: SQLSTATE class 22, 23 or 54 */
    ERR_LOST,      /* the connection or server went away, or asks to try again */
    ERR_IO,        /* a file or socket */
    ERR_INTERNAL,  /* a bug of ours */
};

struct err {
    enum err_code code;
    int line, column;  /* in the text that was judged; 0: not known */
    char sqlstate[6];  /* "" when it did not come from the database */
    char text[1024];   /* a sentence for people, UTF-8; cut with "..." when longer */
    char hint[512];    /* what to do, another sentence; "" when the text says it */
    unsigned n_frames; /* where it came from and passed through */
    struct {
        const char *file;
        int line;
    } frames[8];
};

/* Failures are -1. Said where the compiler can see it: it then knows that outputs are set after
 * success. */
static inline int err_failed(int failed)
{
    (void)failed;
    return -1;
}

/* Fills err (which may be NULL) and returns -1. */
int err_fill(struct err *err, enum err_code code, const char *file, int line, const char *format,
             ...) PRINTF_LIKE(5, 6);
#define err_set(err, code, ...) err_failed(err_fill((err), (code), __FILE__, __LINE__, __VA_ARGS__))

int err_pass(struct err *err, const char *file, int line);
/* Notes this place in err and returns -1. */
#define err_trace(err) err_failed(err_pass((err), __FILE__, __LINE__))

/* What to do, of the error that err holds. */
void err_hint(struct err *err, const char *hint);
/* The text, and the hint behind it: for where there is one line. Returns room. */
const char *err_line(const struct err *err, char *room, size_t room_bytes);

void err_reset(struct err *err);

/* Whether a SQLSTATE begins so: it is of the class "40", of "57P", or the very "25006". */
static inline bool sqlstate_in(const char *sqlstate, const char *class)
{
    return strncmp(sqlstate, class, strlen(class)) == 0;
}
