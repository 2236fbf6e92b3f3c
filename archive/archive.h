/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Zip files that are deployed, as the files in them: those that a deployment takes, by their paths;
 * and deployments as zip files. The only user of libarchive. No I/O, no global. Any thread.
 *
 * The whole archive is refused if anything in it is not a plain file or a folder, is encrypted, or
 * has a path that leads out of it. Nothing is unpacked beyond the limits, whatever the archive says
 * of its sizes.
 */
#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"

struct archive_file {
    const char *name; /* its path; without the one folder in which all of them are */
    const char *text; /* n bytes, NUL-terminated; not looked at */
    size_t n;
};

/* Whether a deployment takes a file: models, schemas (.json), forms (.form); none that is hidden.
 */
bool archive_takes(const char *name);
bool archive_is_zip(const char *name);
/* `file` is for messages. Files in the order of their names. ERR_INVALID, ERR_LIMIT. */
int archive_read_files(struct arena *arena, const char *file, const char *data, size_t n,
                       struct archive_file **ret_files, size_t *ret_n, struct err *err) MUST_CHECK;
/* The name under which a file is written, so that a deployment takes it again: that which it has,
 * if it can be. */
const char *archive_name(struct arena *arena, const char *name);
/* A zip file of them, within one folder, whose name does not count. ERR_INVALID: two would have the
 * same name. */
int archive_write_files(struct arena *arena, const struct archive_file *files, size_t n,
                        struct buf *zip, struct err *err) MUST_CHECK;
