/* SPDX-License-Identifier: Apache-2.0 */
#include "base/build.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "parser/parser.h"

/* What a process is given: schemas, forms, parameters; with the other files of a deployment. */

static const struct parser_file files[] = {
#define FILE(name, text)                                                                           \
    {                                                                                              \
        name, text, sizeof(text) - 1                                                               \
    }
    FILE("order.json", "{\"type\": \"object\", \"required\": [\"address\"], \"properties\": "
                       "{\"address\": {\"$ref\": \"address.json\"}}}"),
    FILE("address.json", "{\"type\": \"string\", \"minLength\": 3}"),
    FILE("check.form",
         "{\"id\": \"check-form\", \"components\": [{\"type\": \"group\", \"components\": ["
         "{\"key\": \"amount\", \"type\": \"number\", \"label\": \"Amount\", \"decimalDigits\": 0, "
         "\"validate\": {\"required\": true, \"min\": 1}}]}, {\"type\": \"radio\", \"key\": "
         "\"way\", "
         "\"values\": [{\"label\": \"By air\", \"value\": \"air\"}]}, {\"type\": \"button\"}]}"),
    FILE("broken.form", "{\"components\": ["),
#undef FILE
};

static void read_model(const char *attributes, const char *inside, struct parse_result *ret_result)
{
    char text[8192];
    int n = snprintf(text, sizeof(text),
                     "<definitions xmlns='http://www.omg.org/spec/BPMN/20100524/MODEL' "
                     "xmlns:camunda='http://camunda.org/schema/1.0/bpmn' "
                     "xmlns:pawl='urn:pawl:bpmn:1.0' targetNamespace='t'>"
                     "<process id='p' isExecutable='true' %s>%s</process></definitions>",
                     attributes, inside);

    assert_true(n > 0 && (size_t)n < sizeof(text));
    parser_read_with("p.bpmn", text, (size_t)n, true, files, ARRAY_LEN(files), ret_result);
}

#define EXTENDED(x) "<extensionElements>" x "</extensionElements>"
#define STRAIGHT                                                                                   \
    "<startEvent id='s'/><sequenceFlow id='a' sourceRef='s' targetRef='u'/>"                       \
    "<sequenceFlow id='b' sourceRef='u' targetRef='e'/><endEvent id='e'/>"

static struct graph *read_good(const char *inside, struct parse_result *ret_result)
{
    read_model("", inside, ret_result);
    for (size_t i = 0; i < ret_result->n_findings; i++)
        if (ret_result->findings[i].severity == FINDING_ERROR)
            fail_msg("%s", ret_result->findings[i].message);
    assert_int_equal(ret_result->n_graphs, 1);
    return ret_result->graphs[0];
}

static void test_input__schema_of_a_file(void **state UNUSED)
{
    struct parse_result result;
    struct graph *graph = read_good(EXTENDED("<pawl:inputSchema resource='order.json'/>") STRAIGHT
                                    "<userTask id='u'/>",
                                    &result);

    assert_non_null(graph->input);
    assert_non_null(graph->input->schema);
    assert_true(graph->uses_files);
    /* What it refers to comes with it. */
    assert_non_null(strstr(graph->input->schema_text, "\"$ref\":\"#/definitions/address.json\""));
    assert_non_null(
        strstr(graph->input->schema_text, "\"definitions\":{\"address.json\":{\"type\":"));
    struct schema_report report;
    struct err err;
    assert_int_equal(input_check(graph->input, "{\"address\": \"x\"}", 16, NULL, 0, &graph->arena,
                                 &report, &err),
                     SCHEMA_INVALID);
    assert_string_equal(input_words(&graph->arena, &report), "'x' is too short (at /address)");
    assert_int_equal(input_check(graph->input, NULL, 0, "{\"address\": \"xyz\"}", 18, &graph->arena,
                                 &report, &err),
                     SCHEMA_VALID);
    parse_result_deinit(&result);
}

static void test_input__form_data(void **state UNUSED)
{
    struct parse_result result;
    struct graph *graph = read_good(
        STRAIGHT "<userTask id='u' camunda:formKey='my/own.html'>" EXTENDED(
            "<camunda:formData>"
            "<camunda:formField id='amount' label='Amount' type='long' defaultValue='3'>"
            "<camunda:validation><camunda:constraint name='required'/>"
            "<camunda:constraint name='min' config='1'/>"
            "<camunda:constraint name='readonly'/></camunda:validation></camunda:formField>"
            "<camunda:formField id='way' type='enum'><camunda:value id='air' name='By air'/>"
            "</camunda:formField><camunda:formField id='when' type='date' "
            "defaultValue='${x}'/></camunda:formData>") "</userTask>",
        &result);
    const struct input *input = graph->nodes[graph_find(graph, "u")].input;

    assert_non_null(input);
    assert_null(input->schema);
    assert_string_equal(input->form_key, "my/own.html");
    assert_string_equal(
        input->schema_text,
        "{\"type\":\"object\",\"properties\":{\"amount\":{\"type\":\"integer\",\"title\":"
        "\"Amount\","
        "\"default\":3,\"minimum\":1},\"way\":{\"type\":\"string\",\"oneOf\":[{\"const\":\"air\","
        "\"title\":\"By air\"}]},\"when\":{\"type\":\"string\",\"format\":\"date\"}},"
        "\"required\":[\"amount\"]}");
    assert_string_equal(input->ui_text, "{\"ui:order\":[\"amount\",\"way\",\"when\",\"*\"],"
                                        "\"amount\":{\"ui:readonly\":true}}");
    parse_result_deinit(&result);
}

