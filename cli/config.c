/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>

#include "base/limits.h"
#include "cli/config.h"
#include "cli/datadir.h"
#include "server/server.h"
#include "store/json_text.h"

struct setting {
    const char *name; /* of the flag, and the key in the file */
    const char *variable;
    const char *fallback; /* NULL: none */
    bool live;            /* counts at a reload, too */
};

static const struct setting settings[N_SETTINGS] = {
    [SETTING_DATABASE] = {"database", "PAWL_DATABASE", NULL, false},
    [SETTING_SCHEMA] = {"schema", "PAWL_SCHEMA", "pawl", false},
    [SETTING_DATA] = {"data", "PAWL_DATA", DATADIR_DEFAULT, false},
    [SETTING_LISTEN] = {"listen", "PAWL_LISTEN", NULL, false},
    [SETTING_PUBLIC_URL] = {"public-url", "PAWL_PUBLIC_URL", NULL, true},
    [SETTING_TLS_CERT] = {"tls-cert", "PAWL_TLS_CERT", NULL, false},
    [SETTING_TLS_KEY] = {"tls-key", "PAWL_TLS_KEY", NULL, false},
    [SETTING_TRUSTED_PROXIES] = {"trusted-proxies", "PAWL_TRUSTED_PROXIES", NULL, false},
    [SETTING_FORWARDED_HEADER] = {"forwarded-header", "PAWL_FORWARDED_HEADER", "X-Forwarded-For",
                                  false},
    [SETTING_REQUEST_TIMEOUT] = {"request-timeout", "PAWL_REQUEST_TIMEOUT", "30", false},
    [SETTING_WORKERS] = {"workers", "PAWL_WORKERS", "2", false},
    [SETTING_DRAIN] = {"drain", "PAWL_DRAIN", "10", false},
    [SETTING_LOG_FORMAT] = {"log-format", "PAWL_LOG_FORMAT", "logfmt", true},
    [SETTING_LOG_LEVEL] = {"log-level", "PAWL_LOG_LEVEL", "info", true},
};

static const char *const endpoint_url_key = "baseUrl";

const char *config_origin(const struct config *config, enum setting_id id, struct arena *arena)
{
    const struct setting_value *value = &config->values[id];

    switch (value->from) {
    case FROM_FLAG:
        return arena_printf(arena, "--%s", settings[id].name);
    case FROM_ENVIRONMENT:
        return settings[id].variable;
    case FROM_CONFIG_FILE:
        return arena_printf(arena, "%s:%d", config->path, value->line);
    case FROM_DEFAULT:
        break;
    }
    return "default";
}

/* ---- The file ---- */

static int at_line(const struct config *config, int line, struct err *err, const char *text)
{
    return err_set(err, ERR_INVALID, "%s:%d: %s", config->path, line, text);
}

static int read_file(struct cli *cli, struct config *config, struct err *err)
{
    struct cli own = *cli;
    struct err why = {0};
    const char *text;
    size_t n;

    /* Its text is the configuration's and goes with it. */
    own.arena = config->arena;
    int result = cli_read_file(&own, config->path, LIMIT_CONFIG_BYTES, &text, &n, err);
    config->arena = own.arena;
    if (result < 0)
        return err_trace(err);
    if (ini_read(&config->arena, text, n, &config->ini, &why) == 0)
        return 0;
    if (why.line == 0)
        return err_set(err, why.code, "%s: %s", config->path, why.text);
    return err_set(err, why.code, "%s:%d:%d: %s", config->path, why.line, why.column, why.text);
}

static int check_keys(const struct config *config, const struct ini_section *section,
                      struct err *err)
{
    for (size_t i = 0; i < section->n_entries; i++) {
        const char *key = section->entries[i].key;
        size_t k = 0;
        while (k < N_SETTINGS && strcmp(settings[k].name, key) != 0)
            k++;
        if (k < N_SETTINGS)
            continue;
        struct buf known CLEANUP(buf_deinit);
        buf_init(&known, 0);
        for (k = 0; k < N_SETTINGS; k++)
            buf_printf(&known, "%s%s", k > 0 ? ", " : "", settings[k].name);
        return err_set(err, ERR_INVALID,
                       "%s:%d: there is no setting \"%s\" in [pawl]; there are: %s", config->path,
                       section->entries[i].line, key, buf_str(&known));
    }
    return 0;
}

