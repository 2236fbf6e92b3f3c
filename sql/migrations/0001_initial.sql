-- SPDX-License-Identifier: Apache-2.0
-- The tables. Names are unqualified: the migration runs with search_path set to the engine's schema.
-- Times of the engine are those of clock() (functions/clock.sql).
-- No foreign key points at a hot row, and no index has a column that changes (DESIGN.md rule 9).

-- One row a connection of a worker. Its first statement of each transaction advances `batch`, so that
-- after a lost connection it can learn whether its commit happened.
create table worker (
    id integer generated always as identity primary key,
    node uuid not null,
    slot smallint not null,
    epoch bigint not null default 0,
    batch bigint not null default 0,
    seen timestamptz not null default clock_timestamp(), -- of a dispatcher: its heartbeat, in real time
    fenced boolean not null default false, -- another node raised the epoch, for want of a heartbeat
    unique (node, slot)
) with (fillfactor = 20);

-- ---- Definitions: immutable once active ----

create table deployment (
    id uuid primary key,
    name text not null,
    tenant text not null default '',
    actor text not null,
    at timestamptz not null,
    state text not null check (state in ('active', 'refused', 'withdrawn')),
    findings jsonb not null default '[]',
    ended timestamptz,               -- when it was withdrawn, and by whom
    ended_by text
);

create table resource (
    deployment_id uuid not null references deployment,
    name text not null,
    content text not null,
    digest bytea not null,
    primary key (deployment_id, name)
);

create table definition (
    id integer generated always as identity primary key,
    tenant text not null default '',
    key text not null,
    version integer not null,
    name text,
    version_tag text,
    deployment_id uuid not null references deployment,
    resource text not null,
    digest bytea not null,
    suspended boolean not null default false,
    withdrawn timestamptz,           -- not the latest any more, whatever its version
    history_time_to_live text,
    only_called boolean not null default false, -- call activities alone start it
    lane smallint not null default 0, -- of its jobs and starts: see ready
    unique (tenant, key, version)
);

-- How many instances of a process may be carried on at the same time; no row: as many as there are.
create table concurrency (
    tenant text not null default '',
    key text not null,
    most integer not null check (most between 1 and 10000),
    primary key (tenant, key)
);

-- The flow nodes by their number (engine/graph.h says how they are counted).
create table element (
    definition_id integer not null references definition,
    node integer not null,
    id text not null,
    name text,
    kind text not null,
    line integer not null,
    message text,                    -- that it takes; '': any, its name is an expression
    primary key (definition_id, node)
);
create index on element (message) where message is not null;

-- What starts, answers and messages must bring, and the forms that ask for it. json keeps the order of members.
create table input (
    definition_id integer not null references definition,
    node integer not null,           -- -1: the process
    start boolean not null,          -- of the process, or of its start event without a trigger
    checked boolean not null,        -- by an inputSchema; else it is a form only
    schema json,
    ui json,
    form_key text,
    form json,
    primary key (definition_id, node)
);

-- Settings that a definition declares; value NULL: the model's default.
create table parameter (
    definition_id integer not null references definition,
    name text not null,
    value jsonb,
    fallback jsonb,
    description text,
    set_by text,
    set_at timestamptz,
    primary key (definition_id, name)
);

create table parameter_change (
    id bigint generated always as identity primary key,
    definition_id integer not null references definition,
    name text not null,
    value jsonb,
    actor text not null,
    at timestamptz not null,
    deployment_id uuid
);

-- Message start events of the latest version of each process.
create table message_start (
    tenant text not null,
    name text not null,
    definition_id integer not null references definition,
    node integer not null,
    primary key (tenant, name, definition_id, node)
);

-- Timer start events of the latest version of each process, with the next time they are due.
create table start_timer (
    definition_id integer not null references definition,
    node integer not null,
    due timestamptz not null,
    remaining integer not null,
    primary key (definition_id, node)
);
create index on start_timer (due);

-- ---- What callers ask for; only callers insert, only workers delete ----

