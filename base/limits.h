/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * Every limit of the program, by name. Reaching one is a clear error that a test provokes, never a
 * crash or a silent cut. Sizes are bytes, times say their unit.
 */

/* What a deployed file may be. */
#define LIMIT_XML_BYTES (10u << 20)     /* one BPMN file */
#define LIMIT_XML_DEPTH 256u            /* nesting of XML elements */
#define LIMIT_XML_ATTRIBUTES 128u       /* attributes of one element */
#define LIMIT_XML_NODES 500000u         /* elements of one file, diagram data included */
#define LIMIT_XML_NAMESPACES 1000u      /* namespace declarations in force at one element */
#define LIMIT_DEPLOYMENT_FILES 100u     /* files of one deployment */
#define LIMIT_FOLDER_DEPTH 16u          /* folders inside of one that is deployed */
#define LIMIT_ARCHIVE_ENTRIES 1000u     /* files and folders of one zip file */
#define LIMIT_ARCHIVE_BYTES (32u << 20) /* all that a zip file unpacks to */
#define LIMIT_PROCESSES 1000u           /* executable processes of one file */
#define LIMIT_GRAPH_NODES 20000u        /* flow nodes of one process */
#define LIMIT_PARAMETERS 100u           /* pawl:parameter of one process */
#define LIMIT_MAPPINGS 1000u            /* parameters of one element, in or out */
#define LIMIT_FINDINGS 100u             /* findings reported for one file */
#define LIMIT_STEPS_BYTES (1u << 20)    /* a process as a list of steps (convert/) */
#define LIMIT_STEPS_DEPTH 64u           /* nesting of its values */
#define LIMIT_STEPS_ITEMS 20000u        /* values in it */
#define LIMIT_STEPS 1000u               /* steps of it */
#define LIMIT_STEPS_FLOWS 3000u         /* ways from step to step, to be drawn */

/* Expressions and values. */
#define LIMIT_EXPR_BYTES 8192u            /* text of one expression */
#define LIMIT_EXPR_DEPTH 64u              /* nesting of one expression */
#define LIMIT_EXPR_WORK_BYTES (16u << 20) /* text that one evaluation may produce */
#define LIMIT_JSON_DEPTH 128u             /* nesting of one value */
#define LIMIT_VALUE_BYTES (1u << 20)      /* one variable, as JSON text */
#define LIMIT_VARIABLES_BYTES (4u << 20)  /* all variables of one instance, as JSON text */
#define LIMIT_NAME_BYTES 255u             /* names, keys, codes, business keys */

/* JSON Schema. */
#define LIMIT_SCHEMA_BYTES (256u << 10)     /* text of one schema */
#define LIMIT_SCHEMA_NODES 100000u          /* schemas inside of one, with all that it refers to */
#define LIMIT_SCHEMA_PATTERN_BYTES 8192u    /* one regular expression */
#define LIMIT_SCHEMA_MATCH_BYTES (4u << 20) /* memory of one match */
#define LIMIT_SCHEMA_WORK 20000000          /* steps of one check */
#define LIMIT_SCHEMA_DEPTH 600u             /* schemas inside of schemas while a value is judged */
#define LIMIT_SCHEMA_ERRORS 100u            /* errors told of one value */
#define LIMIT_SCHEMA_WORDS 500u             /* bytes of a value as an error shows it */

#define LIMIT_CATCH_UP 1000u /* missed times that one timer makes up for */

/* One instance and one step. */
#define LIMIT_STEP_MOVES 1000u         /* moves of one step; the rest goes on in another batch */
#define LIMIT_STEP_DELEGATES 20u       /* SQL delegates of items of one step; the rest as above */
#define LIMIT_TOKENS 50000u            /* tokens of one instance */
#define LIMIT_ITEMS 20000u             /* items of one multi-instance activity */
#define LIMIT_CALL_DEPTH 100u          /* call activities inside call activities */
#define LIMIT_FAMILY_BYTES (64u << 20) /* memory of one family while it is stepped */

/* Remote calls. */
#define LIMIT_REQUEST_BYTES (1u << 20)  /* body of a request that we send */
#define LIMIT_RESPONSE_BYTES (1u << 20) /* body of an answer that we take */
#define LIMIT_RESPONSE_HEADER_BYTES (64u << 10)
#define LIMIT_RESPONSE_HEADERS 256u /* lines */
#define LIMIT_URL_BYTES 8192u
#define LIMIT_INCIDENT_BODY_BYTES 4096u /* of a request or answer, as its incident shows it */
#define LIMIT_RETRY_AFTER_S 86400u      /* what a service may make us wait with Retry-After */
#define LIMIT_RETRY_ATTEMPTS 1000000u   /* of pawl:retry */
#define LIMIT_SECRET_BYTES (64u << 10)  /* one secret, certificates and keys too */
#define LIMIT_EGRESS_RULES 64u          /* networks that one endpoint allows */
#define LIMIT_REDIRECTS 20u             /* that one request follows */
#define LIMIT_KEPT_CONNECTIONS 512u     /* idle, of all endpoints together */
#define LIMIT_BREAKER_WINDOW 1000u      /* calls that a circuit breaker looks at */

