# SPDX-License-Identifier: Apache-2.0
"""What Camunda Modeler sends when somebody deploys and starts a diagram: python3 editor.py ADDRESS PROGRAM MODELS

The requests are those of its CamundaAPI.js: the same paths, headers, parts and order."""
import json
import re
import sys
import uuid

from client import Server, check, end, sql

address, program, models = sys.argv[1:]
server = Server(address)
REST = "/engine-rest"
BPMN = open(models + "/processes/basics/approval.bpmn").read().replace('id="approval"', 'id="edited"')
BOUNDARY = "----WebKitFormBoundary7MA4YWxkTrZu0gW"
AGENT = {"User-Agent": "Mozilla/5.0 (X11; Linux x86_64) CamundaModeler/5.32.0 Electron/32", "Accept": "application/json", "Origin": "file://"}


def form(fields, files):
    out = b""
    for name, value in fields:
        out += ('--%s\r\nContent-Disposition: form-data; name="%s"\r\n\r\n%s\r\n' % (BOUNDARY, name, value)).encode()
    for name, content in files:
        out += ('--%s\r\nContent-Disposition: form-data; name="%s"; filename="%s"\r\nContent-Type: application/octet-stream\r\n\r\n'
                % (BOUNDARY, name, name)).encode() + content.encode() + b"\r\n"
    return out + ("--%s--\r\n" % BOUNDARY).encode()


def deploy(fields, files, rest=REST):
    return server.ask("POST", rest + "/deployment/create", form(fields, files),
                      dict(AGENT, **{"Content-Type": "multipart/form-data; boundary=" + BOUNDARY}))


def exact(answer, keys):
    return list(sorted(answer)) == sorted(keys)


FIELDS = [("deployment-name", "edited"), ("deployment-source", "Camunda Modeler"), ("enable-duplicate-filtering", "true")]
DEFINITION = ["id", "key", "category", "description", "name", "version", "resource", "deploymentId", "diagram", "suspended", "tenantId",
              "versionTag", "historyTimeToLive", "startableInTasklist"]

# 1. Is somebody there?  2. Which version?
answer = server.ask("GET", REST + "/deployment?maxResults=0", headers=AGENT)
check("the connection check", answer.status == 200 and answer.body == [] and answer.headers["content-type"] == "application/json", answer)
answer = server.ask("GET", REST + "/version", headers=AGENT)
check("version", answer.status == 200 and re.match(r"7\.\d+\.\d+$", answer.body["version"]), answer)

# 3. Deploy.
answer = deploy(FIELDS, [("edited.bpmn", BPMN)])
check("deploy", answer.status == 200 and answer.headers["content-type"] == "application/json", answer)
body = answer.body
check("its members", exact(body, ["links", "id", "name", "source", "deploymentTime", "tenantId", "deployedProcessDefinitions", "deployedCaseDefinitions",
                                  "deployedDecisionDefinitions", "deployedDecisionRequirementsDefinitions"]), body)
check("name and source", (body["name"], body["source"], body["tenantId"]) == ("edited", "Camunda Modeler", None), body)
check("time", re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}\+0000$", body["deploymentTime"]), body["deploymentTime"])
check("link", body["links"] == [{"method": "GET", "href": "http://%s/engine-rest/deployment/%s" % (address, body["id"]), "rel": "self"}], body["links"])
(definition_id, definition), = body["deployedProcessDefinitions"].items()
check("definition", exact(definition, DEFINITION) and definition["id"] == definition_id and definition["key"] == "edited" and definition["version"] == 1
      and definition["resource"] == "edited.bpmn" and definition["deploymentId"] == body["id"], definition)