create table inbox (
    xid xid8 not null default pg_current_xact_id(),
    id bigint generated always as identity,
    at timestamptz not null,
    -- Its share, as in ready, without a priority: 0 to 15. No CHECK says so: it would be read anew at each INSERT of a
    -- caller, for a tenth of what start() takes.
    lane integer not null default 0,
    definition_id integer,
    kind smallint not null,          -- enum command_kind, or from 100 enum inbox_kind (store/store.h)
    command_id uuid,                 -- what its outcome is filed under: message, deployment, command; NULL: the instance
    root_id uuid,                    -- NULL: the instance
    instance_id uuid,
    subject uuid,                    -- task, call or incident
    name text,
    key text,
    detail text,
    body text,                       -- JSON
    ttl_us bigint,
    actor text not null,
    tenant text not null,
    primary key (lane, xid, id)
);

create table request_key (
    tenant text not null,
    key text not null,
    digest bytea not null,
    instance_id uuid not null,
    at timestamptz not null,
    primary key (tenant, key)
);
create index on request_key (at);

-- How accepted commands ended, for those who wait for it; removed after a day.
create table outcome (
    command_id uuid primary key,
    state text not null,             -- 'done', 'refused', 'active', …
    detail jsonb,
    at timestamptz not null,
    tenant text not null default '',
    definition_id integer             -- who has a right for its process may know; NULL: who has the tenant
);
create index on outcome (at);

-- ---- Running instances ----

create table instance (
    id uuid primary key,
    root_id uuid,                    -- NULL: itself, nobody called it
    parent_id uuid,
    started timestamptz not null,
    parent_token integer,
    definition_id integer not null,
    tenant text not null default '',
    business_key text,
    doc bytea not null,              -- engine/document.c; the truth
    variables text,                  -- JSON object; NULL: none
    suspended boolean not null default false, -- of a root: nothing of its family goes on (store/park.c)
    loop_counter integer             -- of the item of a multi-instance activity that it belongs to
) with (fillfactor = 70);
create index on instance (root_id) where parent_id is not null;
create index on instance (business_key) where business_key is not null;

-- Commands that can run now. Narrow: the last four columns are NULL for a plain continuation.
-- A lane is read beside the others and gets its share, so that nobody waits behind somebody's burst
-- (store/lanes.h): lane / 16 is the priority (0 normal, 1 high, 2 low), lane % 16 the share: 0 for what names
-- none, 1 for messages, 2 to 15 for the processes. Three versions of a row fit into its part of a page: moves are HOT.
create table ready (
    id bigint generated always as identity,
    root_id uuid,                    -- NULL: the instance
    instance_id uuid not null,
    token integer not null,
    node integer not null,
    lane smallint not null default 0 check (lane between 0 and 47),
    kind smallint not null,
    phase smallint not null,
    tries smallint not null,
    subject uuid,
    name text,
    detail text,
    body text,
    primary key (lane, id)
) with (fillfactor = 30);

-- Which ready rows there were at what time, noted every few seconds: how old the oldest one is.
create table ready_mark (
    at timestamptz primary key,
    id bigint not null               -- the last one handed out
);

-- Due times: of timer events (kind 3, COMMAND_TIMER) and of commands that are tried again.
create table timer (
    due timestamptz not null,
    instance_id uuid not null,
    token integer not null,
    node integer not null,
    kind smallint not null,
    root_id uuid not null,
    phase smallint not null default 0,
    tries smallint not null default 0,
    retry boolean not null default false, -- a failed command, not a timer event's wait
    subject uuid,
    name text,
    detail text,
    body text,
    error text,                      -- of a command that is tried again
    primary key (due, instance_id, token, node, kind, retry)
);

create table subscription (
    instance_id uuid not null,
    token integer not null,
    node integer not null,
    root_id uuid not null,
    tenant text not null,
    name text not null,
    key text not null,
    since timestamptz not null,
    loop_counter integer,            -- of the item of a multi-instance activity that it belongs to
    primary key (instance_id, token, node)
);
create index on subscription (tenant, name, key, since);

-- Messages that were published and not yet received.
create table message (
    id bigint generated always as identity primary key,
    message_id uuid not null,        -- the caller's handle: its outcome is filed under it
    tenant text not null,
    name text not null,
    key text not null,
    mode smallint not null,          -- 0 publish, 1 publish to each, 2 correlate to exactly one
    instance_id uuid,                -- only to this one; NULL: any
    expires timestamptz not null,
    body text
);
create index on message (tenant, name, key, id);
create index on message (expires);

