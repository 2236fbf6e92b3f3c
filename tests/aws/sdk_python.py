# SPDX-License-Identifier: Apache-2.0
"""AWS's own client for Python; nothing but its endpoint and keys are ours. sdk_python.py ADDRESS"""
import json
import os
import sys

import boto3
from botocore.exceptions import ClientError

from common import becomes, check, end, token

URL = "http://" + sys.argv[1]
sfn, events = boto3.client("stepfunctions", endpoint_url=URL + "/aws/sfn"), boto3.client("events", endpoint_url=URL)
held = token("py-1")
sfn.send_task_heartbeat(taskToken=held)
sfn.send_task_success(taskToken=held, output=json.dumps({"from": "boto3"}))
becomes("success", "select value from variables where business_key = 'py-1' and name = 'answer'", '{"from": "boto3"}')
for what, ask, kind in (("late", lambda: sfn.send_task_failure(taskToken=held, error="E"), sfn.exceptions.TaskTimedOut),
                        ("forged", lambda: sfn.send_task_success(taskToken="x", output="1"), sfn.exceptions.InvalidToken),
                        ("output", lambda: sfn.send_task_success(taskToken=token("py-2"), output="{"), sfn.exceptions.InvalidOutput)):
    try:
        ask()
        check(what, False, "it was taken")
    except kind:
        check(what, True)
answer = events.put_events(Entries=[{"Source": "sdk", "DetailType": "t", "Detail": "{}"}, {"Source": "sdk", "DetailType": "t", "Detail": "7"}])
check("put_events", answer["FailedEntryCount"] == 1 and answer["Entries"][1]["ErrorCode"] == "MalformedDetail", answer)
try:
    boto3.client("stepfunctions", endpoint_url=URL, aws_access_key_id=os.environ["AWS_ACCESS_KEY_ID"],
                 aws_secret_access_key="wrong").send_task_heartbeat(taskToken=held)
    check("a wrong secret", False)
except ClientError as error:
    check("a wrong secret", error.response["Error"]["Code"] == "InvalidSignatureException", error)
end()