static void test_input__form_js(void **state UNUSED)
{
    struct parse_result result;
    struct graph *graph =
        read_good(STRAIGHT "<userTask id='u' camunda:formRef='check-form'/>", &result);
    const struct input *input = graph->nodes[graph_find(graph, "u")].input;

    assert_non_null(input);
    assert_non_null(strstr(input->form_text, "\"id\":\"check-form\""));
    assert_string_equal(
        input->schema_text,
        "{\"type\":\"object\",\"properties\":{\"amount\":{\"type\":\"integer\",\"title\":"
        "\"Amount\","
        "\"minimum\":1},\"way\":{\"type\":\"string\",\"oneOf\":[{\"const\":\"air\",\"title\":\"By "
        "air\"}]}},\"required\":[\"amount\"]}");
    assert_string_equal(
        input->ui_text,
        "{\"ui:order\":[\"amount\",\"way\",\"*\"],\"way\":{\"ui:widget\":\"radio\"}}");
    parse_result_deinit(&result);
}

static void test_input__parameters(void **state UNUSED)
{
    struct parse_result result;
    struct graph *graph = read_good(
        EXTENDED("<pawl:parameter name='url' description='where'/><pawl:parameter name='n' "
                 "default='3'/><pawl:parameter name='text' default='a b'/>") STRAIGHT
        "<userTask id='u' camunda:assignee='${parameters.text}'/>",
        &result);

    assert_int_equal(graph->n_parameters, 3);
    assert_string_equal(graph->parameters[0].description, "where");
    assert_null(graph->parameters[0].fallback);
    assert_string_equal(graph->parameters[1].fallback, "3");
    assert_string_equal(graph->parameters[2].fallback, "\"a b\"");
    for (size_t i = 0; i < result.n_findings; i++)
        assert_string_not_equal(result.findings[i].code, "unknown-variable");
    parse_result_deinit(&result);
}

static void test_input__refused(void **state UNUSED)
{
    static const struct {
        const char *attributes, *inside, *code, *message;
    } cases[] = {
        {"", EXTENDED("<pawl:inputSchema/>"), "bad-schema", "is empty"},
        {"", EXTENDED("<pawl:inputSchema>{\"type\": \"text\"}</pawl:inputSchema>"), "bad-schema",
         "/type: wants null"},
        {"", EXTENDED("<pawl:inputSchema>{</pawl:inputSchema>"), "bad-schema", "line 1, column 2"},
        {"", EXTENDED("<pawl:inputSchema resource='none.json'/>"), "bad-schema",
         "is no file of this deployment"},
        {"", EXTENDED("<pawl:inputSchema resource='order.json'>{}</pawl:inputSchema>"),
         "bad-schema", "both a text and resource"},
        {"",
         EXTENDED("<pawl:inputSchema>{}</pawl:inputSchema><pawl:inputSchema>{}"
                  "</pawl:inputSchema>"),
         "duplicate-extension", "inputSchema twice"},
        {"", EXTENDED("<pawl:inputSchema>{\"$ref\": \"none.json\"}</pawl:inputSchema>"),
         "bad-schema", "neither in this schema nor a file of this deployment"},
        {"",
         "<manualTask id='m'>" EXTENDED("<pawl:inputSchema>{}</pawl:inputSchema>") "</manualTask>",
         "bad-schema", "Nobody brings variables to manualTask 'm'"},
        {"", "<userTask id='m' camunda:formKey='broken.form'/>", "bad-form", "broken.form"},
        {"", EXTENDED("<pawl:parameter/>"), "bad-parameter", "has no name"},
        {"", EXTENDED("<pawl:parameter name='a'/><pawl:parameter name='a'/>"), "bad-parameter",
         "two parameters 'a'"},
        {"pawl:startableBy='nobody'", "", "bad-value", "startableBy is \"nobody\""},
        {"pawl:startableBy='process'",
         "<startEvent id='t'><timerEventDefinition><timeCycle>R/PT1H</timeCycle>"
         "</timerEventDefinition></startEvent>",
         "bad-value", "which only other processes may start"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct parse_result result;
        bool found = false;
        read_model(cases[i].attributes, cases[i].inside, &result);
        for (size_t k = 0; k < result.n_findings; k++)
            found |= strcmp(result.findings[k].code, cases[i].code) == 0 &&
                     strstr(result.findings[k].message, cases[i].message) != NULL;
        if (!found)
            fail_msg("%s: no finding %s: %s", cases[i].inside, cases[i].code, cases[i].message);
        parse_result_deinit(&result);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_input__schema_of_a_file), cmocka_unit_test(test_input__form_data),
        cmocka_unit_test(test_input__form_js),          cmocka_unit_test(test_input__parameters),
        cmocka_unit_test(test_input__refused),
    };

    parser_init();
    int failed = cmocka_run_group_tests_name("input", tests, NULL, NULL);
    parser_deinit();
    return failed;
}