-- Messages that nobody took in their time to live.
create table dead_letter (
    message_id uuid not null,
    tenant text not null,
    name text not null,
    key text not null,
    mode smallint not null,
    instance_id uuid,
    expired timestamptz not null,
    body text
);
create index on dead_letter (expired);

create table task (
    id uuid primary key,
    instance_id uuid not null,
    root_id uuid not null,
    token integer not null,
    node integer not null,
    definition_id integer not null,
    tenant text not null default '',
    name text,
    assignee text,
    candidate_users text[],
    candidate_groups text[],
    priority integer not null,
    due timestamptz,
    follow_up timestamptz,
    form_key text,
    created timestamptz not null,
    answered_by text,                -- set by the caller's complete() or fail(); such a task only waits for its command
    loop_counter integer             -- of the item of a multi-instance activity that it belongs to
) with (fillfactor = 80);
create index on task (instance_id);

-- ---- External tasks: work that programs fetch by topic ----

-- All of them. Its row's lock guards the other three tables' rows of the task: callers and workers take it
-- first, workers only by SKIP LOCKED. What changes here is in no index.
create table external_task (
    id uuid primary key,
    instance_id uuid not null,
    root_id uuid not null,
    token integer not null,
    node integer not null,
    definition_id integer not null,
    tenant text not null default '',
    topic text not null,
    priority bigint not null,
    created timestamptz not null,
    worker text,                     -- who has it; kept when its lease is over, until another one takes it
    fence bigint not null default 0, -- how often it was fetched: only rises
    locked_until timestamptz,        -- has a row of external_lease; NULL with `offered`: of external_offer
    offered boolean not null default true, -- false: no retries left, or answered
    retries integer,                 -- NULL: no try failed yet
    error_message text,
    error_details text,
    answered_by text,                -- set by the answer that ends it; such a task only waits for its command
    loop_counter integer             -- of the item of a multi-instance activity that it belongs to
) with (fillfactor = 60);
create index on external_task (instance_id);

-- What can be fetched: membership is the existence of the row, so that a million of them that wait cost a
-- fetch nothing.
create table external_offer (
    topic text not null,
    priority bigint not null,
    task_id uuid not null,
    definition_id integer not null
);
create unique index on external_offer (topic, priority desc, task_id);

-- What a worker has, or what waits for its next try: given to others after `until`.
create table external_lease (
    topic text not null,
    until timestamptz not null,
    task_id uuid not null,
    definition_id integer not null,
    primary key (topic, until, task_id)
);

-- Variables that the task sees inside of the process scope; guarded by the family's lock.
create table external_variables (
    task_id uuid primary key,
    variables text not null          -- JSON object
);

-- The topics that take the place of Java classes and delegate expressions.
create table class_topic (
    class text primary key,
    topic text not null,
    actor text not null,
    at timestamptz not null
);

-- ---- Callbacks: whoever has a task's token may end it (engine/callback.c) ----

-- One row: what the whole installation shares.
create table installation (
    only_row boolean primary key default true check (only_row),
    public_url text,                 -- where callers reach us; NULL: not said
    callback_life interval not null default '1 year', -- the longest wait for a callback
    alert_interval interval not null default '15 minutes' -- of one cause of incidents, alerts are so far apart
);
insert into installation default values;

-- What signs the tokens of callbacks: the one that is not retired. Tokens of the others hold as long as their key is here.
create table callback_key (
    id integer generated always as identity primary key,
    key bytea not null check (octet_length(key) = 32),
    inner_pad bytea not null,        -- the key as HMAC wants it (RFC 2104), so that SQL can check a token without an extension
    outer_pad bytea not null,
    made timestamptz not null,
    retired timestamptz,             -- when another one came
    keep_until timestamptz           -- of a retired one; NULL: as long as a callback needs it
);
create unique index on callback_key ((true)) where retired is null;