/* ---- Endpoints: dotted keys become nested objects ---- */

/* NULL: what begins like JSON is not. */
static json_t *option_value(const struct ini_entry *entry)
{
    json_error_t error;

    if (entry->quoted)
        return json_string(entry->value);
    json_t *value = json_loads(entry->value, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
    if (value != NULL && !json_is_string(value))
        return value;
    json_decref(value);
    return *entry->value == '[' || *entry->value == '{' ? NULL : json_string(entry->value);
}

/* Takes over `value`. False: on the way there is something that is no object. */
static bool put(struct arena *arena, json_t *object, const char *key, json_t *value)
{
    for (const char *dot; (dot = strchr(key, '.')) != NULL; key = dot + 1) {
        const char *name = arena_strndup(arena, key, (size_t)(dot - key));
        json_t *inner = json_object_get(object, name);
        if (inner == NULL) {
            inner = json_object();
            json_object_set_new(object, name, inner);
        }
        object = inner;
        if (!json_is_object(object)) {
            json_decref(value);
            return false;
        }
    }
    if (json_object_get(object, key) != NULL) {
        json_decref(value);
        return false;
    }
    return json_object_set_new(object, key, value) == 0;
}

static int read_options(struct config *config, const struct ini_section *section, json_t *options,
                        struct err *err)
{
    for (size_t i = 0; i < section->n_entries; i++) {
        const struct ini_entry *entry = &section->entries[i];
        if (strcmp(entry->key, endpoint_url_key) == 0)
            continue;
        json_t *value = option_value(entry);
        if (value == NULL)
            return at_line(config, entry->line, err,
                           "what begins with [ or { must be JSON: put a text into quotes");
        if (!put(&config->arena, options, entry->key, value))
            return at_line(config, entry->line, err,
                           "this key and another one cannot both be: one is inside of the other");
    }
    return 0;
}

static int read_retention(struct config *config, const struct ini_section *section, struct err *err)
{
    json_auto_t *options = json_object();

    if (read_options(config, section, options, err) < 0)
        return err_trace(err);
    config->setup.retention = json_text_in(&config->arena, options);
    config->setup.retention_line = section->line;
    return 0;
}

static int read_endpoint(struct config *config, const struct ini_section *section, struct err *err)
{
    json_auto_t *options = json_object();
    struct setup *setup = &config->setup;

    if (section->name == NULL)
        return at_line(config, section->line, err, "an endpoint needs a name: [endpoint geocoder]");
    const struct ini_entry *url = ini_entry(section, endpoint_url_key);
    if (url == NULL)
        return at_line(config, section->line, err,
                       "the endpoint has no baseUrl: add a line baseUrl = https://…");
    if (read_options(config, section, options, err) < 0)
        return err_trace(err);
    char *text = json_dumps(options, JSON_COMPACT | JSON_SORT_KEYS);
    *arena_push(&config->arena, setup->endpoints, setup->n_endpoints, setup->endpoints_capacity) =
        (struct setup_endpoint){.name = section->name,
                                .base_url = url->value,
                                .options = arena_strdup(&config->arena, text),
                                .line = section->line};
    free(text);
    return 0;
}

static int read_sections(struct config *config, struct err *err)
{
    for (size_t i = 0; i < config->ini.n_sections; i++) {
        const struct ini_section *section = &config->ini.sections[i];
        if (strcmp(section->kind, "endpoint") == 0) {
            if (read_endpoint(config, section, err) < 0)
                return err_trace(err);
        } else if (strcmp(section->kind, "retention") == 0 && section->name == NULL) {
            if (read_retention(config, section, err) < 0)
                return err_trace(err);
        } else if (strcmp(section->kind, "pawl") == 0 && section->name == NULL) {
            if (check_keys(config, section, err) < 0)
                return err_trace(err);
        } else {
            return err_set(err, ERR_INVALID,
                           "%s:%d: there is no section [%s%s%s]; there are [pawl], [retention] "
                           "and [endpoint NAME]",
                           config->path, section->line, section->kind,
                           section->name != NULL ? " " : "",
                           section->name != NULL ? section->name : "");
        }
    }
    return 0;
}

/* ---- One out of four places ---- */

static void choose(const struct cli *cli, struct config *config, enum setting_id id)
{
    const struct setting *setting = &settings[id];
    struct setting_value *value = &config->values[id];
    const char *variable = getenv(setting->variable);
    const struct ini_entry *entry =
        ini_entry(ini_section(&config->ini, "pawl", NULL), setting->name);

    *value = (struct setting_value){.text = setting->fallback};
    if (entry != NULL && (*entry->value != '\0' || entry->quoted))
        *value = (struct setting_value){entry->value, FROM_CONFIG_FILE, entry->line};
    if (variable != NULL && *variable != '\0')
        *value = (struct setting_value){variable, FROM_ENVIRONMENT, 0};
    if (cli_has(cli, setting->name))
        *value = (struct setting_value){cli_option(cli, setting->name), FROM_FLAG, 0};
}

static int refuse(struct config *config, enum setting_id id, const char *wanted, struct err *err)
{
    return err_set(err, ERR_INVALID, "%s: %s must be %s, not \"%s\"",
                   config_origin(config, id, &config->arena), settings[id].name, wanted,
                   config->values[id].text);
}

static bool read_seconds(const struct config *config, enum setting_id id, double least,
                         double *ret_seconds)
{
    const char *text = config->values[id].text;
    char *end;

    *ret_seconds = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*ret_seconds) && *ret_seconds >= least &&
           *ret_seconds <= 3600;
}

