/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * What `pawl up` is told: flags, else the environment, else the file of --config, else defaults.
 * docs/operations.md lists it all; docs/pawl.conf is a file to begin with.
 *
 *     [pawl]             the settings below, by the names of their flags
 *     [retention]        the options of the SQL function set_retention()
 *     [endpoint NAME]    baseUrl and the options of the SQL function set_endpoint(), which judges
 * them
 */
#include "base/ini.h"
#include "base/log.h"
#include "cli/cli.h"
#include "store/setup.h"

enum setting_id {
    SETTING_DATABASE,
    SETTING_SCHEMA,
    SETTING_DATA,
    SETTING_LISTEN,
    SETTING_PUBLIC_URL,
    SETTING_TLS_CERT,
    SETTING_TLS_KEY,
    SETTING_TRUSTED_PROXIES,
    SETTING_FORWARDED_HEADER,
    SETTING_REQUEST_TIMEOUT,
    SETTING_WORKERS,
    SETTING_DRAIN,
    SETTING_LOG_FORMAT,
    SETTING_LOG_LEVEL,
    N_SETTINGS,
};

enum setting_from { FROM_DEFAULT, FROM_CONFIG_FILE, FROM_ENVIRONMENT, FROM_FLAG };

struct setting_value {
    const char *text; /* NULL: not set, and there is no default */
    enum setting_from from;
    int line; /* FROM_CONFIG_FILE */
};

struct config {
    struct arena arena; /* holds all of it */
    const char *path;   /* NULL: no file */
    struct ini ini;
    struct setting_value values[N_SETTINGS];
    const char *database, *schema, *data, *listen; /* database, listen: may be NULL */
    const char *tls_cert, *tls_key;                /* both or none */
    const char *trusted_proxies, *forwarded_header;
    double request_seconds; /* of an HTTP client */
    long workers;
    double drain_seconds;
    enum log_format log_format;
    enum log_level log_level;
    struct setup setup; /* what the database is to know */
};

/*
 * Reads all of it into *ret_config, which config_free() frees whatever came of it. A failure's text
 * says the file and line, the variable or the flag.
 */
int config_read(struct cli *cli, struct config *ret_config, struct err *err) MUST_CHECK;
void config_free(struct config *config);
/* Prints it on stdout, as a file that says the same: where each line comes from, secrets hidden. */
void config_print(struct cli *cli, const struct config *config);
/* The names of settings that differ and count at the next start only; "" for none. */
const char *config_needs_restart(const struct config *now, const struct config *next,
                                 struct arena *arena);
/* Where a setting came from, for messages: "--workers", "PAWL_WORKERS", "pawl.conf:3". */
const char *config_origin(const struct config *config, enum setting_id id, struct arena *arena);
