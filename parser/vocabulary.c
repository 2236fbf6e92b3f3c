/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The extensions of Camunda 7, Flowable and Pawl that are known. What is executed is read
 * elsewhere; here it is only said where it may stand. What changes execution and is not executed is
 * refused.
 */
#include "base/build.h"

#include "parser/build.h"

enum treatment {
    USED,    /* read by one of the other files */
    SILENT,  /* says nothing about execution */
    WARNED,  /* ignored with a warning: it matters little, but somebody may rely on it */
    REFUSED, /* changes execution */
};

struct term {
    const char *name;
    enum treatment treatment;
    unsigned owners;    /* where it is used; elsewhere it is misplaced. 0: anywhere */
    const char *remedy; /* REFUSED, WARNED: what to do */
};

#define BIT(kind) (1u << (kind))
#define NODES (BIT(NODE_KINDS) - 1)
#define USER BIT(NODE_USER_TASK)
#define CALL BIT(NODE_CALL_ACTIVITY)
#define SCRIPT BIT(NODE_SCRIPT_TASK)
#define ACTIVITIES                                                                                 \
    (BIT(NODE_TASK) | BIT(NODE_MANUAL_TASK) | BIT(NODE_SERVICE_TASK) | BIT(NODE_SEND_TASK) |       \
     BIT(NODE_RECEIVE_TASK) | USER | SCRIPT | BIT(NODE_SUB_PROCESS) | CALL)
#define SERVICES                                                                                   \
    (BIT(NODE_SERVICE_TASK) | BIT(NODE_SEND_TASK) | BIT(NODE_THROW_EVENT) | BIT(NODE_END_EVENT) |  \
     OWNER_MESSAGE_EVENT)

#define NO_JAVA "Java code cannot run here. Pass the value in an inputParameter"
#define TIMERS                                                                                     \
    (OWNER_TIMER_EVENT | BIT(NODE_START_EVENT) | BIT(NODE_CATCH_EVENT) | BIT(NODE_BOUNDARY_EVENT))

#define NO_LISTENER                                                                                \
    "Listeners are not executed. Model what it does as a task of its own, or as an "               \
    "inputParameter "                                                                              \
    "or outputParameter"