-- Open ones. Its row's lock is held by whoever answers, or sends a heartbeat; workers only step over that. What
-- changes here is in no index.
create table callback (
    id uuid primary key,
    instance_id uuid not null,
    root_id uuid not null,
    token integer not null,
    node integer not null,
    definition_id integer not null,
    tenant text not null default '',
    attempt integer not null,
    until timestamptz not null,
    heartbeat_us bigint not null,    -- the longest silence; 0: any
    allowed_caller text,             -- NULL: whoever has the token
    task_id uuid,                    -- the user task that it ends
    made timestamptz not null,
    accepted timestamptz,            -- what was asked for has begun
    heard timestamptz,               -- the last heartbeat
    answered_by text,                -- such a callback only waits for its command
    loop_counter integer             -- of the item of a multi-instance activity that it belongs to
) with (fillfactor = 70);
create index on callback (instance_id);

-- What was answered, so that the same answer gets the same reply after its callback is gone, too.
create table callback_answer (
    id uuid primary key,
    digest bytea not null,           -- of the kind, the output or the error and its cause
    tenant text not null,
    actor text not null,
    at timestamptz not null
);
create index on callback_answer (at);

create table incident (
    id uuid primary key,
    instance_id uuid not null,
    root_id uuid not null,
    reason text not null,
    message text not null,
    at timestamptz not null,
    kind smallint not null,          -- the parked command
    token integer not null,
    node integer not null,
    phase smallint not null,
    tries smallint not null,
    subject uuid,
    name text,
    detail text,
    body text,
    definition_id integer,
    cause text,                      -- api_cause(): what groups it
    pattern text,                    -- api_cause_pattern(): the message without what differs
    endpoint text,                   -- of a remote call, like the next two
    request jsonb,                   -- api_call_request()
    answer jsonb,                    -- store/incident.c
    loop_counter integer             -- of the item of a multi-instance activity that it belongs to
);
create index on incident (instance_id);
create index on incident (cause);

-- Causes of incidents that somebody was told of, until they are over (functions/views_alerts.sql). Who adds an incident shares
-- the lock of its row; who ends the row locks out the others.
create table alert_group (
    tenant text not null,
    cause text not null,
    detail jsonb not null,           -- of the first alert
    opened timestamptz not null,
    told timestamptz not null,       -- the last alert
    due timestamptz not null,        -- when it is looked at again
    muted_until timestamptz,         -- nobody is told of more incidents; NULL: they are
    muted_by text,
    primary key (tenant, cause)
);
create index on alert_group (due);

-- Commands of suspended families, until they are resumed (store/park.c); as in ready, or with a command_id as
-- in the inbox. Guarded by the family's lock.
create table parked (
    id bigint generated always as identity primary key,
    root_id uuid not null,
    instance_id uuid not null,
    kind smallint not null,
    token integer not null,
    node integer not null,
    phase smallint not null,
    tries smallint not null,
    subject uuid,
    name text,
    detail text,
    body text,
    command_id uuid,
    key text,
    actor text,
    at timestamptz not null
);
create index on parked (root_id);

-- What administrators do to thousands: carried forward in slices by whichever worker is free
-- (functions/bulk.sql), from where `position` is; one node at a time holds the row.
create table bulk (
    id uuid primary key,
    action text not null check (action in ('retry', 'cancel', 'suspend', 'resume')),
    filter jsonb not null,
    options jsonb not null default '{}', -- what is done with each: decision, variables, reason
    pace double precision,           -- a second, over all nodes; NULL: as fast as the engine takes them
    state text not null default 'running' check (state in ('running', 'stopped', 'done')),
    matching bigint not null,        -- when it was asked for
    handed bigint not null default 0, -- given to the engine so far
    tenants text[],                  -- whose are meant: its caller's; NULL: all of them
    position uuid not null default '00000000-0000-0000-0000-000000000000', -- the last of these
    next_at timestamptz not null,
    actor text not null,
    at timestamptz not null,         -- only what was there then is meant
    ended timestamptz,
    ended_by text                    -- who stopped it
);
create index on bulk (id) where state = 'running';

-- ---- Remote calls ----

create table endpoint (
    name text primary key,
    base_url text not null,
    rate numeric,                    -- requests a second for all nodes together; NULL: no limit
    burst integer not null default 1,
    max_in_flight integer not null default 100, -- of each node
    max_in_flight_all integer,       -- of all nodes together; NULL: no limit
    connect_timeout interval not null default '5 s',
    timeout interval not null default '30 s',
    cache interval,                  -- how long an answer to a GET is kept; NULL: not at all
    unknown text check (unknown in ('repeat', 'fail', 'ask')), -- of requests whose outcome is unknown; NULL: by the method
    retry_budget real,               -- share of requests that may be retries; NULL: no limit
    breaker jsonb,                   -- api_breaker() makes it; NULL: none
    headers jsonb not null default '{}',
    transport jsonb,                 -- api_transport(): how requests travel; NULL: as by default
    options jsonb not null default '{}' -- what was set; the other columns follow from it (set_endpoint())
);

