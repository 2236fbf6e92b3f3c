# SPDX-License-Identifier: Apache-2.0
"""Every other request is for something that there is: schemathesis would only ever make up ids, and see 404."""
import json
import os
import urllib.request
import uuid

import schemathesis

BASE = os.environ["PAWL_ADDRESS"]
TOKEN = os.environ["PAWL_TOKEN"]

# (path of operations, parameter, where they are listed, the member). A list is asked for again when it is used up.
KNOWN = [
    ("/v1/instances/", "id", "/v1/instances?limit=50", "instanceId"),
    ("/v1/outcomes/", "id", "/v1/instances?limit=50&all=true", "instanceId"),
    ("/v1/tasks/", "id", "/v1/tasks?limit=50", "taskId"),
    ("/v1/incidents/", "id", "/v1/incidents?limit=50", "incidentId"),
    ("/v1/deployments/", "id", "/v1/deployments?limit=50", "deploymentId"),
    ("/v1/processes/", "key", "/v1/processes", "process"),
    ("/v1/rules/", "name", "/v1/rules", "name"),
    ("/v1/buses/", "name", "/v1/buses", "name"),
    ("/v1/endpoints/", "name", "/v1/endpoints", "name"),
    ("/v1/bulks/", "id", "/v1/bulks?limit=50", "bulkId"),
    ("/v1/external-tasks/", "id", "/v1/external-tasks?limit=50", "taskId"),
    ("/events/", "bus", "/v1/buses", "name"),
    ("/engine-rest/process-definition/key/", "key", "/engine-rest/process-definition", "key"),
    ("/engine-rest/process-definition/", "id", "/engine-rest/process-definition", "id"),
    ("/engine-rest/process-instance/", "id", "/v1/instances?limit=50", "instanceId"),
    ("/callbacks/", "token", None, None),
    ("/webhooks/", "name", None, None),
    ("/sedo/", "tenant", None, None),
]
LISTS = {"token": os.environ["PAWL_CALLBACK_TOKENS"].split(), "name": ["shop"], "tenant": ["default"]}
left, calls = {}, {}


def listed(path, member):
    request = urllib.request.Request(BASE + path, headers={"Authorization": "Bearer " + TOKEN})
    with urllib.request.urlopen(request, timeout=20) as answer:
        found = json.load(answer)
    return [item[member] for item in (found["items"] if isinstance(found, dict) else found)]


def next_of(parameter, path, member):
    key = path or parameter
    if not left.get(key):
        left[key] = listed(path, member) if path else list(LISTS[parameter])
    return left[key].pop(0) if left[key] else None


def plausible(name, value):
    if name != "id":
        return isinstance(value, str) and value != ""
    try:
        return bool(uuid.UUID(value))
    except (ValueError, TypeError, AttributeError):
        return False


@schemathesis.hook
def before_call(context, case, **kwargs):
    for path, parameter, where, member in KNOWN:
        if not case.path.startswith(path) or parameter not in case.path_parameters:
            continue
        operation = case.method + case.path
        calls[operation] = calls.get(operation, 0) + 1
        if calls[operation] % 2 and plausible(parameter, case.path_parameters[parameter]):
            case.path_parameters[parameter] = next_of(parameter, where, member) or case.path_parameters[parameter]
        return
