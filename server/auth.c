/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who asks: a bearer token (RFC 6750), or name and password (HTTP Basic, RFC 7617). The database
 * says whose they are; what it said counts for a second, under a keyed digest of the credentials.
 * A password is judged by a thread of its own, once: then its digest stands for it, as long as the
 * user's verifier is the same.
 */
#include "base/build.h"

#include "base/clock.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/utf8.h"
#include "server/auth.h"
#include "server/server_internal.h"
#include "server/verifier.h"
#include "store/json_text.h"

#define KNOWN_US 1000000 /* a change of a user counts after so long */
#define KNOWN_SETS 128u  /* of KNOWN_WAYS each */
#define KNOWN_WAYS 4u
#define FAILURES 256u        /* remembered: of a name at an address, or of an address */
#define FAILURES_US 60000000 /* for so long */
#define FAILURES_OF_NAME 10u /* more of one name at one address: refused unseen */
#define FAILURES_OF_ADDRESS 50u
#define HASHES_MAX 64u /* passwords that wait to be judged */
#define NOTES_MAX 64u  /* lines for the audit trail, between two writes */
#define NAME_BYTES 255u

/* Of a name that nobody has: it takes as long. */
#define NOBODYS                                                                                    \
    "SCRAM-SHA-256$120000:AAAAAAAAAAAAAAAAAAAAAA==$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=:"

struct known {
    uint8_t key[DIGEST_SHA256_BYTES];      /* of the credentials */
    uint8_t verifier[DIGEST_SHA256_BYTES]; /* of the password: for this one it was right */
    int64_t at_us;                         /* 0: free */
    unsigned rights;
    struct buf text; /* the name, a NUL, what the database gets */
};

struct failure {
    uint8_t of[8];
    int64_t since_us;
    unsigned n;
};

struct note {
    char kind[16], name[NAME_BYTES + 1], subject[128], address[48];
    unsigned times;
};

/* One request that is looked at; in its arena. */
struct asking {
    struct request *request;
    struct auth *auth;
    uint8_t key[DIGEST_SHA256_BYTES];
    const char *name, *password; /* NULL: a token */
    const char *digest;          /* of a token, in hex */
    const char *verifier, *caller;
    unsigned rights;
    struct desk_request desk;
    struct asking *next;
};

struct auth {
    struct arena arena; /* holds this struct */
    struct server *server;
    uint8_t secret[DIGEST_SHA256_BYTES];
    pthread_mutex_t lock; /* leaf; guards all below */
    pthread_cond_t work;
    struct known known[KNOWN_SETS][KNOWN_WAYS];
    struct failure failures[FAILURES];
    struct note notes[NOTES_MAX];
    unsigned n_notes;
    char used[NOTES_MAX][2 * DIGEST_SHA256_BYTES + 1]; /* digests of tokens, for last_used */
    unsigned n_used;
    struct asking *first, **last; /* passwords to judge */
    unsigned n_hashes;
    bool ending, noting, started;
    pthread_t thread;
    struct buf note_text; /* of the write that is under way */
    struct desk_request note;
};

/* ---- What is known for a second ---- */

static void copy_known(const struct known *known, struct arena *arena, struct principal *ret)
{
    const char *name = arena_strdup(arena, known->text.data);

    *ret = (struct principal){.name = name,
                              .rights = known->rights,
                              .caller = arena_strdup(arena, known->text.data + strlen(name) + 1)};
}

/* Under the lock. NULL: nothing is known of these credentials. */
static struct known *find_known(struct auth *auth, const uint8_t *key)
{
    struct known *set = auth->known[key[0] % KNOWN_SETS];

    for (unsigned i = 0; i < KNOWN_WAYS; i++)
        if (set[i].at_us != 0 && digest_equal(set[i].key, key, DIGEST_SHA256_BYTES))
            return &set[i];
    return NULL;
}

static void verifier_digest(const char *verifier, uint8_t *ret_digest)
{
    struct digest digest;

    digest_of(DIGEST_SHA256, verifier, strlen(verifier), &digest);
    memcpy(ret_digest, digest.b, DIGEST_SHA256_BYTES);
}