/* Attributes of Camunda's and Flowable's namespaces. */
static const struct term attributes[] = {
    {"async", USED, NODES | OWNER_LOOP, NULL},
    {"asyncBefore", USED, NODES | OWNER_LOOP, NULL},
    {"asyncAfter", USED, NODES | OWNER_LOOP, NULL},
    {"asyncLeave", USED, NODES, NULL},
    {"jobPriority", USED, NODES | OWNER_PROCESS, NULL},
    {"exclusive", USED, NODES | OWNER_TIMER_EVENT | OWNER_LOOP, NULL},
    {"expression", USED, SERVICES, NULL},
    {"type", USED, SERVICES, NULL},
    {"topic", USED, SERVICES, NULL},
    {"taskPriority", USED, SERVICES | OWNER_PROCESS, NULL},
    {"class", USED, SERVICES, NULL},
    {"delegateExpression", USED, SERVICES, NULL},
    {"resultVariable", USED, SERVICES | SCRIPT, NULL},
    {"resultVariableName", USED, SERVICES | SCRIPT, NULL},
    {"assignee", USED, USER, NULL},
    {"candidateUsers", USED, USER, NULL},
    {"candidateGroups", USED, USER, NULL},
    {"priority", USED, USER, NULL},
    {"dueDate", USED, USER, NULL},
    {"followUpDate", USED, USER, NULL},
    {"formKey", USED, USER | BIT(NODE_START_EVENT), NULL},
    {"calledElementBinding", USED, CALL, NULL},
    {"calledElementVersion", USED, CALL, NULL},
    {"calledElementType", USED, CALL, NULL},
    {"sameDeployment", USED, CALL, NULL},
    {"businessKey", USED, CALL, NULL},
    {"inheritBusinessKey", USED, CALL, NULL},
    {"inheritVariables", USED, CALL, NULL},
    {"collection", USED, OWNER_LOOP, NULL},
    {"elementVariable", USED, OWNER_LOOP, NULL},
    {"elementIndexVariable", USED, OWNER_LOOP, NULL},
    {"errorCodeVariable", USED, OWNER_ERROR_EVENT, NULL},
    {"errorMessageVariable", USED, OWNER_ERROR_EVENT, NULL},
    {"errorMessage", USED, OWNER_ERROR, NULL},
    {"historyTimeToLive", USED, OWNER_PROCESS, NULL},
    {"versionTag", USED, OWNER_PROCESS, NULL},

    {"formRef", SILENT, 0, NULL},
    {"formRefBinding", SILENT, 0, NULL},
    {"formRefVersion", SILENT, 0, NULL},
    {"formHandlerClass", SILENT, 0, NULL},
    {"formFieldValidation", SILENT, 0, NULL},
    {"isStartableInTasklist", SILENT, 0, NULL},
    {"isStartable", SILENT, 0, NULL},
    {"category", SILENT, 0, NULL},
    {"diagramRelationId", SILENT, 0, NULL},
    {"modelerTemplate", SILENT, 0, NULL},
    {"modelerTemplateVersion", SILENT, 0, NULL},
    {"modelerTemplateIcon", SILENT, 0, NULL},
    {"isEagerExecutionFetching", SILENT, 0, NULL},

    {"candidateStarterUsers", WARNED, 0, "Who may start a process is a right in the database"},
    {"candidateStarterGroups", WARNED, 0, "Who may start a process is a right in the database"},
    {"diagnostics", WARNED, 0, "It has no effect"},
    {"shared", WARNED, 0, "It has no effect"},

    {"initiator", REFUSED, 0,
     "The engine does not know who starts. Remove it, and pass the name as a variable at start"},
    {"resource", REFUSED, 0, "Write the script into the model"},
    {"caseRef", REFUSED, 0, "Cases (CMMN) are not executed. Call a process"},
    {"caseBinding", REFUSED, 0, "Cases (CMMN) are not executed. Call a process"},
    {"caseVersion", REFUSED, 0, "Cases (CMMN) are not executed. Call a process"},
    {"caseTenantId", REFUSED, 0, "Cases (CMMN) are not executed. Call a process"},
    {"decisionRef", REFUSED, 0, "Decisions (DMN) are not executed. Use exclusive gateways"},
    {"variableMappingClass", REFUSED, 0, "Use camunda:in and camunda:out"},
    {"variableMappingDelegateExpression", REFUSED, 0, "Use camunda:in and camunda:out"},
    {"calledElementVersionTag", REFUSED, 0, "Bind to latest, deployment or a version number"},
    {"calledElementTenantId", REFUSED, 0, "Remove it: a process calls those of its own tenant"},
    {"fallbackToDefaultTenant", REFUSED, 0, "Remove it: a process calls those of its own tenant"},
    {"useLocalScopeForOutParameters", REFUSED, 0, "Remove it, and rename the variables that clash"},
    {"completeAsync", REFUSED, 0, "Use camunda:asyncAfter at the call activity"},
    {"processInstanceName", REFUSED, 0, "Pass the name as a variable"},
    {"variableName", REFUSED, 0, "Conditional events are not executed"},
    {"variableEvents", REFUSED, 0, "Conditional events are not executed"},
    {"skipExpression", REFUSED, 0, "Draw an exclusive gateway that leads around the element"},
    {"triggerable", REFUSED, 0,
     "Use a message: a service task, then a receive task or an event-based gateway"},
    {"useLocalScopeForResultVariable", REFUSED, 0, "Remove it, and use an outputParameter"},
    {"storeResultVariableAsTransient", REFUSED, 0,
     "Transient variables do not exist. Use an inputParameter, which lives as long as its task"},
    {"autoStoreVariables", REFUSED, 0,
     "Variables are set by the result variable and by execution.setVariable()"},
    {"businessCalendarName", REFUSED, 0, "Write the time as ISO 8601"},
    {"endDate", REFUSED, 0, "Write the end into the repetition: R/PT1H/2027-01-01T00:00:00Z"},
    {"owner", REFUSED, 0, "Tasks have an assignee and candidates. Use camunda:candidateUsers"},
    {"taskIdVariableName", REFUSED, 0, "Read the task's id from the view of tasks"},
    {"assigneeVariableName", REFUSED, 0, "Read the assignee from the view of tasks"},
    {"taskCompleterVariableName", REFUSED, 0, "Read who completed it from the history"},
};