-- What the nodes agree on about an endpoint. Written in tiny transactions of their own: compare and set.
create table endpoint_state (
    name text primary key,
    version bigint not null default 0,     -- of the circuit, the next nine columns
    circuit smallint not null default 0,   -- enum circuit_state (store/breaker.h): 0 closed, 1 open, 2 half-open
    forced boolean not null default false, -- by hand, until somebody says otherwise
    since timestamptz not null default '-infinity', -- of this phase; names it
    broken timestamptz not null default '-infinity', -- since when it is not closed
    until timestamptz not null default '-infinity', -- open: the next probe; half-open: probes without an answer are given up
    openings integer not null default 0,   -- in a row
    probes integer not null default 0,     -- that went out in this phase
    good integer not null default 0,       -- of them answered
    why text,
    held timestamptz not null default '-infinity', -- nothing leaves before (Retry-After)
    next_at timestamptz not null default '-infinity' -- the rate: permits before this are given away
) with (fillfactor = 50);

-- What each node saw of an endpoint since it was set, told once a second.
create table endpoint_seen (
    name text not null,
    worker integer not null,
    outcomes jsonb not null,               -- {"answered": 17, …}
    recent integer not null,               -- calls in the breaker's window
    failed integer not null,               -- of them
    slow integer not null,                 -- of them
    last_answer timestamptz,
    last_failure timestamptz,
    last_error text,
    primary key (name, worker)
) with (fillfactor = 50);

-- At most one row: no request leaves while it is there.
create table hold (
    one boolean primary key default true check (one),
    since timestamptz not null,
    actor text not null,
    reason text
);

-- Endpoints that come from a node's configuration file, and what it said of them (store/setup.h).
create table endpoint_source (
    node uuid not null,
    endpoint text not null,
    digest bytea not null,
    primary key (node, endpoint)
);

create table call (
    id uuid primary key,             -- the Idempotency-Key
    instance_id uuid not null,
    root_id uuid not null,
    token integer not null,
    node integer not null,
    endpoint text not null,
    method text not null,
    path text not null,
    headers text not null,
    body bytea,
    connect_timeout_us bigint not null,
    timeout_us bigint not null,
    report_sent boolean not null,
    open_after_us bigint,            -- how long it waits for an open circuit; NULL: as long as that takes
    deadline timestamptz,            -- no attempt begins later; NULL: none
    asked timestamptz not null,
    loop_counter integer             -- of the item of a multi-instance activity that it belongs to
);

-- Calls that wait to be sent: membership is the existence of the row.
create table call_queue (
    endpoint text not null,
    call_id uuid not null,
    attempt integer not null,
    since timestamptz not null,
    open_after_us bigint,            -- the call's
    deadline timestamptz,            -- the call's
    primary key (endpoint, call_id)
);
create index on call_queue (endpoint) where open_after_us is not null;
create index on call_queue (endpoint, deadline) where deadline is not null;

-- Attempts under way, each committed before its socket opens.
create table attempt (
    call_id uuid primary key,
    attempt integer not null,
    worker integer not null,
    epoch bigint not null,
    sent timestamptz not null,
    until timestamptz not null,      -- after this nobody expects an outcome any more
    cache_key bytea,                 -- what its answer may be kept under (api_request_digest()); NULL: not at all
    endpoint text not null
);

create table answer_cache (
    endpoint text not null,
    request bytea not null,          -- api_request_digest()
    expires timestamptz not null,
    response text not null,
    primary key (endpoint, request)
);
create index on answer_cache (expires);

-- ---- Events: buses, rules, and what became of each event (functions/events.sql, store/events.c) ----

-- Each tenant has a bus `default` without a row here.
create table event_bus (
    tenant text not null default '',
    name text not null,
    description text,
    actor text not null,
    at timestamptz not null,
    primary key (tenant, name)
);