static void keep_known(struct auth *auth, const struct asking *asking)
{
    struct known *set = auth->known[asking->key[0] % KNOWN_SETS], *place;

    pthread_mutex_lock(&auth->lock);
    place = find_known(auth, asking->key);
    if (place == NULL) { /* a free one (0), else the oldest */
        place = &set[0];
        for (unsigned i = 1; i < KNOWN_WAYS; i++)
            if (set[i].at_us < place->at_us)
                place = &set[i];
    }
    memcpy(place->key, asking->key, sizeof(place->key));
    place->at_us = clock_mono_us();
    place->rights = asking->rights;
    if (asking->verifier != NULL)
        verifier_digest(asking->verifier, place->verifier);
    buf_reset(&place->text);
    buf_add(&place->text, asking->name, strlen(asking->name) + 1);
    buf_add_str(&place->text, asking->caller);
    pthread_mutex_unlock(&auth->lock);
}

/* ---- Failures ---- */

/* NULL: there was none. add: then the one that matters least makes room. */
static struct failure *find_failure(struct auth *auth, const char *name, const char *address,
                                    bool add)
{
    struct digest digest;
    struct failure *least = &auth->failures[0];
    char text[NAME_BYTES + 64];
    int64_t now_us = clock_mono_us();

    snprintf(text, sizeof(text), "%s\n%s", address, name);
    digest_hmac(DIGEST_SHA256, auth->secret, sizeof(auth->secret), text, strlen(text), &digest);
    for (unsigned i = 0; i < FAILURES; i++) {
        struct failure *failure = &auth->failures[i];
        if (now_us - failure->since_us > FAILURES_US)
            failure->n = 0;
        if (failure->n > 0 && memcmp(failure->of, digest.b, sizeof(failure->of)) == 0)
            return failure;
        if (failure->n < least->n ||
            (failure->n == least->n && failure->since_us < least->since_us))
            least = failure;
    }
    if (!add)
        return NULL;
    *least = (struct failure){.since_us = now_us};
    memcpy(least->of, digest.b, sizeof(least->of));
    return least;
}

static bool throttled(struct auth *auth, const char *name, const char *address)
{
    pthread_mutex_lock(&auth->lock);
    const struct failure *of_name = find_failure(auth, name, address, false);
    const struct failure *of_address = find_failure(auth, "", address, false);
    bool is = (of_name != NULL && of_name->n >= FAILURES_OF_NAME) ||
              (of_address != NULL && of_address->n >= FAILURES_OF_ADDRESS);
    pthread_mutex_unlock(&auth->lock);
    return is;
}

/* Under the lock. */
static void add_note(struct auth *auth, const char *kind, const char *name, const char *subject,
                     const char *address)
{
    struct note note = {.times = 1};

    snprintf(note.kind, sizeof(note.kind), "%s", kind);
    snprintf(note.name, sizeof(note.name), "%s", name);
    snprintf(note.subject, sizeof(note.subject), "%s", subject);
    snprintf(note.address, sizeof(note.address), "%s", address);
    for (unsigned i = 0; i < auth->n_notes; i++) {
        struct note *other = &auth->notes[i];
        if (strcmp(other->kind, note.kind) == 0 && strcmp(other->name, note.name) == 0 &&
            strcmp(other->subject, note.subject) == 0 &&
            strcmp(other->address, note.address) == 0) {
            other->times++;
            return;
        }
    }
    if (auth->n_notes < NOTES_MAX)
        auth->notes[auth->n_notes++] = note;
    pthread_cond_signal(&auth->work);
}

void auth_note_refusal(struct request *request, const char *name)
{
    struct auth *auth = request->server->auth;
    char quoted[600];

    if (auth == NULL)
        return;
    const char *address = request_address(request);
    pthread_mutex_lock(&auth->lock);
    add_note(auth, "loginRefused", name, "", address);
    pthread_mutex_unlock(&auth->lock);
    log_line(LOG_LEVEL_WARN, "a login was refused", "who=%s address=%s",
             log_quote(name, quoted, sizeof(quoted)), address);
}