static int judge(struct config *config, struct err *err)
{
    const struct setting_value *values = config->values;
    char *end;

    config->database = values[SETTING_DATABASE].text;
    config->schema = values[SETTING_SCHEMA].text;
    config->data = values[SETTING_DATA].text;
    config->listen = values[SETTING_LISTEN].text;
    config->setup.no_file = config->path == NULL;
    config->setup.public_url = values[SETTING_PUBLIC_URL].text;
    config->tls_cert = values[SETTING_TLS_CERT].text;
    config->tls_key = values[SETTING_TLS_KEY].text;
    config->trusted_proxies = values[SETTING_TRUSTED_PROXIES].text;
    config->forwarded_header = values[SETTING_FORWARDED_HEADER].text;
    if ((config->tls_cert == NULL) != (config->tls_key == NULL))
        return err_set(err, ERR_INVALID,
                       "tls-cert and tls-key belong together: the files of a certificate and its "
                       "key, in PEM");
    struct err why = {0};
    if (server_check_proxies(config->trusted_proxies, NULL, &why) < 0)
        return refuse(config, SETTING_TRUSTED_PROXIES, "networks such as 10.0.0.0/8, or unix", err);
    if (server_check_proxies(NULL, config->forwarded_header, &why) < 0)
        return refuse(config, SETTING_FORWARDED_HEADER, "X-Forwarded-For or Forwarded", err);
    errno = 0;
    config->workers = strtol(values[SETTING_WORKERS].text, &end, 10);
    if (errno != 0 || end == values[SETTING_WORKERS].text || *end != '\0' || config->workers < 1 ||
        config->workers > 64)
        return refuse(config, SETTING_WORKERS, "a whole number from 1 to 64", err);
    if (!read_seconds(config, SETTING_DRAIN, 0, &config->drain_seconds))
        return refuse(config, SETTING_DRAIN, "seconds from 0 to 3600", err);
    if (!read_seconds(config, SETTING_REQUEST_TIMEOUT, 1, &config->request_seconds))
        return refuse(config, SETTING_REQUEST_TIMEOUT, "seconds from 1 to 3600", err);
    if (!log_format_parse(values[SETTING_LOG_FORMAT].text, &config->log_format))
        return refuse(config, SETTING_LOG_FORMAT, "logfmt or json", err);
    if (!log_level_parse(values[SETTING_LOG_LEVEL].text, &config->log_level))
        return refuse(config, SETTING_LOG_LEVEL, "debug, info, warn or error", err);
    return 0;
}

int config_read(struct cli *cli, struct config *ret_config, struct err *err)
{
    const char *path = cli_option(cli, "config");

    *ret_config = (struct config){.path = path != NULL ? path : getenv("PAWL_CONFIG")};
    arena_init(&ret_config->arena, 0);
    if (ret_config->path != NULL && *ret_config->path == '\0')
        ret_config->path = NULL;
    if (ret_config->path != NULL &&
        (read_file(cli, ret_config, err) < 0 || read_sections(ret_config, err) < 0))
        return err_trace(err);
    for (enum setting_id id = 0; id < N_SETTINGS; id++)
        choose(cli, ret_config, id);
    return judge(ret_config, err) < 0 ? err_trace(err) : 0;
}