-- Only who holds the row of event_lane writes here, so that no caller's transaction is waited for.
create table event_rule (
    tenant text not null default '',
    bus text not null,
    name text not null,
    pattern text not null,           -- JSON, judged by events/pattern.h
    targets text not null,           -- JSON array, judged by events/target.h
    enabled boolean not null,
    description text,
    actor text not null,
    at timestamptz not null,
    primary key (tenant, bus, name)
);

-- One row: its lock is the right to work on event_todo, its version that of the rules.
create table event_lane (
    only_row boolean primary key default true check (only_row),
    version bigint not null default 0
) with (fillfactor = 20);
insert into event_lane default values;

-- Events as they were put; never changed.
create table bus_event (
    id uuid primary key,             -- a UUIDv7: in the order of their acceptance
    tenant text not null,
    bus text not null,
    source text not null,
    detail_type text not null,
    time timestamptz not null,       -- when it happened, as its source says
    resources text not null,         -- JSON array of texts
    detail text not null,            -- JSON object
    actor text not null,
    at timestamptz not null
);

-- What is to be done, by transaction: events, and changes of rules in between. Membership is the existence of
-- the row; only callers (and batches) insert, only who holds event_lane deletes.
create table event_todo (
    xid xid8 not null default pg_current_xact_id(),
    id bigint generated always as identity,
    kind smallint not null,          -- enum event_todo_kind (store/events.h)
    event_id uuid,
    command_id uuid,                 -- its outcome is filed under it; NULL: of an event
    tenant text not null,
    bus text,
    name text,                       -- of the rule
    target text,                     -- of the rule: a delivery that is tried again; NULL: all
    body text,                       -- JSON
    actor text not null,
    at timestamptz not null,
    primary key (xid, id)
);
create index on event_todo (command_id) where command_id is not null;

-- Events that no rule wanted.
create table event_unmatched (
    event_id uuid primary key
);

-- What became of an event at each target that a rule has.
create table event_delivery (
    event_id uuid not null,
    rule text not null,              -- '': the event itself could not be read
    target text not null,
    kind text not null,
    state text not null,             -- 'done', 'failed': a dead letter
    tries integer not null,
    result uuid,                     -- of the instance, message, command that came of it
    error text,
    at timestamptz not null,
    primary key (event_id, rule, target)
);
create index on event_delivery (at) where state = 'failed';

-- Events that a caller named by an id of his own.
create table event_key (
    tenant text not null,
    bus text not null,
    source text not null,
    key text not null,
    event_id uuid not null,
    at timestamptz not null,
    primary key (tenant, bus, source, key)
);
create index on event_key (at);

-- ---- What comes in by itself (functions/webhooks.sql) ----

create table webhook (
    name text primary key,
    tenant text not null,            -- for which it acts
    verify jsonb not null,           -- scheme, where the secrets are, where the signature is
    target jsonb not null,           -- what becomes of a message
    id_header text,                  -- of another scheme than Standard Webhooks
    tolerance interval not null,
    enabled boolean not null,
    actor text not null,
    at timestamptz not null
);

-- The ids of a day, so that a message comes in once.
create table webhook_seen (
    webhook text not null references webhook on delete cascade,
    id text not null,
    at timestamptz not null,
    primary key (webhook, id)
);
create index on webhook_seen (at);

-- ---- SQL delegates: only what an administrator registered can run ----

create table sql_delegate (
    name text primary key,
    statement text not null,         -- $1: the arguments, jsonb
    role text,                       -- whom it runs as; NULL: the engine's own role
    search_path text not null,
    timeout_ms integer not null,
    lock_timeout_ms integer not null,
    actor text not null,
    at timestamptz not null
);

-- ---- History: append only, a partition a day, made ahead (rule 9) ----

-- A row is what one step of an instance wrote. `entries` has a line for each entry: kind (enum history_kind), token,
-- node (-1: none), how many microseconds before `at` it began (empty: not noted), data (JSON, without line breaks),
-- with a tab in between; what is empty at its end is left out, and the data of an instance that completed. The view
-- api_event has them as rows.
create table event (
    at timestamptz not null,         -- when it happened; of an activity, when it ended
    instance_id uuid not null,
    n integer not null,              -- order among equal times: of the first entry; the others count on
    definition_id integer not null,
    ends boolean not null,           -- one of them is HISTORY_INSTANCE_ENDED
    business_key text,               -- only with HISTORY_INSTANCE_STARTED
    entries text not null
) partition by range (at);
create index on event (instance_id);
create index on event (business_key) where business_key is not null;

