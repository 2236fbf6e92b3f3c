/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <libxml/parser.h>
#include <libxml/dict.h>
#include <libxml/parserInternals.h>

#include "base/limits.h"
#include "parser/xml.h"

/* What the callbacks of one reading share. */
struct reader {
    struct xml_document *document;
    struct findings *findings;
    xmlParserCtxtPtr context;
    const char *text; /* what is read, to find lines in */
    size_t n;
    size_t counted;              /* bytes up to the tag that was read last */
    int line, column;            /* there; a column is a character of UTF-8 */
    struct xml_element *current; /* the innermost open element; NULL: none, or inside a diagram */
    unsigned depth, skipped;     /* open elements in all, and those of a diagram */
    unsigned spaces, spaces_at[LIMIT_XML_DEPTH + 1]; /* namespace declarations in force */
    unsigned elements;
    bool failed;
};

static const struct {
    const char *uri;
    enum xml_space space;
} spaces[] = {
    {"http://www.omg.org/spec/BPMN/20100524/MODEL", SPACE_BPMN},
    {"http://camunda.org/schema/1.0/bpmn", SPACE_CAMUNDA},
    {"http://operaton.org/schema/1.0/bpmn", SPACE_CAMUNDA},
    {"http://activiti.org/bpmn", SPACE_CAMUNDA},
    {"http://www.camunda.com/fox", SPACE_CAMUNDA},
    {"http://flowable.org/bpmn", SPACE_FLOWABLE},
    {"urn:pawl:bpmn:1.0", SPACE_PAWL},
    {"http://www.w3.org/2001/XMLSchema-instance", SPACE_XSI},
    {"http://www.w3.org/XML/1998/namespace", SPACE_DECORATION},
    {"http://www.omg.org/spec/BPMN/20100524/DI", SPACE_DIAGRAM},
    {"http://www.omg.org/spec/DD/20100524/DI", SPACE_DIAGRAM},
    {"http://www.omg.org/spec/DD/20100524/DC", SPACE_DIAGRAM},
    {"http://bpmn.io/schema/bpmn/biocolor/1.0", SPACE_DECORATION},
    {"http://www.omg.org/spec/BPMN/non-normative/color/1.0", SPACE_DECORATION},
    {"http://camunda.org/schema/modeler/1.0", SPACE_DECORATION},
    {"http://flowable.org/modeler", SPACE_DECORATION},
    {"http://flowable.org/design", SPACE_DECORATION},
    {"http://activiti.com/modeler", SPACE_DECORATION},
    {"http://www.signavio.com", SPACE_DECORATION},
    {"http://www.w3.org/2001/XMLSchema", SPACE_DECORATION},
};

static enum xml_space space_of(const char *uri)
{
    if (uri == NULL)
        return SPACE_NONE;
    for (size_t i = 0; i < ARRAY_LEN(spaces); i++)
        if (strcmp(spaces[i].uri, uri) == 0)
            return spaces[i].space;
    return SPACE_OTHER;
}

/* libxml2's characters are unsigned. */
static const char *chars(const xmlChar *s)
{
    return (const char *)s;
}

static void stop(struct reader *reader)
{
    reader->failed = true;
    reader->current = NULL;
    xmlStopParser(reader->context);
}

/* Goes on to the tag that has just been read: the last '<' before the cursor. */
static void find_tag(struct reader *reader)
{
    long at = xmlByteConsumed(reader->context);
    size_t end = at < 0 || (size_t)at > reader->n ? reader->n : (size_t)at;
    const char *tag = memrchr(reader->text, '<', end);
    size_t begin = tag != NULL ? (size_t)(tag - reader->text) : reader->counted;

    for (; reader->counted < begin; reader->counted++) {
        unsigned char c = (unsigned char)reader->text[reader->counted];
        reader->column += (c & 0xc0) != 0x80;
        if (c == '\n') {
            reader->line++;
            reader->column = 1;
        }
    }
}

static const char *nearest_id(const struct reader *reader)
{
    for (const struct xml_element *e = reader->current; e != NULL; e = e->parent) {
        const char *id = xml_attr(e, "id");
        if (id != NULL)
            return id;
    }
    return NULL;
}