void config_free(struct config *config)
{
    struct arena arena = config->arena;

    arena_deinit(&arena);
}

const char *config_needs_restart(const struct config *now, const struct config *next,
                                 struct arena *arena)
{
    const char *names = "";

    for (enum setting_id id = 0; id < N_SETTINGS; id++) {
        const char *a = now->values[id].text, *b = next->values[id].text;
        bool same = a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
        if (!same && !settings[id].live)
            names =
                arena_printf(arena, "%s%s%s", names, *names != '\0' ? "," : "", settings[id].name);
    }
    return names;
}

/* ---- What it comes to ---- */

/* A connection string with its passwords hidden: password=…, and user:…@ of a URI. */
static const char *hide_passwords(struct arena *arena, const char *conninfo)
{
    const char *uri = strstr(conninfo, "://"), *word = "password=";
    struct buf text CLEANUP(buf_deinit);
    const char *at;

    buf_init(&text, 0);
    const char *sign = uri != NULL ? strchr(uri, '@') : NULL;
    const char *colon = uri != NULL ? strchr(uri + 3, ':') : NULL;
    if (sign != NULL && colon != NULL && colon < sign) {
        buf_add(&text, conninfo, (size_t)(colon + 1 - conninfo));
        buf_add_str(&text, "***");
        conninfo = sign;
    }
    while ((at = strstr(conninfo, word)) != NULL) {
        at += strlen(word);
        buf_add(&text, conninfo, (size_t)(at - conninfo));
        buf_add_str(&text, "***");
        if (*at != '\'') {
            conninfo = at + strcspn(at, uri != NULL ? "&" : " ");
            continue;
        }
        for (at++; *at != '\0' && *at != '\''; at++)
            at += *at == '\\' && at[1] != '\0';
        conninfo = at + (*at == '\'');
    }
    buf_add_str(&text, conninfo);
    return arena_strdup(arena, buf_str(&text));
}

static bool is_secret(const struct ini_section *section, const struct ini_entry *entry)
{
    static const char *const words[] = {"headers", "secret", "password", "token", "key"};
    static const char *const references[] = {"file:", "env:", "credential:"};

    if (strcmp(section->kind, "endpoint") != 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(references); i++)
        if (strncmp(entry->value, references[i], strlen(references[i])) == 0)
            return false;
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        if (strcasestr(entry->key, words[i]) != NULL)
            return true;
    /* An object may have anything in it. */
    return *entry->value == '{' || *entry->value == '[';
}

static void print_value(const char *key, const char *value)
{
    bool quote = *value == '"' || *value == ' ' || *value == '\t' || strchr(value, '\n') != NULL ||
                 (*value != '\0' && strchr(" \t", value[strlen(value) - 1]) != NULL);

    printf("%s = ", key);
    if (!quote) {
        printf("%s\n", value);
        return;
    }
    putchar('"');
    for (; *value != '\0'; value++) {
        if (*value == '\n')
            fputs("\\n", stdout);
        else
            printf("%s%c", *value == '"' || *value == '\\' ? "\\" : "", *value);
    }
    fputs("\"\n", stdout);
}

void config_print(struct cli *cli, const struct config *config)
{
    puts("[pawl]");
    for (enum setting_id id = 0; id < N_SETTINGS; id++) {
        const char *text = config->values[id].text;
        printf("# %s\n", text == NULL
                             ? arena_printf(&cli->arena, "%s is not set", settings[id].name)
                             : config_origin(config, id, &cli->arena));
        if (text != NULL)
            print_value(settings[id].name,
                        id == SETTING_DATABASE ? hide_passwords(&cli->arena, text) : text);
    }
    for (size_t i = 0; i < config->ini.n_sections; i++) {
        const struct ini_section *section = &config->ini.sections[i];
        if (strcmp(section->kind, "pawl") == 0)
            continue;
        printf("\n# %s:%d\n[%s%s%s]\n", config->path, section->line, section->kind,
               section->name != NULL ? " " : "", section->name != NULL ? section->name : "");
        for (size_t k = 0; k < section->n_entries; k++)
            print_value(section->entries[k].key, is_secret(section, &section->entries[k])
                                                     ? "***"
                                                     : section->entries[k].value);
    }
}
