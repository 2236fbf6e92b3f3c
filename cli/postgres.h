/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * The private PostgreSQL of `pawl up`: a cluster of its own, reachable only through a Unix socket
 * in a directory that only its owner may enter, no TCP. It is started detached, so it outlives a
 * killed pawl, and the next one finds it. PostgreSQL refuses to run as root; then it runs as
 * `postgres`.
 */
#include "cli/cli.h"
#include "cli/process.h"

struct postgres {
    struct cli *cli;
    const char *directory; /* the data directory of the installation */
    const char *home;      /* below: data, socket, log */
    const char *data;      /* the cluster */
    const char *bin;       /* PostgreSQL's programs */
    int version;           /* 15, … */
    struct user user;
    const char *socket;
    const char *conninfo;
    bool found_running;
};

/*
 * Makes the cluster where it is missing, starts it where it does not run, and writes how to reach
 * it into the data directory. node names its place when it cannot lie in the data directory.
 */
int postgres_start(struct postgres *postgres, struct cli *cli, const char *directory,
                   const char *node, struct err *err) MUST_CHECK;
/* Ends its sessions and waits until it is down. */
int postgres_stop(struct postgres *postgres, struct err *err) MUST_CHECK;
/* Asks it to end its sessions and go, without waiting. */
void postgres_stop_now(const struct postgres *postgres);
