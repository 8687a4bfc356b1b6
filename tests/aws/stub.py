#!/usr/bin/env python3
"""A `bootstrap` that does nothing but write down what it was called with: one JSON object a line, in the file CALLS_FILE."""

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

while True:
    with urllib.request.urlopen(f"{CALLS}/next") as call:
        which = call.headers["Lambda-Runtime-Aws-Request-Id"]
        event = json.load(call)
    line = {"role": ROLE, "event": event, "environment": {name: os.environ.get(name) for name in SEEN}}
    with open(os.environ["CALLS_FILE"], "a", encoding="utf-8") as file:
        file.write(json.dumps(line) + "\n")
    answer = json.dumps(ANSWERS.get(ROLE, {"did": event})).encode()
    urllib.request.urlopen(urllib.request.Request(f"{CALLS}/{which}/response", data=answer)).close()