/* Elements of Camunda's and Flowable's namespaces inside extensionElements. */
static const struct term elements[] = {
    {"inputOutput", USED, NODES, NULL},
    {"failedJobRetryTimeCycle", USED, NODES | OWNER_LOOP, NULL},
    {"errorEventDefinition", USED, SERVICES, NULL},
    {"in", USED, CALL, NULL},
    {"out", USED, CALL, NULL},

    {"formData", SILENT, 0, NULL},
    {"formProperty", SILENT, 0, NULL},
    {"properties", SILENT, 0, NULL},
    {"property", SILENT, 0, NULL},
    {"potentialStarter", WARNED, 0, "Who may start a process is a right in the database"},

    {"executionListener", REFUSED, 0, NO_LISTENER},
    {"taskListener", REFUSED, 0, NO_LISTENER},
    {"eventListener", REFUSED, 0, NO_LISTENER},
    {"field", REFUSED, 0, NO_JAVA},
    {"script", REFUSED, 0, "Scripts are not executed. Write an expression ${…}"},
    {"connector", REFUSED, 0,
     "Use pawl:http: it does what the http-connector does; element-templates/ of Pawl has a "
     "template for it"},
    {"mapException", REFUSED, 0, "Throw the error from a pawl:answer with error=\"CODE\""},
    {"failedJobRetryTime", REFUSED, 0, "Use failedJobRetryTimeCycle"},
    {"eventType", REFUSED, 0, "The event registry does not exist. Use a message"},
    {"customResource", REFUSED, 0, "Use camunda:candidateUsers and camunda:candidateGroups"},
};

/* Of Pawl's own namespace a word that is not known is a slip: it is refused. */
static const struct term pawl_attributes[] = {
    {"correlationKey", USED,
     OWNER_MESSAGE_EVENT | BIT(NODE_START_EVENT) | BIT(NODE_CATCH_EVENT) | BIT(NODE_THROW_EVENT) |
         BIT(NODE_END_EVENT) | BIT(NODE_BOUNDARY_EVENT) | BIT(NODE_RECEIVE_TASK) |
         BIT(NODE_SEND_TASK),
     NULL},
    {"timeToLive", USED,
     OWNER_MESSAGE_EVENT | BIT(NODE_THROW_EVENT) | BIT(NODE_END_EVENT) | BIT(NODE_SEND_TASK), NULL},
    {"sql", USED, SERVICES, NULL},
    {"delegate", USED, SERVICES, NULL},
    {"startsWhenSent", USED, OWNER_TIMER_EVENT | BIT(NODE_CATCH_EVENT) | BIT(NODE_BOUNDARY_EVENT),
     NULL},
    {"timeZone", USED, OWNER_PROCESS | TIMERS, NULL},
    {"catchUp", USED, TIMERS, NULL},
    {"startableBy", USED, OWNER_PROCESS, NULL},
    {"outputCollection", USED, OWNER_LOOP, NULL},
    {"outputElement", USED, OWNER_LOOP, NULL},
};

static const struct term pawl_elements[] = {
    {"http", USED, SERVICES, NULL},
    {"event", USED, SERVICES, NULL},
    {"retry", USED, NODES | OWNER_LOOP, NULL},
    {"sql", USED, SERVICES, NULL},
    {"delegate", USED, SERVICES, NULL},
    {"taskToken", USED,
     BIT(NODE_SERVICE_TASK) | BIT(NODE_SEND_TASK) | BIT(NODE_RECEIVE_TASK) | USER, NULL},
    {"inputSchema", USED, NODES | OWNER_PROCESS, NULL},
    {"parameter", USED, OWNER_PROCESS, NULL},
    {"serviceLevel", USED, ACTIVITIES | OWNER_PROCESS, NULL},
};

unsigned owner_of_kind(enum node_kind kind)
{
    return BIT(kind);
}

static const struct term *find(const struct term *terms, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(terms[i].name, name) == 0)
            return &terms[i];
    return NULL;
}

/* Flowable's and Camunda's unknown words may matter; say so, but let the file run. */
static void judge(struct file_build *file, const struct xml_element *of,
                  const struct xml_element *at, unsigned owner, const struct term *term, bool pawl,
                  const char *shown)
{
    const char *element = element_shown(file, of);

    if (term == NULL && pawl)
        report(file, CODE_UNKNOWN_PAWL_EXTENSION, at,
               "%s of %s is not an extension of Pawl. Is it misspelt? docs/bpmn.md lists them all.",
               shown, element);
    else if (term == NULL)
        report(file, CODE_UNKNOWN_EXTENSION, at,
               "%s of %s is not known and has no effect. Check its name, or remove it.", shown,
               element);
    else if (term->treatment == REFUSED)
        report(file, CODE_UNSUPPORTED_EXTENSION, at, "%s of %s is not supported. %s.", shown,
               element, term->remedy);
    else if (term->treatment == WARNED)
        report(file, CODE_IGNORED_EXTENSION, at, "%s of %s is ignored. %s.", shown, element,
               term->remedy);
    else if (term->treatment == USED && (term->owners & owner) == 0)
        report(file, pawl ? CODE_MISPLACED_PAWL_EXTENSION : CODE_MISPLACED_EXTENSION, at,
               "%s has no effect on %s. Remove it, or move it where it belongs.", shown, element);
}