/* Wrong credentials. */
static void refuse(struct asking *asking)
{
    struct auth *auth = asking->auth;

    if (asking->password != NULL) { /* nobody guesses a token */
        const char *address = request_address(asking->request);
        pthread_mutex_lock(&auth->lock);
        find_failure(auth, asking->name, address, true)->n++;
        find_failure(auth, "", address, true)->n++;
        pthread_mutex_unlock(&auth->lock);
    }
    auth_note_refusal(asking->request, asking->password != NULL ? asking->name : "(token)");
    auth_identified(asking->request, NULL);
}

void auth_forbidden(struct request *request, const char *what)
{
    struct auth *auth = request->server->auth;

    if (auth == NULL || request->principal.name == NULL || request->principal.name[0] == '\0')
        return;
    const char *address = request_address(request);
    pthread_mutex_lock(&auth->lock);
    add_note(auth, "forbidden", request->principal.name, what, address);
    pthread_mutex_unlock(&auth->lock);
}

/* ---- What the database says ---- */

static void accept(struct asking *asking)
{
    keep_known(asking->auth, asking);
    auth_identified(asking->request, &(struct principal){.name = asking->name,
                                                         .rights = asking->rights,
                                                         .caller = asking->caller});
}

static unsigned right_of(const char *name)
{
    static const struct {
        const char *name;
        unsigned bits;
    } rights[] = {{"start", RIGHT_START},
                  {"work", RIGHT_WORK},
                  {"read", RIGHT_READ},
                  {"author", RIGHT_AUTHOR},
                  {"admin", RIGHT_ANY}};

    for (size_t i = 0; i < ARRAY_LEN(rights); i++)
        if (strcmp(rights[i].name, name) == 0)
            return rights[i].bits;
    return RIGHT_NONE;
}

/* Fills name, rights, caller and verifier. */
static bool read_user(struct asking *asking, const struct desk_answer *answer, bool *ret_stale)
{
    struct arena *arena = &asking->request->arena;
    json_auto_t *user = answer->body != NULL ? json_loadb(answer->body, answer->n, 0, NULL) : NULL;
    json_t *rights = json_object_get(user, "rights"), *one;
    const char *name = json_string_value(json_object_get(user, "name"));
    size_t i;

    if (name == NULL || !json_is_array(rights))
        return false;
    json_array_foreach(rights, i, one) asking->rights |= right_of(json_string_value(one));
    asking->name = arena_strdup(arena, name);
    json_auto_t *caller = json_pack("{s:O, s:O, s:O}", "name", json_object_get(user, "name"),
                                    "rights", rights, "tenants", json_object_get(user, "tenants"));
    if (caller == NULL) /* it has no tenants: not a user that we know */
        return false;
    asking->caller = json_text_in(arena, caller);
    const char *verifier = json_string_value(json_object_get(user, "password"));
    asking->verifier = verifier != NULL ? arena_strdup(arena, verifier) : NULL;
    *ret_stale = json_is_true(json_object_get(user, "stale"));
    return true;
}

/* Whether this very password was right for this very verifier. */
static bool was_right(struct auth *auth, const struct asking *asking)
{
    uint8_t digest[DIGEST_SHA256_BYTES];

    verifier_digest(asking->verifier, digest);
    pthread_mutex_lock(&auth->lock);
    const struct known *known = find_known(auth, asking->key);
    bool right = known != NULL && digest_equal(known->verifier, digest, sizeof(digest));
    pthread_mutex_unlock(&auth->lock);
    return right;
}

static void judge_later(struct auth *auth, struct asking *asking)
{
    pthread_mutex_lock(&auth->lock);
    bool room = auth->n_hashes < HASHES_MAX && !auth->ending;
    if (room) {
        asking->next = NULL;
        *auth->last = asking;
        auth->last = &asking->next;
        auth->n_hashes++;
        pthread_cond_signal(&auth->work);
    }
    pthread_mutex_unlock(&auth->lock);
    if (room)
        return;
    asking->request->response.retry_after = 1;
    response_problem(asking->request, 503, NULL, "Use a token: it is judged at once.",
                     "too many passwords wait to be judged");
    request_finish(asking->request);
}