-- What outlives its day: rows of instances that still need them when the day's partition is dropped
-- (store/retain.c).
create table event_kept (like event);
create index on event_kept (instance_id);
create index on event_kept (business_key) where business_key is not null;

-- Days of history that are over, and when the first of their instances need them no more.
create table history_day (
    day date primary key,
    due timestamptz not null
);

-- Instances whose history is kept whatever its age.
create table history_hold (
    instance_id uuid primary key,
    reason text,
    actor text not null,
    at timestamptz not null,
    tenant text not null default ''
);

-- How long things are kept: one row. NULL: for ever.
create table retention (
    only_row boolean primary key default true check (only_row),
    history interval default '180 days',       -- of definitions that say nothing
    outcomes interval not null default '1 day',
    request_keys interval not null default '30 days',
    dead_letters interval not null default '7 days',
    events interval not null default '14 days',
    event_keys interval not null default '1 day',
    audit interval not null default '365 days',
    callback_answers interval not null default '7 days'
);
insert into retention default values;

-- ---- Who may what (functions/users.sql, functions/api_identity.sql) ----

-- Users of the server: people, and programs ("technical").
create table account (
    name text primary key,
    technical boolean not null,
    rights text[] not null,          -- author, start, work, read, admin
    tenants text[],                  -- NULL: all of them
    password text,                   -- SCRAM-SHA-256's verifier, as in pg_authid; NULL: none
    disabled boolean not null default false,
    created timestamptz not null,
    created_by text not null
);

-- Bearer tokens: 256 random bits, of which only the digest is kept.
create table account_token (
    id uuid primary key,
    account text not null references account on delete cascade,
    name text not null,              -- what it is for
    digest bytea not null unique,    -- sha256 of the token's text
    created timestamptz not null,
    created_by text not null,
    expires timestamptz,             -- NULL: never
    last_used timestamptz,           -- to the minute
    unique (account, name)
);

-- Access keys, by which users sign requests. Who verifies must know the secret, so it is kept as it is.
create table access_key (
    id text primary key,
    secret text not null,
    account text not null references account on delete cascade,
    note text,
    created timestamptz not null,
    created_by text not null,
    expires timestamptz              -- NULL: never
);

-- The processes for which somebody has a right, where not for all.
create table process_right (
    grantee text not null,
    is_role boolean not null,        -- a database role; else a user
    may text not null check (may in ('author', 'start', 'work', 'read', 'admin')),
    process text not null,           -- a key; * stands for any text
    primary key (grantee, is_role, may, process)
);

-- The tenants of database roles; no row: the tenant '', of administrators all.
create table role_tenant (
    role name primary key,
    tenants text[]                   -- NULL: all of them
);

-- What is not in the history of an instance: changes of users, rights and settings, and refusals.
create table audit_entry (
    at timestamptz not null,
    id bigint generated always as identity,
    kind text not null,
    actor text not null,             -- who; of a refused login the name that was given
    tenant text,                     -- NULL: of all of them
    subject text,                    -- which user, endpoint, process …
    detail jsonb,
    address text,                    -- of a refusal: where it came from
    primary key (at, id)
);
create index on audit_entry (at desc, id desc) where address is not null;

-- ---- Vacuum ----

-- Tables that are queues: their rows live for milliseconds, so vacuum comes by the thousand rows and not by the
-- share of what is there, and does not rest on its way. It gives no pages back at the end of the table: that would
-- lock everybody out, and the next burst wants them again. docs/operations.md has what was measured.
do $do$
declare
    name text;
begin
    foreach name in array array['ready', 'timer', 'inbox', 'outcome', 'instance', 'subscription', 'message', 'task', 'call',
                                'call_queue', 'attempt', 'callback', 'external_task', 'external_offer', 'external_lease', 'worker', 'event_todo', 'event_lane'] loop
        execute format('alter table %I set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 1000, '
                       'autovacuum_vacuum_cost_delay = 0, vacuum_truncate = off)', name);
    end loop;
end
$do$;