static void judge_attribute(struct file_build *file, const struct xml_element *at, unsigned owner,
                            const struct xml_attribute *attribute)
{
    const char *name = attribute->name;
    const struct term *term = attribute->space == SPACE_PAWL
                                  ? find(pawl_attributes, ARRAY_LEN(pawl_attributes), name)
                                  : find(attributes, ARRAY_LEN(attributes), name);
    const char *shown = xml_shown(file->arena, attribute->prefix, name);

    if (term != NULL && term->treatment == REFUSED)
        shown = arena_printf(file->arena, "%s=\"%.80s\"", shown, attribute->value);
    judge(file, at, at, owner, term, attribute->space == SPACE_PAWL, shown);
}

static void note_foreign(struct file_build *file, const char *uri, const char *prefix, int line)
{
    for (size_t i = 0; i < file->n_foreign; i++) {
        if (strcmp(file->foreign[i].uri, uri) == 0) {
            file->foreign[i].n++;
            return;
        }
    }
    if (file->n_foreign >= 20)
        return; /* enough to see that the file is from elsewhere */
    *arena_push(file->arena, file->foreign, file->n_foreign, file->foreign_capacity) =
        (struct foreign){.uri = uri, .prefix = prefix, .line = line, .n = 1};
}

/* What may stand once in an element, so that none of two is passed over. */
static void check_once(struct file_build *file, const struct xml_element *element)
{
    static const char *const once[] = {"inputOutput", "failedJobRetryTimeCycle"};
    const struct xml_element *holder = xml_child(element, SPACE_BPMN, "extensionElements");

    if (holder == NULL)
        return;
    for (const struct xml_element *e = holder->next; e != NULL; e = e->next)
        if (xml_is(e, SPACE_BPMN, "extensionElements"))
            report(file, CODE_DUPLICATE_EXTENSION, e,
                   "%s has two extensionElements. Put everything into one.",
                   element_shown(file, element));
    for (size_t i = 0; i < ARRAY_LEN(once); i++) {
        const struct xml_element *first = xml_child_extension(holder, once[i]);
        for (const struct xml_element *e = holder->first; e != NULL && first != NULL; e = e->next)
            if (e != first && (e->space == SPACE_CAMUNDA || e->space == SPACE_FLOWABLE) &&
                strcmp(e->name, once[i]) == 0)
                report(file, CODE_DUPLICATE_EXTENSION, e, "%s has %s twice. Keep one.",
                       element_shown(file, element), once[i]);
    }
}

void vocabulary_check(struct file_build *file, const struct xml_element *element, unsigned owner)
{
    for (size_t i = 0; i < element->n_attributes; i++) {
        const struct xml_attribute *a = &element->attributes[i];
        if (a->space == SPACE_CAMUNDA || a->space == SPACE_FLOWABLE || a->space == SPACE_PAWL)
            judge_attribute(file, element, owner, a);
        else if (a->space == SPACE_OTHER)
            note_foreign(file, a->uri, a->prefix, element->line);
    }
    check_once(file, element);
    for (const struct xml_element *e = extensions(element); e != NULL; e = e->next) {
        if (e->space == SPACE_OTHER)
            note_foreign(file, e->uri, e->prefix, e->line);
        if (e->space != SPACE_CAMUNDA && e->space != SPACE_FLOWABLE && e->space != SPACE_PAWL)
            continue;
        const struct term *term = e->space == SPACE_PAWL
                                      ? find(pawl_elements, ARRAY_LEN(pawl_elements), e->name)
                                      : find(elements, ARRAY_LEN(elements), e->name);
        judge(file, element, e, owner, term, e->space == SPACE_PAWL,
              xml_shown(file->arena, e->prefix, e->name));
    }
}

void vocabulary_finish(struct file_build *file)
{
    for (size_t i = 0; i < file->n_foreign; i++) {
        const struct foreign *f = &file->foreign[i];
        bool zeebe = strcmp(f->uri, "http://camunda.org/schema/zeebe/1.0") == 0;
        findings_add(&file->findings, CODE_FOREIGN_EXTENSION, f->line, 0, NULL,
                     "%u %s of the namespace %.200s %s ignored; the first one is here.%s", f->n,
                     f->n == 1 ? "extension" : "extensions", f->uri, f->n == 1 ? "is" : "are",
                     zeebe ? " This file was made for Camunda 8: model it for Camunda 7, or add "
                             "pawl:http to its service tasks."
                           : "");
    }
}