again = deploy(FIELDS, [("edited.bpmn", BPMN)]).body
check("the same file again is the same definition", list(again["deployedProcessDefinitions"]) == [definition_id], again)
check("and the same deployment", again["id"] == body["id"] and again["deploymentTime"] == body["deploymentTime"], again)
check("of which there is one", server.ask("GET", REST + "/deployment/count?name=edited").body == {"count": 1})
third = deploy(FIELDS[:2], [("edited.bpmn", BPMN)]).body
check("without the filter it is a new one", [d["version"] for d in third["deployedProcessDefinitions"].values()] == [2], third)
changed = deploy(FIELDS[:2] + [("deploy-changed-only", "true")], [("edited.bpmn", BPMN)]).body
check("only what has changed", [d["version"] for d in changed["deployedProcessDefinitions"].values()] == [2], changed)

# 4. Start it, by id.
answer = server.ask("POST", REST + "/process-definition/%s/start" % definition_id, {"businessKey": "from-editor", "variables": {
    "text": {"value": "a", "type": "String"}, "small": {"value": "string", "type": "string"}, "n": {"value": 7, "type": "Integer"},
    "long": {"value": "7", "type": "Long"}, "d": {"value": 1.5, "type": "double"}, "b": {"value": True}, "none": {"value": None, "type": "Null"},
    "json": {"value": "{\"a\":[1]}", "type": "Json", "valueInfo": {}}, "date": {"value": "2026-01-01T00:00:00.000+0000", "type": "Date"},
    "object": {"value": "[1,2]", "type": "Object", "valueInfo": {"objectTypeName": "java.util.ArrayList", "serializationDataFormat": "application/json"}}},
    "unknown": 1}, AGENT)
check("start", answer.status == 200 and answer.headers["content-type"] == "application/json", answer)
check("its members", exact(answer.body, ["links", "id", "definitionId", "definitionKey", "businessKey", "caseInstanceId", "ended", "suspended", "tenantId"])
      and answer.body["definitionId"] == definition_id and answer.body["businessKey"] == "from-editor" and answer.body["ended"] is False, answer)
instance = answer.body["id"]
got = json.loads(sql("select body::jsonb from inbox where instance_id = '%s' union all select variables::jsonb from instance where id = '%s'" % (instance, instance)))
check("typed values", got == {"text": "a", "small": "string", "n": 7, "long": 7, "d": 1.5, "b": True, "none": None, "json": {"a": [1]},
                              "date": "2026-01-01T00:00:00.000+0000", "object": [1, 2]}, got)
answer = server.ask("GET", answer.body["links"][0]["href"].partition(address)[2])
check("the link leads there", answer.status == 200 and answer.body["id"] == instance, answer)
answer = server.ask("POST", REST + "/process-definition/key/edited/start", {"withVariablesInReturn": True, "variables": {"x": {"value": {"a": 1}}, "n": {"value": 1}}})
check("start by key", answer.status == 200 and answer.body["definitionId"].startswith("edited:2:"), answer)
check("typed in return", answer.body["variables"]["n"] == {"type": "Integer", "value": 1, "valueInfo": {}}
      and answer.body["variables"]["x"] == {"type": "Json", "value": '{"a": 1}', "valueInfo": {}}, answer.body)

# 5. Where are the pages?
answer = server.ask("GET", "/.well-known/camunda-automation-platform/webapps", headers=AGENT)
check("the pages", exact(answer.body, ["adminUrl", "cockpitUrl", "tasklistUrl"]) and server.ask("GET", answer.body["cockpitUrl"].partition(address)[2]).status == 200, answer)
behind = server.ask("GET", "/.well-known/camunda-automation-platform/webapps", headers=dict(AGENT, **{"X-Forwarded-Proto": "https"}))
check("behind a proxy that speaks TLS", behind.body["cockpitUrl"] == answer.body["cockpitUrl"].replace("http:", "https:"), behind)

# ---- What goes wrong, in the words that the editor looks for ----

bad = BPMN.replace("<bpmn:userTask", "<bpmn:callActivity", 1).replace("</bpmn:userTask>", "</bpmn:callActivity>", 1)
answer = deploy(FIELDS, [("bad.bpmn", bad)])
check("a bad diagram", answer.status == 400 and answer.body["type"] == "ParseException" and answer.body["code"] == 0
      and answer.body["message"].startswith("ENGINE-09005 Could not parse BPMN process. Errors: \n* "), answer)