static void on_user(void *context, const struct desk_answer *answer)
{
    struct asking *asking = context;
    struct auth *auth = asking->auth;
    bool stale = false;

    if (answer->sqlstate != NULL) {
        response_log(asking->desk.query, answer);
        response_refused(asking->request, answer);
        request_finish(asking->request);
        return;
    }
    bool found = read_user(asking, answer, &stale);
    if (asking->password != NULL) {
        if (found && asking->verifier != NULL && was_right(auth, asking)) {
            accept(asking);
            return;
        }
        if (!found || asking->verifier == NULL)
            asking->verifier = NOBODYS;
        judge_later(auth, asking);
        return;
    }
    if (!found) {
        refuse(asking);
        return;
    }
    if (stale) {
        pthread_mutex_lock(&auth->lock);
        if (auth->n_used < NOTES_MAX)
            snprintf(auth->used[auth->n_used++], sizeof(auth->used[0]), "%s", asking->digest);
        pthread_cond_signal(&auth->work);
        pthread_mutex_unlock(&auth->lock);
    }
    accept(asking);
}

/* ---- The thread: passwords, and lines for the audit trail ---- */

/* The desk is done with auth->note: what came meanwhile is next. */
static void note_done(struct auth *auth)
{
    pthread_mutex_lock(&auth->lock);
    auth->noting = false;
    pthread_cond_signal(&auth->work);
    pthread_mutex_unlock(&auth->lock);
}

static void noted(void *context, const struct desk_answer *answer)
{
    if (answer->sqlstate != NULL)
        log_line(LOG_LEVEL_WARN, "refusals could not be written down", "sqlstate=%s",
                 answer->sqlstate);
    note_done(context);
}

/* Under the lock. What is to be written, as JSON; false: nothing. */
static bool take_notes(struct auth *auth)
{
    if (auth->noting || auth->n_notes + auth->n_used == 0)
        return false;
    json_auto_t *refused = json_array(), *used = json_array();
    for (unsigned i = 0; i < auth->n_notes; i++) {
        const struct note *note = &auth->notes[i];
        json_array_append_new(refused,
                              json_pack("{s:s, s:s, s:s, s:s, s:i}", "kind", note->kind, "name",
                                        note->name, "subject", note->subject, "address",
                                        note->address, "times", (int)note->times));
    }
    for (unsigned i = 0; i < auth->n_used; i++)
        json_array_append_new(used, json_string(auth->used[i]));
    auth->n_notes = auth->n_used = 0;
    json_auto_t *all = json_pack("{s:O, s:O}", "refused", refused, "used", used);
    char *dumped = json_dumps(all, JSON_COMPACT);
    buf_reset(&auth->note_text);
    buf_add_str(&auth->note_text, dumped != NULL ? dumped : "{}");
    free(dumped); /* it is of no request's arena */
    auth->noting = true;
    return true;
}

/* Nobody can come in: how to change that. */
static void counted(void *context, const struct desk_answer *answer)
{
    if (answer->sqlstate == NULL && answer->body != NULL && strcmp(answer->body, "0") == 0)
        log_line(LOG_LEVEL_WARN,
                 "http: there is no user yet: pawl user add NAME --rights admin --password-file -",
                 NULL);
    note_done(context);
}

static void ask_desk(struct auth *auth, const char *query, bool writes,
                     void (*done)(void *context, const struct desk_answer *answer))
{
    auth->note = (struct desk_request){.query = query,
                                       .params = {buf_str(&auth->note_text)},
                                       .n_params = writes ? 1 : 0,
                                       .writes = writes,
                                       .caller = PRINCIPAL_ENGINE,
                                       .done = done,
                                       .context = auth};
    desk_submit(auth->server->desk, &auth->note);
}

static void judge(struct asking *asking)
{
    struct arena *arena = &asking->request->arena;

    if (verifier_check(arena, asking->verifier, asking->password))
        accept(asking);
    else
        refuse(asking);
}

