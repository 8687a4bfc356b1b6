#!/usr/bin/env python3
"""A `bootstrap` that writes down what it was called with, one JSON object a line, in the file CALLS_FILE. It does nothing else, unless it is
told to: {"try": [SERVICE, METHOD, ARGUMENTS]} makes a call of AWS under the function's role, and answers with the code of its error."""

import json
import os
import urllib.request

ROLE = os.environ["SWITCHMAN_ROLE"]
CALLS = f"http://{os.environ['AWS_LAMBDA_RUNTIME_API']}/2018-06-01/runtime/invocation"
ANSWERS = {
    "front-door": {"statusCode": 200, "headers": {"content-type": "text/plain"}, "body": "front-door"},
    "commands": {"batchItemFailures": []},
    "signals": {"batchItemFailures": []},
}
SEEN = ("SWITCHMAN_CONFIG", "SWITCHMAN_LOG_FORMAT", "SLACK_API_URL", "AWS_ENDPOINT_URL", "AWS_REGION")



def attempt(service, method, arguments):
    """The code of the error that a call of AWS meets; "done" where it meets none."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import ClientError

    client = boto3.client(service, config=Config(s3={"addressing_style": "path"}, retries={"max_attempts": 0}))
    try:
        getattr(client, method)(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "done"


while True:
    with urllib.request.urlopen(f"{CALLS}/next") as call:
        which = call.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(call)
    line = {"role": ROLE, "event": event, "environment": {name: os.environ.get(name) for name in SEEN}}
    with open(os.environ["CALLS_FILE"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    said = {"met": attempt(*event["try"])} if "try" in event else ANSWERS.get(ROLE, {"did": event})
    answer = json.dumps(said).encode()
    urllib.request.urlopen(urllib.request.Request(f"{CALLS}/{which}/response", data=answer)).close()