problem = answer.body["details"]["bad.bpmn"]["errors"][0]
line = next(i for i, text in enumerate(bad.split("\n")) if "<bpmn:callActivity" in text)
column = bad.split("\n")[line].index("<bpmn:callActivity")
check("where", (problem["line"], problem["column"]) == (line + 1, column + 1), problem)
check("and in words", answer.body["message"].endswith("| resource bad.bpmn | line %d | column %d" % (line + 1, column + 1)), answer.body["message"])
check("details", exact(answer.body["details"]["bad.bpmn"], ["errors", "warnings"]) and exact(problem, ["message", "line", "column", "mainElementId", "elementIds", "\u0435lementIds"])
      and problem["elementIds"] == problem["\u0435lementIds"] == [problem["mainElementId"]] == ["approve"], problem)
answer = deploy(FIELDS, [("bad.bpmn", "<no xml")])
check("no XML", answer.status == 400 and answer.body["message"].startswith("ENGINE-09005 Could not parse BPMN process."), answer)
answer = deploy(FIELDS, [])
check("no file", answer.status == 400 and (answer.body["type"], answer.body["message"]) ==
      ("InvalidRequestException", "No deployment resources contained in the form upload."), answer)
answer = server.ask("POST", REST + "/process-definition/key/nothing/start", {})
check("no such key", answer.status == 404 and answer.body == {"type": "RestException", "message": "No matching process definition with key: nothing and no tenant-id", "code": None}, answer)
answer = server.ask("POST", REST + "/process-definition/edited:9:%s/start" % uuid.uuid4(), {})
check("no such id", answer.status == 404 and answer.body["type"] == "RestException" and "no deployed process definition found with id" in answer.body["message"], answer)
for what, value in [("type", {"value": 1, "type": "Nonsense"}), ("number", {"value": "x", "type": "Integer"}), ("text", {"value": 1, "type": "String"}),
                    ("json", {"value": "{", "type": "Json"}), ("bare", 1), ("boolean", {"value": "maybe", "type": "Boolean"})]:
    answer = server.ask("POST", REST + "/process-definition/key/edited/start", {"variables": {"v": value}})
    check("a wrong %s" % what, answer.status == 400 and answer.body["type"] == "InvalidRequestException"
          and ("'v'" in answer.body["message"] or what == "type"), answer)
answer = server.ask("POST", REST + "/process-definition/key/edited/start", {"startInstructions": [{"type": "startBeforeActivity"}]})
check("startInstructions", answer.status == 400, answer)
for body in (b"{", b"[]", b'{"businessKey": 1}'):
    answer = server.ask("POST", REST + "/process-definition/key/edited/start", body)
    check("body %s" % body, answer.status == 400 and answer.headers["content-type"] == "application/json" and exact(answer.body, ["type", "message", "code", "sqlstate"]), answer)
for method, path, status in [("GET", "/nothing", 404), ("PUT", "/version", 405), ("GET", "/engine/other/version", 404), ("GET", "/process-instance/7", 404),
                             ("GET", "/process-definition/key/nothing", 404), ("GET", "/process-definition/7/xml", 404)]:
    answer = server.ask(method, REST + path)
    check("%s %s" % (method, path), answer.status == status and {"type", "message", "code"} <= set(answer.body), answer)

# ---- Parts as others write them ----

answer = deploy(FIELDS + [("data", BPMN)], [])
check("a file without a name", answer.status == 400 and answer.body["message"] ==
      "No file name found in the deployment resource described by form parameter 'data'.", answer)
answer = deploy(FIELDS[:1] + [("deployment-activation-time", "2099-01-23T14:42:45.000+0200")], [("edited.bpmn", BPMN)])
check("a time that would not be kept", answer.status == 400 and "deployment-activation-time" in answer.body["message"], answer)
for name in ('with \\"quotes\\" and \u00fcml.bpmn', "C:\\models\\a;b.bpmn", "two words.bpmn20.xml"):
    answer = deploy(FIELDS[:1], [(name, BPMN.replace('"edited"', '"parts"'))])
    check(name, answer.status == 200 and [d["resource"] for d in answer.body["deployedProcessDefinitions"].values()] == [name.replace('\\"', '"')], answer)