static void *run(void *context)
{
    struct auth *auth = context;

    auth->noting = true; /* nobody else knows of it yet */
    ask_desk(auth, "http_users", false, counted);
    pthread_mutex_lock(&auth->lock);
    for (;;) {
        struct asking *asking = auth->first;
        if (asking != NULL) {
            auth->first = asking->next;
            if (auth->first == NULL)
                auth->last = &auth->first;
            auth->n_hashes--;
            pthread_mutex_unlock(&auth->lock);
            judge(asking);
            pthread_mutex_lock(&auth->lock);
            continue;
        }
        if (take_notes(auth)) {
            pthread_mutex_unlock(&auth->lock);
            ask_desk(auth, "http_note", true, noted);
            pthread_mutex_lock(&auth->lock);
            continue;
        }
        if (auth->ending)
            break;
        pthread_cond_wait(&auth->work, &auth->lock);
    }
    pthread_mutex_unlock(&auth->lock);
    return NULL;
}

int auth_start(struct server *server, struct err *err)
{
    struct arena arena;

    if (server->options.open)
        return 0;
    arena_init(&arena, 0);
    struct auth *auth = arena_alloc(&arena, sizeof(*auth));
    auth->server = server;
    auth->last = &auth->first;
    digest_random(auth->secret, sizeof(auth->secret));
    pthread_mutex_init(&auth->lock, NULL);
    pthread_cond_init(&auth->work, NULL);
    for (unsigned i = 0; i < KNOWN_SETS * KNOWN_WAYS; i++)
        buf_init(&auth->known[i / KNOWN_WAYS][i % KNOWN_WAYS].text, 0);
    buf_init(&auth->note_text, 0);
    auth->arena = arena;
    server->auth = auth;
    auth->started = pthread_create(&auth->thread, NULL, run, auth) == 0;
    return auth->started ? 0 : err_set(err, ERR_INTERNAL, "cannot start a thread");
}

void auth_close(struct auth *auth)
{
    if (auth == NULL || !auth->started)
        return;
    pthread_mutex_lock(&auth->lock);
    auth->ending = true;
    pthread_cond_signal(&auth->work);
    pthread_mutex_unlock(&auth->lock);
    pthread_join(auth->thread, NULL);
    auth->started = false;
}

void auth_free(struct auth *auth)
{
    if (auth == NULL)
        return;
    for (unsigned i = 0; i < KNOWN_SETS * KNOWN_WAYS; i++)
        buf_deinit(&auth->known[i / KNOWN_WAYS][i % KNOWN_WAYS].text);
    buf_deinit(&auth->note_text);
    pthread_cond_destroy(&auth->work);
    pthread_mutex_destroy(&auth->lock);
    struct arena arena = auth->arena;
    arena_deinit(&arena);
}

/* ---- Requests ---- */

/* The words behind "Bearer" or "Basic"; NULL: another scheme. */
static const char *behind(const char *value, const char *scheme)
{
    size_t n = strlen(scheme);

    if (strncasecmp(value, scheme, n) != 0 || value[n] != ' ')
        return NULL;
    return value + n + strspn(value + n, " ");
}

/* ISO 8859-1 is what browsers' btoa() makes of a name and password, Camunda Modeler's too. */
static const char *latin1_to_utf8(struct arena *arena, const uint8_t *bytes, size_t n)
{
    char *text = arena_alloc(arena, 2 * n + 1), *to = text;

    for (size_t i = 0; i < n; i++) {
        if (bytes[i] >= 0x80)
            *to++ = (char)(0xc0 | bytes[i] >> 6);
        *to++ = (char)(bytes[i] >= 0x80 ? 0x80 | (bytes[i] & 0x3f) : bytes[i]);
    }
    return text;
}

static bool read_basic(struct asking *asking, const char *text)
{
    struct arena *arena = &asking->request->arena;
    size_t n;
    const uint8_t *bytes = digest_unbase64(arena, text, strlen(text), &n);

    if (bytes == NULL || memchr(bytes, '\0', n) != NULL)
        return false;
    const char *both = utf8_valid((const char *)bytes, n)
                           ? arena_strndup(arena, (const char *)bytes, n)
                           : latin1_to_utf8(arena, bytes, n);
    const char *colon = strchr(both, ':');
    if (colon == NULL)
        return false;
    asking->name = arena_strndup(arena, both, (size_t)(colon - both));
    asking->password = colon + 1;
    return asking->name[0] != '\0' && strlen(asking->name) <= NAME_BYTES;
}