/* Counts what has a limit; false when one was passed. */
static bool count_element(struct reader *reader, int nb_namespaces)
{
    reader->depth++;
    reader->elements++;
    find_tag(reader);
    if (reader->depth > LIMIT_XML_DEPTH) {
        findings_add(
            reader->findings, CODE_TOO_DEEP, reader->line, reader->column, nearest_id(reader),
            "Elements are nested more than %u deep. No model needs that: is the file broken?",
            LIMIT_XML_DEPTH);
    } else if (reader->elements > LIMIT_XML_NODES) {
        findings_add(reader->findings, CODE_TOO_MANY_ELEMENTS, reader->line, reader->column,
                     nearest_id(reader),
                     "The file has more than %u XML elements. Split it into several files.",
                     LIMIT_XML_NODES);
    } else {
        reader->spaces_at[reader->depth] = (unsigned)nb_namespaces;
        reader->spaces += (unsigned)nb_namespaces;
        if (reader->spaces <= LIMIT_XML_NAMESPACES)
            return true;
        findings_add(reader->findings, CODE_TOO_MANY_NAMESPACES, reader->line, reader->column,
                     nearest_id(reader),
                     "More than %u namespace declarations are in force here. Declare each "
                     "namespace once, at the root.",
                     LIMIT_XML_NAMESPACES);
    }
    stop(reader);
    return false;
}

static void copy_attributes(struct arena *arena, struct xml_element *element, size_t n,
                            const xmlChar **attributes)
{
    element->attributes = arena_array(arena, n, sizeof(*element->attributes));
    element->n_attributes = n;
    /* Five pointers each: name, prefix, namespace, begin and end of the value. */
    for (size_t i = 0; i < n; i++, attributes += 5) {
        const char *uri = chars(attributes[2]);
        element->attributes[i] = (struct xml_attribute){
            .space = space_of(uri),
            .prefix = chars(attributes[1]),
            .uri = uri,
            .name = chars(attributes[0]),
            .value =
                arena_strndup(arena, chars(attributes[3]), (size_t)(attributes[4] - attributes[3])),
        };
    }
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int nb_namespaces, const xmlChar **namespaces UNUSED, int nb_attributes,
                     int nb_defaulted UNUSED, const xmlChar **attributes)
{
    struct reader *reader = user;

    if (reader->failed || !count_element(reader, nb_namespaces))
        return;
    enum xml_space space = space_of(chars(uri));
    if (reader->skipped > 0 ||
        (space == SPACE_DIAGRAM && strcmp(chars(name), "BPMNDiagram") == 0)) {
        reader->skipped++;
        return;
    }

    struct arena *arena = &reader->document->arena;
    struct xml_element *element = arena_alloc(arena, sizeof(*element));
    struct xml_element *parent = reader->current;
    element->space = space;
    element->prefix = chars(prefix);
    element->uri = chars(uri);
    element->name = chars(name);
    element->line = reader->line;
    element->column = reader->column;
    element->parent = parent;
    copy_attributes(arena, element, (size_t)nb_attributes, attributes);
    if (parent == NULL)
        reader->document->root = element;
    else if (parent->last == NULL)
        parent->first = element;
    else
        parent->last->next = element;
    if (parent != NULL)
        parent->last = element;
    reader->current = element;
}

static void on_end(void *user, const xmlChar *name UNUSED, const xmlChar *prefix UNUSED,
                   const xmlChar *uri UNUSED)
{
    struct reader *reader = user;

    if (reader->failed)
        return;
    reader->spaces -= reader->spaces_at[reader->depth];
    reader->depth--;
    if (reader->skipped > 0) {
        reader->skipped--;
        return;
    }
    struct xml_element *element = reader->current;
    while (element->text_n > 0 && strchr(" \t\r\n", element->text[element->text_n - 1]) != NULL)
        element->text[--element->text_n] = '\0';
    reader->current = element->parent;
}

/* Character data comes in pieces of any size. */
static void on_text(void *user, const xmlChar *bytes, int length)
{
    struct reader *reader = user;
    struct xml_element *element = reader->current;
    const char *s = chars(bytes);
    size_t n = (size_t)length;

    if (reader->failed || reader->skipped > 0 || element == NULL)
        return;
    while (element->text_n == 0 && n > 0 && strchr(" \t\r\n", *s) != NULL) {
        s++;
        n--;
    }
    if (n == 0)
        return;
    if (element->text_n + n + 1 > element->text_capacity) {
        size_t capacity = element->text_n == 0 ? n + 1 : (element->text_n + n + 1) * 2;
        char *text = arena_alloc(&reader->document->arena, capacity);
        if (element->text_n > 0)
            memcpy(text, element->text, element->text_n);
        element->text = text;
        element->text_capacity = capacity;
    }
    memcpy(element->text + element->text_n, s, n);
    element->text_n += n;
    element->text[element->text_n] = '\0';
}