# ---- A page of another site may send such a form, too ----

for origin in ("https://evil.example", "http://localhost:1", "null"):
    answer = server.ask("POST", REST + "/deployment/create", form(FIELDS, [("edited.bpmn", BPMN)]),
                        {"Content-Type": "multipart/form-data; boundary=" + BOUNDARY, "Origin": origin})
    check("from " + origin, answer.status == 403 and "another site" in answer.body["message"], answer)
answer = server.ask("POST", REST + "/process-definition/key/edited/start", {}, {"Origin": "http://" + address})
check("from a page of ours", answer.status == 200, answer)

# ---- Tenants: a key may be there for several ----

answer = deploy(FIELDS + [("tenant-id", "north")], [("edited.bpmn", BPMN)])
check("for a tenant", answer.status == 200 and answer.body["tenantId"] == "north", answer)
(of_north, definition), = answer.body["deployedProcessDefinitions"].items()
check("its definition", (definition["tenantId"], definition["version"]) == ("north", 1), definition)
answer = server.ask("POST", REST + "/process-definition/%s/start" % of_north, {})
check("started by id, for the same tenant", answer.status == 200 and (answer.body["tenantId"], answer.body["definitionId"]) == ("north", of_north), answer)
instance = answer.body["id"]
for _ in range(100):
    running = server.ask("GET", REST + "/process-instance/" + instance).body
    if sql("select count(*) from instance where id = '%s'" % instance) == "1":
        break
check("where it runs", (running["tenantId"], running["definitionId"]) == ("north", of_north), running)
answer = deploy(FIELDS, [("edited.bpmn", BPMN)])
check("without a tenant it is not theirs", of_north not in answer.body["deployedProcessDefinitions"] and answer.body["tenantId"] is None, answer)
KEY = REST + "/process-definition/key/edited"
check("a key without tenant", server.ask("GET", KEY).body["tenantId"] is None and server.ask("POST", KEY + "/start", {}).body["tenantId"] is None)
check("a key of a tenant", server.ask("GET", KEY + "/tenant-id/north").body == definition
      and server.ask("GET", KEY + "/tenant-id/north/xml").body["id"] == of_north)
answer = server.ask("POST", KEY + "/tenant-id/north/start", {"businessKey": "n"})
check("started by it", answer.status == 200 and answer.body["definitionId"] == of_north, answer)
answer = server.ask("POST", KEY + "/tenant-id/south/start", {})
check("of one that has none", answer.status == 404 and answer.body["message"] == "No matching process definition with key: edited and tenant-id: south", answer)

# ---- The rest of what is there, also behind the engine's name ----

check("engines", server.ask("GET", REST + "/engine").body == [{"name": "default"}])
for rest in (REST, REST + "/engine/default"):
    check("deployments " + rest, server.ask("GET", rest + "/deployment/count?name=edited").body == {"count": len(server.ask("GET", rest + "/deployment?name=edited").body)})
    listed = server.ask("GET", rest + "/process-definition?key=edited&latestVersion=true").body
    listed = [d for d in listed if d["tenantId"] is None]
    check("definitions " + rest, [d["version"] for d in listed] == [2] and exact(listed[0], DEFINITION), listed)
    check("count " + rest, server.ask("GET", rest + "/process-definition/count?key=edited").body == {"count": 3})
    check("one " + rest, server.ask("GET", rest + "/process-definition/" + listed[0]["id"]).body == listed[0] == server.ask("GET", rest + "/process-definition/key/edited").body)
    check("xml " + rest, server.ask("GET", rest + "/process-definition/key/edited/xml").body["bpmn20Xml"] == BPMN)
    check("deploy " + rest, deploy(FIELDS, [("edited.bpmn", BPMN)], rest).status == 200)
end()