/* Callbacks; what SQL refuses (functions/callbacks.sql). */
#define LIMIT_CALLBACK_OUTPUT_BYTES (256u << 10) /* as AWS has it */
#define LIMIT_CALLBACK_ERROR 256u                /* characters, as AWS has it */
#define LIMIT_CALLBACK_CAUSE 32768u              /* the same */
#define LIMIT_CALLBACK_LOGS 1000u                /* entries of one answer */
#define LIMIT_CALLBACK_LOGS_BYTES (64u << 10)
#define LIMIT_CALLBACK_KEYS 20u /* whose tokens hold */

/* Delegates. */
#define LIMIT_DELEGATE_NAME_BYTES 200u
#define LIMIT_DELEGATE_TIMEOUT_MS 30000u /* a SQL delegate's statement, and its waits for locks */

/* Batches. */
#define LIMIT_SCRIPT_BYTES (64u << 10) /* the text of one script */
#define LIMIT_SCRIPT_MS 20u            /* one script within a step; a task may take longer */
#define LIMIT_SCRIPT_URGENT_MS 100u    /* one of a condition or mapping, which can not wait */
#define LIMIT_SCRIPT_LONG_MS 3000u     /* of a task, outside of a transaction */
#define LIMIT_SCRIPT_REQUEST_BYTES (1u << 20) /* its text with the variables that it sees */
#define LIMIT_BATCH_COMMANDS 1000u            /* commands of one transaction */
#define LIMIT_BATCH_KEYS 200u                 /* message keys locked by one transaction */

/* Configuration files (base/ini.h). */
#define LIMIT_CONFIG_BYTES (1u << 20)
#define LIMIT_CONFIG_SECTIONS 1000u
#define LIMIT_CONFIG_KEYS 1000u /* of one section */

/* The log. */
#define LIMIT_LOG_LINE_BYTES 4096u
#define LIMIT_LOG_ALIKE 100u /* lines that say the same of different instances, in 10 seconds */

/* Requests to our own HTTP server. */
#define LIMIT_HTTP_CONNECTIONS 11000u /* at a time; fewer where fewer files may be open */
#define LIMIT_HTTP_HEADERS 100u
#define LIMIT_HTTP_MEMORY (32u << 10)           /* request line and headers of one connection */
#define LIMIT_HTTP_BODY_BYTES (5u << 20)        /* a body, unless its operation says otherwise */
#define LIMIT_HTTP_DEPLOYMENT_BYTES (32u << 20) /* a body that deploys */
#define LIMIT_HTTP_BODIES_BYTES (256u << 20)    /* of all requests at a time, but for */
#define LIMIT_HTTP_SMALL_BYTES (16u << 10)      /* so much of each */
#define LIMIT_HTTP_DISCARD_BYTES (64u << 10)    /* a refused request's body is read up to here */
#define LIMIT_HTTP_PARAMETERS 100u              /* behind the ? of a path */
#define LIMIT_HTTP_REQUEST_S 30u /* to send a request, and to take an answer: --request-timeout */
#define LIMIT_HTTP_IDLE_S 10u    /* without a byte from the client */
#define LIMIT_PASSWORD_BYTES_MIN 8u /* sql/functions/users.sql, too */
#define LIMIT_PASSWORD_BYTES 1024u  /* sql/functions/users.sql, too */
#define LIMIT_AWAIT_S 300u          /* how long one request may wait for an outcome */
#define LIMIT_SIGNATURE_SKEW_S 300u /* between the clock of who signed a request and ours */

/* Events (sql/functions/events.sql has the first three, too). */
#define LIMIT_EVENT_ENTRIES 1000u        /* of one put_events() */
#define LIMIT_EVENTS_BYTES (4u << 20)    /* of one put_events() */
#define LIMIT_EVENT_BYTES (256u << 10)   /* one event */
#define LIMIT_PATTERN_BYTES (64u << 10)  /* one event pattern, as JSON text */
#define LIMIT_PATTERN_STARS 32u          /* in one wildcard */
#define LIMIT_PATTERN_ALTERNATIVES 1000u /* that the $or of one pattern make */
#define LIMIT_PATTERN_WORK 1000000u /* array elements, in pairs, that a rule tries for an event */
#define LIMIT_RULE_TARGETS 20u
#define LIMIT_EVENT_SLICE 500u /* events of one transaction */
