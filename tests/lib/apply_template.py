#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what an editor does with an element template of Camunda 7: prints a process whose one task has it.

    apply_template.py FILE PROCESS-ID ELEMENT [LABEL=VALUE...]

Fields are named by their labels, as a person sees them. What the template's schema asks for is checked: the known
kinds of bindings, the types of fields that each takes, fields that must not be empty, values of a list.
"""
import json
import sys
from xml.sax.saxutils import escape, quoteattr

TYPES = {  # by kind of binding
    "property": {"String", "Text", "Hidden", "Dropdown", "Boolean"},
    "camunda:property": {"String", "Hidden", "Dropdown"},
    "camunda:inputParameter": {"String", "Text", "Hidden", "Dropdown"},
}


def main():
    path, process, element, *given = sys.argv[1:]
    (template,) = json.load(open(path))
    for member in ("name", "id", "appliesTo", "properties"):
        assert member in template, f"{path}: no {member}"
    unknown = set(template) - {"name", "id", "version", "description", "appliesTo", "elementType", "properties"}
    assert not unknown, f"{path}: {unknown}"
    assert "bpmn:Task" in template["appliesTo"] or f"bpmn:{element[0].upper()}{element[1:]}" in template["appliesTo"]
    values = dict(pair.split("=", 1) for pair in given)
    attributes, properties, inputs = [], [], []
    for field in template["properties"]:
        kind, label = field["binding"]["type"], field["label"]
        assert field["type"] in TYPES[kind], f"{path}: {label}: {kind} takes no {field['type']}"
        value = values.pop(label, field.get("value", ""))
        assert value or not field.get("constraints", {}).get("notEmpty"), f"{path}: {label} must be filled in"
        if field["type"] == "Dropdown":
            assert value in [choice["value"] for choice in field["choices"]], f"{path}: {label}: {value}"
        if not value:
            continue
        name = quoteattr(field["binding"]["name"])
        if kind == "property":
            attributes.append(f' {field["binding"]["name"]}={quoteattr(value)}')
        elif kind == "camunda:property":
            properties.append(f"<camunda:property name={name} value={quoteattr(value)}/>")
        else:
            inputs.append(f"<camunda:inputParameter name={name}>{escape(value)}</camunda:inputParameter>")
    assert not values, f"{path} has no fields {list(values)}"
    extensions = ""
    if properties:
        extensions += f"<camunda:properties>{''.join(properties)}</camunda:properties>"
    if inputs:
        extensions += f"<camunda:inputOutput>{''.join(inputs)}</camunda:inputOutput>"
    print(f"""<?xml version="1.0" encoding="UTF-8"?>
<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL"
  xmlns:camunda="http://camunda.org/schema/1.0/bpmn" targetNamespace="urn:test">
  <bpmn:process id="{process}" isExecutable="true">
    <bpmn:startEvent id="start"/>
    <bpmn:sequenceFlow id="f1" sourceRef="start" targetRef="task"/>
    <bpmn:{element} id="task" camunda:modelerTemplate={quoteattr(template["id"])}{''.join(attributes)}>
      <bpmn:extensionElements>{extensions}</bpmn:extensionElements>
    </bpmn:{element}>
    <bpmn:sequenceFlow id="f2" sourceRef="task" targetRef="end"/>
    <bpmn:endEvent id="end"/>
  </bpmn:process>
</bpmn:definitions>""")


main()