/* The prescan refuses a DTD; should one hide from it, it ends here. */
static void on_dtd(void *user, const xmlChar *name UNUSED, const xmlChar *id UNUSED,
                   const xmlChar *uri UNUSED)
{
    struct reader *reader = user;

    findings_add(reader->findings, CODE_DTD_REFUSED, 1, 0, NULL,
                 "The file has a document type declaration (DTD), which is never read. Remove it.");
    stop(reader);
}

static xmlEntityPtr on_entity(void *user UNUSED, const xmlChar *name)
{
    return xmlGetPredefinedEntity(name);
}

static void on_error(void *user, xmlErrorPtr error)
{
    struct reader *reader = user;

    if (reader->failed || error == NULL || error->level < XML_ERR_ERROR)
        return;
    const char *message = error->message != NULL ? error->message : "it is not well-formed";
    int n = (int)strcspn(message, "\n");
    if (error->code == XML_NS_ERR_UNDEFINED_NAMESPACE)
        findings_add(reader->findings, CODE_UNDECLARED_PREFIX, error->line, error->int2,
                     nearest_id(reader),
                     "A namespace prefix is used without declaration (%.*s). Add its xmlns "
                     "declaration to the root element.",
                     n, message);
    else
        findings_add(reader->findings, CODE_NOT_WELL_FORMED, error->line, error->int2,
                     nearest_id(reader),
                     "This is not well-formed XML: %.*s. Mend it here, or save the model again "
                     "with its editor.",
                     n, message);
    stop(reader);
}

void xml_init(void)
{
    xmlInitParser();
}

void xml_deinit(void)
{
    xmlCleanupParser();
}

static void set_handler(xmlSAXHandler *sax)
{
    memset(sax, 0, sizeof(*sax));
    sax->initialized = XML_SAX2_MAGIC;
    sax->startElementNs = on_start;
    sax->endElementNs = on_end;
    sax->characters = on_text;
    sax->ignorableWhitespace = on_text;
    sax->cdataBlock = on_text;
    sax->internalSubset = on_dtd;
    sax->externalSubset = on_dtd;
    sax->getEntity = on_entity;
    sax->serror = on_error;
}

/* Runs libxml2 over text that is UTF-8 and within the limits of bytes and attributes. */
static void parse(struct reader *reader)
{
    xmlParserCtxtPtr context = xmlCreateMemoryParserCtxt(reader->text, (int)reader->n);

    if (context == NULL)
        abort(); /* the heap is exhausted */
    reader->context = context;
    set_handler(context->sax);
    context->userData = reader;
    /*
     * HUGE lifts the library's own limits: ours are in force, and have names. NOENT resolves &amp;
     * and its four sisters in attributes; there are no other entities, because there is no DTD.
     */
    xmlCtxtUseOptions(context,
                      XML_PARSE_NONET | XML_PARSE_HUGE | XML_PARSE_IGNORE_ENC | XML_PARSE_NOENT);
    reader->document->names = context->dict;
    xmlDictReference(context->dict);
    xmlParseDocument(context);
    if (!reader->failed && (!context->wellFormed || reader->document->root == NULL)) {
        findings_add(reader->findings, CODE_NOT_WELL_FORMED, reader->line, reader->column, NULL,
                     "This is not well-formed XML. Save the model again with its editor.");
        reader->failed = true;
    }
    if (context->myDoc != NULL)
        xmlFreeDoc(context->myDoc);
    xmlFreeParserCtxt(context);
}

bool xml_read(struct xml_document *document, const char *text, size_t n, bool decoded,
              struct findings *findings)
{
    *document = (struct xml_document){0};
    arena_init(&document->arena, 0);

    struct reader reader = {.document = document, .findings = findings, .line = 1, .column = 1};
    if (!xml_decode(&document->arena, text, n, decoded, &reader.text, &reader.n, findings))
        return false;
    if (!xml_prescan(reader.text, reader.n, findings))
        return false;
    parse(&reader);
    return !reader.failed;
}

void xml_document_deinit(struct xml_document *document)
{
    if (document->names != NULL)
        xmlDictFree(document->names);
    arena_deinit(&document->arena);
    *document = (struct xml_document){0};
}
