/* SPDX-License-Identifier: Apache-2.0 */
#pragma once
/*
 * A small tree of an XML file, with the lines of its elements. xml.c is the only file that includes
 * libxml2; it is fed text that decode.c has already judged. Diagram data is left out of the tree.
 */
#include "parser/findings.h"

/* The namespaces that the parser knows. */
enum xml_space {
    SPACE_NONE = 0, /* no namespace: the plain attributes of BPMN */
    SPACE_BPMN,
    SPACE_CAMUNDA, /* Camunda 7, Operaton, Activiti */
    SPACE_FLOWABLE,
    SPACE_PAWL,
    SPACE_XSI,
    SPACE_DIAGRAM,    /* BPMN DI, DC, DI */
    SPACE_DECORATION, /* colours and notes of modelers: never of interest */
    SPACE_OTHER,
};

struct xml_attribute {
    enum xml_space space;
    const char *prefix; /* as written; may be NULL */
    const char *uri;    /* may be NULL */
    const char *name;
    const char *value;
};

struct xml_element {
    enum xml_space space;
    const char *prefix; /* as written; may be NULL */
    const char *uri;    /* may be NULL */
    const char *name;
    int line, column; /* of its '<', from 1 */
    struct xml_attribute *attributes;
    size_t n_attributes;
    struct xml_element *parent, *first, *last, *next;
    char *text; /* its own character data; NULL: none. Leading blanks are left out */
    size_t text_n, text_capacity;
    int mark; /* the reader's own: number of the flow node + 1 */
};

struct xml_document {
    struct arena arena;
    struct xml_element *root;
    void *names; /* keeps the names of elements and attributes alive */
};

/* Once, before threads. */
void xml_init(void);
void xml_deinit(void);

/*
 * Reads a file into *document, which xml_document_deinit() frees in any case. Returns false with
 * one finding when the text is not XML that we take.
 */
bool xml_read(struct xml_document *document, const char *text, size_t n, bool decoded,
              struct findings *findings) MUST_CHECK;
void xml_document_deinit(struct xml_document *document);

/* ---- decode.c ---- */

/*
 * The text as UTF-8 (without byte order mark), by its byte order mark or its encoding declaration;
 * `decoded`: it is UTF-8 already. False with one finding if it is too large, empty, or not what it
 * says.
 */
bool xml_decode(struct arena *arena, const char *text, size_t n, bool decoded,
                const char **ret_text, size_t *ret_n, struct findings *findings) MUST_CHECK;

/* Refuses a DTD and elements with too many attributes before any library looks at them. */
bool xml_prescan(const char *text, size_t n, struct findings *findings) MUST_CHECK;

/* ---- tree.c: looking things up; NULL where there is none ---- */

bool xml_is(const struct xml_element *element, enum xml_space space, const char *name);
/* The first child of that name. */
const struct xml_element *xml_child(const struct xml_element *element, enum xml_space space,
                                    const char *name);
/* The first child of that name in Camunda's or Flowable's namespace. */
const struct xml_element *xml_child_extension(const struct xml_element *element, const char *name);
const char *xml_value(const struct xml_element *element, enum xml_space space, const char *name);
/* A plain attribute. */
const char *xml_attr(const struct xml_element *element, const char *name);
/* An attribute in Camunda's or Flowable's namespace. */
const char *xml_extension(const struct xml_element *element, const char *name);
/* The element's text without blanks at both ends; "" when there is none. */
const char *xml_text(const struct xml_element *element);
/* The text is blank. */
bool xml_blank(const char *text);
/* "prefix:name" as the file wrote it. */
const char *xml_shown(struct arena *arena, const char *prefix, const char *name);
