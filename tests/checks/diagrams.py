# SPDX-License-Identifier: Apache-2.0
"""Reads the diagram of each BPMN file and says what lies on what. diagrams.sh says why."""
import sys
import xml.etree.ElementTree as ET

DI = "{http://www.omg.org/spec/BPMN/20100524/DI}"
DC = "{http://www.omg.org/spec/DD/20100524/DC}"
WAYPOINT = "{http://www.omg.org/spec/DD/20100524/DI}waypoint"
INSIDE = {"task", "userTask", "serviceTask", "sendTask", "receiveTask", "scriptTask", "manualTask", "callActivity",
          "subProcess", "textAnnotation"}  # their names stand inside


def box(element):
    found = element.find(DC + "Bounds")
    return tuple(float(found.get(a)) for a in ("x", "y", "width", "height"))


def meet(a, b):
    return a[0] < b[0] + b[2] and b[0] < a[0] + a[2] and a[1] < b[1] + b[3] and b[1] < a[1] + a[3]


def words(name, label):
    """Where the editors write the name: in lines, about the middle of the label's bounds, from their top on."""
    room = max(label[2], 90)
    lines, line = [], ""
    for word in name.split():
        if line and 6 * len(line + " " + word) > room:
            lines.append(line)
            line = word
        else:
            line = (line + " " + word).strip()
    lines.append(line)
    width = max(5.5 * len(line) for line in lines)
    return (label[0] + label[2] / 2 - width / 2, label[1] + 1, width, 13 * len(lines) - 2)


def pieces(points):
    for (x1, y1), (x2, y2) in zip(points, points[1:]):
        yield (min(x1, x2) - 1, min(y1, y2) - 1, abs(x1 - x2) + 2, abs(y1 - y2) + 2)


def at_border(shape, point):
    x, y, width, height = shape
    near = x - 1 <= point[0] <= x + width + 1 and y - 1 <= point[1] <= y + height + 1
    return near and not (x + 6 < point[0] < x + width - 6 and y + 6 < point[1] < y + height - 6)


def inner(shape):
    return (shape[0] + 2, shape[1] + 2, shape[2] - 4, shape[3] - 4)


def read(path):
    root = ET.parse(path).getroot()
    model = {e.get("id"): e for e in root.iter() if e.get("id")}
    shapes, flows, names = {}, {}, {}
    for element in root.iter(DI + "BPMNShape"):
        of = element.get("bpmnElement")
        shapes[of] = box(element)
        label = element.find(DI + "BPMNLabel")
        name = model[of].get("name")
        if name and model[of].tag.split("}")[1] not in INSIDE:
            x, y, width, height = shapes[of]
            default = (x + width / 2 - 45, y + height + 5, 90, 14)
            names[of] = words(name, default if label is None else box(label))
    for element in root.iter(DI + "BPMNEdge"):
        of = element.get("bpmnElement")
        flows[of] = [(float(p.get("x")), float(p.get("y"))) for p in element.iter(WAYPOINT)]
        label = element.find(DI + "BPMNLabel")
        if model[of].get("name") and label is not None:
            names[of] = words(model[of].get("name"), box(label))
    return model, shapes, flows, names


def findings(path):
    model, shapes, flows, names = read(path)
    kind = {of: model[of].tag.split("}")[1] for of in model}
    for of in model:
        if kind[of] == "sequenceFlow" and of not in flows:
            yield f"the diagram has no flow {of}"
    for of, points in flows.items():
        ends = model[of].get("sourceRef"), model[of].get("targetRef")
        for end, point in zip(ends, (points[0], points[-1])):
            if end in shapes and not at_border(shapes[end], point):
                yield f"{of} does not touch {end}"
        for piece in pieces(points):
            for shape, bounds in shapes.items():
                if kind[shape] != "subProcess" and meet(inner(bounds), piece) and kind[of] == "sequenceFlow":
                    yield f"{of} runs through {shape}"
    for of, name in names.items():
        for shape, bounds in shapes.items():
            if kind[shape] != "subProcess" and meet(name, inner(bounds)):
                yield f"the name of {of} lies on {shape}"
        for flow, points in flows.items():
            if any(meet(name, piece) for piece in pieces(points)):
                yield f"the name of {of} lies on {flow}"
        for other, theirs in names.items():
            if other > of and meet(name, theirs):
                yield f"the names of {of} and {other} overlap"


status = 0
for path in sys.argv[1:]:
    for finding in findings(path):
        print(f"{path}:1: {finding}")
        status = 1
sys.exit(status)