static bool read_credentials(struct asking *asking, const char *value)
{
    const char *token = behind(value, "Bearer"), *basic = behind(value, "Basic");
    struct digest digest;

    if (token != NULL && *token != '\0') {
        digest_of(DIGEST_SHA256, token, strlen(token), &digest);
        asking->digest = digest_hex(&asking->request->arena, digest.b, digest.n);
        return true;
    }
    return basic != NULL && read_basic(asking, basic);
}

/* Where nobody is asked who he is: all of --dev, and who watches from this machine. */
static bool let_in(struct request *request, struct principal *ret_principal)
{
    static const struct principal dev = {
        .name = "dev",
        .rights = RIGHT_ANY,
        .caller = "{\"name\": \"dev\", \"rights\": [\"admin\"], \"tenants\": null}"};
    static const struct principal watcher = {
        .name = "",
        .rights = RIGHT_READ,
        .caller = "{\"name\": \"\", \"rights\": [], \"tenants\": null}"};

    if (request->server->auth == NULL)
        *ret_principal = dev;
    else if (request_header(request, "Authorization") == NULL &&
             request->operation->dialect == DIALECT_TEXT && request_is_local(request))
        *ret_principal = watcher;
    else
        return false;
    return true;
}

bool auth_may_try(struct request *request)
{
    struct principal ignored;

    return request_header(request, "Authorization") != NULL || let_in(request, &ignored);
}

/* What was right a while ago is looked up again, however often others at this address guess. */
enum known_as { KNOWN_NOT, KNOWN_ONCE, KNOWN_FRESH };
static enum known_as look_up(struct asking *asking, struct principal *ret_principal)
{
    struct auth *auth = asking->auth;
    enum known_as as = KNOWN_NOT;

    pthread_mutex_lock(&auth->lock);
    const struct known *known = find_known(auth, asking->key);
    if (known != NULL)
        as = clock_mono_us() - known->at_us < KNOWN_US ? KNOWN_FRESH : KNOWN_ONCE;
    if (as == KNOWN_FRESH)
        copy_known(known, &asking->request->arena, ret_principal);
    pthread_mutex_unlock(&auth->lock);
    return as;
}

enum auth_result auth_identify(struct request *request, struct principal *ret_principal)
{
    struct auth *auth = request->server->auth;
    const char *value = request_header(request, "Authorization");
    struct digest key;

    if (let_in(request, ret_principal))
        return AUTH_KNOWN;
    struct asking *asking = arena_alloc(&request->arena, sizeof(*asking));
    asking->request = request;
    asking->auth = auth;
    if (value == NULL || !read_credentials(asking, value))
        return AUTH_REFUSED;
    digest_hmac(DIGEST_SHA256, auth->secret, sizeof(auth->secret), value, strlen(value), &key);
    memcpy(asking->key, key.b, sizeof(asking->key));
    enum known_as known = look_up(asking, ret_principal);
    if (known == KNOWN_FRESH)
        return AUTH_KNOWN;
    if (known == KNOWN_NOT && asking->password != NULL &&
        throttled(auth, asking->name, request_address(request)))
        return AUTH_REFUSED;
    asking->desk = (struct desk_request){
        .query = "http_credentials",
        .params = {asking->digest, asking->password != NULL ? asking->name : NULL},
        .n_params = 2,
        .urgent = true,
        .caller = PRINCIPAL_ENGINE,
        .done = on_user,
        .context = asking,
    };
    request_suspend(request);
    desk_submit(request->server->desk, &asking->desk);
    return AUTH_ASKS;
}

void auth_token_shown(struct request *request)
{
    json_auto_t *caller = json_loads(request->principal.caller, 0, NULL);

    json_object_set_new(caller, "tenants", json_null());
    request->principal.caller = json_text_in(&request->arena, caller);
}
